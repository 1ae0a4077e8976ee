"""Of large buckets only the entries that a pair can need: hot ones are counted, not sorted.

A template fills a bucket with a hundred thousand articles, of which every batch looks at the
centres alone: the few of lowest rank. Whole is needed a bucket only where a new article becomes a
centre or one that was a centre no longer is, and that is seldom: two articles in n do it. So the
entries of a large bucket are counted, its lowest are found by a limit below which a few dozen
ranks are expected, and the rest is left out. What is left gives the same pairs as the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.dedup.bucket_pairs import CentreRule, Needed, Places
from pipeline.text.engine import use_compiled
from pipeline.text.kernels import kernel

Numbers = NDArray[np.int32]
Members = tuple[Numbers, Numbers]
"""Entries as the numbers of their buckets and the ranks of their articles."""

_COMPILED = "pipeline.dedup.thinning_compiled"

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
    stored_sizes = _sizes([buckets for buckets, _ in stored], n_buckets)
    sizes = stored_sizes + np.bincount(own[0], minlength=n_buckets)
    limit = _limits(own, stored, sizes, stored_sizes, n_articles, rule)
    # Who is alone in a bucket meets nobody there.
    meeting = np.flatnonzero(sizes[own[0]] > 1)
    parts = [own[0][meeting].astype(np.int64) << n_bits | own[1][meeting]]
    parts += [_below(members, limit, n_bits) for members in stored]
    return Needed(np.concatenate(parts), n_bits, sizes, stored_sizes)


def _sizes(parts: Sequence[Numbers], n_buckets: int) -> Places:
    """Return how often each bucket stands in the parts."""
    sizes = np.zeros(n_buckets, np.int64)
    if use_compiled(0):
        for part in parts:
            kernel(_COMPILED, "count")(part, sizes)
    elif parts:
        sizes += np.bincount(np.concatenate(parts), minlength=n_buckets)
    return sizes


def _below(members: Members, limit: Places | None, n_bits: int) -> Places:
    """Return the codes of entries whose rank is not above the limit of their bucket."""
    buckets, ranks = members
    if limit is None:
        return buckets.astype(np.int64) << n_bits | ranks
    if use_compiled(0):
        codes = np.empty(buckets.size, np.int64)
        n = kernel(_COMPILED, "below")(buckets, ranks, limit, n_bits, codes)
        return codes[:n].copy()
    kept = np.flatnonzero(ranks <= limit[buckets])
    return buckets[kept].astype(np.int64) << n_bits | ranks[kept]


def inside(
    members: Members, is_large: NDArray[np.bool_], numbers: Places, n_numbers: int
) -> tuple[Places, Numbers]:
    """Return what the entries of large buckets are by bucket and numbers, and their ranks.

    Args:
        members: entries.
        is_large: which buckets are.
        numbers: of each article, by rank, which numbers it has; -1 of those without a part here.
        n_numbers: above all of them.
    """
    buckets, ranks = members
    if use_compiled(0):
        codes, articles = np.empty(buckets.size, np.int64), np.empty(buckets.size, np.int32)
        n = kernel(_COMPILED, "inside")(
            buckets, ranks, is_large, numbers, n_numbers, codes, articles
        )
        return codes[:n].copy(), articles[:n].copy()
    met = np.flatnonzero(is_large[buckets] & (numbers[ranks] >= 0))
    return buckets[met] * np.int64(n_numbers) + numbers[ranks[met]], ranks[met]


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
    codes = np.sort(np.concatenate([_below(members, limit, n_bits) for members in stored]))
    found = number[codes >> n_bits]
    first = np.flatnonzero(np.append(True, found[1:] != found[:-1])[: found.size])
    within = np.arange(codes.size) - np.repeat(first, np.diff(np.append(first, codes.size)))
    lowest = np.full((large.size, int(n_centres.max())), n_articles)
    is_first = within < lowest.shape[1]
    lowest[found[is_first], within[is_first]] = (codes & ((1 << n_bits) - 1))[is_first]
    return lowest
