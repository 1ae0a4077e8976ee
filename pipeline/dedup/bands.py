"""Candidate pairs of a batch: with itself and with the history, by shared bucket.

Buckets are the 32 bands of a signature, the key hash, and for short texts a few of their own
(`short_texts`). The result is a function of the set of articles: the candidates of all batches
together, less the pairs that lapse as buckets grow hot, are those of one batch of everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contracts import conform
from pipeline.dedup.entries import (
    KINDS,
    BandRules,
    Entries,
    Piece,
    Scope,
    concatenated,
    entries_in,
    entries_of,
    number_words,
    short_rows,
)
from pipeline.dedup.hot_buckets import cells, hot_levels, partition_words
from pipeline.dedup.mapped import ValueSet, Words, id_words, ids_of
from pipeline.interim import KEYS, PAIRS
from pipeline.text.mixing import mix64

__all__ = ["BandRules", "Candidates", "HotBucket", "find_candidates", "search"]

# Pairs expanded at a time: 4 million take 100 MB before equal ones fall together.
_PAIRS_AT_A_TIME = 4_000_000
_KIND_BITS = np.uint64(2)


class HotBucket(NamedTuple):
    """A bucket that more than `hot_bucket` articles share."""

    kind: str
    n_articles: int
    example_id: bytes


@dataclass(frozen=True)
class Candidates:
    """What a search found."""

    pairs: pa.Table
    """PAIRS with at least one article of the batch."""
    lapsed: pa.Table
    """left_id, right_id of stored articles that were compared while their buckets were smaller and
    no longer are: an edge between them is no part of the final choice."""
    hot_buckets: tuple[HotBucket, ...]


def find_candidates(batch: pa.Table, history: Sequence[pa.Table], rules: BandRules) -> pa.Table:
    """Return the PAIRS that have an article of `batch`; see `search` for what lapses.

    Args:
        batch: KEYS; one row an article.
        history: KEYS segments, memory-mapped or not; one row an article over all of them. Rows
            of articles that `batch` holds are stale and are ignored.
        rules: when a bucket is hot, which texts are short.
    """
    return search(batch, history, rules).pairs


def search(batch: pa.Table, history: Sequence[pa.Table], rules: BandRules) -> Candidates:
    """Return candidates, lapsed pairs and hot buckets; arguments as in `find_candidates`."""
    stale = id_words(batch["article_id"])
    pieces = [
        Piece(pa.Table.from_batches([chunk]), stale) for t in history for chunk in t.to_batches()
    ]
    batch = batch.combine_chunks()
    meeting = _meet(batch, pieces, rules)
    lapsed = _lapsed(batch, pieces, meeting, rules)
    return Candidates(_pairs_table(meeting), lapsed, meeting.hot())


class _Meeting:
    """The entries of a batch and of everything that shares a bucket with it, by bucket."""

    def __init__(
        self, entries: Entries, n_new: int, pieces: Sequence[Piece], rules: BandRules
    ) -> None:
        self.entries, self.n_new, self.pieces, self.rules = entries, n_new, pieces, rules
        is_stored = entries.articles >= n_new
        self.sizes, self.sizes_before = _group_sizes(entries.buckets, is_stored)
        self.hot_rows = hot = np.flatnonzero(self.sizes > rules.hot_bucket)
        self.places = partition_words(entries.ids)
        # Inside a hot bucket, articles with the same numbers make a bucket of their own: two
        # copies of one weather report meet among a thousand reports.
        self.numbered = self._numbered(hot)
        self.numbered_sizes, self.numbered_before = _group_sizes(self.numbered, is_stored[hot])

    def _numbered(self, hot: NDArray[np.int64]) -> Words:
        articles, inverse = np.unique(self.entries.articles[hot], return_inverse=True)
        words = np.zeros(articles.size, np.uint64)
        pieces, rows = self.entries.piece[articles], self.entries.row[articles]
        for number in np.unique(pieces).tolist():
            here = pieces == number
            column = self.pieces[number].rows["numbers"].take(pa.array(rows[here]))
            words[here] = number_words(column.combine_chunks())
        return mix64(self.entries.buckets[hot] ^ mix64(words[inverse]))

    def pairs(self) -> Words:
        """Return the codes of all pairs with a new article."""
        entries, hot = self.entries, self.hot_rows
        cold = np.flatnonzero((self.sizes > 1) & (self.sizes <= self.rules.hot_bucket))
        groups = [(entries.buckets[cold], cold)]
        groups += self._chosen(entries.buckets[hot], hot, self.sizes[hot])
        groups += self._chosen(self.numbered, hot, self.numbered_sizes)
        return self._expand(groups, self.n_new)

    def pairs_before(self) -> Words:
        """Return the codes of stored pairs that some bucket held before this batch grew it."""
        hot = self.hot_rows
        stored = self.entries.articles[hot] >= self.n_new
        groups: list[tuple[Words, NDArray[np.int64]]] = []
        for buckets, before, after in (
            (self.entries.buckets[hot], self.sizes_before[hot], self.sizes[hot]),
            (self.numbered, self.numbered_before, self.numbered_sizes),
        ):
            limit = self.rules.hot_bucket
            crosses = stored & (hot_levels(before, limit) < hot_levels(after, limit))
            groups += self._chosen(buckets[crosses], hot[crosses], before[crosses])
        return self._expand(groups, self.entries.row.size)

    def _chosen(
        self, buckets: Words, rows: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> list[tuple[Words, NDArray[np.int64]]]:
        """Return buckets within the limit as they are and the cells of the larger ones."""
        small = sizes <= self.rules.hot_bucket
        large = rows[~small]
        levels = hot_levels(sizes[~small], self.rules.hot_bucket)
        split = cells(buckets[~small], self.places[self.entries.articles[large]], levels)
        return [(buckets[small], rows[small]), *((cell, large) for cell in split)]

    def _expand(self, groups: list[tuple[Words, NDArray[np.int64]]], n_new: int) -> Words:
        buckets = np.concatenate([bucket for bucket, _ in groups])
        rows = np.concatenate([row for _, row in groups])
        kinds, articles = self.entries.kinds[rows], self.entries.articles[rows]
        return _pairs_within(buckets, kinds, articles, n_new, self.entries.row.size)

    def hot(self) -> tuple[HotBucket, ...]:
        """Return the hot buckets, the largest first, each with its smallest id."""
        rows, entries = self.hot_rows, self.entries
        ids = entries.ids[entries.articles[rows]]
        rows = rows[np.lexsort((ids[:, 1], ids[:, 0], entries.buckets[rows]))]
        buckets = entries.buckets[rows]
        first = rows[np.append(True, buckets[1:] != buckets[:-1])[: buckets.size]]
        first = first[np.argsort(-self.sizes[first], kind="stable")]
        examples = ids_of(entries.ids[entries.articles[first]]).to_pylist()
        kinds, sizes = entries.kinds[first].tolist(), self.sizes[first].tolist()
        return tuple(
            HotBucket(KINDS[kind], size, example)
            for kind, size, example in zip(kinds, sizes, examples, strict=True)
        )


def _meet(new: pa.Table, pieces: Sequence[Piece], rules: BandRules) -> _Meeting:
    """Return the meeting of the KEYS `new` with every piece."""
    own = entries_of(new, rules)
    wanted = ValueSet(own.buckets)
    shorts = short_rows(new, rules)
    scope = Scope(new.take(pa.array(shorts))) if shorts.size else None
    found = [entries_in(piece, n + 1, wanted, scope, rules) for n, piece in enumerate(pieces)]
    everything = [Piece(new, np.empty((0, 2), np.uint64)), *pieces]
    return _Meeting(concatenated([own, *found]), new.num_rows, everything, rules)


def _lapsed(
    batch: pa.Table, pieces: Sequence[Piece], meeting: _Meeting, rules: BandRules
) -> pa.Table:
    """Return which stored pairs no bucket holds any more, now that some are larger."""
    ids = meeting.entries.ids
    pairs, _ = _unpacked(meeting.pairs_before(), len(ids))
    articles = np.unique(pairs)
    if not articles.size:
        return _id_pairs(ids, pairs)
    # Another bucket may hold a pair still: the articles meet everything once more.
    again = _taken(meeting, articles)
    known = id_words(again["article_id"])
    others = [Piece(p.rows, np.concatenate((p.ignored, known))) for p in pieces]
    second = _meet(again, [*others, Piece(batch, known)], rules)
    held, _ = _unpacked(second.pairs(), second.entries.row.size)
    held = held[(held < articles.size).all(axis=1)]
    codes = _code(np.searchsorted(articles, pairs), articles.size)
    return _id_pairs(ids, pairs[~np.isin(codes, _code(held, articles.size))])


def _taken(meeting: _Meeting, articles: NDArray[np.int64]) -> pa.Table:
    """Return the KEYS rows of articles (sorted numbers), in that order."""
    pieces, rows = meeting.entries.piece[articles], meeting.entries.row[articles]
    parts = [
        meeting.pieces[number].rows.take(pa.array(rows[pieces == number]))
        for number in np.unique(pieces).tolist()
    ]
    return pa.concat_tables(parts).select(KEYS.schema.names).combine_chunks()


def _group_sizes(
    buckets: Words, counted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each entry how many entries, and how many counted ones, share its bucket."""
    _, group = np.unique(buckets, return_inverse=True)
    everyone = np.bincount(group, minlength=1)[group]
    return everyone, np.bincount(group[counted], minlength=buckets.size)[group]


