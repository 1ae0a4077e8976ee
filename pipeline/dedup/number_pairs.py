"""How the numbers of many pairs of articles compare: what `numbers` and `number_slots` say of one.

Numbers are coded once, so that what two articles share is counted over all pairs at once; articles
with equal numbers (the copies of a story, the issues of a template) count as one. The few pairs in
which a number stands with a unit here and without one there are left to `compare_numbers`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.code_sets import Counts, Ends
from pipeline.dedup.number_kinds import KindPairs, NumberKinds
from pipeline.dedup.slot_pairs import SlotCounts, count_slots
from pipeline.text.dates import are_dates_apart
from pipeline.text.numbers import (
    MAX_CONFLICT_RATIO,
    NumberEvidence,
    NumberSets,
    compare_numbers,
)

Flags = NDArray[np.bool_]
Ratios = NDArray[np.float64]


class OwnNumbers(NamedTuple):
    """What one side of pairs has alone: of pair i it is codes[bounds[i]:bounds[i + 1]]."""

    codes: Counts
    """Places in the sorted distinct numbers, ascending within a pair."""
    bounds: Counts


class NumberPairs:
    """The numbers of articles (KEYS rows) and how those of pairs (rows, int64 [n, 2]) compare.

    What is named `…_of_kinds`, and what begins with an underscore, is by pair of kinds.
    """

    def __init__(self, articles: pa.Table, pairs: Ends) -> None:
        """Code the numbers and compare them; a quantity is neither a date nor a clock time."""
        self._articles, self._pairs = articles, pairs
        self.kinds = NumberKinds(articles["numbers"])
        self._ends, self.place = KindPairs.of(self.kinds.of_articles[pairs], self.kinds.n_kinds)
        self._quantities = self.kinds.quantities
        self.n_shared_of_kinds = self._quantities.n_shared(self._ends)
        self._only = self._quantities.sizes[self._ends] - self.n_shared_of_kinds[:, np.newaxis]
        self._differ: Flags = np.asarray(self._only.any(axis=1))
        for row, evidence in self._by_unit.items():
            self.n_shared_of_kinds[row] = evidence.n_shared
            self._only[row] = len(evidence.only_left), len(evidence.only_right)
        self._has_own: Flags = np.asarray(self._only.any(axis=1))
        n_conflicts = self._only.min(axis=1)
        self._ratio = n_conflicts / np.maximum(n_conflicts + self.n_shared_of_kinds, 1)
        self._is_compatible: Flags = (self._ratio <= MAX_CONFLICT_RATIO) & ~self._is_apart

    @property
    def n_shared(self) -> Counts:
        """Distinct quantities that both hold."""
        return self.n_shared_of_kinds[self.place]

    @property
    def has_own(self) -> Flags:
        """Whether one holds a quantity that the other does not."""
        return np.asarray(self._has_own[self.place])

    @property
    def conflict_ratio(self) -> Ratios:
        """min(left only, right only) / (that + shared); 0 when one side is inside the other."""
        ratios: Ratios = self._ratio[self.place]
        return ratios

    @property
    def is_compatible(self) -> Flags:
        """Whether one's numbers are nearly inside the other's, and no dates stand apart."""
        return self._is_compatible[self.place]

    @property
    def is_dates_apart(self) -> Flags:
        """Whether both name days, and none lies within one day of the other's."""
        return self._is_apart[self.place]

    @cached_property
    def _is_apart(self) -> Flags:
        days = self.kinds.days
        # Where both name one day, or one names none, the dates do not stand apart.
        asked: Flags = np.asarray((days.sizes[self._ends] > 0).all(axis=1))
        asked[asked] = days.n_shared(self._ends[asked]) == 0
        known: dict[tuple[tuple[int, ...], tuple[int, ...]], bool] = {}
        for row in np.flatnonzero(asked).tolist():
            left, right = (tuple(days.own(kind)) for kind in self._ends[row].tolist())
            if (left, right) not in known:
                known[left, right] = are_dates_apart(self._named(left), self._named(right))
            asked[row] = known[left, right]
        return asked

    def _named(self, codes: Iterable[int]) -> list[str]:
        return [self.kinds.all_texts[code] for code in codes]

    @cached_property
    def _by_unit(self) -> dict[int, NumberEvidence]:
        """The pairs in which a number of one may be a number of the other but for its unit."""
        asked = np.flatnonzero((self._only > 0).all(axis=1))
        if not asked.size:
            return {}
        sets = self.kinds.values_by_unit(self._ends[asked].ravel())
        values_of = 2 * self._ends[asked]
        meets = sum(sets.n_shared(values_of + np.array(side)) for side in ((1, 0), (0, 1)))
        found = {}
        for row in asked[meets > 0].tolist():
            left, right = (
                frozenset(self._named(self._quantities.own(kind)))
                for kind in self._ends[row].tolist()
            )
            found[row] = compare_numbers(
                NumberSets(frozenset(), left), NumberSets(frozenset(), right)
            )
        return found

    @cached_property
    def slots(self) -> SlotCounts:
        """How the numbers at the same places compare.

        Where both have the same quantities, the places are not looked up: all of them are equal.
        """
        n_equal = self._quantities.sizes[self._ends[:, 0]][self.place]
        n_changed = np.zeros(len(self._pairs), np.int64)
        asked = np.flatnonzero(self._differ[self.place])
        if asked.size:
            is_used = np.zeros(len(self._articles), np.bool_)
            is_used[self._pairs[asked]] = True
            keys = self._articles["key"].filter(pa.array(is_used))
            pairs = (np.cumsum(is_used) - 1)[self._pairs[asked]]
            n_equal[asked], n_changed[asked] = count_slots(keys, pairs)
        return SlotCounts(n_equal, n_changed)

    def evidence(self, row: int) -> NumberEvidence:
        """Return how the numbers of one pair compare."""
        place = int(self.place[row])
        left, right = (
            tuple(self._named(side.codes[slice(*side.bounds[place : place + 2])].tolist()))
            for side in self.own_of_kinds
        )
        return NumberEvidence(
            is_compatible=bool(self._is_compatible[place]),
            n_shared=int(self.n_shared_of_kinds[place]),
            only_left=left,
            only_right=right,
            conflict_ratio=float(self._ratio[place]),
            is_dates_apart=bool(self._is_apart[place]),
        )

    @cached_property
    def own_of_kinds(self) -> tuple[OwnNumbers, OwnNumbers]:
        """The quantities that only the left and only the right one of pairs of kinds has."""
        left, right = self._ends.T
        by_unit = self._by_unit.items()
        only_left = {row: evidence.only_left for row, evidence in by_unit}
        only_right = {row: evidence.only_right for row, evidence in by_unit}
        return self._without(left, right, only_left), self._without(right, left, only_right)

    def _without(
        self, own: Counts, other: Counts, by_unit: Mapping[int, Sequence[str]]
    ) -> OwnNumbers:
        """Return the quantities of kinds that others do not hold; of some pairs they are known."""
        rows, codes = self._quantities.without(own, other)
        if by_unit:
            is_plain = ~np.isin(rows, list(by_unit))
            known = [(row, self._place_of(text)) for row in by_unit for text in by_unit[row]]
            later = np.array(known, np.int64).reshape(-1, 2)
            rows = np.concatenate((rows[is_plain], later[:, 0]))
            order = np.argsort(rows, kind="stable")
            codes = np.concatenate((codes[is_plain], later[:, 1]))[order]
        n_own = np.bincount(rows, minlength=own.size)
        return OwnNumbers(codes, np.append(0, np.cumsum(n_own)))

    def _place_of(self, number: str) -> int:
        return bisect_left(self.kinds.all_texts, number)
