"""A full disk: one clear error, readers keep their snapshot, and the next run goes on."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import WarehouseError
from pipeline.store.doctor import doctor
from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import published_state, torn

FULL = r"disk full while .* in .*; free space and run again"


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount 8 MB on `folder`; false where that is not permitted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def small_files(n_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond `n_bytes`."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


SIZE = {"n_paragraphs": 8, "paragraph_chars": 900}


def ingest_until_full(root: Path) -> str:
    """Ingest batch after batch until an error; return it."""
    with pytest.raises(WarehouseError, match=FULL) as caught:
        ingest_batches(root, 60)
    return str(caught.value)


def ingest_batches(root: Path, n_batches: int) -> None:
    with open_warehouse(root) as warehouse:
        workload.take_pending(warehouse, "pending")
        for _ in range(n_batches):
            workload.ingest(warehouse, workload.next_batch(warehouse), 40, **SIZE)


def assert_readers_see_one_state(root: Path) -> int:
    connection = connect_published(root)
    try:
        assert torn(connection) == []
        return int(connection.sql("SELECT count(*) FROM articles_all").fetchall()[0][0])
    finally:
        connection.close()


def test_disk_runs_full_again_and_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as is_mounted:
        if not is_mounted:
            pytest.skip("mounting a small disk needs root; the test below needs none")
        root, ballast = tmp_path / "disk" / "warehouse", tmp_path / "disk" / "ballast"
        ballast.write_bytes(bytes(5 << 20))
        seen = 0
        for taken in (4 << 20, 3 << 20, 3 << 20):
            assert "what was published stays" in ingest_until_full(root)
            n_articles = assert_readers_see_one_state(root)
            assert n_articles >= seen
            seen = n_articles
            ballast.write_bytes(bytes(taken))
        ballast.unlink()
        ingest_batches(root, 1)
        assert assert_readers_see_one_state(root) > seen
        assert doctor(root, deep=True) == []


def test_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
    before = published_state(tmp_path)
    with (
        small_files(100_000),
        pytest.raises(WarehouseError, match=FULL),
        open_warehouse(tmp_path) as warehouse,
    ):
        workload.ingest(warehouse, 1, 400, **SIZE)
    assert published_state(tmp_path) == before
    with open_warehouse(tmp_path) as warehouse:
        documents = list(warehouse.pending())
        if not documents:
            read = workload.read_table(workload.pieces(1, 400, **SIZE))
            documents = [warehouse.land(read, "run", workload.NOW)]
        for landed in documents:
            change = workload.change_of(warehouse, landed, "run")
            warehouse.publish(change, "run", workload.NOW)
    assert assert_readers_see_one_state(tmp_path) == 406
    assert doctor(tmp_path, deep=True) == []
