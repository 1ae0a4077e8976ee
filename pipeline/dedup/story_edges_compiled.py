"""Compiled twins of two steps over all edges of a large component, see `story_edges`."""

from __future__ import annotations

import numba
import numpy as np

from pipeline.text.utf8_compiled import PLACES

_RELATIONS = numba.types.Array(numba.int8, 1, "C", readonly=True)
_RATIOS = numba.types.Array(numba.float32, 1, "C", readonly=True)


@numba.njit(nogil=True, boundscheck=False)
def _is_before(one, other, left, right, relation, jaccard):  # type: ignore[no-untyped-def]
    """Return whether an edge is taken before another: by relation, falling Jaccard, ids."""
    if relation[one] != relation[other]:
        return relation[one] < relation[other]
    if jaccard[one] != jaccard[other]:
        return jaccard[one] > jaccard[other]
    if left[one] != left[other]:
        return left[one] < left[other]
    return right[one] < right[other]


@numba.njit(
    numba.void(PLACES, PLACES, _RELATIONS, _RATIOS, numba.int64, numba.int64[::1]),
    nogil=True,
    boundscheck=False,
)
def merge(left, right, relation, jaccard, n_first, order):  # type: ignore[no-untyped-def]
    """Write in which order two runs of edges are taken, the first `n_first` edges and the rest."""
    one, other = np.int64(0), n_first
    for at in range(order.size):
        if other >= left.size or (
            one < n_first and _is_before(one, other, left, right, relation, jaccard)
        ):
            order[at] = one
            one += 1
        else:
            order[at] = other
            other += 1


@numba.njit(
    numba.void(PLACES, PLACES, PLACES, PLACES, numba.int64[::1]), nogil=True, boundscheck=False
)
def closest(left, right, cluster, canonical, best):  # type: ignore[no-untyped-def]
    """Write of each article its edge to the canonical of its cluster, else its first one inside.

    `best` comes as -1; what stands there of canonicals means nothing.
    """
    for edge in range(left.size):
        one, other = left[edge], right[edge]
        if cluster[one] != cluster[other]:
            continue
        face = canonical[cluster[one]]
        if best[one] < 0 or face == other:
            best[one] = edge
        if best[other] < 0 or face == one:
            best[other] = edge
