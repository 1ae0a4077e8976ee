"""The numbers of many texts where they lie in Arrow's buffers, by compiled loops.

What is read as which number is that of `number_readings`, window by window; texts that the loops
leave (other digits, numbers that a window does not hold) are read by `number_batches`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.text.fold_tables import combining_code_points
from pipeline.text.kernels import kernel
from pipeline.text.number_forms import AS_IT_STANDS
from pipeline.text.number_readings import Reading, readings_of
from pipeline.text.number_windows import (
    ABOUT,
    DATE_MARKS,
    LEFT_CHARS,
    RIGHT_CHARS,
    Places,
    kind_of,
    kind_tables,
)
from pipeline.text.number_words import (
    HAN_DIGITS,
    HANGUL_DIGITS,
    MULTIPLIERS,
    MYRIAD_UNITS,
    SPELLED,
)
from pipeline.text.numbers import bare_text, extract_numbers_of, has_decimal_comma, read_digits
from pipeline.text.quantities import han_numbers, hangul_numbers, spelled_numbers
from pipeline.text.utf8 import Utf8

# What a code point may be, one bit each: of a script without spaces, changed by NFC, the first or a
# later one of a numeral in words, the first of what is counted, between digits.
UNSPACED, CHANGES, HAN, LATER_HAN, HANGUL, LATER_HANGUL, COUNTER, SEPARATOR = (
    1 << bit for bit in range(8)
)

MYRIAD, FOLLOWS = 1, 2
"""What the kind of a character is behind digits: 만, or a character that may stand before it."""

IN_SPELLED, IN_MULTIPLIER = 1, 2
"""Which words begin with two letters: spelled numbers, multipliers."""

NOT_BARE, PLAIN, HAS_SPELLED, HAS_HAN, HAS_HANGUL = (1 << bit for bit in range(5))
"""What is found of a text, one bit each: `bare_text` changes it, only `number_batches` can read it,
it has numbers in words."""

N_CELLS = 1 + LEFT_CHARS + RIGHT_CHARS
FIRST_PLACE = 2
"""Of a text among its code points: line ends stand before it."""

N_DIGITS = 16
"""Room for the digits of a number: five groups of three are the most."""

_SCAN, _LISTS = "pipeline.text.number_scan_compiled", "pipeline.text.number_lists_compiled"
_TYPE = pa.list_(pa.string())
_UNSPACED = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3))
_SEPARATORS = ".,٫٬'’\u00a0\u202f\u2009"
_COUNTERS = "원달명엔위유톤건가여"
"""What stands behind a numeral of Hangul begins with one of them."""

_IN_WORDS: tuple[tuple[int, Callable[[str], Iterable[str]]], ...] = (
    (HAS_SPELLED, spelled_numbers),
    (HAS_HAN, han_numbers),
    (HAS_HANGUL, hangul_numbers),
)


def scanned_numbers(texts: pa.LargeStringArray, is_bare: bool = False) -> pa.ListArray:
    """Return `extract_numbers` of each text as list<string>; none is NULL."""
    units, windows, found = _scanned(Utf8.of(texts), is_bare)
    readings, words = readings_of(windows.T), _Words()
    coded, own_words = _coded(readings, (windows[:, 0] & 3).tolist(), words)
    more_firsts, more = _in_words(texts, found, words)
    given = (*units, coded, own_words, more_firsts, more, *words.flat())
    written, places, lists, is_asked = _written(*given)
    flat = pa.StringArray.from_buffers(places.size - 1, pa.py_buffer(places), pa.py_buffer(written))
    numbers = pa.ListArray.from_arrays(pa.array(lists), flat)
    not_bare = np.flatnonzero(found & NOT_BARE)
    plain = np.flatnonzero(found & (NOT_BARE | PLAIN) == PLAIN)
    asked = np.flatnonzero(is_asked)
    names = words.names()
    in_words = (
        [names[place] for place in more[more_firsts[row] : more_firsts[row + 1]].tolist()]
        for row in asked.tolist()
    )
    return _with_others(
        numbers,
        (not_bare, lambda: scanned_numbers(_bared(texts, not_bare), is_bare=True)),
        (plain, lambda: _plain(texts, plain)),
        (asked, lambda: _asked(texts, asked, units, readings, in_words)),
    )


class _Units(NamedTuple):
    """Numbers written with digits, as `scan` gives them."""

    firsts: Places
    places: Places
    digits: NDArray[np.uint8]

    def of(self, text: int) -> Iterator[tuple[int, int, int, int, str]]:
        """Yield start, end, form, window and kept digits of each number of a text."""
        own = slice(*self.firsts[text : text + 2])
        for row, digits in zip(self.places[own].tolist(), self.digits[own], strict=True):
            start, end, form, window = row
            kept = digits[1 : 1 + digits[0]].tobytes().decode()
            yield start - FIRST_PLACE, end - FIRST_PLACE, form, window, kept


def _scanned(texts: Utf8, is_bare: bool) -> tuple[_Units, NDArray[np.uint32], NDArray[np.uint8]]:
    """Return the units of texts, their distinct windows [n, N_CELLS] and what is found of each."""
    data, offsets = texts.bytes, texts.offsets
    n_texts = offsets.size - 1
    # Two texts may meet in their digits. Pages that nothing is written to are never there.
    room = kernel(_SCAN, "n_digit_runs")(data[offsets[0] : offsets[-1]]) + n_texts
    slots = np.full(max(64, 1 << int(2 * room - 1).bit_length()), -1, np.int32)
    firsts, found = np.zeros(n_texts + 1, np.int64), np.zeros(n_texts, np.uint8)
    places, digits = np.empty((room, 4), np.int64), np.empty((room, 1 + N_DIGITS), np.uint8)
    windows = np.empty(room * N_CELLS, np.uint32)
    filled = (slots, firsts, places, digits, windows, found)
    n_windows = kernel(_SCAN, "scan")(data, offsets, *_tables(), is_bare, *filled)
    n_units = firsts[-1]
    units = _Units(firsts, places[:n_units], digits[:n_units])
    return units, windows[: n_windows * N_CELLS].reshape(-1, N_CELLS), found


def _written(
    firsts: Places,
    units: Places,
    digits: NDArray[np.uint8],
    readings: Places,
    own_words: Places,
    more_firsts: Places,
    more: Places,
    words: NDArray[np.uint8],
    bounds: Places,
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Return what the kernel `write` fills: numbers, where they stand, lists of them, who asks."""
    n_texts = firsts.size - 1
    most_words = int((readings[:, 1] - readings[:, 0]).max(initial=1))
    most = most_words * len(units) + more.size
    longest = 1 + N_DIGITS + int(np.diff(bounds).max(initial=0))
    written, places = np.empty(most * longest + 1, np.uint8), np.empty(most + 1, np.int32)
    lists, is_asked = np.zeros(n_texts + 1, np.int32), np.zeros(n_texts, np.bool_)
    given = (firsts, units, digits, readings, own_words, more_firsts, more, words, bounds)
    n_numbers = kernel(_LISTS, "write")(*given, written, places, lists, is_asked)
    return written, places[: n_numbers + 1], lists, is_asked


