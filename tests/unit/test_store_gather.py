"""The questions a flow asks of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipeline.contracts import CONTRACTS, EDGES, ID
from pipeline.interim import MEMBERS
from pipeline.store.gather import REVISION_COLUMNS
from pipeline.store.warehouse import Warehouse, open_warehouse
from tests.crash import workload
from tests.crash.workload import Piece, ids


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path_factory.mktemp("gather")) as opened:
        for batch in range(3):
            workload.ingest(opened, batch)
        yield opened


UNKNOWN = b"\xee" * 16


def test_known_revisions(warehouse: Warehouse) -> None:
    revised, plain = Piece(0, 1, 1), Piece(1, 2, 0)
    found = warehouse.known_revisions(
        ids([revised.article_id, plain.article_id, UNKNOWN, plain.article_id])
    )
    assert found.column_names == list(REVISION_COLUMNS)
    rows = {row["revision_id"]: row["is_current"] for row in found.to_pylist()}
    assert rows == {
        Piece(0, 1, 0).revision_id: False,
        revised.revision_id: True,
        plain.revision_id: True,
    }
    assert warehouse.current_revisions(ids([revised.article_id, UNKNOWN])) == {
        revised.article_id: revised.revision_id
    }


def test_nothing_known(warehouse: Warehouse) -> None:
    for none in (ids([UNKNOWN]), ids([]), pa.chunked_array([], ID)):
        assert warehouse.known_revisions(none).num_rows == 0
        assert len(warehouse.components(none)) == 0
        assert warehouse.members(none).schema.equals(MEMBERS.schema)
        assert warehouse.edges(none).schema.equals(EDGES.schema)
        assert warehouse.rows("stories", "story_id", none).schema.equals(
            CONTRACTS["stories"].schema
        )


def test_components_are_whole(warehouse: Warehouse) -> None:
    chain = sorted(Piece(batch, 0, 0).article_id for batch in range(3))
    assert warehouse.components(ids([Piece(1, 0, 0).article_id])).to_pylist() == chain
    pair = sorted((Piece(2, 2, 0).article_id, Piece(2, 3, 0).article_id))
    both = warehouse.components(ids([pair[0], chain[2], UNKNOWN]))
    assert both.to_pylist() == sorted(pair + chain)


def test_members_are_current_and_know_their_story(warehouse: Warehouse) -> None:
    revised, chained = Piece(1, 1, 1), Piece(2, 0, 0)
    found = warehouse.members(ids([revised.article_id, chained.article_id, UNKNOWN]))
    assert found.schema.equals(MEMBERS.schema)
    rows = {row["article_id"]: row for row in found.to_pylist()}
    assert set(rows) == {revised.article_id, chained.article_id}
    assert rows[chained.article_id]["story_id"] == workload.digest("article", *workload.CHAIN)
    assert rows[chained.article_id]["founded_snapshot"] == 1
    assert rows[revised.article_id]["content_hash"] == workload.digest(
        "content", revised.revision_id
    )


def test_edges_have_both_ends_among_the_ids(warehouse: Warehouse) -> None:
    pair = [Piece(0, 2, 0).article_id, Piece(0, 3, 0).article_id]
    (edge,) = warehouse.edges(ids(pair)).to_pylist()
    assert [edge["left_id"], edge["right_id"]] == sorted(pair)
    assert warehouse.edges(ids(pair[:1])).num_rows == 0


def test_select_keeps_types(warehouse: Warehouse) -> None:
    for name, contract in CONTRACTS.items():
        found = warehouse.select(f"SELECT * FROM {name}")
        assert found.schema.types == contract.schema.types, name
        assert found.column_names == contract.schema.names


def test_select_joins_given_tables(warehouse: Warehouse) -> None:
    wanted = pa.table({"id": ids([Piece(0, 2, 0).article_id, UNKNOWN]), "n": [1, 2]})
    found = warehouse.select(
        "SELECT a.article_id, wanted.n, a.title AS headline FROM articles a"
        " JOIN wanted ON a.article_id = wanted.id",
        wanted=wanted,
    )
    assert found.to_pylist() == [
        {"article_id": Piece(0, 2, 0).article_id, "n": 1, "headline": "Title 0-2-0"}
    ]
    with pytest.raises(duckdb.CatalogException, match="wanted"):
        warehouse.select("SELECT * FROM wanted")


def test_select_returns_plain_values(warehouse: Warehouse) -> None:
    found = warehouse.select(
        "SELECT sum(x) AS total, sum(-x) AS below, count(*) AS n, bool_and(x >= 0) AS is_sound,"
        " NULL::BOOLEAN AS nothing, sum(NULL::INTEGER) AS none, '[1]'::JSON AS json, 'x' AS word,"
        " ['a'] AS words FROM range(3) t(x)"
    )
    assert found.to_pylist() == [
        {
            **{"total": 3, "below": -3, "n": 3, "is_sound": True, "nothing": None, "none": None},
            **{"json": "[1]", "word": "x", "words": ["a"]},
        }
    ]
    assert found.schema.field("word").type == pa.string()


def test_rows_returns_whole_rows(warehouse: Warehouse) -> None:
    found = warehouse.rows("paragraphs", "article_id", ids([Piece(0, 1, 0).article_id]))
    assert found.schema.equals(CONTRACTS["paragraphs"].schema)
    assert found["seq"].to_pylist() == [0, 1, 2]
    assert found["text"].to_pylist() == Piece(0, 1, 1).paragraphs()


def test_questions_about_all_articles_are_asked_in_all_cores(tmp_path: Path) -> None:
    threads = "SELECT current_setting('threads') AS n"
    with open_warehouse(tmp_path / "warehouse") as warehouse:
        default = warehouse.select(threads)["n"].to_pylist()
    with open_warehouse(tmp_path / "warehouse", n_query_threads=1) as warehouse:
        assert warehouse.select(threads)["n"].to_pylist() == [1]
        warehouse.ask_in_all_cores()
        assert warehouse.select(threads)["n"].to_pylist() == default
