"""The compiled window hashes of `pipeline.text.shingles`, for the kernels that go on with them."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.shingles import FINAL_MULTIPLIER
from pipeline.text.utf8_compiled import decode_at

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

_SAMPLE = 64
_FINAL = np.uint64(FINAL_MULTIPLIER)
_ONE, _TWELVE = np.uint64(1), np.uint64(12)
_MANY, _THREE, _FOUR = np.uint64(0x80), np.uint64(0xE0), np.uint64(0xF0)
"""First bytes of characters of two bytes and more, of three, of four."""
_LOW_FOUR, _LOW_SIX = np.uint64(0x0F), np.uint64(0x3F)


@numba.njit(nogil=True, boundscheck=False)
def decode(utf8: Bytes, at: int, end: int, codes: Words) -> int:
    """Write the code points of utf8[at:end] and return how many they are.

    `decode_at` in unsigned places, which are not asked whether they count from the end, and with
    the longest runs first (two thirds of the time).
    """
    n_chars, place, last = np.uint64(0), np.uint64(at), np.uint64(end)
    while place < last:
        lead = np.uint64(utf8[place])
        if lead >= _THREE and lead < _FOUR:
            codes[n_chars] = (lead & _LOW_FOUR) << _TWELVE | _two_more(utf8, place)
            place += np.uint64(3)
        elif lead < _MANY:
            codes[n_chars] = lead
            place += _ONE
        else:
            code, following = decode_at(utf8, np.int64(place))
            codes[n_chars] = code
            place = np.uint64(following)
        n_chars += _ONE
    return np.int64(n_chars)


@numba.njit(inline="always")
def _two_more(utf8: Bytes, place: np.uint64) -> np.uint64:
    """Return the twelve bits of the two bytes behind a place."""
    second = np.uint64(utf8[place + _ONE]) & _LOW_SIX
    return second << np.uint64(6) | np.uint64(utf8[place + _ONE + _ONE]) & _LOW_SIX


@numba.njit(nogil=True, boundscheck=False)
def _sum_everywhere(
    codes: Words, n_chars: int, length: int, multipliers: Words, hashes: Words
) -> None:
    """Write what windows of one length sum up to, at every place: eight places at a time.

    Four characters of a window are taken at once: each pass reads and writes all sums.
    """
    for place in range(n_chars):
        hashes[place] = multipliers[0]
    n_fours = length // 4
    for four in range(n_fours):
        tap = 4 * four
        first, second = multipliers[tap + 1], multipliers[tap + 2]
        third, fourth = multipliers[tap + 3], multipliers[tap + 4]
        here, next_, third_codes, fourth_codes = (
            codes[tap:],
            codes[tap + 1 :],
            codes[tap + 2 :],
            codes[tap + 3 :],
        )
        for place in range(n_chars):
            hashes[place] += (
                first * here[place]
                + second * next_[place]
                + third * third_codes[place]
                + fourth * fourth_codes[place]
            )
    for tap in range(4 * n_fours, length):
        multiplier = multipliers[tap + 1]
        for place in range(n_chars):
            hashes[place] += multiplier * codes[place + tap]


@numba.njit(nogil=True, boundscheck=False)
def hash_windows(
    codes: Words, n_chars: int, length_of: Bytes, multipliers: Words, lengths: Bytes, hashes: Words
) -> int:
    """Write the hashes of the windows of codes[:n_chars] in order; return how many they are.

    Args:
        codes: uint64, with room for the longest window behind the last code point.
        n_chars: how many code points.
        length_of: uint8 [0x110000], the length of the window that begins with a code point.
        multipliers: uint64 [longest window + 1].
        lengths: uint8 [n_chars], room to work in.
        hashes: uint64 [n_chars], receives the hashes.
    """
    if n_chars == 0:
        return 0
    for place in range(n_chars):
        lengths[place] = length_of[codes[place]]
    # Any choice gives the same hashes; a sample of the text tells which is the fastest.
    tally = np.zeros(multipliers.size, np.int64)
    for place in range(0, n_chars, n_chars // _SAMPLE + 1):
        tally[lengths[place]] += 1
    common = np.argmax(tally)
    codes[n_chars : n_chars + multipliers.size] = 0
    _sum_everywhere(codes, n_chars, common, multipliers, hashes)
    n_windows = np.int64(0)
    for place in range(n_chars):
        length = np.int64(lengths[place])
        if place + length <= n_chars:
            hashed = hashes[place]
            if length != common:
                hashed = _sum(codes, place, length, multipliers)
            hashes[n_windows] = hashed
            n_windows += 1
    if n_windows == 0:
        hashes[0] = _sum(codes, 0, n_chars, multipliers)
        n_windows = np.int64(1)
    for window in range(n_windows):
        hashed = hashes[window]
        hashed ^= hashed >> np.uint64(32)
        hashed *= _FINAL
        hashes[window] = hashed ^ hashed >> np.uint64(29)
    return n_windows


@numba.njit(inline="always")
def _sum(codes: Words, place: int, length: int, multipliers: Words) -> np.uint64:
    hashed = multipliers[0]
    for tap in range(length):
        hashed += multipliers[tap + 1] * codes[place + tap]
    return hashed


@numba.njit(nogil=True, boundscheck=False)
def n_distinct(hashes: Words, n_hashes: int, table: NDArray[np.int32]) -> int:
    """Return how many of hashes[:n_hashes] differ.

    Args:
        hashes: uint64, well mixed.
        n_hashes: how many of them count.
        table: int32 [8 * n_hashes or more, at least 64], room to work in: places of hashes.
    """
    size = np.int64(64)
    while size < 4 * n_hashes:
        size *= 2
    table[:size] = -1
    mask = np.uint64(size - 1)
    found = np.int64(0)
    for place in range(n_hashes):
        hashed = hashes[place]
        slot = hashed & mask
        while table[slot] >= 0 and hashes[table[slot]] != hashed:
            slot = slot + np.uint64(1) & mask
        if table[slot] < 0:
            table[slot] = place
            found += 1
    return found
