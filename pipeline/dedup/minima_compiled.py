"""The signature of a set of shingle hashes, for compiled kernels."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.mixing_compiled import mix32_one

Words = NDArray[np.uint64]
Halves = NDArray[np.uint32]

_NO_HASH = np.uint32(0xFFFFFFFF)
_LOW_HALF = np.uint64(0xFFFFFFFF)


@numba.njit(nogil=True, boundscheck=False)
def sign(
    hashes: Words, count: int, multipliers: Halves, addends: Halves, mixed: Halves, minima: Halves
) -> None:
    """Write the smallest of each permutation of hashes[:count], repeated ones or not.

    Four hashes at a time share the load and the store of each slot.

    Args:
        hashes: uint64, of which the lower halves count.
        count: how many of them; of none all minima are ones.
        multipliers: uint32 [num_perm], of the permutations.
        addends: uint32 [num_perm], of the permutations.
        mixed: uint32 [count], room to work in.
        minima: uint32 [num_perm], receives the signature.
    """
    for at in range(count):
        mixed[at] = mix32_one(np.uint32(hashes[at] & _LOW_HALF))
    minima[:] = _NO_HASH
    whole = count - count % 4
    for at in range(0, whole, 4):
        one, two, three, four = mixed[at], mixed[at + 1], mixed[at + 2], mixed[at + 3]
        for slot in range(minima.size):
            by, plus = multipliers[slot], addends[slot]
            low = min(np.uint32(by * one + plus), np.uint32(by * two + plus))
            lower = min(np.uint32(by * three + plus), np.uint32(by * four + plus))
            minima[slot] = min(minima[slot], min(low, lower))
    for at in range(whole, count):
        for slot in range(minima.size):
            permuted = np.uint32(multipliers[slot] * mixed[at] + addends[slot])
            minima[slot] = min(minima[slot], permuted)
