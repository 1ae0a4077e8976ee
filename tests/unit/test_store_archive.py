"""The raw archive: landing, what is known, what is pending, and fetching one document."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contracts import DOCUMENTS, ID
from pipeline.errors import ContractError, WarehouseError
from pipeline.interim import READ
from pipeline.store.archive import (
    GROUP_BYTES,
    GROUP_ROWS,
    fetch_document,
    landing_paths,
    row_groups,
    without_landing,
)
from pipeline.store.model import Change, TakenFile, no_step
from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.workload import NOW


def read_of(contents: list[bytes]) -> pa.Table:
    rows = [
        {
            "document_id": hashlib.blake2b(content, digest_size=16).digest(),
            "source_id": "local",
            "container": "in.txt",
            "position": 0,
            "media": "text",
            "encoding": "cp949",
            "parse_options": '{"map": {}}',
            "header": b"h,\r\n",
            "content": content,
            "n_bytes": len(content),
            "problem": "binary" if b"\0" in content else None,
        }
        for content in contents
    ]
    return pa.Table.from_pylist(rows, schema=READ.schema)


def full_disk(passing: str, at: str = "land:staged") -> None:
    """A step of the protocol at which the disk is full."""
    if passing == at:
        raise OSError(28, "No space left on device")


def count_documents(root: Path) -> int:
    connection = connect_published(root)
    try:
        return int(connection.sql("SELECT count(*) FROM _documents").fetchall()[0][0])
    finally:
        connection.close()


def test_lands_each_document_once(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        first = warehouse.land(read_of([b"a", b"b", b"a"]), "run", NOW)
        assert sorted(first["content"].to_pylist()) == [b"a", b"b"]
        assert first.schema.equals(DOCUMENTS.schema)
        again = warehouse.land(read_of([b"b", b"c"]), "run", NOW)
        assert again["content"].to_pylist() == [b"c"]
        none = warehouse.land(read_of([b"c"]), "run", NOW)
        assert (none.num_rows, landing_paths(none)) == (0, [])
        warehouse.publish(Change(landings=landing_paths(first)), "run", NOW)
        assert warehouse.land(read_of([b"a", b"c"]), "run", NOW).num_rows == 0


def test_landed_is_hidden_until_published(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        documents = warehouse.land(read_of([b"a"]), "run", NOW)
        (path,) = landing_paths(documents)
        warehouse.settle()
        assert (tmp_path / path).is_file()
        assert count_documents(tmp_path) == 0
        warehouse.publish(Change(landings=[path]), "run", NOW)
        assert count_documents(tmp_path) == 1


def test_a_run_that_fails_leaves_what_it_landed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_warehouse(tmp_path) as warehouse:
        1 / warehouse.land(read_of([b"a"]), "run", NOW)["content"].null_count
    with open_warehouse(tmp_path) as warehouse:
        (pending,) = warehouse.pending()
        assert pending["content"].to_pylist() == [b"a"]


@pytest.mark.parametrize("step", ["land:staged", "land:placed", "land:recording"])
def test_what_did_not_land_is_taken_again(tmp_path: Path, step: str) -> None:
    with open_warehouse(tmp_path, step=partial(full_disk, at=step)) as warehouse:
        documents = warehouse.land(read_of([b"a"]), "run", NOW)
        with pytest.raises(WarehouseError, match="disk full while landing documents"):
            warehouse.publish(Change(landings=landing_paths(documents)), "run", NOW)
        assert list(tmp_path.glob("data/documents/*/*")) == []
        assert list(tmp_path.glob("staging/batch-*")) == []
        warehouse._step = no_step
        assert warehouse.land(read_of([b"a"]), "run", NOW).num_rows == 1


def test_nothing_is_marked_as_taken_that_did_not_land(tmp_path: Path) -> None:
    file = TakenFile("/drop/a.jsonl", 1, 1)
    with open_warehouse(tmp_path, step=full_disk) as warehouse:
        warehouse.land(read_of([b"a"]), "run", NOW)
        with pytest.raises(WarehouseError, match="this batch has not landed"):
            warehouse.mark_taken([file])
        assert warehouse.taken_files() == set()
        warehouse.land(read_of([b"a"]), "run", NOW)
        warehouse.end_run("run", "failed", {})


def test_pending_is_what_earlier_runs_left(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        left = warehouse.land(read_of([b"a", b"b"]), "run-1", NOW)
        done = warehouse.land(read_of([b"c"]), "run-1", NOW)
        warehouse.publish(Change(landings=landing_paths(done)), "run-1", NOW)
        assert list(warehouse.pending()) == [], "a run's own landings are in its hands"
    with open_warehouse(tmp_path) as warehouse:
        (pending,) = warehouse.pending()
        assert pending.equals(left)
        assert landing_paths(pending) == landing_paths(left)
        assert landing_paths(without_landing(pending)) == []
        warehouse.publish(Change(landings=landing_paths(pending)), "run-2", NOW)
        assert list(warehouse.pending()) == []


def test_landing_cannot_be_worked_off_twice(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        documents = warehouse.land(read_of([b"a"]), "run", NOW)
        change = Change(landings=landing_paths(documents))
        warehouse.publish(change, "run", NOW)
        with pytest.raises(ContractError, match="worked off before"):
            warehouse.publish(change, "run", NOW)
        assert warehouse.snapshot_id == 1


def test_fetches_the_bytes_unchanged(tmp_path: Path) -> None:
    contents = [bytes([n]) * 70_000 + b"\0\xff\r\n" for n in range(40)]
    with open_warehouse(tmp_path) as warehouse:
        documents = warehouse.land(read_of(contents), "run", NOW)
        warehouse.publish(Change(landings=landing_paths(documents)), "run", NOW)
        wanted = documents["document_id"][17].as_py()
        for id in (wanted, UUID(bytes=wanted), str(UUID(bytes=wanted)), wanted.hex()):
            found = fetch_document(tmp_path, id)
            assert found is not None
            assert found.content == documents["content"][17].as_py()
            assert (found.header, found.encoding, found.problem) == (b"h,\r\n", "cp949", "binary")
            assert found.landed_at == NOW


def test_fetches_by_article_its_current_revision(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
        workload.ingest(warehouse, 1)
    revised = workload.Piece(0, 1, 1)
    found = fetch_document(tmp_path, revised.article_id)
    assert found is not None
    assert found.content == revised.content
    assert fetch_document(tmp_path, "00000000-0000-0000-0000-000000000000") is None
    assert fetch_document(tmp_path, "no id") is None
    with pytest.raises(WarehouseError, match=r"no warehouse at .*unecho ingest"):
        fetch_document(tmp_path / "nowhere", revised.article_id)


def test_one_document_lies_in_a_small_row_group(tmp_path: Path) -> None:
    contents = [str(n).encode() * 400 for n in range(3000)] + [b"x" * (3 * GROUP_BYTES)]
    with open_warehouse(tmp_path) as warehouse:
        documents = warehouse.land(read_of(contents), "run", NOW)
        (path,) = landing_paths(documents)
    footer = pq.read_metadata(tmp_path / path)
    groups = [footer.row_group(n).num_rows for n in range(footer.num_row_groups)]
    assert sum(groups) == 3001
    assert max(groups) <= GROUP_ROWS
    assert groups == row_groups(documents)


def test_row_group_ends_at_its_bytes() -> None:
    sizes = pa.table({"n_bytes": [GROUP_BYTES // 2] * 5})
    assert row_groups(sizes) == [2, 2, 1]
    assert row_groups(pa.table({"n_bytes": pa.array([], pa.int64())})) == []


def test_rejects_what_is_no_read_table(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        with pytest.raises(ContractError, match="missing column"):
            warehouse.land(pa.table({"document_id": pa.array([b"x" * 16], ID)}), "run", NOW)
        assert warehouse.land(read_of([b"a"]), "run", NOW).num_rows == 1
