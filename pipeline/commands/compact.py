"""`unecho compact`: fewer, sorted files, so that queries open less."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import settings_of

if TYPE_CHECKING:
    from pipeline.store.compact import Compaction

_PROGRESS_SECONDS = 5.0
"""At most one line in that time."""


def compact(
    context: typer.Context,
    whole: Annotated[
        bool, typer.Option("--whole", help="Sort what was compacted before anew, too.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Sort what many ingests wrote into few files.

    For after a large ingest, or at night. Queries answer the same, sooner. Readers see the old
    files until the end; those stay on disk for the retention, so that for some days the tables
    take their space twice. A second run finds nothing to do.
    """
    from pipeline.store.compact import compact as compact_warehouse

    settings = settings_of(context)
    done = compact_warehouse(
        settings.warehouse,
        lock_wait_seconds=settings.lock_wait_seconds,
        retention_days=settings.retention_days,
        is_whole=whole,
        on_rows=_Progress(),
    )
    if json:
        from pipeline.report.answers import as_json

        sys.stdout.buffer.write(as_json(_answer(done)) + b"\n")
        return
    for line in _report(done):
        typer.echo(line)


class _Progress:
    """Says on stderr, now and then, how far the work is."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, table: str, n_done: int, n_rows: int) -> None:
        if time.monotonic() - self._said >= _PROGRESS_SECONDS:
            self._said = time.monotonic()
            typer.echo(f"compacting {table}: {n_done:,} of {n_rows:,} rows", err=True)


def _answer(done: Compaction) -> dict[str, object]:
    return {
        "is_changed": bool(done.tables),
        "snapshot": done.snapshot_id,
        "tables": [vars(table) for table in done.tables],
        "elapsed_seconds": round(done.elapsed_seconds, 3),
    }


def _report(done: Compaction) -> list[str]:
    if not done.tables:
        return ["Nothing to do: no table has several files that came since the last time."]
    lines = [
        f"{table.table}: {table.n_rows:,} rows in {table.n_files_after:,} files,"
        f" {table.n_files_before:,} before"
        for table in done.tables
    ]
    return [*lines, f"Compacted in {done.elapsed_seconds:.1f} s, snapshot {done.snapshot_id}."]
