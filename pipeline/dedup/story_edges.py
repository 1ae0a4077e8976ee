"""Edges between the articles of stories, by number: their ends, and the order that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contracts import RELATIONS
from pipeline.dedup.cluster_graph import are_many
from pipeline.dedup.mapped import Words, id_words, place_of
from pipeline.text.kernels import kernel

Numbers = NDArray[np.int64]
Ratios = NDArray[np.float32]

ENDS = ("left_id", "right_id")
_RATIOS = ("jaccard", "left_containment", "right_containment")
PLACING_COLUMNS = (*ENDS, "relation", "is_duplicate", *_RATIOS)
"""What of an edge decides on stories."""

_COMPILED = "pipeline.dedup.story_edges_compiled"

_ONE = int(np.float32(1).view(np.uint32))


@dataclass(frozen=True)
class NumberedEdges:
    """Edges between articles by number, in any order; all arrays [n]."""

    left: Numbers
    """Number of the article, -1 for one that is no member."""
    right: Numbers
    relation: NDArray[np.int8]
    """Place among `RELATIONS`."""
    jaccard: Ratios
    left_containment: Ratios
    right_containment: Ratios

    @classmethod
    def of(cls, table: pa.Table, ids: Words) -> NumberedEdges:
        """Number the ends of rows of PLACING_COLUMNS by `ids` (sorted)."""
        left, right = (place_of(id_words(table[end]), ids) for end in ENDS)
        relation = pc.index_in(table["relation"], pa.array(RELATIONS, pa.string()))
        ratios = (table[name].to_numpy().astype(np.float32) for name in _RATIOS)
        return cls(left, right, np.asarray(relation).astype(np.int8), *ratios)

    @classmethod
    def joined(cls, parts: Sequence[NumberedEdges]) -> NumberedEdges:
        """Return the edges of several, one part after the other."""
        columns = zip(*(part._columns() for part in parts), strict=True)
        return parts[0] if len(parts) == 1 else cls(*(np.concatenate(c) for c in columns))

    def _columns(self) -> tuple[NDArray[Any], ...]:
        ends = (self.left, self.right, self.relation)
        return (*ends, self.jaccard, self.left_containment, self.right_containment)

    def taken(self, places: Numbers | NDArray[np.bool_]) -> NumberedEdges:
        """Return some of the edges, by their places or by a flag for each."""
        return NumberedEdges(*(column[places] for column in self._columns()))

    def renumbered(self, place: Numbers) -> NumberedEdges:
        """Return the edges between other numbers: `place` of each."""
        return replace(self, left=place[self.left], right=place[self.right])

    def strongest_first(self, n_articles: int) -> NumberedEdges:
        """Return each edge once, in the order in which they are taken: relation, Jaccard, ids."""
        pair = self.left * n_articles + self.right
        by_ids = ordered_places(pair.view(np.uint64), n_articles * n_articles)
        pair = pair[by_ids]
        by_ids = by_ids[np.append(True, pair[1:] != pair[:-1])[: pair.size]]
        # The bits of a float between 0 and 1 order like it, and are below 2^30.
        jaccard = self.jaccard[by_ids].view(np.uint32)
        strength = self.relation[by_ids].astype(np.uint64) << np.uint64(30)
        strength |= np.uint64(_ONE) - jaccard.astype(np.uint64)
        return self.taken(by_ids[ordered_places(strength, 1 << 33)])

    def closest(self, cluster: Numbers, canonical: Numbers) -> Numbers:
        """Return of each article its edge to the canonical of its cluster, else its first inside.

        Args:
            cluster: of each article.
            canonical: of each cluster.

        Returns:
            Places of edges, which are the strongest first; -1 of articles without an edge inside
            their cluster. What stands there of canonicals means nothing.
        """
        best = np.full(cluster.size, -1)
        if are_many(self.left.size):
            kernel(_COMPILED, "closest")(*self._ends(), cluster, canonical, best)
            return best
        inside = np.flatnonzero(cluster[self.left] == cluster[self.right])
        left, right = self.left[inside], self.right[inside]
        # Of several that are written last the first counts.
        best[right[::-1]] = inside[::-1]
        both = np.full(cluster.size, self.left.size)
        both[left[::-1]] = inside[::-1]
        best = np.where(best < 0, both, np.minimum(best, both))
        best[best == self.left.size] = -1
        face = canonical[cluster[left]]
        best[right[face == left]] = inside[face == left]
        best[left[face == right]] = inside[face == right]
        return best

    def _ends(self) -> tuple[Numbers, Numbers]:
        return np.ascontiguousarray(self.left), np.ascontiguousarray(self.right)


@dataclass(frozen=True)
class KnownEdges:
    """Edges that make duplicates, among articles that are numbered already.

    As `derive_stories` leaves them: each once, the strongest first.
    """

    ids: Words
    """Of the articles, sorted."""
    edges: NumberedEdges

    def among(self, ids: Words) -> NumberedEdges:
        """Return the edges by the numbers of more articles, `ids` (sorted)."""
        return self.edges.renumbered(place_of(self.ids, ids))

    def without(self, pairs: pa.Table, articles: pa.Array) -> KnownEdges:
        """Return the edges that are none of these pairs (left_id, right_id) and have no such end.

        The order of the edges stays.
        """
        edges, n = self.edges, len(self.ids)
        if len(articles):
            is_gone = np.zeros(n + 1, np.bool_)
            # Articles that are not among these have number -1: the last flag, which no edge asks.
            is_gone[place_of(id_words(articles), self.ids)] = True
            edges = edges.taken(~(is_gone[edges.left] | is_gone[edges.right]))
        left, right = (place_of(id_words(pairs[end]), self.ids) for end in ENDS)
        gone = np.sort((left * n + right)[(left >= 0) & (right >= 0)])
        if gone.size:
            # Most edges have an end that no pair has: only the others are looked for.
            is_end = np.zeros((2, n), np.bool_)
            is_end[0, gone // n] = is_end[1, gone % n] = True
            asked = np.flatnonzero(is_end[0, edges.left] & is_end[1, edges.right])
            pair = edges.left[asked] * n + edges.right[asked]
            nearest = np.minimum(np.searchsorted(gone, pair), gone.size - 1)
            is_kept = np.ones(edges.left.size, np.bool_)
            is_kept[asked] = gone[nearest] != pair
            edges = edges.taken(is_kept)
        return KnownEdges(self.ids, edges)

    def only(self, is_kept: NDArray[np.bool_]) -> KnownEdges:
        """Return the edges of whole components, by a flag for each article."""
        if is_kept.all():
            return self
        edges = self.edges.taken(is_kept[self.edges.left])
        return KnownEdges(self.ids[is_kept], edges.renumbered(np.cumsum(is_kept) - 1))


def taken_in_order(
    runs: Sequence[NumberedEdges], more: NumberedEdges, n_articles: int
) -> NumberedEdges:
    """Return all edges once, in the order in which they are taken (`strongest_first`).

    Args:
        runs: edges that are in this order already, no pair twice in all of them.
        more: others in any order; a pair may be among the runs too.
        n_articles: above every number of an article.
    """
    longest = max(runs, key=lambda run: run.left.size, default=more)
    if longest is more or not are_many(longest.left.size):
        return NumberedEdges.joined([*runs, more]).strongest_first(n_articles)
    others = [run for run in runs if run is not longest]
    rest = NumberedEdges.joined([*others, more]).strongest_first(n_articles)
    if _may_share_pairs(longest, rest, n_articles):
        return NumberedEdges.joined([longest, rest]).strongest_first(n_articles)
    both = NumberedEdges.joined([longest, rest])
    order = np.empty(both.left.size, np.int64)
    strength = both.relation, both.jaccard
    kernel(_COMPILED, "merge")(*both._ends(), *strength, longest.left.size, order)
    return both.taken(order)


def _may_share_pairs(edges: NumberedEdges, few: NumberedEdges, n_articles: int) -> bool:
    """Return whether some pair may be in both: new edges lead to an article that is new."""
    is_end = np.zeros((2, n_articles), np.bool_)
    is_end[0, edges.left] = is_end[1, edges.right] = True
    return bool((is_end[0, few.left] & is_end[1, few.right]).any())


def ordered_places(values: NDArray[np.uint64], below: int) -> Numbers:
    """Return the places of values in rising order, equal ones as they stand.

    A value and its place in one word: numpy sorts words ten times as fast as places.

    Args:
        values: uint64 [n].
        below: what every value is below.
    """
    n_bits = max(values.size - 1, 1).bit_length()
    if n_bits + (below - 1).bit_length() > 64:
        return np.argsort(values, kind="stable")
    words = values << np.uint64(n_bits) | np.arange(values.size, dtype=np.uint64)
    places = np.sort(words) & np.uint64((1 << n_bits) - 1)
    return places.view(np.int64)


def refuse_strays(table: pa.Table, edges: NumberedEdges) -> None:
    """Raise `LookupError` where an edge, numbered from its row of the table, names no member."""
    for number, end in ((edges.left, ENDS[0]), (edges.right, ENDS[1])):
        if (is_stray := number < 0).any():
            stray = pc.unique(table[end].filter(pa.array(is_stray))).sort()
            raise LookupError(f"{len(stray)} edges name no member, one is {stray[0].as_py().hex()}")


def pairs_of_series(placing: pa.Table, ids: Words) -> Numbers:
    """Return the pairs [n, 2] of members that are of one series and make no story."""
    edges = NumberedEdges.of(only(placing, "series"), ids)
    pairs = np.stack((edges.left, edges.right), axis=1)
    return pairs[(pairs >= 0).all(axis=1)]


def only(edges: pa.Table, relation: str) -> pa.Table:
    """Return the edges of one relation."""
    return edges.filter(pc.equal(edges["relation"], relation))
