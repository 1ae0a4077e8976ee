"""Entries: which article stands in which bucket, for a batch and for what the history shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
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
"""Why two articles meet, the cheapest reason first."""
_KEY, _TITLE, _SHORT, _PASSAGE, _BAND = range(len(KINDS))

Holders = tuple[Words, NDArray[np.int64]]
"""Some passages that a chunk of KEYS holds, and the row that holds each."""

Found = tuple[Words, int, NDArray[np.int64]]
"""Buckets, their kind, and the row that stands in each."""


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
    """Entries of articles 0..n, each a (bucket, kind, article); articles by piece and row."""

    buckets: Words
    kinds: NDArray[np.uint8]
    articles: NDArray[np.int64]
    ids: Words
    piece: NDArray[np.int64]
    row: NDArray[np.int64]
    passages: tuple[Holders, ...] = ()
    """Of each piece of the history: what it holds of the passages of the batch and of ignored
    articles, and the rows that do, ignored ones too."""


_NO_PLACES = np.empty(0, np.int64)
_NO_ENTRIES = Entries(
    np.empty(0, np.uint64),
    np.empty(0, np.uint8),
    _NO_PLACES,
    np.empty((0, 2), np.uint64),
    _NO_PLACES,
    _NO_PLACES,
)


def short_rows(articles: pa.Table, rules: BandRules) -> NDArray[np.int64]:
    """Return the rows that meet by short buckets; an empty key meets nothing."""
    n_shingles = articles["n_shingles"].to_numpy()
    return np.flatnonzero((n_shingles > 0) & (n_shingles < rules.short_shingles))


class Sought:
    """The buckets in which a batch stands, and what the history is looked through for."""

    def __init__(
        self, articles: pa.Table, own: Entries, pieces: Sequence[Piece], rules: BandRules
    ) -> None:
        """Take the KEYS of the batch, their entries, and the history that will be looked through.

        Passages of ignored articles are sought too, not for the pairs: who prints one of them has
        lost a sighting (`shared`), and the history is looked through once.
        """
        self.buckets = self.passages = ValueSet(own.buckets, articles.num_rows)
        self.has_replaced = any(piece.ignored_rows.size for piece in pieces)
        if self.has_replaced:
            replaced = [
                _found_passages(piece.rows.take(pa.array(piece.ignored_rows)), None)[0]
                for piece in pieces
                if piece.ignored_rows.size
            ]
            self.passages = ValueSet(np.concatenate([own.buckets, *replaced]), articles.num_rows)
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


def entries_of(articles: pa.Table, rules: BandRules) -> Entries:
    """Return all entries of a batch of KEYS."""
    numbers = np.arange(articles.num_rows)
    signed = numbers[np.asarray(articles["bands"].is_valid())]
    bands = words_of(articles["bands"])
    bands = bands if signed.size == numbers.size else bands[signed]
    keyed = numbers[articles["n_shingles"].to_numpy() > 0]
    found = [
        (words_of(articles["key_hash"])[keyed, 0], _KEY, keyed),
        _found_titles(articles, _titled(articles, numbers)),
        _found_shorts(articles, short_rows(articles, rules), rules),
        _found_passages(articles, None),
        (bands.reshape(-1), _BAND, np.repeat(signed, bands.shape[1])),
    ]
    return Entries(
        np.concatenate([words for words, _, _ in found]),
        np.repeat(np.array([kind for _, kind, _ in found], np.uint8), [r.size for *_, r in found]),
        np.concatenate([rows for *_, rows in found]),
        id_words(articles["article_id"]),
        np.zeros(numbers.size, np.int64),
        numbers,
    )


def entries_in(piece: Piece, number: int, sought: Sought, rules: BandRules) -> Entries:
    """Return the entries of a piece that stand in a bucket of the batch, numbered from 0."""
    articles, wanted = piece.rows, sought.buckets
    # By headline and as short texts articles meet within days alone: hashing the headlines of a
    # million articles takes a second.
    near = sought.days.rows_in(articles["published_at"])
    key_hashes = words_of(articles["key_hash"])[:, 0]
    keyed = wanted.positions_in(key_hashes)
    keyed = keyed[articles["n_shingles"].to_numpy()[keyed] > 0]
    titled = _titled(articles, sought.titled_rows(articles, near))
    shorts = sought.short_rows(articles, near, rules)
    passages = met = _found_passages(articles, sought.passages)
    if sought.has_replaced:
        met = _among(passages, wanted)
    found = [
        (key_hashes[keyed], _KEY, keyed),
        _among(_found_titles(articles, titled), wanted),
        met,
        _found_bands(articles, wanted),
        _among(_found_shorts(articles, shorts, rules), wanted),
    ]
    is_used = np.zeros(articles.num_rows, np.bool_)
    for _, _, rows in found:
        is_used[rows] = True
    used = np.flatnonzero(is_used)
    if not used.size:
        return replace(_NO_ENTRIES, passages=((passages[0], passages[2]),))
    ids = id_words(articles["article_id"].take(pa.array(used)))
    joined = _joined(found, ids, used, number, piece.ignored.holds(ids))
    return replace(joined, passages=((passages[0], passages[2]),))


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
        return np.empty(0, np.uint64), _TITLE, rows
    few = articles.select(["source_id", "published_at", "title_key"]).take(pa.array(rows))
    buckets, row = title_buckets(few)
    return buckets, _TITLE, rows[row]


def _found_shorts(articles: pa.Table, rows: NDArray[np.int64], rules: BandRules) -> Found:
    if not rows.size:
        return np.empty(0, np.uint64), _SHORT, rows
    buckets, row = short_buckets(articles.take(pa.array(rows)), rules.profile)
    return buckets, _SHORT, rows[row]


def _found_passages(articles: pa.Table, wanted: ValueSet | None) -> Found:
    """Return the passages of every row, those of `wanted` alone where it is given."""
    column = articles["passages"]
    # To combine one chunk is to copy it.
    lists = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    offsets = lists.offsets.to_numpy()
    words = lists.values.to_numpy()[offsets[0] : offsets[-1]]
    if wanted is None:
        return words, _PASSAGE, np.repeat(np.arange(len(lists)), np.diff(offsets))
    places = wanted.positions_in(words)
    rows = np.searchsorted(offsets - offsets[0], places, side="right") - 1
    return words[places], _PASSAGE, rows


def _found_bands(articles: pa.Table, wanted: ValueSet) -> Found:
    bands = words_of(articles["bands"])
    places = wanted.positions_in(bands)
    rows = places // bands.shape[1]
    if articles["bands"].null_count:
        signed = np.asarray(articles["bands"].is_valid())[rows]
        places, rows = places[signed], rows[signed]
    return bands.reshape(-1)[places], _BAND, rows


def _among(found: Found, wanted: ValueSet) -> Found:
    buckets, kind, rows = found
    met = wanted.positions_in(buckets)
    return buckets[met], kind, rows[met]


def _joined(
    found: Iterable[Found],
    ids: Words,
    used: NDArray[np.int64],
    piece: int,
    is_ignored: NDArray[np.bool_],
) -> Entries:
    """Return entries of the rows `used` (sorted) without the ignored ones."""
    kept = ~is_ignored
    new_number = np.cumsum(kept) - 1
    buckets, kinds, articles = [], [], []
    for words, kind, rows in found:
        at = np.searchsorted(used, rows)
        stays = kept[at]
        buckets.append(words[stays])
        kinds.append(np.full(int(stays.sum()), kind, np.uint8))
        articles.append(new_number[at[stays]])
    row = used[kept]
    return Entries(
        np.concatenate(buckets),
        np.concatenate(kinds),
        np.concatenate(articles),
        ids[kept],
        np.full(row.size, piece),
        row,
    )


def concatenated(parts: Sequence[Entries]) -> Entries:
    """Return the parts as one, articles numbered through."""
    if len(parts) == 1:
        return parts[0]
    shifts = np.cumsum([0, *(part.row.size for part in parts[:-1])])
    shifted = [part.articles + shift for part, shift in zip(parts, shifts, strict=True)]
    return Entries(
        np.concatenate([part.buckets for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate(shifted),
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.piece for part in parts]),
        np.concatenate([part.row for part in parts]),
        tuple(holders for part in parts for holders in part.passages),
    )
