"""Buckets of texts too short to sign: one flash beside the same flash with a tag.

Nearness is looked for inside one source and from one day to the next only: two outlets' flashes of
45 characters are alike by template more often than by copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.text.mixing import mix64
from pipeline.text.shingles import ShingleProfile, shingle_sets

_DAY_US = 86_400_000_000
NO_DAY = -(1 << 40)
"""Day number of an article without a date: such meet only each other."""

# Four minima of the shingle set, one alone makes a bucket: a pair of Jaccard 0.85 shares none of
# them once in 2,000, one of 0.3 one time in four.
_MINIMA = tuple(
    np.uint64(m)
    for m in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
)


def day_numbers(published_at: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the UTC day of each time as days since 1970, `NO_DAY` for NULL."""
    micros = published_at.cast(pa.timestamp("us")).cast(pa.int64())
    is_null = np.asarray(micros.is_null())
    days: NDArray[np.int64] = micros.fill_null(0).to_numpy() // _DAY_US
    return np.where(is_null, NO_DAY, days)


def short_buckets(
    articles: pa.Table, profile: ShingleProfile
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the buckets of short KEYS rows with at least one shingle, and each bucket's row.

    A row has a bucket for each minimum and for its title, in each of two windows of two days:
    two articles share a window exactly when at most one day lies between them.
    """
    if not articles.num_rows:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    source = _text_words(articles["source_id"].to_pylist())
    title_keys = articles["title_key"].to_pylist()
    values = [*_minima(articles["key"].to_pylist(), profile), _text_words(title_keys)]
    days = day_numbers(articles["published_at"])
    has_title = np.array([bool(key) for key in title_keys])
    every = np.ones(len(days), np.bool_)
    dated = days != NO_DAY
    buckets, rows = [], []
    for window, has_window in ((days, every), (days + 1, dated)):
        place = mix64(source ^ mix64(window.view(np.uint64)))
        for number, value in enumerate(values):
            here = has_window & (has_title if number == len(_MINIMA) else every)
            buckets.append(mix64(place ^ mix64(value + np.uint64(number)))[here])
            rows.append(np.flatnonzero(here))
    return np.concatenate(buckets), np.concatenate(rows)


def _minima(keys: Sequence[str], profile: ShingleProfile) -> list[NDArray[np.uint64]]:
    hashes, offsets = shingle_sets(keys, profile)
    return [np.minimum.reduceat(hashes * factor, offsets[:-1]) for factor in _MINIMA]


def _text_words(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each text."""
    known = {
        text: int.from_bytes(
            hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
        )
        for text in set(texts)
    }
    return np.array([known[text] for text in texts], np.uint64)
