"""What a person reads of a run in the Prefect UI: one report in Markdown and one table.

Written for both UIs of Prefect: tables, fenced SQL and images with a `data:` address; no raw
HTML, no inline SVG (stripped to its text) and no diagrams (shown as code by the first UI).
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.report.charts import Bar, Part, data_uri, stacked_bars
from pipeline.report.run_report import REASONS
from pipeline.report.summary import RunSummary, SourceCounts

REPORT_KEY = "ingest-report"
STORIES_KEY = "largest-stories"

_CHART_SOURCES = 8
_TABLE_SOURCES = 40

QUARANTINE_WORDS: dict[str, str] = {
    "unreadable": "could not be read",
    "empty_file": "empty file",
    "binary": "not text",
    "broken_encoding": "characters cannot be decoded",
    "broken_json": "no valid JSON",
    "broken_csv": "no valid CSV row",
    "broken_parquet": "no valid Parquet",
    "broken_archive": "damaged compression",
    "not_a_record": "not a record",
    "missing_text": "no text",
    "control_characters": "control characters in the text",
    "lone_surrogate": "half a character (lone surrogate)",
    "too_large": "larger than allowed",
    "too_slow": "a page that took too long to read",
    "missing_extra": "needs a package that is not installed",
    "fault": "a fault of unecho, kept with its message",
}
"""What each quarantine reason means; a test holds that none is missing."""

_KEPT = Part("kept", "#2f6fdb")
_DROPPED = Part("dropped as copies", "#f0a030")
_QUARANTINED = Part("quarantined", "#a8a8a8")

_QUERIES = """-- the clean records: one row a story
SELECT published_at, source_id, title, n_members
FROM articles
ORDER BY published_at DESC LIMIT 20;

-- why paragraphs were dropped
SELECT reason, count(*) AS paragraphs
FROM paragraphs WHERE status = 'dropped'
GROUP BY ALL ORDER BY paragraphs DESC;

