"""From files to answers through the command line: what is printed where, and the exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flows.ingest
from pipeline import cli
from pipeline.store.warehouse import Warehouse

TEXT = (
    "The ferry council of Port Ellery agreed on Tuesday to buy two electric boats. "
    "They cost 14.2 million and will sail from the northern pier in October.\n\n"
    "Crews will be trained in the spring, the council said, and fares stay as they are."
)


class Shell:
    """Runs `unecho` in this process on one warehouse."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.root = root
        self.capture = capture

    def __call__(self, *arguments: str, code: int = 0) -> tuple[bytes, str]:
        found = cli.main(["--warehouse", str(self.root), *arguments])
        written = self.capture.readouterr()
        assert found == code, written.err.decode()
        return written.out, written.err.decode()

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code)[0])


@pytest.fixture
def unecho(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Shell:
    return Shell(tmp_path / "warehouse", capfdbinary)


def article(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"a{number}", "title": f"Boats {number}", "text": f"{number}. {TEXT}"} | fields


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl"
    lines = [json.dumps(article(n, source="ferry.example"), ensure_ascii=False) for n in (1, 2)]
    path.write_text("\n".join([*lines, "{broken", ""]), "utf-8")
    return path


def test_the_way_through_all_commands(unecho: Shell, file: Path) -> None:
    out, err = unecho("ingest", str(file))
    assert err == "unecho: no Prefect server, nothing is recorded (--prefect starts one)\n"
    assert out.decode().startswith("3 documents came in, 2 new articles, ")
    assert f"unecho --warehouse {unecho.root} quarantine list" in out.decode()

    again = unecho.json("ingest", str(file), "--direct")
    assert (again["n_documents"], again["n_known_documents"], again["n_articles"]) == (3, 3, 0)
    assert again["recorded_url"] is None

    [one, two] = unecho.json("sql", "FROM articles_all ORDER BY native_id", "--format", "json")
    assert [one["native_id"], two["native_id"]] == ["a1", "a2"]
    lines = file.read_bytes().split(b"\n")
    assert unecho("restore", one["article_id"]) == (lines[0], "")

    [refused] = unecho.json("quarantine", "list")
    assert (refused["reason"], refused["position"]) == ("broken_json", 3)
    shown = unecho.json("quarantine", "show", refused["document_id"][:8])
    assert shown["beginning"] == "{broken"
    assert shown["media"] == "jsonl"
    assert unecho("quarantine", "show", refused["document_id"], "--raw") == (b"{broken", "")
    assert unecho("restore", refused["document_id"])[0] == b"{broken"

    [source] = [s for s in unecho.json("sources") if s["source_id"] == "ferry.example"]
    assert (source["n_articles"], source["last_status"]) == (2, "completed")
    assert (source["n_duplicates"], source["dropped_articles_ratio"]) == (1, 0.5)
    assert source["n_dropped_chars"] == round(source["n_chars"] * source["dropped_chars_ratio"])
    shown = unecho("sources")[0].decode().splitlines()
    assert "articles out  text out" in shown[0]
    assert shown[2].split()[:6] == ["ferry.example", "2", "1", "1", "50%", "50%"]
    assert unecho.json("doctor", "--deep") == {
        "is_sound": True,
        "checked": unecho.json("doctor", "--deep")["checked"],
        "findings": [],
    }
    assert unecho.json("explain", "a1")["article"]["article_id"] == one["article_id"]


def test_standard_input_is_jsonl(
    unecho: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "piped"
    path.write_text(json.dumps(article(1, 본문="x")) + "\n", "utf-8")
    with path.open("rb") as piped:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
        done = unecho.json("ingest", "-", "--direct", "--source", "pipe")
    assert done["n_articles"] == 1
    assert list(done["by_source"]) == ["pipe"]


def test_a_pipe_has_landed_before_anything_is_made_of_it(
    unecho: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It cannot be read again: a file may still be on its way to the archive, a pipe may not."""
    path = tmp_path / "piped"
    path.write_text(json.dumps(article(1, 본문="x")) + "\n", "utf-8")
    under_way: list[bool] = []

    def watched(documents: pa.Table, warehouse: Warehouse, *others: Any) -> None:
        under_way.append(warehouse._under_way is not None)
        ingest_isolated(documents, warehouse, *others)

    ingest_isolated = flows.ingest.ingest_isolated
    monkeypatch.setattr(flows.ingest, "ingest_isolated", watched)
    copy = tmp_path / "file.jsonl"
    copy.write_bytes(path.read_bytes())
    unecho("ingest", str(copy), "--direct", "--source", "another")
    with path.open("rb") as piped:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
        unecho("ingest", "-", "--direct")
    assert under_way == [True, False]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_standard_input_is_nothing_that_came_in(
    unecho: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "piped"
    path.write_bytes(content)
    for _ in range(2):
        with path.open("rb") as piped:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
            out, _ = unecho("ingest", "-", "--direct")
            assert out.decode().startswith("Nothing came in.")
            assert unecho.json("quarantine", "list") == []


def test_an_empty_file_goes_to_quarantine(unecho: Shell, tmp_path: Path) -> None:
    """Whoever wrote it meant to write something: that is to be seen, unlike an empty pipe."""
    (tmp_path / "empty.jsonl").touch()
    unecho("ingest", str(tmp_path / "empty.jsonl"), "--direct", code=1)
    assert [row["reason"] for row in unecho.json("quarantine", "list")] == ["empty_file"]


def test_columns_and_encoding_are_named_on_the_command_line(unecho: Shell, tmp_path: Path) -> None:
    path = tmp_path / "기사.csv"
    body = "해나루항 여객선이 모두 전기로 바뀐다. 첫 배는 시월에 뜬다."
    path.write_bytes(f"번호,제목,본문\n7,배,{body}\n".encode("cp949"))
    arguments = ["--map", "text=본문,title=제목", "--map", "id=번호", "--encoding", "cp949"]
    assert unecho.json("ingest", str(path), "--direct", *arguments)["n_articles"] == 1
    [row] = unecho.json("sql", "SELECT native_id, title, text FROM articles", "-f", "json")
    assert row == {"native_id": "7", "title": "배", "text": body}


def test_when_everything_goes_to_quarantine_the_command_fails(
    unecho: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"title": "no text"}\n[1]\n')
    out, err = unecho("ingest", str(path), "--direct", code=1)
    assert b"2 quarantined" in out
    assert err.startswith("unecho: every document went to quarantine; see: ")
    unecho("ingest", str(path))  # all known by now: nothing came in, nothing failed


def test_a_missing_file_among_others_is_reported_and_the_rest_is_taken(
    unecho: Shell, file: Path, tmp_path: Path
) -> None:
    gone = str(tmp_path / "gone.jsonl")
    done = unecho.json("ingest", gone, str(file), "--direct", code=1)
    assert done["n_articles"] == 2
    assert gone in done["source_errors"][0]
    _, err = unecho("ingest", gone, str(file), "--direct", code=1)
    [line] = err.splitlines()
    assert line.startswith("unecho: ")
    assert gone in line


def test_a_damaged_file_is_a_finding(unecho: Shell, file: Path) -> None:
    unecho("ingest", str(file))
    damaged = next((unecho.root / "data" / "articles").rglob("*.parquet"))
    damaged.chmod(0o644)
    with damaged.open("r+b") as written:
        written.truncate(100)
    report = unecho.json("doctor", code=1)
    assert not report["is_sound"]
    assert damaged.name in report["findings"][0]["message"]
    assert report["findings"][0]["next_step"]
    out, _ = unecho("doctor", code=1)
    assert damaged.name in out.decode()


def test_a_csv_row_comes_back_with_its_header(unecho: Shell, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'id,text\r\n1,"{TEXT}"\r\n', newline="")
    unecho("ingest", str(path))
    [row] = unecho.json("sql", "SELECT article_id FROM articles", "-f", "json")
    content, note = unecho("restore", row["article_id"])
    assert content == f'1,"{TEXT}"'.encode()
    assert "--header" in note
    assert unecho("restore", row["article_id"], "--header") == (b"id,text\n" + content, "")


def test_a_source_of_the_settings_is_taken_by_its_name(
    unecho: Shell, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    file.rename(drop / "articles.jsonl")
    settings = tmp_path / "unecho.toml"
    settings.write_text('settle_seconds = 0\n[[source]]\nid = "ferry"\npath = "drop"\n')
    monkeypatch.setenv("UNECHO_CONFIG", "")  # main() sets it: let the patch put it back
    assert unecho.json("ingest", "ferry", "--direct", "--config", str(settings))["n_articles"] == 2
    assert os.environ["UNECHO_CONFIG"] == str(settings)
    assert unecho.json("ingest", "--direct", "--config", str(settings))["n_documents"] == 0


def test_replay_takes_what_other_options_can_read(unecho: Shell, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    odd = [{"id": f"o{n}", "inhalt": f"{n}. {TEXT}"} for n in (1, 2)]
    path.write_text("".join(json.dumps(record) + "\n" for record in odd))
    unecho("ingest", str(path), "--direct", code=1)
    first, second = unecho.json("quarantine", "list")
    assert first["reason"] == second["reason"] == "missing_text"

    done = unecho.json("quarantine", "replay", first["document_id"], "--map", "text=inhalt")
    assert done["n_articles"] == 1
    [left] = unecho.json("quarantine", "list")
    assert left["document_id"] == second["document_id"]

    still = unecho.json("quarantine", "replay", "--all", code=1)
    assert still["n_articles"] == 0
    assert len(unecho.json("quarantine", "list")) == 1

    out, _ = unecho("quarantine", "replay", "--all", "--map", "text=inhalt", "--source", "odd")
    assert b"1 new articles" in out
    assert unecho.json("quarantine", "list") == []
    assert unecho("quarantine", "list")[1] == "nothing is in quarantine\n"
    found = unecho.json("sql", "SELECT native_id, source_id FROM articles_all ORDER BY ALL")
    assert [tuple(row.values()) for row in found] == [("o1", "local"), ("o2", "odd")]
    assert unecho.json("doctor")["findings"] == []


@pytest.mark.parametrize("arguments", [[], ["abc", "--all"]])
def test_replay_wants_to_be_told_what(unecho: Shell, arguments: list[str]) -> None:
    _, err = unecho("quarantine", "replay", *arguments, code=2)
    assert "--all" in err


def test_replay_of_an_unknown_document_changes_nothing(unecho: Shell, file: Path) -> None:
    unecho("ingest", str(file))
    _, err = unecho("quarantine", "replay", "00000000", code=1)
    assert "no document in quarantine has the id 00000000" in err
    _, err = unecho("quarantine", "replay", "--all", "--map", "nothing=x", code=2)
    assert "no field of an article" in err


@pytest.mark.parametrize("places", [[""], ["  "], ["", "."]])
def test_an_empty_source_is_wrong_usage(unecho: Shell, places: list[str]) -> None:
    """Path("") is the working folder: `unecho ingest "$UNSET"` must not take that in."""
    _, err = unecho("ingest", *places, "--direct", code=2)
    assert err.startswith("unecho: an empty SOURCE names nothing; ")
    assert not unecho.root.exists()


def status_of_runs(root: Path) -> list[str]:
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{root / 'catalog.sqlite'}?mode=ro", uri=True)
        ) as opened:
            return [status for (status,) in opened.execute("SELECT status FROM runs")]
    except sqlite3.OperationalError:  # not made yet
        return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_ends_the_run_as_ctrl_c_does(tmp_path: Path, number: int) -> None:
    root = tmp_path / "warehouse"
    command = [sys.executable, "-m", "pipeline.cli", "--warehouse", str(root), "ingest", "-"]
    with subprocess.Popen(
        [*command, "--direct"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Who runs the tests with nohup ignores SIGHUP, and what it starts would ignore it too.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    ) as process:  # its standard input stays open: the run waits for more
        deadline = time.monotonic() + 30
        while "running" not in status_of_runs(root):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        # The run is entered before it loads the readers: the signal is to meet it waiting.
        time.sleep(2)
        process.send_signal(number)
        process.send_signal(number)
        assert process.wait(30) == 1
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read().decode()
    assert out == b""
    [line] = err.splitlines()
    assert line.startswith("unecho: interrupted; ")
    assert status_of_runs(root) == ["failed"]
