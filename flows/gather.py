"""Gather: what a batch must know of the warehouse before the pure stages decide."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import ID, conform
from pipeline.dedup.signatures import Recipe, keys_of
from pipeline.errors import RecipeMismatch
from pipeline.interim import CLEAN, MEMBERS, VERIFIED
from pipeline.store.warehouse import Warehouse

_ENDS = ("left_id", "right_id")
_EARLIEST = datetime.min  # noqa: DTZ901 - compared with naive UTC times only


@dataclass(frozen=True)
class Fresh:
    """Revisions that the warehouse does not hold, and what they do to the current ones."""

    parsed: pa.Table
    """PARSED rows of revisions never seen."""
    current: frozenset[bytes]
    """revision_id of fresh revisions that are (or become) current."""
    replaced: dict[bytes, bytes]
    """article_id -> revision_id of the stored revision that stops being current."""
    known_articles: frozenset[bytes]
    """article_ids of the batch that were in the warehouse before."""
    n_unchanged: int
    """Articles of the batch whose content was known already."""
    again: pa.Table | None = None
    """ARTICLES rows as they stand, where stored revisions are derived again and replace
    themselves."""


def fresh_revisions(warehouse: Warehouse, parsed: pa.Table) -> Fresh:
    """Return which revisions are new and which revision of each article is current.

    Current is the newest by `updated_at`, else `published_at` (NULL oldest), ties by
    content_hash: a function of the set of revisions, never of the order of arrival.
    """
    article_ids = pc.unique(parsed["article_id"])
    known = warehouse.known_revisions(article_ids).to_pylist()
    is_known = pc.is_in(parsed["revision_id"], pa.array([r["revision_id"] for r in known], ID))
    fresh = parsed.filter(pc.invert(is_known))
    candidates: dict[bytes, list[tuple[tuple[bool, datetime, bytes], bytes]]] = defaultdict(list)
    columns = ["article_id", "revision_id", "updated_at", "published_at", "content_hash"]
    for row in known + fresh.select(columns).to_pylist():
        candidates[row["article_id"]].append((_age(row), row["revision_id"]))
    newest = {article: max(revisions)[1] for article, revisions in candidates.items()}
    stored_current = {r["article_id"]: r["revision_id"] for r in known if r["is_current"]}
    return Fresh(
        parsed=fresh,
        current=frozenset(newest.values()) - {r["revision_id"] for r in known},
        replaced={a: r for a, r in stored_current.items() if newest[a] != r},
        known_articles=frozenset(r["article_id"] for r in known),
        n_unchanged=parsed.num_rows - fresh.num_rows,
    )


def _age(row: dict[str, Any]) -> tuple[bool, datetime, bytes]:
    stamp = row["updated_at"] or row["published_at"]
    return (stamp is not None, stamp or _EARLIEST, row["content_hash"])


def current_of(clean: pa.Table, fresh: Fresh) -> pa.Table:
    """Return the CLEAN rows whose revision is current."""
    return clean.filter(pc.is_in(clean["revision_id"], pa.array(sorted(fresh.current), ID)))


def history(warehouse: Warehouse, recipe: Recipe) -> list[pa.Table]:
    """Return the mapped KEYS segments of the warehouse; lost ones are derived again.

    Raises:
        RecipeMismatch: the stored signatures were made by another recipe.
    """
    found = warehouse.select("SELECT DISTINCT params_id FROM signatures")["params_id"].to_pylist()
    if found and found != [recipe.params_id]:
        raise RecipeMismatch(recipe.params_id, ", ".join(found))
    return warehouse.history(lambda articles, signatures: keys_of(articles, signatures, recipe))


@dataclass(frozen=True)
class Touched:
    """Everything that deriving the touched stories needs."""

    members: pa.Table
    """MEMBERS of the touched components and of the new articles."""
    edges: pa.Table
    """All duplicate edges among them: stored ones and those of this batch."""
    previous: pa.Table
    """Their STORY_MEMBERS rows as they stand."""
    previous_stories: pa.Table
    """The STORIES rows of those."""
    snapshot: int
    """The snapshot that this batch will become."""


def touched_components(
    warehouse: Warehouse, clean: pa.Table, fresh: Fresh, edges: pa.Table, lapsed: pa.Table
) -> Touched:
    """Return the whole components that new articles, new edges or edges that end touch.

    Edges end when a revision is replaced, and when the buckets of a pair have grown hot.
    """
    batch = current_of(clean, fresh)
    duplicates = conform(edges.filter(edges["is_duplicate"]), VERIFIED)
    replaced = pa.array(sorted(fresh.replaced), ID)
    ends = [t[side].combine_chunks() for t in (duplicates, lapsed) for side in _ENDS]
    ids = warehouse.components(pc.unique(pa.concat_arrays([replaced, *ends])))
    stored = warehouse.members(ids)
    is_in_batch = pc.is_in(stored["article_id"], batch["article_id"].combine_chunks())
    standing = {r["article_id"]: r for r in stored.filter(is_in_batch).to_pylist()}
    members = [stored.filter(pc.invert(is_in_batch)), _members_of(batch, standing)]
    kept = warehouse.edges(ids).join(lapsed, keys=list(_ENDS), join_type="left anti")
    for side in _ENDS:
        kept = kept.filter(pc.invert(pc.is_in(kept[side], replaced)))
    previous = warehouse.rows("story_members", "article_id", ids)
    return Touched(
        members=conform(pa.concat_tables(members), MEMBERS),
        edges=pa.concat_tables([conform(kept.drop_columns("run_id"), VERIFIED), duplicates]),
        previous=previous,
        previous_stories=warehouse.rows("stories", "story_id", pc.unique(previous["story_id"])),
        snapshot=warehouse.next_snapshot,
    )


def _members_of(batch: pa.Table, standing: dict[bytes, dict[str, Any]]) -> pa.Table:
    """Return MEMBERS rows of the batch; a revised article keeps the story it stands in."""
    ids = batch["article_id"].to_pylist()
    own = [standing.get(i, {}) for i in ids]
    columns = {n: batch[n] for n in MEMBERS.schema.names if n in CLEAN.schema.names}
    columns["story_id"] = pa.array([r.get("story_id") for r in own], ID)
    columns["founded_snapshot"] = pa.array([r.get("founded_snapshot") for r in own], pa.int64())
    return pa.table(columns).select(MEMBERS.schema.names).cast(MEMBERS.schema)
