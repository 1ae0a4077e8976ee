"""Candidate pairs of a batch: with itself and with the history, by shared bucket.

Buckets are the 32 bands of a signature, the key hash, the passages, and inside one source and day
the headline and what short texts have of their own (`short_texts`). The result is a function of
the set of articles: the candidates of all batches together, less the pairs that lapse on the way
(`bucket_pairs`), are those of one batch of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.contracts import conform
from pipeline.dedup.bucket_pairs import Places
from pipeline.dedup.entries import KINDS, BandRules, Holders, Piece
from pipeline.dedup.mapped import IdSet, Words, id_words, ids_of
from pipeline.dedup.meeting import MET_BY, HotBucket, Meeting, unpacked
from pipeline.interim import KEYS, PAIRS

__all__ = ["BandRules", "Candidates", "HotBucket", "find_candidates", "search"]

_KIND_BITS = np.uint64(3)
_KIND_MASK = np.uint64(7)

_MOST_PARTS = 8
"""So many parts of pairs, each sorted, are kept before equal ones of all fall together."""


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
    meeting = Meeting(batch, pieces, rules)
    lapsed = _lapsed(batch, pieces, meeting, rules)
    pairs = _with_promoted(_pairs_table(meeting), batch, pieces, rules)
    return Candidates(pairs, lapsed, meeting.hot(), meeting.passages)


def _lapsed(
    batch: pa.Table, pieces: Sequence[Piece], meeting: Meeting, rules: BandRules
) -> pa.Table:
    """Return which stored pairs no bucket holds any more, now that centres were displaced."""
    codes, centres = meeting.displaced()
    pairs, _ = unpacked(codes, len(meeting.ids))
    if len(pairs):
        # Another bucket may hold a pair still: the displaced centres meet everything once more.
        again = _held(meeting.taken(centres), pieces, batch, rules)
        pairs = pairs[~again.held(meeting.ids[pairs])]
    return _id_pairs(meeting.ids, pairs)


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
    meeting = Meeting(leaving, pieces, rules)
    promoted = meeting.promoted()
    if not promoted.size:
        return pairs
    again = meeting.taken(promoted)
    before = _pairs_table(_held(again, pieces, leaving, rules))
    found = _without(_pairs_table(_held(again, pieces, batch, rules)), before)
    more = conform(_without(found, pairs), PAIRS)
    return conform(pa.concat_tables([pairs, more]), PAIRS)


def _leaving(pieces: Sequence[Piece]) -> pa.Table:
    """Return the KEYS rows that newer ones stand for."""
    rows = [KEYS.schema.empty_table().select(MET_BY)]
    for piece in pieces:
        if piece.ignored_rows.size:
            found = piece.rows.take(pa.array(piece.ignored_rows))
            rows.append(found.select(MET_BY))
    return pa.concat_tables(rows).combine_chunks()


def _held(
    articles: pa.Table, pieces: Sequence[Piece], others: pa.Table, rules: BandRules
) -> Meeting:
    """Return the meeting of some stored articles with all stored ones and with `others`."""
    ids = id_words(articles["article_id"])
    known = IdSet(ids)
    # All pieces ignore the same articles.
    ignored = IdSet(np.concatenate((pieces[0].ignored.ids, ids))) if pieces else known
    rest = [Piece(piece.rows, ignored) for piece in pieces]
    return Meeting(articles, [*rest, Piece(others, known)], rules)


def _without(pairs: pa.Table, others: pa.Table) -> pa.Table:
    """Return the pairs that are not among the others, sorted."""
    ends = ["left_id", "right_id"]
    return pairs.join(others.select(ends), ends, join_type="left anti").sort_by(
        [(end, "ascending") for end in ends]
    )


def _id_pairs(ids: Words, pairs: Places) -> pa.Table:
    """Return left_id and right_id of pairs of places in `ids` (sorted)."""
    return pa.table({"left_id": ids_of(ids[pairs[:, 0]]), "right_id": ids_of(ids[pairs[:, 1]])})


def _pairs_table(meeting: Meeting) -> pa.Table:
    """Return the PAIRS of a meeting."""
    ids = meeting.ids
    pairs, kinds = unpacked(meeting.pairs(), len(ids))
    is_other = (ids[pairs[:, 0]] != ids[pairs[:, 1]]).any(axis=1)
    table = _id_pairs(ids, pairs[is_other])
    found_by = pa.array(KINDS, pa.string()).take(pa.array(kinds[is_other]))
    return conform(table.append_column("found_by", found_by), PAIRS)
