"""What became of each passage of a text in the next one: kept, moved, changed, added, removed.

Used for paragraphs, and for the sentences of paragraphs that changed. The time is that of sorting:
nothing is compared with everything.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text.shingles import PARAGRAPH, Hashes, n_shared, shingle_sets

CHANGED_JACCARD = 0.3
"""Passages below it are not two states of one: unrelated paragraphs of one day of Korean news
reach 0.014 (char-3), one with its figures exchanged keeps about half of its shingles."""

HELD_CONTAINMENT = 0.6
"""Of the smaller in the larger: a passage that grew or was cut is the same one."""

MIN_HELD_SHINGLES = 12
"""A shorter one stands inside many others by chance."""

_MAX_HOLDERS = 8
"""Shingles that more passages of a side hold (a table's rows) name no candidates."""
_MAX_CANDIDATES = 4
"""Pairs compared exactly for a passage, those that share most first."""

Pair = tuple[int, int]


@dataclass(frozen=True)
class PassageDiff:
    """Positions in the previous and in the present sequence; every position stands once."""

    kept: list[Pair]
    """Equal keys in their order."""
    moved: list[Pair]
    """Equal keys out of their order."""
    changed: list[Pair]
    """Two states of one passage."""
    added: list[int]
    removed: list[int]


def compare_passages(previous: Sequence[str], present: Sequence[str]) -> PassageDiff:
    """Return what became of passages, by their keys; none of the keys is empty.

    Equal keys are paired first, the first with the first; those on the longest ascending run
    stayed, the others moved (Hunt and Szymanski, 1977, on keys numbered by occurrence). Of the
    rest, pairs with the highest Jaccard are two states of one passage.

    >>> compare_passages(["a", "b", "c"], ["c", "a", "b"])
    PassageDiff(kept=[(0, 1), (1, 2)], moved=[(2, 0)], changed=[], added=[], removed=[])
    """
    places = {numbered: i for i, numbered in enumerate(_numbered(previous))}
    equal = [(places[n], j) for j, n in enumerate(_numbered(present)) if n in places]
    on_run = _ascending_run([i for i, _ in equal])
    kept = [pair for pair, is_kept in zip(equal, on_run, strict=True) if is_kept]
    moved = [pair for pair, is_kept in zip(equal, on_run, strict=True) if not is_kept]
    before, after = {i for i, _ in equal}, {j for _, j in equal}
    left = [i for i in range(len(previous)) if i not in before]
    right = [j for j in range(len(present)) if j not in after]
    changed = _changed(previous, present, left, right, kept)
    before, after = {i for i, _ in changed}, {j for _, j in changed}
    return PassageDiff(
        kept=kept,
        moved=moved,
        changed=changed,
        added=[j for j in right if j not in after],
        removed=[i for i in left if i not in before],
    )


def _numbered(keys: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield each key with how often it came before."""
    seen: dict[str, int] = {}
    for key in keys:
        number = seen.get(key, 0)
        seen[key] = number + 1
        yield key, number


def _ascending_run(values: Sequence[int]) -> list[bool]:
    """Return which of the distinct values are on one longest ascending subsequence."""
    tails: list[int] = []
    tail_places: list[int] = []
    before = [-1] * len(values)
    for place, value in enumerate(values):
        length = bisect_left(tails, value)
        before[place] = tail_places[length - 1] if length else -1
        tails[length : length + 1] = [value]
        tail_places[length : length + 1] = [place]
    is_on = [False] * len(values)
    place = tail_places[-1] if tail_places else -1
    while place >= 0:
        is_on[place] = True
        place = before[place]
    return is_on


def _changed(
    previous: Sequence[str],
    present: Sequence[str],
    left: Sequence[int],
    right: Sequence[int],
    kept: Sequence[Pair],
) -> list[Pair]:
    """Return pairs of `left` and `right` that are two states of one passage, the likest first."""
    if not left or not right:
        return []
    keys = [*(previous[i] for i in left), *(present[j] for j in right)]
    hashes, offsets = shingle_sets(keys, PARAGRAPH)
    sets = np.split(hashes, offsets[1:-1])
    candidates = {*_sharing(sets[: len(left)], sets[len(left) :]), *_facing(left, right, kept)}
    scored = []
    for i, j in candidates:
        score = _likeness(sets[i], sets[len(left) + j])
        if score:
            scored.append((-score, abs(i - j), j, i))
    taken: set[int] = set()
    pairs: list[Pair] = []
    for _, _, j, i in sorted(scored):
        if i not in taken and len(left) + j not in taken:
            taken |= {i, len(left) + j}
            pairs.append((left[i], right[j]))
    return sorted(pairs, key=lambda pair: pair[1])


def _likeness(one: Hashes, other: Hashes) -> float:
    """Return the Jaccard of two passages that are states of one, 0 where they are not.

    One that holds the other counts as the least of them.
    """
    shared = n_shared(one, other)
    if not shared:
        return 0.0
    jaccard = shared / (one.size + other.size - shared)
    if jaccard >= CHANGED_JACCARD:
        return jaccard
    smaller = min(one.size, other.size)
    is_held = smaller >= MIN_HELD_SHINGLES and shared >= HELD_CONTAINMENT * smaller
    return min(jaccard, CHANGED_JACCARD) if is_held else 0.0


def _sharing(left: Sequence[Hashes], right: Sequence[Hashes]) -> set[Pair]:
    """Return for each set of `right` the few of `left` that share most shingles with it."""
    hashes, owners = _owned(left)
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    wanted, askers = _owned(right)
    first = np.searchsorted(hashes, wanted, "left")
    counts = np.searchsorted(hashes, wanted, "right") - first
    is_telling = (counts > 0) & (counts <= _MAX_HOLDERS)
    first, counts, askers = first[is_telling], counts[is_telling], askers[is_telling]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    found = owners[np.repeat(first, counts) + within]
    codes, n_common = np.unique(np.repeat(askers, counts) * len(left) + found, return_counts=True)
    pairs: set[Pair] = set()
    taken = [0] * len(right)
    for code in codes[np.lexsort((codes, -n_common))].tolist():
        j, i = divmod(code, len(left))
        if taken[j] < _MAX_CANDIDATES:
            taken[j] += 1
            pairs.add((i, j))
    return pairs


def _owned(sets: Sequence[Hashes]) -> tuple[Hashes, NDArray[np.int64]]:
    sizes = [s.size for s in sets]
    return np.concatenate(sets), np.repeat(np.arange(len(sets)), sizes)


def _facing(left: Sequence[int], right: Sequence[int], kept: Sequence[Pair]) -> Iterator[Pair]:
    """Yield the passages that stand at the same place between two that were kept."""
    left_gaps = np.searchsorted(sorted(i for i, _ in kept), left)
    right_gaps = np.searchsorted(sorted(j for _, j in kept), right)
    first = np.searchsorted(left_gaps, right_gaps, "left")
    own_first = np.searchsorted(right_gaps, right_gaps, "left")
    facing = first + np.arange(len(right)) - own_first
    for j, i in enumerate(facing.tolist()):
        if i < len(left) and left_gaps[i] == right_gaps[j]:
            yield i, j
