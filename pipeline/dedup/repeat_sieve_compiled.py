"""The compiled twin of `repeat_sieve.plain_own_openings`; `own_openings` there calls it."""

from __future__ import annotations

import numba
import numpy as np

from pipeline.text.utf8_compiled import BYTES, PLACES

COUNTS = numba.types.Array(numba.int64, 1, "C")


@numba.njit(
    numba.void(BYTES, PLACES, PLACES, COUNTS, numba.int64, COUNTS, COUNTS),
    nogil=True,
    boundscheck=False,
)
def count_openings(data, offsets, firsts, table, shift, n_own, n_chars):  # type: ignore[no-untyped-def]
    """Fill `n_own` and `n_chars`; a slot holds 2 * row of its first owner, + 1 once shared.

    What earlier articles left in the table is smaller than 2 * the article's first row.
    """
    for article in range(firsts.size - 1):
        fresh = 2 * firsts[article]
        for row in range(firsts[article], firsts[article + 1]):
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
