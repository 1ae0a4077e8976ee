"""A meeting: some articles, those that share a bucket with them, and the pairs that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.bucket_pairs import (
    Grouping,
    Needed,
    Places,
    displaced_pairs,
    grouped,
    new_pairs,
    priorities,
    promoted,
    reach_of,
)
from pipeline.dedup.entries import KINDS, BandRules, Entries, Piece, Sought, entries_in
from pipeline.dedup.mapped import IdSet, ValueSet, Words, id_words, ids_of, place_of
from pipeline.dedup.thinning import Members, inside, needed_entries
from pipeline.text.engine import use_compiled
from pipeline.text.kernels import kernel

Kinds = NDArray[np.uint8]
"""Place in `KINDS` of each bucket by its number."""

KIND_BITS = np.uint64(3)
_KIND_MASK = np.uint64(7)

_MOST_CODES = 4_000_000
"""So many pairs are kept before equal ones of all fall together: 32 MB."""

_ODD = np.uint64(0x9E3779B97F4A7C15)

MET_BY = (
    "article_id",
    "source_id",
    "published_at",
    "title_key",
    "key",
    "key_hash",
    "numbers_hash",
    "n_shingles",
    "bands",
    "passages",
)
"""The columns of KEYS that a meeting reads."""


class HotBucket(NamedTuple):
    """A bucket that more than `hot_bucket` articles share."""

    kind: str
    n_articles: int
    example_id: bytes


class Meeting:
    """The entries of new articles and of everything that shares a bucket with them, by bucket.

    An article is its rank: its place in the order of priorities.
    """

    def __init__(self, new: pa.Table, pieces: Sequence[Piece], rules: BandRules) -> None:
        """Look the pieces through for what shares a bucket with the KEYS `new`, one chunk."""
        self.rules = rules
        self._pieces = [Piece(new, IdSet(np.empty((0, 2), np.uint64))), *pieces]
        sought = Sought(new, pieces, rules)
        found = [entries_in(piece, sought, rules) for piece in pieces]
        self.passages = tuple(entries.passages for entries in found)
        self._rank_all(new, found)
        own = sought.own[0].astype(np.int32), self._ranks[0][sought.own[1]]
        stored = [
            (entries.buckets, ranks[entries.articles])
            for entries, ranks in zip(found, self._ranks[1:], strict=True)
        ]
        del found
        needed = needed_entries(own, stored, sought.words.size, self.n_articles, rules.centres)
        self.by_bucket = grouped(needed, self._is_new)
        numbered, kinds = self._numbered(own, stored, needed, sought.kinds)
        self.by_numbers = grouped(numbered, self._is_new)
        self._kinds = sought.kinds, kinds
        self._words = sought.words
        self._place_all()

    def _rank_all(self, new: pa.Table, found: Sequence[Entries]) -> None:
        """Rank the articles of all pieces."""
        ids = np.concatenate([id_words(new["article_id"]), *(entries.ids for entries in found)])
        counts = [new.num_rows, *(len(entries.ids) for entries in found)]
        rows = np.concatenate([np.arange(new.num_rows), *(entries.row for entries in found)])
        order = np.argsort(priorities(ids))
        ranks = np.empty(order.size, np.int32)
        ranks[order] = np.arange(order.size, dtype=np.int32)
        self.n_articles = order.size
        self._ranks = np.split(ranks, np.cumsum(counts)[:-1])
        self._piece = np.repeat(np.arange(len(counts)), counts)[order]
        self._row = rows[order]
        self._ids_by_rank = ids[order]
        self._is_new = order < new.num_rows

    def _place_all(self) -> None:
        """Place what is left of the articles in order of their ids: sorted pairs are so by id."""
        is_met = np.zeros(self.n_articles, np.bool_)
        for group in (self.by_bucket, self.by_numbers):
            is_met[group.articles] = True
        met = np.flatnonzero(is_met)
        ids = self._ids_by_rank[met]
        order = np.lexsort((ids[:, 1], ids[:, 0]))
        self.ids = ids[order]
        self._place = np.empty(self.n_articles, np.int64)
        self._place[met[order]] = np.arange(order.size)

    def _numbered(
        self, own: Members, stored: Sequence[Members], needed: Needed, kinds: Kinds
    ) -> tuple[Needed, Kinds]:
        """Return the entries of large buckets again, by the numbers of the articles, and kinds.

        Inside a large bucket, articles with the same numbers make a bucket of their own: two
        copies of one weather report meet among a thousand reports. Of articles of a template most
        have numbers that no other has: only those of a new article are looked at.
        """
        rule = self.rules.centres
        is_large = np.zeros(needed.sizes.size, np.bool_)
        large = np.flatnonzero(needed.sizes > rule.fewest + 1)
        is_large[large] = needed.sizes[large] > rule.of(needed.sizes[large]) + 1
        numbers = self._numbers([own, *stored], is_large)
        codes, ranks = inside(own, is_large, numbers, len(numbers))
        wanted = ValueSet(_spread(codes), codes.size)
        found = []
        for part in stored:
            met, articles = inside(part, is_large, numbers, len(numbers))
            places, buckets = wanted.numbered_in(_spread(met))
            found.append((buckets.astype(np.int32), articles[places]))
        members = wanted.numbers().astype(np.int32), ranks
        within = needed_entries(members, found, codes.size, self.n_articles, rule)
        return within, kinds[own[0][is_large[own[0]]]]

    def _numbers(self, parts: Sequence[Members], is_large: NDArray[np.bool_]) -> Places:
        """Return by rank which numbers an article of large buckets has.

        Numbers that no new article of them has are -1.
        """
        is_met = np.zeros(self.n_articles, np.bool_)
        for buckets, ranks in parts:
            is_met[ranks[is_large[buckets]]] = True
        found = np.full(self.n_articles, -1)
        values = ValueSet(np.empty(0, np.uint64))
        for piece, ranks in zip(self._pieces, self._ranks, strict=True):
            here = ranks[is_met[ranks]]
            if not here.size:
                continue
            words = piece.rows["numbers_hash"].take(pa.array(self._row[here])).to_numpy()
            if piece is self._pieces[0]:
                values = ValueSet(words)
            at, number = values.found_in(words)
            found[here[at]] = number
        return found

    def pairs(self) -> Words:
        """Return the codes of all pairs to compare that have a new article, sorted."""
        if use_compiled(0):
            return self._collected()
        return self._codes(self._new_pairs())

    def _collected(self) -> Words:
        """Do the same by a compiled kernel: of 270 pairs an article of a template, 63 differ."""
        groups = (self.by_bucket, self.by_numbers)
        reaches = [reach_of(group, self.rules.centres) for group in groups]
        n_before = groups[0].articles.size
        own, first, stop, later_stop = (
            np.concatenate((one, other + n_before)) for one, other in zip(*reaches, strict=True)
        )
        kinds = [
            kinds[group.buckets[reach.own]]
            for kinds, group, reach in zip(self._kinds, groups, reaches, strict=True)
        ]
        n_most = int((stop - first).sum() + (later_stop - own - 1).sum())
        codes = np.empty(n_most, np.uint64)
        n = kernel("pipeline.dedup.meeting_compiled", "collect")(
            np.concatenate([group.articles for group in groups]),
            np.concatenate([group.is_new for group in groups]),
            *(own, first, stop, later_stop, np.concatenate(kinds)),
            *(self._place, len(self.ids), codes),
        )
        return np.sort(codes[:n])

    def displaced(self) -> tuple[Words, Places]:
        """Return the codes of stored pairs that some bucket no longer holds, and their centres."""
        parts = [
            (group, part)
            for group in (self.by_bucket, self.by_numbers)
            for part in displaced_pairs(group, self.rules.centres)
        ]
        is_centre = np.zeros(self.n_articles, np.bool_)
        for group, (one, _) in parts:
            is_centre[group.articles[one]] = True
        return self._codes(parts), np.flatnonzero(is_centre)

    def promoted(self) -> Places:
        """Return the stored articles that become centres when the new ones leave."""
        groups = (self.by_bucket, self.by_numbers)
        return np.unique(np.concatenate([promoted(g, self.rules.centres) for g in groups]))

    def held(self, pairs: Words) -> NDArray[np.bool_]:
        """Return of pairs of other articles, ids uint64 [n, 2, 2], whether they are compared."""
        ends = place_of(pairs.reshape(-1, 2), self.ids).reshape(-1, 2)
        is_held = np.zeros(len(pairs), np.bool_)
        known = np.flatnonzero((ends >= 0).all(axis=1))
        sought = pair_codes(ends[known, 0], ends[known, 1], len(self.ids))
        wanted = ValueSet(_spread(sought), sought.size)
        for group, (one, other) in self._new_pairs():
            ones, others = self._place[group.articles[one]], self._place[group.articles[other]]
            codes = pair_codes(ones, others, len(self.ids))
            is_held[known[wanted.numbered_in(_spread(codes))[1]]] = True
        return is_held

    def _new_pairs(self) -> Iterator[tuple[Grouping, tuple[Places, Places]]]:
        for group in (self.by_bucket, self.by_numbers):
            for part in new_pairs(group, self.rules.centres):
                yield group, part

    def _codes(self, parts: Iterable[tuple[Grouping, tuple[Places, Places]]]) -> Words:
        found, n_found = [np.empty(0, np.uint64)], 0
        for group, (one, other) in parts:
            ones, others = self._place[group.articles[one]], self._place[group.articles[other]]
            kinds = self._kinds[group is self.by_numbers][group.buckets[one]]
            found.append(pair_codes(ones, others, len(self.ids)) << KIND_BITS | kinds)
            n_found += one.size
            if n_found > _MOST_CODES:
                found = [cheapest(np.concatenate(found))]
                n_found = found[0].size // 2
        return cheapest(np.concatenate(found))

    def hot(self) -> tuple[HotBucket, ...]:
        """Return the hot buckets, the largest first, each with its first centre."""
        group = self.by_bucket
        first = np.flatnonzero((group.rank == 0) & (group.sizes > self.rules.hot_bucket))
        first = first[np.lexsort((self._words[group.buckets[first]], -group.sizes[first]))]
        examples = ids_of(self._ids_by_rank[group.articles[first]]).to_pylist()
        kinds, sizes = self._kinds[0][group.buckets[first]].tolist(), group.sizes[first].tolist()
        return tuple(
            HotBucket(KINDS[kind], size, example)
            for kind, size, example in zip(kinds, sizes, examples, strict=True)
        )

    def taken(self, articles: Places) -> pa.Table:
        """Return what a meeting reads of some articles (ranks)."""
        pieces, rows = self._piece[articles], self._row[articles]
        parts = [
            self._pieces[number].rows.select(MET_BY).take(pa.array(np.sort(rows[pieces == number])))
            for number in np.unique(pieces).tolist()
        ]
        return pa.concat_tables(parts).combine_chunks()


def _spread(codes: Places | Words) -> Words:
    """Return numbers that lie close together as words all over, one for each."""
    return codes.view(np.uint64) * _ODD


def pair_codes(ones: Places, others: Places, n_articles: int) -> Words:
    """Return pairs of articles by place, the smaller first, as one number each."""
    codes = np.minimum(ones, others) * n_articles + np.maximum(ones, others)
    return codes.astype(np.uint64)


def cheapest(codes: Words) -> Words:
    """Return each pair once, with its cheapest kind, sorted."""
    codes = np.sort(codes)
    pair = codes >> KIND_BITS
    distinct: Words = codes[np.append(True, pair[1:] != pair[:-1])[: codes.size]]
    return distinct


def unpacked(codes: Words, n_articles: int) -> tuple[Places, NDArray[np.int64]]:
    """Return pairs [n, 2] of articles by place, the smaller first, and their kinds [n]."""
    pair = (codes >> KIND_BITS).astype(np.int64)
    pairs = np.stack(np.divmod(pair, max(n_articles, 1)), axis=1)
    return pairs, (codes & _KIND_MASK).astype(np.int64)
