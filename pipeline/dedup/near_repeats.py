"""Paragraphs that say again what others of the article say: near copies, contained ones, blobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text.shingles import PARAGRAPH, n_shared, shingle_sets, window_hashes

_POSITION_BITS = 20
"""Low bits of a hash that carry the paragraph's place in its batch: 1,048,576 paragraphs."""

Shingles = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Exact comparison of two shingle sets: of what is kept (left) and what repeats it (right)."""

    jaccard: float
    left_containment: float
    """Share of the left set that the right one holds."""
    right_containment: float

    def turned(self) -> Overlap:
        """Return the comparison with the sides changed."""
        return Overlap(self.jaccard, self.right_containment, self.left_containment)


def covered_shares(keys: Sequence[str], articles: Sequence[int]) -> NDArray[np.float64]:
    """Return for each key the share of its shingles that another key of its article holds.

    An upper bound of both containments and the Jaccard of every pair, and the coverage that a
    blob needs: one sort of the batch tells which articles need no comparison at all. Equal keys
    must be left out before. `articles` ascends; both have the same length.
    """
    if not keys:
        return np.zeros(0)
    hashes, offsets = window_hashes(keys, PARAGRAPH)
    n_windows = np.diff(offsets)
    position = np.repeat(np.arange(len(keys), dtype=np.uint64), n_windows)
    mask = np.uint64((1 << _POSITION_BITS) - 1)
    tagged = (hashes & ~mask) | position
    for start, end in _article_bounds(np.asarray(articles), offsets):
        tagged[start:end].sort()
    is_first = np.ones(tagged.size, np.bool_)
    is_first[1:] = tagged[1:] != tagged[:-1]
    tagged = tagged[is_first]
    # What is left of equal windows differs in the paragraph alone.
    is_equal = (tagged[1:] ^ tagged[:-1]) <= mask
    is_shared = np.zeros(tagged.size, np.bool_)
    is_shared[1:] = is_equal
    is_shared[:-1] |= is_equal
    owner = (tagged & mask).astype(np.int64)
    total = np.bincount(owner, minlength=len(keys))
    shared = np.bincount(owner[is_shared], minlength=len(keys))
    return shared / np.maximum(total, 1)


def _article_bounds(
    articles: NDArray[np.int64], offsets: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Return the window range of each article."""
    firsts = np.flatnonzero(np.diff(articles, prepend=articles[0] - 1))
    starts = offsets[firsts]
    return list(zip(starts.tolist(), [*starts[1:].tolist(), int(offsets[-1])], strict=True))


def compare(left: Shingles, right: Shingles) -> Overlap:
    """Return Jaccard and both containments of two sorted unique arrays."""
    shared = n_shared(left, right)
    if not shared:
        return Overlap(0.0, 0.0, 0.0)
    union = left.size + right.size - shared
    return Overlap(shared / union, shared / left.size, shared / right.size)


def shingles_of(keys: Sequence[str]) -> list[Shingles]:
    """Return the paragraph shingle set of each key."""
    hashes, offsets = shingle_sets(keys, PARAGRAPH)
    return np.split(hashes, offsets[1:-1])
