"""Shared paragraphs: kept paragraphs that articles of several sources print.

Every sighting is annotated with the first one, by `published_at` (NULL last), ties by article_id.
What is shared is a function of the set of current articles: a batch changes only the paragraphs
that its articles hold now, or that articles it replaces held before, and for these the whole set
is asked (KEYS.passages of the history, one scan).

An article whose source was not given counts as a source of its own: that nobody said where two
articles come from is no sign that one outlet wrote both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contracts import TIME, conform
from pipeline.dedup.mapped import (
    IdSet,
    ValueSet,
    Words,
    distinct,
    id_words,
    ids_of,
    is_among,
    place_of,
    repeated_places,
    sorted_ids,
)
from pipeline.dedup.passage_hashes import holders_in, paragraph_hashes, paragraphs_in
from pipeline.interim import SHARED

Policy = Literal["annotate", "collapse", "drop"]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

_READ = ["article_id", "source_id", "published_at"]
_PLACE = ["article_id", "seq"]
_PLACES = pa.schema([SHARED.schema.field(name) for name in _PLACE])
_HELD = [*_PLACE, "key_hash"]

_Holders = tuple[Words, Numbers]
"""Paragraph hashes of a chunk, and the row that holds each."""

_UNDATED = np.iinfo(np.int64).max


@dataclass(frozen=True)
class SharedRules:
    """What is shared."""

    unknown_sources: frozenset[str] = frozenset({"local"})
    """Source ids that say that none was given."""
    policy: Policy = "annotate"
    """What becomes of them in the clean records, see `shared_policy`."""


@dataclass(frozen=True)
class Sightings:
    """The sightings of paragraphs that a batch touches, and whose rows must be looked at."""

    article_ids: pa.Array
    """Articles whose PARAGRAPHS and SHARED_PARAGRAPHS rows `find_shared` is to be given."""
    shared: pa.Table
    """article_id and passage of sightings whose row is to stand, first_id the first sighting."""
    changed: Words
    """Paragraph hashes that became shared, ceased to be, or have another first sighting."""
    stale: pa.Array
    """Articles whose stored rows no longer count."""


@dataclass(frozen=True)
class Shared:
    """What `shared_paragraphs` must lose and gain."""

    removed: pa.Table
    """article_id and seq of standing rows that go or change."""
    added: pa.Table
    """SHARED rows that are new or changed."""


class _Entries(NamedTuple):
    """Who holds which paragraph: one entry a pair of article and paragraph."""

    hashes: Words
    ids: Words
    """uint64 [n, 2]."""
    sources: Numbers
    """Equal for entries of one source; own negative numbers for unknown ones."""
    times: Numbers
    """Microseconds; the largest number for NULL."""

    def at(self, rows: Numbers | Flags) -> _Entries:
        return _Entries(self.hashes[rows], self.ids[rows], self.sources[rows], self.times[rows])


class _Firsts(NamedTuple):
    """What a set of entries says of each hash, by its number."""

    is_shared: Flags
    first_ids: Words
    """The first sighting, [n, 2]; zeros of what is not shared."""


def find_sightings(
    batch: pa.Table,
    history: Sequence[pa.Table],
    gone: pa.Array,
    rules: SharedRules,
    met: Sequence[_Holders] | None = None,
) -> Sightings:
    """Return the sightings whose rows the batch may change.

    Args:
        batch: KEYS; its rows stand for those of the same articles in the history.
        history: KEYS segments, memory-mapped or not.
        gone: article_ids of the history that are no more and are not in the batch.
        rules: what is shared.
        met: of each chunk of the history what it holds of the passages of the batch and of the
            articles that it replaces, where it was looked through for them before
            (`bands.Candidates`); others may be among them.
    """
    stale_ids = pa.concat_arrays([batch["article_id"].combine_chunks(), gone])
    stale = IdSet(id_words(stale_ids))
    stored = [chunk for segment in history for chunk in segment.to_batches() if len(chunk)]
    own = [chunk for chunk in batch.combine_chunks().to_batches() if len(chunk)]
    printed = [paragraphs_in(chunk) for chunk in own]
    wanted = np.concatenate([np.empty(0, np.uint64), *(hashes for hashes, _ in printed)])
    replaced = [paragraphs_in(rows)[0] for rows in _rows_of(stale, stored)]
    sought = ValueSet(np.concatenate([wanted, *replaced]), batch.num_rows)
    if met is None or len(gone):
        held = [holders_in(chunk, sought) for chunk in stored]
    else:
        held = [_among(holders, sought) for holders in met]
    held = _held_by_several(held + printed)
    codes: dict[str, int] = {}

    def entries(chunks: Sequence[pa.RecordBatch], held: Sequence[_Holders]) -> _Entries:
        # Of a long history most chunks hold nothing that is sought.
        pairs = [(chunk, *own) for chunk, own in zip(chunks, held, strict=True) if own[0].size]
        return _joined([_entries_of(*pair, codes, rules) for pair in pairs])

    before, new = entries(stored, held[: len(stored)]), entries(own, held[len(stored) :])
    return _sightings(before, new, ~stale.holds(before.ids), ids_of(stale.ids))


def find_shared(sightings: Sightings, paragraphs: pa.Table, standing: pa.Table) -> Shared:
    """Return what `shared_paragraphs` must lose and gain.

    Args:
        sightings: of `find_sightings`.
        paragraphs: article_id, seq, key_hash, status of the current revisions of
            `sightings.article_ids`; those of the batch as the batch has them.
        standing: SHARED_PARAGRAPHS rows of `sightings.article_ids`.

    Raises:
        LookupError: a sighting stands in no kept paragraph of `paragraphs`.
    """
    derived = _derived(sightings, paragraphs)
    standing = standing.select(SHARED.schema.names)
    if not standing.num_rows:
        return Shared(_PLACES.empty_table(), conform(derived, SHARED))
    standing = standing.cast(SHARED.schema)
    added = derived.join(standing, SHARED.schema.names, join_type="left anti")
    changed = pa.array(sightings.changed, pa.uint64())
    in_scope = pc.or_(
        pc.is_in(pa.array(paragraph_hashes(standing["key_hash"])), changed),
        pc.is_in(standing["article_id"], sightings.stale).combine_chunks(),
    )
    scope = standing.filter(in_scope).select(_PLACE)
    gone = scope.join(derived.select(_PLACE), _PLACE, join_type="left anti")
    replaced = added.select(_PLACE).join(standing.select(_PLACE), _PLACE, join_type="left semi")
    removed = pa.concat_tables([gone, replaced]).sort_by([(n, "ascending") for n in _PLACE])
    return Shared(removed.cast(_PLACES), conform(added, SHARED))


def _among(holders: _Holders, sought: ValueSet) -> _Holders:
    """Return those of some holders whose passage is sought."""
    hashes, rows = holders
    places = sought.positions_in(hashes)
    return hashes[places], rows[places]


def _rows_of(ids: IdSet, chunks: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of each chunk whose article is among `ids`."""
    for chunk in chunks:
        rows = ids.rows_in(chunk["article_id"])
        if rows.size:
            yield chunk.select(["article_id", "passages"]).take(pa.array(rows))


