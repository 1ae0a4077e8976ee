"""The warehouse as a flow sees it: gather, land, publish; everything else is behind this."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import pyarrow as pa

from pipeline.contracts import DOCUMENTS, conform
from pipeline.errors import WarehouseError
from pipeline.interim import KEYS, READ
from pipeline.store import commit
from pipeline.store.ahead import StagedAhead
from pipeline.store.archive import as_documents, unknown_documents, with_landing
from pipeline.store.catalog import Catalog
from pipeline.store.duck import interruptible
from pipeline.store.durable import NOT_LANDED, PUBLISHED_STAYS, TAKEN_UP, storing
from pipeline.store.gather import Gatherer
from pipeline.store.history import History
from pipeline.store.ids import IdIndex
from pipeline.store.landing import LandingUnderWay
from pipeline.store.layout import SPILL, Layout
from pipeline.store.ledger import Ledger
from pipeline.store.lock import writer_lock
from pipeline.store.model import (
    Change,
    Run,
    Snapshot,
    Step,
    StoredFile,
    TakenFile,
    naive_utc,
    no_step,
)
from pipeline.store.parquet import Stamp, read_file
from pipeline.store.publish import Edition, drop_old_snapshots, present_edition, publish
from pipeline.store.recover import recover, refuse_lost_catalog

__all__ = [
    "RETENTION_DAYS",
    "Change",
    "Run",
    "Snapshot",
    "TakenFile",
    "Warehouse",
    "open_warehouse",
]

RETENTION_DAYS = 7.0
"""How long superseded files stay: longer than an analyst's session."""

Stage: TypeAlias = Callable[[commit.Batch], None]
"""Stages the files of a batch and lists those that they replace."""


@contextmanager
def open_warehouse(
    root: Path,
    *,
    lock_wait_seconds: float = 60.0,
    retention_days: float = RETENTION_DAYS,
    n_query_threads: int | None = None,
    step: Step = no_step,
) -> Iterator[Warehouse]:
    """Open the warehouse at `root` as its one writer; make it where there is none.

    Args:
        root: the warehouse's folder, on a local disk.
        lock_wait_seconds: how long to wait for another writer.
        retention_days: how long superseded files stay for sessions that are open.
        n_query_threads: threads that answer a question of the session; None for one a core.
        step: called at each step of the protocol (commit.STEPS).

    Raises:
        WarehouseError: another writer holds it, or it cannot be read or written.
    """
    layout = Layout.at(root)
    with ExitStack() as stack:
        with storing("opening the warehouse", layout.root):
            # Before anything is made there, and once more when no other process can interfere.
            refuse_lost_catalog(layout)
            layout.create()
            stack.enter_context(writer_lock(layout.lock, lock_wait_seconds))
            refuse_lost_catalog(layout)
            now = naive_utc(datetime.now(UTC))
            catalog = Catalog.open(layout.catalog, now)
            stack.callback(catalog.close)
            ids = IdIndex(layout.root, layout.ids)
            gatherer = Gatherer(layout.root, layout.staging / SPILL, ids, n_query_threads)
            stack.callback(gatherer.close)
            recover(layout, catalog, gatherer.connection, now, retention_days, step)
            gatherer.renew(catalog.live_files())
            history = History(layout.cache)
            stack.callback(history.close)
        warehouse = Warehouse(layout, catalog, gatherer, history, retention_days, step)
        try:
            yield warehouse
        except BaseException:
            # The first error is the one to tell.
            with suppress(WarehouseError):
                warehouse.close()
            raise
        warehouse.close()


