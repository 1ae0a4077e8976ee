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
    # A neighbour, with its article before it and its flag behind it, is one word to sort.
    n_bits = np.uint64(max(n_articles - 1, 1).bit_length())
    one, other = (np.concatenate(ends).astype(np.uint64) for ends in ((left, right), (right, left)))
    words = np.sort((one << n_bits | other) << np.uint64(1) | np.concatenate((flags, flags)))
    starts = np.append(0, np.cumsum(np.bincount(one.view(np.int64), minlength=n_articles)))
    partners = words >> np.uint64(1) & (np.uint64(1) << n_bits) - np.uint64(1)
    return starts, partners.view(np.int64), (words & np.uint64(1)).astype(np.bool_)
