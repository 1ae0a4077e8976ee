"""Reads of memory-mapped KEYS segments: views without a copy, and searches that touch each once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled

if TYPE_CHECKING:
    from pipeline.dedup.scan_compiled import Scan

Words = NDArray[np.uint64]

# Words read at a time: a slice, its shifted copy and the flags stay in the L2 cache.
_SLICE_WORDS = 65_536

# Two bitmaps of 32 bits a value pass one stranger in 1,000 on to the binary search (measured:
# 1,000,000 rows of 32 buckets in 0.07 s against 16,000 values, 0.2 s against 160,000; with one
# bitmap and the binary search alone 0.4 s).
_BITS_PER_VALUE = 32
_MAX_BITMAP_BITS = 25

# With so many values the bitmaps leave the cache, and the compiled search, of one bit a slot, is
# two to three times as fast; below it gains nothing.
_MANY_VALUES = 50_000
_LONG = 8_192


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


def repeated_places(values: Words) -> NDArray[np.int64]:
    """Return the places of values that stand at another place too, sorted.

    A sieve: among them may be a few that do not, none that does is missed. Of the places that fall
    into one slot, by some bits of their values, the last stays written; where another is read than
    was written, the slot has several. First the high bits tell, then the low ones.
    """
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

    Two bitmaps, by high and by low bits, let one stranger in 1,000 pass; a table of the first value
    of each slot then tells most of what passes from what is sought.
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
        return self.found_in(words)[0]

    def found_in(self, words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the positions as `positions_in`, and the place in `values` of what stands there.

        Words of one dimension may lie apart, as those of a column of wider rows do.
        """
        if not words.size or not self._given.size:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        flat = words.reshape(-1)
        if flat.size >= _LONG and self._kernel is not None:
            return self._kernel.found_in(flat)
        parts = []
        for start in range(0, flat.size, _SLICE_WORDS):
            positions, places = self._sieve.found_in(flat[start : start + _SLICE_WORDS])
            parts.append((positions + start, places))
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([p for p, _ in parts]), np.concatenate([v for _, v in parts])

    @cached_property
    def _sieve(self) -> _Sieve:
        return _Sieve(self.values)

    @cached_property
    def _kernel(self) -> Scan | None:
        if self.values.size < _MANY_VALUES or not use_compiled(self._n_articles):
            return None
        from pipeline.dedup.scan_compiled import Scan

        return Scan(self.values)


class _Sieve:
    """The bitmaps and the table of a set of values."""

    def __init__(self, values: Words) -> None:
        self._values = values
        bits = min(max((values.size * _BITS_PER_VALUE).bit_length(), 16), _MAX_BITMAP_BITS)
        self._shift = np.uint64(64 - bits)
        self._mask = np.uint64((1 << bits) - 1)
        high, low = values >> self._shift, values & self._mask
        self._high = np.zeros(1 << bits, np.bool_)
        self._low = np.zeros(1 << bits, np.bool_)
        self._high[high] = True
        self._low[low] = True
        self._place = np.zeros(1 << bits, np.int32)
        # Written from the last to the first, so that the first of a slot stays.
        self._place[high[::-1]] = np.arange(values.size - 1, -1, -1, dtype=np.int32)

    def found_in(self, flat: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where values stand in a slice of words, and which."""
        # int64 views: numpy copies unsigned indices before it uses them.
        high = (flat >> self._shift).view(np.int64)
        positions = np.flatnonzero(self._high[high])
        likely = flat[positions]
        kept = self._low[(likely & self._mask).view(np.int64)]
        positions, likely = positions[kept], likely[kept]
        places = self._place[high[positions]].astype(np.int64)
        is_found = self._values[places] == likely
        # Few slots hold several values; the lines of `learning` are sought with and without a flag.
        others = np.flatnonzero(~is_found)
        following = np.minimum(places[others] + 1, self._values.size - 1)
        is_next = self._values[following] == likely[others]
        places[others[is_next]], is_found[others[is_next]] = following[is_next], True
        others = others[~is_next]
        if others.size:
            nearest = np.searchsorted(self._values, likely[others])
            nearest[nearest == self._values.size] = 0
            places[others] = nearest
            is_found[others] = self._values[nearest] == likely[others]
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
    nearest = np.searchsorted(sorted_words[:, 0], words[:, 0])
    nearest[nearest == len(sorted_words)] = 0
    return np.where((sorted_words[nearest] == words).all(axis=1), nearest, -1)


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
