"""The compiled twin of `cluster_graph.ClusterGrowth`, for the edges of templates.

Members of a cluster hang in a chain of numbers, and so do those with a single edge inside; one who
has got a second edge leaves that chain when it is next gone through.
"""

from __future__ import annotations

import numba
import numpy as np

from pipeline.dedup.cluster_graph import Graph, Numbers

_kernel = numba.njit(nogil=True, cache=True, boundscheck=False)


def grown(graph: Graph) -> Numbers:
    """Return what `ClusterGrowth(graph).picks()` returns."""
    n = graph.n_articles
    starts, partners, is_update = _neighbours(
        n,
        np.concatenate((graph.left, graph.right)),
        np.concatenate((graph.right, graph.left)),
        np.concatenate((graph.is_update, graph.is_update)),
    )
    series = graph.apart
    apart_starts, apart, _ = _neighbours(
        n,
        np.concatenate((series[:, 0], series[:, 1])),
        np.concatenate((series[:, 1], series[:, 0])),
        np.zeros(2 * len(series), np.bool_),
    )
    picks: Numbers = _grown(
        graph.left,
        graph.right,
        (starts, partners, is_update),
        (apart_starts, apart),
        np.ascontiguousarray(graph.ranks),
    )
    return picks


@_kernel
def _neighbours(n, one, other, flags):  # type: ignore[no-untyped-def]
    """Return where the neighbours of each article start, the neighbours ascending, their flags."""
    # Two passes of counting sort: by neighbour, then, keeping that order, by article.
    order = _counted(n, other, np.arange(one.size))
    order = _counted(n, one, order)
    starts = np.zeros(n + 1, np.int64)
    for article in one:
        starts[article + 1] += 1
    return np.cumsum(starts), other[order], flags[order]


@_kernel
def _counted(n, keys, order):  # type: ignore[no-untyped-def]
    """Return `order` sorted by key, equal keys as they stand."""
    place = np.zeros(n + 1, np.int64)
    for key in keys:
        place[key + 1] += 1
    place = np.cumsum(place)
    found = np.empty_like(order)
    for at in order:
        found[place[keys[at]]] = at
        place[keys[at]] += 1
    return found


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
def _grown(left, right, edges, series, ranks):  # type: ignore[no-untyped-def]
    """Return the pick of each article's cluster once nothing joins any more."""
    n = ranks.size
    starts, partners, _ = edges
    apart_starts, apart = series
    cluster_of, pick = np.arange(n), np.arange(n)
    size, n_inside = np.ones(n, np.int64), np.zeros(n, np.int64)
    following, last = np.full(n, -1), np.arange(n)
    weak_first, weak_following = np.full(n, -1), np.full(n, -1)
    weak_last = np.full(n, -1)
    waiting = np.arange(left.size)
    n_waiting, joined = left.size, True
    while joined and n_waiting:
        joined, kept = False, 0
        for turn in range(n_waiting):
            edge = waiting[turn]
            one, other = cluster_of[left[edge]], cluster_of[right[edge]]
            if one == other:
                continue
            small, large = (one, other) if (size[one], one) < (size[other], other) else (other, one)
            winner, loser = (one, other) if ranks[pick[one]] < ranks[pick[other]] else (other, one)
            may_join = True
            if apart.size:
                member = small
                while member >= 0 and may_join:
                    for at in range(apart_starts[member], apart_starts[member + 1]):
                        may_join = may_join and cluster_of[apart[at]] != large
                    member = following[member]
            new_pick, beaten = pick[winner], pick[loser]
            if may_join:
                may_join = _stands(beaten, new_pick, winner, loser, edges, cluster_of, n_inside)
            before, member = -1, weak_first[loser]
            while may_join and member >= 0:
                after = weak_following[member]
                if n_inside[member] > 1:
                    if before < 0:
                        weak_first[loser] = after
                    else:
                        weak_following[before] = after
                    if after < 0:
                        weak_last[loser] = before
                else:
                    may_join = _stands(member, new_pick, winner, loser, edges, cluster_of, n_inside)
                    before = member
                member = after
            if not may_join:
                waiting[kept] = edge
                kept += 1
                continue
            joined = True
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
            pick[large] = new_pick
            if weak_first[small] >= 0:
                if weak_first[large] < 0:
                    weak_first[large] = weak_first[small]
                else:
                    weak_following[weak_last[large]] = weak_first[small]
                weak_last[large] = weak_last[small]
            if n_inside[beaten] <= 1:
                weak_following[beaten] = -1
                if weak_first[large] < 0:
                    weak_first[large] = beaten
                else:
                    weak_following[weak_last[large]] = beaten
                weak_last[large] = beaten
        n_waiting = kept
    return pick[cluster_of]
