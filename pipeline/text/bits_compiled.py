"""Bits of words in compiled kernels."""

from __future__ import annotations

from typing import Any

import numba
from numba import extending

_intrinsic: Any = extending.intrinsic


@_intrinsic
def n_ones(typing_context, value):  # type: ignore[no-untyped-def]
    """Return how many bits are set: one instruction, for which numba has no name."""

    def codegen(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return numba.int64(numba.uint64), codegen
