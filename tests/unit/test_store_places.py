"""One article by its id: the published macro, and the files that say where an article is."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.store import places
from pipeline.store.compact import compact
from pipeline.store.layout import Layout
from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import copy_to, undisturbed_state
from tests.crash.workload import NOW


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three batches: revisions of old articles, stories that grow."""
    root = tmp_path_factory.mktemp("built") / "warehouse"
    undisturbed_state(root, 3)
    return root


@pytest.fixture
def root(tmp_path: Path, built: Path) -> Path:
    return copy_to(built, tmp_path / "warehouse")


def answers(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many articles there are, after asking for each in both ways."""
    every: list[tuple[Any, ...]] = connection.sql("SELECT * FROM articles_all").fetchall()
    for row in every:
        assert connection.execute("FROM article(?)", [row[0]]).fetchall() == [row]
        assert connection.sql(f"FROM article('{row[0]}')").fetchall() == [row]
    absent = "00000000-0000-0000-0000-000000000000"
    assert connection.sql(f"FROM article('{absent}')").fetchall() == []
    return len(every)


def n_answers(root: Path) -> int:
    connection = connect_published(root)
    try:
        return answers(connection)
    finally:
        connection.close()


def n_opened_files(root: Path, query: str) -> int:
    """Return how many files of articles a query opened, as its plan says afterwards."""
    connection = connect_published(root)
    try:
        plan = connection.sql(f"EXPLAIN (ANALYZE, FORMAT json) {query}").fetchall()[0][1]
    finally:
        connection.close()
    scans: list[dict[str, Any]] = []
    json.loads(plan, object_hook=lambda each: scans.append(each) or each)
    [of_articles] = [each for each in scans if "is_current" in str(each.get("Filters"))]
    return int(of_articles["Total Files Read"])


def place_files(root: Path) -> set[str]:
    return {path.name for path in Layout.at(root).places.iterdir()}


def test_article_is_what_articles_all_holds(root: Path) -> None:
    assert n_answers(root) == 18


def test_one_article_opens_one_file(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        for batch in range(3):
            workload.ingest(warehouse, batch, 200)
    connection = connect_published(tmp_path)
    every = connection.sql(
        "SELECT article_id, count(*) FROM articles_all JOIN _article_places USING (article_id)"
        " GROUP BY ALL ORDER BY ALL LIMIT 9"
    ).fetchall()
    connection.close()
    assert {n_places for _, n_places in every} == {1, 2}  # files that were rewritten count too
    for article_id, n_places in every:
        for columns in ("*", "title"):
            query = f"SELECT {columns} FROM article('{article_id}')"
            assert n_opened_files(tmp_path, query) <= n_places
    everywhere = f"SELECT * FROM articles_all WHERE article_id = '{every[0][0]}'"
    assert n_opened_files(tmp_path, everywhere) == 3


def test_revised_moved_and_compacted(root: Path, tmp_path: Path) -> None:
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, 3)
    assert n_answers(root) == 24
    compact(root)
    assert n_answers(root) == 24
    moved = tmp_path / "elsewhere [1] it's * a=b 뉴스"
    root.rename(moved)
    assert n_answers(moved) == 24
    with open_warehouse(moved) as warehouse:
        workload.ingest(warehouse, 4)
    with duckdb.connect(str(moved / "public" / "news.duckdb"), read_only=True) as connection:
        assert answers(connection) == 30
        connection.execute("SET VARIABLE news_root = ?", [f"{moved}/"])
        assert answers(connection) == 30


def test_older_sessions_go_on_while_files_are_merged(root: Path) -> None:
    pinned = connect_published(root)
    for batch in range(3, 12):
        with open_warehouse(root) as warehouse:
            workload.ingest(warehouse, batch)
    assert answers(pinned) == 18
    assert n_answers(root) == 72
    live = {place.path.name for place in places._unreplaced(Layout.at(root))}
    assert len(live) < places.MERGED
    assert live < place_files(root)
    pinned.close()


def test_files_that_no_kept_snapshot_needs_are_deleted(root: Path) -> None:
    for batch in range(3, 12):
        with open_warehouse(root, retention_days=0) as warehouse:
            workload.ingest(warehouse, batch, now=NOW + timedelta(minutes=batch))
    assert n_answers(root) == 72
    live = {place.path.name for place in places._unreplaced(Layout.at(root))}
    # What the last publish but one looked at is deleted by the one after it.
    assert len(place_files(root) - live) <= places.MERGED
    assert len(place_files(root)) < 12


def test_deleted_files_are_written_again(root: Path) -> None:
    for path in Layout.at(root).places.iterdir():
        path.unlink()
    with open_warehouse(root):
        pass
    assert n_answers(root) == 18


@pytest.mark.parametrize("kept_bytes", [0, -40])
def test_damaged_files_are_not_relied_on(root: Path, kept_bytes: int) -> None:
    """One without a footer is written again; rows of a torn one are read from the articles."""
    for path in Layout.at(root).places.iterdir():
        path.chmod(0o644)
        whole = path.read_bytes()
        torn = whole[:kept_bytes] if kept_bytes >= 0 else b"\0" * 400 + whole[400:]
        path.write_bytes(torn)
        path.chmod(0o444)
    places._described.cache_clear()
    layout = Layout.at(root)
    live = [str(p.relative_to(root)) for p in root.glob("data/articles/*/*.parquet")]
    held = [place for place in places._unreplaced(layout) if place.covered & set(live)]
    assert bool(held) == (kept_bytes < 0)
    for place in held:
        read = places._read(root, place, set(live))
        assert set(read["file"].to_pylist()) == place.covered & set(live)
    if not held:
        with open_warehouse(root):
            pass
        assert n_answers(root) == 18
