"""Texts as the bytes in which Arrow holds them: what a compiled kernel reads without a copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_BYTES_AN_ARTICLE = 4_000
"""Of some 1,500 Hangul characters: how large a batch is, whatever pieces it is cut into."""

# Characters worked on together by numpy: the arrays of a block stay in a 1 MB L2 cache. Twice as
# many take 1.2 times as long an article, half as many 1.2 times (384 numpy calls a block).
_BLOCK_CHARS = 40_000


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, where it lies if it is one: `combine_chunks` always copies."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class Utf8(NamedTuple):
    """Text i is bytes[offsets[i]:offsets[i + 1]]: uint8, and int64 [n_texts + 1]."""

    bytes: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, texts: pa.Array | pa.ChunkedArray) -> Utf8:
        """Return a view of strings or large strings; several chunks are joined first."""
        texts = whole(texts)
        if texts.null_count:
            raise ValueError("a text is NULL; fill it in first")
        if not len(texts):
            return cls(np.empty(0, np.uint8), np.zeros(1, np.int64))
        width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
        _, bounds, values = texts.buffers()
        offsets = np.frombuffer(bounds, width)[texts.offset : texts.offset + len(texts) + 1]
        text_bytes = np.empty(0, np.uint8) if values is None else np.frombuffer(values, np.uint8)
        return cls(text_bytes, offsets.astype(np.int64, copy=False))

    @property
    def n_articles(self) -> int:
        """How many articles of usual length the bytes would make: what `use_compiled` asks."""
        return int(self.offsets[-1] - self.offsets[0]) // _BYTES_AN_ARTICLE


def large_strings(utf8: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pa.LargeStringArray:
    """Return the texts in these bytes as Arrow strings, without a copy."""
    return pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(utf8)
    )


def code_points(utf8: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the code point that begins at each place."""
    codes = utf8[places].astype(np.int64)
    for n_bytes, lead, bits in ((2, 0xC0, 0x1F), (3, 0xE0, 0x0F), (4, 0xF0, 0x07)):
        many = np.flatnonzero(utf8[places] >= lead)
        longer = utf8[places[many]].astype(np.int64) & bits
        for step in range(1, n_bytes):
            longer = longer << 6 | (utf8[places[many] + step] & 0x3F)
        codes[many] = longer
    return codes


def last_code_points(utf8: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the code point that ends before each place."""
    places = ends - 1
    for _ in range(3):
        places = places - ((utf8[places] & 0xC0) == 0x80)
    return code_points(utf8, places)


def cut_out(
    utf8: NDArray[np.uint8], spans: NDArray[np.int64], is_given: NDArray[np.bool_]
) -> pa.LargeStringArray:
    """Return the text in each span, NULL where none is given.

    Args:
        utf8: uint8, the texts and whatever stands between them.
        spans: int64 [n, 2], start and end; those that are given follow each other.
        is_given: bool [n].
    """
    ends = np.maximum.accumulate(np.where(is_given, spans[:, 1], 0))
    before = np.append(0, ends[:-1])
    bounds = np.empty(2 * ends.size + 1, np.int64)
    bounds[:-1:2] = np.where(is_given, spans[:, 0], before)
    bounds[1::2] = ends
    bounds[-1:] = ends[-1:]
    # Texts and what stands between them by turns.
    places = pa.array(np.arange(0, bounds.size - 1, 2), mask=~is_given)
    return large_strings(utf8, bounds).take(places)


def blocks_of(texts: Sequence[str]) -> Iterator[slice]:
    """Yield slices of about `_BLOCK_CHARS` characters, at least one text each."""
    start, n_chars = 0, 0
    for position, text in enumerate(texts):
        n_chars += len(text)
        if n_chars >= _BLOCK_CHARS:
            yield slice(start, position + 1)
            start, n_chars = position + 1, 0
    if start < len(texts):
        yield slice(start, len(texts))
