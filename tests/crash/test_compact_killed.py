"""`kill -9` at every step of a compaction: all old files or all new ones, and the rows always."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from pipeline.store.commit import STEPS
from pipeline.store.compact import LEVEL, compact
from pipeline.store.doctor import doctor
from pipeline.store.snapshot import connect_published, read_snapshot
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import copy_to, published_state, torn, undisturbed_state
from tests.crash.writer import CHILDREN, kill_at

BEFORE = 3
SORTING = "sorting"
PASSED = [SORTING, *(s for s in STEPS if s.startswith(("commit", "publish", "cache")))]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("before") / "warehouse"
    undisturbed_state(root, BEFORE)
    return root


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return undisturbed_state(tmp_path_factory.mktemp("undisturbed") / "warehouse", BEFORE + 1)


def compact_and_die(root: Path, step: str) -> None:
    def sorting(table: str, *_: int) -> None:
        if step == SORTING and table == "paragraphs":
            os.kill(os.getpid(), signal.SIGKILL)

    compact(root, on_rows=sorting, step=kill_at(step))


def names(root: Path) -> set[str]:
    return {path.name for path in (root / "data").rglob("*.parquet")}


@pytest.mark.parametrize("step", PASSED)
def test_killed_at_step(tmp_path: Path, before: Path, expected: dict[str, Any], step: str) -> None:
    root = copy_to(before, tmp_path / "warehouse")
    seen, files, rows = read_snapshot(root), names(root), published_state(root)
    child = CHILDREN.Process(target=compact_and_die, args=(root, step))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, f"the compaction never came to {step}"

    connection = connect_published(root)
    assert torn(connection) == []
    connection.close()
    assert published_state(root) == rows
    is_committed = step in STEPS and STEPS.index(step) >= STEPS.index("commit:committed")
    with open_warehouse(root):
        pass
    assert read_snapshot(root).id == seen.id + is_committed
    if is_committed:
        assert {Path(path).name[:2] for path in read_snapshot(root).tables["articles"]} == {LEVEL}
    else:
        assert names(root) == files, "what was not committed is gone"
    assert files <= names(root), "older sessions keep their files"
    assert published_state(root) == rows
    assert doctor(root, deep=True) == []

    assert bool(compact(root).tables) is not is_committed
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, BEFORE)
    assert published_state(root) == expected
    assert doctor(root, deep=True) == []
