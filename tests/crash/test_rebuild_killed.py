"""`kill -9` in a rebuild: everything is as before or everything is new, and nothing is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.rebuild import run_rebuild
from pipeline.contracts import CONTRACTS
from pipeline.settings import Settings
from pipeline.store.commit import STEPS
from pipeline.store.doctor import doctor
from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse
from tests.conftest import SEEDS
from tests.crash.state import copy_to
from tests.crash.writer import CHILDREN, kill_at

STRICT = {"near_jaccard": 0.95}

KILLED_AT = (
    *("commit:staged", "commit:placed", "commit:recording", "commit:committed"),
    *("publish:built", "publish:replaced", "publish:listed", "cache:written"),
)
"""test_kill_steps.py goes through every step; a rebuild's change takes the same ones."""

ARTICLES = ("wire-mastheads.jsonl", "updates.jsonl")


def settings_at(root: Path) -> Settings:
    return Settings(warehouse=root, batch_documents=15, lock_wait_seconds=5)


def killing(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a `stage` that ends the process at the beginning of the stage with this name."""

    def stage(function: Callable[..., Any]) -> Callable[..., Any]:
        if function.__name__ == name:
            os.kill(os.getpid(), signal.SIGKILL)
        return function

    return stage


def die_at_step(root: Path, name: str) -> None:
    run_rebuild(settings_at(root), "killed", given=STRICT, step=kill_at(name))


def die_in_stage(root: Path, name: str) -> None:
    run_rebuild(settings_at(root), "killed", given=STRICT, stage=killing(name))


def killed(target: Callable[[Path, str], None], root: Path, name: str) -> None:
    child = CHILDREN.Process(target=target, args=(root, name))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL, f"the rebuild never came to {name}"


def state(root: Path) -> dict[str, Any]:
    """Every row, without what another run stamps otherwise."""
    stamps = {"run_id", "decision_id", "decided_at"}
    connection = connect_published(root)
    try:
        found = {"parameters": connection.sql("FROM parameters").fetchall()}
        for name, contract in CONTRACTS.items():
            columns = ", ".join(c for c in contract.schema.names if c not in stamps)
            query = f"SELECT {columns} FROM _{name} ORDER BY ALL"
            found[name] = connection.sql(query).fetchall()
        return found
    finally:
        connection.close()


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from flows.ingest import run_ingest
    from flows.intake import Request

    root = tmp_path_factory.mktemp("before") / "warehouse"
    paths = tuple(str(SEEDS / "articles" / name) for name in ARTICLES)
    run_ingest([Request(specs=paths)], settings_at(root), "ingest")
    return root


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory, before: Path) -> dict[str, Any]:
    root = copy_to(before, tmp_path_factory.mktemp("after") / "warehouse")
    run_rebuild(settings_at(root), "done", given=STRICT)
    assert state(root)["stories"] != state(before)["stories"]
    return state(root)


@pytest.mark.parametrize("stage", ["parse", "publish", "compare"])
def test_killed_while_deriving(
    tmp_path: Path, before: Path, after: dict[str, Any], stage: str
) -> None:
    root = copy_to(before, tmp_path / "warehouse")
    killed(die_in_stage, root, stage)
    assert {f.check for f in doctor(root)} == {"staging", "run"}
    with open_warehouse(root):
        assert list((root / "staging").iterdir()) == []
    assert state(root) == state(before)
    assert doctor(root) == []
    run_rebuild(settings_at(root), "again", given=STRICT)
    assert state(root) == after


@pytest.mark.parametrize("step", KILLED_AT)
def test_killed_at_step(tmp_path: Path, before: Path, after: dict[str, Any], step: str) -> None:
    root = copy_to(before, tmp_path / "warehouse")
    killed(die_at_step, root, step)
    is_committed = STEPS.index(step) >= STEPS.index("commit:committed")
    is_listed = STEPS.index(step) >= STEPS.index("publish:replaced")
    assert state(root) == (after if is_listed else state(before))
    with open_warehouse(root):
        pass
    assert state(root) == (after if is_committed else state(before))
    assert doctor(root) == []
