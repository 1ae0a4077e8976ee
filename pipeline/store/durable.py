"""Making files survive a power cut, and naming what goes wrong on disk.

Neither pyarrow nor DuckDB calls fsync on what it writes, and a rename is not on disk before its
directory is: each file and each directory that was touched is synced here, before the catalogue
names it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import UnechoError, WarehouseError

_SYNCS = 8
"""Flushes under way at once; they wait for the disk, not for a core."""

# EFBIG: the limit of the process (ulimit -f) is reached, the same to us as a full disk.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_TEXTS = ("no space left", "disk is full", "disk quota exceeded", "file too large")
PUBLISHED_STAYS = "what was published stays, a retry is safe"
NOT_LANDED = "what was published stays, this batch has not landed, a retry is safe"
TAKEN_UP = "what was published stays, the next run takes up what had landed, a retry is safe"

# DuckDB's errors about a query, which damage does not cause: a fault in unecho.
_FAULTS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
    duckdb.SyntaxException,
)


def sync(path: Path) -> None:
    """Flush a file or a directory to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(paths: Iterable[Path]) -> None:
    """Flush each of `paths` once, several at a time: the disk's journal takes them together.

    Returns when all are flushed; the first that cannot be, in a fixed order, is raised.
    """
    once = sorted(set(paths))
    if len(once) < 2:
        for path in once:
            sync(path)
        return
    with ThreadPoolExecutor(min(_SYNCS, len(once))) as pool:
        for flushed in [pool.submit(sync, path) for path in once]:
            flushed.result()


def make_folder(folder: Path) -> None:
    """Create `folder` with its parents; each parent that gained an entry is synced."""
    missing = takewhile(lambda path: not path.exists(), [folder, *folder.parents])
    for new in reversed(list(missing)):
        new.mkdir(exist_ok=True)
        sync(new.parent)


def replace_durably(staged: Path, final: Path) -> None:
    """Move a finished file over `final` in one step; the directory is for the caller to sync."""
    sync(staged)
    staged.replace(final)


def unlink_durably(paths: Iterable[Path]) -> None:
    """Delete files and sync their directories: without that a power cut could bring one back."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    sync_all(folder for folder in folders if folder.is_dir())


@contextmanager
def storing(what: str, path: Path, outcome: str = PUBLISHED_STAYS) -> Iterator[None]:
    """Translate errors of the disk, SQLite and DuckDB while `what` is done in `path`.

    Raises:
        WarehouseError: names `what`, the place, the next step and the outcome.
    """
    try:
        yield
    except (UnechoError, duckdb.InterruptException, *_FAULTS):
        raise
    except (OSError, sqlite3.Error, duckdb.Error) as error:
        raise _translated(error, what, path, outcome) from error
    except pa.ArrowInvalid as error:
        if not _is_damage(error):
            raise
        raise _translated(error, what, path, outcome) from error


def _is_damage(error: Exception) -> bool:
    """Tell whether an error, of no full or forbidden disk, is about the content of a data file."""
    if isinstance(error, OSError) and error.errno is None:
        return True  # pyarrow's, on content that it cannot decode
    if isinstance(error, OSError | duckdb.IOException | pa.ArrowInvalid):
        return "parquet" in str(error).lower()
    return isinstance(error, duckdb.Error)


def _translated(error: Exception, what: str, path: Path, outcome: str) -> WarehouseError:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    number = getattr(error, "errno", None)
    if number in _FULL or any(sign in str(error).lower() for sign in _FULL_TEXTS):
        return WarehouseError(
            f"disk full while {what} in {path}",
            next_step=f"free space and run again: {outcome}",
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return WarehouseError(
            f"no permission to write while {what}: {text}",
            next_step=f"run as the owner of {path}: {outcome}",
        )
    if _is_damage(error):
        return WarehouseError(
            f"a data file of {path} is damaged or missing, found while {what}: {text}",
            next_step="run `unecho doctor`: it names the files to restore from a backup",
        )
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.OperationalError | sqlite3.IntegrityError
    ):
        return WarehouseError(
            f"the catalogue of {path} cannot be read while {what}: {text}",
            next_step="restore catalog.sqlite from a backup; the Parquet files are untouched",
        )
    return WarehouseError(
        f"{what} failed in {path}: {text}",
        next_step=f"run again; if it stays, run `unecho doctor`: {outcome}",
    )