def _pairs_within(
    buckets: Words,
    kinds: NDArray[np.uint8],
    articles: NDArray[np.int64],
    n_new: int,
    n_articles: int,
) -> Words:
    """Return the codes of all pairs that share a bucket and have an article below `n_new`.

    A code is `_code` * 4 + kind; of equal pairs the one with the cheapest kind stays.
    """
    order = np.lexsort((articles >= n_new, buckets))
    buckets, kinds, articles = buckets[order], kinds[order], articles[order]
    starts = np.flatnonzero(np.append(True, buckets[1:] != buckets[:-1])[: buckets.size])
    sizes = np.diff(np.append(starts, buckets.size))
    ends = np.repeat(starts + sizes, sizes)
    left = np.flatnonzero(articles < n_new)
    n_partners = ends[left] - left - 1
    total = np.append(0, np.cumsum(n_partners))
    codes, start = np.empty(0, np.uint64), 0
    while start < left.size:
        stop = int(np.searchsorted(total, total[start] + _PAIRS_AT_A_TIME, side="right")) - 1
        stop = min(max(stop, start + 1), left.size)
        one = np.repeat(left[start:stop], n_partners[start:stop])
        within = (
            np.arange(one.size)
            + total[start]
            - np.repeat(total[start:stop], n_partners[start:stop])
        )
        both = np.sort(articles[np.stack((one, one + within + 1), axis=1)], axis=1)
        found = _code(both, n_articles) << _KIND_BITS | kinds[one]
        codes = _cheapest(np.concatenate((codes, found)))
        start = stop
    return codes


