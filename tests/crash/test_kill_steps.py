"""`kill -9` at every named step of the protocol, then the next opening and the same batch again."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.store.commit import STEPS
from pipeline.store.doctor import doctor
from pipeline.store.snapshot import connect_published, read_snapshot
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import published_state, torn, undisturbed_state
from tests.crash.writer import CHILDREN, write_batch

BEFORE = 2
"""Batches in the warehouse before the one that is killed."""

COMMIT = STEPS.index("commit:committed")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return undisturbed_state(tmp_path_factory.mktemp("undisturbed") / "warehouse", BEFORE + 1)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("before") / "warehouse"
    undisturbed_state(root, BEFORE)
    return root


def kill_in_batch(root: Path, step: str, occurrence: int = 1, retention_days: float = 7) -> None:
    child = CHILDREN.Process(
        target=write_batch, args=(root, BEFORE, step, occurrence, retention_days)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, f"the batch never came to {step}"


def assert_sound_after_repeat(root: Path, expected: dict[str, Any], n_crashed: int) -> None:
    with open_warehouse(root) as warehouse:
        landed = workload.ingest(warehouse, BEFORE)
        history = warehouse.history(workload.rebuild)
        signed = warehouse.select("SELECT article_id FROM signatures")["article_id"].to_pylist()
    assert landed.num_rows in (0, 7), "documents are landed whole or not at all"
    assert published_state(root) == expected
    assert sorted(i for keys in history for i in keys["article_id"].to_pylist()) == sorted(signed)
    connection = connect_published(root)
    statuses = Counter(row[0] for row in connection.sql("SELECT status FROM runs").fetchall())
    connection.close()
    assert statuses["crashed"] == n_crashed
    assert statuses["running"] == 0
    assert doctor(root, deep=True) == []


@pytest.mark.parametrize("step", [s for s in STEPS if not s.startswith("purge")])
def test_killed_at_step(tmp_path: Path, before: Path, expected: dict[str, Any], step: str) -> None:
    root = tmp_path / "warehouse"
    shutil.copytree(before, root)
    with open_warehouse(root):
        pass  # publishes for the new place, so that the child's first publish is its batch's
    seen = read_snapshot(root).id
    kill_in_batch(root, step)

    connection = connect_published(root)
    assert torn(connection) == []
    connection.close()
    is_listed = STEPS.index(step) >= STEPS.index("publish:listed")
    assert read_snapshot(root).id == seen + is_listed
    assert_sound_after_repeat(root, expected, n_crashed=1)


@pytest.mark.parametrize("step", [s for s in STEPS if s.startswith("purge")])
def test_killed_while_purging(
    tmp_path: Path, before: Path, expected: dict[str, Any], step: str
) -> None:
    root = tmp_path / "warehouse"
    shutil.copytree(before, root)
    # Nothing is kept for older sessions: opening deletes what the batches before superseded.
    kill_in_batch(root, step, retention_days=0)
    assert_sound_after_repeat(root, expected, n_crashed=0)


@pytest.mark.parametrize("step", ["publish:built", "publish:replaced", "publish:listed"])
def test_killed_while_ending_the_run(
    tmp_path: Path, before: Path, expected: dict[str, Any], step: str
) -> None:
    root = tmp_path / "warehouse"
    shutil.copytree(before, root)
    with open_warehouse(root):
        pass
    kill_in_batch(root, step, occurrence=2)
    connection = connect_published(root)
    assert torn(connection) == []
    connection.close()
    # The end of the run is committed before it is published.
    assert_sound_after_repeat(root, expected, n_crashed=0)


def test_killed_while_creating(tmp_path: Path, expected: dict[str, Any]) -> None:
    for step in ("publish:built", "publish:replaced"):
        root = tmp_path / step.replace(":", "-")
        kill_in_batch(root, step)
        with open_warehouse(root) as warehouse:
            for batch in range(BEFORE):
                workload.ingest(warehouse, batch)
        with open_warehouse(root) as warehouse:
            workload.ingest(warehouse, BEFORE)
        assert published_state(root) == expected
        assert doctor(root) == []


def test_every_step_is_named(tmp_path: Path) -> None:
    passed: set[str] = set()
    for batch in range(2):
        with open_warehouse(tmp_path, retention_days=0, step=passed.add) as warehouse:
            workload.ingest(warehouse, batch)
    with open_warehouse(tmp_path, retention_days=0, step=passed.add):
        pass
    assert passed == set(STEPS)