-- what this run decided
SELECT action, reason, count(*) AS decisions
FROM decisions
WHERE run_id = '{run_id}'
GROUP BY ALL ORDER BY decisions DESC;"""


def report_markdown(summary: RunSummary, database: Path) -> str:
    """Return the report of a run; `database` is the published DuckDB file that answers for it."""
    sections = [
        f"**{summary.headline()}**",
        _alarms(summary),
        _what_came_in(summary),
        _reasons("Paragraphs dropped", "paragraphs", summary.dropped_paragraphs),
        _reasons("Articles dropped as copies", "articles", summary.dropped_articles),
        _reasons("Quarantined, whole and with their bytes", "documents", summary.quarantined),
        _chart(summary.by_source),
        _by_source(summary.by_source),
        _hot_buckets(summary),
        _where(summary, database),
    ]
    return "\n\n".join(s for s in sections if s) + "\n"


def largest_stories_rows(summary: RunSummary) -> list[dict[str, Any]]:
    """Return the largest stories of the warehouse as rows of a table artifact."""
    return [
        {
            "articles": story.n_members,
            "sources": story.n_sources,
            "title": story.title,
            "story_id": story.story_id,
        }
        for story in summary.largest_stories
    ]


def _alarms(summary: RunSummary) -> str:
    lines = [*summary.alarms, *summary.source_errors]
    return "\n".join(f"> ⚠ {_plain(line)}\n>" for line in lines)


def _what_came_in(summary: RunSummary) -> str:
    rows = [
        ("documents came in", summary.n_documents),
        ("of them already known", summary.n_known_documents),
        ("taken up from an interrupted run", summary.n_recovered_documents),
        ("new articles", summary.n_articles),
        ("new revisions of known articles", summary.n_revisions),
        ("unchanged articles", summary.n_unchanged_articles),
        ("articles of earlier runs derived again", summary.n_derived_again),
        ("paragraphs read", summary.n_paragraphs),
        ("pairs of articles verified as alike", summary.n_edges),
        ("quarantined", summary.n_quarantined),
    ]
    shown = [(what, n) for what, n in rows if n or what in ("documents came in", "new articles")]
    shown += [
        ("**articles in the warehouse now**", summary.total_articles),
        ("**stories among them**", summary.total_stories),
    ]
    return "## What came in\n\n" + _table(("", "count"), shown)


def _chart(by_source: dict[str, SourceCounts]) -> str:
    """Return the image of the busiest sources; the rest is one bar."""
    if not by_source:
        return ""
    busiest = sorted(by_source.items(), key=lambda s: (-_volume(s[1]), s[0]))
    bars = [Bar(name, _parts(counts)) for name, counts in busiest[:_CHART_SOURCES]]
    rest = [_parts(counts) for _, counts in busiest[_CHART_SOURCES:]]
    if rest:
        totals = tuple(sum(column) for column in zip(*rest, strict=True))
        bars.append(Bar(f"{len(rest)} other sources", totals))
    svg = stacked_bars((_KEPT, _DROPPED, _QUARANTINED), bars)
    return f"## By source\n\n![New articles by source: kept, dropped, quarantined]({data_uri(svg)})"


def _by_source(by_source: dict[str, SourceCounts]) -> str:
    if not by_source:
        return ""
    busiest = sorted(by_source.items(), key=lambda s: (-_volume(s[1]), s[0]))
    rows = [
        (_plain(name), c.n_articles, c.n_dropped_articles, c.n_dropped_paragraphs, c.n_quarantined)
        for name, c in busiest[:_TABLE_SOURCES]
    ]
    table = _table(("source", "new", "copies", "paragraphs dropped", "quarantined"), rows)
    left = len(busiest) - len(rows)
    return table + (f"\n\nand {left:,} sources more" if left else "")


def _hot_buckets(summary: RunSummary) -> str:
    """Return what so many articles share that not every pair of them was compared."""
    if not summary.largest_hot_buckets:
        return ""
    rows = [
        (b.n_articles, b.kind, _plain(b.title) or f"`{b.example_id}`")
        for b in summary.largest_hot_buckets
    ]
    left = summary.n_hot_buckets - len(rows)
    more = f"\n\nand {left:,} more" if left else ""
    return "## Hot buckets\n\n" + _table(("articles", "shared", "for example"), rows) + more


def _reasons(title: str, unit: str, counts: Counter[str]) -> str:
    if not counts:
        return ""
    ordered = sorted(counts.items(), key=lambda r: (-r[1], r[0]))
    words = REASONS | QUARANTINE_WORDS
    rows = [(f"`{reason}`", words.get(reason, ""), n) for reason, n in ordered]
    return f"## {title}\n\n" + _table(("reason", "what it means", unit), rows)


def _where(summary: RunSummary, database: Path) -> str:
    quarantine = ""
    if summary.total_quarantined:
        quarantine = (
            f"\n\nIn quarantine altogether: {summary.total_quarantined:,} documents; "
            "`unecho quarantine list` shows them."
        )
    return (
        "## Look at it\n\n"
        f"Open `{database}` read-only with any DuckDB (1.1 or newer), or give a query to "
        f"`unecho sql`.\n\n```sql\n{_QUERIES.format(run_id=summary.run_id)}\n```{quarantine}\n\n"
        f"Run `{summary.run_id}`, snapshot {summary.snapshot_id}, {summary.n_batches:,} batches, "
        f"{summary.elapsed_seconds:,.1f} s."
    )


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """Return a Markdown table; numbers stand right, with thousands separated."""
    is_number = [any(isinstance(r[i], int) for r in rows) for i in range(len(header))]
    rule = ["---:" if number else ":---" for number in is_number]
    lines = [header, rule, *[[f"{c:,}" if isinstance(c, int) else c for c in r] for r in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(text.split()))


def _parts(counts: SourceCounts) -> tuple[int, int, int]:
    """Return kept, dropped and quarantined; a run may drop more articles than it brought."""
    kept = max(counts.n_articles - counts.n_dropped_articles, 0)
    return kept, counts.n_dropped_articles, counts.n_quarantined


def _volume(counts: SourceCounts) -> int:
    return sum(_parts(counts))
