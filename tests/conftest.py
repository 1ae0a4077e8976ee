"""What several folders of tests share: a clean environment and warehouses made once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from pipeline.store.warehouse import open_warehouse

REPOSITORY = Path(__file__).resolve().parents[1]
SEEDS = REPOSITORY / "seeds"

# A clock on a busy machine says little about one example: only what hangs is to fail by time.
hypothesis.settings.register_profile("patient", deadline=5_000)
hypothesis.settings.load_profile("patient")


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_caller() -> Iterator[None]:
    """Keep the settings of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("UNECHO_", "PREFECT_")):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a published warehouse that nothing was ingested into; do not write."""
    root = tmp_path_factory.mktemp("empty") / "warehouse"
    with open_warehouse(root):
        pass  # opening publishes
    return root


@pytest.fixture(scope="session")
def seed_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a warehouse that the seeds were ingested into; do not write to it."""
    from flows.ingest import run_ingest
    from flows.intake import Request
    from pipeline.settings import load_settings

    root = tmp_path_factory.mktemp("seeds") / "warehouse"
    settings = load_settings(warehouse=root)
    run_ingest([Request(specs=(str(SEEDS),))], settings, "seeds")
    return root
