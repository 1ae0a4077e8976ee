"""Replay through real warehouses: what other options can read leaves the quarantine, whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows import replay as replay_module
from flows.ingest import Request, run_ingest
from flows.replay import run_replay
from pipeline.errors import WarehouseError
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.sources import reread as reread_module
from pipeline.store.doctor import doctor

MAP = {"text": "inhalt"}


def settings_at(root: Path, **values: Any) -> Settings:
    return Settings(warehouse=root, lock_wait_seconds=5, **values)


def ingest(root: Path, *paths: Path, column_map: Mapping[str, str] | None = None) -> RunSummary:
    request = Request(specs=tuple(map(str, paths)), column_map=dict(column_map or {}))
    return run_ingest([request], settings_at(root), "ingest")


def replay(root: Path, ids: list[bytes] | None = None, **values: Any) -> RunSummary:
    batches = {k: values.pop(k) for k in tuple(values) if k.startswith(("batch", "max"))}
    return run_replay(ids, settings_at(root, **batches), str(uuid4()), **values)


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "public" / "news.duckdb"), read_only=True) as con:
        return con.sql(sql).fetchall()


def texts(root: Path) -> list[str]:
    return [text for (text,) in rows(root, "SELECT text FROM articles_all ORDER BY text")]


def archived(root: Path) -> set[bytes]:
    """Return the ids of all documents in the raw archive."""
    files = (root / "data" / "documents").rglob("*.parquet")
    return {i for f in files for i in pq.ParquetFile(f).read()["document_id"].to_pylist()}


def reasons(root: Path) -> list[str]:
    return [reason for (reason,) in rows(root, "SELECT reason FROM quarantine ORDER BY reason")]


def write_foreign(folder: Path) -> list[Path]:
    """Write files whose text stands in a column that must be named."""
    files = {
        "c.csv": 'id,inhalt\n1,"row one text of boats, quoted"\n2,row two text of trains\n',
        "a.json": '[{"id":"x1","inhalt":"array text one is here"}]',
        "l.jsonl": '{"id":"j1","inhalt":"a line about harbour dues"}\n',
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    table = pa.table({"id": ["p1"], "inhalt": ["a row about lighthouse paint"]})
    pq.write_table(table, folder / "p.parquet")
    return [*(folder / name for name in files), folder / "p.parquet"]


FOREIGN = [
    "a line about harbour dues",
    "a row about lighthouse paint",
    "array text one is here",
    "row one text of boats, quoted",
    "row two text of trains",
]


@pytest.mark.parametrize("wrong", ["utf-16-le", "utf-16-be", "utf-32-le", "cp949"])
def test_a_wrong_encoding_changes_nothing_and_the_right_one_takes_all(
    tmp_path: Path, wrong: str
) -> None:
    root = tmp_path / "w"
    ingest(root, *write_foreign(tmp_path))
    before = archived(root)
    assert len(reasons(root)) == 5
    failed = replay(root, encoding=wrong)
    assert failed.is_all_quarantined
    assert failed.n_quarantined == 5
    assert archived(root) == before
    assert len(reasons(root)) == 5
    taken = replay(root, encoding="utf-8", column_map=MAP)
    assert (taken.n_articles, taken.n_quarantined) == (5, 0)
    assert texts(root) == FOREIGN
    assert reasons(root) == []
    assert doctor(root) == []


def test_a_replayed_document_is_the_one_its_file_would_have_given(tmp_path: Path) -> None:
    files = write_foreign(tmp_path)
    korean = tmp_path / "k.csv"
    korean.write_bytes('id,inhalt\n7,"정부는 새 정책을 발표했다, 2일"\n8,plain\n'.encode("cp949"))
    ingest(tmp_path / "w", *files, korean)
    before = archived(tmp_path / "w")
    replay(tmp_path / "w", column_map=MAP)
    ingest(tmp_path / "straight", *files, korean, column_map=MAP)
    assert archived(tmp_path / "w") - before == archived(tmp_path / "straight")
    assert texts(tmp_path / "w") == texts(tmp_path / "straight")


def test_what_cannot_be_taken_stays_with_its_new_reason(tmp_path: Path) -> None:
    root = tmp_path / "w"
    ingest(root, *write_foreign(tmp_path))
    before = archived(root)
    replay(root, column_map={"text": "nothing"})
    messages = [m for (m,) in rows(root, "SELECT message FROM quarantine")]
    assert all("no text in nothing" in m for m in messages)
    assert len(messages) == 5
    assert archived(root) == before
    snapshot = replay(root, column_map={"text": "nothing"}).snapshot_id
    assert replay(root, column_map={"text": "nothing"}).snapshot_id == snapshot


def test_damaged_parquet_stays_and_the_rest_is_taken(tmp_path: Path) -> None:
    root = tmp_path / "w"
    files = write_foreign(tmp_path)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 nothing that can be read PAR1")
    ingest(root, *files, broken)
    taken = replay(root, column_map=MAP)
    assert (taken.n_articles, taken.n_quarantined) == (5, 1)
    assert reasons(root) == ["broken_parquet"]


def test_a_document_that_cannot_be_read_again_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "w"
    ingest(root, *write_foreign(tmp_path))

    def failing(document: Mapping[str, Any], options: Any) -> pa.Table:
        if document["media"] == "parquet":
            raise pa.ArrowInvalid("nothing of the kind")
        return reread_module.reread(document, options)

    monkeypatch.setattr(replay_module, "reread", failing)
    taken = replay(root, column_map=MAP)
    assert (taken.n_articles, taken.n_quarantined) == (4, 1)
    assert reasons(root) == ["missing_text"]


def test_a_file_of_many_is_split_and_its_faults_get_their_own_rows(tmp_path: Path) -> None:
    root = tmp_path / "w"
    file = tmp_path / "wide.jsonl"
    lines = [json.dumps({"id": str(n), "text": f"wide text {n}"}) for n in range(3)]
    file.write_bytes("\n".join([*lines, "{broken"]).encode("utf-32-le"))
    ingest(root, file)
    assert reasons(root) == ["binary"]
    taken = replay(root, encoding="utf-32-le")
    assert (taken.n_articles, taken.n_quarantined) == (3, 1)
    assert texts(root) == ["wide text 0", "wide text 1", "wide text 2"]
    assert reasons(root) == ["broken_json"]


def test_a_long_record_is_taken_once_the_limit_is_raised(tmp_path: Path) -> None:
    root = tmp_path / "w"
    table = pa.table({"id": ["p1"], "text": ["the tide tables " * 200]})
    pq.write_table(table, tmp_path / "p.parquet")
    (tmp_path / "t.txt").write_text("the harbour lights " * 200, "utf-8")
    request = Request(specs=(str(tmp_path / "p.parquet"), str(tmp_path / "t.txt")))
    run_ingest([request], settings_at(root, max_document_bytes=1024), "ingest")
    before = archived(root)
    assert reasons(root) == ["too_large", "too_large"]
    replay(root, max_document_bytes=1024)
    assert (archived(root), reasons(root)) == (before, ["too_large", "too_large"])
    assert replay(root).n_articles == 2
    assert reasons(root) == []


def test_what_was_mended_here_is_taken_with_the_options_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "w"
    file = tmp_path / "l.jsonl"
    file.write_text('{"id":"j1","text":"a line about harbour dues"}\n', "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr("flows.texts.sign", lambda *_: 1 / 0)
        ingest(root, file)
    before = archived(root)
    assert reasons(root) == ["fault"]
    taken = replay(root)
    assert (taken.n_articles, taken.n_known_documents) == (1, 0)
    assert (reasons(root), archived(root)) == ([], before)


def test_what_an_interrupted_run_landed_is_worked_off(tmp_path: Path) -> None:
    root = tmp_path / "w"
    file = tmp_path / "l.jsonl"
    file.write_text('{"id":"j1","inhalt":"a line about harbour dues"}\n', "utf-8")
    ingest(root, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay_module, "ingest_isolated", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):  # killed between landing and publishing
            replay(root, column_map=MAP)
    assert reasons(root) == ["missing_text"]
    taken = replay(root, column_map=MAP)
    assert (taken.n_recovered_documents, taken.n_articles) == (1, 1)
    assert texts(root) == ["a line about harbour dues"]
    assert reasons(root) == []
    assert doctor(root) == []


def test_many_documents_are_two_snapshots_a_batch(tmp_path: Path) -> None:
    root = tmp_path / "w"
    file = tmp_path / "l.jsonl"
    lines = [json.dumps({"id": str(n), "inhalt": f"line {n} of the ledger"}) for n in range(60)]
    file.write_text("\n".join(lines), "utf-8")
    before = ingest(root, file).snapshot_id
    taken = replay(root, column_map=MAP, batch_documents=40)
    assert taken.n_articles == 60
    assert taken.snapshot_id - before <= 4
    assert reasons(root) == []
    assert doctor(root) == []


def test_only_the_named_documents_are_tried(tmp_path: Path) -> None:
    root = tmp_path / "w"
    ingest(root, *write_foreign(tmp_path))
    chosen = rows(root, "SELECT document_id FROM quarantine ORDER BY document_id LIMIT 2")
    taken = replay(root, [i.bytes for (i,) in chosen], column_map=MAP)
    assert taken.n_articles == 2
    assert len(reasons(root)) == 3


def test_without_a_warehouse_nothing_is_made(tmp_path: Path) -> None:
    root = tmp_path / "nowhere"
    with pytest.raises(WarehouseError, match="there is no warehouse at"):
        replay(root)
    assert not root.exists()
