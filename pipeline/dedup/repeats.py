"""Repeats inside one article: exact sets, no LSH, the first stand is kept.

The rules, in order: sentences that a paragraph prints twice (a span of it goes), runs of equal
paragraphs (`repeat_block`), single equal paragraphs (`repeat_single`), paragraphs made of others
(`repeat_blob`), near copies (`repeat_near`); then a guard that looks at how much of the article
would go.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline.dedup.article_layout import Article
from pipeline.dedup.article_repeats import Finding, alike_paragraphs, equal_paragraphs
from pipeline.dedup.near_repeats import covered_shares, shingles_of
from pipeline.dedup.removals import Removal, article_ranges, id_array, removals_table
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.dedup.repeat_sieve import Flags, suspects
from pipeline.dedup.sentence_repeats import (
    SentenceCut,
    may_repeat_sentences,
    repeated_sentences,
    without_spans,
)
from pipeline.text.normalise import make_key

_BATCH_CHARS = 4_000_000
"""Near repeats are looked for in so many characters at a time: about 100 bytes each at the peak."""

Place = tuple[int, int, int]
"""Article number, index of the paragraph in it, row in SPANS."""


class _Places:
    """The columns of SPANS that say where a paragraph stands, as values."""

    def __init__(self, spans: pa.Table) -> None:
        self._ids: list[bytes] = id_array(spans["article_id"]).tolist()
        self._revisions: list[bytes] = id_array(spans["revision_id"]).tolist()
        self.seqs: list[int] = spans["seq"].to_numpy().tolist()
        self._starts: list[int] = spans["start_char"].to_numpy().tolist()
        self._ends: list[int] = spans["end_char"].to_numpy().tolist()

    def of(self, row: int) -> tuple[bytes, bytes, int, int, int]:
        """Return article_id, revision_id, seq, start_char and end_char of a row."""
        ids = (self._ids[row], self._revisions[row])
        return *ids, self.seqs[row], self._starts[row], self._ends[row]


def find_repeats(spans: pa.Table, rules: RepeatRules | None = None) -> pa.Table:
    """Return REMOVALS: what of SPANS repeats inside its article, and what stays despite a repeat.

    Action `drop_paragraph` where a paragraph goes, `drop_span` where a part of it does;
    `keep_paragraph` where a paragraph would, but too much of the article would go with it. The
    paragraphs of a revision stand together, `seq` ascending, as SPANS is sorted. The rules look at
    the articles that a sieve lets through; the others repeat nothing.
    """
    rules = rules or RepeatRules()
    found = suspects(spans, rules)
    if not found.is_suspect.any():
        return removals_table(())
    rows = np.flatnonzero(np.repeat(found.is_suspect, np.diff(found.firsts)))
    return repeats_of(
        spans.take(pa.array(rows)),
        rules,
        says_again=found.says_again[rows],
        is_covered=found.is_covered[found.is_suspect],
    )


def repeats_of(
    spans: pa.Table,
    rules: RepeatRules,
    *,
    says_again: Flags | None = None,
    is_covered: Flags | None = None,
) -> pa.Table:
    """Return what `find_repeats` does, by the rules alone.

    Args:
        spans: SPANS.
        rules: the rules.
        says_again: rows that may say a sentence twice; None for all.
        is_covered: articles with a paragraph that others may hold, equal keys apart; None for all.
    """
    texts, keys = spans.column("text").to_pylist(), spans.column("key").to_pylist()
    ranges = article_ranges(spans)
    # What follows looks at paragraphs without their own repeats.
    rows_looked_at = range(len(keys)) if says_again is None else np.flatnonzero(says_again).tolist()
    cuts = _cut_sentences(texts, keys, rules, rows_looked_at)
    numbers = np.arange(len(ranges)) if is_covered is None else np.flatnonzero(is_covered)
    looked_at = set(numbers.tolist())
    looked_at |= {bisect_right(ranges, (row, len(keys))) - 1 for row in cuts}
    covered = _covered_articles(keys, ranges, rules, looked_at)
    articles: dict[int, Article] = {}
    findings: dict[int, list[Finding]] = {}
    for number, (start, end) in enumerate(ranges):
        own = keys[start:end]
        if number in covered or len(set(own)) < len(own):
            articles[number] = Article(texts[start:end], own, rules)
            findings[number] = equal_paragraphs(articles[number])
    _add_alike(articles, findings, covered)
    places = _Places(spans)
    rows: list[Removal] = []
    for number, found in findings.items():
        if found:
            rows += _rows(places, ranges[number][0], articles[number], found)
    gone = {(r.revision_id, r.paragraph_seq) for r in rows if r.action == "drop_paragraph"}
    rows += (r for r in _cut_rows(places, cuts) if (r.revision_id, r.paragraph_seq) not in gone)
    return removals_table(rows)


def _cut_sentences(
    texts: list[str], keys: list[str], rules: RepeatRules, rows: Iterable[int]
) -> dict[int, list[SentenceCut]]:
    """Return, by row, the sentences that a paragraph repeats, and take them out of both lists."""
    cuts: dict[int, list[SentenceCut]] = {}
    for row in rows:
        key = keys[row]
        if len(key) < rules.min_long_chars or not may_repeat_sentences(texts[row], key):
            continue
        if found := repeated_sentences(texts[row], rules):
            cuts[row] = found
            texts[row] = without_spans(texts[row], found)
            keys[row] = make_key(texts[row])
    return cuts


def _cut_rows(places: _Places, cuts: Mapping[int, Sequence[SentenceCut]]) -> Iterator[Removal]:
    """Yield one removal a span that a paragraph repeats of itself."""
    for row, found in cuts.items():
        article_id, revision_id, seq, start, _ = places.of(row)
        for cut in found:
            yield Removal(
                article_id=article_id,
                revision_id=revision_id,
                action="drop_span",
                reason="repeat_block" if cut.n_sentences > 1 else "repeat_single",
                paragraph_seq=seq,
                start_char=start + cut.start,
                end_char=start + cut.end,
                matched_paragraph_seq=seq,
                jaccard=1.0,
                containment=1.0,
                is_numbers_equal=True,
                evidence=f"equal keys, sentences of the paragraph itself: {cut.n_sentences}",
            )


def _add_alike(
    articles: Mapping[int, Article],
    findings: Mapping[int, list[Finding]],
    covered: Mapping[int, Mapping[int, float]],
) -> None:
    """Add blobs and near copies to the findings of the articles that may have any."""
    rests: dict[int, list[int]] = {}
    for number, shares in covered.items():
        gone = {f.index for f in findings[number]}
        rests[number] = [i for i in shares if i not in gone]
    sets = iter(shingles_of([articles[n].keys[i] for n, rest in rests.items() for i in rest]))
    for number, rest in rests.items():
        own = {i: next(sets) for i in rest}
        findings[number].extend(alike_paragraphs(articles[number], own, covered[number]))
        findings[number].sort(key=lambda f: f.index)


def _covered_articles(
    keys: Sequence[str],
    ranges: Sequence[tuple[int, int]],
    rules: RepeatRules,
    looked_at: Collection[int],
) -> dict[int, dict[int, float]]:
    """Return, for articles where any pair may be near, how far others cover each paragraph.

    Paragraphs are those of at least `min_single_chars` whose key did not stand before.
    """
    found: dict[int, dict[int, float]] = {}
    for places in _batches(keys, ranges, rules, looked_at):
        shares = covered_shares([keys[row] for _, _, row in places], [n for n, _, _ in places])
        close = {
            places[at][0]
            for at in np.flatnonzero(shares >= rules.long_jaccard).tolist()
            if len(keys[places[at][2]]) >= rules.min_near_chars
        }
        if close:
            for (number, index, _), share in zip(places, shares.tolist(), strict=True):
                if number in close:
                    found.setdefault(number, {})[index] = share
    return found


def _batches(
    keys: Sequence[str],
    ranges: Sequence[tuple[int, int]],
    rules: RepeatRules,
    looked_at: Collection[int],
) -> Iterator[list[Place]]:
    """Yield the paragraphs that can be near others, whole articles together."""
    batch: list[Place] = []
    n_chars = 0
    for number in sorted(looked_at):
        start, end = ranges[number]
        seen: set[str] = set()
        places: list[Place] = []
        for row in range(start, end):
            key = keys[row]
            if len(key) >= rules.min_single_chars and key not in seen:
                seen.add(key)
                places.append((number, row - start, row))
        if not 2 <= len(places) <= rules.max_near_paragraphs:
            continue
        batch += places
        n_chars += sum(map(len, seen))
        if n_chars >= _BATCH_CHARS:
            yield batch
            batch, n_chars = [], 0
    if batch:
        yield batch


def _rows(
    places: _Places, first: int, article: Article, findings: Sequence[Finding]
) -> Iterator[Removal]:
    """Yield one removal a finding; too many that are no exact run turn into `keep_paragraph`.

    `first` is the row of the article's first paragraph.
    """
    n_chars = sum(map(len, article.keys))
    n_runs, n_others = (
        sum(len(article.keys[f.index]) for f in findings if (f.reason == "repeat_block") is is_run)
        for is_run in (True, False)
    )
    is_excess = n_others > article.rules.max_removed_share * (n_chars - n_runs)
    for f in findings:
        is_kept = is_excess and f.reason != "repeat_block"
        evidence = f.evidence
        if is_kept:
            evidence += f"; kept: {n_others / (n_chars - n_runs):.0%} of the article would go"
        article_id, revision_id, seq, start, end = places.of(first + f.index)
        yield Removal(
            article_id=article_id,
            revision_id=revision_id,
            action="keep_paragraph" if is_kept else "drop_paragraph",
            reason=f.reason,
            paragraph_seq=seq,
            start_char=start,
            end_char=end,
            matched_paragraph_seq=places.seqs[first + f.matched],
            jaccard=f.overlap.jaccard,
            containment=f.overlap.right_containment,
            matched_containment=f.overlap.left_containment,
            is_numbers_equal=True,
            evidence=evidence,
        )
