"""How the numbers of many pairs of articles compare: what `numbers` and `number_slots` say of one.

Numbers are coded once, so that what two articles share is counted over all pairs at once. The few
pairs in which a number stands with a unit here and without one there are left to `compare_numbers`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.code_sets import CodeSets, Counts, Ends
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


class NumberPairs:
    """The numbers of articles (KEYS rows) and how those of pairs (rows, int64 [n, 2]) compare."""

    def __init__(self, articles: pa.Table, pairs: Ends) -> None:
        """Code the numbers; a quantity is neither a date nor a clock time."""
        self._articles, self._pairs = articles, pairs
        lists = articles["numbers"].combine_chunks()
        encoded = lists.flatten().dictionary_encode()
        self._texts: pa.StringArray = encoded.dictionary
        self._codes = encoded.indices.to_numpy().astype(np.int64)
        self._owners = lists.value_parent_indices().to_numpy()
        self._is_date = np.asarray(pc.starts_with(self._texts, "d:"))[self._codes]
        is_time = np.asarray(pc.starts_with(self._texts, "t:"))[self._codes]
        self._is_quantity = ~(self._is_date | is_time)
        self._quantities = self._sets_of(self._owners, self._codes, len(articles))
        shared = self._quantities.n_shared(pairs)
        self._only = self._quantities.sizes[pairs] - shared[:, np.newaxis]
        self._differ = np.flatnonzero(self._only.any(axis=1))
        self.n_shared: Counts = shared
        """Distinct quantities that both hold."""
        for row, evidence in self._by_unit.items():
            self.n_shared[row] = evidence.n_shared
            self._only[row] = len(evidence.only_left), len(evidence.only_right)

    def _sets_of(self, owners: Counts, codes: Counts, n_sets: int) -> CodeSets:
        return CodeSets.of(owners[self._is_quantity], codes[self._is_quantity], n_sets)

    @property
    def has_own(self) -> Flags:
        """Whether one holds a quantity that the other does not."""
        return np.asarray(self._only.any(axis=1))

    @cached_property
    def conflict_ratio(self) -> Ratios:
        """min(left only, right only) / (that + shared); 0 when one side is inside the other."""
        n_conflicts = self._only.min(axis=1)
        ratios: Ratios = n_conflicts / np.maximum(n_conflicts + self.n_shared, 1)
        return ratios

    @cached_property
    def is_compatible(self) -> Flags:
        """Whether one's numbers are nearly inside the other's, and no dates stand apart."""
        return (self.conflict_ratio <= MAX_CONFLICT_RATIO) & ~self.is_dates_apart

    @cached_property
    def is_dates_apart(self) -> Flags:
        """Whether both name days, and none lies within one day of the other's."""
        dates: list[set[str]] = [set() for _ in range(len(self._articles))]
        owners, codes = self._owners[self._is_date], self._codes[self._is_date]
        texts = self._texts.take(pa.array(codes)).to_pylist()
        for owner, text in zip(owners.tolist(), texts, strict=True):
            dates[owner].add(text)
        known: dict[frozenset[str], int] = {frozenset(): 0}
        numbers = [known.setdefault(frozenset(own), len(known)) for own in dates]
        one, other = np.array(numbers, np.int64)[self._pairs].T
        asked = np.flatnonzero((one != other) & (one > 0) & (other > 0))
        by_number = list(known)

        def are_apart(left: int, right: int) -> bool:
            return are_dates_apart(by_number[left], by_number[right])

        found = np.zeros(len(self._pairs), np.bool_)
        found[asked] = _once(one[asked], other[asked], are_apart)
        return found

    @cached_property
    def _by_unit(self) -> dict[int, NumberEvidence]:
        """The pairs in which a number of one may be a number of the other but for its unit."""
        asked = np.flatnonzero((self._only > 0).all(axis=1))
        if not asked.size:
            return {}
        values = pc.replace_substring_regex(self._texts, r"(?s)^(-?[0-9.]+).*$", r"\1")
        is_bare = np.asarray(pc.equal(values, self._texts))[self._codes]
        coded = values.dictionary_encode().indices.to_numpy().astype(np.int64)[self._codes]
        # The values of an article without a unit, and beside them those with one.
        sets = self._sets_of(2 * self._owners + is_bare, coded, 2 * len(self._articles))
        values_of = 2 * self._pairs[asked]
        meets = sum(sets.n_shared(values_of + np.array(side)) for side in ((1, 0), (0, 1)))
        found = {}
        for row in asked[meets > 0].tolist():
            left, right = map(self._quantities_of, self._pairs[row].tolist())
            found[row] = compare_numbers(
                NumberSets(frozenset(), left), NumberSets(frozenset(), right)
            )
        return found

    @cached_property
    def _all_texts(self) -> list[str]:
        texts: list[str] = self._texts.to_pylist()
        return texts

    def _quantities_of(self, article: int) -> frozenset[str]:
        return frozenset(self._all_texts[code] for code in self._quantities.own(article))

    @cached_property
    def slots(self) -> SlotCounts:
        """How the numbers at the same places compare.

        Where both have the same quantities, the places are not looked up: all of them are equal.
        """
        n_equal = self._quantities.sizes[self._pairs[:, 0]]
        n_changed = np.zeros(len(self._pairs), np.int64)
        asked = self._differ
        if asked.size:
            used, pairs = np.unique(self._pairs[asked], return_inverse=True)
            keys = self._articles["key"].take(pa.array(used))
            n_equal[asked], n_changed[asked] = count_slots(keys, pairs.reshape(-1, 2))
        return SlotCounts(n_equal, n_changed)

    def evidence(self, row: int) -> NumberEvidence:
        """Return how the numbers of one pair compare."""
        only_left, only_right = self.own_numbers(row)
        return NumberEvidence(
            is_compatible=bool(self.is_compatible[row]),
            n_shared=int(self.n_shared[row]),
            only_left=only_left,
            only_right=only_right,
            conflict_ratio=float(self.conflict_ratio[row]),
            is_dates_apart=bool(self.is_dates_apart[row]),
        )

    def own_numbers(self, row: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the quantities that only the left and only the right article of a pair has."""
        if known := self._by_unit.get(row):
            return known.only_left, known.only_right
        left, right = map(self._quantities.own, self._pairs[row].tolist())
        return self._texts_without(left, right), self._texts_without(right, left)

    def _texts_without(self, own: list[int], other: list[int]) -> tuple[str, ...]:
        """Return the texts of the codes that another set does not hold, sorted."""
        others = set(other)
        return tuple(sorted([self._all_texts[code] for code in own if code not in others]))


def _once(left: Counts, right: Counts, ask: Callable[[int, int], bool]) -> Flags:
    """Return what `ask` says of each pair of numbers, asked once of equal pairs."""
    n = int(right.max(initial=0)) + 1
    pairs, place = np.unique(left * n + right, return_inverse=True)
    answers = [ask(pair // n, pair % n) for pair in pairs.tolist()]
    return np.array(answers, np.bool_)[place]
