"""The compiled twins of what `cluster_graph` does, for the edges of templates.

Members of a cluster hang in a chain of numbers, and so do those with a single edge inside; one who
has got a second edge leaves that chain when it is next gone through.
"""

from __future__ import annotations

import numba
import numpy as np

from pipeline.text.utf8_compiled import PLACES

_FLAGS = numba.types.Array(numba.bool_, 1, "C", readonly=True)
_PARTNERS = numba.types.Array(numba.int32, 1, "C", readonly=True)
_kernel = numba.njit(nogil=True, boundscheck=False)

_SLOTS = 1 << 14
"""Pairs of clusters of which is kept in mind that they may not join."""
_FOR_GOOD = 1 << 62
"""Joins that no graph has."""


@numba.njit(
    numba.void(PLACES, PLACES, _FLAGS, numba.int64[::1], numba.int32[::1], numba.bool_[::1]),
    nogil=True,
    boundscheck=False,
)
def lay_out(left, right, flags, starts, partners, is_flagged):  # type: ignore[no-untyped-def]
    """Write where the neighbours of each article start, the neighbours ascending, and their flags.

    Ends are dealt out twice, by the neighbour and then by the article: what was in order of the
    neighbour stays so. `starts` is all zero, [n + 1].
    """
    n = starts.size - 1
    for edge in range(left.size):
        starts[left[edge] + 1] += 1
        starts[right[edge] + 1] += 1
    for article in range(n):
        starts[article + 1] += starts[article]
    free = starts.copy()
    dealt = np.empty(2 * left.size, np.int32)
    is_dealt_flagged = np.empty(2 * left.size, np.bool_)
    for edge in range(left.size):
        one, other, flag = left[edge], right[edge], flags[edge]
        dealt[free[one]], is_dealt_flagged[free[one]] = other, flag
        free[one] += 1
        dealt[free[other]], is_dealt_flagged[free[other]] = one, flag
        free[other] += 1
    for article in range(n):
        free[article] = starts[article]
    for partner in range(n):
        for at in range(starts[partner], starts[partner + 1]):
            to = free[dealt[at]]
            partners[to], is_flagged[to] = partner, is_dealt_flagged[at]
            free[dealt[at]] += 1


@numba.njit(numba.void(PLACES, PLACES, numba.int64[::1]), nogil=True, boundscheck=False)
def connect(left, right, smallest):  # type: ignore[no-untyped-def]
    """Write the smallest article of the component of each; `smallest` comes as 0, 1, 2, …."""
    for edge in range(left.size):
        one, other = left[edge], right[edge]
        while smallest[one] != one:
            smallest[one] = smallest[smallest[one]]
            one = smallest[one]
        while smallest[other] != other:
            smallest[other] = smallest[smallest[other]]
            other = smallest[other]
        smallest[max(one, other)] = min(one, other)
    # What an article is led to is smaller, and is led to its end already.
    for article in range(smallest.size):
        smallest[article] = smallest[smallest[article]]


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
def _are_apart(fewer, more, series, cluster_of, following):  # type: ignore[no-untyped-def]
    """Return whether a pair of one series has an article in each of two clusters.

    Asked are the members of the one that has fewer such pairs.
    """
    starts, rivals = series
    member = fewer if rivals.size else -1
    while member >= 0:
        for at in range(starts[member], starts[member + 1]):
            if cluster_of[rivals[at]] == more:
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
    numba.void(
        *(PLACES, PLACES, PLACES, _PARTNERS, _FLAGS, PLACES, _PARTNERS, PLACES, numba.int64[::1])
    ),
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
    n_rivals = apart_starts[1:] - apart_starts[:-1]
    chain = (np.full(n, -1), np.arange(n))
    weak = (np.full(n, -1), np.full(n, -1), np.full(n, -1))
    waiting = np.arange(left.size)
    # Whether two clusters may join hangs on these two alone: a pair that was refused is so until
    # one of them grows, by the number of joins before; what a series keeps apart stays so.
    n_joins, grown_at = 0, np.zeros(n, np.int64)
    refused, refused_at = np.full(_SLOTS, -1), np.zeros(_SLOTS, np.int64)
    n_waiting, joined = left.size, True
    while joined and n_waiting:
        joined, kept = False, 0
        for turn in range(n_waiting):
            edge = waiting[turn]
            one, other = cluster_of[left[edge]], cluster_of[right[edge]]
            if one == other:
                continue
            pair = min(one, other) * n + max(one, other)
            slot = (min(one, other) * 31 + max(one, other)) & (_SLOTS - 1)
            if refused[slot] == pair:
                if refused_at[slot] == _FOR_GOOD:
                    continue
                if refused_at[slot] >= max(grown_at[one], grown_at[other]):
                    waiting[kept] = edge
                    kept += 1
                    continue
            small, large = (one, other) if (size[one], one) < (size[other], other) else (other, one)
            fewer, more = (small, large) if n_rivals[small] < n_rivals[large] else (large, small)
            if _are_apart(fewer, more, series, cluster_of, chain[0]):
                refused[slot], refused_at[slot] = pair, _FOR_GOOD
                continue
            winner, loser = (one, other) if ranks[pick[one]] < ranks[pick[other]] else (other, one)
            if not _all_stand(winner, loser, edges, cluster_of, pick, n_inside, weak):
                refused[slot], refused_at[slot] = pair, n_joins
                waiting[kept] = edge
                kept += 1
                continue
            joined = True
            n_joins += 1
            grown_at[large] = n_joins
            new_pick, beaten = pick[winner], pick[loser]
            _join(small, large, edges, cluster_of, n_inside, chain, size)
            pick[large] = new_pick
            n_rivals[large] += n_rivals[small]
            if weak[0][small] >= 0:
                _append(weak, large, weak[0][small], weak[2][small])
            if n_inside[beaten] <= 1:
                weak[1][beaten] = -1
                _append(weak, large, beaten, beaten)
        n_waiting = kept
    for article in range(n):
        picks[article] = pick[cluster_of[article]]
