"""Reads of memory-mapped KEYS segments: views without a copy, and searches that touch each once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled

if TYPE_CHECKING:
    from pipeline.dedup.scan import Scan

Words = NDArray[np.uint64]

# Words read at a time: a slice, its shifted copy and the flags stay in the L2 cache.
_SLICE_WORDS = 65_536

# One stranger in thirty passes the flags; with 8 slots a value one in eight does, and more costs
# cache misses (measured: 2.8, 4.5 ns a word against 16,000 values).
_SLOTS_PER_VALUE = 32
_MAX_SLOT_BITS = 25

# With so many values the flags leave the cache, and the compiled search, of one bit a slot, is
# three times as fast: it repays its loading. Once kernels are loaded it takes 1.7 ns a word against
# 2.8 with few values too, and is ready sooner: its tables are smaller and nothing is sorted.
_MANY_VALUES = 50_000

# So many repay a table of where hashes begin; values that lie unevenly are then halved after all.
_MANY_SOUGHT = 512
_MOST_STEPS = 4


def words_of(column: pa.ChunkedArray | pa.Array) -> Words:
    """Return a fixed-size binary column as little-endian uint64 [n, width / 8].

    One chunk is a view without a copy; several are joined. NULL rows hold arbitrary words.
    """
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    views = [_chunk_words(chunk) for chunk in chunks]
    if not views:
        return np.empty((0, column.type.byte_width // 8), np.uint64)
    return views[0] if len(views) == 1 else np.concatenate(views)


def _chunk_words(chunk: pa.FixedSizeBinaryArray) -> Words:
    width = chunk.type.byte_width // 8
    if not len(chunk):
        return np.empty((0, width), np.uint64)
    words = np.frombuffer(chunk.buffers()[1], "<u8")
    start = chunk.offset * width
    return words[start : start + len(chunk) * width].reshape(-1, width)


def id_words(column: pa.ChunkedArray | pa.Array) -> Words:
    """Return ids as two words that order like their bytes, uint64 [n, 2]."""
    return words_of(column).byteswap()


def ids_of(words: Words) -> pa.Array:
    """Return ids from the words of `id_words`."""
    ordered = np.ascontiguousarray(words).byteswap()
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(ordered), [None, pa.py_buffer(ordered)]
    )


def distinct(values: Words) -> Words:
    """Return the distinct values, sorted.

    `np.unique` of numpy 2.3 and later hashes words, ten times slower than sorting them.
    """
    ordered = np.sort(values)
    found: Words = ordered[np.append(True, ordered[1:] != ordered[:-1])[: ordered.size]]
    return found


def repeated_places(values: Words, n_articles: int = 0) -> NDArray[np.int64]:
    """Return the places of values that stand at another place too, sorted.

    A sieve: among them may be a few that do not, none that does is missed. Of the places that fall
    into one slot, by some bits of their values, the last stays written; where another is read than
    was written, the slot has several. First the high bits tell, then the low ones.

    Args:
        values: uint64 [n].
        n_articles: size of the batch that asks; of a large one a compiled kernel sieves.
    """
    if use_compiled(n_articles):
        from pipeline.dedup import scan

        return scan.repeated_places(np.ascontiguousarray(values))
    places = np.arange(values.size)
    for is_high in (True, False):
        n_bits = max(places.size, 1 << 10).bit_length() + 1
        found = values[places]
        slots = found >> np.uint64(64 - n_bits) if is_high else found & np.uint64((1 << n_bits) - 1)
        slots = slots.view(np.int64)
        last = np.empty(1 << n_bits, np.int32)
        order = np.arange(places.size, dtype=np.int32)
        last[slots] = order
        has_several = np.zeros(1 << n_bits, np.bool_)
        has_several[slots[last[slots] != order]] = True
        places = places[has_several[slots]]
    return places


class ValueSet:
    """A set of uint64 values that large arrays are searched for.

    A flag for each slot of high bits lets one stranger in thirty pass; the first value of the slot
    then tells it from what is sought.
    """

    def __init__(self, values: Words, n_articles: int = 0) -> None:
        """Keep the values; a first batch searches nothing, so that nothing is made of them yet.

        Args:
            values: what is sought.
            n_articles: size of the batch that seeks; a large one searches with a compiled kernel.
        """
        self._given = values
        self._n_articles = n_articles

    @cached_property
    def values(self) -> Words:
        """The distinct values, sorted."""
        return distinct(self._given)

    def positions_in(self, words: Words) -> NDArray[np.int64]:
        """Return the flat positions of `words` (any shape) that hold a value of the set, sorted."""
        if not words.size or not self._given.size:
            return np.empty(0, np.int64)
        scan = self.__dict__.get("_scan") or self._scan_of_given
        if scan is not None:
            return scan.found_in(words.reshape(-1))[0]
        return self.found_in(words)[0]

    def numbered_in(self, words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the positions as `positions_in`, and the place of the first equal value given."""
        if not words.size or not self._given.size:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        if self._scan_of_given is not None:
            return self._scan_of_given.found_in(words.reshape(-1))
        positions, places = self.found_in(words)
        return positions, self._first_given[places]

    @cached_property
    def _first_given(self) -> NDArray[np.int64]:
        """Where each of `values` was given first."""
        order = np.argsort(self._given, kind="stable")
        ordered = self._given[order]
        firsts: NDArray[np.int64] = order[np.append(True, ordered[1:] != ordered[:-1])]
        return firsts

    def numbers(self) -> NDArray[np.int64]:
        """Return of every value given the place of the first that is equal to it."""
        numbers = np.arange(self._given.size)
        repeated = repeated_places(self._given, self._n_articles)
        numbers[repeated] = self.numbered_in(self._given[repeated])[1]
        return numbers

    def found_in(self, words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the positions as `positions_in`, and the place in `values` of what stands there.

        Words of one dimension may lie apart, as those of a column of wider rows do.
        """
        if not words.size or not self._given.size:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        flat = words.reshape(-1)
        if self._scan is not None:
            return self._scan.found_in(flat)
        parts = []
        room = _Room(min(flat.size, _SLICE_WORDS))
        for start in range(0, flat.size, _SLICE_WORDS):
            positions, places = self._sieve.found_in(flat[start : start + _SLICE_WORDS], room)
            parts.append((positions + start, places))
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([p for p, _ in parts]), np.concatenate([v for _, v in parts])

    @cached_property
    def _sieve(self) -> _Sieve:
        return _Sieve(self.values)

    @cached_property
    def _scan(self) -> Scan | None:
        """The compiled search, which tells the place in `values`."""
        return self._scan_of(self.values) if self._is_compiled else None

    @cached_property
    def _scan_of_given(self) -> Scan | None:
        """The compiled search for positions alone, for which nothing need be sorted."""
        return self._scan_of(self._given) if self._is_compiled else None

    @property
    def _is_compiled(self) -> bool:
        return use_compiled(self._n_articles if self._given.size >= _MANY_VALUES else 0)

    @staticmethod
    def _scan_of(values: Words) -> Scan:
        from pipeline.dedup.scan import Scan

        return Scan(values)


class _Room:
    """Room for what is made of a slice: a slice after the other takes the same cache lines."""

    def __init__(self, n_words: int) -> None:
        self.slots = np.empty(n_words, np.uint64)
        self.flags = np.empty(n_words, np.bool_)


class _Sieve:
    """A flag for each slot, by high bits, in which values lie, and the first value of the slot."""

    def __init__(self, values: Words) -> None:
        self._values = values
        bits = min(max((values.size * _SLOTS_PER_VALUE).bit_length(), 16), _MAX_SLOT_BITS)
        self._shift = np.uint64(64 - bits)
        slots = values >> self._shift
        self._is_used = np.zeros(1 << bits, np.bool_)
        self._is_used[slots] = True
        self._first = np.zeros(1 << bits, np.int32)
        # Written from the last to the first, so that the first of a slot stays.
        self._first[slots[::-1]] = np.arange(values.size - 1, -1, -1, dtype=np.int32)

    def found_in(self, flat: Words, room: _Room) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where values stand in a slice of words, and which."""
        slots, flags = room.slots[: flat.size], room.flags[: flat.size]
        np.right_shift(flat, self._shift, out=slots)
        # int64 views: numpy copies unsigned indices before it uses them.
        places = slots.view(np.int64)
        positions = np.flatnonzero(np.take(self._is_used, places, out=flags, mode="clip"))
        likely = flat[positions]
        places = self._first[places[positions]].astype(np.int64)
        values = self._values[places]
        # A stranger lies before the first value of its slot, or after it; so does, one time in
        # thirty, the second value of a slot, and a line of `learning` that has a flag.
        later = np.flatnonzero(values < likely)
        following = np.minimum(places[later] + 1, self._values.size - 1)
        places[later], values[later] = following, self._values[following]
        later = later[values[later] < likely[later]]
        if later.size:
            nearest = np.searchsorted(self._values, likely[later])
            nearest[nearest == self._values.size] = 0
            places[later], values[later] = nearest, self._values[nearest]
        is_found = values == likely
        return positions[is_found], places[is_found]


class IdSet:
    """A set of article ids that columns of ids are searched for."""

    def __init__(self, ids: Words) -> None:
        """Take ids as words uint64 [n, 2] of `id_words`, in any order."""
        self.ids = sorted_ids(ids)

    @cached_property
    def _first_words(self) -> ValueSet:
        return ValueSet(self.ids[:, 0].byteswap())

    def holds(self, words: Words) -> NDArray[np.bool_]:
        """Return for each row of `words` uint64 [n, 2] whether it is in the set."""
        found: NDArray[np.bool_] = place_of(words, self.ids) >= 0
        return found

    def rows_in(self, column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
        """Return the rows of a column of ids that hold one of the set, ascending."""
        words = words_of(column)
        rows = self._first_words.positions_in(words[:, 0])
        return rows[self.holds(words[rows].byteswap())] if rows.size else rows


def place_of(words: Words, sorted_words: Words) -> NDArray[np.int64]:
    """Return the row of `sorted_words` that equals each row of `words`, -1 where none does.

    Both uint64 [n, 2] ids; ids are hashes, so the first word finds the row and both confirm it.
    """
    if not len(sorted_words):
        return np.full(len(words), -1)
    nearest = _first_at_least(np.ascontiguousarray(sorted_words[:, 0]), words[:, 0])
    nearest[nearest == len(sorted_words)] = 0
    is_found = sorted_words[nearest, 0] == words[:, 0]
    is_found &= sorted_words[nearest, 1] == words[:, 1]
    return np.where(is_found, nearest, -1)


def _first_at_least(values: Words, sought: Words) -> NDArray[np.int64]:
    """Return the first of `values` (sorted) that is not below each one sought, as `searchsorted`.

    Hashes lie evenly: the high bits of one tell where to look, one or two places before it. Of
    470,000 among 36,000 that takes 9 ms, halving 43.
    """
    if sought.size < _MANY_SOUGHT or 2 * sought.size < values.size:
        return np.searchsorted(values, sought)
    n_bits = (2 * values.size).bit_length()
    shift = np.uint64(64 - n_bits)
    starts = np.searchsorted(values, np.arange(1 << n_bits, dtype=np.uint64) << shift)
    places: NDArray[np.int64] = starts[(sought >> shift).view(np.int64)]
    ended = np.append(values, np.uint64(np.iinfo(np.uint64).max))
    before = np.flatnonzero(ended[places] < sought)
    for _ in range(_MOST_STEPS):
        if not before.size:
            break
        places[before] += 1
        before = before[ended[places[before]] < sought[before]]
    places[before] = np.searchsorted(values, sought[before])
    return places


def sorted_ids(words: Words) -> Words:
    """Return the distinct rows of ids uint64 [n, 2] in order."""
    # The first word alone almost always tells: ids are hashes.
    order = np.argsort(words[:, 0], kind="stable")
    ordered = words[order]
    is_tied = ordered[1:, 0] == ordered[:-1, 0]
    if (is_tied & (ordered[1:, 1] < ordered[:-1, 1])).any():
        ordered = words[np.lexsort((words[:, 1], words[:, 0]))]
    is_other = (ordered[1:] != ordered[:-1]).any(axis=1)
    found: Words = ordered[np.append(True, is_other)[: len(ordered)]]
    return found


def is_among(words: Words, others: Words) -> NDArray[np.bool_]:
    """Return for each row of `words` uint64 [n, 2] whether `others` has the same row."""
    found: NDArray[np.bool_] = place_of(words, sorted_ids(others)) >= 0
    return found
