"""One writer at a time: flock on a file, freed by the kernel however the holder ends."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import WarehouseError

_POLL_SECONDS = 0.1

# Descriptors of locks that this process holds. Python opens files close-on-exec, so a program
# started from here never keeps the lock; a fork without exec would, so it closes its copy.
_held: set[int] = set()


def _close_in_child() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)


@contextmanager
def writer_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the writer's lock, after waiting up to `wait_seconds` for another writer.

    Raises:
        WarehouseError: another writer still holds it; names its process and since when.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    _held.add(descriptor)
    try:
        _take(descriptor, path, wait_seconds)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        _write(descriptor, json.dumps({"pid": os.getpid(), "since": since}))
        try:
            yield
        finally:
            _write(descriptor, "")
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def _take(descriptor: int, path: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise WarehouseError(
                    f"another writer ({_holder(path)}) holds {path}",
                    next_step="wait until it has finished, or stop it, then run again",
                ) from error
        else:
            return
        time.sleep(min(_POLL_SECONDS, max(0.0, deadline - time.monotonic())))


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        return f"pid {holder['pid']}, since {holder['since']}"
    except (OSError, ValueError, KeyError):
        # The holder has the lock but has not written its name yet.
        return "pid unknown"


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
