"""Clusters that grow on verified edges, without blind chaining.

Edges are taken by relation, falling Jaccard and ids; two clusters join over an edge when afterwards
every member stands: it has verified against the pick or against two members, or it is a version of
a copy, or a copy of a version, of the pick. Two articles of one series never meet in a cluster,
whoever vouches for them. The edges are gone through again until nothing joins, so that the result
is a function of the edge set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.contracts import RELATIONS

Row = dict[str, Any]
Rank = tuple[Any, ...]
Pair = tuple[bytes, bytes]

_RANK = {relation: rank for rank, relation in enumerate(RELATIONS)}


class ClusterGraph:
    """The verified edges of some components, and the clusters that grow on them."""

    def __init__(
        self, duplicates: Iterable[Row], apart: Iterable[Pair], ranks: Mapping[bytes, Rank]
    ) -> None:
        """Start with every article of `ranks` as a cluster of its own, and its own pick.

        Args:
            duplicates: edges (VERIFIED rows) that put both articles into one story.
            apart: pairs of one series; those that are not in `ranks` are passed over.
            ranks: sort key of each article that has an edge; the smallest is the pick.
        """
        self.ranks = ranks
        ordered = sorted(duplicates, key=strength)
        self.edges: dict[Pair, Row] = {(r["left_id"], r["right_id"]): r for r in ordered}
        self.partners: dict[bytes, list[bytes]] = {article: [] for article in ranks}
        for left, right in self.edges:
            self.partners[left].append(right)
            self.partners[right].append(left)
        self._apart: dict[bytes, set[bytes]] = {}
        for left, right in apart:
            self._apart.setdefault(left, set()).add(right)
            self._apart.setdefault(right, set()).add(left)
        self.components = _components(self.edges)
        self._cluster_of = {article: number for number, article in enumerate(ranks)}
        self._members = [[article] for article in ranks]
        self._pick = list(ranks)
        self._n_edges_inside = dict.fromkeys(ranks, 0)
        # Members with a single edge inside their cluster: it leads to the pick or a step from it.
        self._weak: list[set[bytes]] = [set() for _ in ranks]

    def edge(self, one: bytes, other: bytes) -> Row | None:
        """Return the edge between two articles, None when they did not verify."""
        return self.edges.get((min(one, other), max(one, other)))

    def clusters(self) -> list[list[bytes]]:
        """Return the members of each cluster once nothing joins any more, the pick first."""
        waiting, joined = list(self.edges), True
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
        return [
            [pick, *(m for m in members if m != pick)]
            for pick, members in zip(self._pick, self._members, strict=True)
            if members
        ]

    def versions_of(self, pick: bytes, cluster: Iterable[bytes]) -> list[bytes]:
        """Return the members of a cluster that a chain of `update` edges ties to its pick."""
        waiting, reached = set(cluster) - {pick}, [pick]
        for version in reached:
            found = sorted(m for m in waiting if self._is_update(m, version))
            waiting.difference_update(found)
            reached += found
        return sorted(reached[1:])

    def _may_join(self, one: int, other: int) -> bool:
        """Return whether every member would stand.

        Only members of the cluster that loses its pick can be left without: those with a single
        edge, and the pick that is beaten.
        """
        if self._are_apart(one, other):
            return False
        winner, loser = sorted((one, other), key=lambda c: self.ranks[self._pick[c]])
        waiting = self._weak[loser] | {self._pick[loser]}
        return all(self._stands(member, winner, loser) for member in waiting)

    def _are_apart(self, one: int, other: int) -> bool:
        """Return whether a pair of one series has an article in each of two clusters."""
        small, large = sorted((one, other), key=lambda c: len(self._members[c]))
        return any(
            self._cluster_of.get(rival) == large
            for member in self._members[small]
            for rival in self._apart.get(member, ())
        )

    def _stands(self, member: bytes, winner: int, loser: int) -> bool:
        """Return whether a member of the losing cluster would stand on the winner's pick."""
        pick = self._pick[winner]
        needed = 2 - self._n_edges_inside[member]
        if needed <= 0 or self.edge(member, pick):
            return True
        for partner in self.partners[member]:
            cluster = self._cluster_of[partner]
            needed -= cluster == winner
            if needed <= 0:
                return True
            if (
                cluster in (winner, loser)
                and self.edge(partner, pick)
                and (self._is_update(partner, pick) or self._is_update(member, partner))
            ):
                return True
        return False

    def _is_update(self, one: bytes, other: bytes) -> bool:
        edge = self.edge(one, other)
        return edge is not None and edge["relation"] == "update"

    def _join(self, one: int, other: int) -> None:
        small, large = sorted((one, other), key=lambda c: (len(self._members[c]), c))
        touched = set(self._members[small])
        for member in self._members[small]:
            for partner in self.partners[member]:
                if self._cluster_of[partner] == large:
                    touched.add(partner)
                    self._n_edges_inside[member] += 1
                    self._n_edges_inside[partner] += 1
        for member in self._members[small]:
            self._cluster_of[member] = large
        self._members[large] += self._members[small]
        self._members[small] = []
        rivals = sorted((self._pick[one], self._pick[other]), key=self.ranks.__getitem__)
        self._pick[large] = rivals[0]
        weak = self._weak[large]
        weak |= self._weak[small] | {rivals[1]}
        weak -= {m for m in touched | {*rivals} if self._n_edges_inside[m] > 1 or m == rivals[0]}


def strength(edge: Row) -> tuple[int, float, bytes, bytes]:
    """Return the place of an edge in the order in which edges are taken."""
    return (_RANK[edge["relation"]], -edge["jaccard"], edge["left_id"], edge["right_id"])


def _components(pairs: Iterable[Pair]) -> dict[bytes, bytes]:
    """Return the smallest article of the connected component of each article that has an edge."""
    parent: dict[bytes, bytes] = {}

    def root(article: bytes) -> bytes:
        while (above := parent.setdefault(article, article)) != article:
            parent[article] = parent[above]
            article = above
        return article

    for left, right in pairs:
        first, second = sorted((root(left), root(right)))
        parent[second] = first
    return {article: root(article) for article in parent}
