"""What goes in and out of the warehouse: runs, changes, snapshots, files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pyarrow as pa

Step = Callable[[str], None]
"""Called with the name of each step of the protocol as it is passed (commit.STEPS)."""

RunStatus = Literal["running", "completed", "failed", "crashed"]

RUN_COUNTS = (
    "n_read",
    "n_known",
    "n_documents",
    "n_recovered",
    "n_quarantined",
    "n_articles",
    "n_revisions",
    "n_duplicates",
    "n_stories",
    "n_paragraphs",
    "n_dropped_paragraphs",
    "n_edges",
)
"""Counts of a run that the view `runs` shows as columns; others stay in its JSON column."""


def no_step(name: str) -> None:
    """Do nothing: what a `Step` is outside tests."""


def naive_utc(moment: datetime) -> datetime:
    """Return `moment` as a naive UTC time; a naive one is taken to be UTC already."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def as_text(moment: datetime) -> str:
    """Return `moment` as `YYYY-MM-DD HH:MM:SS.ffffff` in UTC: sorts as text, DuckDB casts it."""
    return naive_utc(moment).isoformat(sep=" ", timespec="microseconds")


def as_json(value: object) -> str:
    """Return a parameter's value as the JSON that the catalogue and the view show."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True)
class Run:
    """A run as it begins; `recorded_url` is its page in Prefect's UI where there is one."""

    run_id: str
    flow: str
    sources: tuple[str, ...]
    started_at: datetime
    recorded_url: str | None = None


@dataclass(frozen=True)
class RunRow:
    """A row of the run ledger; times are naive UTC."""

    run_id: str
    flow: str
    sources: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    status: RunStatus
    counts: Mapping[str, int]
    recorded_url: str | None


@dataclass(frozen=True)
class Snapshot:
    """One state of all tables together; ids count up from 0, the empty warehouse."""

    id: int
    published_at: datetime


@dataclass(frozen=True)
class StoredFile:
    """An immutable Parquet file; `path` is relative to the warehouse's root."""

    path: str
    table: str
    level: str
    month: str
    n_rows: int
    n_bytes: int
    sha256: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class TakenFile:
    """A file of a drop folder as it stood when it was read to its end.

    Attributes:
        path: where it lay.
        n_bytes: how long it was.
        changed_ns: when it last changed, nanoseconds since 1970 (st_mtime_ns).
        inode: which file of its disk it was (st_ino).
        status_ns: when it was last written to, renamed or given rights (st_ctime_ns), which no
            program can set.
    """

    path: str
    n_bytes: int
    changed_ns: int
    inode: int = 0
    status_ns: int = 0


@dataclass(frozen=True)
class Landing:
    """A file of raw documents, landed before anything was derived from it."""

    file: StoredFile
    run_id: str


@dataclass(frozen=True)
class Change:
    """Everything one batch does to the warehouse, published as one snapshot or not at all.

    Attributes:
        added: rows to add, by table name (contracts.CONTRACTS, except `documents`: these land).
        removed: keys of rows to take out, by table name. An array holds ids of the table's first
            key column (`edges`: of either end); a table names the columns that must all match.
        keys: KEYS of the added `signatures`, kept as a mapped cache for the next batches.
        landings: paths of the landed files that this change works off (archive.landing_paths).
        counts: what to add to the run's counts.
        parameters: what every table is derived with from here on; None leaves them as they are.
    """

    added: Mapping[str, pa.Table] = field(default_factory=dict)
    removed: Mapping[str, pa.Array | pa.ChunkedArray | pa.Table] = field(default_factory=dict)
    keys: pa.Table | None = None
    landings: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Any] | None = None

    def is_empty(self) -> bool:
        """Return whether nothing that analysts can see would change."""
        rows = sum(table.num_rows for table in self.added.values())
        keys = sum(len(removed) for removed in self.removed.values())
        return not (rows or keys or self.landings) and self.parameters is None
