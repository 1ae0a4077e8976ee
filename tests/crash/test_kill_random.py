"""`kill -9` at random moments, again and again, while a reader looks.

UNECHO_KILL_ROUNDS sets how often (default 8, for `make test`; 300 by hand).
"""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import duckdb

from pipeline.errors import WarehouseError
from pipeline.store.doctor import doctor
from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import published_state, torn, undisturbed_state
from tests.crash.writer import CHILDREN, write_on_to

ROUNDS = int(os.environ.get("UNECHO_KILL_ROUNDS", "8"))
SEED = 20261122


class Reader(threading.Thread):
    """Opens what is published over and over and compares the tables with each other."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root
        self._is_over = threading.Event()
        self.n_rounds = 0
        self.problems: list[str] = []
        self.snapshots: list[int] = []

    def run(self) -> None:
        while not self._is_over.is_set():
            try:
                connection = connect_published(self._root)
                try:
                    self.problems += torn(connection)
                    self.snapshots.append(
                        connection.sql("SELECT id FROM _snapshot").fetchall()[0][0]
                    )
                finally:
                    connection.close()
            except (WarehouseError, duckdb.Error) as error:
                self.problems.append(str(error))
            self.n_rounds += 1
            time.sleep(0.05)

    def stop(self) -> None:
        self._is_over.set()
        self.join()


def killed_after(root: Path, seconds: float, *, is_opened: bool) -> int | None:
    """Let a child write for a while, from its opening or its start on, and kill it.

    Returns the last batch that it acknowledged.
    """
    here, there = CHILDREN.Pipe(duplex=False)
    child = CHILDREN.Process(target=write_on_to, args=(root, there))
    child.start()
    there.close()
    last = None
    deadline = time.monotonic() + 60
    while is_opened and not here.poll(0.05):
        assert child.is_alive(), "the writer ended by itself"
        assert time.monotonic() < deadline, "the writer never opened the warehouse"
    time.sleep(seconds)
    child.kill()
    child.join()
    try:
        while here.poll():
            last = here.recv()
    except EOFError:
        pass
    return last


def test_killed_at_random(tmp_path: Path) -> None:
    root = tmp_path / "warehouse"
    with open_warehouse(root):
        pass
    chance = random.Random(SEED)
    reader = Reader(root)
    reader.start()
    acknowledged = -1
    try:
        for _ in range(ROUNDS):
            last = killed_after(root, chance.uniform(0.0, 0.6), is_opened=chance.random() < 0.7)
            assert last is None or last >= acknowledged, "a batch that was acknowledged is gone"
            acknowledged = acknowledged if last is None else last
    finally:
        reader.stop()
    with open_warehouse(root) as warehouse:
        workload.take_pending(warehouse, "pending")
        n_batches = workload.next_batch(warehouse)
    assert n_batches > acknowledged
    assert doctor(root, deep=True) == []
    assert published_state(root) == undisturbed_state(tmp_path / "undisturbed", n_batches)
    assert reader.problems == []
    assert reader.snapshots == sorted(reader.snapshots), "a reader went back in time"
    assert reader.n_rounds >= ROUNDS
