"""Copy-on-write: which rows go, which files are touched, how what is left is packed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contracts import ARTICLES, CONTRACTS
from pipeline.errors import ContractError
from pipeline.store import rows
from pipeline.store.doctor import doctor
from pipeline.store.duck import base_query, open_memory
from pipeline.store.model import Change, StoredFile
from pipeline.store.parquet import Stamp, read_file, write_file
from pipeline.store.snapshot import read_snapshot
from pipeline.store.warehouse import Warehouse, open_warehouse
from tests.crash import workload
from tests.crash.state import copy_to, undisturbed_state
from tests.crash.workload import NOW, Piece, ids


def paths(root: Path, table: str) -> set[str]:
    return set(read_snapshot(root).tables[table])


def count(warehouse: Warehouse, table: str) -> int:
    return int(warehouse.select(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "warehouse"
    undisturbed_state(root, 3)
    return root


@pytest.fixture
def root(tmp_path: Path, built: Path) -> Path:
    return copy_to(built, tmp_path / "warehouse")


def test_only_files_with_removed_rows_are_rewritten(root: Path) -> None:
    before = paths(root, "paragraphs")
    with open_warehouse(root) as warehouse:
        n_before = count(warehouse, "paragraphs")
        gone = ids([Piece(1, 2, 0).article_id])
        warehouse.publish(Change(removed={"paragraphs": gone}), "run", NOW)
        assert count(warehouse, "paragraphs") == n_before - 3
        assert warehouse.rows("paragraphs", "article_id", gone).num_rows == 0
    after = paths(root, "paragraphs")
    assert len(before - after) == 1
    assert len(after - before) == 1


def test_what_is_left_of_several_files_becomes_one(root: Path) -> None:
    before = paths(root, "paragraphs")
    assert len(before) == 3
    with open_warehouse(root) as warehouse:
        gone = ids([Piece(batch, 2, 0).article_id for batch in range(3)])
        warehouse.publish(Change(removed={"paragraphs": gone}), "run", NOW)
    assert len(paths(root, "paragraphs")) == 1


def test_packs_end_at_their_size(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PACK_BYTES", 1)
    with open_warehouse(root) as warehouse:
        gone = ids([Piece(batch, 2, 0).article_id for batch in range(3)])
        warehouse.publish(Change(removed={"paragraphs": gone}), "run", NOW)
    assert len(paths(root, "paragraphs")) == 3


def test_file_without_rows_left_is_not_replaced(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        everything = warehouse.select("SELECT story_id FROM stories")["story_id"]
        warehouse.publish(Change(removed={"stories": everything}), "run", NOW)
        assert count(warehouse, "stories") == 0
    assert paths(root, "stories") == set()


def test_edge_goes_with_either_end(root: Path) -> None:
    pair = [Piece(0, 2, 0).article_id, Piece(0, 3, 0).article_id]
    for end in pair:
        with open_warehouse(root) as warehouse:
            edges = warehouse.edges(ids(pair))
            assert edges.num_rows == 1
            n_before = count(warehouse, "edges")
            warehouse.publish(Change(removed={"edges": ids([end])}), "run", NOW)
            assert count(warehouse, "edges") == n_before - 1
            warehouse.publish(Change(added={"edges": edges}), "run", NOW)


def test_all_columns_of_a_key_table_must_match(root: Path) -> None:
    old, new = Piece(0, 1, 0), Piece(0, 1, 1)
    keys = pa.table(
        {
            "article_id": ids([old.article_id, Piece(2, 2, 0).article_id]),
            "revision_id": ids([old.revision_id, new.revision_id]),
        }
    )
    with open_warehouse(root) as warehouse:
        n_before = count(warehouse, "articles")
        warehouse.publish(Change(removed={"articles": keys}), "run", NOW)
        assert count(warehouse, "articles") == n_before - 1
        (left,) = warehouse.known_revisions(ids([old.article_id])).to_pylist()
    assert left["revision_id"] == new.revision_id


def test_removed_and_added_again_in_one_change(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        stories = warehouse.rows("stories", "story_id", ids([Piece(0, 2, 0).article_id]))
        n_before = count(warehouse, "stories")
        change = Change(added={"stories": stories}, removed={"stories": stories["story_id"]})
        warehouse.publish(change, "run", NOW)
        assert count(warehouse, "stories") == n_before
    assert doctor(root) == []


def test_key_that_no_column_has_is_refused(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        n_before = warehouse.snapshot_id
        keys = pa.table({"nothing": ids([b"x" * 16])})
        with pytest.raises(ContractError, match="no key column nothing"):
            warehouse.publish(Change(removed={"stories": keys}), "run", NOW)
        assert warehouse.snapshot_id == n_before


def test_rewritten_articles_stay_in_order_of_time(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        gone = warehouse.select(
            "SELECT article_id, revision_id FROM articles WHERE title LIKE '%-2-0'"
        )
        warehouse.publish(Change(removed={"articles": gone}), "run", NOW)
    for path in paths(root, "articles"):
        times = pq.read_table(root / path)["published_at"].to_pylist()
        assert times == sorted(times)


def test_column_that_came_later_is_null_in_older_files(tmp_path: Path) -> None:
    """A file written before `section` existed is read beside one that has it."""
    with open_warehouse(tmp_path / "warehouse") as warehouse:
        workload.ingest(warehouse, 0)
        articles = warehouse.select("SELECT * FROM articles").cast(ARTICLES.schema)
    new = articles.set_column(
        ARTICLES.schema.get_field_index("section"),
        ARTICLES.schema.field("section"),
        pa.array(["politics"] * articles.num_rows),
    )
    stored = write_file(new, ARTICLES, tmp_path / "new.parquet", "new.parquet", Stamp(1, "r"))
    older = pq.read_table(tmp_path / "new.parquet").drop_columns(["section"])
    pq.write_table(older, tmp_path / "old.parquet")
    old = StoredFile(
        "old.parquet",
        *("articles", "l0", "2026-11", older.num_rows, 0, ""),
        tuple(older.column_names),
    )
    assert read_file(tmp_path, old)["section"].null_count == older.num_rows
    query = base_query(CONTRACTS["articles"], [stored, old], tmp_path, is_movable=False)
    with open_memory() as connection:
        found = connection.sql(
            f"SELECT section, count(*) FROM ({query}) GROUP BY section ORDER BY section"
        ).fetchall()
        columns = connection.sql(query).columns
    assert found == [("politics", older.num_rows), (None, older.num_rows)]
    assert columns == ARTICLES.schema.names


def test_ids_are_real_uuids_in_parquet(root: Path) -> None:
    (path, *_) = sorted(paths(root, "story_members"))
    schema = pq.read_schema(root / path)
    assert schema.field("article_id").type == pa.uuid()
    footer = pq.read_metadata(root / path)
    assert footer.metadata[b"unecho_run_id"].startswith(b"run-")
    assert "UUID" in str(footer.schema.column(0).logical_type)


def test_small_files_of_narrow_tables_are_merged(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "apart") as warehouse:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "MERGED", 1_000)
            for batch in range(20):
                workload.ingest(warehouse, batch)
        apart = {name: warehouse.select(f"SELECT * FROM {name}") for name in CONTRACTS}
    with open_warehouse(tmp_path / "merged") as warehouse:
        for batch in range(20):
            workload.ingest(warehouse, batch)
        for name, contract in CONTRACTS.items():
            order = [(key, "ascending") for key in contract.key]
            found = warehouse.select(f"SELECT * FROM {name}").sort_by(order)
            assert found.equals(apart[name].sort_by(order)), name
    assert doctor(tmp_path / "merged") == []
    levels = [Path(path).name[:2] for path in paths(tmp_path / "merged", "decisions")]
    assert sorted(set(levels)) == ["l0", "l1"]
    assert len(levels) < rows.MERGED + 2
    assert len(paths(tmp_path / "apart", "decisions")) == 20


def test_large_files_of_narrow_tables_stay_apart() -> None:
    def of_rows(n_rows: int) -> StoredFile:
        path = f"data/edges/2026-11/l0-{n_rows}.parquet"
        return StoredFile(path, "edges", "l0", "2026-11", n_rows, 0, "", ())

    small = [of_rows(n_rows) for n_rows in range(1, rows.MERGED + 1)]
    large = [of_rows(300_000 + n_rows) for n_rows in range(rows.MERGED)]
    assert rows.merges(large) == []
    assert rows.merges([*large, *small]) == [tuple(small)]
