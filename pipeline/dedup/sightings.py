"""Where lines are printed: the articles of a batch and of the history, and the lines in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.lines import EDGE
from pipeline.dedup.mapped import IdSet, ValueSet, Words, distinct, id_words, words_of

Numbers = NDArray[np.int64]

UNDATED = -(1 << 20)
"""Day of articles without a date: farther from every real one than a window reaches."""

_DAY_US = 86_400_000_000

_COLUMNS = ("article_id", "source_id", "published_at", "title_key", "lines")


@dataclass(frozen=True)
class Sightings:
    """Which lines stand in which rows, each pair once."""

    lines: Words
    """The lines that were looked for, bit 0 clear, uint64 sorted."""
    line: Numbers
    """Index into `lines`."""
    row: Numbers
    is_edge: NDArray[np.bool_]
    """Whether the line stands at an edge of the article, wherever it stands in it."""


class Piece:
    """KEYS rows of one chunk a column."""

    def __init__(self, chunk: pa.RecordBatch, replaced: IdSet) -> None:
        """Find the rows of articles that newer ones replace, or that are gone."""
        self.rows = chunk
        self.ids = words_of(chunk.column("article_id"))
        self.stale = replaced.rows_in(chunk.column("article_id"))
        lines = chunk.column("lines")
        offsets = lines.offsets.to_numpy()
        self._offsets = offsets.astype(np.int64) - offsets[0]
        self._flat = lines.values.to_numpy(zero_copy_only=True)[offsets[0] : offsets[-1]]

    def days(self) -> Numbers:
        """Return the day of publication as days since 1970, `UNDATED` for NULL."""
        column = self.rows.column("published_at")
        micros = np.frombuffer(column.buffers()[1], np.int64)[column.offset :][: len(column)]
        days = micros // _DAY_US  # of any number where a NULL is
        return np.where(np.asarray(column.is_null()), UNDATED, days) if column.null_count else days

    def codes(self, sources: pa.Array) -> NDArray[np.int32]:
        """Return each row's place in `sources`, -1 where it is none of them."""
        found = pc.index_in(self.rows.column("source_id"), sources)
        codes: NDArray[np.int32] = (found.fill_null(-1) if found.null_count else found).to_numpy()
        return codes

    def lines_of(self, rows: Numbers) -> Words:
        """Return the distinct lines of some rows, bit 0 clear."""
        starts, sizes = self._offsets[rows], self._offsets[rows + 1] - self._offsets[rows]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return distinct(self._flat[np.repeat(starts, sizes) + within] & ~EDGE)

    def all_lines(self) -> Words:
        """Return the distinct lines of all rows, bit 0 clear."""
        return distinct(self._flat & ~EDGE)

    def find(self, wanted: ValueSet) -> tuple[Numbers, Numbers]:
        """Return the sightings of `wanted`, as places in its values, and the row of each."""
        positions, values = wanted.found_in(self._flat)
        if positions.size * 8 < self._flat.size:
            return values, np.searchsorted(self._offsets, positions, side="right") - 1
        # Where most lines are sought, the row of every line is told faster than that of some.
        rows = np.repeat(np.arange(self.rows.num_rows), np.diff(self._offsets))
        return values, rows[positions]


