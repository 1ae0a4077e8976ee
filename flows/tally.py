"""Count what a run did, batch by batch, for its report and its alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.decided import Decided
from pipeline.contracts import ID
from pipeline.dedup.bands import HotBucket
from pipeline.dedup.story_decisions import DROPPED_ROLES
from pipeline.report.alarms import LEAST_ARTICLES, SUDDEN_RATIO, Level, SourceLevels, loss_alarms
from pipeline.report.summary import LargeBucket, LargeStory, RunSummary, SourceCounts
from pipeline.store.warehouse import Change, Warehouse

_NOBODY = pa.chunked_array([], ID)

SHOWN_BUCKETS = 5
"""Hot buckets whose example is named; the rest is a number."""

_LARGEST = """
    SELECT story_id, canonical_id, n_members, n_sources FROM stories
    WHERE n_members > 1 ORDER BY n_members DESC, n_sources DESC, story_id LIMIT 20
"""
_TOTALS = """
    SELECT (SELECT count(*) FROM articles WHERE is_current) AS articles,
           (SELECT count(*) FROM stories) AS stories,
           (SELECT count(*) FROM quarantine) AS quarantined
"""
_DROPPED = ", ".join(f"'{role}'" for role in DROPPED_ROLES)
# Characters as in the view `sources`: the clean texts and the dropped paragraphs.
_LEVELS = f"""
    WITH own AS MATERIALIZED (
        SELECT a.source_id, a.article_id, a.n_chars::BIGINT AS n_left,
               a.run_id = (SELECT run_id FROM asked) OR (s.is_small AND row_number()
                   OVER (PARTITION BY a.source_id ORDER BY a.first_seen_at DESC, a.article_id)
               <= {LEAST_ARTICLES}) AS is_brought
        FROM articles a JOIN sources s ON s.source_id = a.source_id
        WHERE a.is_current
    ), lost AS (
        SELECT article_id FROM story_members SEMI JOIN own USING (article_id)
        WHERE role IN ({_DROPPED})
    ), shortened AS (
        SELECT article_id, sum(n_chars)::BIGINT AS n_out
        FROM paragraphs SEMI JOIN own USING (article_id)
        WHERE status = 'dropped' GROUP BY article_id
    )
    SELECT source_id, is_brought, count(*) AS n_articles,
           count(*) FILTER (WHERE is_dropped) AS n_dropped_articles,
           sum(n_left + n_out) AS n_chars,
           sum(CASE WHEN is_dropped THEN n_left + n_out ELSE n_out END) AS n_dropped_chars,
           count(*) FILTER (WHERE is_dropped AND is_displaced) AS n_displaced,
           coalesce(sum(n_left) FILTER (WHERE is_dropped AND is_displaced), 0) AS n_displaced_chars
    FROM (
        SELECT o.source_id, o.is_brought, o.n_left, coalesce(p.n_out, 0) AS n_out,
               m.article_id IS NOT NULL AS is_dropped, d.article_id IS NOT NULL AS is_displaced
        FROM own o
        LEFT JOIN lost m USING (article_id)
        LEFT JOIN shortened p USING (article_id)
        LEFT JOIN displaced d USING (article_id)
    )
    GROUP BY source_id, is_brought
