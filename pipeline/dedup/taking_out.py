"""Which removals take effect, for a whole batch; only paragraphs that lose a span are read.

Of the removals of one paragraph the first by precedence drops it. Where no word would be left of
an article, its credits stay; where that is not enough, everything does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.removals import article_firsts

PRECEDENCE = (
    "furniture_rights",
    "furniture_byline",
    "furniture_source",
    "furniture_caption",
    "repeat_block",
    "repeat_blob",
    "repeat_single",
    "repeat_near",
)
_CREDIT = PRECEDENCE.index("furniture_caption")
KEPT = -1
"""Stands for the reason of a paragraph that stays; other reasons are places in `PRECEDENCE`."""

_ACTIONS = ("drop_paragraph", "drop_span", "keep_paragraph")
_DROP, _CUT, _KEEP = range(len(_ACTIONS))
_WORD = re.compile(r"\w")
_PEEK_CHARS = 8
"""Most texts have their first word among so many characters."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Left:
    """What is left of the articles of SPANS, and which rows of REMOVALS made it so."""

    firsts: Ints
    """First row of each revision in SPANS, and the number of rows."""
    reasons: NDArray[np.int8]
    """Reason of every row of SPANS that goes, `KEPT` where it stays."""
    in_effect: Flags
    """Rows of REMOVALS that took effect, and notes on what stays."""
    given_up: Flags
    """Rows of REMOVALS that would have emptied the article."""
    is_given_up: Flags
    """Articles of which all of them were: what they name is not lifted out of the text."""
    cut_texts: dict[int, str] = field(default_factory=dict)
    """Text by row of SPANS, where it lost a span."""


class _Removals:
    """The columns of REMOVALS that decide."""

    def __init__(self, removals: pa.Table, spans: pa.Table, firsts: Ints) -> None:
        """Take REMOVALS and the SPANS that they name, whose revisions begin at `firsts`."""
        self.spans = spans
        own = spans["revision_id"].combine_chunks().take(pa.array(firsts[:-1]))
        articles = pc.fill_null(pc.index_in(removals["revision_id"], own), -1)
        self.articles = articles.to_numpy().astype(np.int64)
        """Article of each row; -1 for one that SPANS does not hold."""
        self.rows = firsts[self.articles] + removals["paragraph_seq"].to_numpy()
        """Row of SPANS that each row names."""
        self.reasons = _places(removals["reason"], PRECEDENCE)
        self.actions = _places(removals["action"], _ACTIONS)
        self._removals = removals

    @cached_property
    def starts(self) -> Ints:
        """Start of each span, in characters of the body."""
        return self._numbers("start_char")

    @cached_property
    def ends(self) -> Ints:
        """End of each span."""
        return self._numbers("end_char")

    def _numbers(self, name: str) -> Ints:
        return np.asarray(pc.fill_null(self._removals[name], 0).to_numpy(), np.int64)


def _places(column: pa.ChunkedArray, names: Sequence[str]) -> NDArray[np.int8]:
    """Return the place of each text among `names`."""
    places = pc.index_in(column, pa.array(names, column.type))
    return np.asarray(places.to_numpy(), np.int8)


def what_is_left(spans: pa.Table, removals: pa.Table) -> Left:
    """Return what REMOVALS leave of the articles of SPANS."""
    firsts = article_firsts(spans)
    left = Left(
        firsts,
        np.full(spans.num_rows, KEPT, np.int8),
        np.zeros(removals.num_rows, np.bool_),
        np.zeros(removals.num_rows, np.bool_),
        np.zeros(firsts.size - 1, np.bool_),
    )
    if not spans.num_rows or not removals.num_rows:
        return left
    own = _Removals(removals, spans, firsts)
    asked = np.flatnonzero(own.articles >= 0)
    _take_out(left, own, asked)
    for article in _wordless(left, own, np.unique(own.articles[asked])):
        _give_up(left, own, article)
    return left


def _take_out(left: Left, removals: _Removals, asked: Ints) -> None:
    """Let some rows of REMOVALS take effect: drops, then cuts of what these leave, then notes."""
    order = asked[np.lexsort((asked, removals.reasons[asked], removals.rows[asked]))]
    drops = order[removals.actions[order] == _DROP]
    is_first = np.ones(drops.size, np.bool_)
    is_first[1:] = np.diff(removals.rows[drops]) != 0
    drops = drops[is_first]
    left.reasons[removals.rows[drops]] = removals.reasons[drops]
    left.in_effect[drops] = True
    cuts = order[removals.actions[order] == _CUT]
    _cut(left, removals, cuts[left.reasons[removals.rows[cuts]] == KEPT])
    notes = order[removals.actions[order] == _KEEP]
    left.in_effect[notes[left.reasons[removals.rows[notes]] == KEPT]] = True


