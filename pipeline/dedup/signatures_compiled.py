"""The compiled signatures and bucket keys of `pipeline.dedup.signatures`."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.dedup.minima_compiled import sign
from pipeline.text.shingles_compiled import decode, hash_windows, n_distinct
from pipeline.text.utf8_compiled import BYTES, HALVES, PLACES, WORDS

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Halves = NDArray[np.uint32]
Places = NDArray[np.int64]


@numba.njit(
    numba.void(
        BYTES,
        PLACES,
        BYTES,
        WORDS,
        HALVES,
        HALVES,
        numba.int64,
        numba.uint32[:, ::1],
        numba.int64[::1],
    ),
    nogil=True,
    boundscheck=False,
)
def sign_all(
    utf8: Bytes,
    offsets: Places,
    length_of: Bytes,
    window_multipliers: Words,
    multipliers: Halves,
    addends: Halves,
    min_shingles: int,
    signatures: NDArray[np.uint32],
    sizes: Places,
) -> None:
    """Write the signatures of keys and the sizes of their shingle sets.

    Args:
        utf8: uint8, valid UTF-8 of all keys.
        offsets: int64 [n + 1], key i owns utf8[offsets[i]:offsets[i + 1]].
        length_of: as `hash_windows` takes it.
        window_multipliers: as `hash_windows` takes them.
        multipliers: uint32 [num_perm], of the permutations.
        addends: uint32 [num_perm], of the permutations.
        min_shingles: smaller sets are not signed.
        signatures: uint32 [n, num_perm], zero; receives the signatures.
        sizes: int64 [n], receives the sizes.
    """
    longest = np.int64(0)
    for key in range(sizes.size):
        longest = max(longest, offsets[key + 1] - offsets[key])
    codes = np.empty(longest + window_multipliers.size, np.uint64)
    lengths = np.empty(longest, np.uint8)
    hashes = np.empty(longest, np.uint64)
    mixed = np.empty(longest, np.uint32)
    table = np.empty(8 * longest + 64, np.int32)
    for key in range(sizes.size):
        n_chars = decode(utf8, offsets[key], offsets[key + 1], codes)
        n_hashes = hash_windows(codes, n_chars, length_of, window_multipliers, lengths, hashes)
        sizes[key] = n_distinct(hashes, n_hashes, table)
        if sizes[key] < min_shingles:
            continue
        sign(hashes, n_hashes, multipliers, addends, mixed, signatures[key])
