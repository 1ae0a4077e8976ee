"""The lines of many texts at once, found in the one UTF-8 buffer that holds them all.

What a line is, `pipeline.text.paragraphs` says. Texts whose lines this cannot tell (line breaks
and white space outside ASCII, long runs of it) are named, so that they are read one by one there:
7 of 5,000 articles of a day's news.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled
from pipeline.text.utf8 import Utf8

Places = NDArray[np.int64]

_IS_BREAK = np.zeros(256, np.bool_)
_IS_BREAK[[*b"\n\r\v\f\x1c\x1d\x1e"]] = True
_IS_BLANK = np.zeros(256, np.bool_)
_IS_BLANK[[*b" \t\x1f"]] = True

_KINDS = _IS_BREAK.astype(np.uint8) + np.uint8(2) * _IS_BLANK

_LINES_A_TEXT = 16
"""Room for lines; where they are more, they are looked for again."""

_MAX_BLANKS = 16
"""Longer runs of blanks at the ends of lines are left to the reading of single texts."""

_WIDE_LEADS = np.zeros(256, np.bool_)
_WIDE_LEADS[[*range(0xE4, 0xEA), 0xEB, 0xEC]] = True
"""First bytes of U+4000-9FFF and U+B000-CFFF: each stays one wide character in every form."""


class FlatTexts(NamedTuple):
    """Texts as they lie in one buffer: UTF-8 uint8, and n + 1 byte offsets, int64."""

    utf8: NDArray[np.uint8]
    offsets: Places


class FlatLines(NamedTuple):
    """Lines, in order: byte spans in the buffer and the text they stand in, int64 [n]."""

    starts: Places
    ends: Places
    owners: Places


class CharSpans(NamedTuple):
    """Where lines start and end in code points of their own text, int64 [n]."""

    starts: Places
    ends: Places


_BLOCK_BYTES = 1 << 18
"""Bytes are looked at in blocks that stay in the cache: what is computed of them does too, and no
memory is asked of the system (half of the time of looking at a whole batch at once)."""


def places_where(
    utf8: NDArray[np.uint8], look: Callable[[NDArray[np.uint8]], NDArray[np.bool_]]
) -> Places:
    """Return the places of the bytes that `look` finds in any stretch of them, ascending."""
    found = [
        np.flatnonzero(look(utf8[start : start + _BLOCK_BYTES])) + start
        for start in range(0, utf8.size, _BLOCK_BYTES)
    ]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def flat_texts(texts: pa.LargeStringArray) -> FlatTexts:
    """Return the buffer of an array of texts without nulls, uncopied."""
    _, offsets, utf8 = texts.buffers()
    if not len(texts):
        return FlatTexts(np.zeros(0, np.uint8), np.zeros(1, np.int64))
    places = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return FlatTexts(np.frombuffer(utf8 or b"", np.uint8), places)


def read_lines(texts: FlatTexts) -> tuple[FlatLines, CharSpans, NDArray[np.bool_]]:
    """Return the lines without outer white space, and bool [n] of the texts left to be read."""
    if use_compiled(Utf8(*texts).n_articles):
        return compiled_lines(texts)
    lines, is_odd = find_lines(texts)
    return lines, char_spans(texts, lines), is_odd


def compiled_lines(texts: FlatTexts) -> tuple[FlatLines, CharSpans, NDArray[np.bool_]]:
    """Return what `read_lines` does: one look at every byte, where numpy takes ten."""
    from pipeline.text.kernels import kernel  # lazily: small batches do without

    split_lines = kernel("pipeline.text.flat_lines_compiled", "split_lines")
    is_odd = np.zeros(texts.offsets.size - 1, np.bool_)
    room, n_lines = _LINES_A_TEXT * texts.offsets.size, -1
    while n_lines < 0:
        is_odd[:] = False
        found = np.empty((5, room), np.int64)
        n_lines = split_lines(*texts, _KINDS, _MAX_BLANKS, _BLANK_CODES, found, is_odd)
        room *= 4
    starts, ends, owners, first_chars, last_chars = found[:, :n_lines]
    return FlatLines(starts, ends, owners), CharSpans(first_chars, last_chars), is_odd


def find_lines(texts: FlatTexts) -> tuple[FlatLines, NDArray[np.bool_]]:
    """Return the lines without outer white space, and bool [n] of the texts left to be read."""
    starts, ends, owners = _between_breaks(texts)
    starts, ends = _trimmed(texts.utf8, starts, ends)
    is_line = starts < ends
    starts, ends, owners = starts[is_line], ends[is_line], owners[is_line]
    is_odd = np.zeros(texts.offsets.size - 1, np.bool_)
    is_odd[owners[_is_doubtful(texts.utf8, starts, ends)]] = True
    breaks = _wide_breaks(texts.utf8)
    inside = (breaks >= texts.offsets[0]) & (breaks < texts.offsets[-1])
    is_odd[np.searchsorted(texts.offsets, breaks[inside], "right") - 1] = True
    return FlatLines(starts, ends, owners), is_odd


def _between_breaks(texts: FlatTexts) -> tuple[Places, Places, Places]:
    """Return start, end and text of what stands between line breaks, empty pieces among them."""
    first, last = texts.offsets[0], texts.offsets[-1]
    controls = first + places_where(texts.utf8[first:last], lambda utf8: utf8 < 0x20)
    after = controls[_IS_BREAK[texts.utf8[controls]]] + 1
    starts = np.concatenate((after, texts.offsets[:-1]))
    # Where a text ends in a break, the empty piece after it comes before the next text.
    order = np.argsort(starts, kind="stable")
    is_after_break = order < after.size
    starts = starts[order]
    ends = np.append(starts[1:] - is_after_break[1:], last)
    return starts, ends, np.cumsum(~is_after_break) - 1


def _trimmed(utf8: NDArray[np.uint8], starts: Places, ends: Places) -> tuple[Places, Places]:
    """Return the spans without up to 16 blanks at either end."""
    starts, ends = starts.copy(), ends.copy()
    rows = np.flatnonzero(starts < ends)
    for _ in range(_MAX_BLANKS):
        rows = rows[_IS_BLANK[utf8[starts[rows]]]]
        if not rows.size:
            break
        starts[rows] += 1
        rows = rows[starts[rows] < ends[rows]]
    rows = np.flatnonzero(starts < ends)
    for _ in range(_MAX_BLANKS):
        rows = rows[_IS_BLANK[utf8[ends[rows] - 1]]]
        if not rows.size:
            break
        ends[rows] -= 1
    return starts, ends


_BLANKS = "\x85\xa0\u1680\u180e\u200b\u202f\u205f\u2060\u3000\u3164\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""White space and invisible code points outside ASCII, line breaks of three bytes apart."""
_BLANK_CODES = np.array([int.from_bytes(c.encode(), "big") for c in _BLANKS], np.int64)


