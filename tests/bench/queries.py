"""How long analysts wait: every query of warehouse/queries/ and five everyday ones, on a warehouse.

Each is asked of the published database in one session, first once (files are opened then) and then
as often as wanted; the median counts.

    python -m tests.bench.queries WAREHOUSE [--runs 5] [--only-everyday]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipeline.report.tour import examples
from pipeline.store.compact import compact
from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse

LEAST_RUNS = 5
MOST_MS = 20_000.0
"""A query that has taken so long in all is not asked again, once it has been asked twice."""
LIMITS_MS: Mapping[str, float] = {
    "one article by id": 20,
    "articles of one day": 60,
    "members of a story": 40,
    "top stories of a week": 100,
}
"""What the everyday questions may take on a million articles, milliseconds."""
BY_CONDITION = "the same with WHERE article_id ="
"""The first of them, asked of `articles_all`, whose files DuckDB then opens all."""


def measure(
    warehouse: Path, *, runs: int = LEAST_RUNS, only_everyday: bool = False
) -> dict[str, tuple[float, float]]:
    """Return (first, median of the runs after it) of each query by name, in milliseconds."""
    connection = connect_published(warehouse)
    try:
        queries = everyday(connection)
        if not only_everyday:
            queries |= {example.name: example.query for example in examples()}
        return {name: _timed(connection, sql, runs) for name, sql in queries.items()}
    finally:
        connection.close()


def compacted(warehouse: Path) -> Path:
    """Return a compacted copy of a warehouse, made where missing; unchanged files are links."""
    copy = warehouse.with_name(f"{warehouse.name}-compacted")
    if not copy.exists():
        unfinished = copy.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(warehouse, unfinished, copy_function=_linked)
        compact(unfinished)
        unfinished.rename(copy)
        with open_warehouse(copy):
            pass  # publishes for its new place
    return copy


def _linked(source: str, copy: str) -> str:
    """Link what is never written again, copy the rest."""
    if Path(source).suffix in (".parquet", ".arrow"):
        os.link(source, copy)
        return copy
    return shutil.copy2(source, copy)


def everyday(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the questions of LIMITS_MS, and BY_CONDITION, about a story in the middle."""
    article_id, story_id, published_at = _example(connection)
    day = published_at.replace(hour=0, minute=0, second=0, microsecond=0)
    week = day - timedelta(days=6)
    after = day + timedelta(days=1)
    texts = (
        f"SELECT * FROM article('{article_id}')",
        "SELECT article_id, source_id, published_at, title, n_members FROM articles"
        f" WHERE published_at >= TIMESTAMP '{day}' AND published_at < TIMESTAMP '{after}'",
        "SELECT article_id, source_id, published_at, title, role, relation, jaccard"
        f" FROM articles_all WHERE story_id = '{story_id}'::UUID",
        "SELECT story_id, title, source_id, n_members, n_sources FROM articles"
        f" WHERE published_at >= TIMESTAMP '{week}' AND published_at < TIMESTAMP '{after}'"
        " ORDER BY n_sources DESC, n_members DESC, story_id LIMIT 10",
    )
    by_condition = f"SELECT * FROM articles_all WHERE article_id = '{article_id}'::UUID"
    return {**dict(zip(LIMITS_MS, texts, strict=True)), BY_CONDITION: by_condition}


def _example(connection: duckdb.DuckDBPyConnection) -> tuple[str, str, datetime]:
    row = connection.execute(
        "SELECT canonical_id::VARCHAR, story_id::VARCHAR, first_published_at FROM stories"
        " WHERE n_members > 1 AND first_published_at IS NOT NULL"
        " ORDER BY abs(epoch(first_published_at) - (SELECT median(epoch(first_published_at))"
        " FROM stories)), story_id LIMIT 1"
    ).fetchone()
    if row is None:
        raise SystemExit("no story of several dated articles in this warehouse")
    return row


def _timed(connection: duckdb.DuckDBPyConnection, sql: str, runs: int) -> tuple[float, float]:
    taken: list[float] = []
    while len(taken) < 2 or (len(taken) <= runs and sum(taken) < MOST_MS):
        began = time.perf_counter()
        connection.execute(sql).fetchall()
        taken.append((time.perf_counter() - began) * 1e3)
    return taken[0], statistics.median(taken[1:])


def main() -> None:
    """Print a table of the times; exit with 1 when an everyday question is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--runs", type=int, default=LEAST_RUNS)
    parser.add_argument("--only-everyday", action="store_true")
    arguments = parser.parse_args()
    runs = max(LEAST_RUNS, arguments.runs)
    found = measure(arguments.warehouse, runs=runs, only_everyday=arguments.only_everyday)
    lines = [f"| {'query':42s} | first ms | median ms | limit ms |", f"|{'-' * 44}|---:|---:|---:|"]
    for name, (first, median) in found.items():
        limit = f"{LIMITS_MS[name]:.0f}" if name in LIMITS_MS else ""
        lines.append(f"| {name:42s} | {first:8.1f} | {median:9.1f} | {limit:>8s} |")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(any(found[name][1] > limit for name, limit in LIMITS_MS.items()))


if __name__ == "__main__":
    main()
