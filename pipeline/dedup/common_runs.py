"""Runs of characters that two keys have in common, found by fingerprints, each used once.

Source: Wise, "YAP3: improved detection of similarities in computer program and other texts"
(SIGCSE 1996), greedy string tiling: the longest common run first, what it covers is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.shingles import ShingleProfile, window_hashes
from pipeline.text.winnowing import winnow

_K = 8
WINDOW = 13
GUARANTEED_CHARS = WINDOW + _K - 1
"""Every common run of so many characters is found, shorter ones by chance."""

_PROFILE = ShingleProfile("run", hangul=_K, han_kana=_K, alphabetic=_K, unspaced=_K)

# A fingerprint that stands more often on the right is a refrain; its first places stand for it.
_MAX_PLACES = 16

_STRETCH = 64
"""Characters compared at a time where a run is made longer."""


class Run(NamedTuple):
    """left[left_start:left_start + length] == right[right_start:right_start + length]."""

    left: int
    right: int
    length: int


def common_runs(left: str, right: str) -> list[Run]:
    """Return common runs of 8 characters and more, disjoint on both sides, by left place.

    >>> common_runs("the old bridge over the river x", "y the old bridge over the river")
    [Run(left=0, right=2, length=29)]
    """
    free_left, free_right = np.ones(len(left), np.bool_), np.ones(len(right), np.bool_)
    taken: list[Run] = []
    for run in sorted(_maximal_runs(left, right), key=lambda r: (-r.length, r.left, r.right)):
        one = free_left[run.left : run.left + run.length]
        other = free_right[run.right : run.right + run.length]
        for start, end in _stretches(one & other):
            if end - start >= _K:
                one[start:end] = other[start:end] = False
                taken.append(Run(run.left + start, run.right + start, end - start))
    return sorted(taken)


def _maximal_runs(left: str, right: str) -> Iterator[Run]:
    """Yield the runs around equal fingerprints that cannot be made longer."""
    reached: dict[int, int] = {}
    for one, other in _seeds(left, right):
        diagonal = other - one
        if reached.get(diagonal, -1) >= one:
            continue
        back = _n_equal_before(left, one, right, other)
        start = one - back
        end = one + _n_equal(left, one, right, other)
        reached[diagonal] = end
        if end - start >= _K:
            yield Run(start, start + diagonal, end - start)


def _n_equal(left: str, one: int, right: str, other: int) -> int:
    """Return how many characters are equal from two places on: compared by stretches."""
    most = min(len(left) - one, len(right) - other)
    equal, step = 0, _STRETCH
    while step and equal < most:
        step = min(step, most - equal)
        at, beside = one + equal, other + equal
        if left[at : at + step] == right[beside : beside + step]:
            equal += step
        else:
            step //= 2
    return equal


def _n_equal_before(left: str, one: int, right: str, other: int) -> int:
    """Return how many characters are equal right before two places."""
    most = min(one, other)
    equal, step = 0, _STRETCH
    while step and equal < most:
        step = min(step, most - equal)
        at, beside = one - equal, other - equal
        if left[at - step : at] == right[beside - step : beside]:
            equal += step
        else:
            step //= 2
    return equal


def _seeds(left: str, right: str) -> Iterator[tuple[int, int]]:
    """Yield the places of each fingerprint that both keys have, by left place."""
    (left_hashes, left_places), (right_hashes, right_places) = _fingerprints((left, right))
    order = np.argsort(right_hashes, kind="stable")
    right_hashes, right_places = right_hashes[order], right_places[order]
    first = np.searchsorted(right_hashes, left_hashes, side="left")
    last = np.searchsorted(right_hashes, left_hashes, side="right")
    last = np.minimum(last, first + _MAX_PLACES)
    for met in np.flatnonzero(last > first).tolist():
        for other in right_places[first[met] : last[met]].tolist():
            yield int(left_places[met]), other


def _fingerprints(keys: Sequence[str]) -> list[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """Return the fingerprints of each key and where each stands."""
    hashes, offsets = window_hashes(keys, _PROFILE)
    found = []
    for start, end in pairwise(offsets.tolist()):
        own = hashes[start:end]
        places = winnow(own, WINDOW)
        found.append((own[places], places))
    return found


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and end of each stretch of set flags."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
