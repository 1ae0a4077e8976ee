"""Which pairs of a bucket are compared: all of a small one, a fixed choice by ids of a large one.

A bucket of n articles holds n²/2 pairs; a weather template fills one with thousands. Compared are
the pairs of which one is a centre: one of the bucket's few articles of smallest hash, 32 in a
bucket of up to 64, 7 in one of 65, falling to 2 in one of 256 and more. So

- what is compared depends on the set of articles alone, never on how they arrived;
- a small bucket is compared whole, a large one at linear cost;
- copies in a large bucket hold together: any two have met the same centres;
- a later article seldom becomes a centre, and then the pairs of the centre that it displaces
  lapse and can be named.

A cap of 64, 16 or 1 partners gives F1 .9955, .9953, .9905 on ordinary news (measured on 100,000
articles; .9955 without one): an article has 32 buckets. On a real day of 4,497 articles, captions
with their footers among them, no duplicate is missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.mixing import mix64

Words = NDArray[np.uint64]
Places = NDArray[np.int64]

# Pairs expanded at a time: 1 million take 60 MB before equal ones fall together.
_PAIRS_AT_A_TIME = 1_000_000


@dataclass(frozen=True)
class CentreRule:
    """How many centres a bucket has."""

    most: int = 32
    """Buckets of up to twice so many are compared whole."""
    fewest: int = 2
    pairs: int = 512
    """Above that, centres times size of the bucket. An article of a template stands in some
    fifty hot buckets, whose centres are others: with 2048 pairs and 4 centres it met 60 to 110
    articles, which told no more than 25 do."""

    def of(self, sizes: Places) -> Places:
        """Return the number of centres of buckets of these sizes; it never grows with the size."""
        hot = np.clip(self.pairs // np.maximum(sizes, 1), self.fewest, self.most)
        return np.where(sizes <= 2 * self.most, self.most, hot)


def priorities(ids: Words) -> Words:
    """Return the hash by which each id (uint64 [n, 2]) becomes a centre."""
    return mix64(ids[:, 0] ^ mix64(ids[:, 1]))


@dataclass(frozen=True)
class Needed:
    """The entries of buckets that pairs can need."""

    codes: Places
    """Bucket and rank of each, as `bucket << n_bits | rank`, in any order."""
    n_bits: int
    sizes: Places
    """Entries of each bucket by its number, also of those that are left out."""
    stored_sizes: Places


@dataclass(frozen=True)
class Grouping:
    """Entries in order of bucket and rank; all arrays by place in that order.

    Of a large bucket some entries may be left out that no pair has (`thinning`): the sizes count
    them, and every rank below the number of centres is right.
    """

    articles: Places
    """Rank of the article at each place, by priority among all."""
    buckets: Places
    is_new: NDArray[np.bool_]
    start: Places
    """First place of the bucket."""
    end: Places
    """One behind the last place of the bucket."""
    rank: Places
    """How many of the bucket stand before."""
    stored_rank: Places
    """How many stored ones of the bucket stand before."""
    sizes: Places
    """Articles of the bucket."""
    stored_sizes: Places
    """Stored articles of the bucket."""


def grouped(entries: Needed, is_new: NDArray[np.bool_]) -> Grouping:
    """Return entries by bucket; `is_new` tells of each article, by rank, whether it is new."""
    codes = np.sort(entries.codes)
    buckets, articles = codes >> entries.n_bits, codes & ((1 << entries.n_bits) - 1)
    first = np.flatnonzero(np.append(True, buckets[1:] != buckets[:-1])[: buckets.size])
    n_entries = np.diff(np.append(first, buckets.size))
    start = np.repeat(first, n_entries)
    is_new = is_new[articles]
    before = np.append(0, np.cumsum(~is_new))
    return Grouping(
        articles=articles,
        buckets=buckets,
        is_new=is_new,
        start=start,
        end=np.repeat(first + n_entries, n_entries),
        rank=np.arange(buckets.size) - start,
        stored_rank=before[:-1] - before[start],
        sizes=entries.sizes[buckets],
        stored_sizes=entries.stored_sizes[buckets],
    )


class Reach(NamedTuple):
    """Whom new articles meet in each of their buckets, as ranges of places; all arrays [n]."""

    own: Places
    """The place of the new article."""
    first: Places
    """Where the centres that stand before it begin."""
    stop: Places
    """Where they end."""
    later_stop: Places
    """Where the articles end that a centre meets behind its own place: the stored ones of them."""


def reach_of(group: Grouping, rule: CentreRule) -> Reach:
    """Return the ranges of which `new_pairs` yields the pairs."""
    own = np.flatnonzero(group.is_new)
    n_centres, rank, first = rule.of(group.sizes[own]), group.rank[own], group.start[own]
    later_stop = np.where(rank < n_centres, group.end[own], own + 1)
    return Reach(own, first, first + np.minimum(rank, n_centres), later_stop)


def new_pairs(group: Grouping, rule: CentreRule) -> Iterator[tuple[Places, Places]]:
    """Yield the places of each pair to compare that has a new article."""
    n_centres = rule.of(group.sizes)
    new = np.flatnonzero(group.is_new)
    stop = group.start[new] + np.minimum(group.rank[new], n_centres[new])
    for one, other in _ranges(new, group.start[new], stop):
        yield one, other
    centres = new[group.rank[new] < n_centres[new]]
    for one, other in _ranges(centres, centres + 1, group.end[centres]):
        stored = ~group.is_new[other]
        yield one[stored], other[stored]


def displaced_pairs(group: Grouping, rule: CentreRule) -> Iterator[tuple[Places, Places]]:
    """Yield the places of stored pairs that were compared while the bucket was smaller.

    The first of each pair is the centre that no longer is one.
    """
    n_centres = rule.of(group.sizes)
    was_centre = ~group.is_new & (group.stored_rank < rule.of(group.stored_sizes))
    gone = np.flatnonzero(was_centre & (group.rank >= n_centres))
    for one, other in _ranges(gone, group.start[gone] + n_centres[gone], group.end[gone]):
        stored = ~group.is_new[other] & (other != one)
        yield one[stored], other[stored]


def promoted(group: Grouping, rule: CentreRule) -> Places:
    """Return the stored articles (ranks) that become centres once the new ones are taken out.

    The grouping is of articles that leave (new) with those that stay (stored).
    """
    is_centre = ~group.is_new & (group.stored_rank < rule.of(group.stored_sizes))
    was_centre = group.rank < rule.of(group.sizes)
    return np.unique(group.articles[is_centre & ~was_centre])


def _ranges(places: Places, start: Places, stop: Places) -> Iterator[tuple[Places, Places]]:
    """Yield each place beside every place of its range, a bounded number at a time."""
    lengths = stop - start
    total = np.append(0, np.cumsum(lengths))
    done = 0
    while done < places.size:
        upto = int(np.searchsorted(total, total[done] + _PAIRS_AT_A_TIME, side="right")) - 1
        upto = max(upto, done + 1)
        part = lengths[done:upto]
        within = np.arange(part.sum()) - np.repeat(total[done:upto] - total[done], part)
        yield np.repeat(places[done:upto], part), np.repeat(start[done:upto], part) + within
        done = upto