"""


def count_read(
    summary: RunSummary, read: pa.Table, documents: pa.Table, *, n_again: int = 0
) -> None:
    """Count the documents that came in and those known already; `n_again` are tried again."""
    summary.n_documents += read.num_rows
    summary.n_known_documents += read.num_rows - documents.num_rows - n_again


def count(summary: RunSummary, decided: Decided, change: Change) -> None:
    """Add one published batch to the summary; what was derived again came in before."""
    summary.n_batches += 1
    summary.n_edges += decided.matched.edges.num_rows
    summary.n_emptied += pc.sum(pc.equal(decided.cleaned.clean["n_chars"], 0)).as_py() or 0
    _count_dropped(summary, decided, change)
    _count_hot_buckets(summary, decided.matched.found.hot_buckets)
    if decided.batch.fresh.again is not None:
        _count_again(summary, decided.batch.fresh.again, decided.cleaned.clean)
    else:
        _count_fresh(summary, decided)


def _count_fresh(summary: RunSummary, decided: Decided) -> None:
    """Count the documents of a batch and what they are."""
    fresh, clean = decided.batch.fresh, decided.cleaned.clean
    is_new = _are_new(clean["article_id"], fresh.known_articles)
    n_articles = int(is_new.sum())
    summary.n_articles += n_articles
    summary.n_revisions += is_new.size - n_articles
    summary.n_unchanged_articles += (
        decided.batch.documents.num_rows - decided.batch.unread.num_rows - is_new.size
    )
    summary.n_paragraphs += decided.cleaned.paragraphs.num_rows
    sources = pa.table({"source_id": clean["source_id"], "is_new": is_new.astype(np.int64)})
    brought = sources.group_by("source_id", use_threads=False).aggregate([("is_new", "sum")])
    for row in brought.to_pylist():
        summary.of_source(row["source_id"]).n_articles += row["is_new_sum"]
    for source_id, reason in zip(
        decided.batch.unread["source_id"].to_pylist(),
        decided.batch.unread["reason"].to_pylist(),
        strict=True,
    ):
        summary.quarantined[reason] += 1
        summary.of_source(source_id).n_quarantined += 1


def _count_dropped(summary: RunSummary, decided: Decided, change: Change) -> None:
    """Count what was dropped by reason and source, and which stored articles were displaced."""
    clean, touched = decided.cleaned.clean, decided.matched.touched
    news = clean["article_id"] if decided.batch.fresh.again is None else _NOBODY
    stands = pc.invert(pc.is_in(touched.previous["role"], pa.array(DROPPED_ROLES, pa.string())))
    stood = touched.previous["article_id"].filter(stands)
    decisions = _sourced(change.added["decisions"], clean, touched.members)
    is_article = pc.equal(decisions["action"], "drop_article")
    is_paragraph = pc.equal(decisions["action"], "drop_paragraph")
    # News: of a fresh article, or of one that stood till now.
    is_news, did_stand = (
        pc.is_in(decisions["article_id"], pc.unique(ids)) for ids in (news, stood)
    )
    is_counted = pc.or_(is_paragraph, pc.and_(is_article, pc.or_(is_news, did_stand)))
    decisions = decisions.append_column("is_counted", is_counted)
    groups = decisions.group_by(["source_id", "action", "reason", "is_counted"], use_threads=False)
    for row in groups.aggregate([("n_chars", "sum"), ([], "count_all")]).to_pylist():
        _add_dropped(summary, row)
    is_displaced = pc.and_(is_article, pc.and_not(did_stand, is_news))
    is_back = pc.equal(decisions["action"], "keep_article")
    noted = decisions.filter(pc.or_(is_displaced, is_back)).select(["article_id", "action"])
    for row in noted.to_pylist():
        _note_displaced(summary, row)


def _sourced(decisions: pa.Table, clean: pa.Table, members: pa.Table) -> pa.Table:
    """Return decisions with the source of their article and the characters that they drop.

    Args:
        decisions: rows of DECISIONS.
        clean: CLEAN of the batch; of several revisions of an article the last counts.
        members: MEMBERS, the stored articles among them.
    """
    names = ["article_id", "source_id", "n_chars"]
    latest = clean.select(names).take(pa.array(np.arange(clean.num_rows - 1, -1, -1)))
    known = {
        name: pa.chunked_array([*latest[name].chunks, *members[name].chunks], latest[name].type)
        for name in names
    }
    places = pc.index_in(decisions["article_id"], known["article_id"].combine_chunks())
    is_paragraph = pc.equal(decisions["action"], "drop_paragraph")
    n_paragraph = pc.subtract(decisions["end_char"], decisions["start_char"])
    n_chars = pc.if_else(is_paragraph, n_paragraph, known["n_chars"].take(places))
    return pa.table(
        {
            **{name: decisions[name] for name in ("article_id", "action", "reason")},
            "source_id": pc.fill_null(known["source_id"].take(places), "earlier articles"),
            "n_chars": pc.fill_null(n_chars, 0),
        }
    )


def _add_dropped(summary: RunSummary, group: Mapping[str, Any]) -> None:
    """Add decisions of one source, action and reason."""
    source = summary.of_source(group["source_id"])
    if not group["is_counted"]:
        return
    reason, n = group["reason"], group["count_all"]
    source.dropped_chars[reason] += group["n_chars_sum"]
    if group["action"] == "drop_paragraph":
        summary.dropped_paragraphs[reason] += n
        source.n_dropped_paragraphs += n
    else:
        summary.dropped_articles[reason] += n
        source.n_dropped_articles += n
        source.dropped_articles[reason] += n


def _note_displaced(summary: RunSummary, decision: Mapping[str, Any]) -> None:
    """Keep in mind which articles stood before their batch and stand no more, or again."""
    if decision["action"] == "drop_article":
        summary.displaced.add(decision["article_id"])
    else:
        summary.displaced.discard(decision["article_id"])


def _are_new(articles: pa.ChunkedArray, before: Set[bytes]) -> NDArray[np.bool_]:
    """Return for each revision whether its article stood nowhere before, in the batch neither."""
    distinct = pc.unique(articles)
    rows = np.asarray(pc.index_in(distinct, articles.combine_chunks()))
    is_first = np.zeros(len(articles), np.bool_)
    is_first[rows] = True
    stood: NDArray[np.bool_] = np.asarray(pc.is_in(articles, pa.array(sorted(before), ID)))
    return is_first & ~stood


def _count_hot_buckets(summary: RunSummary, found: Iterable[HotBucket]) -> None:
    """Add the hot buckets that a batch met; those of one example are one, at its largest."""
    largest = {(b.kind, b.example_id): b for b in summary.largest_hot_buckets}
    for bucket in found:
        example = bucket.example_id.hex()
        known = largest.setdefault((bucket.kind, example), LargeBucket(bucket.kind, 0, example))
        known.n_articles = max(known.n_articles, bucket.n_articles)
    ordered = sorted(largest.values(), key=lambda b: (-b.n_articles, b.kind, b.example_id))
    summary.n_hot_buckets, summary.largest_hot_buckets = len(ordered), ordered


def _count_again(summary: RunSummary, before: pa.Table, after: pa.Table) -> None:
    """Count what articles of earlier runs lost because they were derived again.

    Args:
        summary: where it is counted.
        before: ARTICLES rows as they stood.
        after: CLEAN of the same revisions.
    """
    n_after = dict(zip(after["revision_id"].to_pylist(), after["n_chars"].to_pylist(), strict=True))
    earlier = before.filter(pc.not_equal(before["run_id"], summary.run_id))
    summary.n_derived_again += earlier.num_rows
    for row in earlier.select(["revision_id", "source_id", "n_chars"]).to_pylist():
        n_lost = row["n_chars"] - n_after.get(row["revision_id"], row["n_chars"])
        summary.of_source(row["source_id"]).n_lifted_chars += n_lost


def count_fault(summary: RunSummary, documents: pa.Table) -> None:
    """Count documents that a fault of ours sent to quarantine."""
    summary.quarantined["fault"] += documents.num_rows
    for source_id in documents["source_id"].to_pylist():
        summary.of_source(source_id).n_quarantined += 1


def totals(summary: RunSummary, warehouse: Warehouse) -> None:
    """Add what the whole warehouse holds after the run, and the alarms."""
    total = warehouse.select(_TOTALS).to_pylist()[0]
    summary.total_articles = total["articles"]
    summary.total_stories = total["stories"]
    summary.total_quarantined = total["quarantined"]
    summary.snapshot_id = warehouse.snapshot_id
    summary.largest_stories = _largest_stories(warehouse)
    _name_buckets(summary, warehouse)
    if summary.n_emptied:
        summary.alarms.append(
            f"{summary.n_emptied:,} articles have no text left, a fault in unecho: report it; see:"
            ' unecho sql "SELECT article_id, title FROM articles_all WHERE n_chars = 0"'
        )
    summary.alarms += loss_alarms(_levels(summary, warehouse), summary.by_source, summary.run_id)


def _name_buckets(summary: RunSummary, warehouse: Warehouse) -> None:
    """Keep the largest hot buckets, with the title of their example."""
    summary.largest_hot_buckets = summary.largest_hot_buckets[:SHOWN_BUCKETS]
    if not summary.largest_hot_buckets:
        return
    titles = _titles(warehouse, {bytes.fromhex(b.example_id) for b in summary.largest_hot_buckets})
    for bucket in summary.largest_hot_buckets:
        article = bytes.fromhex(bucket.example_id)
        if article in titles:
            bucket.example_id, bucket.title = str(UUID(bytes=article)), titles[article]


def _largest_stories(warehouse: Warehouse) -> list[LargeStory]:
    """Return the largest stories with the title of the article that stands for each."""
    rows = warehouse.select(_LARGEST).to_pylist()
    titles = _titles(warehouse, {row["canonical_id"] for row in rows})
    return [
        LargeStory(
            story_id=str(UUID(bytes=row["story_id"])),
            title=titles[row["canonical_id"]],
            n_members=row["n_members"],
            n_sources=row["n_sources"],
        )
        for row in rows
        if row["canonical_id"] in titles
    ]


def _titles(warehouse: Warehouse, articles: Set[bytes]) -> dict[bytes, str]:
    """Return the titles of stored articles, the beginning of the text where there is none."""
    found = warehouse.members(pa.array(sorted(articles), ID)).to_pylist()
    titles = {row["article_id"]: row["title"] for row in found}
    untitled = [article for article, title in titles.items() if title is None]
    for row in warehouse.rows("articles", "article_id", pa.array(untitled, ID)).to_pylist():
        if row["is_current"]:
            titles[row["article_id"]] = row["text"][:60]
    return titles


def _levels(summary: RunSummary, warehouse: Warehouse) -> list[SourceLevels]:
    """Return the levels of the sources that can alarm, by one query; none for a small run."""
    busy = [s for s, c in summary.by_source.items() if _may_alarm(c)]
    if not busy:
        return []
    small = [_is_small(summary.by_source[source_id]) for source_id in sorted(busy)]
    tables = {
        "asked": pa.table({"run_id": pa.array([summary.run_id], pa.string())}),
        "sources": pa.table({"source_id": sorted(busy), "is_small": small}),
        "displaced": pa.table({"article_id": pa.array(sorted(summary.displaced), ID)}),
    }
    rows: dict[str, dict[bool, dict[str, int]]] = {}
    for row in warehouse.select(_LEVELS, **tables).to_pylist():
        rows.setdefault(row.pop("source_id"), {})[row.pop("is_brought")] = row
    return [
        _levels_of(source_id, parts, summary.of_source(source_id))
        for source_id, parts in rows.items()
    ]


def _may_alarm(counts: SourceCounts) -> bool:
    """Return whether a look at a source's levels is worth its query.

    A run of few articles is looked at with the newest before it, once it loses enough itself.
    """
    touched = counts.n_articles + counts.n_dropped_articles
    return touched >= LEAST_ARTICLES or counts.n_lifted_chars > 0 or _is_small(counts)


def _is_small(counts: SourceCounts) -> bool:
    """Return whether a run brought and lost articles of a source, too few to judge it by them."""
    is_suspect = counts.n_dropped_articles > SUDDEN_RATIO * counts.n_articles
    return 0 < counts.n_articles < LEAST_ARTICLES and is_suspect


def _levels_of(
    source_id: str, parts: Mapping[bool, dict[str, int]], counts: SourceCounts
) -> SourceLevels:
    names = ("n_articles", "n_dropped_articles", "n_chars", "n_dropped_chars")
    brought, after = (
        Level(**{n: parts[is_brought][n] for n in names}) if is_brought in parts else Level()
        for is_brought in (True, False)
    )
    earlier = parts.get(False, {})
    before = Level(
        after.n_articles,
        after.n_dropped_articles - earlier.get("n_displaced", 0),
        after.n_chars,
        max(0, after.n_dropped_chars - earlier.get("n_displaced_chars", 0) - counts.n_lifted_chars),
    )
    return SourceLevels(source_id, brought, before, after, is_recent=_is_small(counts))
