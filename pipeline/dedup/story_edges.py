"""Edges between the articles of stories, by number: their ends, and the order that they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contracts import RELATIONS
from pipeline.dedup.mapped import Words, id_words, place_of

Numbers = NDArray[np.int64]

ENDS = ("left_id", "right_id")
PLACING_COLUMNS = (
    *ENDS,
    *("relation", "is_duplicate", "jaccard", "left_containment", "right_containment"),
)
"""What of an edge decides on stories."""

_ONE = int(np.float32(1).view(np.uint32))


@dataclass(frozen=True)
class NumberedEdges:
    """Rows of PLACING_COLUMNS between articles by number."""

    table: pa.Table
    rows: Numbers
    """The row of each edge in the table."""
    left: Numbers
    """Number of the article, -1 for one that is no member."""
    right: Numbers
    relation: Numbers
    """Place among `RELATIONS`."""

    @classmethod
    def of(cls, table: pa.Table, ids: Words) -> NumberedEdges:
        """Number the ends of the rows by `ids` (sorted)."""
        left, right = (place_of(id_words(table[end]), ids) for end in ENDS)
        relation = pc.index_in(table["relation"], pa.array(RELATIONS, pa.string()))
        return cls(table, np.arange(left.size), left, right, np.asarray(relation).astype(np.int64))

    def column(self, name: str) -> Any:
        """Return a column of numbers."""
        return self.table[name].to_numpy()[self.rows]

    def taken(self, places: Numbers) -> NumberedEdges:
        """Return some of the edges."""
        kept = (part[places] for part in (self.rows, self.left, self.right, self.relation))
        return NumberedEdges(self.table, *kept)

    def table_rows(self, places: Numbers) -> pa.Table:
        """Return the rows of some of the edges."""
        return self.table.take(pa.array(self.rows[places]))

    def strongest_first(self, n_articles: int) -> NumberedEdges:
        """Return each edge once, in the order in which they are taken: relation, Jaccard, ids."""
        pair = self.left * n_articles + self.right
        by_ids = ordered_places(pair.view(np.uint64), n_articles * n_articles)
        pair = pair[by_ids]
        by_ids = by_ids[np.append(True, pair[1:] != pair[:-1])[: pair.size]]
        # The bits of a float between 0 and 1 order like it, and are below 2^30.
        jaccard = self.column("jaccard").astype(np.float32)[by_ids].view(np.uint32)
        strength = self.relation[by_ids].astype(np.uint64) << np.uint64(30)
        strength |= np.uint64(_ONE) - jaccard.astype(np.uint64)
        return self.taken(by_ids[ordered_places(strength, 1 << 33)])


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


def refuse_strays(edges: NumberedEdges) -> None:
    """Raise `LookupError` where an edge names no member."""
    for number, end in ((edges.left, ENDS[0]), (edges.right, ENDS[1])):
        if (is_stray := number < 0).any():
            stray = pc.unique(edges.table[end].filter(pa.array(is_stray))).sort()
            raise LookupError(f"{len(stray)} edges name no member, one is {stray[0].as_py().hex()}")


def pairs_of_series(placing: pa.Table, ids: Words) -> Numbers:
    """Return the pairs [n, 2] of members that are of one series and make no story."""
    edges = NumberedEdges.of(only(placing, "series"), ids)
    pairs = np.stack((edges.left, edges.right), axis=1)
    return pairs[(pairs >= 0).all(axis=1)]


def only(edges: pa.Table, relation: str) -> pa.Table:
    """Return the edges of one relation."""
    return edges.filter(pc.equal(edges["relation"], relation))
