"""Buckets inside one source and from one day to the next: equal headlines, alike short texts.

Texts too short to sign meet by minima of their shingles: two outlets' flashes of 45 characters are
alike by template more often than by copy. Articles of any length meet by their headline: of the
revisions that a newsroom named, one in four has too little in common for the bands.
"""

from __future__ import annotations

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

_OF_TITLES = np.uint64(0x7469746C65)
"""Keeps a headline from the bucket of a minimum."""


def day_numbers(published_at: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the UTC day of each time as days since 1970, `NO_DAY` for NULL."""
    micros = published_at.cast(pa.timestamp("us")).cast(pa.int64())
    is_null = np.asarray(micros.is_null())
    days: NDArray[np.int64] = micros.fill_null(0).to_numpy() // _DAY_US
    return np.where(is_null, NO_DAY, days)


class Days:
    """The days of some articles and those next to them: on others nothing meets by its day."""

    def __init__(self, published_at: pa.ChunkedArray) -> None:
        """Take when the articles were published."""
        days = day_numbers(published_at)
        dated = days[days != NO_DAY]
        self._first = (int(dated.min()) - 1) * _DAY_US if dated.size else 0
        self._end = (int(dated.max()) + 2) * _DAY_US if dated.size else 0
        self._has_undated = bool(dated.size < days.size)

    def rows_in(self, published_at: pa.ChunkedArray) -> NDArray[np.int64]:
        """Return the rows of other articles that were published between these days."""
        found, start = [np.empty(0, np.int64)], 0
        for chunk in published_at.chunks:
            micros = np.frombuffer(chunk.buffers()[1], np.int64)[chunk.offset :][: len(chunk)]
            is_near = (micros >= self._first) & (micros < self._end)
            if chunk.null_count:
                is_null = np.asarray(chunk.is_null())
                is_near = np.where(is_null, self._has_undated, is_near)
            found.append(np.flatnonzero(is_near) + start)
            start += len(chunk)
        return np.concatenate(found)


def short_buckets(
    articles: pa.Table, profile: ShingleProfile
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the buckets of short KEYS rows with at least one shingle, and each bucket's row.

    A row has one for each minimum, in each window of its day.
    """
    if not articles.num_rows:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    return _windowed(articles, _minima(articles["key"].to_pylist(), profile))


def title_buckets(articles: pa.Table) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the buckets of the headlines of KEYS rows that have one, and each bucket's row.

    A row has one in each window of its day.
    """
    return _windowed(articles, [text_words(articles["title_key"]) ^ _OF_TITLES])


def _windowed(
    articles: pa.Table, values: Sequence[NDArray[np.uint64]]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the buckets of each value of a row inside its source and each of two day windows.

    Windows are two days long: two articles share one exactly when at most one day lies between
    them. Articles without a date share a window with each other.
    """
    source = text_words(articles["source_id"])
    days = day_numbers(articles["published_at"])
    rows = np.arange(days.size)
    dated = rows[days != NO_DAY]
    buckets, found = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for window, here in ((days, rows), (days + 1, dated)):
        place = mix64(source[here] ^ mix64(window[here].view(np.uint64)))
        for number, value in enumerate(values):
            buckets.append(mix64(place ^ mix64(value[here] + np.uint64(number))))
            found.append(here)
    return np.concatenate(buckets), np.concatenate(found)


def _minima(keys: Sequence[str], profile: ShingleProfile) -> list[NDArray[np.uint64]]:
    hashes, offsets = shingle_sets(keys, profile)
    return [np.minimum.reduceat(hashes * factor, offsets[:-1]) for factor in _MINIMA]


def text_words(texts: pa.ChunkedArray | pa.Array) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each text, none of them NULL.

    The sum of the bytes, each times a number that its place gives (multilinear hashing): two texts
    have one hash by chance once in 2^57 pairs at most.
    """
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    whole = whole.cast(pa.large_string())
    _, offsets, content = whole.buffers()
    bounds = np.frombuffer(offsets, np.int64)[whole.offset :][: len(whole) + 1]
    utf8 = np.frombuffer(content or b"", np.uint8)[bounds[0] : bounds[-1]]
    starts, lengths = bounds[:-1] - bounds[0], np.diff(bounds)
    place = np.arange(utf8.size) - np.repeat(starts, lengths)
    factors = mix64(np.arange(1, lengths.max(initial=0) + 1, dtype=np.uint64))
    # No byte counts nothing, so that a text is not its own beginning.
    terms = factors[place] * (utf8.astype(np.uint64) + np.uint64(1))
    total = np.append(np.uint64(0), np.cumsum(terms))
    return mix64(total[starts + lengths] - total[starts])
