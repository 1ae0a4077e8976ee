"""How many shingles many pairs of keys have in common, exactly: by numpy or compiled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.cluster_graph import components
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

_SETS_AT_A_TIME = 20_000
"""Sets of hashes of 1,400 shingles: 220 MB. So many pairs have no more than twice as many."""
_SHINGLES_AT_A_TIME = 20_000_000
"""Of centres: 12 bytes each at the most, and what they have in common takes no more than once."""


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

    Args:
        keys: string or large string, no NULL.
        pairs: int64 [n_pairs, 2], row numbers of `keys`.
        profile: which shingles.
        n_shingles: integers [n], the sizes of the sets, where they are known.
    """
    sizes = _sizes(keys, profile) if n_shingles is None else n_shingles.astype(np.int64)
    count = _compiled_counts if use_compiled(len(keys)) else _plain_counts
    return Overlaps(sizes[pairs[:, 0]], sizes[pairs[:, 1]], count(keys, pairs, sizes, profile))


def _sizes(keys: pa.Array | pa.ChunkedArray, profile: ShingleProfile) -> Counts:
    """Return the sizes of the shingle sets of keys, int64 [n]."""
    return np.diff(shingle_sets(keys.to_pylist(), profile)[1])


def _compiled_counts(
    keys: pa.Array | pa.ChunkedArray, pairs: Ends, sizes: Counts, profile: ShingleProfile
) -> Counts:
    """Return how many shingles each pair shares: each key against the centres it is paired with."""
    from pipeline.text.kernels import kernel  # lazily: small batches do without

    count_by_centre = kernel(_COMPILED, "count_by_centre")
    stars = stars_of(pairs, sizes)
    counts = np.empty(len(pairs), np.int64)
    count_by_centre(
        *Utf8.of(keys),
        *window_tables(profile),
        *(stars.centres, stars.centre_ends, stars.pairs, stars.pair_ends),
        counts,
    )
    shared = np.empty(len(pairs), np.int64)
    shared[stars.order] = counts
    return shared


class Stars(NamedTuple):
    """Pairs of keys as keys around centres: each pair has one, and many have the same."""

    centres: Counts
    """Which keys are centres, int64 [n_centres]; those of a group stand together."""
    centre_ends: Counts
    """Where the centres of each group end, int64 [n_groups]."""
    pairs: Ends
    """A key and the place of its centre in `centres`, int64 [n_pairs, 2], by group and key."""
    pair_ends: Counts
    """Where the pairs of each group end, int64 [n_groups]."""
    order: Counts
    """Which pair each was, int64 [n_pairs]."""


def stars_of(pairs: Ends, sizes: Counts) -> Stars:
    """Divide pairs (int64 [n_pairs, 2]) of sets of these sizes by the one that has more of them.

    What hangs together is a group: its sets have much in common. A large group is divided.
    """
    left, right = pairs.T
    n_pairs_of = np.bincount(pairs.ravel(), minlength=sizes.size)
    is_left = n_pairs_of[left] >= n_pairs_of[right]
    centre, other = np.where(is_left, left, right), np.where(is_left, right, left)
    is_centre = np.zeros(sizes.size, np.bool_)
    is_centre[centre] = True
    centres = np.flatnonzero(is_centre)
    component = components(left, right, sizes.size)[centres]
    by_component = np.argsort(component, kind="stable")
    centres, component = centres[by_component], component[by_component]
    part = np.cumsum(sizes[centres]) // _SHINGLES_AT_A_TIME
    is_last = (np.diff(component, append=-1) != 0) | (np.diff(part, append=-1) != 0)
    group = np.cumsum(is_last) - is_last
    place = np.empty(sizes.size, np.int64)
    place[centres] = np.arange(centres.size)
    group_of_pair = group[place[centre]]
    order = np.argsort(group_of_pair * sizes.size + other)
    grouped = np.stack((other[order], place[centre[order]]), axis=1)
    ends = np.cumsum(np.bincount(group_of_pair, minlength=np.count_nonzero(is_last)))
    return Stars(centres, np.flatnonzero(is_last) + 1, grouped, ends, order)


def _plain_counts(
    keys: pa.Array | pa.ChunkedArray, pairs: Ends, sizes: Counts, profile: ShingleProfile
) -> Counts:
    """Return how many shingles each pair shares, with so many sets at a time as memory holds."""
    step = max(len(pairs), 1) if sizes.size <= _SETS_AT_A_TIME else _SETS_AT_A_TIME // 2
    counts = [np.empty(0, np.int64)]
    for start in range(0, len(pairs), step):
        used, local = np.unique(pairs[start : start + step], return_inverse=True)
        hashes, bounds = shingle_sets(keys.take(pa.array(used)).to_pylist(), profile)
        counts.append(count_shared_plainly(hashes, bounds, local.reshape(-1, 2)))
    return np.concatenate(counts)


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
