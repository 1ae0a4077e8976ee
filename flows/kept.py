"""What a run keeps in mind of large components from one batch to the next.

The component of a template grows with every batch, and every batch derives it anew. To read it anew
too (25 edges an article, ids and all) took five times as long as to derive it. So its edges stay in
memory, numbered, with the rows of its members.

Nothing hangs on it: whatever is not kept is read from the warehouse, which forgets what it was
given as soon as another snapshot stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.clusters import Stories
from pipeline.dedup.mapped import id_words, place_of
from pipeline.dedup.story_edges import ENDS, KnownEdges
from pipeline.store.warehouse import Warehouse

LEAST_MEMBERS = 1_000
"""Components of so many are kept: reading fewer takes no longer than the questions themselves."""
MOST_EDGES = 10_000_000
"""So many edges are kept at the most: 29 bytes each, and what deriving makes of them."""


@dataclass(frozen=True)
class Kept:
    """Whole components as they stand in the warehouse."""

    members: pa.Table
    """Their MEMBERS, in order."""
    standing: pa.Table
    """Their STORY_MEMBERS, in the same order."""
    stories: pa.Table
    """The STORIES rows of those."""
    edges: KnownEdges
    """What makes duplicates among them."""
    placing: pa.Table
    """PLACING_COLUMNS of the other edges that decide on stories and have an end among them."""

    def has_end_of(self, edges: pa.Table) -> NDArray[np.bool_]:
        """Return which edges have an end among the members."""
        left, right = (place_of(id_words(edges[end]), self.edges.ids) >= 0 for end in ENDS)
        has_end: NDArray[np.bool_] = left | right
        return has_end


def kept_of(warehouse: Warehouse) -> tuple[Kept, ...]:
    """Return what is kept of the snapshot that stands."""
    kept = warehouse.kept
    return kept if isinstance(kept, tuple) else ()


def divided(kept: tuple[Kept, ...], ids: pa.Array) -> tuple[list[Kept], list[Kept], pa.Array]:
    """Return which of the kept hold any of these articles, which do not, and the other articles."""
    touched: list[Kept] = []
    untouched: list[Kept] = []
    words = id_words(ids)
    is_other = np.ones(len(ids), np.bool_)
    for each in kept:
        is_held = place_of(words, each.edges.ids) >= 0
        is_other &= ~is_held
        (touched if is_held.any() else untouched).append(each)
    return touched, untouched, ids.filter(pa.array(is_other))


def kept_after(
    members: pa.Table, stories: Stories, edges: pa.Table, untouched: list[Kept]
) -> tuple[Kept, ...]:
    """Return what to keep once a batch is published.

    Args:
        members: MEMBERS of the components that it derived, in order.
        stories: what it derived.
        edges: PLACING_COLUMNS of their edges, see Touched.
        untouched: what is kept of other components.
    """
    placing = edges.filter(pc.invert(edges["is_duplicate"]))
    is_kept = _are_kept(stories, placing)
    n_edges = stories.edges.edges.left.size + sum(u.edges.edges.left.size for u in untouched)
    if not is_kept.any() or n_edges > MOST_EDGES:
        return tuple(untouched)
    members, standing = (_of(t, is_kept) for t in (members, stories.members))
    named = stories.stories.filter(
        pc.is_in(stories.stories["story_id"], pc.unique(standing["story_id"]))
    )
    founded = named["founded_snapshot"].take(
        pc.index_in(standing["story_id"], named["story_id"].combine_chunks())
    )
    for name, column in (("story_id", standing["story_id"]), ("founded_snapshot", founded)):
        at = members.schema.get_field_index(name)
        members = members.set_column(at, members.schema.field(at), column)
    known = stories.edges.only(is_kept)
    kept = Kept(members, standing, named, known, placing)
    placing = placing.filter(pa.array(kept.has_end_of(placing)))
    return (*untouched, replace(kept, placing=placing))


def _of(table: pa.Table, is_kept: NDArray[np.bool_]) -> pa.Table:
    return table if is_kept.all() else table.filter(pa.array(is_kept))


def _are_kept(stories: Stories, placing: pa.Table) -> NDArray[np.bool_]:
    """Return which members to keep: of large components, and of those that an edge ties to one.

    Such edges (`series`) come again with every batch.
    """
    components = stories.members["component_id"].combine_chunks().dictionary_encode()
    number = components.indices.to_numpy()
    is_large = np.bincount(number, minlength=len(components.dictionary)) >= LEAST_MEMBERS
    ends = [place_of(id_words(placing[end]), stories.edges.ids) for end in ENDS]
    are_members = (ends[0] >= 0) & (ends[1] >= 0)
    one, other = (number[end[are_members]] for end in ends)
    is_kept = is_large.copy()
    is_kept[one[is_large[other]]] = True
    is_kept[other[is_large[one]]] = True
    found: NDArray[np.bool_] = is_kept[number]
    return found
