"""Learned furniture: which lines a source repeats so often, and where, that they are no body text.

A line is furniture of its source when there is a window of 30 days, ending at a day on which the
line is printed, in which

- it stands in at least 5 documents and in 0.3 % of the source's documents,
- on at least 3 days or in at least 20 documents; a plain line (see `lines`) only where the source
  prints it nearly everywhere: in 60 % of its documents, or in 20 of them and 30 %,
- at the edge of at least 80 % of them: everywhere it stands, among the first 2 or last 4
  paragraphs, and
- the documents are about different things: no piece of a headline is in more than half of their
  titles (of 32 of them, those with the smallest ids).

Documents without a date form one window of their own, in which 20 documents are needed. Of several
such windows the one with the most documents stands in the row, the earliest of equal ones.

The last condition keeps the body: a photo desk prints one caption under 25 pictures, a newsroom
one story in 25 editions, a column its rubric every day, and each time the headlines have words in
common. Documents without a title say nothing of it: as many as 5 must have one.

All of it is a function of the set of articles: days are those of publication, a sample is chosen
by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contract import HASH, ID, TIME, conform
from pipeline.dedup.lines import PLAIN, kind_of
from pipeline.dedup.mapped import Words, distinct, ids_of, sorted_ids
from pipeline.dedup.sightings import UNDATED, Articles, Numbers, Sightings
from pipeline.dedup.title_spread import is_spread
from pipeline.interim import LEARNED

RULE_VERSION = "1"
"""Raised whenever a rule of learning changes."""

_DAY_US = 86_400_000_000
_DAY_SPAN = np.int64(1 << 32)
"""Distance of two sources, or of two lines, where a day is added: more than any day."""
_MAX_BINS, _NEVER = 1 << 24, 1 << 31
_ROOM = np.int64(1 << 20)
"""Before the first day of each: a window that begins earlier stays within it."""


@dataclass(frozen=True)
class LearningRules:
    """When a line is furniture (the module says how the numbers work together)."""

    window_days: int = 30
    min_documents: int = 5
    min_share: float = 0.003
    """Of the source's documents in the window."""
    min_days: int = 3
    many_documents: int = 20
    """So many do without days."""
    min_plain_share: float = 0.6
    min_plain_share_many: float = 0.3
    """What a plain line needs instead of `min_share`, and with `many_documents`. Sentences that
    newsrooms repeat ("Police are investigating.") end some articles in a hundred, a program's tag
    31 % of its broadcaster's; a house slogan without any mark may stay."""
    min_edge_ratio: float = 0.8
    max_title_share: float = 0.5
    """Largest share of the titles that may have one piece of a headline in common. Measured on a
    day of 61 Korean outlets, lines in 8 documents and more: furniture at most 0.40 (in 20 and more
    0.30), photo series and stories in editions 0.58 to 1."""
    n_titles: int = 32
    """So many titles are looked at."""


@dataclass(frozen=True)
class Learned:
    """What the whole set says of the furniture of the sources that a batch touches."""

    furniture: pa.Table
    """LEARNED rows of these sources, all of them."""
    learned: Words
    """Lines that are furniture now and were not, uint64 sorted, bit 0 clear."""
    unlearned: Words
    """Lines that were furniture and are not any more."""
    stale: pa.Array
    """article_ids of the history that print one of these lines: to be derived again."""
    sources: tuple[str, ...]
    """The touched sources: standing rows of these are replaced by `furniture`."""


def learn(
    batch: pa.Table,
    history: Sequence[pa.Table],
    standing: pa.Table,
    gone: Iterable[bytes] = (),
    rules: LearningRules | None = None,
) -> Learned:
    """Return the furniture of all sources of the batch, and what it changes.

    Only lines of the batch, of rows that it replaces, and standing furniture are counted again:
    no other line can change. Where fewer documents than before make a share easier to reach, all
    lines of the source are.

    Args:
        batch: KEYS; one row an article.
        history: KEYS segments, memory-mapped or not; rows of articles in `batch` or `gone` are
            stale and are ignored.
        standing: FURNITURE or LEARNED rows as they stand, of the touched sources at least.
        gone: article_ids whose stored row does not count any more.
        rules: when a line is furniture.
    """
    rules = rules or LearningRules()
    articles = Articles(batch, history, pa.array(sorted(set(gone)), ID))
    stood = standing.filter(pc.is_in(standing["source_id"], articles.sources))
    before = distinct(stood["line_hash"].to_numpy())
    counts = SourceDays.of(articles)
    lines = [articles.changed_lines(), before]
    # Without a row less no window has fewer documents than it had.
    if articles.has_stale and (eased := counts.eased(rules)).size:
        lines.append(articles.lines_of_sources(eased))
    sightings = articles.sightings(np.concatenate(lines))
    windows = _best_windows(sightings, articles, counts, rules)
    furniture = _proven(windows, sightings, articles, rules)
    now = furniture["line_hash"].to_numpy()
    learned, unlearned = np.setdiff1d(now, before), np.setdiff1d(before, now)
    changed = np.searchsorted(sightings.lines, np.concatenate((learned, unlearned)))
    is_changed = np.zeros(sightings.lines.size, np.bool_)
    is_changed[changed] = True
    rows = np.unique(sightings.row[is_changed[sightings.line]])
    stale = ids_of(sorted_ids(articles.ids(rows[rows >= articles.n_new])))
    sources = tuple(articles.sources.to_pylist())
    return Learned(furniture, learned, unlearned, stale, sources)


