"""The compiled look of `pipeline.text.text_sieve`: which words a text may hold, for many texts."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.utf8_compiled import BYTES, PLACES, WORDS

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]

_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_SECOND, _THIRD, _FOURTH = np.uint64(256), np.uint64(512), np.uint64(768)
_FIFTH, _SIXTH = np.uint64(1024), np.uint64(1280)


@numba.njit(
    numba.void(BYTES, PLACES, WORDS, WORDS, numba.uint64[::1]), nogil=True, boundscheck=False
)
def look_all(utf8: Bytes, offsets: Places, inner: Words, first: Words, marks: Words) -> None:
    """Write which bits the tables agree on at any place of a text.

    Args:
        utf8: uint8, the texts, and six more bytes behind the last one.
        offsets: int64 [n + 1], text i is utf8[offsets[i]:offsets[i + 1]].
        inner: uint64 [6 * 256], the bits of a byte at any place and at the five behind it.
        first: the same for the beginnings of texts.
        marks: uint64 [n], receives the bits.
    """
    for text in range(marks.size):
        at, end = np.uint64(offsets[text]), np.uint64(offsets[text + 1])
        seen = np.uint64(0)
        if at < end:
            seen = _ALL
            for place in range(6):
                seen &= first[np.uint64(256 * place) + np.uint64(utf8[at + np.uint64(place)])]
        b, c = np.uint64(utf8[at]), np.uint64(utf8[at + np.uint64(1)])
        d, e = np.uint64(utf8[at + np.uint64(2)]), np.uint64(utf8[at + np.uint64(3)])
        f = np.uint64(utf8[at + np.uint64(4)])
        # To stop when all bits are there keeps the compiler from gathers, which take several times
        # as long as single loads.
        while at < end and seen != _ALL:
            a, b, c, d, e, f = b, c, d, e, f, np.uint64(utf8[at + np.uint64(5)])
            seen |= (
                inner[a]
                & inner[_SECOND + b]
                & inner[_THIRD + c]
                & inner[_FOURTH + d]
                & inner[_FIFTH + e]
                & inner[_SIXTH + f]
            )
            at += np.uint64(1)
        marks[text] = seen
