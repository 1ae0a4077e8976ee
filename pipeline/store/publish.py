"""Publishing: a small DuckDB file of views over the live files, renamed over the one before.

`os.replace` is stopped by no lock, and a session that is open keeps the file it opened: readers
and the writer never wait for each other.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.contracts import CONTRACTS
from pipeline.store.catalog import Catalog
from pipeline.store.duck import create_base_views, open_memory, places_query, quoted
from pipeline.store.durable import sync, sync_all, unlink_durably
from pipeline.store.layout import PUBLISH_PREFIX, Layout
from pipeline.store.model import RUN_COUNTS, RunRow, Snapshot, Step, StoredFile, as_json
from pipeline.store.places import cover, drop_unneeded, is_covered, put_in_place
from pipeline.store.template import kept_template
from pipeline.store.views import article_macro, load_views

# The format of DuckDB 1.0 opens in every client from 1.1.3 to 2.0.0; 2.0's own opens in none of
# the older ones. Blocks of 16 KB make a file of 30 KB instead of 270 KB.
_STORAGE = "STORAGE_VERSION 'v1.0.0', BLOCK_SIZE 16384"

_READ_ONLY = 0o444


@dataclass(frozen=True)
class Edition:
    """Everything that analysts see: head, files, runs, parameters, and a number for this state."""

    number: int
    head: Snapshot
    live: Mapping[str, Sequence[StoredFile]]
    runs: Sequence[RunRow]
    parameters: Mapping[str, Any]


def present_edition(catalog: Catalog) -> Edition:
    """Return what the catalogue says now."""
    return Edition(
        number=catalog.edition(),
        head=catalog.head(),
        live=catalog.live_files(),
        runs=catalog.runs(),
        parameters=catalog.parameters(),
    )


def publish(
    layout: Layout, connection: duckdb.DuckDBPyConnection, edition: Edition, step: Step
) -> None:
    """Replace what analysts open with `edition`; killed anywhere, the next opening repeats it."""
    with tempfile.TemporaryDirectory(prefix=PUBLISH_PREFIX, dir=layout.staging) as folder:
        staged = Path(folder) / "news.duckdb"
        template = kept_template(layout.cache.parent, _template, Path(__file__))
        staged.write_bytes(template)
        articles = [stored.path for stored in edition.live.get("articles", ())]
        places = cover(layout, articles, edition.head.id, Path(folder))
        folders = put_in_place(layout, places.staged)
        _build(connection, staged, layout.root, edition, places.paths)
        texts = {layout.opening: _opening(layout), layout.listing: _listing(layout, edition)}
        written = [_written(Path(folder), final, text) for final, text in texts.items()]
        staged.chmod(_READ_ONLY)
        sync_all([staged, *folders, *(path for path, _ in written)])
        step("publish:built")
        _keep(staged, layout.snapshot_database(edition.head.id))
        step("publish:kept")
        # A session that opened the old file for writing and died left its log: DuckDB would
        # replay it into the new file.
        _wal(layout).unlink(missing_ok=True)
        staged.replace(layout.database)
        step("publish:replaced")
        for path, final in written:
            path.replace(final)
        step("publish:listed")
        sync_all([layout.snapshots, layout.public])
    step("publish:done")


def _written(folder: Path, final: Path, text: str) -> tuple[Path, Path]:
    """Return where the text of a published file is staged, not yet synced, and where it goes."""
    path = folder / final.name
    path.write_text(text, encoding="utf-8")
    path.chmod(_READ_ONLY)
    return path, final


def is_published(layout: Layout, connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> bool:
    """Return whether analysts see the catalogue's state, from where the warehouse lies now."""
    head, number = catalog.head(), catalog.edition()
    expected = {"snapshot": head.id, "edition": number, "root": str(layout.root)}
    if _wal(layout).exists():
        return False
    try:
        listing = json.loads(layout.listing.read_text(encoding="utf-8"))
        with _attached(connection, layout.database, "(READ_ONLY)") as cursor:
            found = cursor.execute("SELECT id, edition, root FROM _snapshot").fetchall()
    except (OSError, ValueError, duckdb.Error):
        return False
    is_listed = all(listing.get(name) == value for name, value in expected.items())
    is_complete = layout.opening.is_file() and layout.snapshot_database(head.id).is_file()
    articles = [stored.path for stored in catalog.live_files().get("articles", ())]
    is_complete = is_complete and is_covered(layout, articles)
    return is_listed and is_complete and found == [tuple(expected.values())]


