"""How many shingles many pairs of keys have in common, exactly: by numpy or compiled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled
from pipeline.text.shingles import (
    STORY,
    Hashes,
    Offsets,
    ShingleProfile,
    n_shared,
    shingle_sets,
    window_tables,
)
from pipeline.text.utf8 import Utf8

_COMPILED = "pipeline.dedup.set_overlaps_compiled"

Ends = NDArray[np.int64]
Counts = NDArray[np.int64]


class Overlaps(NamedTuple):
    """The sizes of the shingle sets of pairs of keys and of what they share, int64 [n_pairs]."""

    n_left: Counts
    n_right: Counts
    n_shared: Counts

    def jaccard(self) -> NDArray[np.float64]:
        """Return |A∩B| / |A∪B| of each pair; 0 when both are empty."""
        union = self.n_left + self.n_right - self.n_shared
        ratios: NDArray[np.float64] = self.n_shared / np.maximum(union, 1)
        return ratios


def jaccard_pairs(
    keys: pa.Array | pa.ChunkedArray, pairs: Ends, profile: ShingleProfile = STORY
) -> NDArray[np.float64]:
    """Return the exact Jaccard of pairs of keys (string or large string), see `overlaps_of`."""
    return overlaps_of(keys, pairs, profile).jaccard()


def overlaps_of(
    keys: pa.Array | pa.ChunkedArray,
    pairs: Ends,
    profile: ShingleProfile = STORY,
    n_shingles: NDArray[Any] | None = None,
) -> Overlaps:
    """Return what the shingle sets of pairs of keys share; large batches by the compiled engine.

    The sets of all keys are held at once, 8 bytes a shingle: a caller with many keys goes block by
    block. The compiled kernel makes a table of a left set once for pairs that follow each other.

    Args:
        keys: string or large string, no NULL.
        pairs: int64 [n_pairs, 2], row numbers of `keys`.
        profile: which shingles.
        n_shingles: integers [n], the sizes of the sets where they are known; to count them takes
            as long as to hash the shingles.
    """
    utf8 = Utf8.of(keys)
    if use_compiled(utf8.n_articles):
        from pipeline.text.kernels import kernel  # lazily: small batches do without

        distinct_all = kernel(_COMPILED, "distinct_all")
        count_shared = kernel(_COMPILED, "count_shared")
        hashes = np.empty(int(utf8.offsets[-1] - utf8.offsets[0]), np.uint64)
        bounds = np.empty(len(keys) + 1, np.int64)
        known = np.full(len(keys), -1) if n_shingles is None else n_shingles.astype(np.int64)
        distinct_all(*utf8, *window_tables(profile), known, hashes, bounds)
        shared = np.empty(len(pairs), np.int64)
        count_shared(hashes, bounds, np.ascontiguousarray(pairs, np.int64), shared)
    else:
        hashes, bounds = shingle_sets(keys.to_pylist(), profile)
        shared = count_shared_plainly(hashes, bounds, pairs)
    sizes = np.diff(bounds)
    return Overlaps(sizes[pairs[:, 0]], sizes[pairs[:, 1]], shared)


def count_shared_plainly(hashes: Hashes, offsets: Offsets, pairs: Ends) -> Counts:
    """Return how many hashes the sets of each pair have in common, int64 [n_pairs].

    Args:
        hashes: uint64, the sorted distinct hashes of each set, as `shingle_sets` returns them.
        offsets: int64 [n + 1], set i is hashes[offsets[i]:offsets[i + 1]].
        pairs: int64 [n_pairs, 2], numbers of sets.
    """
    bounds = offsets.tolist()
    counts = (
        n_shared(hashes[bounds[one] : bounds[one + 1]], hashes[bounds[other] : bounds[other + 1]])
        for one, other in pairs.tolist()
    )
    return np.fromiter(counts, np.int64, len(pairs))