def _asked(
    texts: pa.LargeStringArray,
    rows: Places,
    units: _Units,
    readings: Sequence[Reading | None],
    in_words: Iterable[list[str]],
) -> pa.ListArray:
    """Return the numbers of texts of which some digits have to be read where they stand.

    What `number_batches` does for a block, for a text.
    """
    lists: list[list[str]] = []
    own_texts = texts.take(pa.array(rows)).to_pylist()
    for row, text, found in zip(rows.tolist(), own_texts, in_words, strict=True):
        is_comma, at = has_decimal_comma(text), 0
        for start, end, form, window, digits in units.of(row):
            if at >= end:
                continue
            reading = readings[window] if window >= 0 and at <= start else None
            if reading is None:
                at = max(at, start)
            elif form == AS_IT_STANDS:
                found += reading.numbers
                at = start + reading.n_chars
            else:
                found.append(reading.sign + digits + reading.suffix)
                at = end + reading.n_chars
            if at < end:
                at = read_digits(text, at, end, is_comma, found)
        lists.append(sorted(found))
    return pa.array(lists, _TYPE)


def _with_others(
    numbers: pa.ListArray, *others: tuple[Places, Callable[[], pa.ListArray]]
) -> pa.ListArray:
    """Return the lists with those at some places taken from elsewhere."""
    places, parts, n_rows = np.arange(len(numbers)), [numbers], len(numbers)
    for rows, read in others:
        if rows.size:
            places[rows] = n_rows + np.arange(rows.size)
            n_rows += rows.size
            parts.append(read())
    return numbers if len(parts) == 1 else pa.concat_arrays(parts).take(pa.array(places))


def _bared(texts: pa.LargeStringArray, rows: Places) -> pa.LargeStringArray:
    """Return the texts in some rows as numbers are read from them."""
    own = texts.take(pa.array(rows)).to_pylist()
    return pa.array([bare_text(text) for text in own], pa.large_string())


def _plain(texts: pa.LargeStringArray, rows: Places) -> pa.ListArray:
    """Return the numbers of the texts in some rows, read one by one."""
    return pa.array(extract_numbers_of(texts.take(pa.array(rows)).to_pylist()), _TYPE)


