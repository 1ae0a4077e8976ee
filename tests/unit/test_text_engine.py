"""How numba is loaded: what our kernels need of it, and nothing lost for others."""

import subprocess
import sys

import pytest

pytest.importorskip("numba")

LOADED = """
import sys
from pipeline.text.engine import load_without_blas
load_without_blas()
from pipeline.dedup.batch import load_kernels
load_kernels(1_000_000)
assert "numba" in sys.modules
assert "scipy.linalg" not in sys.modules
import scipy.linalg.cython_blas
load_without_blas()
assert "scipy.linalg.cython_blas" in sys.modules
"""


def test_scipy_is_not_loaded_for_kernels_and_can_be_loaded_afterwards():
    pytest.importorskip("scipy")
    subprocess.run([sys.executable, "-c", LOADED], check=True)
