"""The integrity check: the catalogue, every file, what is published, and every invariant."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import WarehouseError
from pipeline.store.catalog import Catalog
from pipeline.store.duck import create_base_views, fixed_paths, open_memory
from pipeline.store.invariants import INVARIANTS
from pipeline.store.layout import Layout
from pipeline.store.lock import writer_lock
from pipeline.store.model import StoredFile
from pipeline.store.publish import is_published, published_elsewhere
from pipeline.store.recover import foreign_files, staged_leftovers, unknown_files

_REOPEN = "run any ingest: opening the warehouse puts it right"
_FOREIGN = "move it elsewhere: unecho neither reads nor deletes it"
_RESTORE = "restore the file from a backup, then run `unecho doctor` again"
_FAULT = "this is a fault in unecho: report it; `unecho rebuild` derives everything again"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be: which check, what, and the next step."""

    check: str
    message: str
    next_step: str


@dataclass
class Examination:
    """What was found, and which checks ran, one sentence each."""

    findings: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)


def doctor(root: Path, *, deep: bool = False) -> list[Finding]:
    """Return the findings of examine()."""
    return examine(root, deep=deep).findings


def examine(root: Path, *, deep: bool = False) -> Examination:
    """Check the warehouse at `root`; a sound one has no findings.

    The writer's lock is taken for the time of the check where it is free. Where another process
    is writing, one snapshot is checked beside it, without what that process is working on
    (staging, unpublished landings, the published files). A check that cannot run, as others
    found what it needs missing, is not among those that ran.

    Args:
        root: the warehouse.
        deep: also compare the SHA-256 of every file.
    """
    layout, done = Layout.at(root), Examination()
    if not layout.catalog.is_file():
        next_step = "run `unecho ingest` first, or restore catalog.sqlite from a backup"
        message = f"there is no catalogue at {layout.catalog}"
        done.findings.append(Finding("catalog", message, next_step))
        return done
    with ExitStack() as stack:
        is_quiet = _try_lock(stack, layout)
        done.checked.append("the catalogue is readable and whole")
        try:
            catalog = Catalog.open_for_reading(layout.catalog)
            stack.callback(catalog.close)
            problems = catalog.integrity_problems()
        except sqlite3.Error as error:
            problems = [str(error)]
        if problems:
            restore = "restore catalog.sqlite from a backup; the Parquet files are untouched"
            found = (
                Finding("catalog", f"the catalogue is damaged: {p}", restore) for p in problems
            )
            done.findings += found
            return done
        _examine_files(layout, catalog, deep, done)
        connection = open_memory()
        stack.callback(connection.close)
        if not done.findings:
            _examine_rows(layout, catalog, connection, done)
        if is_quiet:
            done.checked.append("what is published is the newest, nothing is left behind")
            done.findings += _rest_findings(layout, catalog, connection)
    return done


def _examine_files(layout: Layout, catalog: Catalog, deep: bool, done: Examination) -> None:
    files = "every file is there with its size and row count"
    done.checked.append(
        f"{files}, and its SHA-256" if deep else f"{files} (--deep: and its SHA-256)"
    )
    done.findings += _file_findings(layout, catalog, deep)


def _examine_rows(
    layout: Layout, catalog: Catalog, connection: duckdb.DuckDBPyConnection, done: Examination
) -> None:
    try:
        found = list(_invariant_findings(layout, catalog, connection))
    except duckdb.InterruptException:
        raise
    except (duckdb.Error, RuntimeError):
        # Size and footer are right, so that only reading all of it tells which file it is.
        damaged = list(_file_findings(layout, catalog, deep=True))
        if not damaged:
            raise
        done.findings += damaged
    else:
        done.checked.append("every table holds each key once")
        done.checked += [i.sentence for i in INVARIANTS if not i.name.endswith("_key")]
        done.findings += found


