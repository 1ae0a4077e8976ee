"""Winnowing: few fingerprints of a text, chosen so that a long enough common run shares one.

Of every `window` consecutive hashes the smallest is chosen. Two texts with a common run of
`window + k - 1` characters (k the length of what was hashed) therefore choose one hash in common,
whatever stands around the run; about 2 / (window + 1) of all hashes are chosen.

Source: Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document fingerprinting"
(SIGMOD 2003), sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.text.shingles import Hashes, Offsets, unique_within

Positions = NDArray[np.int64]


def winnow(hashes: Hashes, window: int) -> Positions:
    """Return the positions chosen of one text's hashes uint64 [n], ascending, int64.

    Of equal smallest hashes in a window the rightmost is chosen. Fewer hashes than `window` make
    one window.

    >>> hashes = [77, 74, 42, 17, 98, 50, 17, 98, 8, 88, 67, 39, 77, 74, 42, 17, 98]
    >>> winnow(np.array(hashes, np.uint64), 4).tolist()
    [3, 6, 8, 11, 15]
    """
    if not hashes.size:
        return np.empty(0, np.int64)
    width = min(window, hashes.size)
    windows = np.lib.stride_tricks.sliding_window_view(hashes, width)
    last = np.arange(windows.shape[0], dtype=np.int64) + width - 1
    # No window chooses a place before that of the window before it.
    chosen = last - np.argmin(windows[:, ::-1], axis=1)
    is_other = np.ones(chosen.size, np.bool_)
    is_other[1:] = chosen[1:] != chosen[:-1]
    found: Positions = chosen[is_other]
    return found


def fingerprint_sets(hashes: Hashes, offsets: Offsets, window: int) -> tuple[Hashes, Offsets]:
    """Return the sorted unique hashes that `winnow` chooses of each text, with their offsets.

    Hashes uint64 [n], text i owns offsets[i]:offsets[i + 1], as `window_hashes` gives them.
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    minima = _sliding_minima(hashes, window)
    few = np.flatnonzero((lengths > 0) & (lengths < window))
    for start, length in zip(starts[few].tolist(), lengths[few].tolist(), strict=True):
        minima[start] = hashes[start : start + length].min()
    # The smallest of one window is mostly that of the next: only where it changes it is looked at.
    is_chosen = np.ones(hashes.size, np.bool_)
    is_chosen[1:] = minima[1:] != minima[:-1]
    is_chosen[starts[lengths > 0]] = True
    for start, end in _runs_over(offsets, window):
        is_chosen[start:end] = False
    total = np.append(0, np.cumsum(is_chosen))
    return unique_within(minima[is_chosen], total[offsets])


def _runs_over(offsets: Offsets, window: int) -> Iterator[tuple[int, int]]:
    """Yield the places of each text from which a window would run over its end, but for one."""
    for start, end in pairwise(offsets.tolist()):
        yield max(start + 1, end - window + 1), end


def _sliding_minima(hashes: Hashes, window: int) -> Hashes:
    """Return the smallest of each `window` hashes from every place on, by doubling.

    Windows that run over the end hold what is there.
    """
    minima, width = hashes.copy(), 1
    while width < window:
        step = min(width, window - width)
        np.minimum(minima[:-step], minima[step:], out=minima[:-step])
        width += step
    return minima
