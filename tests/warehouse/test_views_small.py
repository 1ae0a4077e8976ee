"""Every view on an empty and on a small warehouse, with the columns that analysts rely on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import duckdb
import pytest

from pipeline.contracts import CONTRACTS
from pipeline.store.model import RUN_COUNTS
from pipeline.store.snapshot import connect_published
from pipeline.store.views import load_views
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.workload import Piece

VIEWS = (
    "articles",
    "articles_all",
    "decisions",
    "edges",
    "furniture",
    "paragraphs",
    "parameters",
    "quarantine",
    "revisions",
    "runs",
    "shared_paragraphs",
    "shared_spans",
    "sources",
    "stories",
    "story_members",
)

ARTICLES = (
    *("article_id", "native_id", "url", "source_id", "publisher", "title", "byline", "rights"),
    *("dateline", "source_agency", "published_at", "published_precision", "language", "section"),
    *("text", "n_chars", "n_paragraphs", "n_dropped_paragraphs", "story_id", "n_members"),
    *("n_sources", "first_seen_at"),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    root = tmp_path_factory.mktemp("small")
    with open_warehouse(root) as warehouse:
        for batch in range(2):
            workload.ingest(warehouse, batch)
    connection = connect_published(root)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def none(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    root = tmp_path_factory.mktemp("none")
    with open_warehouse(root):
        pass
    connection = connect_published(root)
    yield connection
    connection.close()


def columns(connection: duckdb.DuckDBPyConnection, view: str) -> list[str]:
    return connection.sql(f"SELECT * FROM {view}").columns


def count(connection: duckdb.DuckDBPyConnection, view: str) -> int:
    return int(connection.sql(f"SELECT count(*) FROM {view}").fetchall()[0][0])


def test_views_are_the_files(none: duckdb.DuckDBPyConnection) -> None:
    assert tuple(view.name for view in load_views()) == VIEWS
    found = none.sql("SELECT view_name FROM duckdb_views() WHERE database_name = 'news'").fetchall()
    base = {"_article_places", *(f"_{name}" for name in CONTRACTS)}
    assert {row[0] for row in found} == {*VIEWS, *base}


@pytest.mark.parametrize("view", VIEWS)
def test_answers_when_empty_with_the_same_columns(
    none: duckdb.DuckDBPyConnection, small: duckdb.DuckDBPyConnection, view: str
) -> None:
    assert none.sql(f"SELECT * FROM {view}").fetchall() == []
    empty, full = none.sql(f"SELECT * FROM {view}"), small.sql(f"SELECT * FROM {view}")
    assert empty.columns == full.columns
    assert empty.types == full.types


def test_snapshot_is_named(
    none: duckdb.DuckDBPyConnection, small: duckdb.DuckDBPyConnection
) -> None:
    assert none.sql("SELECT id FROM _snapshot").fetchall() == [(0,)]
    assert small.sql("SELECT id FROM _snapshot").fetchall() == [(2,)]


def test_every_view_and_column_is_documented(small: duckdb.DuckDBPyConnection) -> None:
    undocumented = small.sql(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'news'"
        " AND table_name NOT LIKE '\\_%' ESCAPE '\\' AND coalesce(comment, '') = ''"
    ).fetchall()
    assert undocumented == []
    described = small.sql("SELECT view_name FROM duckdb_views() WHERE comment <> ''").fetchall()
    assert {row[0] for row in described} == set(VIEWS)


def test_view_files_document_no_column_that_is_not_there(
    small: duckdb.DuckDBPyConnection,
) -> None:
    for view in load_views():
        assert set(view.documented) <= set(columns(small, view.name)), view.name


def test_articles_are_the_clean_records(small: duckdb.DuckDBPyConnection) -> None:
    assert tuple(columns(small, "articles")) == ARTICLES
    rows = small.sql("SELECT * FROM articles").to_arrow_table().to_pylist()
    ids = {UUID(str(row["article_id"])).bytes for row in rows}
    # Batch 1 joins the long story of batch 0; of each pair the first stands for both.
    expected = [Piece(0, 0, 0), *(Piece(b, n, 0) for b in (0, 1) for n in (1, 2, 4))]
    assert ids == {piece.article_id for piece in expected}
    by_id = {UUID(str(row["article_id"])).bytes: row for row in rows}
    pair, single = by_id[Piece(0, 2, 0).article_id], by_id[Piece(0, 1, 0).article_id]
    assert (pair["n_members"], pair["n_sources"]) == (2, 2)
    assert single["n_members"] == 1
    assert single["title"] == "Title 0-1-1", "the current revision"
    kept = Piece(0, 1, 1).paragraphs()[:-1]
    assert single["text"] == "\n\n".join(kept)
    assert single["n_dropped_paragraphs"] == 1


def test_articles_all_holds_every_article_once(small: duckdb.DuckDBPyConnection) -> None:
    assert tuple(columns(small, "articles_all")[: len(ARTICLES)]) == ARTICLES
    beyond = set(columns(small, "articles_all")) - set(ARTICLES)
    assert {"role", "canonical_id", "original_text", "extra", "document_id"} <= beyond
    assert {"updated_at", "revision_id"} <= beyond
    assert count(small, "articles_all") == 12
    assert count(small, "(SELECT DISTINCT article_id FROM articles_all)") == 12
    roles = small.sql("SELECT role, count(*) FROM articles_all GROUP BY role").fetchall()
    assert dict(roles) == {"canonical": 5, "duplicate": 5, "single": 2}
    assert count(small, "(FROM articles_all WHERE story_id IS NULL)") == 0


def test_stories_and_members_agree(small: duckdb.DuckDBPyConnection) -> None:
    assert count(small, "stories") == count(small, "articles") == 7
    broken = small.sql(
        "SELECT story_id FROM stories JOIN story_members USING (story_id)"
        " GROUP BY story_id, n_members HAVING count(*) <> n_members"
    ).fetchall()
    assert broken == []
    assert "component_id" not in columns(small, "story_members")


def test_dropped_paragraphs_have_their_decision(small: duckdb.DuckDBPyConnection) -> None:
    statuses = small.sql("SELECT status, reason, count(*) FROM paragraphs GROUP BY ALL").fetchall()
    assert sorted(statuses, key=repr) == [
        ("dropped", "furniture_rights", 12),
        ("kept", None, 24),
    ]
    unexplained = small.sql(
        "SELECT * FROM paragraphs p JOIN articles_all a USING (article_id) ANTI JOIN decisions d"
        " ON d.revision_id = a.revision_id AND d.paragraph_seq = p.seq WHERE status = 'dropped'"
    ).fetchall()
    assert unexplained == []


def test_revisions_keep_what_was(small: duckdb.DuckDBPyConnection) -> None:
    assert count(small, "revisions") == 13
    assert count(small, "(FROM revisions WHERE is_current)") == 12


def test_sources_add_up(small: duckdb.DuckDBPyConnection) -> None:
    rows = small.sql(
        "SELECT source_id, n_articles, n_kept, n_duplicates, n_quarantined FROM sources ORDER BY 1"
    ).fetchall()
    assert rows == [
        ("source-0", 4, 1, 3, 0),
        ("source-1", 4, 4, 0, 0),
        ("source-2", 4, 2, 2, 0),
    ]
    runs = small.sql("SELECT run_id FROM runs").fetchall()
    last = small.sql("SELECT DISTINCT last_run_id FROM sources").fetchall()
    assert {row[0] for row in last} <= {row[0] for row in runs}


def test_runs_show_counts_as_columns(small: duckdb.DuckDBPyConnection) -> None:
    assert set(RUN_COUNTS) <= set(columns(small, "runs"))
    rows = small.sql("SELECT status, n_read, n_documents FROM runs ORDER BY n_documents").fetchall()
    assert rows == [("completed", 6, 6), ("completed", 6, 7)]


def test_raw_document_is_reachable_from_every_row(small: duckdb.DuckDBPyConnection) -> None:
    joined = small.sql(
        "SELECT count(content) FROM articles_all JOIN _documents USING (document_id)"
    ).fetchall()
    assert joined == [(12,)]


def test_ids_are_uuids(small: duckdb.DuckDBPyConnection) -> None:
    for view, column in (("articles", "article_id"), ("edges", "left_id"), ("stories", "story_id")):
        assert str(small.sql(f"SELECT {column} FROM {view}").types[0]) == "UUID"


def test_filter_on_time_skips_files(tmp_path: Path) -> None:
    """A filter reaches the Parquet files through the views."""
    with open_warehouse(tmp_path) as warehouse:
        for batch in range(2):
            workload.ingest(warehouse, batch)
    connection = connect_published(tmp_path)
    plan = connection.sql(
        "EXPLAIN SELECT count(*) FROM articles WHERE published_at >= '2026-10-01 10:00:00'"
    ).fetchall()[0][1]
    connection.close()
    assert "READ_PARQUET" in plan.upper().replace(" ", "_")
    assert "published_at>=" in plan.replace(" ", "")
