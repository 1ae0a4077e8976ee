"""Worker processes: the stages that look at one article at a time, in all cores.

They start when the first batch comes that repays it and end with the run. What goes to them and
comes back lies in the spool (`pipeline/store/spool.py`); only handles pass through pipes.
"""

from __future__ import annotations

import gc
import heapq
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.children import end_with
from pipeline.store import spool
from pipeline.store.spool import Given, Handle, Held
from pipeline.text.engine import Engine, choose_engine, chosen_engine

LEAST_BYTES = 6 << 20
"""A batch of so many bytes repays the second that workers take to start."""

_NICENESS = 5
"""The flow goes before its workers. With equal turns on two cores the two workers run ahead as far
as they may while the flow goes at two thirds of its speed; then it works alone and a core stands
still: 12 of 74 core seconds for 100,000 articles."""


@dataclass(order=True)
class _Task:
    rank: tuple[bool, int]
    call: tuple[Any, ...] = field(compare=False)
    result: Future[Given] = field(compare=False, default_factory=Future)


class Workers:
    """A pool of processes of one run, started with its first task.

    Tasks that the flow waits for go before those of batches to come. So only as many tasks as
    there are workers are handed to the pool at a time: it takes them in the order of arrival.
    """

    def __init__(self, n_workers: int, folder: Path) -> None:
        """Take the number of processes and a folder that is ours alone."""
        self.n_workers = n_workers
        self._folder = folder
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.RLock()
        self._waiting: list[_Task] = []
        self._n_tasks = self._n_running = 0
        self._is_closed = False

    def begin(self) -> None:
        """Start the processes, if they do not run: their first task will find them ready."""
        with self._lock:
            if self._pool is None and not self._is_closed:
                # A pool starts its processes with its first task.
                self._started().submit(int)

    def keep(self, value: Any) -> Handle:
        """Put a value into the spool, for one task or several."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return spool.keep(value, self._folder)

    def submit(
        self, function: Callable[..., Any], *arguments: Any, is_urgent: bool = False
    ) -> Future[Given]:
        """Have a worker call a function of a module; handles among the arguments are loaded.

        The result, or the error, comes back as one handle of the spool.
        """
        with self._lock:
            self._n_tasks += 1
            task = _Task((not is_urgent, self._n_tasks), (self._folder, function, *arguments))
            heapq.heappush(self._waiting, task)
            self._feed()
        return task.result

    def results(self, futures: Sequence[Future[Given]]) -> list[Given]:
        """Return what tasks gave; this process does those that no worker has begun.

        It would only wait for them: workers may be at parts of later batches. What it makes itself
        it need not write and read.
        """
        for future in futures:
            if (task := self._taken_back(future)) is not None:
                try:
                    task.result.set_result(Held(_called(*task.call[1:])))
                except Exception as error:  # it is raised below, as a worker's would be
                    task.result.set_exception(error)
        return [future.result() for future in futures]

    def _taken_back(self, future: Future[Given]) -> _Task | None:
        """Return the task of a future if it still waits, and forget it."""
        with self._lock:
            task = next((t for t in self._waiting if t.result is future), None)
            if task is not None:
                self._waiting.remove(task)
                heapq.heapify(self._waiting)
        return task

    def _feed(self) -> None:
        """Hand waiting tasks to workers that are free."""
        while self._waiting and self._n_running < self.n_workers:
            task = heapq.heappop(self._waiting)
            try:
                running = self._started().submit(_work, *self._written(task.call))
            except BrokenExecutor as error:
                task.result.set_exception(error)
                continue
            self._n_running += 1
            running.add_done_callback(partial(self._finish, task))

    def _written(self, call: tuple[Any, ...]) -> list[Any]:
        return [spool.handle_of(a, self._folder) if isinstance(a, Held) else a for a in call]

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.n_workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(os.getpid(), _engine_of_workers()),
            )
        return self._pool

    def _finish(self, task: _Task, done: Future[Handle]) -> None:
        """Hand on how a task ended, and the next one to its worker."""
        with self._lock:
            self._n_running -= 1
            self._feed()
        if done.cancelled():
            task.result.cancel()
        elif error := done.exception():
            task.result.set_exception(error)
        else:
            task.result.set_result(done.result())

    def close(self) -> None:
        """End the processes: what they are at is finished, what waits is not begun."""
        with self._lock:
            waiting, self._waiting, self._is_closed = self._waiting, [], True
        for task in waiting:
            task.result.cancel()
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
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # Tables and texts make no cycles: to look for them again and again costs 0.2 s of a worker's
    # start and a twentieth of its work.
    gc.set_threshold(50_000, 20, 100)
    choose_engine(engine)
    # There is a worker a core already.
    pa.set_cpu_count(1)


def _work(folder: Path, function: Callable[..., Any], *arguments: Any) -> Handle:
    return spool.keep(_called(function, *arguments), folder)


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*(spool.load(a) if isinstance(a, Given) else a for a in arguments))