class Articles:
    """The current articles: those of the batch, and the stored ones that it does not replace.

    Rows are numbered through, those of the batch first.
    """

    def __init__(self, batch: pa.Table, history: Sequence[pa.Table], gone: pa.Array) -> None:
        """Read where and when they were published."""
        ids = id_words(pa.chunked_array([*batch["article_id"].chunks, gone], gone.type))
        replaced, none = IdSet(ids), IdSet(np.empty((0, 2), np.uint64))
        own = [Piece(c, none) for c in batch.select(_COLUMNS).to_batches()]
        stored = [Piece(c, replaced) for t in history for c in t.select(_COLUMNS).to_batches()]
        self.pieces, self._n_own = own + stored, len(own)
        self._starts = np.cumsum([0, *(p.rows.num_rows for p in self.pieces)])
        self.n_new = int(self._starts[len(own)])
        touched = [p.rows.column("source_id") for p in own]
        touched += [p.rows.column("source_id").take(pa.array(p.stale)) for p in stored]
        self.sources = pc.unique(pa.chunked_array(touched, pa.string())).sort()
        self.days = _joined([p.days() for p in self.pieces])
        self.codes = _joined([p.codes(self.sources) for p in self.pieces])
        """Place of the row's source in `sources`, -1 for one that the batch does not touch."""
        stale = _joined([p.stale + start for start, p in self._numbered()])
        self.has_stale = bool(stale.size)
        self.is_standing = np.ones(self.days.size, np.bool_)
        self.is_standing[stale] = False

    def changed_lines(self) -> Words:
        """Return the lines of the batch and of the rows that it replaces."""
        own, stored = self.pieces[: self._n_own], self.pieces[self._n_own :]
        parts = [p.all_lines() for p in own]
        parts += [p.lines_of(p.stale) for p in stored if p.stale.size]
        return np.concatenate([np.empty(0, np.uint64), *parts])

    def lines_of_sources(self, codes: Numbers) -> Words:
        """Return all lines of some touched sources."""
        is_theirs = np.isin(self.codes, codes) & self.is_standing
        parts = [
            p.lines_of(np.flatnonzero(is_theirs[start : start + p.rows.num_rows]))
            for start, p in self._numbered()
        ]
        return np.concatenate([np.empty(0, np.uint64), *parts])

    def sightings(self, lines: Words) -> Sightings:
        """Return where `lines` (bit 0 clear) stand in current articles."""
        lines = distinct(lines)
        wanted = ValueSet(np.concatenate((lines, lines | EDGE)), self.n_new)
        # In the order of its values each line stands before itself at the edge.
        values, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for start, piece in self._numbered():
            found, at = piece.find(wanted)
            values.append(found)
            rows.append(at + start)
        value, row = np.concatenate(values), np.concatenate(rows)
        if self.has_stale:
            standing = self.is_standing[row]
            value, row = value[standing], row[standing]
        return Sightings(lines, value >> 1, row, (value & 1).astype(np.bool_))

    def ids(self, rows: Numbers) -> Words:
        """Return the ids of rows, uint64 [n, 2]."""
        ids = np.empty((rows.size, 2), np.uint64)
        for place, piece, own in self._located(rows):
            ids[place] = piece.ids[own].byteswap()
        return ids

    def title_keys(self, rows: Numbers) -> list[str]:
        """Return the title keys of rows, in their order."""
        titles = np.empty(rows.size, object)
        for place, piece, own in self._located(rows):
            titles[place] = piece.rows.column("title_key").take(pa.array(own)).to_pylist()
        found: list[str] = titles.tolist()
        return found

    def _numbered(self) -> list[tuple[int, Piece]]:
        """Return the pieces with the number of their first row."""
        return list(zip(self._starts[:-1].tolist(), self.pieces, strict=True))

    def _located(self, rows: Numbers) -> list[tuple[Numbers, Piece, Numbers]]:
        """Return where in `rows` each piece has some, the piece, and their places in it."""
        number = np.searchsorted(self._starts, rows, side="right") - 1
        is_sorted = (number[1:] >= number[:-1]).all()
        order = np.arange(number.size) if is_sorted else np.argsort(number, kind="stable")
        bounds = np.searchsorted(number[order], np.arange(len(self.pieces) + 1))
        found = []
        for at, piece in enumerate(self.pieces):
            place = order[bounds[at] : bounds[at + 1]]
            if place.size:
                found.append((place, piece, rows[place] - self._starts[at]))
        return found


def _joined(parts: Sequence[Numbers | NDArray[np.int32]]) -> Numbers:
    joined: Numbers = np.concatenate([np.empty(0, np.int64), *parts])
    return joined
