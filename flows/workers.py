"""Worker processes: the stages that look at one article at a time, in all cores.

They start when the first batch comes that repays it and end with the run. What goes to them and
comes back lies in the spool (`pipeline/store/spool.py`); only handles pass through pipes.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.children import end_with
from pipeline.store import spool
from pipeline.store.spool import Handle
from pipeline.text.engine import Engine, choose_engine, chosen_engine

LEAST_BYTES = 6 << 20
"""A batch of so many bytes repays the second that workers take to start."""


class Workers:
    """A pool of processes of one run, started with its first task."""

    def __init__(self, n_workers: int, folder: Path) -> None:
        """Take the number of processes and a folder that is ours alone."""
        self.n_workers = n_workers
        self._folder = folder
        self._pool: ProcessPoolExecutor | None = None

    def keep(self, value: Any) -> Handle:
        """Put a value into the spool, for one task or several."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return spool.keep(value, self._folder)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Handle]:
        """Have a worker call a function of a module; handles among the arguments are loaded.

        The result, or the error, comes back as one handle of the spool.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.n_workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(os.getpid(), _engine_of_workers()),
            )
        return self._pool.submit(_work, self._folder, function, *arguments)

    def close(self) -> None:
        """End the processes: what they are at is finished, what waits is not begun."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def workers_of(n_workers: int | None, folder: Path) -> Iterator[Workers | None]:
    """Yield the workers of a run; None where one process does it all.

    Args:
        n_workers: processes; None for one a core, 1 for none beside this one.
        folder: where the spool is made, and deleted at the end.
    """
    wanted = n_workers or n_cores()
    if wanted < 2:
        yield None
        return
    workers = Workers(wanted, folder)
    try:
        yield workers
    finally:
        workers.close()


def n_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _engine_of_workers() -> Engine:
    """Return the engine for workers: they see many batches, so compiled kernels repay."""
    if chosen_engine() == "auto" and find_spec("numba") is not None:
        return "compiled"
    return chosen_engine()


def _begin(parent: int, engine: Engine) -> None:
    """Prepare a worker: it ends with its parent, and Ctrl-C is the parent's to answer."""
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    choose_engine(engine)
    # There is a worker a core already.
    pa.set_cpu_count(1)


def _work(folder: Path, function: Callable[..., Any], *arguments: Any) -> Handle:
    loaded = [spool.load(a) if isinstance(a, Handle) else a for a in arguments]
    return spool.keep(function(*loaded), folder)
