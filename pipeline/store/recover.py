"""What every opening does first, under the writer's lock: put right what a killed run left."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

import duckdb

from pipeline.errors import WarehouseError
from pipeline.store.catalog import Catalog
from pipeline.store.commit import purge
from pipeline.store.durable import unlink_durably
from pipeline.store.layout import Layout
from pipeline.store.model import Step
from pipeline.store.publish import (
    drop_old_snapshots,
    is_published,
    present_edition,
    publish,
    published_snapshot_id,
)


def refuse_lost_catalog(layout: Layout) -> None:
    """Refuse to begin a new catalogue beside files of an old one: they would all be deleted.

    Raises:
        WarehouseError: the catalogue is missing and the warehouse is not empty.
    """
    if layout.catalog.exists():
        return
    if layout.listing.exists() or any(layout.tables.rglob("*.parquet")):
        raise WarehouseError(
            f"the catalogue {layout.catalog} is missing, but the warehouse holds Parquet files",
            next_step="restore catalog.sqlite from a backup, or choose another folder for a new"
            " warehouse; nothing was touched",
        )


def refuse_older_catalog(layout: Layout, catalog: Catalog) -> None:
    """Refuse a catalogue older than what is published: files it does not know would be deleted.

    Raises:
        WarehouseError: an old backup of the catalogue was put back.
    """
    published, head = published_snapshot_id(layout), catalog.head().id
    if published is not None and published > head:
        raise WarehouseError(
            f"the catalogue {layout.catalog} is at snapshot {head}, but {published} is published:"
            " it was replaced by an older one",
            next_step="restore the newer catalog.sqlite; to go on from the old one and lose what"
            f" came after it, delete {layout.public} first",
        )


def recover(
    layout: Layout,
    catalog: Catalog,
    connection: duckdb.DuckDBPyConnection,
    now: datetime,
    retention_days: float,
    step: Step,
) -> None:
    """Put the warehouse right; repeating it, or dying in it, does no harm."""
    refuse_older_catalog(layout, catalog)
    _empty_staging(layout)
    _crash_leftover_runs(catalog, now)
    unlink_durably(layout.root / path for path in unknown_files(layout, catalog))
    with catalog.transaction():
        catalog.queue_superseded(now - timedelta(days=retention_days))
    if not is_published(layout, connection, catalog):
        publish(layout, connection, present_edition(catalog), step)
    drop_old_snapshots(layout, catalog, now, retention_days)
    purge(layout, catalog, step)


def unknown_files(layout: Layout, catalog: Catalog) -> list[str]:
    """Return the files in the tables' folders that the catalogue does not name.

    A landed file of raw documents is named from its own commit on.
    """
    known = catalog.known_paths()
    found = (
        path.relative_to(layout.root).as_posix()
        for path in layout.tables.rglob("*")
        if not path.is_dir()
    )
    return sorted(path for path in found if path not in known)


def _empty_staging(layout: Layout) -> None:
    for path in layout.staging.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _crash_leftover_runs(catalog: Catalog, now: datetime) -> None:
    with catalog.transaction():
        if catalog.crash_running(now):
            catalog.raise_edition()
