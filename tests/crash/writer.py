"""Child processes that write to a warehouse and end by `kill -9` where a test wants it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from pipeline.store.model import Step
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload

# Forked from a server that has imported everything but started no thread: 50 ms a child instead
# of a second.
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.crash.writer"])


def kill_at(name: str, occurrence: int = 1) -> Step:
    """Return a step that ends this process when `name` is passed for the nth time."""
    passed: Counter[str] = Counter()

    def step(passing: str) -> None:
        passed[passing] += 1
        if passing == name and passed[name] == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def write_batch(root: Path, batch: int, name: str, occurrence: int, retention_days: float) -> None:
    """Ingest one batch and die at a step of it."""
    with open_warehouse(
        root, retention_days=retention_days, step=kill_at(name, occurrence)
    ) as warehouse:
        workload.ingest(warehouse, batch, now=workload.NOW + timedelta(seconds=batch))


def write_on(root: Path, acknowledge: Callable[[int], None]) -> None:
    """Ingest batch after batch, without end; `acknowledge` each that is published."""
    with open_warehouse(root, lock_wait_seconds=10) as warehouse:
        workload.take_pending(warehouse, "pending")
        acknowledge(workload.next_batch(warehouse) - 1)
        while True:
            batch = workload.next_batch(warehouse)
            workload.ingest(warehouse, batch)
            acknowledge(batch)


def write_on_to(root: Path, pipe: Connection) -> None:
    """Run write_on() with a pipe to the test."""
    write_on(root, pipe.send)


def hold(root: Path, pipe: Connection) -> None:
    """Open the warehouse as its writer, say so, and stay until killed."""
    with open_warehouse(root, lock_wait_seconds=0):
        pipe.send(os.getpid())
        signal.pause()


def hold_and_fork(root: Path, pipe: Connection) -> None:
    """Do as hold(), with a forked child beside that runs no other program."""
    with open_warehouse(root, lock_wait_seconds=0):
        forked = os.fork()
        if forked:
            pipe.send((os.getpid(), forked))
        signal.pause()


def write_turns(root: Path, n_turns: int) -> None:
    """Open the warehouse and ingest the next batch, a number of times."""
    for _ in range(n_turns):
        with open_warehouse(root) as warehouse:
            workload.ingest(warehouse, workload.next_batch(warehouse))
