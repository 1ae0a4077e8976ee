"""Count what a run did, batch by batch, for its report."""

from __future__ import annotations

from collections.abc import Mapping, Set

import pyarrow as pa

from flows.apply import Decided
from pipeline.dedup.story_decisions import DROPPED_ROLES
from pipeline.report.summary import LargeStory, RunSummary
from pipeline.store.warehouse import Change, Warehouse

_LARGEST = """
    SELECT s.story_id::VARCHAR AS story_id, coalesce(a.title, left(a.text, 60)) AS title,
           s.n_members, s.n_sources
    FROM stories s JOIN articles a ON a.article_id = s.canonical_id AND a.is_current
    WHERE s.n_members > 1 ORDER BY s.n_members DESC, s.n_sources DESC, s.story_id LIMIT 20
"""
_TOTALS = """
    SELECT (SELECT count(*) FROM articles WHERE is_current) AS articles,
           (SELECT count(*) FROM stories) AS stories,
           (SELECT count(*) FROM quarantine) AS quarantined
"""


def count_read(
    summary: RunSummary, read: pa.Table, documents: pa.Table, *, n_again: int = 0
) -> None:
    """Count the documents that came in and those known already; `n_again` are tried again."""
    summary.n_documents += read.num_rows
    summary.n_known_documents += read.num_rows - documents.num_rows - n_again


def count(summary: RunSummary, decided: Decided, change: Change) -> None:
    """Add one published batch to the summary."""
    fresh, clean = decided.fresh, decided.clean
    known = _are_known(clean["article_id"].to_pylist(), fresh.known_articles)
    summary.n_batches += 1
    summary.n_articles += known.count(False)
    summary.n_revisions += known.count(True)
    summary.n_unchanged_articles += (
        decided.documents.num_rows - decided.unread.num_rows - len(known)
    )
    summary.n_paragraphs += decided.paragraphs.num_rows
    summary.n_edges += decided.edges.num_rows
    source_of = dict(
        zip(clean["article_id"].to_pylist(), clean["source_id"].to_pylist(), strict=True)
    )
    for source, is_known in zip(clean["source_id"].to_pylist(), known, strict=True):
        summary.of_source(source).n_articles += not is_known
    stood = {
        r["article_id"]
        for r in decided.touched.previous.select(["article_id", "role"]).to_pylist()
        if r["role"] not in DROPPED_ROLES
    }
    decisions = change.added["decisions"].select(["article_id", "action", "reason"]).to_pylist()
    for row in decisions:
        source = summary.of_source(source_of.get(row["article_id"], "earlier articles"))
        if row["action"] == "drop_paragraph":
            summary.dropped_paragraphs[row["reason"]] += 1
            source.n_dropped_paragraphs += 1
        elif row["action"] == "drop_article" and _is_news(row["article_id"], source_of, stood):
            summary.dropped_articles[row["reason"]] += 1
            source.n_dropped_articles += 1
    for source_id, reason in zip(
        decided.unread["source_id"].to_pylist(), decided.unread["reason"].to_pylist(), strict=True
    ):
        summary.quarantined[reason] += 1
        summary.of_source(source_id).n_quarantined += 1


def _are_known(articles: list[bytes], before: Set[bytes]) -> list[bool]:
    """Return for each revision whether its article stood before, or comes earlier in the batch."""
    seen = set(before)
    known = []
    for article in articles:
        known.append(article in seen)
        seen.add(article)
    return known


def _is_news(article: bytes, batch: Mapping[bytes, str], stood: Set[bytes]) -> bool:
    """Return whether a drop is a new one: of a fresh article, or of one that stood till now."""
    return article in batch or article in stood


def count_fault(summary: RunSummary, documents: pa.Table) -> None:
    """Count documents that a fault of ours sent to quarantine."""
    summary.quarantined["fault"] += documents.num_rows
    for source_id in documents["source_id"].to_pylist():
        summary.of_source(source_id).n_quarantined += 1


def totals(summary: RunSummary, warehouse: Warehouse) -> None:
    """Add what the whole warehouse holds after the run."""
    total = warehouse.select(_TOTALS).to_pylist()[0]
    summary.total_articles = total["articles"]
    summary.total_stories = total["stories"]
    summary.total_quarantined = total["quarantined"]
    summary.snapshot_id = warehouse.snapshot_id
    summary.largest_stories = [LargeStory(**r) for r in warehouse.select(_LARGEST).to_pylist()]
