"""BLAKE2b of many texts at once: of 16 bytes, as ids and hashes of the warehouse are, or of 8."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contract import ID
from pipeline.text.engine import use_compiled
from pipeline.text.kernels import kernel
from pipeline.text.utf8 import Utf8

_BLOCK_BYTES = 128
_TEXTS_AN_ARTICLE = 8
"""Paragraphs, mostly short: what `use_compiled` asks for is articles."""

_MANY_BLOCKS = 512
"""A message of 64 KiB has few beside it that are as long: alone it is hashed faster."""

Words = NDArray[np.uint64]

# The state before the first block: BLAKE2b's constants (RFC 7693, section 2.6), and in the first
# word what is asked for: so many bytes, no key, no tree.
_CONSTANTS = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_ASKED = 0x01010000


def digests(messages: Utf8, purpose: bytes = b"") -> pa.FixedSizeBinaryArray:
    """Return the 16-byte BLAKE2b of each message (bytes of any kind), told apart by `purpose`.

    `purpose` has at most 16 bytes. The plain definition is one call of hashlib for each.

    >>> found = digests(Utf8(np.frombuffer(b"ab", np.uint8), np.array([0, 1, 2])))
    >>> found[1].as_py() == blake2b(b"b", digest_size=16).digest()
    True
    """
    filled = _filled(messages, purpose, ID.byte_width, messages.n_articles)
    return pa.FixedSizeBinaryArray.from_buffers(ID, len(filled), [None, pa.py_buffer(filled)])


def short_digests(messages: Utf8) -> Words:
    """Return the 8-byte BLAKE2b of each message, little-endian: uint64 [n].

    >>> short_digests(Utf8(np.frombuffer(b"narae", np.uint8), np.array([0, 5]))).tobytes().hex()
    '182229d4d56b8bc6'
    """
    n_articles = max(messages.n_articles, (messages.offsets.size - 1) // _TEXTS_AN_ARTICLE)
    return _filled(messages, b"", 8, n_articles)[:, 0]


def _filled(messages: Utf8, purpose: bytes, n_bytes: int, n_articles: int) -> Words:
    """Return the digests of `n_bytes` in the first bytes of each row: uint64 [n, 2]."""
    n = messages.offsets.size - 1
    filled = np.zeros((n, 2), "<u8")
    rows = np.arange(n)
    if use_compiled(n_articles):
        rows = _fill_compiled(messages, purpose, n_bytes, filled)
    begin = blake2b(digest_size=n_bytes, person=purpose).copy
    held = messages.bytes.data
    starts, ends = messages.offsets[rows].tolist(), messages.offsets[rows + 1].tolist()
    found = []
    for start, end in zip(starts, ends, strict=True):
        # A copy costs half of what making one costs.
        message = begin()
        message.update(held[start:end])
        found.append(message.digest())
    words = np.frombuffer(b"".join(found), filled.dtype).reshape(-1, n_bytes // 8)
    filled[rows, : n_bytes // 8] = words
    return filled


def _fill_compiled(
    messages: Utf8, purpose: bytes, n_bytes: int, filled: Words
) -> NDArray[np.int64]:
    """Fill in the digests of all but the longest messages; return the rows of these."""
    seed = _CONSTANTS.copy()
    seed[0] ^= np.uint64(_ASKED | n_bytes)
    seed[6:] ^= np.frombuffer(purpose.ljust(16, b"\0"), "<u8")
    n_blocks = np.minimum(np.diff(messages.offsets) // _BLOCK_BYTES, _MANY_BLOCKS)
    # Messages of one length side by side; sorting small integers is a matter of counting.
    order = np.argsort(n_blocks.astype(np.int16), kind="stable")
    n_short = int(np.count_nonzero(n_blocks < _MANY_BLOCKS))
    digest_all = kernel("pipeline.text.digests_compiled", "digest_all")
    digest_all(messages.bytes, messages.offsets, order[:n_short], seed, filled)
    return order[n_short:]