@dataclass(frozen=True)
class SourceDays:
    """Documents of each touched source by day, as they stand and as they stood."""

    days: Numbers
    """Source and day in one number, ascending: `packed`."""
    now: Numbers
    before: Numbers

    @classmethod
    def of(cls, articles: Articles) -> SourceDays:
        """Count the documents of the touched sources."""
        codes, days = articles.codes, articles.days
        if not articles.has_stale and (codes >= 0).all():
            distinct_days, (now,) = counted(codes, days)
            return cls(distinct_days, now, now)
        rows = np.flatnonzero(codes >= 0)
        codes, days = codes[rows], days[rows]
        is_now, is_before = articles.is_standing[rows], rows >= articles.n_new
        distinct_days, (_, now, before) = counted(codes, days, is_now, is_before)
        return cls(distinct_days, now, before)

    def within(self, last: Numbers, n_days: int, counts: Numbers | None = None) -> Numbers:
        """Return the documents of the windows of `n_days` that end at `last` (packed)."""
        total = np.append(0, np.cumsum(self.now if counts is None else counts))
        end = np.searchsorted(self.days, last, side="right")
        start = np.searchsorted(self.days, last - (n_days - 1), side="left")
        found: Numbers = total[end] - total[start]
        return found

    def eased(self, rules: LearningRules) -> Numbers:
        """Return the sources in which some window asks for fewer documents than it did."""
        # A window may end on any day with a document, and each day counts in the next 29 too.
        ends = np.unique(self.days[:, None] + np.arange(rules.window_days))
        now = self.within(ends, rules.window_days)
        before = self.within(ends, rules.window_days, self.before)
        is_eased = (now < before) & (
            before * max(rules.min_share, rules.min_plain_share) > rules.min_documents
        )
        return np.unique(ends[is_eased] // _DAY_SPAN)


def packed(codes: Numbers, days: Numbers) -> Numbers:
    """Return a number (a source, a line) and a day as one int64 that sorts by both."""
    both: Numbers = codes * _DAY_SPAN + (days - UNDATED) + _ROOM
    return both


def counted(
    codes: Numbers, days: Numbers, *subsets: NDArray[np.bool_]
) -> tuple[Numbers, tuple[Numbers, ...]]:
    """Return the distinct pairs of number and day, packed and ascending, and how often each is.

    First of all, then of each subset (bool, one a pair). Days lie close together, so that most
    often they are counted in place; sorting takes ten times as long.
    """
    is_dated = days != UNDATED
    first = int(days.min(initial=_NEVER, where=is_dated))
    # Place 0 of each code is for what has no date.
    place = np.where(is_dated, days - (first - 1), 0)
    n_days = int(place.max(initial=0)) + 1
    n_bins = (int(codes.max(initial=-1)) + 1) * n_days
    if n_bins > _MAX_BINS:
        pairs, place = np.unique(packed(codes, days), return_inverse=True)
        tallies = [np.bincount(place, minlength=pairs.size)]
        tallies += [np.bincount(place[s], minlength=pairs.size) for s in subsets]
        return pairs, tuple(tallies)
    place += codes * n_days
    whole = np.bincount(place, minlength=n_bins)
    bins = np.flatnonzero(whole)
    code, day = np.divmod(bins, n_days)
    pairs = packed(code, np.where(day > 0, day + (first - 1), UNDATED))
    parts = [np.bincount(place[s], minlength=n_bins)[bins] for s in subsets]
    return pairs, (whole[bins], *parts)


@dataclass(frozen=True)
class _Windows:
    """The best window of each line that has one; `line` is an index into the sightings' lines."""

    line: Numbers
    n_documents: Numbers
    n_edge: Numbers
    n_days: Numbers
    n_source: Numbers
    source: Numbers
    first: Numbers
    last: Numbers


def _best_windows(
    sightings: Sightings, articles: Articles, counts: SourceDays, rules: LearningRules
) -> _Windows:
    """Return for each line the window with the most documents of those that count as proof."""
    # Most lines stand in a document or two, which never make a window.
    is_frequent = np.bincount(sightings.line, minlength=sightings.lines.size) >= max(
        rules.min_documents, 1
    )
    frequent = np.flatnonzero(is_frequent)
    seen = np.flatnonzero(is_frequent[sightings.line])
    number = (np.cumsum(is_frequent) - 1)[sightings.line[seen]]
    rows = sightings.row[seen]
    ends, (n_on_day, edge_on_day) = counted(number, articles.days[rows], sightings.is_edge[seen])
    starts = np.searchsorted(ends, ends - (rules.window_days - 1), side="left")
    at = np.arange(ends.size)
    n, n_edge = (_between(c, starts, at) for c in (n_on_day, edge_on_day))
    line, day = np.divmod(ends - _ROOM, _DAY_SPAN)
    of_line = np.empty(frequent.size, np.int64)
    of_line[number] = articles.codes[rows]
    source = of_line[line]
    line = frequent[line]
    n_source = counts.within(packed(source, day + UNDATED), rules.window_days)
    n_days = np.where(day > 0, at - starts + 1, 0)
    is_many = n >= rules.many_documents
    plain_share = np.where(is_many, rules.min_plain_share_many, rules.min_plain_share)
    is_plain = (sightings.lines[line] & PLAIN) != 0
    share = np.where(is_plain, np.maximum(plain_share, rules.min_share), rules.min_share)
    enough = (n >= rules.min_documents) & (n >= n_source * share)
    enough &= is_many | (n_days >= rules.min_days)
    proof = np.flatnonzero(enough & (n_edge >= n * rules.min_edge_ratio))
    # The most documents, dated before undated, the earliest.
    order = proof[np.lexsort((day[proof], day[proof] == 0, -n[proof], line[proof]))]
    best = order[np.append(True, line[order][1:] != line[order][:-1])[: order.size]]
    return _Windows(
        line[best],
        n[best],
        n_edge[best],
        n_days[best],
        n_source[best],
        source[best],
        day[starts[best]] + UNDATED,
        day[best] + UNDATED,
    )


def _between(counts: Numbers, starts: Numbers, ends: Numbers) -> Numbers:
    """Return the sums of counts[start..end], the end inclusive."""
    total = np.append(0, np.cumsum(counts))
    found: Numbers = total[ends + 1] - total[starts]
    return found


def _proven(
    windows: _Windows, sightings: Sightings, articles: Articles, rules: LearningRules
) -> pa.Table:
    """Return the LEARNED rows of the windows whose documents are about different things."""
    number, rows = _sample(windows, sightings, articles, rules.n_titles)
    spread = is_spread(
        articles.title_keys(rows),
        number,
        windows.line.size,
        rules.max_title_share,
        rules.min_documents,
    )
    kept = np.flatnonzero(spread)
    examples = articles.ids(rows[np.searchsorted(number, kept)])
    lines = sightings.lines[windows.line[kept]]
    is_dated = windows.n_days[kept] > 0
    columns = {
        "source_id": articles.sources.take(pa.array(windows.source[kept])),
        "line_hash": pa.array(lines, HASH),
        "reason": pa.array([f"furniture_{kind_of(line)}" for line in lines.tolist()], pa.string()),
        "example_article_id": ids_of(examples),
        "n_documents": pa.array(windows.n_documents[kept]),
        "n_source_documents": pa.array(windows.n_source[kept]),
        "n_days": pa.array(windows.n_days[kept]),
        "edge_ratio": pa.array(windows.n_edge[kept] / windows.n_documents[kept], pa.float32()),
        "first_day": _times(windows.first[kept], is_dated),
        "last_day": _times(windows.last[kept], is_dated),
        "rule_version": pa.array([RULE_VERSION] * kept.size, pa.string()),
    }
    return conform(pa.table(columns), LEARNED)


def _times(days: Numbers, is_dated: NDArray[np.bool_]) -> pa.Array:
    """Return the beginning of each day, NULL where there is none."""
    return pa.array(days * _DAY_US, mask=~is_dated).cast(TIME)


def _sample(
    windows: _Windows, sightings: Sightings, articles: Articles, n_titles: int
) -> tuple[Numbers, Numbers]:
    """Return number of the window and row of the documents with the smallest ids in each.

    Ascending by window, then id; at most `n_titles` of a window.
    """
    of_line = np.full(sightings.lines.size, -1)
    of_line[windows.line] = np.arange(windows.line.size)
    number = of_line[sightings.line]
    held = np.flatnonzero(number >= 0)
    rows, number = sightings.row[held], number[held]
    days = articles.days[rows]
    inside = (days >= windows.first[number]) & (days <= windows.last[number])
    rows, number = rows[inside], number[inside]
    words = articles.ids(rows)
    # Ids are hashes: of many, those below a bound hold the smallest, and few are sorted.
    bound = np.minimum(3 * n_titles / windows.n_documents, 1.0)
    low = words[:, 0] <= bound[number] * float(1 << 64)
    enough = np.bincount(number[low], minlength=windows.line.size) >= n_titles
    few = low | ~enough[number]
    rows, number, words = rows[few], number[few], words[few]
    order = np.lexsort((words[:, 1], words[:, 0], number))
    number, rows = number[order], rows[order]
    rank = np.arange(number.size) - np.searchsorted(number, number)
    return number[rank < n_titles], rows[rank < n_titles]
