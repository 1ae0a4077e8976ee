"""The first pass of `pipeline.text.number_scan` over a text: code points, and runs of digits."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.number_scan import (
    CHANGES,
    COUNTER,
    HAN,
    HANGUL,
    HAS_HAN,
    HAS_HANGUL,
    HAS_SPELLED,
    IN_SPELLED,
    LATER_HAN,
    LATER_HANGUL,
    NOT_BARE,
    PLAIN,
    UNSPACED,
)
from pipeline.text.number_windows import DIGIT, SPACE
from pipeline.text.utf8_compiled import decode_at

Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint32]
Places = NDArray[np.int64]

_NEWLINE = np.uint32(10)
_ZERO, _NINE = ord("0"), ord("9")
_RANK, _MONTH, _HAN_MONTH = (ord(c) for c in "급월月")
_MAX_HANGUL = 12
# As in `normalise_compiled`: the last 36 syllables go the way of other letters.
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xEAB0, 0xED9D


@numba.njit(inline="always")
def _is_ascii_digit(byte: int) -> bool:
    return byte >= _ZERO and byte <= _NINE


@numba.njit(inline="always")
def _is_ascii_letter(byte: int) -> bool:
    return (byte | 0x20) >= 0x61 and (byte | 0x20) <= 0x7A


@numba.njit(nogil=True, boundscheck=False)
def _is_spelled(utf8: Bytes, at: int, end: int, pairs: Bytes, words: Bytes, bounds: Places) -> bool:
    """Return whether one of `words` stands at a place, whatever its case, and no letter behind."""
    if at + 2 >= end or not _is_ascii_letter(utf8[at + 1]):
        return False
    if not pairs[26 * ((utf8[at] | 0x20) - 0x61) + (utf8[at + 1] | 0x20) - 0x61] & IN_SPELLED:
        return False
    for word in range(bounds.size - 1):
        first, n_letters = bounds[word], bounds[word + 1] - bounds[word]
        same = np.int64(0)
        while (
            same < n_letters and at + same < end and utf8[at + same] | 0x20 == words[first + same]
        ):
            same += 1
        if same == n_letters and (at + same == end or not _is_ascii_letter(utf8[at + same])):
            return True
    return False


@numba.njit(nogil=True, boundscheck=False)
def _is_address(utf8: Bytes, first: int, at: int, end: int) -> bool:
    """Return whether an ASCII sign may belong to a mail or web address."""
    byte = utf8[at]
    if byte == 0x40:
        return True
    if byte == 0x3A:
        return at + 2 < end and utf8[at + 1] == 0x2F and utf8[at + 2] == 0x2F
    if byte == 0x2E and at - first >= 3:
        return utf8[at - 1] == 0x77 and utf8[at - 2] == 0x77 and utf8[at - 3] == 0x77
    return False


@numba.njit(nogil=True, boundscheck=False)
def read_characters(
    utf8: Bytes,
    first: int,
    end: int,
    kinds: Bytes,
    marks: Bytes,
    pairs: Bytes,
    words: Bytes,
    bounds: Places,
    codes: Codes,
    starts: Places,
    ends: Places,
) -> tuple[int, int, int, bool, bool]:
    """Write code points, from place 2 on with line ends around them, and the runs of digits.

    Letters, digits and syllables go in loops of their own: a guess of a branch goes wrong where
    a word ends, not at each character.

    Returns where they end, the number of runs, what is found, whether scripts without spaces are
    among them, and whether a word looks like a month but is a rank.
    """
    codes[0] = codes[1] = _NEWLINE
    n, n_runs, found, seen = np.int64(2), np.int64(0), np.int64(0), np.int64(0)
    has_rank, has_numeral = False, False
    at = first
    while at < end:
        word = n
        while at + 3 <= end:
            lead = np.int64(utf8[np.uint64(at)])
            second = np.int64(utf8[np.uint64(at + 1)])
            if not _FIRST_SYLLABLE <= lead << 8 | second <= _LAST_SYLLABLE:
                break
            syllable = (lead & 0x0F) << 12 | (second & 0x3F) << 6 | np.int64(utf8[at + 2]) & 0x3F
            has_rank |= syllable == _RANK
            codes[np.uint64(n)] = syllable
            n += 1
            at += 3
        if n > word:
            seen |= UNSPACED
            has_numeral |= marks[codes[np.uint64(word)]] & HANGUL != 0
        if at >= end:
            break
        byte = np.int64(utf8[np.uint64(at)])
        if byte == 0x20:
            codes[np.uint64(n)] = 0x20
            n += 1
            at += 1
        elif byte >= 0x80:
            code, at = decode_at(utf8, at)
            codes[np.uint64(n)] = code
            n += 1
            mark = np.int64(marks[np.uint64(code)])
            seen |= mark
            if mark & HAN and at < end:
                following, _ = decode_at(utf8, at)
                if marks[np.uint64(following)] & LATER_HAN or following == _HAN_MONTH:
                    found |= HAS_HAN
            if kinds[np.uint64(code)] == DIGIT:
                found |= PLAIN
        elif _is_ascii_letter(byte):
            if (n == 2 or not _is_ascii_digit(codes[n - 1])) and _is_spelled(
                utf8, at, end, pairs, words, bounds
            ):
                found |= HAS_SPELLED
            while at < end and _is_ascii_letter(utf8[np.uint64(at)]):
                codes[np.uint64(n)] = utf8[np.uint64(at)]
                n += 1
                at += 1
        elif _is_ascii_digit(byte):
            starts[n_runs] = n
            while at < end and _is_ascii_digit(utf8[np.uint64(at)]):
                codes[np.uint64(n)] = utf8[np.uint64(at)]
                n += 1
                at += 1
            ends[n_runs] = n
            n_runs += 1
        else:
            if _is_address(utf8, first, at, end):
                found |= NOT_BARE
            codes[np.uint64(n)] = byte
            n += 1
            at += 1
    codes[n : n + 2] = _NEWLINE
    # No look ahead goes past it.
    codes[n + 2] = 0
    if seen & CHANGES:
        found |= NOT_BARE
    if has_numeral and _has_hangul_numeral(codes, n, kinds, marks):
        found |= HAS_HANGUL
    has_rank = has_rank and _has_ranked_month(codes, n)
    return n, n_runs, found, seen & UNSPACED != 0, has_rank


@numba.njit(nogil=True, boundscheck=False)
def _has_hangul_numeral(codes: Codes, end: int, kinds: Bytes, marks: Bytes) -> bool:
    """Return whether `quantities.HANGUL_NUMERAL` may match."""
    was_syllable = False
    for place in range(2, end):
        code = codes[np.uint64(place)]
        is_syllable = code >= 0xAC00 and code <= 0xD7A3
        if is_syllable and not was_syllable and marks[code] & HANGUL:
            last = place + 1
            while marks[codes[last]] & LATER_HANGUL:
                last += 1
            is_long = last > place + 1 and last <= place + _MAX_HANGUL
            if kinds[codes[last]] == SPACE:
                last += 1
            if is_long and marks[codes[last]] & COUNTER:
                return True
        was_syllable = is_syllable
    return False


@numba.njit(nogil=True, boundscheck=False)
def _has_ranked_month(codes: Codes, end: int) -> bool:
    """Return whether a word that looks like a month goes on to -급 (1월급)."""
    is_month = False
    for place in range(2, end):
        code = codes[np.uint64(place)]
        if code == _RANK and is_month:
            return True
        is_month = code in (_MONTH, _HAN_MONTH) or (is_month and code >= 0xAC00 and code <= 0xD7A3)
    return False