def _code(pairs: NDArray[np.int64], n_articles: int) -> Words:
    """Return pairs [n, 2] of article numbers as one sortable number each."""
    codes: Words = (pairs[:, 0] * n_articles + pairs[:, 1]).astype(np.uint64)
    return codes


def _cheapest(codes: Words) -> Words:
    """Return each pair once, with its cheapest kind, sorted."""
    codes = np.sort(codes)
    pair = codes >> _KIND_BITS
    distinct: Words = codes[np.append(True, pair[1:] != pair[:-1])[: codes.size]]
    return distinct


def _unpacked(codes: Words, n_articles: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs [n, 2] of article numbers and their kinds [n]."""
    pair = (codes >> _KIND_BITS).astype(np.int64)
    pairs = np.stack(np.divmod(pair, max(n_articles, 1)), axis=1)
    return pairs, (codes & np.uint64(3)).astype(np.int64)


def _id_pairs(ids: Words, pairs: NDArray[np.int64]) -> pa.Table:
    """Return left_id and right_id, the smaller first, of pairs of article numbers."""
    one, other = ids[pairs[:, 0]], ids[pairs[:, 1]]
    is_ordered = (one[:, 0] < other[:, 0]) | (
        (one[:, 0] == other[:, 0]) & (one[:, 1] < other[:, 1])
    )
    left = np.where(is_ordered[:, None], one, other)
    right = np.where(is_ordered[:, None], other, one)
    return pa.table({"left_id": ids_of(left), "right_id": ids_of(right)})


def _pairs_table(meeting: _Meeting) -> pa.Table:
    """Return the PAIRS of a meeting."""
    ids = meeting.entries.ids
    pairs, kinds = _unpacked(meeting.pairs(), len(ids))
    is_other = (ids[pairs[:, 0]] != ids[pairs[:, 1]]).any(axis=1)
    table = _id_pairs(ids, pairs[is_other])
    found_by = pa.array(np.array(KINDS)[kinds[is_other]], pa.string())
    return conform(table.append_column("found_by", found_by), PAIRS)
