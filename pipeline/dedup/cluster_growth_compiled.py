"""The compiled twin of `cluster_graph.ClusterGrowth`, for the edges of templates.

Members of a cluster hang in a chain of numbers, and so do those with a single edge inside; one who
has got a second edge leaves that chain when it is next gone through.
"""

from __future__ import annotations

import numba
import numpy as np

from pipeline.text.utf8_compiled import PLACES

_FLAGS = numba.types.Array(numba.bool_, 1, "C", readonly=True)
_kernel = numba.njit(nogil=True, boundscheck=False)

_SLOTS = 1 << 14
"""Pairs of clusters of which is kept in mind that they may not join."""


@_kernel
def _edge(edges, one, other):  # type: ignore[no-untyped-def]
    """Return 1 where the edge between two articles tells a version, 0 where not, -1 without one."""
    starts, partners, is_update = edges
    low, high = starts[one], starts[one + 1]
    if starts[other + 1] - starts[other] < high - low:
        one, other = other, one
        low, high = starts[one], starts[one + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if partners[middle] < other:
            low = middle + 1
        else:
            high = middle
    if low < end and partners[low] == other:
        return 1 if is_update[low] else 0
    return -1


@_kernel
def _stands(member, pick, winner, loser, edges, cluster_of, n_inside):  # type: ignore[no-untyped-def]
    """Return whether a member of the losing cluster would stand on the winner's pick."""
    needed = 2 - n_inside[member]
    if needed <= 0 or _edge(edges, member, pick) >= 0:
        return True
    starts, partners, is_update = edges
    for at in range(starts[member], starts[member + 1]):
        partner = partners[at]
        cluster = cluster_of[partner]
        if cluster == winner:
            needed -= 1
        if needed <= 0:
            return True
        if cluster in (winner, loser):
            to_pick = _edge(edges, partner, pick)
            if to_pick > 0 or (to_pick == 0 and is_update[at]):
                return True
    return False


@_kernel
def _are_apart(small, large, series, cluster_of, following):  # type: ignore[no-untyped-def]
    """Return whether a pair of one series has an article in each of two clusters."""
    starts, rivals = series
    member = small if rivals.size else -1
    while member >= 0:
        for at in range(starts[member], starts[member + 1]):
            if cluster_of[rivals[at]] == large:
                return True
        member = following[member]
    return False


@_kernel
def _all_stand(winner, loser, edges, cluster_of, pick, n_inside, weak):  # type: ignore[no-untyped-def]
    """Return whether the beaten pick and the weak members of the loser would stand."""
    new_pick = pick[winner]
    if not _stands(pick[loser], new_pick, winner, loser, edges, cluster_of, n_inside):
        return False
    first, following, last = weak
    before, member = -1, first[loser]
    while member >= 0:
        after = following[member]
        if n_inside[member] > 1:
            # It is weak no more: it leaves the chain.
            if before < 0:
                first[loser] = after
            else:
                following[before] = after
            if after < 0:
                last[loser] = before
        elif not _stands(member, new_pick, winner, loser, edges, cluster_of, n_inside):
            return False
        else:
            before = member
        member = after
    return True


@_kernel
def _join(small, large, edges, cluster_of, n_inside, chain, size):  # type: ignore[no-untyped-def]
    """Make the members of the small cluster members of the large one."""
    starts, partners, _ = edges
    following, last = chain
    member = small
    while member >= 0:
        for at in range(starts[member], starts[member + 1]):
            if cluster_of[partners[at]] == large:
                n_inside[member] += 1
                n_inside[partners[at]] += 1
        member = following[member]
    member = small
    while member >= 0:
        cluster_of[member] = large
        member = following[member]
    following[last[large]] = small
    last[large] = last[small]
    size[large] += size[small]


@_kernel
def _append(chain, to, first, last):  # type: ignore[no-untyped-def]
    """Hang a chain of weak members, from first to last, to that of a cluster."""
    heads, following, tails = chain
    if heads[to] < 0:
        heads[to] = first
    else:
        following[tails[to]] = first
    tails[to] = last


@numba.njit(
    numba.void(PLACES, PLACES, PLACES, PLACES, _FLAGS, PLACES, PLACES, PLACES, numba.int64[::1]),
    nogil=True,
    boundscheck=False,
)
def grow(  # type: ignore[no-untyped-def]
    left, right, starts, partners, is_update, apart_starts, apart, ranks, picks
):
    """Write the pick of each article's cluster once nothing joins any more.

    A cluster bears the number of the first article of its chain.
    """
    n = ranks.size
    edges, series = (starts, partners, is_update), (apart_starts, apart)
    cluster_of, pick = np.arange(n), np.arange(n)
    size, n_inside = np.ones(n, np.int64), np.zeros(n, np.int64)
    chain = (np.full(n, -1), np.arange(n))
    weak = (np.full(n, -1), np.full(n, -1), np.full(n, -1))
    waiting = np.arange(left.size)
    # Whether two clusters may join hangs on these two alone: a pair that was refused is so until
    # one of them grows. By the number of joins before.
    n_joins, grown_at = 0, np.zeros(n, np.int64)
    refused_at = np.full(_SLOTS, -1)
    refused_one, refused_other = np.zeros(_SLOTS, np.int64), np.zeros(_SLOTS, np.int64)
    n_waiting, joined = left.size, True
    while joined and n_waiting:
        joined, kept = False, 0
        for turn in range(n_waiting):
            edge = waiting[turn]
            one, other = cluster_of[left[edge]], cluster_of[right[edge]]
            if one == other:
                continue
            small, large = (one, other) if (size[one], one) < (size[other], other) else (other, one)
            slot = (small * 31 + large) & (_SLOTS - 1)
            if (
                refused_one[slot] == small
                and refused_other[slot] == large
                and refused_at[slot] >= max(grown_at[small], grown_at[large])
            ):
                waiting[kept] = edge
                kept += 1
                continue
            winner, loser = (one, other) if ranks[pick[one]] < ranks[pick[other]] else (other, one)
            if _are_apart(small, large, series, cluster_of, chain[0]) or not _all_stand(
                winner, loser, edges, cluster_of, pick, n_inside, weak
            ):
                refused_one[slot], refused_other[slot] = small, large
                refused_at[slot] = n_joins
                waiting[kept] = edge
                kept += 1
                continue
            joined = True
            n_joins += 1
            grown_at[large] = n_joins
            new_pick, beaten = pick[winner], pick[loser]
            _join(small, large, edges, cluster_of, n_inside, chain, size)
            pick[large] = new_pick
            if weak[0][small] >= 0:
                _append(weak, large, weak[0][small], weak[2][small])
            if n_inside[beaten] <= 1:
                weak[1][beaten] = -1
                _append(weak, large, beaten, beaten)
        n_waiting = kept
    for article in range(n):
        picks[article] = pick[cluster_of[article]]
