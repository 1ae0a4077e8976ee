"""Sets of small whole numbers, one after the other, and how many of them pairs of sets share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.dedup.mapped import Words, distinct
from pipeline.text.engine import use_compiled
from pipeline.text.kernels import kernel

Counts = NDArray[np.int64]
Ends = NDArray[np.int64]

# Pairs whose sets are expanded at a time: of twenty codes each, 8 MB an array.
_PAIRS_AT_A_TIME = 50_000


class CodeSets(NamedTuple):
    """Sets of codes: set i is codes[bounds[i]:bounds[i + 1]], ascending."""

    codes: Words
    bounds: Counts

    @classmethod
    def of(cls, owners: Counts, codes: Counts, n_sets: int) -> CodeSets:
        """Put each code (int64 [n], 0 and more) into the set of its owner (int64 [n]), once."""
        n_codes = int(codes.max(initial=0)) + 1
        held = distinct((owners * n_codes + codes).astype(np.uint64))
        bounds = np.searchsorted(held, np.arange(n_sets + 1, dtype=np.uint64) * np.uint64(n_codes))
        return cls(held % np.uint64(n_codes), bounds.astype(np.int64))

    @property
    def sizes(self) -> Counts:
        """How many codes each set holds, int64 [n_sets]."""
        return np.diff(self.bounds)

    def own(self, number: int) -> list[int]:
        """Return the codes of a set."""
        start, end = self.bounds[number : number + 2].tolist()
        codes: list[int] = self.codes[start:end].tolist()
        return codes

    def n_shared(self, pairs: Ends) -> Counts:
        """Return how many codes the two sets of each pair (int64 [n, 2]) share."""
        if len(pairs) and use_compiled(self.bounds.size - 1):
            count_shared = kernel("pipeline.dedup.set_overlaps_compiled", "count_shared")
            shared = np.empty(len(pairs), np.int64)
            count_shared(self.codes, self.bounds, np.ascontiguousarray(pairs), shared)
            return shared
        starts = range(0, len(pairs), _PAIRS_AT_A_TIME)
        parts = [self._n_shared(pairs[start : start + _PAIRS_AT_A_TIME]) for start in starts]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def _n_shared(self, pairs: Ends) -> Counts:
        row, is_shared, _ = self._looked_up(pairs)
        return np.bincount(row[is_shared], minlength=len(pairs))

    def without(self, own: Counts, other: Counts) -> tuple[Counts, Counts]:
        """Return what sets hold that others do not: number of the pair of sets, and the code.

        Args:
            own: int64 [n], numbers of sets.
            other: int64 [n], numbers of the sets that are taken away.
        """
        row, is_shared, codes = self._looked_up(np.stack((own, other), axis=1))
        return row[~is_shared], codes[~is_shared].astype(np.int64)

    def _looked_up(self, pairs: Ends) -> tuple[Counts, NDArray[np.bool_], Words]:
        """Return each code of each left set: its pair, whether the right set holds it, itself."""
        if not self.codes.size:
            return np.empty(0, np.int64), np.empty(0, np.bool_), self.codes
        n_codes = self.codes.max() + np.uint64(1)
        owners = np.repeat(np.arange(self.sizes.size, dtype=np.uint64), self.sizes)
        held = owners * n_codes + self.codes
        lengths = self.sizes[pairs[:, 0]]
        row = np.repeat(np.arange(len(pairs)), lengths)
        within = np.arange(row.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        codes = self.codes[self.bounds[pairs[row, 0]] + within]
        sought = pairs[row, 1].astype(np.uint64) * n_codes + codes
        nearest = np.minimum(np.searchsorted(held, sought), held.size - 1)
        return row, held[nearest] == sought, codes
