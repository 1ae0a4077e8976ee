"""Many pairs judged at once: those that compare alike with every number of the rules, together.

`relations.judge` looks at a pair through comparisons with the numbers of `RelationRules` and at
nothing else. Pairs for which all of these come out alike are judged alike, so that one of each
class is judged. A rule that makes a new comparison needs it in `_comparisons` as well
(`tests/property/test_judging.py` finds one that is missing).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.number_pairs import NumberPairs
from pipeline.dedup.relations import Judgement, PairEvidence, RelationRules, judge
from pipeline.dedup.set_overlaps import Overlaps
from pipeline.text.number_slots import SlotEvidence

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Ratios = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What was measured on pairs: `PairEvidence` by column, [n] each."""

    is_same_key: Flags
    are_titles_fitting: Flags
    is_same_source: Flags
    shared_title_chars: Numbers
    versions: Numbers
    """[n, 2]."""
    is_title_told: Flags
    hours_apart: Ratios
    """NaN when a time is not known."""
    overlaps: Overlaps
    numbers: NumberPairs

    def pair(self, row: int) -> PairEvidence:
        """Return what was measured on one pair."""
        hours, slots = float(self.hours_apart[row]), self.numbers.slots
        left, right = self.versions[row].tolist()
        n_left, n_right, n_shared = (int(column[row]) for column in self.overlaps)
        return PairEvidence(
            is_same_key=bool(self.is_same_key[row]),
            are_titles_fitting=bool(self.are_titles_fitting[row]),
            is_same_source=bool(self.is_same_source[row]),
            shared_title_chars=int(self.shared_title_chars[row]),
            versions=(left, right),
            is_title_told=bool(self.is_title_told[row]),
            hours_apart=None if np.isnan(hours) else hours,
            n_left=n_left,
            n_right=n_right,
            n_shared=n_shared,
            numbers=self.numbers.evidence(row),
            slots=SlotEvidence(int(slots.n_equal[row]), int(slots.n_changed[row])),
        )


def judged(evidence: Evidence, rules: RelationRules) -> tuple[list[Judgement | None], Numbers]:
    """Return the judgements of the classes of pairs, and the class of each pair, int64 [n]."""
    words = np.zeros(evidence.is_same_key.size, np.uint64)
    for bit, flags in enumerate(_comparisons(evidence, rules)):
        words |= flags.astype(np.uint64) << np.uint64(bit)
    coded = pa.array(words).dictionary_encode()
    number = coded.indices.to_numpy().astype(np.int64)
    some = np.empty(len(coded.dictionary), np.int64)
    some[number] = np.arange(number.size)
    return [judge(evidence.pair(row), rules) for row in some.tolist()], number


def _comparisons(evidence: Evidence, rules: RelationRules) -> Iterator[Flags]:
    """Yield how pairs come out of every comparison that `judge` makes; no more than 64."""
    yield evidence.is_same_key
    yield evidence.are_titles_fitting
    yield evidence.is_same_source
    yield evidence.is_title_told
    yield evidence.shared_title_chars > 0
    yield evidence.shared_title_chars >= rules.flash_title_chars
    yield evidence.versions[:, 0] != evidence.versions[:, 1]
    yield evidence.versions.min(axis=1) < 0
    yield np.isnan(evidence.hours_apart)
    for hours in (rules.update_hours, rules.unmarked_hours, rules.late_hours):
        yield evidence.hours_apart > hours
    yield from _of_sizes(evidence.overlaps, rules)
    yield from _of_numbers(evidence.numbers, rules)


def _of_sizes(overlaps: Overlaps, rules: RelationRules) -> Iterator[Flags]:
    small = np.minimum(overlaps.n_left, overlaps.n_right)
    for size in (rules.stub_shingles, rules.short_shingles, rules.contained_shingles):
        yield small < size
    yield small <= rules.contained_size_ratio * np.maximum(overlaps.n_left, overlaps.n_right)
    jaccard, containment = overlaps.jaccard(), overlaps.n_shared / np.maximum(small, 1)
    for ratio in (
        *(rules.near_jaccard, rules.near_jaccard_short, rules.near_jaccard_late),
        *(rules.raised_jaccard, rules.update_jaccard, rules.marked_jaccard),
        rules.related_jaccard,
    ):
        yield jaccard >= ratio
    for ratio in (
        *(rules.update_containment, rules.marked_containment),
        *(rules.contained_containment, rules.related_containment),
    ):
        yield containment >= ratio


def _of_numbers(numbers: NumberPairs, rules: RelationRules) -> Iterator[Flags]:
    yield numbers.is_compatible
    yield numbers.is_dates_apart
    yield numbers.has_own
    yield numbers.conflict_ratio <= rules.max_overruled_conflict
    n_equal, n_changed = numbers.slots
    changed_ratio = n_changed / np.maximum(n_equal + n_changed, 1)
    yield n_changed > 0
    yield n_changed >= rules.min_changed_slots
    yield n_equal >= rules.min_agreeing_slots
    for ratio in (
        *(rules.max_changed_ratio, rules.max_changed_ratio_strict),
        rules.max_changed_ratio_marked,
    ):
        yield changed_ratio > ratio
