"""Hard-wrapped texts: whether a text is one, and which of its lines belong together.

A wrapping program breaks a line where the next word would not have fitted. So the first word of
a line that continues a paragraph, set after the line before it, would have run over the text's
width. In lines that end where a paragraph ends this holds only by chance.

Measured: of the breaks inside a block of lines in 710 English wire stories (63 columns, indented
paragraph starts) 99 % pass this test; 680 of the stories are joined, the others are tables and
company results of a few lines. None of 4,497 Korean articles with a paragraph a line is: at most
a third of their breaks pass, and only 45 keep within 100 columns at all.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pipeline.text.lazy_pattern import lazy

MAX_COLUMNS = 100
"""Wider lines are no hard-wrapped text: terminals and mail wrap at 72 to 80, wires at 63 to 69."""

_MIN_COLUMNS = 36
"""Narrower columns are lists and verse; the narrowest wire story that is joined has 36."""

_SLACK_COLUMNS = 2
"""One line of a text may be longer than its width; without slack it would unset all others."""

_MIN_WRAPPED = 3
_MIN_FULL_SHARE = 0.6
"""Share of the breaks inside blocks after which the next word would not have fitted. Lowest among
the joined wire stories 0.6, highest among the Korean articles 0.33."""

_ENDS_SENTENCE = lazy(r"[.!?:;。！？…؟।][\"'”’»」』)\]]*$")
_WIDE = lazy(
    "[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]+"
)
# Cells stand apart by a tab, three spaces, or twice by two; two spaces after a full stop are prose.
_ROW = lazy(r"\t|[^\s.!?:;] {3,}\S|[^\s.!?:;] {2,}\S.*[^\s.!?:;] {2,}\S|\|.*\|")
_BULLET = lazy(r"[•·▪◦●○■□▲△▶▷◆◇※*]\s?\S")
_FIRST_WORD = lazy(r"[\u3040-\u30ff\u3400-\u9fff][、。，．」』）)]*|\S+")


class Line(NamedTuple):
    """One line: its span, its text without outer white space, its indent, a blank line before."""

    start: int
    end: int
    text: str
    indent: int
    is_after_blank: bool


class _Break(NamedTuple):
    """A line break inside a block of lines that nothing else sets apart."""

    at: int
    is_full: bool
    is_open: bool
    is_lower: bool

    @property
    def is_wrapped(self) -> bool:
        return self.is_full and self.is_open


def columns(text: str) -> int:
    """Return the display width: wide East Asian characters count two."""
    if text.isascii():
        return len(text)
    text = unicodedata.normalize("NFC", text)
    return len(text) + sum(map(len, _WIDE.findall(text)))


def is_table_row(text: str) -> bool:
    """Return whether a line has cells set apart by tabs, bars or runs of spaces."""
    # Prose ends here: the pattern has no beginning that it could be looked for by.
    if "  " not in text and "\t" not in text and "|" not in text:
        return False
    return _ROW.search(text) is not None


def join_wrapped(lines: Sequence[Line]) -> list[tuple[int, int]] | None:
    """Return the paragraph spans of a hard-wrapped text, or None when it is none.

    Blank lines, another indent, bullets and table rows always part paragraphs; table rows stay
    lines. Where paragraphs are told by their indent, every other break joins; else those after a
    full line, and those inside a sentence.
    """
    widths = [columns(line.text) + line.indent for line in lines]
    # A web address is never broken: it says nothing about the width.
    prose = [w for w, line in zip(widths, lines, strict=True) if not _is_long_word(line.text)]
    width = max(prose, default=0)
    if not _MIN_COLUMNS <= width <= MAX_COLUMNS:
        return None
    base = _base_indent(lines)
    breaks = _inner_breaks(lines, widths, width, base)
    if not _is_wrapped_text(breaks):
        return None
    is_indented = any(line.indent > base + 1 and not is_table_row(line.text) for line in lines[1:])
    joins = {
        b.at
        for b in breaks
        if b.is_full or is_indented or (b.is_open and (b.is_lower or b.at == 0))
    }
    spans: list[tuple[int, int]] = []
    for position, line in enumerate(lines):
        if position - 1 in joins:
            spans[-1] = (spans[-1][0], line.end)
        else:
            spans.append((line.start, line.end))
    return spans


def _base_indent(lines: Sequence[Line]) -> int:
    """Return the indent of running lines: the smallest that two lines share."""
    shared = [indent for indent, n in Counter(line.indent for line in lines).items() if n > 1]
    return min(shared, default=0)


def _inner_breaks(
    lines: Sequence[Line], widths: Sequence[int], width: int, base: int
) -> list[_Break]:
    """Return the breaks that may be a wrapping program's, with what speaks for it."""
    is_row = [is_table_row(line.text) for line in lines]
    breaks = []
    for at, (line, following) in enumerate(pairwise(lines)):
        if following.is_after_blank or following.indent != base:
            continue
        if is_row[at] or is_row[at + 1] or _BULLET.match(following.text):
            continue
        word = _FIRST_WORD.match(following.text)
        needed = widths[at] + 1 + columns(word[0] if word else "")
        breaks.append(
            _Break(
                at,
                is_full=needed > width - _SLACK_COLUMNS,
                is_open=not _ENDS_SENTENCE.search(line.text),
                is_lower=following.text[0].islower(),
            )
        )
    return breaks


def _is_wrapped_text(breaks: Sequence[_Break]) -> bool:
    """Return whether these breaks are a wrapping program's.

    The first line is left out of the share: agencies take the dateline off and leave it short.
    """
    counted = [b for b in breaks if b.at > 0 or b.is_full]
    n_full = sum(b.is_full for b in counted)
    if sum(b.is_wrapped for b in counted) >= _MIN_WRAPPED:
        return n_full >= _MIN_FULL_SHARE * len(counted)
    # Too few breaks to count: a sentence that goes on in small letters tells as well.
    return n_full == len(counted) and any(b.is_wrapped and b.is_lower for b in counted)


def _is_long_word(text: str) -> bool:
    """Return whether a line is one word of ASCII, as addresses are."""
    return text.isascii() and len(text.split(None, 1)) < 2
