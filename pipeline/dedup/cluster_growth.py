"""The compiled twin of `cluster_graph.ClusterGrowth`: its neighbours as flat rows of numbers."""

from __future__ import annotations

import numpy as np

from pipeline.dedup.cluster_graph import Flags, Graph, Numbers
from pipeline.text.kernels import kernel


def grown(graph: Graph) -> Numbers:
    """Return what `ClusterGrowth(graph).picks()` returns."""
    neighbours = _neighbours(graph.n_articles, graph.left, graph.right, graph.is_update)
    one, other = (np.ascontiguousarray(graph.apart[:, end]) for end in (0, 1))
    rivals = _neighbours(graph.n_articles, one, other, np.zeros(one.size, np.bool_))
    picks = np.empty(graph.n_articles, np.int64)
    ends = (np.ascontiguousarray(graph.left), np.ascontiguousarray(graph.right))
    ranks = np.ascontiguousarray(graph.ranks)
    grow = kernel("pipeline.dedup.cluster_growth_compiled", "grow")
    grow(*ends, *neighbours, *rivals[:2], ranks, picks)
    return picks


def _neighbours(
    n_articles: int, left: Numbers, right: Numbers, flags: Flags
) -> tuple[Numbers, Numbers, Flags]:
    """Return where the neighbours of each article start, the neighbours ascending, their flags."""
    one, other = np.concatenate((left, right)), np.concatenate((right, left))
    order = np.lexsort((other, one))
    starts = np.append(0, np.cumsum(np.bincount(one, minlength=n_articles)))
    return starts, other[order], np.concatenate((flags, flags))[order]
