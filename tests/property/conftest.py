"""What the property tests need before the first of them is timed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session", autouse=True)
def _compiled_parsing() -> None:
    """Load the kernel that `parse` uses once numba is loaded: compiling takes seconds, once."""
    if find_spec("numba"):
        import pipeline.sources.json_scan_compiled  # noqa: F401
