"""The components that a batch touches, as the stories are to be derived from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.gather import Fresh
from flows.kept import Kept, divided, kept_after, kept_of
from pipeline.contracts import ID, conform
from pipeline.dedup.clusters import Stories
from pipeline.dedup.story_decisions import EVIDENCE, edges_of, matched_pairs
from pipeline.dedup.story_edges import ENDS, PLACING_COLUMNS, KnownEdges
from pipeline.interim import CLEAN, MEMBERS
from pipeline.store.warehouse import Warehouse

_PLACING = pa.array(["contained", "series"])
"""Relations that decide on stories and roles without making duplicates."""
_IS_DECIDING = "NOT is_duplicate AND relation IN ('contained', 'series')"
_IS_PLACING = f"(is_duplicate OR {_IS_DECIDING})"


@dataclass(frozen=True)
class Touched:
    """Everything that deriving the touched stories needs."""

    members: pa.Table
    """MEMBERS of the touched components and of the new articles."""
    edges: pa.Table
    """All duplicate edges among them but those that are `known`, and all `contained` and `series`
    ones that any of them has: stored edges and those of this batch, their PLACING_COLUMNS in no
    order."""
    known: list[KnownEdges]
    """Duplicate edges of large components, kept since the last batch."""
    previous: pa.Table
    """Their STORY_MEMBERS rows as they stand."""
    previous_stories: pa.Table
    """The STORIES rows of those."""
    untouched: list[Kept]
    """What is kept of other components."""
    snapshot: int
    """The snapshot that this batch will become."""


def touched_components(
    warehouse: Warehouse, batch: pa.Table, fresh: Fresh, edges: pa.Table, lapsed: pa.Table
) -> Touched:
    """Return the whole components that new articles, new edges or edges that end touch.

    Edges end when a revision is replaced, and when the buckets of a pair have grown hot. An
    article that another one contained stands for itself again when that edge ends.
    """
    edges = edges.select(PLACING_COLUMNS)
    is_placing = pc.or_(edges["is_duplicate"], pc.is_in(edges["relation"], _PLACING))
    placing = edges.filter(is_placing)
    replaced = pa.array(sorted(fresh.replaced), ID)
    ending = _placing_ends(warehouse, replaced)
    ends = [t[side].combine_chunks() for t in (placing, lapsed, ending) for side in ENDS]
    touched = pc.unique(pa.concat_arrays([replaced, *ends]))
    kept, untouched, others = divided(kept_of(warehouse), touched)
    previous, stories, stored = _stored(warehouse, others)
    inner = _stored_edges(warehouse, previous["article_id"].combine_chunks())
    stored_edges = _joined(inner, kept)
    members = pa.concat_tables([stored, *(each.members for each in kept)])
    return Touched(
        members=_with_batch(members, batch, fresh),
        edges=pa.concat_tables([_without(stored_edges, lapsed, replaced), placing]),
        known=[each.edges.without(lapsed, replaced) for each in kept],
        previous=pa.concat_tables([previous, *(each.standing for each in kept)]),
        previous_stories=pa.concat_tables([stories, *(each.stories for each in kept)]),
        untouched=untouched,
        snapshot=warehouse.next_snapshot,
    )


def keep(warehouse: Warehouse, touched: Touched, stories: Stories, fresh: Fresh) -> None:
    """Keep in mind what a batch that was published leaves of large components."""
    if fresh.restated is None or not fresh.restated.num_rows:
        warehouse.kept = kept_after(touched.members, stories, touched.edges, touched.untouched)


def _stored(warehouse: Warehouse, ids: pa.Array) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the stored components of these articles: STORY_MEMBERS, STORIES, and MEMBERS."""
    components = warehouse.columns("story_members", "article_id", ids, ["component_id"])
    previous = warehouse.rows("story_members", "component_id", components["component_id"].unique())
    stories = warehouse.rows("stories", "story_id", pc.unique(previous["story_id"]))
    return previous, stories, _stored_members(warehouse, previous, stories)


def _stored_members(warehouse: Warehouse, previous: pa.Table, stories: pa.Table) -> pa.Table:
    """Return MEMBERS of stored articles by the STORY_MEMBERS and STORIES rows they have."""
    own = [n for n in MEMBERS.schema.names if n not in ("story_id", "founded_snapshot")]
    articles = warehouse.columns(
        "articles", "article_id", previous["article_id"], [*own, "is_current"]
    )
    articles = articles.filter(articles["is_current"]).select(own)
    story_ids = _looked_up(articles["article_id"], previous, "article_id", "story_id")
    founded = _looked_up(story_ids, stories, "story_id", "founded_snapshot")
    found = articles.append_column("story_id", story_ids)
    return found.append_column("founded_snapshot", founded).cast(MEMBERS.schema)