def _held_by_several(held: Sequence[_Holders]) -> list[_Holders]:
    """Return the entries whose paragraph has another one: most stand in one article alone.

    A paragraph with one entry neither is nor was shared.
    """
    places = repeated_places(np.concatenate([np.empty(0, np.uint64), *(h for h, _ in held)]))
    starts = np.cumsum([0, *(hashes.size for hashes, _ in held)])
    bounds = np.searchsorted(places, starts)
    found = []
    for number, (hashes, rows) in enumerate(held):
        own = places[bounds[number] : bounds[number + 1]] - starts[number]
        found.append((hashes[own], rows[own]))
    return found


def _entries_of(
    chunk: pa.RecordBatch, hashes: Words, rows: Numbers, codes: dict[str, int], rules: SharedRules
) -> _Entries:
    """Return the entries of hashes in rows of a KEYS chunk; `codes` numbers sources."""
    is_used = np.zeros(chunk.num_rows, np.bool_)
    is_used[rows] = True
    articles = chunk.select(_READ).take(pa.array(np.flatnonzero(is_used)))
    place = (np.cumsum(is_used) - 1)[rows]
    ids = id_words(articles["article_id"])
    named = articles["source_id"].dictionary_encode()
    known = [codes.setdefault(s, len(codes)) for s in named.dictionary.to_pylist()]
    sources = np.array(known, np.int64)[named.indices.to_numpy()]
    unknown = [codes[s] for s in rules.unknown_sources if s in codes]
    own = -1 - (ids[:, 0] >> np.uint64(1)).astype(np.int64)
    sources = np.where(np.isin(sources, unknown), own, sources)
    times = articles["published_at"].cast(TIME).cast(pa.int64()).fill_null(_UNDATED).to_numpy()
    return _Entries(hashes, ids[place], sources[place], times[place])


def _joined(parts: Sequence[_Entries]) -> _Entries:
    nothing = _Entries(
        np.empty(0, np.uint64),
        np.empty((0, 2), np.uint64),
        np.empty(0, np.int64),
        np.empty(0, np.int64),
    )
    return _Entries(*map(np.concatenate, zip(nothing, *parts, strict=True)))


