"""Bijections that spread the bits of integers, over arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mix32(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the 32-bit MurmurHash3 finaliser of each value: datasketch's pre-mix of affine32."""
    values = values ^ values >> np.uint32(16)
    values *= np.uint32(0x85EBCA6B)
    values ^= values >> np.uint32(13)
    values *= np.uint32(0xC2B2AE35)
    values ^= values >> np.uint32(16)
    return values


def mix64(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the 64-bit MurmurHash3 finaliser of each value."""
    values = values ^ values >> np.uint64(33)
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values
