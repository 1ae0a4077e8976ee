"""How the numbers at the same places of many pairs of keys compare: `compare_slots` of them all."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.dedup.code_sets import CodeSets, Counts, Ends
from pipeline.text.engine import use_compiled
from pipeline.text.number_slots import compare_slots, month_words, number_slots, slot_kinds
from pipeline.text.utf8 import Utf8


class SlotCounts(NamedTuple):
    """How many numbers stand equal and how many changed at the places that two have, [n]."""

    n_equal: Counts
    n_changed: Counts


def count_slots(keys: pa.Array | pa.ChunkedArray, pairs: Ends) -> SlotCounts:
    """Return how the numbers in the slots of pairs of keys compare.

    Args:
        keys: string or large string, no NULL; each in some pair, for all of them are read.
        pairs: int64 [n, 2], row numbers of `keys`.
    """
    if use_compiled(len(keys)):
        return _compiled_counts(keys, pairs)
    equal, places = plain_slot_sets(keys.to_pylist())
    n_equal = equal.n_shared(pairs)
    return SlotCounts(n_equal, places.n_shared(pairs) - n_equal)


def plain_slot_sets(keys: list[str]) -> tuple[CodeSets, CodeSets]:
    """Return for each key the numbers in its slots, and the slots.

    A number that stands twice in equal surroundings is another one the second time, and so are the
    surroundings: what two keys share of either is what `compare_slots` counts.
    """
    codes: dict[tuple[str, str | None, int], int] = {}
    numbers: tuple[list[int], list[int]] = ([], [])
    places: tuple[list[int], list[int]] = ([], [])
    for owner, key in enumerate(keys):
        for around, values in number_slots(key).items():
            seen: Counter[str] = Counter()
            for turn, value in enumerate(values):
                number = (around, value, seen[value])
                seen[value] += 1
                for (owners, coded), entry in (
                    (numbers, number),
                    (places, (around, None, turn)),
                ):
                    owners.append(owner)
                    coded.append(codes.setdefault(entry, len(codes)))
    return _code_sets(numbers, len(keys)), _code_sets(places, len(keys))


def _code_sets(entries: tuple[list[int], list[int]], n_sets: int) -> CodeSets:
    owners, codes = (np.array(column, np.int64) for column in entries)
    return CodeSets.of(owners, codes, n_sets)


def _compiled_counts(keys: pa.Array | pa.ChunkedArray, pairs: Ends) -> SlotCounts:
    """Return what `count_slots` does, slots told apart by 64-bit hashes, as shingles are."""
    from pipeline.text.kernels import kernel  # lazily: small batches do without

    find_slots = kernel("pipeline.text.number_slots_compiled", "find_slots")
    count_shared = kernel("pipeline.dedup.set_overlaps_compiled", "count_shared")
    utf8 = Utf8.of(keys)
    # Two bytes a number at least, but for the last of a key; what is not written takes no memory.
    room = int(utf8.offsets[-1] - utf8.offsets[0]) // 2 + len(keys)
    numbers, places = np.empty(room, np.uint64), np.empty(room, np.uint64)
    bounds, is_odd = np.empty(len(keys) + 1, np.int64), np.zeros(len(keys), np.bool_)
    find_slots(*utf8, slot_kinds(), month_words(), numbers, places, bounds, is_odd)
    pairs = np.ascontiguousarray(pairs)
    n_equal, n_places = np.empty(len(pairs), np.int64), np.empty(len(pairs), np.int64)
    count_shared(numbers, bounds, pairs, n_equal)
    count_shared(places, bounds, pairs, n_places)
    n_changed = n_places - n_equal
    for row in np.flatnonzero(is_odd[pairs].any(axis=1)).tolist():
        left, right = (number_slots(keys[end].as_py()) for end in pairs[row].tolist())
        n_equal[row], n_changed[row] = compare_slots(left, right)
    return SlotCounts(n_equal, n_changed)
