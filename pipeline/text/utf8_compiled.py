"""UTF-8 in compiled kernels: how Arrow's buffers are passed, and how code points are read."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

# Arrow buffers cannot be written to: said here, a kernel is compiled once, when it is imported.
BYTES = numba.types.Array(numba.uint8, 1, "C", readonly=True)
HALVES = numba.types.Array(numba.uint32, 1, "C", readonly=True)
WORDS = numba.types.Array(numba.uint64, 1, "C", readonly=True)
PLACES = numba.types.Array(numba.int64, 1, "C", readonly=True)


@numba.njit(inline="always")
def decode_at(utf8: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Return the code point that begins at utf8[at], valid UTF-8, and the place of the next.

    An unsigned place is not asked whether it counts from the end.
    """
    lead = np.int64(utf8[np.uint64(at)])
    if lead < 0x80:
        return lead, at + 1
    second = np.int64(utf8[np.uint64(at + 1)]) & 0x3F
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | second, at + 2
    third = np.int64(utf8[np.uint64(at + 2)]) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | second << 6 | third, at + 3
    fourth = np.int64(utf8[np.uint64(at + 3)]) & 0x3F
    return (lead & 0x07) << 18 | second << 12 | third << 6 | fourth, at + 4


@numba.njit(inline="always")
def whole_word(data: NDArray[np.uint8], at: int | np.uint64) -> np.uint64:
    """Return the eight bytes from a place on, all of which are there.

    One load, as compiled: an unsigned place is not asked whether it counts from the end.
    """
    word = np.uint64(0)
    for step in range(8):
        word |= np.uint64(data[np.uint64(at) + np.uint64(step)]) << np.uint64(8 * step)
    return word


@numba.njit(inline="always")
def has_byte(word: np.uint64, bytes_sought: np.uint64) -> np.uint64:
    """Return a word other than 0 where one of eight bytes is the one repeated in the other."""
    word ^= bytes_sought
    return word - np.uint64(0x0101010101010101) & ~word & np.uint64(0x8080808080808080)
