"""Where two articles print the same: spans in both original texts.

Paragraphs with equal keys are joined first. What is left of both is compared by winnowing
fingerprints (8 characters, window 13), grown to common runs; runs that stand one behind the other
with a small edit between them make one span.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import ID, conform
from pipeline.dedup.aligned_keys import AlignedKey, Span, align
from pipeline.dedup.common_runs import GUARANTEED_CHARS, Run, common_runs_of
from pipeline.interim import COMMON_SPANS
from pipeline.text.normalise import key_hash

# One for each side, so that no run reaches over the end of a paragraph; no key holds them.
_LEFT_END, _RIGHT_END = "\0", "\1"
_EMPTY_KEY = key_hash("")
# An aligned key holds two Python integers a character.
_PAIRS_AT_A_TIME = 200


@dataclass(frozen=True)
class SpanRules:
    """Which pairs get spans, and what one edited span is."""

    relations: tuple[str, ...] = ("contained",)
    """What a near copy shares is nearly all; its spans cost 1 ms a pair and say little."""
    max_edit_chars: int = 15
    """Key characters between two runs of one span, on each side: some words put in or taken out.
    A sentence is longer (median of 4,497 Korean articles: 43)."""


class _Paragraph(NamedTuple):
    text: str
    start: int
    end: int
    key_hash: bytes


class _Rest(NamedTuple):
    """A pair whose paragraphs have been joined, and what is left of both sides."""

    pair: tuple[bytes, bytes]
    joined: list[tuple[Span, Span]]
    left: list[_Paragraph]
    right: list[_Paragraph]


def find_spans(edges: pa.Table, paragraphs: pa.Table, rules: SpanRules) -> pa.Table:
    """Return COMMON_SPANS of the VERIFIED (or EDGES) rows whose relation is asked for.

    Only kept paragraphs are compared: two outlets' tip lines are nothing that one has of the
    other. Spans of a pair are disjoint on both sides.

    Args:
        edges: left_id, right_id, relation.
        paragraphs: PARAGRAPHS or CLEANED_PARAGRAPHS rows of all their articles, one revision each.
        rules: which relations, what one span is.
    """
    asked = edges.filter(pc.is_in(edges["relation"], pa.array(rules.relations, pa.string())))
    pairs = list(zip(asked["left_id"].to_pylist(), asked["right_id"].to_pylist(), strict=True))
    kept = _kept_paragraphs(paragraphs, {article for pair in pairs for article in pair})
    rows = [
        row
        for start in range(0, len(pairs), _PAIRS_AT_A_TIME)
        for row in _spans_of(pairs[start : start + _PAIRS_AT_A_TIME], kept, rules)
    ]
    return conform(pa.Table.from_pylist(rows, COMMON_SPANS.schema), COMMON_SPANS)


def _spans_of(
    pairs: Sequence[tuple[bytes, bytes]],
    kept: Mapping[bytes, list[_Paragraph]],
    rules: SpanRules,
) -> Iterator[dict[str, Any]]:
    """Yield the COMMON_SPANS rows of some pairs."""
    rests = [_join(pair, kept) for pair in pairs]
    lefts = align([_unpaired(rest.left) for rest in rests], _LEFT_END)
    rights = align([_unpaired(rest.right) for rest in rests], _RIGHT_END)
    runs = common_runs_of([(one.key, other.key) for one, other in zip(lefts, rights, strict=True)])
    for rest, left, right, own in zip(rests, lefts, rights, runs, strict=True):
        yield from _rows(rest, _edited(own, left, right, rules))


def _kept_paragraphs(
    paragraphs: pa.Table, articles: Iterable[bytes]
) -> dict[bytes, list[_Paragraph]]:
    """Return the kept paragraphs of these articles, in order."""
    wanted = pc.is_in(paragraphs["article_id"], pa.array(sorted(articles), ID))
    rows = paragraphs.filter(pc.and_(wanted, pc.equal(paragraphs["status"], "kept")))
    rows = rows.sort_by([("article_id", "ascending"), ("seq", "ascending")])
    names = ("text", "start_char", "end_char", "key_hash")
    found: dict[bytes, list[_Paragraph]] = defaultdict(list)
    columns = [rows[name].to_pylist() for name in ("article_id", *names)]
    for article, *paragraph in zip(*columns, strict=True):
        found[article].append(_Paragraph(*paragraph))
    return found


def _join(pair: tuple[bytes, bytes], kept: Mapping[bytes, list[_Paragraph]]) -> _Rest:
    """Return the paragraphs of a pair joined by their keys, the first with the first."""
    left, right = kept.get(pair[0], []), kept.get(pair[1], [])
    waiting: dict[bytes, list[_Paragraph]] = defaultdict(list)
    for paragraph in reversed(right):
        if paragraph.key_hash != _EMPTY_KEY:
            waiting[paragraph.key_hash].append(paragraph)
    joined, alone, used = [], [], set()
    for paragraph in left:
        if places := waiting.get(paragraph.key_hash):
            other = places.pop()
            used.add(other.start)
            joined.append(((paragraph.start, paragraph.end), (other.start, other.end)))
        else:
            alone.append(paragraph)
    others = [p for p in right if p.start not in used]
    # Where one side is used up there is nothing left to find in the other.
    return _Rest(pair, joined, alone if others else [], others if alone else [])


def _unpaired(paragraphs: Sequence[_Paragraph]) -> tuple[list[str], list[int]]:
    return [p.text for p in paragraphs], [p.start for p in paragraphs]


def _edited(
    common: Sequence[Run], left: AlignedKey, right: AlignedKey, rules: SpanRules
) -> Iterator[tuple[Span, Span]]:
    """Yield the spans that both sides have in common but for small edits."""
    for runs in _chains(common, left, right, rules):
        if max(run.length for run in runs) < GUARANTEED_CHARS:
            continue
        first, last = runs[0], runs[-1]
        one = left.span(first.left, last.left + last.length)
        other = right.span(first.right, last.right + last.length)
        if one and other:
            yield one, other


def _chains(
    runs: Sequence[Run], left: AlignedKey, right: AlignedKey, rules: SpanRules
) -> Iterator[list[Run]]:
    """Yield runs that stand one behind the other on both sides, a small edit between them."""
    chain: list[Run] = []
    for run in runs:
        if chain and not _is_next(chain[-1], run, left, right, rules):
            yield chain
            chain = []
        chain.append(run)
    if chain:
        yield chain


def _is_next(
    run: Run, following: Run, left: AlignedKey, right: AlignedKey, rules: SpanRules
) -> bool:
    gap_left = left.key[run.left + run.length : following.left]
    end = run.right + run.length
    gap_right = right.key[end : following.right]
    return (
        end <= following.right
        and max(len(gap_left), len(gap_right)) <= rules.max_edit_chars
        and _LEFT_END not in gap_left
        and _RIGHT_END not in gap_right
    )


def _rows(rest: _Rest, edited: Iterable[tuple[Span, Span]]) -> Iterator[dict[str, object]]:
    """Yield the COMMON_SPANS rows of a pair, in the order of the left text."""
    found = [(*spans, "paragraph") for spans in rest.joined]
    found += [(*spans, "edited") for spans in edited]
    for seq, (left, right, kind) in enumerate(sorted(found)):
        yield {
            "left_id": rest.pair[0],
            "right_id": rest.pair[1],
            "seq": seq,
            "left_start_char": left[0],
            "left_end_char": left[1],
            "right_start_char": right[0],
            "right_end_char": right[1],
            "kind": kind,
        }
