"""The compiled twins of `plain_own_openings` and `plain_says_again` in `repeat_sieve`."""

from __future__ import annotations

import numba
import numpy as np

from pipeline.text.utf8_compiled import BYTES, PLACES

COUNTS = numba.types.Array(numba.int64, 1, "C")
_FLAGS = numba.types.Array(numba.boolean, 1, "C", readonly=True)

_MOST_STRETCHES = 128
"""Sentences of one paragraph that are compared; one with more is left to the rules."""


@numba.njit(inline="always")
def _word_at(data, at):  # type: ignore[no-untyped-def]
    """Return the eight bytes from a place on; zeros follow the last byte."""
    word = np.uint64(0)
    if np.int64(at) + 8 <= data.size:
        for step in range(8):  # one load, as compiled
            word |= np.uint64(data[np.int64(at) + step]) << np.uint64(8 * step)
        return word
    for place in range(np.int64(at), data.size):
        word |= np.uint64(data[place]) << np.uint64(8 * (place - np.int64(at)))
    return word


@numba.njit(
    numba.void(
        *(BYTES, PLACES, BYTES, _FLAGS, numba.int64, numba.int64),
        numba.types.Array(numba.boolean, 1, "C"),
    ),
    nogil=True,
    boundscheck=False,
)
def find_said_again(  # type: ignore[no-untyped-def]
    data, offsets, steps, is_of_space, least, most, found
):
    """Fill `found`; a step of 0 ends a sentence, of 255 may."""
    kept = np.empty((_MOST_STRETCHES, 3), np.uint64)
    for row in range(offsets.size - 1):
        at, end = offsets[row], offsets[row + 1]
        n_kept = 0
        start = at
        while at <= end and not found[row]:
            size = 1
            if at < end:
                step = steps[data[at]]
                if step == 255:
                    size = 3
                    code = np.int64(data[at]) << 16 | np.int64(data[at + 1]) << 8
                    code |= np.int64(data[at + 2])
                    is_end = code == 0xE38082 or code == 0xEFBC81
                    step = 0 if is_end or code == 0xEFBC9F or code == 0xE0A5A4 else 3
                if step:
                    at += step
                    continue
            if at - start >= least:
                first, last = start, at
                is_long = False
                for _ in range(most):
                    is_before = first < last and is_of_space[data[first]]
                    first += is_before
                    is_after = first < last and is_of_space[data[last - 1]]
                    last -= is_after
                    is_long = is_before or is_after
                    if not is_long:
                        break
                opening, closing = _word_at(data, first), np.uint64(0)
                if last - first >= 8:
                    closing = _word_at(data, last - 8)
                else:
                    opening &= (np.uint64(1) << np.uint64(8 * (last - first))) - np.uint64(1)
                found[row] = is_long or n_kept == _MOST_STRETCHES
                for other in range(n_kept):
                    found[row] |= (
                        kept[other, 0] == opening
                        and kept[other, 1] == closing
                        and kept[other, 2] == np.uint64(last - first)
                    )
                if n_kept < _MOST_STRETCHES:
                    kept[n_kept, 0], kept[n_kept, 1] = opening, closing
                    kept[n_kept, 2] = np.uint64(last - first)
                    n_kept += 1
            at += size
            start = at


@numba.njit(
    numba.void(BYTES, PLACES, PLACES, _FLAGS, COUNTS, numba.int64, COUNTS, COUNTS),
    nogil=True,
    boundscheck=False,
)
def count_openings(  # type: ignore[no-untyped-def]
    data, offsets, firsts, is_left_out, table, shift, n_own, n_chars
):
    """Fill `n_own` and `n_chars`; a slot holds 2 * row of its first owner, + 1 once shared.

    What earlier articles left in the table is smaller than 2 * the article's first row.
    """
    for article in range(firsts.size - 1):
        fresh = 2 * firsts[article]
        for row in range(firsts[article], firsts[article + 1]):
            if is_left_out[row]:
                continue
            start, end = offsets[row], offsets[row + 1]
            tail = end
            for _ in range(4):
                tail -= 1
                while tail > start and (data[tail] & 0xC0) == 0x80:
                    tail -= 1
            word = np.uint64(0)
            for at in range(start, start + 4):
                if at < data.size:
                    word |= np.uint64(data[at]) << np.uint64(8 * (at - start) + 8)
            for at in range(start, end):
                word >>= np.uint64(8)
                if at + 4 < data.size:
                    word |= np.uint64(data[at + 4]) << np.uint64(32)
                if (data[at] & 0xC0) == 0x80:
                    continue
                n_chars[row] += 1
                slot = (word * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(shift)
                held = table[slot]
                if held < fresh:
                    # An opening of the last characters, which may be no window, counts for none.
                    table[slot] = 2 * row if at < tail else 2 * row + 1
                    n_own[row] += at < tail
                elif held >> 1 != row and held & 1 == 0:
                    table[slot] = held | 1
                    n_own[held >> 1] -= 1
