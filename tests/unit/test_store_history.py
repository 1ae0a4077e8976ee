"""The mapped cache of KEYS: follows the files of `signatures`, and is never trusted blindly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import ContractError
from pipeline.interim import KEYS
from pipeline.store import history
from pipeline.store.model import Change, StoredFile
from pipeline.store.segments import UNSYNCED, segment_at
from pipeline.store.snapshot import read_snapshot
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import copy_to, undisturbed_state
from tests.crash.workload import NOW, Piece, ids

N_BATCHES = 3


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "warehouse"
    undisturbed_state(root, N_BATCHES)
    return root


@pytest.fixture
def root(tmp_path: Path, built: Path) -> Path:
    return copy_to(built, tmp_path / "warehouse")


def segments(root: Path) -> list[Path]:
    return sorted((root / "cache" / "keys").iterdir())


def opened(
    root: Path, rebuild: Callable[[pa.Table, pa.Table], pa.Table]
) -> list[dict[str, object]]:
    """All rows of the history, by id."""
    with open_warehouse(root) as warehouse:
        tables = warehouse.history(rebuild)
        assert all(table.schema.equals(KEYS.schema) for table in tables)
        rows = [row for table in tables for row in table.to_pylist()]
    return sorted(rows, key=lambda row: row["article_id"])


def never(articles: pa.Table, signatures: pa.Table) -> pa.Table:
    raise AssertionError("nothing had to be made again")


def test_written_at_publish_and_mapped_without_rebuilding(root: Path) -> None:
    stems = {Path(path).stem for path in read_snapshot(root).tables["signatures"]}
    assert {path.stem for path in segments(root)} == stems
    rows = opened(root, never)
    assert len(rows) == N_BATCHES * 6
    assert rows == sorted(rows, key=lambda row: row["article_id"])


def test_segment_of_a_rewritten_file_is_derived(root: Path) -> None:
    """Each batch revises an article of the one before: its signature is replaced."""
    rows = {row["article_id"]: row for row in opened(root, never)}
    revised = Piece(0, 1, 1)
    assert rows[revised.article_id]["signature"] == (revised.revision_id * 32)[:512]


def test_segments_are_sorted_by_article(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        for table in warehouse.history(never):
            found = table["article_id"].to_pylist()
            assert found == sorted(found)


@pytest.mark.parametrize("damage", ["missing", "empty", "half", "zeros", "foreign"])
def test_damaged_segment_is_made_again(root: Path, damage: str) -> None:
    whole = opened(root, never)
    path = segments(root)[0]
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "foreign":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, KEYS.schema):
            pass
    else:
        broken = {"empty": b"", "half": content[: len(content) // 2], "zeros": bytes(len(content))}
        path.write_bytes(broken[damage])
    assert opened(root, workload.rebuild) == whole
    assert opened(root, never) == whole


def test_whole_cache_may_be_deleted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = opened(root, never)
    for path in segments(root):
        path.unlink()
    monkeypatch.setattr(history, "_ROWS_PER_REBUILD", 2)
    calls: list[int] = []

    def rebuild(articles: pa.Table, signatures: pa.Table) -> pa.Table:
        calls.append(articles.num_rows)
        assert articles["article_id"].equals(signatures["article_id"])
        return workload.rebuild(articles, signatures)

    assert opened(root, rebuild) == whole
    assert sum(calls) == N_BATCHES * 6
    assert max(calls) == 2


def test_dead_and_unfinished_segments_are_deleted(root: Path) -> None:
    folder = root / "cache" / "keys"
    (folder / "l0-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a.arrow").write_bytes(b"dead")
    (folder / "l0-0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b.writing").write_bytes(b"unfinished")
    whole = opened(root, never)
    assert len(segments(root)) == len(read_snapshot(root).tables["signatures"])
    assert opened(root, never) == whole


def test_rebuilding_other_rows_is_refused(root: Path) -> None:
    segments(root)[0].unlink()
    with open_warehouse(root) as warehouse, pytest.raises(ContractError, match="not one row"):
        warehouse.history(lambda articles, signatures: KEYS.schema.empty_table())


def test_keys_must_fit_the_signatures(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        documents = warehouse.land(workload.read_table(workload.pieces(3, 6)), "run", NOW)
        change = workload.change_of(warehouse, documents, "run")
        assert change.keys is not None
        wrong = Change(change.added, change.removed, change.keys.slice(1), change.landings)
        with pytest.raises(ContractError, match="not one row for each added signature"):
            warehouse.publish(wrong, "run", NOW)
        without = Change(change.added, change.removed, None, change.landings)
        warehouse.publish(without, "run", NOW)
        tables = warehouse.history(workload.rebuild)
        assert sum(table.num_rows for table in tables) == (N_BATCHES + 1) * 6


def test_mapped_tables_outlive_their_files(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        before = warehouse.history(never)
        n_rows = sum(table.num_rows for table in before)
        gone = warehouse.select("SELECT article_id FROM signatures")["article_id"]
        warehouse.publish(Change(removed={"signatures": gone}), "run", NOW)
        assert warehouse.history(never) == []
        assert sum(len(table["key"].to_pylist()) for table in before) == n_rows
    assert segments(root) == []


def test_empty_warehouse_has_no_history(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        assert warehouse.history(never) == []
        assert len(warehouse.components(ids([b"x" * 16]))) == 0


@pytest.mark.parametrize("advice", [22, 12345])
def test_fetching_changes_nothing(tmp_path: Path, advice: int) -> None:
    """An advice that the system does not know is let alone."""
    n_rows = 3_000
    empty = {
        "key": "",
        "numbers": [],
        "numbers_hash": 0,
        "signature": None,
        "bands": None,
        "lines": [1, 2],
    }
    named = {"source_id": "daily", "published_at": None, "title_key": "", "title_version": 0}
    rows = [
        {"article_id": number.to_bytes(16, "big"), "key_hash": bytes(16), "n_shingles": number}
        | {"passages": [number]}
        | named
        | empty
        for number in range(n_rows)
    ]
    keys = pa.Table.from_pylist(rows, KEYS.schema)
    path = f"data/signatures/2026-01/l0-{'0' * 32}.parquet"
    stored = StoredFile(path, "signatures", "l0", "2026-01", n_rows, 1, "", ())
    own = history.History(tmp_path)
    own.write(stored, [keys])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "_POPULATE_READ", advice)
        (table,) = own.present([stored])
        own.fetch()
        own.release()
        own.fetch()
    assert table.equals(keys)


def test_a_worker_maps_what_the_flow_has_mapped(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        tables = warehouse.history(never)
        files = warehouse.key_files()
        assert files is not None
        assert len(files) == N_BATCHES
        for table, path in zip(tables, files, strict=True):
            assert segment_at(path).equals(table)
            path.rename(path.with_suffix(UNSYNCED))
            assert segment_at(path).equals(table)
            assert warehouse.key_files() == files
            path.with_suffix(UNSYNCED).unlink()
            assert warehouse.key_files() is None
            path.touch()
