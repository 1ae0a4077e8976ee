"""BLAKE2b digests of many texts where they lie in Arrow's buffers."""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled
from pipeline.text.utf8 import Utf8

_TEXTS_AN_ARTICLE = 8
"""Paragraphs, mostly short: what `use_compiled` asks for is articles."""


def digests_of(texts: pa.Array | pa.ChunkedArray, n_words: int) -> NDArray[np.uint64]:
    """Return the digest of 8 * `n_words` bytes of each text, little-endian uint64 [n, n_words].

    >>> digests_of(pa.array(["narae"]), 2).tobytes() == blake2b(b"narae", digest_size=16).digest()
    True
    """
    utf8 = Utf8.of(texts)
    if not use_compiled(max(utf8.n_articles, len(texts) // _TEXTS_AN_ARTICLE)):
        return _plain(utf8, n_words)
    from pipeline.text.kernels import kernel  # lazily: short commands hash few texts

    digests = np.empty((len(texts), n_words), np.uint64)
    order = np.argsort(np.diff(utf8.offsets), kind="stable")
    digest_all = kernel("pipeline.text.digests_compiled", "digest_all")
    digest_all(*utf8, order, 8 * n_words, digests)
    return digests


def _plain(utf8: Utf8, n_words: int) -> NDArray[np.uint64]:
    """Return what `digests_of` returns, text by text."""
    held = memoryview(utf8.bytes.data)
    begin = blake2b(digest_size=8 * n_words).copy
    digests = []
    for start, end in pairwise(utf8.offsets.tolist()):
        # A copy costs half of what making one costs.
        digest = begin()
        digest.update(held[start:end])
        digests.append(digest.digest())
    return np.frombuffer(b"".join(digests), "<u8").reshape(-1, n_words)
