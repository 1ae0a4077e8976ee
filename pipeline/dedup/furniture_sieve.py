"""Which paragraphs of a batch may hold furniture that a pattern knows: looks at whole columns.

Arrow's regular expressions (RE2) read a column of texts at about a nanosecond and a half a byte,
so that one paragraph in five of a day's news meets the patterns of `furniture_cuts`. The sieve
lets everything through that they can match, and every paragraph that composing could change:
patterns are written in NFC.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.furniture_cuts import (
    BYLINE_SIGNS,
    OPENERS,
    RIGHTS_SIGNS,
    RIGHTS_WORDS,
    FurnitureRules,
    PatternTable,
)
from pipeline.text.flat_lines import flat_texts
from pipeline.text.text_sieve import Sieve, form, found_among, words
from pipeline.text.utf8 import whole

Flags = NDArray[np.bool_]

INERT = (
    *((0x0, 0x2FF), (0x400, 0x482), (0x48A, 0x590), (0x5D0, 0x5EA), (0x627, 0x64A)),
    *((0x660, 0x66F), (0xE01, 0xE30), (0x2002, 0x20CF), (0x2100, 0x2125), (0x212C, 0x2328)),
    *((0x232B, 0x2ADB), (0x2E80, 0x3029), (0x3030, 0x3098), (0x309B, 0xA66E), (0xAC00, 0xD7A3)),
    *((0xE000, 0xF8FF), (0xFF00, 0xFFEF)),
)
"""Ranges of code points that NFC leaves as they are, beside each other too: all but rare ones of
Korean, Chinese, Japanese, Latin and Cyrillic news."""
MAY_COMPOSE = "[^" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in INERT) + "]"

_COMPOSING = [
    # Any letter, however it is written, of scripts that a day's news hardly has.
    form([*range(0xCC, 0xD0), *range(0xD6, 0xE2), *range(0xF0, 0xF5)]),
    form([0xD2], range(0x83, 0x8B)),
    form([0xE2], [0x80], [0x80, 0x81]),
    form([0xE2], [0x83, *range(0xAB, 0xBA)]),
    form([0xE2], [0x84], range(0xA6, 0xAC)),
    form([0xE2], [0x8C], [0xA9, 0xAA]),
    form([0xE3], [0x80], range(0xAA, 0xB0)),
    form([0xE3], [0x82], [0x99, 0x9A]),
    form([0xEA], range(0x99, 0xB0)),
    form([0xED], [0x9E], range(0xA4, 0xC0)),
    form([0xED], [0x9F]),
    form([0xEF], range(0xA4, 0xBC)),
    form([0xEF], [0xBF], range(0xB0, 0xC0)),
]
"""How code points outside `INERT` begin in UTF-8."""
_SIEVE = Sieve(composing=_COMPOSING, rights=words(*RIGHTS_WORDS))


def possible_rows(
    texts: pa.ChunkedArray | pa.Array,
    index: NDArray[np.int64],
    from_end: NDArray[np.int64],
    rules: FurnitureRules,
    table: PatternTable,
) -> tuple[NDArray[np.int64], Flags]:
    """Return the rows in which `find_cuts` may find something, ascending; bool [n] of any notice.

    Args:
        texts: the paragraphs.
        index: place of each in its article, int64 [n].
        from_end: paragraphs of its article after each, int64 [n].
        rules: where furniture is looked for.
        table: the patterns.
    """
    n = len(texts)
    if table.of_source.patterns:
        return np.arange(n), np.ones(n, np.bool_)
    seen = _SIEVE.look(texts)
    may_hold_rights = found_among(texts, MAY_COMPOSE, seen.may_hold("composing"))
    if table.rights_lines:
        may_hold_rights |= found_among(texts, RIGHTS_SIGNS, seen.may_hold("rights"))
    found = may_hold_rights.copy()
    is_head = index < rules.head_paragraphs
    is_edge = is_head | (from_end < rules.tail_paragraphs)
    is_short = pc.less_equal(pc.utf8_length(texts), rules.max_byline_chars)
    is_line = is_edge & is_short.to_numpy(zero_copy_only=False)
    is_last = from_end < rules.span_paragraphs
    may_open = is_head | _begin_with(texts, OPENERS)
    for group, is_there in ((table.last_lines, is_line), (table.heads, may_open)):
        if group.patterns:
            found |= found_among(texts, group.sieve, is_there & ~found)
    if table.byline_tails:
        found |= found_among(texts, BYLINE_SIGNS, is_last & ~found)
    return np.flatnonzero(found), may_hold_rights


def _begin_with(texts: pa.ChunkedArray | pa.Array, characters: str) -> Flags:
    """Return which texts begin with a byte that one of the characters begins with."""
    utf8, offsets = flat_texts(whole(texts))
    if not utf8.size:
        return np.zeros(len(texts), np.bool_)
    leads = [character.encode()[0] for character in characters]
    return np.isin(utf8[np.minimum(offsets[:-1], utf8.size - 1)], leads)
