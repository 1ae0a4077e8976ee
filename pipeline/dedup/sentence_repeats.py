"""Sentences that one paragraph prints again: a body put twice on one line, a sentence twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dedup.line_kinds import wide_size
from pipeline.dedup.repeat_blocks import carried, find_runs
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.text.normalise import make_key, make_keys
from pipeline.text.sentences import split_sentences

# Stretches between sentence ends, as long as a repeated sentence must be at least.
_STRETCH = re.compile(r"[^.!?。！？।\n]{20,}")


@dataclass(frozen=True, slots=True)
class SentenceCut:
    """A span of one paragraph that repeats what the paragraph said before."""

    start: int
    end: int
    n_sentences: int


def may_repeat_sentences(text: str, key: str) -> bool:
    """Return whether a paragraph may say something twice: a cheap bound for most."""
    half = len(key) // 2
    if half >= _MIN_HALF and key[-half:] == key[:half]:
        return True
    stretches = _STRETCH.findall(text)
    return len(stretches) > 1 and len({s.strip() for s in stretches}) < len(stretches)


_MIN_HALF = 30
"""Key characters of a text printed twice on one line without the end of a sentence."""


def repeated_sentences(text: str, rules: RepeatRules) -> list[SentenceCut]:
    """Return the spans of a paragraph (NFC or not) that repeat earlier sentences of it.

    A sentence goes by itself from `min_near_chars` wide characters on, a shorter one beside it.

    >>> rules = RepeatRules(min_near_chars=3)
    >>> [(cut.start, cut.end) for cut in repeated_sentences("가나다. 가나다.", rules)]
    [(5, 9)]
    """
    if (half := _second_half(text, rules)) is not None:
        return [*repeated_sentences(text[: half.start], rules), half]
    spans = split_sentences(text)
    keys = make_keys([text[start:end] for start, end in spans])
    filled = [i for i, key in enumerate(keys) if key]
    cuts: list[SentenceCut] = []
    for run in find_runs([keys[i] for i in filled]):
        solid = [wide_size(keys[filled[copy.at]]) >= rules.min_near_chars for copy in run]
        goes = carried(run, solid)
        cuts += _merged(
            [spans[filled[c.at]] for c, is_going in zip(run, goes, strict=True) if is_going]
        )
    return sorted(cuts, key=lambda c: c.start)


def without_spans(text: str, cuts: Sequence[SentenceCut]) -> str:
    """Return a text without these spans."""
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(text[at : cut.start].strip())
        at = cut.end
    pieces.append(text[at:].strip())
    return " ".join(piece for piece in pieces if piece)


def _merged(spans: Sequence[tuple[int, int]]) -> list[SentenceCut]:
    """Return spans with nothing but white space between them as one."""
    cuts: list[SentenceCut] = []
    for start, end in spans:
        if cuts and start - cuts[-1].end <= 1:
            cuts[-1] = SentenceCut(cuts[-1].start, end, cuts[-1].n_sentences + 1)
        else:
            cuts.append(SentenceCut(start, end, 1))
    return cuts


def _second_half(text: str, rules: RepeatRules) -> SentenceCut | None:
    """Return the second half of a text that is the same twice, whatever stands between."""
    key = make_key(text)
    half = len(key) // 2
    if wide_size(key[:half]) < rules.min_near_chars or key[:half] != key[-half:]:
        return None
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        if len(make_key(text[:middle])) < half:
            low = middle + 1
        else:
            high = middle
    rest = text[low:]
    start = low + len(rest) - len(rest.lstrip(" .!?。！？"))
    if make_key(text[start:]) != key[:half]:
        return None
    return SentenceCut(start, len(text), len(split_sentences(text[start:])))
