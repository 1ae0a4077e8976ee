"""Candidate pairs of a batch: with itself and with the history, by shared bucket.

Buckets are the 32 bands of a signature, the key hash, the passages, and inside one source and day
the headline and what short texts have of their own (`short_texts`). The result is a function of
the set of articles: the candidates of all batches together, less the pairs that lapse on the way
(`bucket_pairs`), are those of one batch of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contracts import conform
from pipeline.dedup.bucket_pairs import (
    Grouping,
    Places,
    displaced_pairs,
    grouped,
    new_pairs,
    priorities,
    promoted_rows,
)
from pipeline.dedup.entries import (
    KINDS,
    BandRules,
    Entries,
    Holders,
    Piece,
    Sought,
    concatenated,
    entries_in,
    entries_of,
)
from pipeline.dedup.mapped import (
    IdSet,
    Words,
    id_words,
    ids_of,
    place_of,
    repeated_places,
)
from pipeline.interim import KEYS, PAIRS
from pipeline.text.mixing import mix64

__all__ = ["BandRules", "Candidates", "HotBucket", "find_candidates", "search"]

_KIND_BITS = np.uint64(3)
_KIND_MASK = np.uint64(7)

_MOST_PARTS = 8
"""So many parts of pairs, each sorted, are kept before equal ones of all fall together."""


class HotBucket(NamedTuple):
    """A bucket that more than `hot_bucket` articles share."""

    kind: str
    n_articles: int
    example_id: bytes


@dataclass(frozen=True)
class Candidates:
    """What a search found."""

    pairs: pa.Table
    """PAIRS with an article of the batch, and those of stored articles that meet only now that a
    revision has left their bucket."""
    lapsed: pa.Table
    """left_id, right_id of stored articles that were compared while their buckets were smaller and
    would no longer be: an edge between them is no part of what the whole set gives."""
    hot_buckets: tuple[HotBucket, ...]
    passages: tuple[Holders, ...] = ()
    """Of each chunk of the history: what it holds of the passages of the batch and of the articles
    that the batch replaces, and the rows that do."""


def find_candidates(batch: pa.Table, history: Sequence[pa.Table], rules: BandRules) -> pa.Table:
    """Return the PAIRS that a batch brings; see `search` for what lapses.

    Args:
        batch: KEYS; one row an article.
        history: KEYS segments, memory-mapped or not; one row an article over all of them. Rows
            of articles that `batch` holds are stale and are ignored.
        rules: how much of a large bucket is compared, which texts are short.
    """
    return search(batch, history, rules).pairs


def search(batch: pa.Table, history: Sequence[pa.Table], rules: BandRules) -> Candidates:
    """Return candidates, lapsed pairs and hot buckets; arguments as in `find_candidates`."""
    stale = IdSet(id_words(batch["article_id"]))
    pieces = [
        Piece(pa.Table.from_batches([chunk]), stale)
        for segment in history
        for chunk in segment.to_batches()
        if len(chunk)
    ]
    batch = batch.combine_chunks()
    meeting = _meet(batch, pieces, rules)
    lapsed = _lapsed(batch, pieces, meeting, rules)
    pairs = _with_promoted(_pairs_table(meeting), batch, pieces, rules)
    return Candidates(pairs, lapsed, meeting.hot(), meeting.entries.passages)


class _Meeting:
    """The entries of a batch and of everything that shares a bucket with it, by bucket."""

    def __init__(
        self, entries: Entries, n_new: int, pieces: Sequence[Piece], rules: BandRules
    ) -> None:
        self.entries, self.pieces, self.rules = entries, pieces, rules
        self._n_new = n_new
        self._is_new = entries.articles < n_new
        # In pairs an article is its place in the order of ids: sorted pairs are so by id.
        order = np.lexsort((entries.ids[:, 1], entries.ids[:, 0]))
        self.ids = entries.ids[order]
        self._place = np.empty(order.size, np.int64)
        self._place[order] = np.arange(order.size)
        self._rank = np.empty(order.size, np.int64)
        self._rank[np.argsort(priorities(entries.ids), kind="stable")] = np.arange(order.size)
        # Most buckets hold one article, which meets nobody there.
        shared = repeated_places(entries.buckets, n_new)
        self.by_bucket = self._grouped(entries.buckets[shared], shared)
        is_large = self.by_bucket.sizes > rules.centres.of(self.by_bucket.sizes) + 1
        # Inside a large bucket, articles with the same numbers make a bucket of their own: two
        # copies of one weather report meet among a thousand reports.
        self.by_numbers = self._grouped(*self._numbered(np.sort(self.by_bucket.rows[is_large])))

    def _grouped(self, buckets: Words, rows: Places) -> Grouping:
        return grouped(buckets, self._rank[self.entries.articles[rows]], self._is_new[rows], rows)

    def _numbered(self, rows: Places) -> tuple[Words, Places]:
        """Return entries of large buckets that have the numbers of a new article, and buckets.

        Of articles of a template most have numbers that no other has.
        """
        articles = np.unique(self.entries.articles[rows])
        words = np.zeros(articles.size, np.uint64)
        pieces, piece_rows = self.entries.piece[articles], self.entries.row[articles]
        for number in np.unique(pieces).tolist():
            here = pieces == number
            column = self.pieces[number].rows["numbers_hash"].take(pa.array(piece_rows[here]))
            words[here] = column.to_numpy()
        is_met = np.isin(words, words[articles < self._n_new])
        of_article = np.zeros(len(self.ids), np.uint64)
        of_article[articles] = mix64(words)
        kept = np.zeros(len(self.ids), np.bool_)
        kept[articles[is_met]] = True
        rows = rows[kept[self.entries.articles[rows]]]
        return mix64(self.entries.buckets[rows] ^ of_article[self.entries.articles[rows]]), rows

    def pairs(self) -> Words:
        """Return the codes of all pairs to compare that have a new article, sorted."""
        rule, groups = self.rules.centres, (self.by_bucket, self.by_numbers)
        return self._codes(part for group in groups for part in new_pairs(group, rule))

    def displaced(self) -> tuple[Words, Places]:
        """Return the codes of stored pairs that some bucket no longer holds, and their centres."""
        is_centre, parts = np.zeros(len(self.ids), np.bool_), []
        for group in (self.by_bucket, self.by_numbers):
            for one, other in displaced_pairs(group, self.rules.centres):
                is_centre[self.entries.articles[one]] = True
                parts.append((one, other))
        return self._codes(parts), np.flatnonzero(is_centre)

    def promoted(self) -> Places:
        """Return the stored articles that become centres when the new ones leave."""
        rows = [
            promoted_rows(group, self.rules.centres) for group in (self.by_bucket, self.by_numbers)
        ]
        return np.unique(self.entries.articles[np.concatenate(rows)])

    def _codes(self, parts: Iterable[tuple[Places, Places]]) -> Words:
        found, places = [np.empty(0, np.uint64)], self._place[self.entries.articles]
        for one, other in parts:
            codes = _code(places[one], places[other], len(self.ids))
            found.append(_cheapest(codes << _KIND_BITS | self.entries.kinds[one]))
            if len(found) > _MOST_PARTS:
                found = [_cheapest(np.concatenate(found))]
        return _cheapest(np.concatenate(found)) if len(found) > 2 else found[-1]

    def hot(self) -> tuple[HotBucket, ...]:
        """Return the hot buckets, the largest first, each with its first centre."""
        group, entries = self.by_bucket, self.entries
        first = np.flatnonzero((group.rank == 0) & (group.sizes > self.rules.hot_bucket))
        first = first[np.argsort(-group.sizes[first], kind="stable")]
        rows = group.rows[first]
        examples = ids_of(entries.ids[entries.articles[rows]]).to_pylist()
        kinds, sizes = entries.kinds[rows].tolist(), group.sizes[first].tolist()
        return tuple(
            HotBucket(KINDS[kind], size, example)
            for kind, size, example in zip(kinds, sizes, examples, strict=True)
        )


def _meet(new: pa.Table, pieces: Sequence[Piece], rules: BandRules) -> _Meeting:
    """Return the meeting of the KEYS `new` with every piece."""
    own = entries_of(new, rules)
    sought = Sought(new, own, pieces, rules)
    found = [entries_in(piece, n + 1, sought, rules) for n, piece in enumerate(pieces)]
    everything = [Piece(new, IdSet(np.empty((0, 2), np.uint64))), *pieces]
    return _Meeting(concatenated([own, *found]), new.num_rows, everything, rules)


def _lapsed(
    batch: pa.Table, pieces: Sequence[Piece], meeting: _Meeting, rules: BandRules
) -> pa.Table:
    """Return which stored pairs no bucket holds any more, now that centres were displaced."""
    codes, centres = meeting.displaced()
    pairs, _ = _unpacked(codes, len(meeting.ids))
    if len(pairs):
        # Another bucket may hold a pair still: the displaced centres meet everything once more.
        again = _held(_taken(meeting, centres), pieces, batch, rules)
        pairs = _without_pairs(pairs, meeting.ids, again)
    return _id_pairs(meeting.ids, pairs)


def _without_pairs(pairs: Places, ids: Words, others: _Meeting) -> Places:
    """Return the pairs [n, 2] of places in `ids` that are none of another meeting; both sorted."""
    place = place_of(others.ids, ids)
    held = place[_unpacked(others.pairs(), len(others.ids))[0]]
    held = held[(held >= 0).all(axis=1)]
    codes, known = (_code(p[:, 0], p[:, 1], len(ids)) for p in (pairs, held))
    nearest = np.searchsorted(known, codes)
    nearest[nearest == known.size] = 0
    found: Places = pairs[known[nearest] != codes] if known.size else pairs
    return found


def _with_promoted(
    pairs: pa.Table, batch: pa.Table, pieces: Sequence[Piece], rules: BandRules
) -> pa.Table:
    """Return PAIRS with those of stored articles that a leaving centre makes centres.

    A revised article leaves the buckets of its earlier text. Where it was a centre, or where the
    bucket grows small, others take its place: what they meet now and did not meet before.
    """
    leaving = _leaving(pieces)
    if not leaving.num_rows:
        return pairs
    meeting = _meet(leaving, pieces, rules)
    promoted = meeting.promoted()
    if not promoted.size:
        return pairs
    again = _taken(meeting, promoted)
    before = _pairs_table(_held(again, pieces, leaving, rules))
    found = _without(_pairs_table(_held(again, pieces, batch, rules)), before)
    more = conform(_without(found, pairs), PAIRS)
    return conform(pa.concat_tables([pairs, more]), PAIRS)


def _leaving(pieces: Sequence[Piece]) -> pa.Table:
    """Return the KEYS rows that newer ones stand for."""
    rows = [KEYS.schema.empty_table()]
    for piece in pieces:
        if piece.ignored_rows.size:
            found = piece.rows.take(pa.array(piece.ignored_rows))
            rows.append(found.select(KEYS.schema.names))
    return pa.concat_tables(rows).combine_chunks()


def _held(
    articles: pa.Table, pieces: Sequence[Piece], others: pa.Table, rules: BandRules
) -> _Meeting:
    """Return the meeting of some stored articles with all stored ones and with `others`."""
    ids = id_words(articles["article_id"])
    known = IdSet(ids)
    # All pieces ignore the same articles.
    ignored = IdSet(np.concatenate((pieces[0].ignored.ids, ids))) if pieces else known
    rest = [Piece(piece.rows, ignored) for piece in pieces]
    return _meet(articles, [*rest, Piece(others, known)], rules)


def _without(pairs: pa.Table, others: pa.Table) -> pa.Table:
    """Return the pairs that are not among the others, sorted."""
    ends = ["left_id", "right_id"]
    return pairs.join(others.select(ends), ends, join_type="left anti").sort_by(
        [(end, "ascending") for end in ends]
    )


def _taken(meeting: _Meeting, articles: Places) -> pa.Table:
    """Return the KEYS rows of articles (sorted numbers), in that order."""
    pieces, rows = meeting.entries.piece[articles], meeting.entries.row[articles]
    parts = [
        meeting.pieces[number].rows.take(pa.array(rows[pieces == number]))
        for number in np.unique(pieces).tolist()
    ]
    return pa.concat_tables(parts).select(KEYS.schema.names).combine_chunks()


def _code(ones: Places, others: Places, n_articles: int) -> Words:
    """Return pairs of articles by place, the smaller first, as one number each."""
    codes = np.minimum(ones, others) * n_articles + np.maximum(ones, others)
    return codes.astype(np.uint64)


def _cheapest(codes: Words) -> Words:
    """Return each pair once, with its cheapest kind, sorted."""
    codes = np.sort(codes)
    pair = codes >> _KIND_BITS
    distinct: Words = codes[np.append(True, pair[1:] != pair[:-1])[: codes.size]]
    return distinct


def _unpacked(codes: Words, n_articles: int) -> tuple[Places, NDArray[np.int64]]:
    """Return pairs [n, 2] of articles by place, the smaller first, and their kinds [n]."""
    pair = (codes >> _KIND_BITS).astype(np.int64)
    pairs = np.stack(np.divmod(pair, max(n_articles, 1)), axis=1)
    return pairs, (codes & _KIND_MASK).astype(np.int64)


def _id_pairs(ids: Words, pairs: Places) -> pa.Table:
    """Return left_id and right_id of pairs of places in `ids` (sorted)."""
    return pa.table({"left_id": ids_of(ids[pairs[:, 0]]), "right_id": ids_of(ids[pairs[:, 1]])})


def _pairs_table(meeting: _Meeting) -> pa.Table:
    """Return the PAIRS of a meeting."""
    ids = meeting.ids
    pairs, kinds = _unpacked(meeting.pairs(), len(ids))
    is_other = (ids[pairs[:, 0]] != ids[pairs[:, 1]]).any(axis=1)
    table = _id_pairs(ids, pairs[is_other])
    found_by = pa.array(KINDS, pa.string()).take(pa.array(kinds[is_other]))
    return conform(table.append_column("found_by", found_by), PAIRS)
