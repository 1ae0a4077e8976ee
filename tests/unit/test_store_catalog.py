"""The catalogue: what opening refuses, and the ledgers it keeps."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.errors import WarehouseError
from pipeline.store.catalog_schema import FORMAT
from pipeline.store.doctor import doctor
from pipeline.store.model import Change, Run, TakenFile, as_text
from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import published_state


def runs(root: Path) -> list[dict[str, object]]:
    connection = connect_published(root)
    try:
        return connection.sql("SELECT * FROM runs ORDER BY run_id").to_arrow_table().to_pylist()
    finally:
        connection.close()


def files_below(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*.parquet"))


def test_lost_catalogue_is_refused_and_nothing_touched(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
    held = files_below(tmp_path)
    (tmp_path / "catalog.sqlite").rename(tmp_path / "elsewhere")
    with (
        pytest.raises(WarehouseError, match=r"catalog\.sqlite is missing.*restore .* backup"),
        open_warehouse(tmp_path),
    ):
        pass
    assert files_below(tmp_path) == held
    assert not (tmp_path / "catalog.sqlite").exists()
    assert [f.check for f in doctor(tmp_path)] == ["catalog"]
    (tmp_path / "elsewhere").rename(tmp_path / "catalog.sqlite")
    with open_warehouse(tmp_path):
        pass
    assert doctor(tmp_path) == []


def test_older_catalogue_is_refused_before_it_deletes(tmp_path: Path) -> None:
    root = tmp_path / "warehouse"
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, 0)
    shutil.copy(root / "catalog.sqlite", tmp_path / "backup")
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, 1)
    held = files_below(root)
    shutil.copy(tmp_path / "backup", root / "catalog.sqlite")
    with (
        pytest.raises(WarehouseError, match="is at snapshot 1, but 2 is published"),
        open_warehouse(root),
    ):
        pass
    assert files_below(root) == held


def test_broken_catalogue_is_named(tmp_path: Path) -> None:
    with open_warehouse(tmp_path):
        pass
    (tmp_path / "catalog.sqlite").write_bytes(b"no database" * 500)
    with (
        pytest.raises(WarehouseError, match=r"cannot be read.*restore catalog\.sqlite"),
        open_warehouse(tmp_path),
    ):
        pass
    assert [f.check for f in doctor(tmp_path)] == ["catalog"]


def test_newer_format_is_refused(tmp_path: Path) -> None:
    with open_warehouse(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / "catalog.sqlite")
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with (
        pytest.raises(WarehouseError, match=f"has format {FORMAT + 1}.*newer unecho"),
        open_warehouse(tmp_path),
    ):
        pass


def as_of_format_1(root: Path) -> None:
    """Make the catalogue one of the first format, published as it was then."""
    connection = sqlite3.connect(root / "catalog.sqlite")
    for column in ("inode", "status_ns"):
        connection.execute(f"ALTER TABLE taken_files DROP COLUMN {column}")
    connection.execute("DROP TABLE parameters")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def test_an_earlier_format_is_brought_to_this_one(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
    as_of_format_1(tmp_path)
    assert doctor(tmp_path) == [], "reading brings nothing up"
    with open_warehouse(tmp_path) as warehouse:
        assert warehouse.parameters() == {}
        assert warehouse.taken_files() == set()
        workload.ingest(warehouse, 1)
    assert parameters(tmp_path) == []
    assert doctor(tmp_path, deep=True) == []


def test_parameters_change_with_the_rows_that_they_made(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
        head = warehouse.snapshot_id
        warehouse.publish(Change(parameters={"b": ["다", 1], "a": 0.5}), "run", workload.NOW)
        assert warehouse.snapshot_id == head + 1
        assert parameters(tmp_path) == [("a", "0.5"), ("b", '["다", 1]')]
        warehouse.publish(Change(), "run", workload.NOW)
        assert warehouse.parameters() == {"a": 0.5, "b": ["다", 1]}
        warehouse.publish(Change(parameters={}), "run", workload.NOW)
        assert warehouse.parameters() == {}
    assert parameters(tmp_path) == []
    assert doctor(tmp_path) == []


def parameters(root: Path) -> list[tuple[str, str]]:
    connection = connect_published(root)
    try:
        return connection.sql("SELECT name, value FROM parameters ORDER BY name").fetchall()
    finally:
        connection.close()


def test_run_is_published_with_its_counts(tmp_path: Path) -> None:
    started = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
    with open_warehouse(tmp_path) as warehouse:
        run = Run("run-1", "ingest", ("연합", "it's"), started, "http://127.0.0.1/runs/1")
        warehouse.begin_run(run)
        documents = warehouse.land(workload.read_table(workload.pieces(0, 4)), "run-1", started)
        change = workload.change_of(warehouse, documents, "run-1")
        warehouse.publish(change, "run-1", started)
        assert [(r["status"], r["n_documents"]) for r in runs(tmp_path)] == [("running", 4)]
        ended = started + timedelta(seconds=90)
        warehouse.end_run("run-1", "completed", {"n_articles": 3, "n_odd": 7}, ended)
    (row,) = runs(tmp_path)
    assert row["sources"] == ["연합", "it's"]
    assert row["status"] == "completed"
    assert row["duration_seconds"] == 90
    assert (row["n_documents"], row["n_articles"], row["n_edges"]) == (4, 3, None)
    assert row["counts"] == '{"n_articles": 3, "n_documents": 4, "n_odd": 7}'
    assert row["recorded_url"] == "http://127.0.0.1/runs/1"


def test_run_left_over_is_crashed_at_the_next_opening(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        warehouse.begin_run(Run("left", "ingest", (), workload.NOW))
        warehouse.begin_run(Run("done", "ingest", (), workload.NOW))
        warehouse.end_run("done", "failed", {})
    with open_warehouse(tmp_path):
        pass
    assert {r["run_id"]: r["status"] for r in runs(tmp_path)} == {
        "left": "crashed",
        "done": "failed",
    }
    assert all(r["ended_at"] is not None for r in runs(tmp_path))


def test_taken_files_are_kept_as_they_stood(tmp_path: Path) -> None:
    first, later = TakenFile("/drop/a.jsonl", 10, 111), TakenFile("/drop/a.jsonl", 12, 222)
    other = TakenFile("/drop/b's.jsonl", 1, 1)
    with open_warehouse(tmp_path) as warehouse:
        assert warehouse.taken_files() == set()
        warehouse.mark_taken([first, other])
        assert warehouse.taken_files() == {first, other}
        warehouse.mark_taken([later])
    with open_warehouse(tmp_path) as warehouse:
        assert warehouse.taken_files() == {later, other}


def test_times_are_stored_in_utc() -> None:
    seoul = timezone(timedelta(hours=9))
    assert as_text(datetime(2026, 11, 22, 9, 0, tzinfo=seoul)) == "2026-11-22 00:00:00.000000"


def test_catalogue_alone_can_be_copied_away(tmp_path: Path) -> None:
    """A warehouse copied while it is closed is a warehouse."""
    root, copy = tmp_path / "a", tmp_path / "b"
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, 0)
    shutil.copytree(root, copy)
    with open_warehouse(copy):
        pass
    assert published_state(copy) == published_state(root)
    assert doctor(copy) == []
