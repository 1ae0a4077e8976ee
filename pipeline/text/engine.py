"""Two engines, one result: numpy is always there, numba compiles the same kernels for big batches.

Loading numba costs a process about 0.8 s, more than numpy takes to sign a few thousand articles:
a short command never loads it. Every compiled kernel has a plain twin that gives the same result,
bit for bit; the tests hold both equal.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Literal

Engine = Literal["auto", "numpy", "compiled"]

LEAST_ARTICLES = 2_000
"""A batch of so many articles repays the loading of the compiled kernels."""

_chosen: Engine = "auto"


def choose_engine(engine: Engine) -> None:
    """Choose the engine of this process: `auto` compiles large batches where numba is installed."""
    global _chosen
    _chosen = engine


def chosen_engine() -> Engine:
    """Return the engine of this process, to hand it on to a worker."""
    return _chosen


def use_compiled(n_articles: int) -> bool:
    """Return whether a stage should run its compiled kernel on a batch of `n_articles`.

    Once numba is loaded, small batches use it too.
    """
    if _chosen == "numpy":
        return False
    if _chosen == "compiled":
        return True
    if "numba" in sys.modules:
        return True
    return n_articles >= LEAST_ARTICLES and find_spec("numba") is not None


def load_without_blas() -> None:
    """Load numba without scipy, for a process that is all ours: 0.25 s of CPU less.

    numba looks once, when its arrays are first used, whether scipy can multiply matrices; no
    kernel of ours does. Where numba is not installed, or loaded already, nothing happens.
    """
    if not find_spec("numba") or "numba" in sys.modules:
        return
    sought = "scipy.linalg.cython_blas"
    is_hidden = sys.modules.setdefault(sought, None) is None  # type: ignore[arg-type]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        if is_hidden:
            del sys.modules[sought]
