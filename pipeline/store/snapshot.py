"""The published snapshot, for readers: no lock, no catalogue, nothing but the public folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from pipeline.errors import WarehouseError
from pipeline.store.duck import open_memory, quoted
from pipeline.store.layout import Layout


@dataclass(frozen=True)
class PublishedSnapshot:
    """What `current.json` lists: paths below `root`, by table; every table has an entry."""

    id: int
    published_at: datetime
    root: Path
    tables: Mapping[str, tuple[str, ...]]


def read_snapshot(root: Path) -> PublishedSnapshot:
    """Return the published snapshot of the warehouse at `root`, wherever it was moved to.

    Raises:
        WarehouseError: nothing is published there, or its list cannot be read.
    """
    layout = Layout.at(root)
    try:
        listing = json.loads(layout.listing.read_text(encoding="utf-8"))
        return PublishedSnapshot(
            id=listing["snapshot"],
            published_at=datetime.fromisoformat(listing["published_at"]),
            root=layout.root,
            tables={name: tuple(paths) for name, paths in listing["tables"].items()},
        )
    except FileNotFoundError as error:
        raise WarehouseError(
            f"no warehouse at {layout.root}", next_step="run `unecho ingest` first"
        ) from error
    except (OSError, ValueError, KeyError) as error:
        raise WarehouseError(
            f"{layout.listing} cannot be read: {error}",
            next_step="run any ingest: opening the warehouse publishes again",
        ) from error


def connect_published(root: Path) -> duckdb.DuckDBPyConnection:
    """Return DuckDB with the published views, read-only and pinned to the present snapshot.

    The database is attached to a memory of its own: a second `duckdb.connect(path)` in one process
    would return the snapshot that the first one opened.

    Raises:
        WarehouseError: nothing is published at `root`.
    """
    layout = Layout.at(root)
    if not layout.database.is_file():
        raise WarehouseError(
            f"no warehouse at {layout.root}", next_step="run `unecho ingest` first"
        )
    connection = open_memory()
    try:
        connection.execute(f"ATTACH {quoted(str(layout.database))} AS news (READ_ONLY)")
        connection.execute("USE news")
        connection.execute(f"SET VARIABLE news_root = {quoted(str(layout.root))}")
    except duckdb.Error as error:
        connection.close()
        raise WarehouseError(
            f"{layout.database} cannot be opened: {str(error).splitlines()[0]}",
            next_step="run any ingest: opening the warehouse publishes again",
        ) from error
    return connection
