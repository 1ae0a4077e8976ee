"""Files that are staged before the change they belong to is decided.

What a batch does to articles and paragraphs, nearly all of its bytes, is known once they are clean;
their matching still takes a while. A thread writes them meanwhile, one after the other: each is in
memory twice while it is sorted. It is a guess that costs nothing when it is wrong: the files lie in
staging, and a change that brings other tables leaves them there to be deleted.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait

import pyarrow as pa

from pipeline.store.commit import Batch, Begun
from pipeline.store.durable import sync
from pipeline.store.model import StoredFile
from pipeline.store.parquet import Stamp


class StagedAhead:
    """Tables of the change to come, on their way into the staging folder of its batch; or none."""

    def __init__(self) -> None:
        """Begin with nothing staged."""
        self._batch: Batch | None = None
        self._tables: dict[str, pa.Table] = {}
        self._begun: Begun = {}

    def begin(self, batch: Batch, added: Mapping[str, pa.Table]) -> None:
        """Write the tables that have rows, in a thread."""
        self._batch = batch
        self._tables = {name: table for name, table in added.items() if table.num_rows}
        thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._begun = {
            name: thread.submit(_staged, batch, table, name) for name, table in self._tables.items()
        }
        thread.shutdown(wait=False)

    def take(self, added: Mapping[str, pa.Table], stamp: Stamp) -> tuple[Batch, Begun] | None:
        """Hand over the batch and its files if a change adds just these, else delete them."""
        batch, begun = self._batch, self._begun
        is_same = all(added.get(name) is table for name, table in self._tables.items())
        if batch is None or batch.stamp != stamp or not is_same:
            self.drop()
            return None
        self._batch, self._tables, self._begun = None, {}, {}
        return batch, begun

    def drop(self) -> None:
        """Delete what was staged and not taken."""
        wait(self._begun.values())
        if self._batch is not None:
            shutil.rmtree(self._batch.folder, ignore_errors=True)
        self._batch, self._tables, self._begun = None, {}, {}


def _staged(batch: Batch, table: pa.Table, name: str) -> StoredFile:
    """Stage rows and begin with what the commit does next: a file that is synced twice is quick."""
    stored = batch.stage_rows(table, name)
    sync(batch.staged(stored))
    return stored
