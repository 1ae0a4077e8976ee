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

_FINAL = np.uint64(FINAL_MULTIPLIER)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def decode(utf8: Bytes, at: int, end: int, codes: Words) -> int:
    """Write the code points of utf8[at:end] and return how many they are."""
    n_chars = np.int64(0)
    while at < end:
        code, at = decode_at(utf8, at)
        codes[n_chars] = code
        n_chars += 1
    return n_chars


@numba.njit(nogil=True, cache=True, boundscheck=False)
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
    tally = np.zeros(multipliers.size, np.int64)
    for place in range(n_chars):
        length = length_of[codes[place]]
        lengths[place] = length
        tally[length] += 1
    common = np.argmax(tally)
    codes[n_chars : n_chars + multipliers.size] = 0
    # The commonest length is computed everywhere, eight places at a time; then the others.
    for place in range(n_chars):
        hashes[place] = multipliers[0]
    for tap in range(common):
        multiplier = multipliers[tap + 1]
        for place in range(n_chars):
            hashes[place] += multiplier * codes[place + tap]
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


@numba.njit(nogil=True, cache=True, boundscheck=False)
def n_distinct(hashes: Words, n_hashes: int, table: Words) -> int:
    """Return how many of hashes[:n_hashes] differ.

    Args:
        hashes: uint64, well mixed.
        n_hashes: how many of them count.
        table: uint64 [a power of two, twice n_hashes or more], room to work in.
    """
    size = np.int64(64)
    while size < 2 * n_hashes:
        size *= 2
    table[:size] = 0
    mask = np.uint64(size - 1)
    found, has_zero = np.int64(0), np.int64(0)
    for place in range(n_hashes):
        hashed = hashes[place]
        if hashed == 0:
            has_zero = np.int64(1)
            continue
        slot = hashed & mask
        while table[slot] != 0 and table[slot] != hashed:
            slot = slot + np.uint64(1) & mask
        if table[slot] == 0:
            table[slot] = hashed
            found += 1
    return found + has_zero
