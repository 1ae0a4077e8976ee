"""Derive stored articles again, from their raw documents, when what is furniture has changed."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.gather import Fresh
from pipeline.contracts import conform
from pipeline.interim import PARSED, REMOVALS
from pipeline.sources.parse import parse
from pipeline.store.archive import without_landing
from pipeline.store.warehouse import Warehouse


def stale_revisions(warehouse: Warehouse, limit: int) -> Fresh | None:
    """Return all revisions of up to `limit` stale articles, to be derived again.

    None when no article is stale.
    """
    stale = warehouse.select(f"SELECT article_id FROM stale_articles ORDER BY 1 LIMIT {limit}")
    if not stale.num_rows:
        return None
    return _as_fresh(warehouse, warehouse.rows("articles", "article_id", stale["article_id"]))


def _as_fresh(warehouse: Warehouse, articles: pa.Table) -> Fresh:
    """Return stored ARTICLES as revisions that replace themselves."""
    current = articles.filter(articles["is_current"])
    ids, revisions = (current[n].to_pylist() for n in ("article_id", "revision_id"))
    return Fresh(
        parsed=_parsed_again(warehouse, articles),
        current=frozenset(revisions),
        replaced=dict(zip(ids, revisions, strict=True)),
        known_articles=frozenset(ids),
        n_unchanged=0,
        restated=PARSED.schema.empty_table(),
        again=articles,
    )


def _parsed_again(warehouse: Warehouse, articles: pa.Table) -> pa.Table:
    """Return PARSED of stored articles, read once more from the archive.

    Fields that furniture lifted (`byline`) stand in ARTICLES as if the record had given them. An
    article that its document does not give any more, since parsing has changed, is taken as it
    stands.
    """
    documents = warehouse.rows("documents", "document_id", pc.unique(articles["document_id"]))
    parsed, _ = parse(without_landing(documents))
    wanted = articles["revision_id"].combine_chunks()
    parsed = parsed.filter(pc.is_in(parsed["revision_id"], wanted))
    missing = articles.filter(
        pc.invert(pc.is_in(articles["revision_id"], parsed["revision_id"].combine_chunks()))
    )
    return pa.concat_tables([parsed, missing.select(PARSED.schema.names).cast(PARSED.schema)])


def changed_removals(removals: pa.Table, stood: pa.Table, paragraphs: pa.Table) -> pa.Table:
    """Return the REMOVALS that are news for articles derived again, and what comes back.

    Args:
        removals: all REMOVALS of the articles as derived now.
        stood: PARAGRAPHS as they stand.
        paragraphs: CLEANED_PARAGRAPHS as derived now.

    Returns:
        REMOVALS: removals of paragraphs that stood with another reason, and `keep_paragraph` for
        those that were dropped and are kept again.
    """
    before = {(r["article_id"], r["seq"]): r["reason"] for r in _reasons(stood)}
    rows = [
        row
        for row in removals.to_pylist()
        if _is_news(row, before.get((row["article_id"], row["paragraph_seq"])))
    ]
    for row in paragraphs.to_pylist():
        reason = before.get((row["article_id"], row["seq"]))
        if reason is not None and row["reason"] is None:
            rows.append(_kept_again(row, reason))
    return conform(pa.Table.from_pylist(rows, REMOVALS.schema), REMOVALS)


def _reasons(paragraphs: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = paragraphs.select(["article_id", "seq", "reason"]).to_pylist()
    return rows


def _is_news(removal: dict[str, Any], reason: str | None) -> bool:
    """Return whether a paragraph that stood with this reason loses or keeps something anew."""
    if removal["action"] == "drop_paragraph":
        return bool(removal["reason"] != reason)
    return reason is not None


def _kept_again(paragraph: dict[str, Any], reason: str) -> dict[str, Any]:
    names = ("article_id", "revision_id", "start_char", "end_char")
    return {name: paragraph[name] for name in names} | {
        "action": "keep_paragraph",
        "reason": reason,
        "paragraph_seq": paragraph["seq"],
        "evidence": "no longer furniture of its source",
    }
