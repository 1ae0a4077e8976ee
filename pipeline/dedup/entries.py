"""Entries: which article stands in which bucket, for a batch and for what the history shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.bucket_pairs import CentreRule
from pipeline.dedup.mapped import IdSet, ValueSet, Words, id_words, words_of
from pipeline.dedup.short_texts import Days, short_buckets, title_buckets
from pipeline.text.shingles import STORY, ShingleProfile

KINDS = ("key", "title", "short", "passage", "band")
"""Why two articles meet, the cheapest reason first: in the order of `found_of`."""

Holders = tuple[Words, NDArray[np.int64]]
"""Some passages that a chunk of KEYS holds, and the row that holds each."""

Found = tuple[Words, NDArray[np.int64]]
"""Buckets, and the row that stands in each."""

Numbered = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Numbers of buckets, and the row that stands in each."""


@dataclass(frozen=True)
class BandRules:
    """What makes two articles candidates."""

    centres: CentreRule = field(default_factory=CentreRule)
    """How many articles of a bucket every other one is compared with."""
    hot_bucket: int = 200
    """Buckets of more articles are reported."""
    short_shingles: int = 60
    """Below this size texts also meet by short buckets: 50, what is not signed, over Jaccard 0.85,
    so that a flash of 45 shingles meets the same flash of 52."""
    profile: ShingleProfile = STORY


@dataclass(frozen=True)
class Piece:
    """Some KEYS rows of one chunk a column, and the articles in it that are to be ignored."""

    rows: pa.Table
    ignored: IdSet
    """Articles that newer rows stand for."""

    @cached_property
    def ignored_rows(self) -> NDArray[np.int64]:
        """The rows of those articles, ascending."""
        return self.ignored.rows_in(self.rows["article_id"])


@dataclass(frozen=True)
class Entries:
    """Entries of articles 0..n of one piece, each a (bucket, article)."""

    buckets: NDArray[np.int32]
    """Numbers that `Sought` gives to buckets of the batch."""
    articles: NDArray[np.int32]
    ids: Words
    row: NDArray[np.int64]
    """Of each article."""
    passages: Holders
    """What the piece holds of the passages of the batch and of ignored articles, and the rows that
    do, ignored ones too."""


def short_rows(articles: pa.Table, rules: BandRules) -> NDArray[np.int64]:
    """Return the rows that meet by short buckets; an empty key meets nothing."""
    n_shingles = articles["n_shingles"].to_numpy()
    return np.flatnonzero((n_shingles > 0) & (n_shingles < rules.short_shingles))


