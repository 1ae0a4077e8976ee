"""Documents of JSON read column by column: the short way of `parse` for what nearly all hold.

The plain way (`records.read_record`, `columns.map_record`) makes a dictionary of every document
and asks what each of its columns is for. Here a compiled kernel finds the values of all documents
in one pass, and each column is mapped at once. Whatever is not plain, text with control
characters, numbers that are no whole ones, the same column twice, is left to the plain way:
documents are read here only where both ways give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.sources.columns import BLANKS, Plan, as_name, fold_name, is_empty, plan_columns
from pipeline.sources.dates import read_date
from pipeline.sources.decode import unify_line_ends
from pipeline.sources.identity import in_nfc
from pipeline.sources.iso_times import Times, read_iso_times
from pipeline.sources.json_kinds import (
    ABSENT,
    COMBINES,
    DIGITS,
    HAS_RETURN,
    MAX_KEYS,
    NULL,
    RAW,
    STRING,
)
from pipeline.sources.records import Reading, extra_json, reading_of
from pipeline.text.engine import use_compiled
from pipeline.text.fold_tables import combining_code_points
from pipeline.text.kernels import kernel
from pipeline.text.utf8 import Utf8, code_points, cut_out, last_code_points

Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Scan:
    """The values of the documents in `rows`, key by key; arrays are [n, keys]."""

    rows: Rows
    """Rows of the documents that are objects whose strings are all plain."""
    utf8: NDArray[np.uint8]
    """Their bytes."""
    strings: NDArray[np.uint8]
    """The strings in them, as their escapes mean them."""
    names: tuple[str, ...]
    spans: NDArray[np.int64]
    """Where a value stands, [n, keys, 2]: in `strings`, or in `utf8` what is no string."""
    kinds: NDArray[np.uint8]
    marks: NDArray[np.uint8]


@dataclass(frozen=True)
class ReadColumns:
    """The fields of some documents with one way of reading, as the plain way reads them."""

    rows: list[int]
    """The rows of the documents."""
    reading: Reading
    names: dict[str, pa.StringArray]
    """Short fields; of those that no column fills there is none."""
    dates: dict[str, Times]
    texts: pa.LargeStringArray
    """Line ends unified."""
    composed: pa.LargeStringArray
    """The same in NFC."""
    extras: list[str | None]
    may_combine: Flags
    """Rows of which a short field may not be in NFC."""


def read_columns(documents: pa.Table, max_text_bytes: int) -> Iterator[ReadColumns]:
    """Yield the columns of the documents (of DOCUMENTS or READ) that can be read so.

    None of those whose text has more bytes is among them.
    """
    if not use_compiled(documents.num_rows):
        return
    scan = _scan(documents)
    if scan is None or len(set(map(fold_name, scan.names))) < len(scan.names):
        return
    options = pc.dictionary_encode(documents["parse_options"].combine_chunks())
    ways = options.indices.to_numpy()[scan.rows]
    for way in np.unique(ways).tolist():
        reading = reading_of(options.dictionary[way].as_py())
        columns = _Columns(scan, np.flatnonzero(ways == way), reading, max_text_bytes)
        if columns.places.size:
            yield columns.read()


def _scan(documents: pa.Table) -> Scan | None:
    """Return what stands in the documents of JSON in UTF-8; None where there are none."""
    is_json = pc.is_in(documents["media"], pa.array(["jsonl", "json"]))
    is_utf8 = pc.equal(documents["encoding"], "utf-8")
    is_whole = pc.is_null(documents["problem"])
    is_plain = pc.and_(pc.and_(is_json, is_utf8), is_whole).to_numpy()
    rows = np.flatnonzero(is_plain)
    if not rows.size:
        return None
    contents = documents["content"].combine_chunks()
    if rows.size < len(contents):
        contents = contents.take(pa.array(rows))
    data = Utf8.of(contents.view(pa.large_string()))
    keys, strings, spans, kinds, marks, is_read = _scanned(data)
    try:
        names = tuple(data.bytes[start:end].tobytes().decode() for start, end in keys.tolist())
    except UnicodeDecodeError:  # the plain way says which document it is
        return None
    if not is_read.all():
        rows, spans, kinds, marks = rows[is_read], spans[is_read], kinds[is_read], marks[is_read]
    return Scan(rows, data.bytes, strings, names, spans, kinds, marks)


def _scanned(data: Utf8) -> tuple[Rows, Bytes, Rows, Bytes, Bytes, Flags]:
    """Return keys, strings, spans, kinds, marks and is_read, as the kernel fills them."""
    n = data.offsets.size - 1
    keys = np.zeros((MAX_KEYS, 2), np.int64)
    out = np.empty(int(data.offsets[-1] - data.offsets[0]), np.uint8)
    spans = np.empty((n, MAX_KEYS, 2), np.int64)
    kinds, marks = np.zeros((2, n, MAX_KEYS), np.uint8)
    is_read = np.zeros(n, np.bool_)
    scan_objects = kernel("pipeline.sources.json_scan_compiled", "scan_objects")
    tables = (combining_code_points(), _quiet_bytes())
    filled = (keys, out, spans, kinds, marks, is_read)
    n_keys = scan_objects(data.bytes, data.offsets, *tables, *filled)
    return keys[:n_keys], out, spans, kinds, marks, is_read


@cache
def _quiet_bytes() -> Flags:
    """Return the bytes with which a character begins that stays as it is in any string and form.

    ASCII, and the first of three bytes where none of their code points combines.
    """
    is_quiet = np.zeros(256, np.bool_)
    is_quiet[0x20:0x7F] = True
    is_quiet[[ord('"'), ord("\\")]] = False
    combines = combining_code_points()
    is_quiet[0xE1:0xF0] = ~combines[0x1000:0x10000].reshape(15, 0x1000).any(axis=1)
    return is_quiet


class _Columns:
    """The columns of the documents that are read in one way."""

    def __init__(self, scan: Scan, places: Rows, reading: Reading, max_bytes: int) -> None:
        """Take the places in `scan` of the documents."""
        self._scan, self._reading = scan, reading
        self._strings = memoryview(scan.strings.data)
        self._plan: Plan = plan_columns(scan.names, reading.column_map)
        self._key_of = {name: key for key, name in enumerate(scan.names)}
        self.places, self._text_keys = self._with_text(places, max_bytes)
        self._is_odd = np.zeros(self.places.size, np.bool_)
        self._may_combine = np.zeros(self.places.size, np.bool_)
        self._values: dict[str, list[Any]] = {}
        self._named: dict[str, pa.StringArray] = {}

    def read(self) -> ReadColumns:
        """Return the columns of the documents in which nothing odd was found."""
        chosen: dict[str, Flags] = {}
        names: dict[str, pa.StringArray] = {}
        dates: dict[str, Times] = {}
        for target, read, candidates in self._plan.fields:
            if read is as_name:
                names[target] = self._name_field(candidates, chosen)
            elif target != "text":
                dates[target] = self._times(read, candidates, chosen)
        extras = self._extras(chosen)
        texts, composed = self._texts()
        kept = np.flatnonzero(~self._is_odd)
        rows = self._scan.rows[self.places[kept]].tolist()
        if kept.size < self._is_odd.size:
            own = pa.array(kept)
            names = {name: column.take(own) for name, column in names.items()}
            dates = {name: column.take(own) for name, column in dates.items()}
            texts, composed = texts.take(own), composed.take(own)
            extras = [extras[at] for at in kept]
        may_combine = self._may_combine[kept]
        return ReadColumns(rows, self._reading, names, dates, texts, composed, extras, may_combine)

    def _with_text(self, places: Rows, max_bytes: int) -> tuple[Rows, Rows]:
        """Return the places of documents with one text that is no blank, and its key in each."""
        names = next((names for target, _, names in self._plan.fields if target == "text"), ())
        if not names:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        keys = np.array([self._key_of[name] for name in names])
        kinds = self._scan.kinds[np.ix_(places, keys)]
        is_given = (kinds != ABSENT) & (kinds != NULL)
        text_keys = keys[is_given.argmax(axis=1)]
        is_read = (is_given.sum(axis=1) == 1) & (self._scan.kinds[places, text_keys] == STRING)
        starts, ends = self._scan.spans[places, text_keys].T
        is_read &= ends - starts <= max_bytes
        is_read[is_read] &= starts[is_read] < ends[is_read]
        lead = self._scan.strings[np.where(is_read, starts, 0)]
        # Letters and signs of ASCII, Hangul, most Han; others are looked at one by one.
        is_seen = ((lead > 0x20) & (lead < 0x7F)) | ((lead >= 0xE4) & (lead <= 0xED))
        for at in np.flatnonzero(is_read & ~is_seen).tolist():
            opening = self._scan.strings[starts[at] : min(starts[at] + 4, ends[at])].tobytes()
            is_read[at] = not is_empty(opening.decode("utf-8", "ignore")[:1])
        return places[is_read], text_keys[is_read]

    def _times(self, read: Any, candidates: Sequence[str], chosen: dict[str, Flags]) -> Times:
        """Return the times of a field."""
        if len(candidates) == 1:
            key = self._key_of[candidates[0]]
            kinds, spans = self._scan.kinds[self.places, key], self._scan.spans[self.places, key]
            if (kinds == STRING).all():
                starts, ends = spans.T
                seconds, is_read = read_iso_times(self._scan.strings, starts, ends)
                if is_read.all():
                    return Times.to_the_second(seconds)
        zone = self._reading.timezone
        moments = [read_date(value, zone) for value in self._field(read, candidates, chosen)]
        self._is_odd |= [moment.precision == "unparsed" for moment in moments]
        return Times.of(moments)

    def _field(self, read: Any, candidates: Sequence[str], chosen: dict[str, Flags]) -> list[Any]:
        """Return the first usable value of each document, and note which columns were chosen."""
        found: list[Any] = list(map(read, self._column(candidates[0], is_candidate=True)))
        self._mark_unusable(candidates[0], found)
        for name in candidates[1:]:
            if name not in self._plan_firsts:
                is_chosen = chosen.setdefault(name, np.zeros(len(found), np.bool_))
            else:
                is_chosen = np.zeros(len(found), np.bool_)
            usable = list(map(read, self._column(name, is_candidate=True)))
            self._mark_unusable(name, usable)
            for at, value in enumerate(usable):
                if value is not None and found[at] is None:
                    found[at] = value
                    is_chosen[at] = True
        return found

    def _name_field(self, candidates: Sequence[str], chosen: dict[str, Flags]) -> pa.StringArray:
        """Return `_field` of a short field."""
        found = self._names(candidates[0])
        for name in candidates[1:]:
            usable = self._names(name)
            if name not in self._plan_firsts:
                is_chosen = chosen.setdefault(name, np.zeros(len(found), np.bool_))
                is_chosen |= np.asarray(pc.and_(pc.is_null(found), pc.is_valid(usable)))
            found = pc.coalesce(found, usable)
        return found

    def _names(self, name: str) -> pa.StringArray:
        """Return what `as_name` makes of a column."""
        if name not in self._named:
            self._named[name] = self._read_names(self._key_of[name])
        return self._named[name]

    def _read_names(self, key: int) -> pa.StringArray:
        kinds, spans = self._scan.kinds[self.places, key], self._scan.spans[self.places, key]
        is_string = kinds == STRING
        self._may_combine |= self._scan.marks[self.places, key] & COMBINES != 0
        self._may_combine |= kinds == RAW
        found = pc.cast(cut_out(self._scan.strings, spans, is_string), pa.string())
        read: dict[int, str | None] = {}
        for at in np.flatnonzero(is_string)[self._may_be_blank(spans[is_string])].tolist():
            read[at] = as_name(found[at].as_py())
        known: dict[bytes, tuple[str | None, bool]] = {}
        for at in np.flatnonzero((kinds == DIGITS) | (kinds == RAW)).tolist():
            raw = self._scan.utf8[spans[at, 0] : spans[at, 1]].tobytes()
            if raw not in known:
                known[raw] = _name_of(raw)
            read[at], is_odd = known[raw]
            self._is_odd[at] |= is_odd
        if not read:
            return found
        mask = np.zeros(kinds.size, np.bool_)
        mask[list(read)] = True
        own = pa.array([read[at] for at in sorted(read)], pa.string())
        return pc.replace_with_mask(found, pa.array(mask), own)

    def _may_be_blank(self, spans: Rows) -> Flags:
        """Return which strings `as_name` may not take as they are."""
        is_blank: Flags = spans[:, 0] == spans[:, 1]
        starts, ends = spans[~is_blank].T
        strings = self._scan.strings
        first, last = code_points(strings, starts), last_code_points(strings, ends)
        is_blank[~is_blank] = _blanks()[first] | _blanks()[last]
        return is_blank

    @property
    def _plan_firsts(self) -> set[str]:
        """Return the columns that are taken wherever they hold something."""
        return {candidates[0] for _, _, candidates in self._plan.fields}

    def _mark_unusable(self, name: str, usable: list[Any]) -> None:
        """Mark documents whose value says something, but not what the field takes."""
        if self._holds(name, RAW):
            values = self._column(name, is_candidate=True)
            for at, (value, found) in enumerate(zip(values, usable, strict=True)):
                if found is None and not is_empty(value):
                    self._is_odd[at] = True

    def _holds(self, name: str, kind: int) -> bool:
        kinds = self._scan.kinds[self.places, self._key_of[name]]
        return bool((kinds == kind).any())

    def _column(self, name: str, *, is_candidate: bool) -> list[Any]:
        """Return the values of a column, None where there is none."""
        if name not in self._values:
            self._values[name] = self._loaded(self._key_of[name], is_candidate)
        return self._values[name]

    def _loaded(self, key: int, is_candidate: bool) -> list[Any]:
        kinds = self._scan.kinds[self.places, key]
        starts, ends = self._scan.spans[self.places, key].T
        strings = self._strings
        if (kinds == STRING).all():
            spans = zip(starts.tolist(), ends.tolist(), strict=True)
            return [str(strings[start:end], "utf-8") for start, end in spans]
        values: list[Any] = [None] * kinds.size
        for at in np.flatnonzero(kinds == STRING).tolist():
            values[at] = str(strings[starts[at] : ends[at]], "utf-8")
        for at in np.flatnonzero((kinds == DIGITS) | (kinds == RAW)).tolist():
            raw = self._scan.utf8[starts[at] : ends[at]].tobytes()
            try:
                values[at] = orjson.loads(raw)
            except orjson.JSONDecodeError:
                self._is_odd[at] = True
                continue
            if is_candidate and not _is_simple(values[at]):
                self._is_odd[at] = True
                values[at] = None
        return values

    def _extras(self, chosen: dict[str, Flags]) -> list[str | None]:
        """Return what no field took, as JSON."""
        extras: list[dict[str, Any]] = [{} for _ in range(self.places.size)]
        for name in self._plan.rest:
            for extra, value in zip(extras, self._column(name, is_candidate=False), strict=True):
                if value is not None and not is_empty(value):
                    extra[name] = value
        for name, is_chosen in chosen.items():
            values = self._column(name, is_candidate=True)
            is_left = ~(is_chosen | (self._text_keys == self._key_of[name]))
            for at in np.flatnonzero(is_left).tolist():
                if not is_empty(values[at]):
                    extras[at][name] = values[at]
        return [extra_json(extra) if extra else None for extra in extras]

    def _texts(self) -> tuple[pa.LargeStringArray, pa.LargeStringArray]:
        """Return the texts as they are stored, and in NFC."""
        spans = self._scan.spans[self.places, self._text_keys]
        marks = self._scan.marks[self.places, self._text_keys]
        texts = cut_out(self._scan.strings, spans, np.ones(marks.size, np.bool_))
        texts = _changed(texts, marks & HAS_RETURN != 0, unify_line_ends)
        return texts, _changed(texts, marks & COMBINES != 0, in_nfc)


def _changed(
    texts: pa.LargeStringArray, is_own: Flags, change: Callable[[str], str]
) -> pa.LargeStringArray:
    """Return the texts, some of them changed."""
    if not is_own.any():
        return texts
    changed = [change(text) for text in texts.filter(pa.array(is_own)).to_pylist()]
    return pc.replace_with_mask(texts, pa.array(is_own), pa.array(changed, pa.large_string()))


def _name_of(raw: bytes) -> tuple[str | None, bool]:
    """Return what `as_name` makes of a value, and whether the plain way has to look at it."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None, True
    name = as_name(value) if _is_simple(value) else None
    return name, name is None and not (_is_simple(value) and is_empty(value))


@cache
def _blanks() -> Flags:
    """Return the code points at the ends of a name that may be stripped off."""
    is_blank = np.zeros(0x110000, np.bool_)
    is_blank[list(map(ord, BLANKS))] = True
    return is_blank


def _is_simple(value: object) -> bool:
    """Return whether a field may read a value here: a whole number, a list of names."""
    if isinstance(value, list):
        return all(isinstance(part, str) for part in value)
    return type(value) is int
