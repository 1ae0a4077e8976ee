"""Compaction: what many ingests wrote in the order of arrival becomes few files in a useful order.

Plain meaning: the rows of a table stay the same, the files that hold them do not. A compaction is
an ordinary commit that adds some files and removes others; killed anywhere, all of it is there or
nothing. Superseded files stay for the retention, for sessions that are open.

Files that were compacted before are let alone, but for small ones: what came since is sorted into
files of its own. Rows that came late thus never widen the times of a file that is sorted already.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from pipeline.contracts import CONTRACTS
from pipeline.errors import WarehouseError
from pipeline.store.commit import Batch
from pipeline.store.layout import Layout
from pipeline.store.model import Step, StoredFile, no_step
from pipeline.store.sort import Task, sorted_rows
from pipeline.store.warehouse import RETENTION_DAYS, Warehouse, open_warehouse

LEVEL = "l3"
"""Level of compacted files; an ingest writes l0 and merges narrow tables into l1 and l2."""

_ROWS_PER_FILE: Mapping[str, int] = {
    # One revised article rewrites its file: 0.7 s of CPU for so many of 3.5 KB a text.
    "articles": 15_360,
    "paragraphs": 122_880,
    "shortened_texts": 15_360,
    "revision_changes": 15_360,
}
_NARROW_ROWS_PER_FILE = 122_880
"""Moved members rewrite their files: four row groups take 80 ms."""

_LEFT_ALONE = frozenset(("documents", "signatures", "stories", "story_members"))
"""No view reads the raw archive; the cache of keys goes by the files of signatures; stories and
members are merged as they come, and DuckDB's plans lean on a small file among those of members and
a large one among those of stories (duck.base_query): with files of one size, an article asked for
by its id reads every story, 80 ms of CPU more at a million."""

_WRITERS = 2
"""Files that are compressed at once, beside the sort; each holds up to 250 MB meanwhile."""

OnRows = Callable[[str, int, int], None]
"""(table, rows written so far, rows in all)"""


@dataclass(frozen=True)
class Compacted:
    """What became of a table."""

    table: str
    n_rows: int
    n_files_before: int
    n_files_after: int
    n_bytes_before: int
    n_bytes_after: int


@dataclass
class Compaction:
    """What a compaction did; without tables there was nothing to do and nothing was written."""

    snapshot_id: int
    tables: list[Compacted] = field(default_factory=list)
    elapsed_seconds: float = 0.0


def rows_per_file(table: str) -> int:
    """Return how many rows a compacted file of a table has at most."""
    return _ROWS_PER_FILE.get(table, _NARROW_ROWS_PER_FILE)


def plan(live: Mapping[str, Sequence[StoredFile]], *, is_whole: bool = False) -> list[Task]:
    """Return what there is to compact; nothing once it was done.

    A single file that came since stays as it is: sorting it alone would gain nothing.

    Args:
        live: the live files by table.
        is_whole: sort all rows anew, those of full compacted files too, where anything came since.
    """
    tasks = []
    for name in sorted(live.keys() - _LEFT_ALONE):
        is_loose = {stored: stored.level < LEVEL for stored in live[name]}
        files = [
            stored
            for stored in live[name]
            if is_whole or is_loose[stored] or 2 * stored.n_rows < rows_per_file(name)
        ]
        if len(files) > 1 and any(is_loose.values()):
            n_rows = sum(stored.n_rows for stored in files)
            n_files = -(-n_rows // rows_per_file(name))
            tasks.append(Task(name, tuple(files), -(-n_rows // n_files)))
    return tasks


def compact(
    root: Path,
    *,
    lock_wait_seconds: float = 60.0,
    retention_days: float = RETENTION_DAYS,
    is_whole: bool = False,
    on_rows: OnRows | None = None,
    step: Step = no_step,
) -> Compaction:
    """Compact the warehouse at `root`, as its writer.

    Args:
        root: the warehouse.
        lock_wait_seconds: how long to wait for another writer.
        retention_days: how long superseded files stay for sessions that are open.
        is_whole: sort files that were compacted before, too.
        on_rows: told how far it is.
        step: called at each step of the commit (commit.STEPS).

    Raises:
        WarehouseError: there is no warehouse, another writer holds it, or the disk; readers and
            the next ingest find it as it was.
    """
    began = time.monotonic()
    if not Layout.at(root).catalog.is_file():
        raise WarehouseError(
            f"no warehouse at {root.absolute()}", next_step="run `unecho ingest` first"
        )
    with open_warehouse(
        root, lock_wait_seconds=lock_wait_seconds, retention_days=retention_days, step=step
    ) as warehouse:
        done = _compact(warehouse, is_whole, on_rows or (lambda *_: None))
    done.elapsed_seconds = time.monotonic() - began
    return done


def _compact(warehouse: Warehouse, is_whole: bool, on_rows: OnRows) -> Compaction:
    gatherer = warehouse.gatherer
    tasks = plan({name: gatherer.files(name) for name in CONTRACTS}, is_whole=is_whole)
    done: list[Compacted] = []
    if tasks:

        def stage(batch: Batch) -> None:
            for task in tasks:
                staged = _stage(warehouse.root, task, batch, on_rows)
                done.append(_compared(task, staged))

        warehouse.replace_files(stage, f"compact-{uuid4()}", datetime.now(UTC))
    return Compaction(warehouse.snapshot_id, done)


def _stage(root: Path, task: Task, batch: Batch, on_rows: OnRows) -> list[StoredFile]:
    """Stage the rows of a task as sorted files and list the old ones as replaced."""
    staged: list[StoredFile] = []
    n_rows = 0
    with ThreadPoolExecutor(_WRITERS) as pool:
        writing: deque[Future[StoredFile]] = deque()
        for rows in sorted_rows(root, task, batch.folder):
            if len(writing) == _WRITERS:
                staged.append(writing.popleft().result())
            writing.append(pool.submit(batch.stage, rows, task.table, (batch.month, LEVEL)))
            n_rows += rows.num_rows
            on_rows(task.table, n_rows, task.n_rows)
        staged += [each.result() for each in writing]
    if n_rows != task.n_rows:
        raise WarehouseError(
            f"{task.table}: {n_rows} rows were read of files that hold {task.n_rows}",
            next_step="run `unecho doctor`; nothing was changed",
        )
    batch.files += staged
    batch.removed += task.files
    return staged


def _compared(task: Task, staged: Sequence[StoredFile]) -> Compacted:
    return Compacted(
        table=task.table,
        n_rows=task.n_rows,
        n_files_before=len(task.files),
        n_files_after=len(staged),
        n_bytes_before=sum(stored.n_bytes for stored in task.files),
        n_bytes_after=sum(stored.n_bytes for stored in staged),
    )
