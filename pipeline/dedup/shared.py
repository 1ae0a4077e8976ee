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

    def where(self, flags: Flags) -> _Entries:
        return _Entries(self.hashes[flags], self.ids[flags], self.sources[flags], self.times[flags])


class _Firsts(NamedTuple):
    """What a set of entries says of each hash (sorted)."""

    hashes: Words
    is_shared: Flags
    first_ids: Words

    def of(self, wanted: Words) -> tuple[Flags, Words]:
        """Return for each of `wanted` whether it is shared, and its first sighting or zeros."""
        at = np.searchsorted(self.hashes, wanted)
        at[at == self.hashes.size] = 0
        known = self.hashes[at] == wanted if self.hashes.size else np.zeros(wanted.size, np.bool_)
        is_shared = np.zeros(wanted.size, np.bool_)
        first_ids = np.zeros((wanted.size, 2), np.uint64)
        is_shared[known] = self.is_shared[at[known]]
        first_ids[known] = self.first_ids[at[known]]
        first_ids[~is_shared] = 0
        return is_shared, first_ids


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
    now = _joined([before.where(~stale.holds(before.ids)), new])
    return _sightings(before, now, new, ids_of(stale.ids))


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
    used, place = np.unique(rows, return_inverse=True)
    articles = chunk.select(_READ).take(pa.array(used))
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


def _firsts(entries: _Entries) -> _Firsts:
    """Return which hashes are shared and by whom they were printed first."""
    order = np.lexsort((entries.ids[:, 1], entries.ids[:, 0], entries.times, entries.hashes))
    hashes, sources = entries.hashes[order], entries.sources[order]
    starts = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1])[: hashes.size])
    if not starts.size:
        return _Firsts(hashes, np.empty(0, np.bool_), entries.ids)
    is_shared = np.minimum.reduceat(sources, starts) != np.maximum.reduceat(sources, starts)
    return _Firsts(hashes[starts], is_shared, entries.ids[order[starts]])


def _sightings(before: _Entries, now: _Entries, new: _Entries, stale: pa.Array) -> Sightings:
    """Return the sightings of which rows are to be looked at.

    Of a paragraph that stays shared and keeps its first sighting only the batch's rows are new:
    thousands of earlier ones are not read again.
    """
    hashes = distinct(np.concatenate((before.hashes, new.hashes)))
    was_shared, was_first = _firsts(before).of(hashes)
    current = _firsts(now)
    is_shared, is_first = current.of(hashes)
    is_changed = (was_shared != is_shared) | (was_first != is_first).any(axis=1)
    # A new revision of the first sighting may print the paragraph at another place.
    is_changed |= is_shared & is_among(is_first, new.ids)
    changed = hashes[is_changed]
    in_changed = np.isin(now.hashes, changed)
    written = _joined([now.where(in_changed), new.where(~np.isin(new.hashes, changed))])
    stands, first_ids = current.of(written.hashes)
    shared, first_ids = written.where(stands), first_ids[stands]
    lost = before.where(np.isin(before.hashes, changed)).ids
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
