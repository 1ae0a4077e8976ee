"""The compiled twins of `cluster_graph`: neighbours as flat rows of numbers, one look an edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.dedup.cluster_graph import Flags, Graph, Numbers
from pipeline.text.kernels import kernel

_COMPILED = "pipeline.dedup.cluster_growth_compiled"

Neighbours = tuple[Numbers, NDArray[np.int32], Flags]


def grown(graph: Graph) -> Numbers:
    """Return what `ClusterGrowth(graph).picks()` returns."""
    n, ends = graph.n_articles, _ends(graph.left, graph.right)
    neighbours = _neighbours(n, *ends, graph.is_update)
    one, other = _ends(graph.apart[:, 0], graph.apart[:, 1])
    rivals = _neighbours(n, one, other, np.zeros(one.size, np.bool_))
    picks = np.empty(n, np.int64)
    ranks = np.ascontiguousarray(graph.ranks)
    kernel(_COMPILED, "grow")(*ends, *neighbours, *rivals[:2], ranks, picks)
    return picks


def connected(left: Numbers, right: Numbers, n_articles: int) -> Numbers:
    """Return what `cluster_graph.components` returns."""
    smallest = np.arange(n_articles)
    kernel(_COMPILED, "connect")(*_ends(left, right), smallest)
    return smallest


def _ends(left: Numbers, right: Numbers) -> tuple[Numbers, Numbers]:
    return np.ascontiguousarray(left), np.ascontiguousarray(right)


def _neighbours(n_articles: int, left: Numbers, right: Numbers, flags: Flags) -> Neighbours:
    """Return where the neighbours of each article start, the neighbours ascending, their flags."""
    starts = np.zeros(n_articles + 1, np.int64)
    partners, is_flagged = np.empty(2 * left.size, np.int32), np.empty(2 * left.size, np.bool_)
    kernel(_COMPILED, "lay_out")(left, right, flags, starts, partners, is_flagged)
    return starts, partners, is_flagged
