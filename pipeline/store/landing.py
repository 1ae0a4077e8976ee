"""A landing under way: raw documents go to disk in a thread, beside what is derived from them.

Compressing and syncing hold no lock of Python's: a batch need not wait for its own bytes. Until
the landing is settled (`Warehouse.settle`) the catalogue does not name the file, and what dies
before that has landed nothing: its source was not marked as taken and is read again.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

import pyarrow as pa

from pipeline.contracts import DOCUMENTS
from pipeline.store.archive import row_groups
from pipeline.store.catalog import Catalog
from pipeline.store.commit import Batch, place, record_landing
from pipeline.store.layout import Layout
from pipeline.store.model import Landing, Step


class LandingUnderWay:
    """One file of the raw archive that a thread brings to its place."""

    def __init__(
        self, layout: Layout, batch: Batch, documents: pa.Table, now: datetime, step: Step
    ) -> None:
        """Begin to write DOCUMENTS as the one file of a batch."""
        self.batch = batch
        self.path = batch.path(DOCUMENTS.name)
        self._layout, self._now, self._step = layout, now, step
        thread = ThreadPoolExecutor(1, thread_name_prefix="landing")
        self._placed: Future[None] = thread.submit(self._place, documents)
        thread.shutdown(wait=False)

    @property
    def is_placed(self) -> bool:
        """Whether the thread has ended, well or badly."""
        return self._placed.done()

    def wait(self) -> None:
        """Wait until the thread has ended; an interrupt leaves it at its work."""
        wait([self._placed])

    def record(self, catalog: Catalog) -> Landing:
        """Commit the landing, or raise what kept its file from its place."""
        self._placed.result()
        return record_landing(catalog, self.batch, self._now, self._step)

    def _place(self, documents: pa.Table) -> None:
        groups = row_groups(documents)
        stored = self.batch.stage(documents, DOCUMENTS.name, groups=groups, path=self.path)
        self.batch.files.append(stored)
        place(self._layout, self.batch, self._step, "land")
