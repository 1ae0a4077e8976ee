"""How `unecho` ends: exit codes, one line of error, global options on either side."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.cli import hoisted
from pipeline.commands.options import DEFAULT_WAREHOUSE, UsageError, column_map
from pipeline.errors import ContractError, SettingsError, WarehouseError
from pipeline.settings import Settings

UNECHO = (sys.executable, "-m", "pipeline.cli")


def unecho(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UNECHO, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["ingest", "--help"], ["quarantine", "--help"]])
def test_help_goes_to_stdout(arguments: list[str]) -> None:
    done = unecho(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: unecho ")
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize("arguments", [[], ["quarantine"]])
def test_a_missing_command_shows_the_help_and_is_wrong_usage(arguments: list[str]) -> None:
    done = unecho(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: unecho ")


def test_the_version_is_the_installed_one() -> None:
    assert unecho("--version").stdout == "unecho 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["no-such-command"], 2, "see: unecho --help"),
        (["restore"], 2, "see: unecho restore --help"),
        (["ingest", "--batch-documents", "0", "x"], 2, "--batch-documents"),
        (["ingest", "no/such/file.jsonl"], 2, "no such file or folder: no/such/file.jsonl"),
        (["ingest", "no*such.jsonl", "nor.this"], 2, "no*such.jsonl, nor.this"),
        (["ingest", "https://news.example/a.html"], 2, "not yet"),
        (["ingest", "--prefect", "--direct", "x"], 2, "leave one out"),
        (["ingest", ".", "--map", "본문"], 2, "write it as --map"),
        (["ingest", ".", "--map", "nothing=본문"], 2, "no field of an article"),
        (["ingest", ".", "--encoding", "no-such"], 2, "encoding"),
        (["ingest", ".", "--timezone", "Mars/Olympus"], 2, "time zone"),
        (["ingest"], 2, "unecho ingest -"),
        (["--config", "no-such.toml", "ingest", "."], 2, "no-such.toml"),
        (["restore", "00000000-0000-0000-0000-00000000000a"], 1, "unecho ingest"),
        (["explain", "not-an-id"], 1, "unecho ingest"),
        (["quarantine", "list"], 1, "unecho ingest"),
        (["quarantine", "replay"], 2, "--all"),
        (["sources"], 1, "unecho ingest"),
    ],
)
def test_an_error_is_one_line_with_the_next_step(
    arguments: Sequence[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNECHO_CONFIG", "")  # main() may set it: let the patch put it back
    found = cli.main(arguments)
    written = capfd.readouterr()
    assert (found, written.out) == (code, ""), written.err
    [line] = written.err.splitlines()
    assert line.startswith("unecho: ")
    assert said in line
    assert "; " in line
    assert not list(tmp_path.iterdir()), "a command that cannot work leaves nothing behind"


def test_doctor_without_a_warehouse_finds_that(tmp_path: Path) -> None:
    done = unecho("doctor", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert '"check":"catalog"' in done.stdout


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = unecho("quarantine", "list", "--debug", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (WarehouseError("it burns", next_step="water"), 1, "unecho: it burns; water"),
        (SettingsError("key", "wrong", next_step="right"), 2, "unecho: setting key: wrong; right"),
        (UsageError("so not", "but so"), 2, "unecho: so not; but so"),
        (ContractError("edges", ["a\nb"]), 1, "unecho: table edges breaks its contract: a b; "),
        (FileNotFoundError(2, "No such file", "x.csv"), 1, "unecho: x.csv: No such file; "),
        (MemoryError(), 1, "unecho: out of memory; "),
        (ZeroDivisionError("by zero"), 1, "unecho: ZeroDivisionError: by zero; this is a fault"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_every_kind_of_error_has_its_exit_code(
    error: Exception,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def raises(words: Sequence[str]) -> int:
        raise error

    monkeypatch.setattr(cli, "run", raises)
    monkeypatch.setattr(cli, "_end_quietly", lambda: 0)
    assert cli.main(["sql"]) == code
    written = capfd.readouterr().err
    assert written.startswith(line)
    assert len(written.splitlines()) == bool(line)


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["sql", "q", "--warehouse", "w"], ["--warehouse", "w", "sql", "q"]),
        (["sql", "q", "--warehouse=w"], ["--warehouse=w", "sql", "q"]),
        (["ingest", "--debug", "f"], ["--debug", "ingest", "f"]),
        (["ingest", "--config", "c", "-"], ["--config", "c", "ingest", "-"]),
        (["ingest", "--", "--debug"], ["ingest", "--", "--debug"]),
        (["sql", "--warehouse"], ["--warehouse", "sql"]),
        (
            ["sql", "-- why?\nselect 1", "-f", "csv"],
            ["sql", "-f", "csv", "--", "-- why?\nselect 1"],
        ),
        (["sql", "--why not\nselect 1"], ["sql", "--", "--why not\nselect 1"]),
        (["ingest", "--map=text=본 문", "f"], ["ingest", "--map=text=본 문", "f"]),
        (["ingest", "--batch-documents", "5"], ["ingest", "--batch-documents", "5"]),
    ],
)
def test_global_options_stand_on_either_side(given: list[str], ordered: list[str]) -> None:
    assert hoisted(given) == ordered


def test_sql_may_begin_with_a_comment(empty_warehouse: Path) -> None:
    done = unecho("sql", "-- a question\nSELECT 1 AS a", "--warehouse", str(empty_warehouse))
    assert (done.returncode, done.stdout) == (0, "a\n─\n1\n")


@pytest.mark.parametrize(
    ("given", "mapped"),
    [
        (None, {}),
        (["text=본문"], {"text": "본문"}),
        (["text=본문,title=제목"], {"text": "본문", "title": "제목"}),
        (["text=body, the", "title=a=b"], {"text": "body, the", "title": "a=b"}),
        (["text = 본문 , title = 제목"], {"text": "본문", "title": "제목"}),
    ],
)
def test_map_takes_lists_and_repetition(given: list[str] | None, mapped: dict[str, str]) -> None:
    assert column_map(given) == mapped


def test_the_default_warehouse_is_the_one_of_the_settings() -> None:
    assert Settings.model_fields["warehouse"].default == DEFAULT_WAREHOUSE


@pytest.mark.parametrize("given", ["argument", "environment", "file"])
def test_the_warehouse_is_found_where_the_settings_find_it(
    given: str, empty_warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(empty_warehouse)
    (tmp_path / "unecho.toml").write_text(
        f'warehouse = "{root if given == "file" else tmp_path / "wrong"}"\n'
    )
    if given == "environment":
        monkeypatch.setenv("UNECHO_WAREHOUSE", root)
    arguments = ["--warehouse", root] if given == "argument" else []
    done = unecho(*arguments, "sql", "SELECT 1 AS a", "-f", "csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "a\n1\n")


def test_suggested_calls_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`unecho` where the shell finds it, else the path that was called, with its warehouse."""
    program = tmp_path / "bin" / "unecho"
    program.parent.mkdir()
    program.touch(mode=0o755)
    record = tmp_path / "a.jsonl"
    record.write_text('{"text": "Two boats sail from the northern pier in October."}\n')
    monkeypatch.setattr(sys, "argv", [str(program)])
    arguments = ["ingest", str(record), "--direct", "--warehouse", str(tmp_path / "w x")]
    for path, call in ((f"{tmp_path}/bin", "unecho"), ("/nowhere", str(program))):
        monkeypatch.setenv("PATH", path)
        assert cli.main(arguments) == 0
        assert f"\n  {call} --warehouse '{tmp_path}/w x' sql \"SELECT" in capfd.readouterr().out