def _cut(left: Left, removals: _Removals, cuts: Ints) -> None:
    """Take spans out of paragraphs; one of which nothing is left goes. Rows by row and reason."""
    rows, firsts, counts = np.unique(removals.rows[cuts], return_index=True, return_counts=True)
    named = removals.spans.select(["text", "start_char"]).take(pa.array(rows))
    texts, starts = named["text"].to_pylist(), named["start_char"].to_numpy()
    # Most paragraphs lose one span.
    begins = (removals.starts[cuts[firsts]] - starts).tolist()
    ends = (removals.ends[cuts[firsts]] - starts).tolist()
    cut_texts = list(map(without_span, texts, begins, ends))
    left.in_effect[cuts[firsts]] = True
    for place in np.flatnonzero(counts > 1).tolist():
        first, start = firsts[place], int(starts[place])
        taken = _outermost(cuts[first : first + counts[place]].tolist(), removals)
        left.in_effect[taken] = True
        spans = zip(removals.starts[taken] - start, removals.ends[taken] - start, strict=True)
        cut_texts[place] = without_spans(texts[place], [(int(b), int(e)) for b, e in spans])
    own = zip(rows.tolist(), cut_texts, strict=True)
    left.cut_texts.update({row: text for row, text in own if text})
    gone = np.flatnonzero([not text for text in cut_texts])
    left.reasons[rows[gone]] = removals.reasons[cuts[firsts[gone]]]


def _outermost(cuts: Sequence[int], removals: _Removals) -> list[int]:
    """Return the spans that lie within none that goes before them."""
    taken: list[int] = []
    for cut in cuts:
        start, end = removals.starts[cut], removals.ends[cut]
        if not any(removals.starts[c] <= start and end <= removals.ends[c] for c in taken):
            taken.append(cut)
    return taken


def without_span(text: str, begin: int, end: int) -> str:
    """Return a paragraph without one span, as `without_spans` does."""
    if begin <= 0:
        return text[max(end, 0) :].strip()
    if end >= len(text):
        return text[:begin].strip()
    return without_spans(text, [(begin, end)])


def without_spans(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return a paragraph without these spans.

    One space takes the place of a span that had white space beside it.
    """
    left, at = "", 0
    for begin, end in sorted(spans):
        left = _joined(left, text[at : max(at, begin)])
        at = max(at, end)
        if left and text[at - 1 : at].isspace():
            left += " "
    return _joined(left, text[at:]).strip()


def _joined(left: str, right: str) -> str:
    """Return two pieces with at most one space between them."""
    if left and (left[-1].isspace() or right[:1].isspace()):
        return f"{left.rstrip()} {right.lstrip()}"
    return left + right


def _wordless(left: Left, removals: _Removals, articles: Ints) -> list[int]:
    """Return the articles of which no word is left; `articles` ascend."""
    is_whole = left.reasons == KEPT
    is_whole[list(left.cut_texts)] = False
    whole = np.flatnonzero(is_whole)
    at = np.searchsorted(whole, left.firsts[articles])
    firsts = np.append(whole, left.reasons.size)[at]
    is_there = firsts < left.firsts[articles + 1]
    openings = pc.utf8_slice_codeunits(
        removals.spans["text"].take(pa.array(firsts[is_there])), 0, _PEEK_CHARS
    ).to_pylist()
    is_clear = is_there.copy()
    is_clear[is_there] = [_WORD.search(opening) is not None for opening in openings]
    return [a for a in articles[~is_clear].tolist() if not _has_word(left, removals.spans, a)]


def _has_word(left: Left, spans: pa.Table, article: int) -> bool:
    """Return whether a word is left of an article."""
    first, last = left.firsts[article : article + 2].tolist()
    texts = spans["text"].slice(first, last - first).to_pylist()
    return any(
        _WORD.search(left.cut_texts.get(row, text))
        for row, text in enumerate(texts, first)
        if left.reasons[row] == KEPT
    )


def _give_up(left: Left, removals: _Removals, article: int) -> None:
    """Let the credits of an article stay; where still no word is left, everything."""
    own = np.flatnonzero(removals.articles == article)
    is_credit = removals.reasons[own] == _CREDIT
    _put_back(left, own, article)
    if is_credit.any() and not is_credit.all():
        _take_out(left, removals, own[~is_credit])
        if _has_word(left, removals.spans, article):
            left.given_up[own[is_credit]] = True
            return
        _put_back(left, own, article)
    left.given_up[own] = True
    left.is_given_up[article] = True


def _put_back(left: Left, own: Ints, article: int) -> None:
    """Undo what the rows `own` of REMOVALS took out of their article."""
    first, last = left.firsts[article : article + 2].tolist()
    left.reasons[first:last] = KEPT
    left.in_effect[own] = False
    for row in range(first, last):
        left.cut_texts.pop(row, None)
