"""Prefect homes for the tests of the flows; the first start of a server is slow, so made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.server import local_server, prefect_home
from pipeline.settings import load_settings


@pytest.fixture(scope="session")
def started_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Prefect home whose database a server has made (13 s)."""
    root = tmp_path_factory.mktemp("prefect")
    with local_server(load_settings(warehouse=root)):
        pass
    return prefect_home(root)


@pytest.fixture
def new_root(started_once: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a maker of warehouse roots whose Prefect database is there already."""

    def make(name: str) -> Path:
        root = tmp_path / name
        shutil.copytree(started_once, prefect_home(root))
        return root

    return make
