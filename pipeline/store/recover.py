"""What every opening does first, under the writer's lock: put right what a killed run left."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

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
    """Refuse to begin a new catalogue beside files of an old one, or among files of others.

    Raises:
        WarehouseError: the catalogue is missing, and a folder of ours holds anything.
    """
    if layout.catalog.exists():
        return
    found = layout.foreign_before_creation()
    # Asked again: another process may have created the warehouse meanwhile.
    if found is None or layout.catalog.exists():
        return
    if layout.listing.exists() or any(is_ours for _, is_ours in layout.files_of_tables()):
        raise WarehouseError(
            f"the catalogue {layout.catalog} is missing, but the warehouse holds Parquet files",
            next_step="restore catalog.sqlite from a backup, or choose another folder for a new"
            " warehouse; nothing was touched",
        )
    raise WarehouseError(
        f"{layout.root} is no warehouse, and {found} is in the way of making one there",
        next_step="name another folder with --warehouse; nothing was touched",
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
    """Return the files in the tables' folders that are named as ours and not in the catalogue.

    A landed file of raw documents is named from its own commit on.
    """
    known = catalog.known_paths()
    return sorted({path for path, is_ours in layout.files_of_tables() if is_ours} - known)


def foreign_files(layout: Layout, catalog: Catalog) -> list[str]:
    """Return what lies in the tables' folders and in staging and is not ours: it is let alone."""
    known = catalog.known_paths()
    found = {path for path, is_ours in layout.files_of_tables() if not is_ours} - known
    staged = layout.staging.iterdir() if layout.staging.is_dir() else ()
    strange = (path for path in staged if not layout.names_staged(path))
    return sorted(found | {path.relative_to(layout.root).as_posix() for path in strange})


def staged_leftovers(layout: Layout) -> list[Path]:
    """Return the folders in staging that a writer of ours made."""
    if not layout.staging.is_dir():
        return []
    return sorted(path for path in layout.staging.iterdir() if layout.names_staged(path))


def _empty_staging(layout: Layout) -> None:
    for folder in staged_leftovers(layout):
        shutil.rmtree(folder)


def _crash_leftover_runs(catalog: Catalog, now: datetime) -> None:
    with catalog.transaction():
        if catalog.crash_running(now):
            catalog.raise_edition()
