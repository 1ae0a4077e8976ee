"""What one run did, counted: the numbers behind the terminal report, the artifacts and `--json`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_NOT_PLAIN = ("by_source", "largest_stories", "largest_hot_buckets", "displaced")


@dataclass
class SourceCounts:
    """Counts of one source in one run."""

    n_articles: int = 0
    n_dropped_articles: int = 0
    n_dropped_paragraphs: int = 0
    n_quarantined: int = 0
    dropped_articles: Counter[str] = field(default_factory=Counter)
    """Articles by the relation for which they were dropped."""
    dropped_chars: Counter[str] = field(default_factory=Counter)
    """Characters of dropped paragraphs and of dropped articles, by reason."""
    n_lifted_chars: int = 0
    """Characters that articles of earlier runs lost because they were derived again."""

    def top_reason(self, *, is_chars: bool) -> str:
        """Return the reason that took most, articles or characters; empty when nothing went."""
        counted = self.dropped_chars if is_chars else self.dropped_articles
        return min(counted, key=lambda reason: (-counted[reason], reason), default="")


@dataclass
class LargeBucket:
    """A bucket that so many articles share that not every pair of them is compared."""

    kind: str
    n_articles: int
    example_id: str
    title: str = ""


@dataclass
class LargeStory:
    """One of the largest stories of the warehouse."""

    story_id: str
    title: str
    n_members: int
    n_sources: int


@dataclass
class RunSummary:
    """Counts of one run; `n_` are counts of this run, `total_` of the whole warehouse after it."""

    run_id: str
    started_at: datetime
    sources: list[str] = field(default_factory=list)
    elapsed_seconds: float = 0.0
    n_batches: int = 0
    n_documents: int = 0
    n_known_documents: int = 0
    n_recovered_documents: int = 0
    n_articles: int = 0
    n_unchanged_articles: int = 0
    n_revisions: int = 0
    n_derived_again: int = 0
    n_emptied: int = 0
    n_paragraphs: int = 0
    n_edges: int = 0
    dropped_paragraphs: Counter[str] = field(default_factory=Counter)
    dropped_articles: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    by_source: dict[str, SourceCounts] = field(default_factory=dict)
    source_errors: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    largest_stories: list[LargeStory] = field(default_factory=list)
    n_hot_buckets: int = 0
    largest_hot_buckets: list[LargeBucket] = field(default_factory=list)
    displaced: set[bytes] = field(default_factory=set)
    """Articles that stood before their batch came and were dropped by it: what alarms look at."""
    total_articles: int = 0
    total_stories: int = 0
    total_quarantined: int = 0
    snapshot_id: int = 0

    def of_source(self, source_id: str) -> SourceCounts:
        """Return the counts of `source_id`, made on first sight."""
        return self.by_source.setdefault(source_id, SourceCounts())

    @property
    def n_quarantined(self) -> int:
        """Documents that went to quarantine in this run."""
        return self.quarantined.total()

    @property
    def n_taken(self) -> int:
        """New documents that became articles, revisions or were already known by content."""
        return self.n_articles + self.n_revisions + self.n_unchanged_articles

    @property
    def is_all_quarantined(self) -> bool:
        """Whether new documents came in and every one of them went to quarantine."""
        return self.n_quarantined > 0 and self.n_taken == 0 and self.n_known_documents == 0

    def headline(self) -> str:
        """Return the one sentence that says what the run did."""
        if not self.n_documents and not self.n_recovered_documents:
            return "Nothing came in."
        dropped = self.dropped_articles.total()
        parts = [f"{self.n_documents:,} documents came in"]
        if self.n_known_documents:
            parts.append(f"{self.n_known_documents:,} already known")
        if self.n_recovered_documents:
            parts.append(f"{self.n_recovered_documents:,} taken up from an interrupted run")
        parts.append(f"{self.n_articles:,} new articles")
        if self.n_revisions:
            parts.append(f"{self.n_revisions:,} new revisions")
        parts.append(f"{dropped:,} articles dropped as copies")
        parts.append(f"{self.dropped_paragraphs.total():,} paragraphs dropped")
        parts.append(f"{self.n_quarantined:,} quarantined")
        return ", ".join(parts) + "."

    def counts(self) -> dict[str, int]:
        """Return the counts that the run ledger keeps, under the names of the view `runs`."""
        return {
            "n_read": self.n_documents,
            "n_known": self.n_known_documents,
            "n_documents": self.n_documents - self.n_known_documents,
            "n_recovered": self.n_recovered_documents,
            "n_quarantined": self.n_quarantined,
            "n_articles": self.n_articles,
            "n_revisions": self.n_revisions,
            "n_duplicates": self.dropped_articles.total(),
            "n_stories": self.total_stories,
            "n_paragraphs": self.n_paragraphs,
            "n_dropped_paragraphs": self.dropped_paragraphs.total(),
            "n_edges": self.n_edges,
            "n_derived_again": self.n_derived_again,
            "n_hot_buckets": self.n_hot_buckets,
            "n_largest_hot_bucket": max([b.n_articles for b in self.largest_hot_buckets] or [0]),
            "n_alarms": len(self.alarms),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the summary as a JSON-ready mapping (times in ISO 8601, UTC)."""
        values = {k: v for k, v in vars(self).items() if k not in _NOT_PLAIN}
        values["started_at"] = self.started_at.isoformat() + "Z"
        for name in ("dropped_paragraphs", "dropped_articles", "quarantined"):
            values[name] = dict(sorted(values[name].items()))
        values["n_quarantined"] = self.n_quarantined
        values["by_source"] = {k: vars(v) for k, v in sorted(self.by_source.items())}
        values["largest_stories"] = [vars(s) for s in self.largest_stories]
        values["largest_hot_buckets"] = [vars(b) for b in self.largest_hot_buckets]
        values["headline"] = self.headline()
        return values
