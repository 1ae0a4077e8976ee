"""Two writers: the second waits or refuses; the lock ends with its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import WarehouseError
from pipeline.store.doctor import doctor
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import published_state, undisturbed_state
from tests.crash.writer import CHILDREN, hold, hold_and_fork, write_turns


def start_holder(root: Path) -> tuple[object, int]:
    here, there = CHILDREN.Pipe(duplex=False)
    child = CHILDREN.Process(target=hold, args=(root, there))
    child.start()
    assert here.poll(60), "the holder never opened the warehouse"
    return child, here.recv()


def test_second_writer_refuses_and_kill_frees(tmp_path: Path) -> None:
    child, pid = start_holder(tmp_path)
    began = time.monotonic()
    with (
        pytest.raises(WarehouseError, match=rf"another writer \(pid {pid}, since 20.*\) holds "),
        open_warehouse(tmp_path, lock_wait_seconds=0.3),
    ):
        pass
    assert 0.3 <= time.monotonic() - began < 5
    os.kill(pid, signal.SIGKILL)
    with open_warehouse(tmp_path, lock_wait_seconds=5) as warehouse:
        workload.ingest(warehouse, 0)
    assert doctor(tmp_path) == []
    child.join()


def test_second_writer_waits(tmp_path: Path) -> None:
    children = [
        CHILDREN.Process(target=write_turns, args=(tmp_path, 3), name=str(number))
        for number in range(3)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert published_state(tmp_path) == undisturbed_state(tmp_path / "undisturbed", 9)


def test_started_program_does_not_keep_the_lock(tmp_path: Path) -> None:
    with open_warehouse(tmp_path):
        program = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            close_fds=False,
        )
    try:
        with open_warehouse(tmp_path, lock_wait_seconds=0):
            pass
    finally:
        program.communicate()


def test_fork_does_not_keep_the_lock(tmp_path: Path) -> None:
    here, there = CHILDREN.Pipe(duplex=False)
    child = CHILDREN.Process(target=hold_and_fork, args=(tmp_path, there))
    child.start()
    assert here.poll(60), "the holder never opened the warehouse"
    holder, forked = here.recv()
    try:
        os.kill(holder, signal.SIGKILL)
        child.join()
        os.kill(forked, 0)
        with open_warehouse(tmp_path, lock_wait_seconds=5):
            pass
    finally:
        os.kill(forked, signal.SIGKILL)
