"""The commit: staged files, synced, renamed, synced again, then one SQLite transaction.

Until the transaction commits nothing of a change is there; after it all of it is. Publishing and
deleting follow; a process that dies before them leaves both to the next opening.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import checked, in_order, sortable
from pipeline.contracts import CONTRACTS, DOCUMENTS
from pipeline.errors import ContractError
from pipeline.interim import KEYS
from pipeline.store.catalog import Catalog
from pipeline.store.durable import make_folder, sync_all, unlink_durably
from pipeline.store.gather import Gatherer
from pipeline.store.ids import INDEXED, Columns, keys_in
from pipeline.store.kept_rows import kept_groups
from pipeline.store.layout import BATCH_PREFIX, Layout
from pipeline.store.model import Change, Landing, Snapshot, Step, StoredFile, naive_utc
from pipeline.store.parquet import Stamp, month_of, new_path, places_in_file, write_file
from pipeline.store.rows import Found, Pack, level_above, merges, packs, rest_of
from pipeline.text.mixing import mix64

STEPS = (
    "land:staged",
    "land:synced",
    "land:moved",
    "land:placed",
    "land:recording",
    "land:committed",
    "commit:staged",
    "commit:synced",
    "commit:moved",
    "commit:placed",
    "commit:recording",
    "commit:committed",
    "publish:built",
    "publish:kept",
    "publish:replaced",
    "publish:listed",
    "publish:done",
    "purge:deleted",
    "purge:done",
    "cache:written",
)
"""Every step of the protocol in the order of a batch; a test may end the process at each."""

WRITERS = 3
"""Files that are written at once: two cores and one that waits. Each may hold 100 MB meanwhile."""

Rewritten: TypeAlias = tuple[StoredFile, pa.Array | None] | None
"""A file with what is left of others and, of signatures, its article ids; None when nothing is."""

Begun: TypeAlias = Mapping[str, Future[StoredFile]]
"""Added tables that are being written already."""


@dataclass
class Batch:
    """Files of one commit: where they are staged, what they will be, what they replace."""

    folder: Path
    month: str
    stamp: Stamp
    files: list[StoredFile] = field(default_factory=list)
    removed: list[StoredFile] = field(default_factory=list)
    rewritten: list[tuple[StoredFile, tuple[StoredFile, ...], pa.Array]] = field(
        default_factory=list
    )
    added_signatures: StoredFile | None = None
    ids: dict[str, Columns] = field(default_factory=dict)

    def path(self, name: str, place: tuple[str, str] | None = None) -> str:
        """Return where a new file of a table will live, see stage()."""
        month, level = place or (self.month, "l0")
        return new_path(name, month, level)

    def staged(self, stored: StoredFile) -> Path:
        """Return where a file lies before it is moved."""
        return self.folder / Path(stored.path).name

    def stage(
        self,
        table: pa.Table,
        name: str,
        place: tuple[str, str] | None = None,
        groups: Sequence[int] | None = None,
        path: str | None = None,
        places: pa.Array | None = None,
    ) -> StoredFile:
        """Stage rows of a table as a new file, not yet listed: several threads may call it.

        Args:
            table: rows as conform() returns them, in file order unless `places` are given.
            name: the table's name.
            place: month and level, by default today's and the first.
            groups: rows of each row group.
            path: where it will live, if path() was asked before.
            places: which row belongs in each place of the file.
        """
        path = path or self.path(name, place)
        staged = self.folder / Path(path).name
        stored = write_file(table, CONTRACTS[name], staged, path, self.stamp, groups, places)
        ids = table.select(INDEXED.get(name, ()))
        self.ids[path] = keys_in(ids if places is None else ids.take(places), name)
        return stored

    def stage_rows(self, table: pa.Table, name: str) -> StoredFile:
        """Stage rows of a table that stand in any order, as stage() does.

        Sorted here, not by who publishes: moving the texts takes as long as all else that it does.
        """
        contract = CONTRACTS[name]
        rows = checked(table, contract)
        return self.stage(rows, name, places=places_in_file(rows, contract))

    def rewrite(self, root: Path, pack: Pack, found: Found, level: str) -> Rewritten:
        """Stage what is left of a pack as one file of a level, as stage() does."""
        groups = kept_groups(root, pack[0], found) if len(pack) == 1 else None
        rest = groups.rows if groups else rest_of(root, pack, found)
        if not rest.num_rows:
            return None
        place, sizes = (pack[0].month, level), groups.sizes if groups else None
        stored = self.stage(rest, pack[0].table, place, sizes)
        is_signed = stored.table == "signatures"
        return stored, rest["article_id"].combine_chunks() if is_signed else None

    def replace(self, pack: Pack, rewritten: Rewritten) -> None:
        """List a pack as replaced by what rewrite() staged of it."""
        self.removed += pack
        if rewritten is not None:
            stored, ids = rewritten
            self.files.append(stored)
            if ids is not None:
                self.rewritten.append((stored, pack, ids))


def checked_change(change: Change) -> dict[str, pa.Table]:
    """Return the added rows by table, in any order; tables without rows are left out.

    Raises:
        ContractError: a table or key breaks its contract, or a row is added twice.
    """
    for name in [*change.added, *change.removed]:
        if name not in CONTRACTS or name == DOCUMENTS.name:
            raise ContractError(name, ["no table that a change may touch"])
    added = {}
    for name, table in sorted(change.added.items()):
        contract = CONTRACTS[name]
        rows = checked(table, contract)
        n_repeated = _n_repeated(rows.select(contract.key))
        if n_repeated:
            raise ContractError(name, [f"{n_repeated} keys stand twice"])
        if rows.num_rows:
            added[name] = rows
    signed = added.get("signatures")
    if change.keys is not None and signed is not None:
        own, wanted = (_ordered(t, ["article_id"]) for t in (checked(change.keys, KEYS), signed))
        if not own["article_id"].equals(wanted["article_id"]):
            raise ContractError("keys", ["not one row for each added signature"])
    return added


def _n_repeated(keys: pa.Table) -> int:
    """Return how many rows of a table repeat another one."""
    if _are_distinct(keys):
        return 0
    ordered = _ordered(keys, keys.column_names)
    columns = (column.combine_chunks() for column in ordered.columns)
    same = (pc.equal(column[1:], column[:-1]) for column in columns)
    return pc.sum(reduce(pc.and_, same)).as_py() or 0


def _are_distinct(keys: pa.Table) -> bool:
    """Return whether one number of 64 bits a row, equal for equal rows, tells all rows apart.

    It takes half as long as sorting the paragraphs of a batch by their keys.
    """
    columns = [sortable(column) for column in keys.columns]
    if not all(columns):
        return False
    mixed = np.zeros(keys.num_rows, np.uint64)
    for word in (word for column in columns for word in column):
        mixed = mix64(np.bitwise_xor(mixed, word.astype(np.uint64)))
    mixed.sort()
    return not np.any(mixed[1:] == mixed[:-1])


def _ordered(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    return in_order(table.select(columns), [(name, "ascending") for name in columns])


def stage_change(
    layout: Layout,
    gatherer: Gatherer,
    change: Change,
    added: Mapping[str, pa.Table],
    begun: Begun,
    batch: Batch,
) -> None:
    """Stage the added rows and what is left of the files that hold removed ones.

    Tables are written side by side: compressing them takes most of a commit, and other threads can
    run meanwhile. Those that are `begun` are being written already, see ahead.py.
    """
    with ThreadPoolExecutor(WRITERS) as pool, _awaited(begun):
        by_size = sorted(added.keys() - begun.keys(), key=lambda name: (-added[name].nbytes, name))
        writing = {name: pool.submit(batch.stage_rows, added[name], name) for name in by_size}
        writing |= begun
        rewriting = _rewriting(pool, layout, gatherer, change, batch)
        for name in added:
            stored = writing[name].result()
            batch.files.append(stored)
            if name == "signatures":
                batch.added_signatures = stored
        for pack, rewritten in rewriting:
            batch.replace(pack, rewritten.result())


@contextmanager
def _awaited(begun: Begun) -> Iterator[None]:
    """Wait for files that are being written, also where something else failed."""
    try:
        yield
    finally:
        wait(begun.values())


def _rewriting(
    pool: ThreadPoolExecutor, layout: Layout, gatherer: Gatherer, change: Change, batch: Batch
) -> list[tuple[Pack, Future[Rewritten]]]:
    """Begin to write what is left of the files that hold removed rows, and to merge small files."""
    begun = []
    for name in sorted({*change.added, *change.removed}):
        keys, files = change.removed.get(name), gatherer.files(name)
        found = {} if keys is None else gatherer.matching(name, keys)
        merged = merges(files)
        apart = [stored for stored in files if not any(stored in pack for pack in merged)]
        for pack in [*merged, *packs(apart, found)]:
            level = level_above(pack[0].level) if pack in merged else pack[0].level
            begun.append((pack, pool.submit(batch.rewrite, layout.root, pack, found, level)))
    return begun


def place(layout: Layout, batch: Batch, step: Step, name: str) -> None:
    """Bring staged files to their places so that a power cut cannot take them away."""
    step(f"{name}:staged")
    sync_all(batch.staged(stored) for stored in batch.files)
    step(f"{name}:synced")
    folders = {(layout.root / stored.path).parent for stored in batch.files}
    for folder in sorted(folders):
        make_folder(folder)
    for stored in batch.files:
        batch.staged(stored).rename(layout.root / stored.path)
    step(f"{name}:moved")
    sync_all(folders)
    step(f"{name}:placed")


def take_back(layout: Layout, catalog: Catalog, batch: Batch) -> None:
    """Delete the files of a batch that did not commit; those the catalogue names stay."""
    known = catalog.known_paths()
    for stored in batch.files:
        if stored.path not in known:
            (layout.root / stored.path).unlink(missing_ok=True)
    shutil.rmtree(batch.folder, ignore_errors=True)


def record_landing(catalog: Catalog, batch: Batch, now: datetime, step: Step) -> Landing:
    """Commit a landing: from here on the documents cannot be lost."""
    landing = Landing(batch.files[0], batch.stamp.run_id)
    with catalog.transaction():
        catalog.add_landing(landing, now)
        step("land:recording")
    step("land:committed")
    return landing


def record_change(
    catalog: Catalog,
    change: Change,
    batch: Batch,
    now: datetime,
    retention_days: float,
    step: Step,
) -> Snapshot:
    """Commit a change: this transaction is the one moment at which it comes to be."""
    snapshot = Snapshot(batch.stamp.snapshot, naive_utc(now))
    landings = [each for each in catalog.open_landings() if each.file.path in set(change.landings)]
    if len(landings) != len(set(change.landings)):
        raise ContractError("documents", ["a landing is not known or was worked off before"])
    landed = [landing.file for landing in landings]
    with catalog.transaction():
        catalog.add_snapshot(snapshot, batch.stamp.run_id, _summary(batch, landed))
        catalog.add_files([*landed, *batch.files], snapshot.id)
        catalog.remove_files((stored.path for stored in batch.removed), snapshot)
        catalog.finish_landings(change.landings)
        catalog.add_counts(batch.stamp.run_id, change.counts)
        if change.parameters is not None:
            catalog.set_parameters(change.parameters)
        catalog.queue_superseded(snapshot.published_at - timedelta(days=retention_days))
        catalog.raise_edition()
        step("commit:recording")
    step("commit:committed")
    return snapshot


def _summary(batch: Batch, landed: Sequence[StoredFile]) -> dict[str, int]:
    """Return the net number of rows that each table gained."""
    gained: dict[str, int] = {}
    for stored in [*landed, *batch.files]:
        gained[stored.table] = gained.get(stored.table, 0) + stored.n_rows
    for stored in batch.removed:
        gained[stored.table] = gained.get(stored.table, 0) - stored.n_rows
    return gained


def new_batch(layout: Layout, stamp: Stamp, now: datetime) -> Batch:
    """Return an empty batch with a staging folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix=BATCH_PREFIX, dir=layout.staging))
    return Batch(folder, month_of(naive_utc(now)), stamp)


def purge(layout: Layout, catalog: Catalog, step: Step) -> None:
    """Delete the files in the purge queue, then empty it."""
    queued = catalog.purge_queue()
    if not queued:
        return
    unlink_durably(layout.root / path for path in queued)
    step("purge:deleted")
    with catalog.transaction():
        catalog.clear_purge_queue(queued)
    step("purge:done")
