"""The compiled copying of `pipeline.text.pieces`."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.utf8_compiled import BYTES, PLACES


@numba.njit(
    numba.void(BYTES, PLACES, PLACES, PLACES, numba.uint8[::1]), nogil=True, boundscheck=False
)
def lay_out(
    held: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    places: NDArray[np.int64],
    whole: NDArray[np.uint8],
) -> None:
    """Write each piece at its place.

    Args:
        held: uint8, where the pieces stand.
        starts: int64 [n], piece i is held[starts[i]:ends[i]].
        ends: int64 [n].
        places: int64 [n], where each begins in `whole`.
        whole: uint8, filled in there.
    """
    # Unsigned places cannot count from the end: LLVM copies 64 bytes at a time then.
    for piece in range(starts.size):
        start, to = np.uint64(starts[piece]), np.uint64(places[piece])
        n_bytes = np.uint64(ends[piece] - starts[piece])
        at = np.uint64(0)
        while at < n_bytes:
            whole[to + at] = held[start + at]
            at += np.uint64(1)