class Warehouse(Ledger):
    """The writer's session: what a flow asks and what it writes, one call at a time.

    Ids go in and out as arrays of 16 bytes.
    """

    def __init__(
        self,
        layout: Layout,
        catalog: Catalog,
        gatherer: Gatherer,
        history: History,
        retention_days: float,
        step: Step,
    ) -> None:
        super().__init__(layout, gatherer, history, catalog)
        self._retention_days = retention_days
        self._step = step
        self._landed_here: set[str] = set()
        self._under_way: LandingUnderWay | None = None
        self._ahead = StagedAhead()
        self._kept: tuple[int, object] = (-1, None)

    def close(self) -> None:
        """Finish what threads are at.

        Raises:
            WarehouseError: a landing has not landed.
        """
        self._ahead.drop()
        self.settle()

    @property
    def scratch(self) -> Path:
        """A folder for what lives no longer than this session; whoever uses it makes it."""
        return self._layout.staging / SPILL / "parts"

    @property
    def kept(self) -> object:
        """What was set while this snapshot stood; None after anything else was published."""
        snapshot, kept = self._kept
        return kept if snapshot == self.snapshot_id else None

    @kept.setter
    def kept(self, kept: object) -> None:
        self._kept = (self.snapshot_id, kept)

    # Runs and what they took

    def end_run(
        self,
        run_id: str,
        status: Literal["completed", "failed"],
        counts: Mapping[str, int],
        now: datetime | None = None,
    ) -> None:
        """Enter how a run ended, and publish it; `counts` replace what its changes counted."""
        ended_at = now or datetime.now(UTC)
        if status == "completed":
            self.settle()
        # A run that failed has told why; what does not land is read again.
        with suppress(WarehouseError):
            self.settle()
        with storing("recording the run", self.root):
            with self._catalog.transaction():
                self._catalog.end_run(run_id, status, counts, ended_at)
                self._catalog.raise_edition()
            if not self._is_broken:
                self._finish(lambda: self._publish_edition(present_edition(self._catalog)))

    def mark_taken(self, files: Iterable[TakenFile]) -> None:
        """Record files as read; call it once their last batch is published."""
        self.settle()
        with self._guarded("recording files"), self._catalog.transaction():
            self._catalog.mark_taken(files)

    # The raw archive

    def land(self, read: pa.Table, run_id: str, now: datetime) -> pa.Table:
        """Begin to make raw documents safe; return those that the archive lacks as DOCUMENTS.

        Their file is written in a thread. It is on disk and in the catalogue before anything that
        is derived from it, and before a source is marked as taken; analysts see it after
        publish(). archive.landing_paths() of the returned table names it there. What keeps it from
        landing is raised by the call that comes next, or after that.
        """
        self.settle()
        with self._guarded("landing documents", NOT_LANDED):
            read = conform(read, READ)
            known = self._gatherer.known_documents(read["document_id"], self._document_files())
            unknown = unknown_documents(read, known)
            if not unknown.num_rows:
                return DOCUMENTS.schema.empty_table()
            documents = as_documents(unknown, run_id, now)
            batch = self._new_batch(run_id, now)
            self._under_way = LandingUnderWay(self._layout, batch, documents, now, self._step)
            return with_landing(documents, self._under_way.path)

    def settle(self) -> None:
        """Wait for the landing that is under way, if any, and record it.

        Raises:
            WarehouseError: it has not landed.
        """
        landing = self._under_way
        if landing is None:
            return
        landing.wait()
        self._under_way = None
        with storing("landing documents", self.root, NOT_LANDED), self._taking_back(landing.batch):
            landed = landing.record(self._catalog)
        self._landed_here.add(landed.file.path)
        self._gatherer.ids.add(landing.batch.ids)

    def pending(self) -> Iterator[pa.Table]:
        """Yield the DOCUMENTS of each landing that an earlier run left without publishing it."""
        self.settle()
        for landing in self._catalog.open_landings():
            if landing.file.path not in self._landed_here:
                with self._guarded("reading landed documents"):
                    documents = read_file(self.root, landing.file)
                yield with_landing(documents, landing.file.path)

    def borrow_archive(self, lender: Warehouse) -> None:
        """Read the raw archive of another warehouse, pending landings too, through links to it."""
        lender.settle()
        pending = [landing.file for landing in lender._catalog.open_landings()]
        files = [*lender._gatherer.files(DOCUMENTS.name), *pending]
        with self._guarded("linking the archive"):
            for stored in files:
                link = self.root / stored.path
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(lender.root / stored.path)
            with self._catalog.transaction():
                self._catalog.add_files(files, self.head.id)
            self._gatherer.renew(self._catalog.live_files())

    def _document_files(self) -> list[StoredFile]:
        landed = [landing.file for landing in self._catalog.open_landings()]
        return [*self._gatherer.files(DOCUMENTS.name), *landed]

    # Changes

    def publish(self, change: Change, run_id: str, now: datetime) -> Snapshot:
        """Commit a change and publish it; return its snapshot, or the head if nothing changes.

        Raises:
            ContractError: a table breaks its contract; nothing was written.
            WarehouseError: the disk; before the commit the warehouse is as it was, after it the
                next opening publishes what was committed, and this session refuses to go on.
        """
        self.settle()
        added = commit.checked_change(change)
        with self._guarded("publishing a batch", TAKEN_UP):
            if change.is_empty():
                with self._catalog.transaction():
                    self._catalog.add_counts(run_id, change.counts)
                return self.head
            begun = self._ahead.take(change.added, self._stamp(run_id))
            batch, files = begun or (self._new_batch(run_id, now), {})
            stage = partial(commit.stage_change, self._layout, self._gatherer, change, added, files)
            self._publish_batch(change, stage, batch, now)
        return self.head

    def stage_ahead(self, added: Mapping[str, pa.Table], run_id: str, now: datetime) -> None:
        """Begin to write tables that the next change will add, as far as it is decided.

        It is for speed alone: a change whose `added` holds these very tables finds their files
        written, any other is published as if this had not been called.
        """
        with self._guarded("staging a batch", TAKEN_UP):
            self._ahead.drop()
            self._ahead.begin(self._new_batch(run_id, now), added)

    def replace_files(self, stage: Stage, run_id: str, now: datetime) -> None:
        """Commit and publish other files for rows that stay the same, see compact.py."""
        self.settle()
        with self._guarded("compacting"):
            self._publish_batch(Change(), stage, self._new_batch(run_id, now), now)
            with suppress(OSError):
                documents = (stored.path for stored in self._document_files())
                self._gatherer.ids.repack({*documents, *self._gatherer.paths()})

    def _publish_batch(
        self, change: Change, stage: Stage, batch: commit.Batch, now: datetime
    ) -> None:
        try:
            self._commit(change, stage, batch, now)
        except KeyboardInterrupt:
            if self.head.id == batch.stamp.snapshot:
                self._follow_commit(change, batch)
            raise
        self._finish(lambda: self._follow_commit(change, batch))

    def _commit(self, change: Change, stage: Stage, batch: commit.Batch, now: datetime) -> None:
        with self._taking_back(batch):
            stage(batch)
            commit.place(self._layout, batch, self._step, "commit")
            commit.record_change(
                self._catalog, change, batch, now, self._retention_days, self._step
            )
            self._is_broken = True

    def _finish(self, action: Callable[[], None]) -> None:
        """Do what must follow a commit; Ctrl-C takes effect after it, a second one at once."""
        try:
            with interruptible():
                action()
        except KeyboardInterrupt:
            action()
            raise

    def _follow_commit(self, change: Change, batch: commit.Batch) -> None:
        """Publish what was committed; may be repeated."""
        edition = present_edition(self._catalog)
        self._publish_edition(edition)
        self._gatherer.renew(edition.live)
        published_at = edition.head.published_at
        drop_old_snapshots(self._layout, self._catalog, published_at, self._retention_days)
        commit.purge(self._layout, self._catalog, self._step)
        # Derived: what a full disk keeps from being cached is made again when it is asked for.
        with suppress(OSError):
            self._cache_keys(change, batch)
            self._gatherer.ids.add(batch.ids)
            documents = (stored.path for stored in self._document_files())
            self._gatherer.ids.save({*documents, *self._gatherer.paths()})
        self._step("cache:written")
        shutil.rmtree(batch.folder, ignore_errors=True)
        self._is_broken = False

    def _publish_edition(self, edition: Edition) -> None:
        publish(self._layout, self._gatherer.connection, edition, self._step)

    def _cache_keys(self, change: Change, batch: commit.Batch) -> None:
        for stored, replaced, kept in batch.rewritten:
            self._history.derive(stored, replaced, kept)
        if change.keys is not None and batch.added_signatures is not None:
            self._history.write(batch.added_signatures, [conform(change.keys, KEYS)])
        self._history.drop_dead(self._gatherer.files("signatures"))
        self._history.release()

    # Guards

    @contextmanager
    def _guarded(self, what: str, outcome: str = PUBLISHED_STAYS) -> Iterator[None]:
        """Record first, as soon as it can be, what landed meanwhile."""
        if self._under_way is not None and self._under_way.is_placed:
            self.settle()
        with super()._guarded(what, outcome):
            yield

    def _stamp(self, run_id: str) -> Stamp:
        return Stamp(self.next_snapshot, run_id)

    def _new_batch(self, run_id: str, now: datetime) -> commit.Batch:
        return commit.new_batch(self._layout, self._stamp(run_id), now)

    @contextmanager
    def _taking_back(self, batch: commit.Batch) -> Iterator[None]:
        """Delete what a failed commit left, unless it did commit: an interrupt may come after."""
        try:
            yield
        except BaseException:
            self._is_broken = True
            # What cannot be put right here is put right at the next opening.
            with suppress(OSError, sqlite3.Error):
                commit.take_back(self._layout, self._catalog, batch)
                self._is_broken = self.head.id == batch.stamp.snapshot
            raise
        shutil.rmtree(batch.folder, ignore_errors=True)
