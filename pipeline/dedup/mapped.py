"""Reads of memory-mapped KEYS segments: views without a copy, and searches that touch each once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Words = NDArray[np.uint64]

# Words read at a time: a slice, its shifted copy and the flags stay in the L2 cache.
_SLICE_WORDS = 65_536

# Two bitmaps of 32 bits a value pass one stranger in 1,000 on to the binary search (measured:
# 1,000,000 rows of 32 buckets in 0.07 s against 16,000 values, 0.2 s against 160,000; with one
# bitmap and the binary search alone 0.4 s).
_BITS_PER_VALUE = 32
_MAX_BITMAP_BITS = 25


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


class ValueSet:
    """A set of uint64 values that large arrays are searched for."""

    def __init__(self, values: Words) -> None:
        """Keep the values sorted, with bitmaps of their high and low bits before them."""
        self.values = np.unique(values)
        wanted = max(self.values.size, 1) * _BITS_PER_VALUE
        bits = min(max(wanted.bit_length(), 16), _MAX_BITMAP_BITS)
        self._shift = np.uint64(64 - bits)
        self._mask = np.uint64((1 << bits) - 1)
        self._high = np.zeros(1 << bits, np.bool_)
        self._low = np.zeros(1 << bits, np.bool_)
        self._high[self.values >> self._shift] = True
        self._low[self.values & self._mask] = True

    def positions_in(self, words: Words) -> NDArray[np.int64]:
        """Return the flat positions of `words` (any shape) that hold a value of the set, sorted."""
        if not self.values.size or not words.size:
            return np.empty(0, np.int64)
        flat = words.reshape(-1)
        found = [
            start + self._search(flat[start : start + _SLICE_WORDS])
            for start in range(0, flat.size, _SLICE_WORDS)
        ]
        return np.concatenate(found)

    def _search(self, flat: Words) -> NDArray[np.int64]:
        # int64 views: numpy copies unsigned indices before it uses them.
        positions = np.flatnonzero(self._high[(flat >> self._shift).view(np.int64)])
        likely = flat[positions]
        kept = self._low[(likely & self._mask).view(np.int64)]
        positions, likely = positions[kept], likely[kept]
        nearest = np.searchsorted(self.values, likely)
        nearest[nearest == self.values.size] = 0
        found: NDArray[np.int64] = positions[self.values[nearest] == likely]
        return found


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
    return np.unique(words, axis=0)


def is_among(words: Words, others: Words) -> NDArray[np.bool_]:
    """Return for each row of `words` uint64 [n, 2] whether `others` has the same row."""
    found: NDArray[np.bool_] = place_of(words, sorted_ids(others)) >= 0
    return found
