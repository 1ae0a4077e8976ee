"""The compiled copying of `pipeline.text.pieces`."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.utf8_compiled import BYTES, PLACES


@numba.njit(
    numba.void(BYTES, PLACES, PLACES, PLACES, numba.int64, numba.uint8[::1]),
    nogil=True,
    boundscheck=False,
)
def lay_out(
    held: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    gaps: NDArray[np.int64],
    sign: int,
    whole: NDArray[np.uint8],
) -> None:
    """Write pieces one behind the other, each followed by its gap.

    Args:
        held: uint8, where the pieces stand.
        starts: int64 [n], piece i is held[starts[i]:ends[i]].
        ends: int64 [n].
        gaps: int64 [n], how many times `sign` stands after a piece.
        sign: a byte.
        whole: uint8, filled.
    """
    # Unsigned places cannot count from the end: LLVM copies 64 bytes at a time then.
    to, one = np.uint64(0), np.uint64(1)
    for piece in range(starts.size):
        start, n_bytes = np.uint64(starts[piece]), np.uint64(ends[piece] - starts[piece])
        place = np.uint64(0)
        while place < n_bytes:
            whole[to + place] = held[start + place]
            place += one
        to += n_bytes
        for _ in range(gaps[piece]):
            whole[to] = sign
            to += one