class _Words:
    """Distinct words, by number."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def places_of(self, words: Iterable[str]) -> list[int]:
        """Return the number of each word."""
        places = self._places
        return [places.setdefault(word, len(places)) for word in words]

    def names(self) -> list[str]:
        """Return the words by number."""
        return list(self._places)

    def flat(self) -> tuple[NDArray[np.uint8], Places]:
        """Return the words in UTF-8, one behind the other, and where they stand."""
        encoded = [word.encode() for word in self._places]
        bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        return np.frombuffer(b"".join(encoded), np.uint8), bounds


def _coded(
    readings: Sequence[Reading | None], forms: Iterable[int], words: _Words
) -> tuple[Places, Places]:
    """Return readings as `write` takes them, int64 [n, 4], and the words in them."""
    own: list[int] = []
    rows: list[tuple[int, int, int, int]] = []
    for form, reading in zip(forms, readings, strict=True):
        first = len(own)
        if reading is None:
            rows.append((first, first, -1, 0))
            continue
        numbers, sign, suffix, n_chars = reading
        own += words.places_of(numbers if form == AS_IT_STANDS else [suffix])
        rows.append((first, len(own), n_chars, sign == "-"))
    return np.array(rows, np.int64).reshape(-1, 4), np.array(own, np.int64)


def _in_words(
    texts: pa.LargeStringArray, found: NDArray[np.uint8], words: _Words
) -> tuple[Places, Places]:
    """Return the numbers written in words, of text i firsts[i]:firsts[i + 1], and `firsts`."""
    n_found = np.zeros(len(texts), np.int64)
    has_words = found & (HAS_SPELLED | HAS_HAN | HAS_HANGUL) != 0
    rows = np.flatnonzero(has_words & (found & (NOT_BARE | PLAIN) == 0))
    more: list[int] = []
    flags = found[rows].tolist()
    own_texts = texts.take(pa.array(rows)).to_pylist()
    for row, flag, text in zip(rows.tolist(), flags, own_texts, strict=True):
        own = chain.from_iterable(read(text) for kind, read in _IN_WORDS if flag & kind)
        before = len(more)
        more += words.places_of(own)
        n_found[row] = len(more) - before
    return np.append(0, np.cumsum(n_found)), np.array(more, np.int64)


class _Tables(NamedTuple):
    """What `scan` asks of characters, in its order."""

    kinds: NDArray[np.uint8]
    marks: NDArray[np.uint8]
    roles: NDArray[np.uint8]
    pairs: NDArray[np.uint8]
    words: NDArray[np.uint8]
    bounds: Places
    date_marks: NDArray[np.uint32]
    left: NDArray[np.uint8]
    right: NDArray[np.uint8]


@cache
def _tables() -> _Tables:
    """Return the tables of `scan`, built once."""
    kinds, left, right = kind_tables()
    roles = np.zeros(256, np.uint8)
    roles[[kind_of(c) for c in MYRIAD_UNITS]] = MYRIAD
    roles[[kind_of(c) for c in ABOUT]] = FOLLOWS
    pairs = np.zeros((26, 26), np.uint8)
    for words, value in ((SPELLED, IN_SPELLED), (MULTIPLIERS, IN_MULTIPLIER)):
        for word in words:
            if word[:2].isascii():
                pairs[ord(word[0]) - ord("a"), ord(word[1]) - ord("a")] |= value
    return _Tables(
        kinds,
        _marks(),
        roles,
        pairs.ravel(),
        np.frombuffer("".join(SPELLED).encode(), np.uint8),
        np.cumsum([0, *map(len, SPELLED)], dtype=np.int64),
        np.array([ord(c) for c in DATE_MARKS], np.uint32),
        left,
        right,
    )


def _marks() -> NDArray[np.uint8]:
    """Return what each code point may be, one bit each."""
    marks = np.zeros(0x110000, np.uint8)
    marks[:] = np.where(combining_code_points(), CHANGES, 0)
    for first, last in _UNSPACED:
        marks[first : last + 1] |= UNSPACED
    numerals = [*HANGUL_DIGITS, *"십백천만"]
    for characters, mark in (
        ([*HAN_DIGITS, *"十百千"], HAN),
        ([*HAN_DIGITS, *"十百千万萬億亿"], LATER_HAN),
        (numerals, HANGUL),
        ([*numerals, *"억조"], LATER_HANGUL),
        (_COUNTERS, COUNTER),
        (_SEPARATORS, SEPARATOR),
    ):
        marks[[ord(c) for c in characters]] |= mark
    return marks