def _is_doubtful(utf8: NDArray[np.uint8], starts: Places, ends: Places) -> NDArray[np.bool_]:
    """Return which spans begin or end in white space still."""
    first, last = utf8[starts], utf8[ends - 1]
    found: NDArray[np.bool_] = _IS_BLANK[first] | _IS_BLANK[last]
    for size in (2, 3):
        # A lead byte has all its bytes in the text; before a last byte stand at least as many.
        leads = 0xC2 if size == 2 else 0xE1
        rows = np.flatnonzero((first == leads) | ((size == 3) & (first > leads)))
        rows = rows[starts[rows] + size <= ends[rows]]
        found[rows] |= np.isin(_code(utf8, starts[rows], size), _BLANK_CODES)
        rows = np.flatnonzero((last >= 0x80) & (ends - starts >= size))
        found[rows] |= np.isin(_code(utf8, ends[rows] - size, size), _BLANK_CODES)
    return found


def _code(utf8: NDArray[np.uint8], at: Places, size: int) -> Places:
    """Return the bytes from each place on as one number."""
    code = utf8[at].astype(np.int64)
    for step in range(1, size):
        code = code << 8 | utf8[at + step]
    return code


def _wide_breaks(utf8: NDArray[np.uint8]) -> Places:
    r"""Return where U+0085, U+2028 or U+2029 stand."""
    leads = places_where(utf8, lambda block: (block == 0xC2) | (block == 0xE2))
    is_short = utf8[leads] == 0xC2
    found = []
    for at, size, codes in (
        (leads[is_short], 2, (0xC285,)),
        (leads[~is_short], 3, (0xE280A8, 0xE280A9)),
    ):
        at = at[at + size <= utf8.size]
        found.append(at[np.isin(_code(utf8, at, size), codes)])
    return np.concatenate(found)


def char_spans(texts: FlatTexts, lines: FlatLines) -> CharSpans:
    """Return start and end of each line in code points of its own text."""
    reached = np.cumsum(pc.utf8_length(_in_turns(texts, lines)).to_numpy())
    whole = pc.utf8_length(_strings(texts, texts.offsets)).to_numpy()
    before = (np.cumsum(whole) - whole)[lines.owners]
    return CharSpans(reached[:-1:2] - before, reached[1::2] - before)


def line_texts(texts: FlatTexts, lines: FlatLines) -> pa.LargeStringArray:
    """Return the text of each line."""
    return _in_turns(texts, lines).take(pa.array(np.arange(1, 2 * lines.starts.size, 2)))


def _in_turns(texts: FlatTexts, lines: FlatLines) -> pa.LargeStringArray:
    """Return the lines, and before, between and behind them what belongs to none, uncopied."""
    bounds = np.empty(2 * lines.starts.size + 2, np.int64)
    bounds[0], bounds[-1] = texts.offsets[0], texts.offsets[-1]
    bounds[1:-1:2], bounds[2:-1:2] = lines.starts, lines.ends
    return _strings(texts, bounds)


def _strings(texts: FlatTexts, offsets: Places) -> pa.LargeStringArray:
    """Return the texts between offsets, uncopied."""
    return pa.LargeStringArray.from_buffers(
        offsets.size - 1, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(texts.utf8)
    )


def least_columns(texts: pa.LargeStringArray) -> Places:
    """Return display columns that each text has at least, in any form of its code points.

    An ASCII character stays one column when its text is composed, these wide ones stay two.
    """
    utf8, offsets = flat_texts(texts)
    utf8 = utf8[offsets[0] : offsets[-1]]
    columns = (utf8 < 0x80).view(np.uint8) + 2 * _WIDE_LEADS[utf8].view(np.uint8)
    reached = np.append(0, np.cumsum(columns, dtype=np.int64))
    found: Places = np.diff(reached[offsets - offsets[0]])
    return found
