"""What a run did, for the end of `unecho ingest`: plain lines of text, at home in a pipe too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.report.summary import RunSummary
from pipeline.report.tables import Column, text_table
from pipeline.report.terminal import PIPED_WIDTH, cut, printable

SHOWN_SOURCES = 10
SHOWN_STORIES = 5

REASONS = {
    "repeat_block": "a run of paragraphs printed twice",
    "repeat_single": "a paragraph printed twice",
    "repeat_near": "a paragraph printed twice with small changes",
    "repeat_blob": "one paragraph that repeats several",
    "furniture_rights": "copyright lines",
    "furniture_byline": "bylines",
    "furniture_source": "lines that the source prints everywhere",
    "furniture_caption": "photo credits",
    "shared": "shared with other articles",
    "exact": "the same text as another article",
    "near": "almost the same text as another article",
    "update": "an earlier state of a story",
    "contained": "stands inside another article",
}
"""Reasons and relations in words; a test holds that none is missing."""


def run_report(summary: RunSummary, call: str, url: str | None, width: int | None) -> Iterator[str]:
    """Yield the lines of the report.

    Args:
        summary: what the run counted.
        call: how to call unecho for this warehouse, for the commands that it suggests.
        url: the run's page in Prefect's UI, where it was recorded.
        width: cells of the terminal; None is none.
    """
    yield summary.headline()
    yield from _by_reason(summary, width)
    yield from _by_source(summary, width)
    yield from _largest(summary, width)
    yield from _hot_buckets(summary, width)
    yield ""
    yield (
        f"The warehouse holds {summary.total_articles:,} articles in {summary.total_stories:,} "
        f"stories (snapshot {summary.snapshot_id}); this took {summary.elapsed_seconds:.1f} s."
    )
    if summary.total_quarantined:
        yield (
            f"{summary.total_quarantined:,} documents stand in quarantine, whole: "
            f"{call} quarantine list"
        )
    yield ""
    yield from _next_steps(summary, call, url)


def _by_reason(summary: RunSummary, width: int | None) -> Iterator[str]:
    rows: list[tuple[str, str, int, int]] = []
    for counted, is_article in ((summary.dropped_paragraphs, 0), (summary.dropped_articles, 1)):
        for reason, n in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])):
            n_paragraphs, n_articles = (0, n) if is_article else (n, 0)
            rows.append((reason, REASONS.get(reason, ""), n_paragraphs, n_articles))
    if rows:
        columns = [
            Column("dropped because"),
            Column("in words"),
            Column("paragraphs", True),
            Column("articles", True),
        ]
        blank = [(r, words, p or "", a or "") for r, words, p, a in rows]
        yield ""
        yield from text_table(columns, blank, width)
    if summary.quarantined:
        yield ""
        refused = sorted(summary.quarantined.items(), key=lambda pair: (-pair[1], pair[0]))
        columns = [Column("to quarantine because"), Column("documents", True)]
        yield from text_table(columns, refused, width)


def _by_source(summary: RunSummary, width: int | None) -> Iterator[str]:
    ordered = sorted(summary.by_source.items(), key=lambda pair: (-pair[1].n_articles, pair[0]))
    if not ordered:
        return
    columns = [
        Column("source"),
        Column("new articles", True),
        Column("copies", True),
        Column("paragraphs out", True),
        Column("quarantined", True),
    ]
    rows = [
        (name, c.n_articles, c.n_dropped_articles, c.n_dropped_paragraphs, c.n_quarantined)
        for name, c in ordered[:SHOWN_SOURCES]
    ]
    yield ""
    yield from text_table(columns, rows, width)
    if len(ordered) > SHOWN_SOURCES:
        yield f"… and {len(ordered) - SHOWN_SOURCES:,} more sources"


def _largest(summary: RunSummary, width: int | None) -> Iterator[str]:
    if not summary.largest_stories:
        return
    columns = [Column("articles", True), Column("sources", True), Column("largest stories")]
    rows: Sequence[Sequence[object]] = [
        (s.n_members, s.n_sources, cut(printable(s.title), PIPED_WIDTH))
        for s in summary.largest_stories[:SHOWN_STORIES]
    ]
    yield ""
    yield from text_table(columns, rows, width)


def _hot_buckets(summary: RunSummary, width: int | None) -> Iterator[str]:
    """Yield what so many articles share that not every pair of them was compared."""
    if not summary.largest_hot_buckets:
        return
    columns = [Column("articles", True), Column("shared"), Column("hot buckets, for example")]
    rows: Sequence[Sequence[object]] = [
        (b.n_articles, b.kind, cut(printable(b.title or b.example_id), PIPED_WIDTH))
        for b in summary.largest_hot_buckets
    ]
    yield ""
    yield from text_table(columns, rows, width)
    if summary.n_hot_buckets > len(rows):
        yield f"… and {summary.n_hot_buckets - len(rows):,} more hot buckets"


def _next_steps(summary: RunSummary, call: str, url: str | None) -> Iterator[str]:
    yield "Look at it:"
    query = "SELECT n_members, title FROM articles ORDER BY n_members DESC LIMIT 10"
    yield f'  {call} sql "{query}"'
    if summary.largest_stories:
        yield f"  {call} explain {summary.largest_stories[0].story_id}"
    if url:
        yield f"  the run: {url}"