def published_elsewhere(layout: Layout) -> str | None:
    """Return the root that the published listing names where it is not where it lies now."""
    try:
        root = str(json.loads(layout.listing.read_text(encoding="utf-8"))["root"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return root if root != str(layout.root) else None


def published_snapshot_id(layout: Layout) -> int | None:
    """Return the id of the published snapshot; None when nothing readable is published."""
    try:
        return int(json.loads(layout.listing.read_text(encoding="utf-8"))["snapshot"])
    except (OSError, ValueError, KeyError):
        return None


def drop_old_snapshots(
    layout: Layout, catalog: Catalog, now: datetime, retention_days: float
) -> None:
    """Delete kept databases whose files are about to be purged."""
    expired = catalog.snapshots_replaced_before(now - timedelta(days=retention_days))
    unlink_durably({layout.snapshot_database(n) for n in expired} & set(layout.snapshots.iterdir()))
    drop_unneeded(layout)


def _wal(layout: Layout) -> Path:
    return layout.database.with_name(layout.database.name + ".wal")


def _build(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    root: Path,
    edition: Edition,
    places: Sequence[str],
) -> None:
    """Fill the template at `staged`."""
    with _attached(connection, staged, "") as cursor:
        cursor.execute("BEGIN")
        # Over no files they stand in the template.
        create_base_views(
            cursor, edition.live, root, prefix="_", is_movable=True, names=sorted(edition.live)
        )
        _create_places(cursor, places, root)
        _fill_snapshot(cursor, root, edition)
        _fill_runs(cursor, edition.runs)
        for name, value in edition.parameters.items():
            cursor.execute("INSERT INTO _parameters VALUES (?, ?)", [name, as_json(value)])
        cursor.execute("COMMIT")


@cache
def _template() -> bytes:
    """Return a database of all views over no files, commented.

    A comment binds its view, which opens files: 135 of them over files cost 60 ms a publish. Views
    name the base views, so that these can be replaced under them.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "news.duckdb"
        connection = open_memory()
        try:
            with _attached(connection, path, f"({_STORAGE})") as cursor:
                cursor.execute("BEGIN")
                create_base_views(cursor, {}, Path(), prefix="_", is_movable=True)
                _create_places(cursor, (), Path())
                _create_tables(cursor)
                for view in load_views():
                    cursor.execute(f"CREATE VIEW {view.name} AS {view.query}")
                cursor.execute(article_macro())
                _comment(cursor)
                cursor.execute("COMMIT")
        finally:
            connection.close()
        return path.read_bytes()


@contextmanager
def _attached(
    connection: duckdb.DuckDBPyConnection, path: Path, options: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Use the database at `path` as `news`; it is complete on disk, without a log, at the end."""
    cursor = connection.cursor()
    try:
        _detach(cursor)  # what a full disk kept from being detached
        cursor.execute(f"ATTACH {quoted(str(path))} AS news {options}")
        cursor.execute("USE news")
        yield cursor
        _detach(cursor)
    except BaseException:
        # The first error is the one to tell.
        with suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
        with suppress(duckdb.Error):
            _detach(cursor)
        raise
    finally:
        cursor.close()


def _detach(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute("USE memory")
    cursor.execute("DETACH DATABASE IF EXISTS news")


def _create_places(cursor: duckdb.DuckDBPyConnection, places: Sequence[str], root: Path) -> None:
    cursor.execute(f"CREATE OR REPLACE VIEW _article_places AS {places_query(places, root)}")


def _create_tables(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        "CREATE TABLE _snapshot (id BIGINT, published_at TIMESTAMP, edition BIGINT, root VARCHAR)"
    )
    cursor.execute("CREATE TABLE _parameters (name VARCHAR, value VARCHAR)")
    counts = ", ".join(f"{name} BIGINT" for name in RUN_COUNTS)
    cursor.execute(
        "CREATE TABLE _runs (run_id VARCHAR, flow VARCHAR, sources VARCHAR[], status VARCHAR,"
        f" started_at TIMESTAMP, ended_at TIMESTAMP, {counts}, counts VARCHAR,"
        " recorded_url VARCHAR)"
    )


def _fill_snapshot(cursor: duckdb.DuckDBPyConnection, root: Path, edition: Edition) -> None:
    cursor.execute(
        "INSERT INTO _snapshot VALUES (?, ?, ?, ?)",
        [edition.head.id, edition.head.published_at, edition.number, str(root)],
    )


def _fill_runs(cursor: duckdb.DuckDBPyConnection, runs: Sequence[RunRow]) -> None:
    if not runs:
        return
    ledger = {
        "run_id": [run.run_id for run in runs],
        "flow": [run.flow for run in runs],
        "sources": pa.array([list(run.sources) for run in runs], pa.list_(pa.string())),
        "status": [run.status for run in runs],
        "started_at": pa.array([run.started_at for run in runs], pa.timestamp("us")),
        "ended_at": pa.array([run.ended_at for run in runs], pa.timestamp("us")),
        **{
            name: pa.array([run.counts.get(name) for run in runs], pa.int64())
            for name in RUN_COUNTS
        },
        "counts": [json.dumps(run.counts, sort_keys=True) for run in runs],
        "recorded_url": pa.array([run.recorded_url for run in runs], pa.string()),
    }
    cursor.register("ledger", pa.table(ledger))
    cursor.execute("INSERT INTO _runs BY NAME SELECT * FROM ledger")
    cursor.unregister("ledger")


def _comment(cursor: duckdb.DuckDBPyConnection) -> None:
    for view in load_views():
        cursor.execute(f"COMMENT ON VIEW {view.name} IS {quoted(view.description)}")
        for (column,) in cursor.execute(
            "SELECT column_name FROM duckdb_columns()"
            " WHERE database_name = 'news' AND table_name = ?",
            [view.name],
        ).fetchall():
            doc = quoted(view.doc(column))
            cursor.execute(f"COMMENT ON COLUMN {view.name}.{column} IS {doc}")


def _keep(staged: Path, kept: Path) -> None:
    linked = staged.with_name("kept.duckdb")
    try:
        os.link(staged, linked)
    except OSError:
        # Not every file system links; a copy serves as well.
        shutil.copyfile(staged, linked)
        linked.chmod(_READ_ONLY)
        sync(linked)
    linked.replace(kept)


def _opening(layout: Layout) -> str:
    return (
        "-- Opens the published news warehouse: duckdb -init news.sql\n"
        f"ATTACH {quoted(str(layout.database))} AS news (READ_ONLY);\nUSE news;\n"
    )


def _listing(layout: Layout, edition: Edition) -> str:
    tables = {name: [f.path for f in edition.live.get(name, ())] for name in CONTRACTS}
    listing = {
        "snapshot": edition.head.id,
        "published_at": edition.head.published_at.isoformat(),
        "edition": edition.number,
        "root": str(layout.root),
        "tables": tables,
    }
    return json.dumps(listing, ensure_ascii=False, indent=1) + "\n"