def _try_lock(stack: ExitStack, layout: Layout) -> bool:
    try:
        stack.enter_context(writer_lock(layout.lock, 0))
    except (WarehouseError, OSError):
        return False
    return True


def _file_findings(layout: Layout, catalog: Catalog, deep: bool) -> Iterator[Finding]:
    live = [stored for files in catalog.live_files().values() for stored in files]
    landed = [landing.file for landing in catalog.open_landings()]
    for stored in [*live, *landed]:
        problem = _problem_of(layout.root / stored.path, stored, deep)
        if problem:
            yield Finding("file", f"{stored.path} {problem}", _RESTORE)


def _problem_of(path: Path, stored: StoredFile, deep: bool) -> str | None:
    try:
        n_bytes = path.stat().st_size
        if n_bytes != stored.n_bytes:
            return f"has {n_bytes} bytes, not {stored.n_bytes}"
        n_rows = pq.read_metadata(path).num_rows
        if n_rows != stored.n_rows:
            return f"has {n_rows} rows, not {stored.n_rows}"
        if deep:
            with path.open("rb") as written:
                digest = hashlib.file_digest(written, "sha256").hexdigest()
            if digest != stored.sha256:
                return "has another SHA-256 than when it was written"
    except FileNotFoundError:
        return "is missing"
    except (OSError, pa.ArrowInvalid) as error:
        return f"cannot be read: {str(error).splitlines()[0]}"
    return None


def _invariant_findings(
    layout: Layout, catalog: Catalog, connection: duckdb.DuckDBPyConnection
) -> Iterator[Finding]:
    live = catalog.live_files()
    create_base_views(connection, live, layout.root)
    landed = [landing.file for landing in catalog.open_landings()]
    _create_archive(connection, layout.root, [*live.get("documents", []), *landed])
    for invariant in INVARIANTS:
        row = connection.execute(invariant.query).fetchone()
        n_broken = int(row[0]) if row else 0
        if n_broken:
            message = f"not true that {invariant.sentence}: {n_broken} rows"
            yield Finding(invariant.name, message, _FAULT)


def _create_archive(
    connection: duckdb.DuckDBPyConnection, root: Path, files: Sequence[StoredFile]
) -> None:
    query = "SELECT NULL::UUID AS document_id WHERE false"
    if files:
        listed = fixed_paths(root, (stored.path for stored in files))
        query = f"SELECT document_id FROM read_parquet({listed}, hive_partitioning = false)"
    connection.execute(f"CREATE VIEW archive AS {query}")


def _rest_findings(
    layout: Layout, catalog: Catalog, connection: duckdb.DuckDBPyConnection
) -> Iterator[Finding]:
    """Find what a killed run left and the next opening puts right."""
    if not is_published(layout, connection, catalog):
        elsewhere = published_elsewhere(layout)
        if elsewhere:
            message = f"the warehouse was moved or copied: it was published at {elsewhere}"
            yield Finding("published", message, "run any ingest: it publishes it anew")
        else:
            message = f"the published files are not those of snapshot {catalog.head().id}"
            yield Finding("published", message, _REOPEN)
    for path in unknown_files(layout, catalog):
        yield Finding("orphan", f"{path} belongs to no snapshot", _REOPEN)
    for path in foreign_files(layout, catalog):
        yield Finding("foreign", f"{path} is not of this warehouse", _FOREIGN)
    for left in staged_leftovers(layout):
        yield Finding("staging", f"{left.relative_to(layout.root)} was left behind", _REOPEN)
    for path in catalog.purge_queue():
        yield Finding("purge", f"{path} waits to be deleted", _REOPEN)
    for landing in catalog.open_landings():
        message = (
            f"{landing.file.n_rows} documents in {landing.file.path} were landed by"
            f" {landing.run_id} and never published"
        )
        yield Finding("landing", message, "run any ingest: it works them off first")
    for run in catalog.runs():
        if run.status == "running":
            yield Finding("run", f"run {run.run_id} was killed", _REOPEN)
