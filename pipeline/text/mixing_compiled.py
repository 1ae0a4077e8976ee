"""The bijections of `pipeline.text.mixing`, of one value, for compiled kernels."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np


@numba.njit(inline="always")
def mix32_one(value: np.uint32) -> np.uint32:
    """Return what `mix32` makes of a value; each step is cut to 32 bits again."""
    value = np.uint32(value ^ value >> np.uint32(16))
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value = np.uint32(value ^ value >> np.uint32(13))
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32(value ^ value >> np.uint32(16))


@numba.njit(inline="always")
def mix64_one(value: np.uint64) -> np.uint64:
    """Return what `mix64` makes of a value."""
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ value >> np.uint64(33)
