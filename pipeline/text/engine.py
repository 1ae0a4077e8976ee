"""Two engines, one result: numpy is always there, numba compiles the same kernels for big batches.

Loading the kernels costs a process 0.05 s where set-up has compiled them (`kernels`), as much as
numpy takes longer for a few hundred articles: a short command never loads them. Every compiled
kernel has a plain twin that gives the same result, bit for bit; the tests hold both equal.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from pipeline.text import kernels

Engine = Literal["auto", "numpy", "compiled"]

LEAST_ARTICLES = 2_000
"""A batch of so many articles repays the compiling of kernels, once for all."""
LEAST_WHERE_KEPT = 300
"""A batch of so many articles repays the loading of compiled kernels."""

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

    Once kernels are loaded, small batches use them too.
    """
    if _chosen == "numpy":
        return False
    if _chosen == "compiled":
        return True
    if kernels.any_loaded():
        return True
    least = LEAST_WHERE_KEPT if kernels.any_kept() else LEAST_ARTICLES
    return n_articles >= least and find_spec("numba") is not None