def _firsts(entries: _Entries, number: Numbers, n_hashes: int) -> _Firsts:
    """Return which hashes are shared and by whom they were printed first.

    Args:
        entries: of any of the hashes.
        number: of the hash of each entry.
        n_hashes: above all numbers.
    """
    lowest = np.full(n_hashes, np.iinfo(np.int64).max)
    highest = np.full(n_hashes, np.iinfo(np.int64).min)
    np.minimum.at(lowest, number, entries.sources)
    np.maximum.at(highest, number, entries.sources)
    is_shared = lowest < highest
    # Of each hash the earliest entries stay, of these those of the smallest id.
    rows = np.flatnonzero(is_shared[number])
    for key in (entries.times, entries.ids[:, 0], entries.ids[:, 1]):
        least = np.full(n_hashes, np.iinfo(key.dtype).max, key.dtype)
        np.minimum.at(least, number[rows], key[rows])
        rows = rows[key[rows] == least[number[rows]]]
    first_ids = np.zeros((n_hashes, 2), np.uint64)
    first_ids[number[rows]] = entries.ids[rows]
    return _Firsts(is_shared, first_ids)


def _sightings(before: _Entries, new: _Entries, stays: Flags, stale: pa.Array) -> Sightings:
    """Return the sightings of which rows are to be looked at.

    Of a paragraph that stays shared and keeps its first sighting only the batch's rows are new:
    thousands of earlier ones are not read again.

    Args:
        before: entries of the history.
        new: of the batch.
        stays: which of `before` still count.
        stale: articles whose stored rows no longer count.
    """
    every = _joined([before, new])
    hashes, n_before = distinct(every.hashes), before.hashes.size
    number = ValueSet(hashes).found_in(every.hashes)[1]
    was_shared, was_first = _firsts(before, number[:n_before], hashes.size)
    stands = np.append(stays, np.ones(new.hashes.size, np.bool_))
    now, now_number = (every, number) if stays.all() else (every.at(stands), number[stands])
    is_shared, is_first = _firsts(now, now_number, hashes.size)
    is_changed = (was_shared != is_shared) | (was_first != is_first).any(axis=1)
    # A new revision of the first sighting may print the paragraph at another place.
    is_changed |= is_shared & is_among(is_first, new.ids)
    changed = hashes[is_changed]
    # Of what changed every sighting, of the rest those of the batch, which come last.
    in_changed = is_changed[now_number]
    is_new = np.arange(now_number.size) >= now_number.size - new.hashes.size
    written = np.append(np.flatnonzero(in_changed), np.flatnonzero(is_new & ~in_changed))
    written = written[is_shared[now_number[written]]]
    shared, first_ids = now.at(written), is_first[now_number[written]]
    lost = before.ids[is_changed[number[:n_before]]]
    looked_at = np.concatenate((shared.ids, first_ids, lost, id_words(stale)))
    table = pa.table(
        {
            "article_id": ids_of(shared.ids),
            "passage": pa.array(shared.hashes, pa.uint64()),
            "first_id": ids_of(first_ids),
        }
    )
    return Sightings(ids_of(sorted_ids(looked_at)), table, changed, stale)


def _derived(sightings: Sightings, paragraphs: pa.Table) -> pa.Table:
    """Return SHARED rows, unsorted: the sightings' paragraphs, wherever the articles hold them."""
    shared = sightings.shared
    wanted = ValueSet(shared["passage"].to_numpy())
    hashes = paragraph_hashes(paragraphs["key_hash"])
    rows = wanted.positions_in(hashes)
    rows = rows[np.asarray(pc.equal(paragraphs["status"], "kept"))[rows]]
    few = paragraphs.select(_HELD).take(pa.array(rows)).combine_chunks()
    owners, seqs = id_words(few["article_id"]), few["seq"].to_numpy()
    articles = sorted_ids(owners)

    def key(ids: Words, passages: Words) -> Numbers:
        """Return article and passage as one number each, below 0 where nobody holds them."""
        number = place_of(ids, articles) * wanted.values.size
        return np.where(number < 0, -1, number + np.searchsorted(wanted.values, passages))

    held = key(owners, hashes[rows])
    order = np.lexsort((seqs, held))
    held = held[order]
    passages, firsts = shared["passage"].to_numpy(), id_words(shared["first_id"])
    own, first = key(id_words(shared["article_id"]), passages), key(firsts, passages)
    start, stop = np.searchsorted(held, own), np.searchsorted(held, own, side="right")
    at_first = np.searchsorted(held, first)
    if (start == stop).any() or (at_first == np.searchsorted(held, first, side="right")).any():
        raise LookupError("a shared paragraph stands in no kept paragraph of its article")
    sizes = stop - start
    place = np.repeat(start, sizes) + np.arange(sizes.sum())
    place -= np.repeat(np.cumsum(sizes) - sizes, sizes)
    found = few.take(pa.array(order[place]))
    sighting = np.repeat(np.arange(sizes.size), sizes)
    found = found.append_column("first_article_id", ids_of(firsts[sighting]))
    first_seq = pa.array(seqs[order[at_first]][sighting], pa.int32())
    return found.append_column("first_seq", first_seq).cast(SHARED.schema)
