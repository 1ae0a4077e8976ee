"""The functions of `pipeline.dedup.batch_words` by compiled kernels: the same three, same results.

Imported only where `pipeline.text.engine.use_compiled` said yes. What they compute is stated in
`batch_words`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.dedup.batch_words import Bounds, Bytes, Hashes, permutations
from pipeline.text.kernels import kernel

_COMPILED = "pipeline.dedup.batch_compiled"


def bucket_keys(
    utf8: Bytes, bounds: Bounds, bands: int, rows: int
) -> tuple[Hashes, NDArray[np.int64]]:
    """As `batch_words.bucket_keys`."""
    keys = np.empty((bands, bounds.size - 1), np.uint64)
    counts = np.empty(bounds.size - 1, np.int64)
    kernel(_COMPILED, "bucket_keys")(utf8, bounds, *permutations(), rows, keys, counts)
    return keys, counts


def text_sets(
    utf8: Bytes, bounds: Bounds, wanted: NDArray[np.int64], starts: Bounds, hashes: Hashes
) -> NDArray[np.int64]:
    """As `batch_words.text_sets`."""
    sizes = np.empty(wanted.size, np.int64)
    kernel(_COMPILED, "text_sets")(utf8, bounds, wanted, starts, hashes, sizes)
    return sizes


def join_pairs(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    starts: Bounds,
    sizes: NDArray[np.int64],
    hashes: Hashes,
    min_jaccard: float,
    parents: NDArray[np.int64],
) -> None:
    """As `batch_words.join_pairs`."""
    kernel(_COMPILED, "join_pairs")(left, right, starts, sizes, hashes, min_jaccard, parents)
