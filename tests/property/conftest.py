"""What the property tests need before the first of them is timed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from pipeline.text.fold_tables import combining_code_points
from pipeline.text.kernels import kernel


@pytest.fixture(scope="session", autouse=True)
def _compiled_parsing() -> None:
    """Load what `parse` needs before an example is timed: compiling takes seconds, once."""
    combining_code_points()
    if find_spec("numba"):
        kernel("pipeline.sources.json_scan_compiled", "scan_objects")
