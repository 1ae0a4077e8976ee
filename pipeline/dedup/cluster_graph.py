"""Clusters that grow on verified edges, without blind chaining.

Edges are taken by relation, falling Jaccard and ids; two clusters join over an edge when afterwards
every member stands: it has verified against the pick or against two members, or it is a version of
a copy, or a copy of a version, of the pick. Two articles of one series never meet in a cluster,
whoever vouches for them. The edges are gone through again until nothing joins, so that the result
is a function of the edge set.

Articles are numbers here, in the order of their ids. `ClusterGrowth` says what is computed;
`cluster_growth_compiled` computes the same for the edges of a template, a hundred an article.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Pair = tuple[int, int]

LEAST_EDGES = 20_000
"""So many edges repay the loading of the compiled growth (measured: 0.15 s plain)."""


@dataclass(frozen=True)
class Graph:
    """The verified edges among articles 0..n that put two into one story, the strongest first."""

    n_articles: int
    left: Numbers
    """The smaller number of each edge; no pair stands twice."""
    right: Numbers
    is_update: Flags
    """Whether the edge tells a version."""
    apart: Numbers
    """Pairs [m, 2] of one series."""
    ranks: Numbers
    """Place of each article in the order of the canonical policy, [n]."""


def are_many(n_edges: int) -> bool:
    """Return whether so many edges are gone through by compiled kernels."""
    return n_edges >= LEAST_EDGES and use_compiled(n_edges)


def picks_of(graph: Graph) -> Numbers:
    """Return the pick of the cluster that each article ends up in, int64 [n]."""
    if are_many(graph.left.size):
        from pipeline.dedup.cluster_growth import grown

        return grown(graph)
    n = graph.n_articles
    n_edges = np.bincount(graph.left, minlength=n) + np.bincount(graph.right, minlength=n)
    has_rival = np.zeros(n, np.bool_)
    has_rival[graph.apart] = True
    # Most stories are two articles that have no other edge, and nothing that keeps them apart.
    is_pair = (n_edges[graph.left] == 1) & (n_edges[graph.right] == 1) & ~has_rival[graph.left]
    picks = np.arange(n)
    left, right = graph.left[is_pair], graph.right[is_pair]
    is_left = graph.ranks[left] < graph.ranks[right]
    picks[np.where(is_left, right, left)] = np.where(is_left, left, right)
    if is_pair.all():
        return picks
    is_done = n_edges == 0
    is_done[left] = is_done[right] = True
    rest = np.flatnonzero(~is_done)
    picks[rest] = rest[ClusterGrowth(_part(graph, rest, ~is_pair)).picks()]
    return picks


def _part(graph: Graph, articles: Numbers, is_kept: Flags) -> Graph:
    """Return the graph of some articles and edges, which all lead from these to these."""
    place = np.full(graph.n_articles, -1)
    place[articles] = np.arange(articles.size)
    apart = place[graph.apart]
    return Graph(
        articles.size,
        place[graph.left[is_kept]],
        place[graph.right[is_kept]],
        graph.is_update[is_kept],
        apart[(apart >= 0).all(axis=1)],
        graph.ranks[articles],
    )


def components(left: Numbers, right: Numbers, n_articles: int) -> Numbers:
    """Return the smallest article of the connected component of each article, int64 [n]."""
    if are_many(left.size):
        from pipeline.dedup.cluster_growth import connected

        return connected(left, right, n_articles)
    smallest = np.arange(n_articles)
    while left.size:
        low = np.minimum(smallest[left], smallest[right])
        # What each end is led to is led on to the smaller of both; then every way is shortened.
        np.minimum.at(smallest, smallest[left], low)
        np.minimum.at(smallest, smallest[right], low)
        while (shorter := smallest[smallest]).tobytes() != smallest.tobytes():
            smallest = shorter
        is_open = smallest[left] != smallest[right]
        left, right = left[is_open], right[is_open]
    return smallest


class ClusterGrowth:
    """The clusters of a graph, and how they grow."""

    def __init__(self, graph: Graph) -> None:
        """Start with every article as a cluster of its own, and its own pick."""
        n = graph.n_articles
        self._ranks: list[int] = graph.ranks.tolist()
        self._pairs: list[Pair] = list(zip(graph.left.tolist(), graph.right.tolist(), strict=True))
        self._is_update = dict(zip(self._pairs, graph.is_update.tolist(), strict=True))
        self._partners: list[list[int]] = [[] for _ in range(n)]
        for left, right in self._pairs:
            self._partners[left].append(right)
            self._partners[right].append(left)
        self._apart: dict[int, set[int]] = {}
        for left, right in graph.apart.tolist():
            self._apart.setdefault(left, set()).add(right)
            self._apart.setdefault(right, set()).add(left)
        self._cluster_of = list(range(n))
        self._members = [[article] for article in range(n)]
        self._pick = list(range(n))
        self._n_edges_inside = [0] * n
        # Members with a single edge inside their cluster: it leads to the pick or a step from it.
        self._weak: list[set[int]] = [set() for _ in range(n)]

    def picks(self) -> list[int]:
        """Return the pick of each article's cluster once nothing joins any more."""
        waiting, joined = self._pairs, True
        while joined and waiting:
            joined, apart = False, []
            for pair in waiting:
                one, other = self._cluster_of[pair[0]], self._cluster_of[pair[1]]
                if one == other:
                    continue
                if self._may_join(one, other):
                    self._join(one, other)
                    joined = True
                else:
                    apart.append(pair)
            waiting = apart
        return [self._pick[cluster] for cluster in self._cluster_of]

    def _may_join(self, one: int, other: int) -> bool:
        """Return whether every member would stand.

        Only members of the cluster that loses its pick can be left without: those with a single
        edge, and the pick that is beaten.
        """
        if self._are_apart(one, other):
            return False
        winner, loser = self._by_rank(one, other)
        waiting = self._weak[loser] | {self._pick[loser]}
        return all(self._stands(member, winner, loser) for member in waiting)

    def _by_rank(self, one: int, other: int) -> Pair:
        """Return two clusters, the one whose pick stays the pick first."""
        is_first = self._ranks[self._pick[one]] < self._ranks[self._pick[other]]
        return (one, other) if is_first else (other, one)

    def _are_apart(self, one: int, other: int) -> bool:
        """Return whether a pair of one series has an article in each of two clusters."""
        if not self._apart:
            return False
        small, large = sorted((one, other), key=lambda c: len(self._members[c]))
        return any(
            self._cluster_of[rival] == large
            for member in self._members[small]
            for rival in self._apart.get(member, ())
        )

    def _stands(self, member: int, winner: int, loser: int) -> bool:
        """Return whether a member of the losing cluster would stand on the winner's pick."""
        pick = self._pick[winner]
        needed = 2 - self._n_edges_inside[member]
        if needed <= 0 or self._edge(member, pick) is not None:
            return True
        for partner in self._partners[member]:
            cluster = self._cluster_of[partner]
            needed -= cluster == winner
            if needed <= 0:
                return True
            if cluster in (winner, loser):
                to_pick = self._edge(partner, pick)
                if to_pick is not None and (to_pick or self._edge(member, partner)):
                    return True
        return False

    def _edge(self, one: int, other: int) -> bool | None:
        """Return whether the edge between two articles tells a version, None without one."""
        return self._is_update.get((one, other) if one < other else (other, one))

    def _join(self, one: int, other: int) -> None:
        winner, loser = self._by_rank(one, other)
        kept, beaten = self._pick[winner], self._pick[loser]
        small, large = sorted((one, other), key=lambda c: (len(self._members[c]), c))
        touched = set(self._members[small])
        for member in self._members[small]:
            for partner in self._partners[member]:
                if self._cluster_of[partner] == large:
                    touched.add(partner)
                    self._n_edges_inside[member] += 1
                    self._n_edges_inside[partner] += 1
        for member in self._members[small]:
            self._cluster_of[member] = large
        self._members[large] += self._members[small]
        self._members[small] = []
        self._pick[large] = kept
        weak = self._weak[large]
        weak |= self._weak[small] | {beaten}
        weak -= {m for m in touched | {kept, beaten} if self._n_edges_inside[m] > 1 or m == kept}
