"""Reading ahead: the next batches are read, and begun in workers, while one is matched."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

import pyarrow as pa

from flows.parts import Inspection, inspection_of_documents, repays_workers
from flows.prepared import KnownFurniture
from flows.rules import Rules
from flows.workers import LEAST_BYTES, Workers
from pipeline.sources.files import Progress

BATCHES_AHEAD = 2

OnProgress = Callable[[Progress], None]
Batches = Callable[[OnProgress | None], Iterator[pa.Table]]
"""Begins to read: yields READ tables, and tells how far it is."""


@dataclass
class Arriving:
    """A batch as it was read."""

    read: pa.Table
    inspection: Inspection | None = None
    """What workers make of it already."""
    is_once: bool = False
    """Whether its bytes came through a pipe, which cannot be read again."""


class ReadAhead:
    """Reads batches; large ones in a thread of its own, ahead of who asks for them."""

    def __init__(self, rules: Rules, workers: Workers | None) -> None:
        """Take the rules and the workers of a run."""
        self._rules = rules
        self._workers = workers
        self._known = KnownFurniture()
        self.is_news = True
        """Whether the last batch was new: one that is known already is not worth a worker."""

    def arriving(
        self, batches: Batches, on_progress: OnProgress | None, *, is_piped: bool = False
    ) -> Iterator[Arriving]:
        """Yield every batch; `on_progress` is called in the thread of who asks.

        Standard input (`is_piped`) is read in that thread too: one that waits for it holds its
        lock, and Python aborts when it ends meanwhile, as after Ctrl-C.
        """
        if self._workers is None or is_piped:
            for read in batches(on_progress):
                yield replace(self._begun(read), is_once=is_piped)
            return
        reader = _Reader(batches, self._begun, self._foresee)
        try:
            for item in reader.items():
                if isinstance(item, Progress):
                    if on_progress is not None:
                        on_progress(item)
                else:
                    yield item
        finally:
            reader.stop()

    def inspection(self, documents: pa.Table, arrived: Arriving) -> Inspection | None:
        """Return how far workers are with the new documents of a batch; None to work here.

        Args:
            documents: DOCUMENTS: of what was read, those that were not known.
            arrived: the batch as it was read.
        """
        self.is_news = documents.num_rows == arrived.read.num_rows
        if self.is_news:
            return arrived.inspection
        if self._workers is None or not repays_workers(documents):
            return None
        with suppress(BrokenExecutor):
            return inspection_of_documents(documents, self._rules, self._workers, self._known)
        return None

    def _foresee(self, n_bytes: int) -> None:
        """Start the workers as soon as so much of a batch was read that it will want them.

        A thousand pages take a second to read, and workers a second to start.
        """
        if self._workers is not None and self.is_news and n_bytes >= LEAST_BYTES:
            self._workers.begin()

    def _begun(self, read: pa.Table) -> Arriving:
        if self._workers is None or not self.is_news or not repays_workers(read):
            return Arriving(read)
        with suppress(BrokenExecutor):  # then the batch is worked on in this process
            begun = inspection_of_documents(read, self._rules, self._workers, self._known)
            return Arriving(read, begun)
        return Arriving(read)


class _Reader:
    """A thread that reads and puts what it reads into a queue."""

    def __init__(
        self,
        batches: Batches,
        begun: Callable[[pa.Table], Arriving],
        foresee: Callable[[int], None],
    ) -> None:
        self._queue: queue.Queue[Arriving | Progress | BaseException | None] = queue.Queue()
        self._room = threading.Semaphore(BATCHES_AHEAD)
        self._stopped = False
        self._batches, self._begun, self._foresee = batches, begun, foresee
        self._container, self._n_here, self._n_of_batch = "", 0, 0
        self._thread = threading.Thread(target=self._read, name="read-ahead", daemon=True)
        self._thread.start()

    def items(self) -> Iterator[Arriving | Progress]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, Arriving):
                self._room.release()
            yield item

    def stop(self) -> None:
        """Stop reading; a read that waits for a pipe is left to end with the process."""
        self._stopped = True
        self._room.release()
        with suppress(RuntimeError):
            self._thread.join(timeout=1.0)

    def _read(self) -> None:
        try:
            for read in self._batches(self._tell):
                self._n_of_batch = 0
                self._room.acquire()
                if self._stopped:
                    return
                self._queue.put(self._begun(read))
        except BaseException as error:  # it is raised where the batches are asked for
            self._queue.put(error)
            return
        self._queue.put(None)

    def _tell(self, progress: Progress) -> None:
        if progress.container != self._container:
            self._container, self._n_here = progress.container, 0
        self._n_of_batch += progress.bytes_read - self._n_here
        self._n_here = progress.bytes_read
        self._foresee(self._n_of_batch)
        self._queue.put(progress)
