"""Gather: what a batch must know of the warehouse before the pure stages decide."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.rule_set import Rules
from flows.texts import article_hashes
from pipeline.contracts import CONTRACTS, ID, PARAGRAPHS, conform
from pipeline.dedup.lines import lines_column
from pipeline.dedup.passages import find_passages
from pipeline.dedup.revisions import COLUMNS as REVISED_COLUMNS
from pipeline.dedup.revisions import Age, revision_age
from pipeline.dedup.signatures import keys_of
from pipeline.dedup.story_decisions import EVIDENCE, edges_of, matched_pairs
from pipeline.dedup.story_edges import PLACING_COLUMNS
from pipeline.errors import RecipeMismatch
from pipeline.interim import CLEAN, MEMBERS
from pipeline.store.gather import REVISION_COLUMNS
from pipeline.store.warehouse import Warehouse

_ENDS = ("left_id", "right_id")
PLACES = ("article_id", "seq", "key_hash", "status")
"""What of a paragraph tells where a shared one stands."""
NOBODY = pa.array([], ID)
_PLACING = pa.array(["contained", "series"])
"""Relations that decide on stories and roles without making duplicates."""
_IS_DECIDING = "NOT is_duplicate AND relation IN ('contained', 'series')"
_IS_PLACING = f"(is_duplicate OR {_IS_DECIDING})"
RESTATED_COLUMNS = (
    *("document_id", "native_id", "url", "publisher", "title", "published_precision"),
    *("language", "section", "extra"),
)
"""Of two documents with equal content: fields in which they differ by spelling, tracking parameters
or columns that no field takes. `byline` is not among them: the text may have given it."""


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
    restated: pa.Table | None = None
    """PARSED rows of known revisions whose document has a smaller id than the stored one."""


def fresh_revisions(warehouse: Warehouse, parsed: pa.Table) -> Fresh:
    """Return which revisions are new and which revision of each article is current.

    Current is the newest by `updated_at`, else `published_at` (NULL oldest), ties by
    content_hash: a function of the set of revisions, never of the order of arrival.
    """
    article_ids = pc.unique(parsed["article_id"])
    known = warehouse.known_revisions(article_ids).to_pylist()
    if not known and len(article_ids) == parsed.num_rows:
        # Most batches: nothing of them was seen before, and nothing twice.
        current = frozenset(parsed["revision_id"].to_pylist())
        return Fresh(parsed, current, {}, frozenset(), 0, restated=parsed.slice(0, 0))
    is_known = pc.is_in(parsed["revision_id"], pa.array([r["revision_id"] for r in known], ID))
    fresh = parsed.filter(pc.invert(is_known))
    newest = _newest(fresh, known)
    stored_current = {r["article_id"]: r["revision_id"] for r in known if r["is_current"]}
    return Fresh(
        parsed=fresh,
        current=frozenset(newest.values()) - {r["revision_id"] for r in known},
        replaced={a: r for a, r in stored_current.items() if newest[a] != r},
        known_articles=frozenset(r["article_id"] for r in known),
        n_unchanged=parsed.num_rows - fresh.num_rows,
        restated=_restated(parsed, known),
    )


def _newest(fresh: pa.Table, known: list[dict[str, Any]]) -> dict[bytes, bytes]:
    """Return the newest revision of each article of `fresh` (PARSED) and of stored revisions."""
    articles, revisions = (fresh[n].to_pylist() for n in ("article_id", "revision_id"))
    counts = Counter([*articles, *(r["article_id"] for r in known)])
    # Most articles have one revision: nothing is compared.
    rivals = [row for row, article in enumerate(articles) if counts[article] > 1]
    columns = [n for n in REVISION_COLUMNS if n != "is_current"]
    candidates: dict[bytes, list[tuple[Age, bytes]]] = defaultdict(list)
    for row in known + fresh.select(columns).take(pa.array(rivals, pa.int64())).to_pylist():
        age = revision_age(row["updated_at"], row["published_at"], row["content_hash"])
        candidates[row["article_id"]].append((age, row["revision_id"]))
    compared = {article: max(own)[1] for article, own in candidates.items()}
    return dict(zip(articles, revisions, strict=True)) | compared


def _restated(parsed: pa.Table, known: list[dict[str, Any]]) -> pa.Table:
    """Return the PARSED rows of known revisions whose document has a smaller id than theirs."""
    if not known:
        return parsed.slice(0, 0)
    stored = {r["revision_id"]: r["document_id"] for r in known}
    own = zip(parsed["document_id"].to_pylist(), parsed["revision_id"].to_pylist(), strict=True)
    is_smaller = [document < stored.get(revision, b"") for document, revision in own]
    return parsed.filter(pa.array(is_smaller, pa.bool_()))


def replaced_rows(warehouse: Warehouse, fresh: Fresh) -> pa.Table:
    """Return ARTICLES: stored rows that change, as they stand from now on; same keys.

    A revision that a newer one replaces is no longer current. Of documents with equal content the
    one with the smallest id is published, whichever came first: it gives the fields that make no
    revision. `first_seen_at` stays. Texts that differ in their Unicode form stay as they came:
    the spans of their paragraphs and decisions point into them.
    """
    read_again = fresh.restated.to_pylist() if fresh.restated is not None else []
    restated = {r["revision_id"]: r for r in read_again}
    demoted = set(fresh.replaced.values())
    owners = {*fresh.replaced, *(r["article_id"] for r in restated.values())}
    stored = warehouse.rows("articles", "article_id", pa.array(sorted(owners), ID))
    rows = []
    for row in stored.to_pylist():
        other = restated.get(row["revision_id"])
        if other is not None and other["original_text"] == row["original_text"]:
            rows.append(row | {name: other[name] for name in RESTATED_COLUMNS})
        elif row["revision_id"] in demoted:
            rows.append(row)
    for row in rows:
        row["is_current"] &= row["revision_id"] not in demoted
    return pa.Table.from_pylist(rows, CONTRACTS["articles"].schema)


def current_of(table: pa.Table, fresh: Fresh) -> pa.Table:
    """Return the rows (of PARSED, CLEAN, CLEANED_PARAGRAPHS) whose revision is current."""
    is_current = pc.is_in(table["revision_id"], pa.array(sorted(fresh.current), ID))
    # A filter copies every text; most batches hold nothing but current revisions.
    return table if pc.all(is_current).as_py() else table.filter(is_current)


def history(warehouse: Warehouse, rules: Rules) -> list[pa.Table]:
    """Return the mapped KEYS segments of the warehouse; lost ones are derived again.

    Raises:
        RecipeMismatch: the stored signatures were made by another recipe.
    """
    recipe = rules.recipe
    found = warehouse.select("SELECT DISTINCT params_id FROM signatures")["params_id"].to_pylist()
    if found and found != [recipe.params_id]:
        raise RecipeMismatch(recipe.params_id, ", ".join(found))

    def rebuilt(articles: pa.Table, signatures: pa.Table) -> pa.Table:
        paragraphs = warehouse.rows("paragraphs", "article_id", articles["article_id"])
        lines = lines_column(paragraphs, articles)
        passages = find_passages(paragraphs, rules.passages)
        return keys_of(articles, signatures, recipe, article_hashes(articles, lines, passages))

    return warehouse.history(rebuilt)


@dataclass(frozen=True)
class Touched:
    """Everything that deriving the touched stories needs."""

    members: pa.Table
    """MEMBERS of the touched components and of the new articles."""
    edges: pa.Table
    """All duplicate edges among them, and all `contained` and `series` ones that any of them has:
    stored edges and those of this batch, their PLACING_COLUMNS in no order."""
    previous: pa.Table
    """Their STORY_MEMBERS rows as they stand."""
    previous_stories: pa.Table
    """The STORIES rows of those."""
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
    ends = [t[side].combine_chunks() for t in (placing, lapsed, ending) for side in _ENDS]
    touched = pc.unique(pa.concat_arrays([replaced, *ends]))
    components = warehouse.columns("story_members", "article_id", touched, ["component_id"])
    previous = warehouse.rows("story_members", "component_id", components["component_id"].unique())
    stories = warehouse.rows("stories", "story_id", pc.unique(previous["story_id"]))
    stored = _stored_members(warehouse, previous, stories)
    is_in_batch = pc.is_in(stored["article_id"], batch["article_id"].combine_chunks())
    standing = stored.filter(is_in_batch)
    members = [stored.filter(pc.invert(is_in_batch)), _members_of(batch, standing)]
    kept = _stored_edges(warehouse, previous["article_id"].combine_chunks())
    kept = _without(kept, lapsed, replaced)
    return Touched(
        members=conform(pa.concat_tables(members), MEMBERS),
        edges=pa.concat_tables([kept, placing]),
        previous=previous,
        previous_stories=stories,
        snapshot=warehouse.next_snapshot,
    )


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


def _without(edges: pa.Table, lapsed: pa.Table, replaced: pa.Array) -> pa.Table:
    """Return the edges that are not among the lapsed pairs and have no replaced end."""
    for side in _ENDS if len(replaced) else ():
        edges = edges.filter(pc.invert(pc.is_in(edges[side], replaced)))
    if not lapsed.num_rows:
        return edges
    # Joined by their ends alone: texts are moved once.
    ends = edges.select(_ENDS).append_column("row", pa.array(np.arange(edges.num_rows)))
    return edges.take(ends.join(lapsed, list(_ENDS), join_type="left anti")["row"])


def _placing_ends(warehouse: Warehouse, ids: pa.Array) -> pa.Table:
    """Return the ends of stored EDGES that make no story but decide one, with an end in `ids`."""
    return pa.concat_tables(
        [warehouse.columns("edges", side, ids, _ENDS, _IS_DECIDING) for side in _ENDS]
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


def _members_of(batch: pa.Table, standing: pa.Table) -> pa.Table:
    """Return MEMBERS rows of the batch; a revised article keeps the story it stands in."""
    columns = {n: batch[n] for n in MEMBERS.schema.names if n in CLEAN.schema.names}
    for name in ("story_id", "founded_snapshot"):
        columns[name] = _looked_up(batch["article_id"], standing, "article_id", name)
    return pa.table(columns).select(MEMBERS.schema.names).cast(MEMBERS.schema)


def paragraphs_of(warehouse: Warehouse, ids: pa.Array, batch: pa.Table) -> pa.Table:
    """Return PARAGRAPHS of these articles, those of the batch (CLEANED_PARAGRAPHS) as it has them.

    `batch` holds one revision an article.
    """
    own = batch.filter(pc.is_in(batch["article_id"], ids)).select(PARAGRAPHS.schema.names)
    others = ids.filter(pc.invert(pc.is_in(ids, pc.unique(own["article_id"]))))
    stored = warehouse.rows("paragraphs", "article_id", others)
    return conform(pa.concat_tables([stored, own.cast(PARAGRAPHS.schema)]), PARAGRAPHS)


def sighted(warehouse: Warehouse, ids: pa.Array, batch: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the places of PARAGRAPHS (without texts) and SHARED_PARAGRAPHS of articles.

    Those of `batch` (CLEANED_PARAGRAPHS) as it has them; it holds one revision an article.
    """
    standing = warehouse.rows("shared_paragraphs", "article_id", ids)
    own = batch.select(PLACES).filter(pc.is_in(batch["article_id"], ids))
    others = ids.filter(pc.invert(pc.is_in(ids, pc.unique(own["article_id"]))))
    stored = warehouse.columns("paragraphs", "article_id", others, PLACES)
    return pa.concat_tables([stored, own.cast(stored.schema)]), standing


def ends_of(edges: pa.Table, relations: Sequence[str]) -> pa.Array:
    """Return the articles that an edge of one of these relations has at an end."""
    asked = edges.filter(pc.is_in(edges["relation"], pa.array(relations, pa.string())))
    return pc.unique(pa.concat_arrays([asked[side].combine_chunks() for side in _ENDS]))


def revisions(warehouse: Warehouse, fresh: Fresh, clean: pa.Table) -> pa.Table:
    """Return all revisions of the articles of which CLEAN holds one of several, as ARTICLES."""
    ids = clean["article_id"].to_pylist()
    own = Counter(ids)
    several = {i for i in ids if own[i] > 1 or i in fresh.known_articles}
    if fresh.again is not None or not several:
        return clean.select(REVISED_COLUMNS).slice(0, 0)
    wanted = pa.array(sorted(several), ID)
    stored = warehouse.rows("articles", "article_id", wanted).select(REVISED_COLUMNS)
    fresh_ones = clean.filter(pc.is_in(clean["article_id"], wanted)).select(REVISED_COLUMNS)
    return pa.concat_tables([stored, fresh_ones.cast(stored.schema)])