class Sought:
    """The buckets in which a batch stands, and what the history is looked through for.

    The number of a bucket is the place of its first entry, of the cheapest kind, in the batch.
    """

    own: Numbered
    """The bucket and the row of each entry of the batch."""
    words: Words
    """The bucket at each number."""
    kinds: NDArray[np.uint8]
    """Place in `KINDS` of the bucket at each number."""

    def __init__(self, articles: pa.Table, pieces: Sequence[Piece], rules: BandRules) -> None:
        """Take the KEYS of the batch, and the history that will be looked through.

        Passages of ignored articles are sought too, not for the pairs: who prints one of them has
        lost a sighting (`shared`), and the history is looked through once.
        """
        found = found_of(articles, rules)
        words = np.concatenate([words for words, _ in found])
        self.wanted = self.passages = ValueSet(words, articles.num_rows)
        self.words = words
        self.kinds = np.repeat(
            np.arange(len(found), dtype=np.uint8), [rows.size for _, rows in found]
        )
        self.own = self.wanted.numbers(), np.concatenate([rows for _, rows in found])
        self.has_replaced = any(piece.ignored_rows.size for piece in pieces)
        if self.has_replaced:
            replaced = [
                _found_passages(piece.rows.take(pa.array(piece.ignored_rows)))[0]
                for piece in pieces
                if piece.ignored_rows.size
            ]
            self.passages = ValueSet(np.concatenate([words, *replaced]), articles.num_rows)
        self.days = Days(articles["published_at"])
        self.titles = pc.unique(articles["title_key"])
        self.short_sources = pc.unique(
            articles["source_id"].take(pa.array(short_rows(articles, rules)))
        )

    def titled_rows(self, articles: pa.Table, near: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of the rows `near` that have a headline of the batch."""
        return _among_values(articles, "title_key", near, self.titles)

    def short_rows(
        self, articles: pa.Table, near: NDArray[np.int64], rules: BandRules
    ) -> NDArray[np.int64]:
        """Return those of the rows `near` that may be near a short text of the batch."""
        if not len(self.short_sources):
            return near[:0]
        n_shingles = articles["n_shingles"].to_numpy()[near]
        near = near[(n_shingles > 0) & (n_shingles < rules.short_shingles)]
        return _among_values(articles, "source_id", near, self.short_sources)


def _among_values(
    articles: pa.Table, column: str, rows: NDArray[np.int64], values: pa.Array
) -> NDArray[np.int64]:
    """Return those of `rows` that have one of `values` in a column."""
    if not rows.size:
        return rows
    found = pc.is_in(articles[column].take(pa.array(rows)), values)
    among: NDArray[np.int64] = rows[np.asarray(found)]
    return among


def found_of(articles: pa.Table, rules: BandRules) -> list[Found]:
    """Return all buckets of a batch of KEYS and the rows in them, by kind."""
    numbers = np.arange(articles.num_rows)
    signed = numbers[np.asarray(articles["bands"].is_valid())]
    bands = words_of(articles["bands"])
    bands = bands if signed.size == numbers.size else bands[signed]
    keyed = numbers[articles["n_shingles"].to_numpy() > 0]
    return [
        (words_of(articles["key_hash"])[keyed, 0], keyed),
        _found_titles(articles, _titled(articles, numbers)),
        _found_shorts(articles, short_rows(articles, rules), rules),
        _found_passages(articles),
        (bands.reshape(-1), np.repeat(signed, bands.shape[1])),
    ]


def entries_in(piece: Piece, sought: Sought, rules: BandRules) -> Entries:
    """Return the entries of a piece that stand in a bucket of the batch, numbered from 0."""
    articles, wanted = piece.rows, sought.wanted
    # By headline and as short texts articles meet within days alone: hashing the headlines of a
    # million articles takes a second.
    near = sought.days.rows_in(articles["published_at"])
    keyed, key_buckets = wanted.numbered_in(words_of(articles["key_hash"])[:, 0])
    has_text = articles["n_shingles"].to_numpy()[keyed] > 0
    titled = _titled(articles, sought.titled_rows(articles, near))
    shorts = sought.short_rows(articles, near, rules)
    passages, met = _met_passages(articles, sought)
    found = [
        (key_buckets[has_text], keyed[has_text]),
        _among(_found_titles(articles, titled), wanted),
        _among(_found_shorts(articles, shorts, rules), wanted),
        met,
        _met_bands(articles, wanted),
    ]
    return _joined(piece, found, passages)


def _titled(articles: pa.Table, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of `rows` that have a headline and a text."""
    if not rows.size:
        return rows
    few = articles.select(["title_key", "n_shingles"]).take(pa.array(rows))
    has_both = np.asarray(pc.not_equal(few["title_key"], "")) & (few["n_shingles"].to_numpy() > 0)
    titled: NDArray[np.int64] = rows[has_both]
    return titled


def _found_titles(articles: pa.Table, rows: NDArray[np.int64]) -> Found:
    if not rows.size:
        return np.empty(0, np.uint64), rows
    few = articles.select(["source_id", "published_at", "title_key"]).take(pa.array(rows))
    buckets, row = title_buckets(few)
    return buckets, rows[row]


def _found_shorts(articles: pa.Table, rows: NDArray[np.int64], rules: BandRules) -> Found:
    if not rows.size:
        return np.empty(0, np.uint64), rows
    buckets, row = short_buckets(articles.take(pa.array(rows)), rules.profile)
    return buckets, rows[row]


def _found_passages(articles: pa.Table) -> Found:
    words, offsets = _lists(articles)
    return words, np.repeat(np.arange(articles.num_rows), np.diff(offsets))


def _lists(articles: pa.Table) -> tuple[Words, NDArray[np.int64]]:
    """Return the passages of all rows, and where those of each begin."""
    column = articles["passages"]
    # To combine one chunk is to copy it.
    lists = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    offsets = lists.offsets.to_numpy()
    return lists.values.to_numpy()[offsets[0] : offsets[-1]], offsets - offsets[0]


def _met_passages(articles: pa.Table, sought: Sought) -> tuple[Holders, Numbered]:
    """Return what rows hold of the passages sought, and which buckets of the batch that are."""
    words, offsets = _lists(articles)
    places, buckets = sought.passages.numbered_in(words)
    held = words[places]
    rows = np.searchsorted(offsets, places, side="right") - 1
    met = _among((held, rows), sought.wanted) if sought.has_replaced else (buckets, rows)
    return (held, rows), met


def _met_bands(articles: pa.Table, wanted: ValueSet) -> Numbered:
    bands = words_of(articles["bands"])
    places, buckets = wanted.numbered_in(bands)
    rows = places // bands.shape[1]
    if articles["bands"].null_count:
        signed = np.asarray(articles["bands"].is_valid())[rows]
        buckets, rows = buckets[signed], rows[signed]
    return buckets, rows


def _among(found: Found, wanted: ValueSet) -> Numbered:
    words, rows = found
    places, buckets = wanted.numbered_in(words)
    return buckets, rows[places]


def _joined(piece: Piece, found: Sequence[Numbered], passages: Holders) -> Entries:
    """Return what was found in a piece, without the ignored articles."""
    number = np.full(piece.rows.num_rows, -1, np.int32)
    for _, rows in found:
        number[rows] = 0
    used = np.flatnonzero(number == 0)
    ids = id_words(piece.rows["article_id"].take(pa.array(used)))
    is_kept = ~piece.ignored.holds(ids)
    used, ids = used[is_kept], ids[is_kept]
    number[:] = -1
    number[used] = np.arange(used.size)
    articles = np.concatenate([number[rows] for _, rows in found])
    buckets = np.concatenate([buckets for buckets, _ in found]).astype(np.int32)
    if not is_kept.all():
        buckets, articles = buckets[articles >= 0], articles[articles >= 0]
    return Entries(buckets, articles, ids, used, passages)
