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

_BLOCK_CHARS = 200_000
"""Pairs whose fingerprints are made together: some forty bytes a character."""

_STRETCH = 64
"""Characters compared at a time where a run is made longer."""


Prints = tuple[NDArray[np.uint64], NDArray[np.int64]]
"""The fingerprints of a key and where each stands."""


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
    return next(common_runs_of([(left, right)]))


def common_runs_of(pairs: Sequence[tuple[str, str]]) -> Iterator[list[Run]]:
    """Yield the `common_runs` of each pair of keys; those of a block are hashed together."""
    block: list[tuple[str, str]] = []
    n_chars = 0
    for pair in pairs:
        block.append(pair)
        n_chars += len(pair[0]) + len(pair[1])
        if n_chars >= _BLOCK_CHARS:
            yield from _runs_of_block(block)
            block, n_chars = [], 0
    yield from _runs_of_block(block)


def _runs_of_block(pairs: Sequence[tuple[str, str]]) -> Iterator[list[Run]]:
    prints = _fingerprints([key for pair in pairs for key in pair]) if pairs else []
    for (left, right), one, other in zip(pairs, prints[::2], prints[1::2], strict=True):
        yield _disjoint(left, right, _seeds(one, other))


def _disjoint(left: str, right: str, seeds: Iterator[tuple[int, int]]) -> list[Run]:
    """Return the runs around equal fingerprints, each place used once: the longest run first."""
    maximal = _maximal_runs(left, right, seeds)
    free_left, free_right = np.ones(len(left), np.bool_), np.ones(len(right), np.bool_)
    taken: list[Run] = []
    for run in sorted(maximal, key=lambda r: (-r.length, r.left, r.right)):
        one = free_left[run.left : run.left + run.length]
        other = free_right[run.right : run.right + run.length]
        for start, end in _stretches(one & other):
            if end - start >= _K:
                one[start:end] = other[start:end] = False
                taken.append(Run(run.left + start, run.right + start, end - start))
    return sorted(taken)


def _maximal_runs(left: str, right: str, seeds: Iterator[tuple[int, int]]) -> Iterator[Run]:
    """Yield the runs around equal fingerprints that cannot be made longer."""
    reached: dict[int, int] = {}
    for one, other in seeds:
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


def _seeds(left: Prints, right: Prints) -> Iterator[tuple[int, int]]:
    """Yield the places of each fingerprint that both keys have, by left place."""
    (left_hashes, left_places), (right_hashes, right_places) = left, right
    order = np.argsort(right_hashes, kind="stable")
    right_hashes, right_places = right_hashes[order], right_places[order]
    first = np.searchsorted(right_hashes, left_hashes, side="left")
    last = np.searchsorted(right_hashes, left_hashes, side="right")
    last = np.minimum(last, first + _MAX_PLACES)
    for met in np.flatnonzero(last > first).tolist():
        for other in right_places[first[met] : last[met]].tolist():
            yield int(left_places[met]), other


def _fingerprints(keys: Sequence[str]) -> list[Prints]:
    """Return the fingerprints of each key and where each stands."""
    hashes, offsets = window_hashes(keys, _PROFILE)
    found: list[Prints] = []
    for start, end in pairwise(offsets.tolist()):
        own = hashes[start:end]
        places = winnow(own, WINDOW)
        found.append((own[places], places))
    return found


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and end of each stretch of set flags."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
