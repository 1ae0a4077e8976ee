"""Runs of paragraphs that an article prints again: contiguous, interleaved or gapped.

Works on the sequence of keys alone. A *copy* is a paragraph whose key stood earlier; copies that
follow each other, and whose earlier stands follow each other too, are one run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_MAX_FOREIGN = 1
"""Paragraphs that may stand between two copies of a run: an advertisement, or in an interleaved
repeat (p1 p1 p2 p2) the original of the next copy."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A paragraph whose key stood earlier in the article; positions count non-empty paragraphs."""

    at: int
    source: int
    first: int
    """The first stand of the key; `source` is the one that the run goes through."""


def find_runs(keys: Sequence[str]) -> list[list[Copy]]:
    """Return the runs of copies in order; a copy that no other follows is a run of one.

    The source of a copy is the earliest stand of its key after the source of the copy before it,
    so that a block printed three times, or a block that holds a paragraph which also stands
    elsewhere, still is one run.

    >>> [[(c.at, c.source) for c in run] for run in find_runs(list("abcdebcd"))]
    [[(5, 1), (6, 2), (7, 3)]]
    """
    stands: dict[str, list[int]] = {}
    runs: list[list[Copy]] = []
    for at, key in enumerate(keys):
        earlier = stands.setdefault(key, [])
        if earlier:
            copy = _extend(runs, at, earlier)
            if copy is None:
                runs.append(_begin(runs, keys, Copy(at, earlier[0], earlier[0])))
            else:
                runs[-1].append(copy)
        earlier.append(at)
    return [run for run in runs if run]


def _begin(runs: Sequence[list[Copy]], keys: Sequence[str], copy: Copy) -> list[Copy]:
    """Return a new run with this copy, and with those right before it that belong to it.

    Lines that repeat all over (speaker labels) were put to the run before; where the same line
    stands before the source too, it opens the new one.
    """
    backwards = [copy]
    while runs and runs[-1] and backwards[-1].source > 0:
        last, head = runs[-1][-1], backwards[-1]
        if last.at != head.at - 1 or keys[last.at] != keys[head.source - 1]:
            break
        backwards.append(Copy(last.at, head.source - 1, last.first))
        runs[-1].pop()
    return backwards[::-1]


def _extend(runs: Sequence[Sequence[Copy]], at: int, earlier: Sequence[int]) -> Copy | None:
    """Return the copy as the next of the last run, or None where it does not continue it."""
    if not runs or at - runs[-1][-1].at > 1 + _MAX_FOREIGN:
        return None
    following = bisect_right(earlier, runs[-1][-1].source)
    return Copy(at, earlier[following], earlier[0]) if following < len(earlier) else None


def is_contiguous(left: Copy, right: Copy) -> bool:
    """Return whether two copies stand side by side as their sources do, or interleaved."""
    side_by_side = right.at - left.at == 1 and right.source - left.source == 1
    interleaved = left.source == left.at - 1 and right.source == left.at + 1 == right.at - 1
    return side_by_side or interleaved


def _is_beside(left: Copy, right: Copy) -> bool:
    """Return whether two copies belong together, one paragraph left out or put in between."""
    steps = (right.at - left.at, right.source - left.source)
    return steps in ((1, 2), (2, 1)) or is_contiguous(left, right)


def are_beside(run: Sequence[Copy]) -> bool:
    """Return whether one solid member of a run carries all others (`carried`)."""
    return all(_is_beside(left, right) for left, right in pairwise(run))


def carried(run: Sequence[Copy], is_solid: Sequence[bool]) -> list[bool]:
    """Return which members of a run go with it: solid ones and what stands beside them.

    A short line (heading, label, caption credit) repeats for many reasons; beside a repeated
    paragraph, in both places, it is part of the repeat.
    """
    goes = list(is_solid)
    for order in (range(1, len(run)), range(len(run) - 2, -1, -1)):
        step = -order.step
        for i in order:
            left, right = sorted((i, i + step))
            goes[i] = goes[i] or (goes[i + step] and _is_beside(run[left], run[right]))
    return goes
