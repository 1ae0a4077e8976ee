"""Pieces of texts, put together to whole texts with a single copy of their bytes.

Arrow would first take the pieces, then append what stands between them, then join them: three
copies, each into new memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled
from pipeline.text.kernels import kernel
from pipeline.text.utf8 import Utf8, large_strings

_BYTES_AN_ARTICLE = 4_000
"""Of some 1,500 Hangul characters: `use_compiled` asks for articles."""

Places = NDArray[np.int64]
Bytes = NDArray[np.uint8]


class Pieces(NamedTuple):
    """Piece i is bytes[starts[i]:ends[i]]: uint8, and int64 [n]; they may stand in any order."""

    bytes: Bytes
    starts: Places
    ends: Places

    @classmethod
    def of(cls, texts: pa.LargeStringArray) -> Pieces:
        """Return a view of texts without nulls."""
        held, offsets = Utf8.of(texts)
        return cls(held, offsets[:-1], offsets[1:])

    def take(self, rows: Places) -> Pieces:
        """Return some of the pieces."""
        return Pieces(self.bytes, self.starts[rows], self.ends[rows])

    def replaced(self, rows: Places, texts: pa.LargeStringArray) -> Pieces:
        """Return the pieces, others in these rows."""
        if not rows.size:
            return self
        own = Pieces.of(texts)
        first, last = int(own.starts[0]), int(own.ends[-1])
        starts, ends = self.starts.copy(), self.ends.copy()
        starts[rows] = own.starts - first + self.bytes.size
        ends[rows] = own.ends - first + self.bytes.size
        return Pieces(np.concatenate((self.bytes, own.bytes[first:last])), starts, ends)


def join_pieces(pieces: Pieces, gaps: Places, sign: str, bounds: Places) -> pa.LargeStringArray:
    """Return texts made of pieces.

    >>> pieces = Pieces.of(pa.array(["one", "two", "three"], pa.large_string()))
    >>> join_pieces(pieces, np.array([1, 0, 0]), "-", np.array([0, 2, 3])).to_pylist()
    ['one-two', 'three']

    Args:
        pieces: the pieces, in the order of the texts.
        gaps: int64 [n], how many times `sign` stands after a piece.
        sign: a character of ASCII.
        bounds: int64 [m + 1], text i has the pieces bounds[i]:bounds[i + 1].
    """
    offsets = np.zeros(gaps.size + 1, np.int64)
    np.cumsum(pieces.ends - pieces.starts + gaps, out=offsets[1:])
    whole = np.empty(int(offsets[-1]), np.uint8)
    _lay_out(pieces, offsets[:-1], whole)
    for n in range(1, int(gaps.max(initial=0)) + 1):
        whole[offsets[1:][gaps >= n] - n] = ord(sign)
    return large_strings(whole, offsets[bounds])


def _lay_out(pieces: Pieces, places: Places, whole: Bytes) -> None:
    """Write each piece at its place in `whole`."""
    if use_compiled(whole.size // _BYTES_AN_ARTICLE):
        kernel("pipeline.text.pieces_compiled", "lay_out")(*pieces, places, whole)
        return
    held, filled = pieces.bytes.data, whole.data
    spans = zip(pieces.starts.tolist(), pieces.ends.tolist(), places.tolist(), strict=True)
    for start, end, place in spans:
        filled[place : place + end - start] = held[start:end]
