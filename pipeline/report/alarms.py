"""When a source suddenly loses far more to deduplication than it used to: one line for each."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.contracts import RELATIONS
from pipeline.report.summary import SourceCounts

LEAST_ARTICLES = 20
"""Fewer are chance: of 20 articles of a source that loses 1 in 10, more than 40 % go once in 17,000
times, of 10 articles once in 600 (binomial)."""

SUDDEN_RATIO = 0.30
"""The share that no source may lose unawares. A wire or a source that copies alarms once, with the
first run that brings it: four of 31 Korean outlets on one day, an English wire (31 % of 710)."""

LEAST_RISE = 0.15
"""How far the share must rise above the source's own level. Its own, because sources differ: of 31
Korean outlets on one day the wires lose up to 43 % of their articles, half of the others under
8 %; the same every day is not sudden."""

_NOT_SHELL = frozenset("\"'$`\\!\n")


@dataclass(frozen=True)
class Level:
    """How many articles and characters a set of a source's articles has and has lost."""

    n_articles: int = 0
    n_dropped_articles: int = 0
    n_chars: int = 0
    n_dropped_chars: int = 0

    def share(self, *, is_chars: bool) -> float:
        """Return the share of articles, or of characters, that is lost; 0 of nothing."""
        lost, whole = (
            (self.n_dropped_chars, self.n_chars)
            if is_chars
            else (self.n_dropped_articles, self.n_articles)
        )
        return lost / whole if whole else 0.0


@dataclass(frozen=True)
class SourceLevels:
    """A source after a run: what the run brought, and its earlier articles before and after it."""

    source_id: str
    brought: Level
    """What the run brought; where it brought few, with the newest articles before it."""
    before: Level
    after: Level
    is_recent: bool = False
    """Whether `brought` is the source's newest articles, of more runs than this one."""


def loss_alarms(
    levels: Iterable[SourceLevels], by_source: dict[str, SourceCounts], run_id: str
) -> Iterator[str]:
    """Yield one line for each source that suddenly loses more than 30 % to deduplication.

    Lost are, of articles, those that another one stands for; of characters, those of dropped
    paragraphs and of dropped articles. Suddenly is more than `SUDDEN_RATIO`, and `LEAST_RISE` above
    the source's level, the share that its earlier articles had lost before the run: by the articles
    that the run brought (with the newest before it, where it brought few), or by the earlier ones,
    where the run took them away. Either must be at least `LEAST_ARTICLES`; a source with fewer
    earlier articles than that has no level.
    """
    for source in sorted(levels, key=lambda s: s.source_id):
        counts = by_source.get(source.source_id, SourceCounts())
        for is_chars in (False, True):
            if line := _alarm(source, counts, run_id, is_chars=is_chars):
                yield line
                break


def _alarm(source: SourceLevels, counts: SourceCounts, run_id: str, *, is_chars: bool) -> str:
    has_level = source.before.n_articles >= LEAST_ARTICLES
    level = source.before.share(is_chars=is_chars)
    limit = max(SUDDEN_RATIO, level + LEAST_RISE) if has_level else SUDDEN_RATIO
    if source.brought.n_articles >= LEAST_ARTICLES:
        share = source.brought.share(is_chars=is_chars)
        if share > limit:
            n_brought = f"{source.brought.n_articles:,}"
            whose = f"the {n_brought} articles that this run brought"
            if source.is_recent:
                whose = f"its {n_brought} newest articles"
            return _line(source.source_id, counts, run_id, share, level, whose, has_level, is_chars)
    if has_level:
        share = source.after.share(is_chars=is_chars)
        if share > limit:
            whose = f"the {source.after.n_articles:,} articles that it had before this run"
            return _line(source.source_id, counts, run_id, share, level, whose, has_level, is_chars)
    return ""


def _line(
    source_id: str,
    counts: SourceCounts,
    run_id: str,
    share: float,
    level: float,
    whose: str,
    has_level: bool,
    is_chars: bool,
) -> str:
    what = f"the characters of {whose}" if is_chars else whose
    before = f"{level:.0%} before" if has_level else "a source without a level of its own yet"
    reason = counts.top_reason(is_chars=is_chars)
    most = f", most of it as {reason}" if reason else ""
    return (
        f"{source_id} suddenly loses to deduplication: {share:.0%} of {what}"
        f" ({before}){most}; see: {_question(source_id, reason, run_id)}"
    )


def _question(source_id: str, reason: str, run_id: str) -> str:
    """Return the command that shows what was lost for this reason."""
    quoted = source_id.replace("'", "''")
    if reason in RELATIONS:
        query = (
            "SELECT lost.title, kept.source_id, kept.title FROM articles_all lost"
            " JOIN articles_all kept ON kept.article_id = lost.matched_id"
            f" JOIN decisions ON decisions.article_id = lost.article_id"
            f" WHERE lost.source_id = '{quoted}' AND decisions.action = 'drop_article'"
            f" AND decisions.run_id = '{run_id}' LIMIT 20"
        )
    else:
        query = (
            "SELECT paragraphs.reason, paragraphs.text, count(*) AS n FROM paragraphs"
            f" JOIN articles_all USING (article_id) WHERE source_id = '{quoted}'"
            " AND status = 'dropped' GROUP BY ALL ORDER BY n DESC LIMIT 20"
        )
    is_plain = not _NOT_SHELL & set(source_id)
    return f'unecho sql "{query}"' if is_plain else f"unecho sql {shlex.quote(query)}"
