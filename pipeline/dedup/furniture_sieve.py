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
    FurnitureRules,
    PatternTable,
)
from pipeline.text.flat_lines import flat_texts

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
    rights = RIGHTS_SIGNS if table.rights_lines else ""
    may_hold_rights = _found(texts, "|".join(filter(None, (rights, MAY_COMPOSE))))
    found = may_hold_rights.copy()
    is_head = index < rules.head_paragraphs
    is_edge = is_head | (from_end < rules.tail_paragraphs)
    is_short = pc.less_equal(pc.utf8_length(texts), rules.max_byline_chars)
    is_line = is_edge & is_short.to_numpy(zero_copy_only=False)
    is_last = from_end < rules.span_paragraphs
    may_open = is_head | _begin_with(texts, OPENERS)
    for group, is_there in ((table.last_lines, is_line), (table.heads, may_open)):
        if group.patterns:
            found |= _found(texts, group.sieve, is_there & ~found)
    if table.byline_tails:
        found |= _found(texts, BYLINE_SIGNS, is_last & ~found)
    return np.flatnonzero(found), may_hold_rights


def _begin_with(texts: pa.ChunkedArray | pa.Array, characters: str) -> Flags:
    """Return which texts begin with a byte that one of the characters begins with."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    utf8, offsets = flat_texts(whole)
    if not utf8.size:
        return np.zeros(len(texts), np.bool_)
    leads = [character.encode()[0] for character in characters]
    return np.isin(utf8[np.minimum(offsets[:-1], utf8.size - 1)], leads)


def _found(texts: pa.ChunkedArray | pa.Array, regex: str, among: Flags | None = None) -> Flags:
    """Return where the regex is found, bool [n]; nowhere but among the rows that are named."""
    if among is None:
        return np.asarray(pc.match_substring_regex(texts, regex).to_numpy(zero_copy_only=False))
    rows = np.flatnonzero(among)
    is_found = np.zeros(len(texts), np.bool_)
    is_found[rows] = _found(texts.take(pa.array(rows)), regex)
    return is_found
