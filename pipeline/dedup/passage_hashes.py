"""The hashes in KEYS.passages: which are paragraphs, and who holds them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.mapped import ValueSet, Words, words_of

FINGERPRINT_BIT = np.uint64(1)
"""Set in a fingerprint of the running text, not set in the hash of a whole paragraph."""


def paragraph_hashes(key_hashes: pa.ChunkedArray | pa.Array) -> Words:
    """Return the passage uint64 of each paragraph, from its 16-byte key hash."""
    hashes: Words = words_of(key_hashes)[:, 0] & ~FINGERPRINT_BIT
    return hashes


def paragraphs_in(chunk: pa.RecordBatch) -> tuple[Words, NDArray[np.int64]]:
    """Return each whole-paragraph hash that a KEYS chunk holds, and the row that holds it."""
    passages = chunk.column("passages")
    offsets = passages.offsets.to_numpy()
    flat = passages.values.to_numpy(zero_copy_only=True)[offsets[0] : offsets[-1]]
    rows = np.repeat(np.arange(len(passages)), np.diff(offsets))
    is_paragraph = flat & FINGERPRINT_BIT == 0
    return flat[is_paragraph], rows[is_paragraph]


def holders_in(chunk: pa.RecordBatch, wanted: ValueSet) -> tuple[Words, NDArray[np.int64]]:
    """Return each value of `wanted` that a KEYS chunk holds, and the row that holds it.

    The flat buffer of the column is searched where it lies: a mapped segment is read once.
    """
    passages = chunk.column("passages")
    offsets = passages.offsets.to_numpy()
    flat = passages.values.to_numpy(zero_copy_only=True)[offsets[0] : offsets[-1]]
    places = wanted.positions_in(flat)
    rows = np.searchsorted(offsets - offsets[0], places, side="right") - 1
    return flat[places], rows
