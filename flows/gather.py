"""Gather: what a batch must know of the warehouse before the pure stages decide."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
from pipeline.errors import RecipeMismatch
from pipeline.store.gather import REVISION_COLUMNS
from pipeline.store.warehouse import Warehouse

_ENDS = ("left_id", "right_id")
PLACES = ("article_id", "seq", "key_hash", "status")
"""What of a paragraph tells where a shared one stands."""
NOBODY = pa.array([], ID)
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

    @cached_property
    def current_ids(self) -> pa.Array:
        """`current`, sorted."""
        return pa.array(sorted(self.current), ID)


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
    is_current = pc.is_in(table["revision_id"], fresh.current_ids)
    # A filter copies every text; most batches hold nothing but current revisions.
    return table if pc.all(is_current).as_py() else table.filter(is_current)


def history(warehouse: Warehouse, rules: Rules) -> list[pa.Table]:
    """Return the mapped KEYS segments of the warehouse; lost ones are derived again.

    Raises:
        RecipeMismatch: the stored signatures were made by another recipe.
    """
    recipe = rules.recipe
    found = warehouse.recipes()
    if found and found != [recipe.params_id]:
        raise RecipeMismatch(recipe.params_id, ", ".join(found))

    def rebuilt(articles: pa.Table, signatures: pa.Table) -> pa.Table:
        paragraphs = warehouse.rows("paragraphs", "article_id", articles["article_id"])
        lines = lines_column(paragraphs, articles)
        passages = find_passages(paragraphs, rules.passages)
        return keys_of(articles, signatures, recipe, article_hashes(articles, lines, passages))

    return warehouse.history(rebuilt)


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