def _looked_up(values: pa.ChunkedArray, table: pa.Table, key: str, column: str) -> pa.ChunkedArray:
    """Return for each value a column of the row that has it as its key, NULL without one."""
    return table[column].take(pc.index_in(values, table[key].combine_chunks()))


def _with_batch(stored: pa.Table, batch: pa.Table, fresh: Fresh) -> pa.Table:
    """Return MEMBERS of stored articles and of the batch; a revised one keeps its story."""
    standing = stored.slice(0, 0)
    if fresh.known_articles:
        is_in_batch = pc.is_in(stored["article_id"], batch["article_id"].combine_chunks())
        standing, stored = stored.filter(is_in_batch), stored.filter(pc.invert(is_in_batch))
    columns = {n: batch[n] for n in MEMBERS.schema.names if n in CLEAN.schema.names}
    for name in ("story_id", "founded_snapshot"):
        columns[name] = _looked_up(batch["article_id"], standing, "article_id", name)
    own = pa.table(columns).select(MEMBERS.schema.names).cast(MEMBERS.schema)
    return conform(pa.concat_tables([stored, own]), MEMBERS)


def _stored_edges(warehouse: Warehouse, ids: pa.Array) -> pa.Table:
    """Return the stored EDGES that put two of these articles into one story or keep them apart.

    PLACING_COLUMNS of them, in no order.
    """
    own = warehouse.columns("edges", "left_id", ids, PLACING_COLUMNS, _IS_PLACING)
    is_within = pc.or_(pc.invert(own["is_duplicate"]), pc.is_in(own["right_id"], ids))
    # Few edges reach out of a component: those that decide where one of `ids` stands count too.
    other = warehouse.columns("edges", "right_id", ids, PLACING_COLUMNS, _IS_DECIDING)
    is_outside = pc.invert(pc.is_in(other["left_id"], ids))
    return pa.concat_tables([own.filter(is_within), other.filter(is_outside)])


def _joined(edges: pa.Table, kept: list[Kept]) -> pa.Table:
    """Return stored edges and those that are kept beside duplicates, each once.

    Both parts that an edge reaches from and into have it.
    """
    parts = [edges]
    for each in kept:
        parts = [part.filter(pa.array(~each.has_end_of(part))) for part in parts]
        parts.append(each.placing)
    return pa.concat_tables(parts)


def _without(edges: pa.Table, lapsed: pa.Table, replaced: pa.Array) -> pa.Table:
    """Return the edges that are not among the lapsed pairs and have no replaced end."""
    for side in ENDS if len(replaced) else ():
        edges = edges.filter(pc.invert(pc.is_in(edges[side], replaced)))
    if not lapsed.num_rows:
        return edges
    # Joined by their ends alone: texts are moved once.
    ends = edges.select(ENDS).append_column("row", pa.array(np.arange(edges.num_rows)))
    return edges.take(ends.join(lapsed, list(ENDS), join_type="left anti")["row"])


def _placing_ends(warehouse: Warehouse, ids: pa.Array) -> pa.Table:
    """Return the ends of stored EDGES that make no story but decide one, with an end in `ids`."""
    return pa.concat_tables(
        [warehouse.columns("edges", side, ids, ENDS, _IS_DECIDING) for side in ENDS]
    )


def evidence_of(warehouse: Warehouse, members: pa.Table, edges: pa.Table) -> pa.Table:
    """Return EVIDENCE columns of the edges between STORY_MEMBERS and what they match.

    Those of `edges` (VERIFIED) as they are, the others as they are stored. Nothing is dropped but
    for an edge that makes duplicates.
    """
    pairs = matched_pairs(members)
    edges = edges.select(EVIDENCE).filter(edges["is_duplicate"])
    rows = edges_of(pairs, edges)
    missing = pairs.filter(pa.array(rows < 0))
    lefts = pc.unique(missing["left_id"])
    stored = warehouse.columns("edges", "left_id", lefts, EVIDENCE, "is_duplicate")
    return pa.concat_tables([stored, edges.take(pa.array(rows[rows >= 0]))])
