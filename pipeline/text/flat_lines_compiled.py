"""The compiled twin of `pipeline.text.flat_lines`: lines, and their places in code points."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.utf8_compiled import BYTES, PLACES, has_byte, whole_word

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

_ONES, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_CONTROLS = np.uint64(0x2020202020202020)
_SHORT_LEADS, _LONG_LEADS = np.uint64(0xC2C2C2C2C2C2C2C2), np.uint64(0xE2E2E2E2E2E2E2E2)
"""First bytes of line breaks outside ASCII, eight times."""


@numba.njit(nogil=True, boundscheck=False)
def _n_chars(utf8: Bytes, at: int, end: int) -> int:
    """Return how many code points begin in a range: bytes that go on with none, eight at once."""
    n = np.int64(0)
    while at + 8 <= end:
        word = whole_word(utf8, at)
        begins = (~word >> np.uint64(7) | word >> np.uint64(6)) & _ONES
        n += np.int64(begins * _ONES >> np.uint64(56))
        at += 8
    for place in range(at, end):
        n += utf8[np.uint64(place)] & 0xC0 != 0x80
    return n


@numba.njit(nogil=True, boundscheck=False)
def _past_plain(utf8: Bytes, at: int, end: int) -> int:
    """Return where the first eight bytes stand that may hold a line break, or fewer are left."""
    while at + 8 <= end:
        word = whole_word(utf8, at)
        may_break = (word - _CONTROLS) & ~word & _HIGH
        if may_break | has_byte(word, _SHORT_LEADS) | has_byte(word, _LONG_LEADS):
            break
        at += 8
    return at


@numba.njit(nogil=True, boundscheck=False)
def _is_blank_code(utf8: Bytes, start: int, end: int, blanks: Places) -> bool:
    """Return whether a line begins or ends in one of `blanks`, their bytes as one number."""
    for size in range(2, 4):
        if end - start >= size:
            first, last = np.int64(0), np.int64(0)
            for step in range(size):
                first = first << 8 | np.int64(utf8[np.uint64(start + step)])
                last = last << 8 | np.int64(utf8[np.uint64(end - size + step)])
            for blank in blanks:
                # Behind U+0000 a shorter one gives the same number.
                if (first == blank and utf8[np.uint64(start)] > 0) or last == blank:
                    return True
    return False


@numba.njit(
    numba.int64(
        *(BYTES, PLACES, BYTES, numba.int64, PLACES),
        *(numba.int64[:, ::1], numba.boolean[::1]),
    ),
    nogil=True,
    boundscheck=False,
)
def split_lines(
    utf8: Bytes,
    offsets: Places,
    kinds: Bytes,
    most: int,
    blanks: Places,
    lines: Places,
    is_odd: NDArray[np.bool_],
) -> int:
    """Return how many lines there are, -1 where the room for them is too small.

    Args:
        utf8: uint8, valid UTF-8 of all texts.
        offsets: int64 [n + 1], text i owns utf8[offsets[i]:offsets[i + 1]].
        kinds: uint8 [256], 1 for a byte that is a line break, 2 for a blank.
        most: blanks that are taken off at either end.
        blanks: int64, the bytes of each white space outside ASCII as one number.
        lines: int64 [5, room], receives start, end and text of each line, its start and its end in
            code points of the text.
        is_odd: bool [n], false; receives which texts are left to be read.
    """
    n_lines = np.int64(0)
    for text in range(offsets.size - 1):
        at, end = offsets[text], offsets[text + 1]
        start = counted = looked_at = at
        n_chars = np.int64(0)
        while at <= end:
            if at >= looked_at:
                at = _past_plain(utf8, at, end)
                looked_at = at + 8
            if at < end:
                byte = utf8[np.uint64(at)]
                if kinds[byte] != 1:
                    if byte == 0xC2:
                        is_odd[text] |= utf8[np.uint64(at + 1)] == 0x85
                    elif byte == 0xE2 and utf8[np.uint64(at + 1)] == 0x80:
                        is_odd[text] |= utf8[np.uint64(at + 2)] & 0xFE == 0xA8
                    at += 1
                    continue
            first, last = start, at
            while first < last and first - start < most and kinds[utf8[np.uint64(first)]] == 2:
                first += 1
            while first < last and at - last < most and kinds[utf8[np.uint64(last - 1)]] == 2:
                last -= 1
            if first < last:
                if n_lines == lines.shape[1]:
                    return np.int64(-1)
                opening, closing = utf8[np.uint64(first)], utf8[np.uint64(last - 1)]
                is_odd[text] |= kinds[opening] == 2 or kinds[closing] == 2
                if opening >= 0x80 or closing >= 0x80:
                    is_odd[text] |= _is_blank_code(utf8, first, last, blanks)
                n_chars += _n_chars(utf8, counted, first)
                lines[0, n_lines], lines[1, n_lines], lines[2, n_lines] = first, last, text
                lines[3, n_lines] = n_chars
                n_chars += _n_chars(utf8, first, last)
                lines[4, n_lines] = n_chars
                counted = last
                n_lines += 1
            at += 1
            start = at
    return n_lines
