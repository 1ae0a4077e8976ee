"""Of large buckets only the entries that a pair can need: hot ones are counted, not sorted.

A template fills a bucket with a hundred thousand articles, of which every batch looks at the
centres alone: the few of lowest rank. Whole is needed a bucket only where a new article becomes a
centre or one that was a centre no longer is, and that is seldom: two articles in n do it. So the
entries of a large bucket are counted, its lowest are found by a limit below which a few dozen
ranks are expected, and the rest is left out. What is left gives the same pairs as the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.dedup.bucket_pairs import CentreRule, Needed, Places

Numbers = NDArray[np.integer]
Members = tuple[Numbers, Numbers]
"""Entries as the numbers of their buckets and the ranks of their articles, int32 or int64."""

_LARGE = 100
"""A bucket of more stored entries is thinned."""


def needed_entries(
    own: Members, stored: Sequence[Members], n_buckets: int, n_articles: int, rule: CentreRule
) -> Needed:
    """Return the entries of buckets that pairs can need.

    Args:
        own: entries of new articles.
        stored: parts of the entries of stored ones, in buckets of new ones.
        n_buckets: number of the last bucket and one more.
        n_articles: the same of ranks.
        rule: which entries of a bucket are centres.
    """
    n_bits = int(n_articles).bit_length()
    stored_sizes = np.zeros(n_buckets, np.int64)
    for buckets in _together([buckets for buckets, _ in stored], n_buckets):
        stored_sizes += np.bincount(buckets, minlength=n_buckets)
    sizes = stored_sizes + np.bincount(own[0], minlength=n_buckets)
    limit = _limits(own, stored, sizes, stored_sizes, n_articles, rule)
    # Who is alone in a bucket meets nobody there.
    meeting = np.flatnonzero(sizes[own[0]] > 1)
    parts = [own[0][meeting].astype(np.int64) << n_bits | own[1][meeting]]
    for buckets, ranks in stored:
        if limit is not None:
            kept = np.flatnonzero(ranks <= limit[buckets])
            buckets, ranks = buckets[kept], ranks[kept]
        parts.append(buckets.astype(np.int64) << n_bits | ranks)
    return Needed(np.concatenate(parts), n_bits, sizes, stored_sizes)


def _together(parts: Sequence[Numbers], least: int) -> Iterator[Numbers]:
    """Yield the parts joined until they have so many entries."""
    waiting: list[Numbers] = []
    n_waiting = 0
    for part in parts:
        waiting.append(part)
        n_waiting += part.size
        if n_waiting >= least:
            yield np.concatenate(waiting)
            waiting, n_waiting = [], 0
    if waiting:
        yield np.concatenate(waiting)


def _limits(
    own: Members,
    stored: Sequence[Members],
    sizes: Places,
    stored_sizes: Places,
    n_articles: int,
    rule: CentreRule,
) -> Places | None:
    """Return for each bucket the highest rank of a stored article that is needed, None for all."""
    large = np.flatnonzero(stored_sizes > _LARGE)
    n_centres = rule.of(stored_sizes[large])
    expected = _expected(n_centres)
    is_thinned = stored_sizes[large] > 2 * expected
    large, n_centres, expected = large[is_thinned], n_centres[is_thinned], expected[is_thinned]
    if not large.size:
        return None
    limit = np.full(sizes.size, -1)
    limit[large] = expected / stored_sizes[large] * n_articles
    lowest = _lowest(stored, limit, large, n_centres, n_articles)
    # A new centre: fewer than the centres' number of stored articles rank before it.
    n_after = rule.of(sizes[large])
    highest = np.full(sizes.size, -1)
    highest[large] = lowest[np.arange(large.size), n_after - 1]
    is_whole = np.zeros(sizes.size, np.bool_)
    is_whole[own[0][own[1] < highest[own[0]]]] = True
    is_whole[large] |= n_after != n_centres
    last = lowest[np.arange(large.size), n_centres - 1]
    limit = np.full(sizes.size, n_articles)
    limit[large] = np.where(is_whole[large], n_articles, last)
    return limit


def _expected(n_centres: Places) -> NDArray[np.float64]:
    """Return how many of a large bucket shall lie below its limit.

    Ranks are hashes: fewer than the centres are there less than once in 10^9 buckets, and that
    bucket is then taken whole.
    """
    found: NDArray[np.float64] = n_centres + 8 * np.sqrt(n_centres) + 24
    return found


def _lowest(
    stored: Sequence[Members], limit: Places, large: Places, n_centres: Places, n_articles: int
) -> Places:
    """Return the ranks of the first entries of large buckets, [large, most centres].

    `n_articles` stands where fewer than its centres were found below a bucket's limit.
    """
    n_bits = int(n_articles).bit_length()
    number = np.zeros(limit.size, np.int64)
    number[large] = np.arange(large.size)
    parts = []
    for buckets, ranks in stored:
        below = np.flatnonzero(ranks <= limit[buckets])
        parts.append(number[buckets[below]] << n_bits | ranks[below])
    codes = np.sort(np.concatenate(parts))
    found = codes >> n_bits
    within = np.arange(codes.size) - np.searchsorted(found, found)
    lowest = np.full((large.size, int(n_centres.max())), n_articles)
    is_first = within < lowest.shape[1]
    lowest[found[is_first], within[is_first]] = (codes & ((1 << n_bits) - 1))[is_first]
    return lowest
