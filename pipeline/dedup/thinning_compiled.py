"""Compiled twins of three loops of `pipeline.dedup.thinning` over all entries of hot buckets."""

from __future__ import annotations

import numba
import numpy as np

from pipeline.text.utf8_compiled import PLACES

_ENTRIES = numba.types.Array(numba.int32, 1, "C", readonly=True)
_FLAGS = numba.types.Array(numba.boolean, 1, "C", readonly=True)


@numba.njit(numba.void(_ENTRIES, numba.int64[::1]), nogil=True, boundscheck=False)
def count(buckets, sizes):  # type: ignore[no-untyped-def]
    """Add the entries of each bucket to its size."""
    for bucket in buckets:
        sizes[bucket] += 1


@numba.njit(
    numba.int64(_ENTRIES, _ENTRIES, PLACES, numba.int64, numba.int64[::1]),
    nogil=True,
    boundscheck=False,
)
def below(buckets, ranks, limit, n_bits, codes):  # type: ignore[no-untyped-def]
    """Write the codes of entries that rank up to the limit of their bucket; return how many."""
    n = np.int64(0)
    for at in range(buckets.size):
        bucket, rank = np.int64(buckets[at]), np.int64(ranks[at])
        codes[n] = bucket << n_bits | rank
        n += np.int64(rank <= limit[bucket])
    return n


@numba.njit(
    numba.int64(
        *(_ENTRIES, _ENTRIES, _FLAGS, PLACES, numba.int64),
        *(numba.int64[::1], numba.int32[::1]),
    ),
    nogil=True,
    boundscheck=False,
)
def inside(buckets, ranks, is_large, numbers, n_numbers, codes, articles):  # type: ignore[no-untyped-def]
    """Write bucket and numbers, and the rank, of entries of large buckets; return how many.

    Of articles whose numbers are -1 nothing is written.
    """
    n = np.int64(0)
    for at in range(buckets.size):
        bucket, rank = np.int64(buckets[at]), ranks[at]
        number = numbers[rank]
        codes[n], articles[n] = bucket * n_numbers + number, rank
        n += np.int64(is_large[bucket] and number >= 0)
    return n
