"""The numbers of many texts at once, as `pipeline.text.numbers.extract_numbers` finds them in each.

All digits of a block of texts are found in one pass over its code points. What a number reads as
depends on a window of a few characters (`number_windows`), and windows repeat: each is read once,
by the plain reader. Numbers with thousands separators or a short fraction share the windows of
their surroundings alone, for their digits stand in the result as they stand in the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled
from pipeline.text.number_forms import AS_IT_STANDS, FRACTION, GROUPED, Units, find_units
from pipeline.text.number_readings import Reading, readings_of
from pipeline.text.number_windows import Codes, Places, kinds_of, windows
from pipeline.text.number_words_sieve import han_places, hangul_places, spelled_places
from pipeline.text.numbers import bare_text, has_decimal_comma, read_digits
from pipeline.text.quantities import han_numbers, hangul_numbers, spelled_numbers
from pipeline.text.utf8 import Utf8, whole

_BLOCK_CHARS = 1 << 21
"""Characters held at a time: 5 bytes each, and 500 bytes a number."""

_RANK = "급"
"""A word that goes on so is no month, however long it is (1월급)."""
_RANK_CHARS = 20


def numbers_array(texts: pa.Array | pa.ChunkedArray) -> pa.ListArray:
    """Return `extract_numbers` of each display text (NULL reads as empty) as list<string>."""
    # Filling in copies all texts, even where none is NULL.
    filled = (pc.fill_null(texts, "") if texts.null_count else texts).cast(pa.large_string())
    filled = whole(filled)
    if use_compiled(Utf8.of(filled).n_articles):
        from pipeline.text.number_scan import scanned_numbers

        return scanned_numbers(filled)
    numbers = extract_numbers_of(filled.to_pylist())
    offsets = np.cumsum([0, *map(len, numbers)], dtype=np.int32)
    flat = pa.array([number for own in numbers for number in own], pa.string())
    return pa.ListArray.from_arrays(pa.array(offsets), flat)


def extract_numbers_of(texts: Sequence[str]) -> list[list[str]]:
    """Return what `extract_numbers` returns of each text, as a list.

    >>> extract_numbers_of(["1,234명", "no number", "3.50%"])
    [['1234persons'], [], ['3.5%']]
    """
    bare = [bare_text(text) for text in texts]
    return [numbers for block in _blocks(bare) for numbers in _Block(block).numbers()]


def _blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the texts in order, as many at a time as the block size allows."""
    start = n_chars = 0
    for position, text in enumerate(texts):
        n_chars += len(text)
        if n_chars >= _BLOCK_CHARS:
            yield texts[start : position + 1]
            start, n_chars = position + 1, 0
    if start < len(texts):
        yield texts[start:]


class _Block:
    """Some texts, one behind the other with a line end between them."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        # Two line ends before the first, one behind the last: a look beside a number stays inside.
        self._joined = "\n".join(("\n", *texts, ""))
        self._codes: Codes = np.frombuffer(self._joined.encode("utf-32-le", "surrogatepass"), "<u4")
        self._kinds = kinds_of(self._codes)
        n_chars = np.fromiter(map(len, texts), np.int64, len(texts))
        self._ends = np.cumsum(n_chars + 1) + 1
        self._starts = self._ends - n_chars
        self._is_comma = [has_decimal_comma(text) for text in texts]

    def numbers(self) -> list[list[str]]:
        """Return the sorted numbers of each text."""
        found: list[list[str]] = [[] for _ in self._texts]
        self._read_digits(found)
        joined, codes, kinds = self._joined, self._codes, self._kinds
        for read, places in (
            (spelled_numbers, spelled_places(joined, kinds)),
            (han_numbers, han_places(joined, codes)),
            (hangul_numbers, hangul_places(joined, codes, kinds)),
        ):
            for text in np.unique(self._owners(np.array(places, np.int64))).tolist():
                found[text] += read(self._texts[text])
        for own in found:
            own.sort()
        return found

    def _owners(self, places: Places) -> Places:
        """Return the number of the text that each place lies in."""
        return np.searchsorted(self._starts, places, side="right") - 1

    def _read_digits(self, found: list[list[str]]) -> None:
        """Add to `found` the numbers of each text that are written with digits."""
        units = find_units(self._codes, self._kinds)
        if not units.starts.size:
            return
        owners = self._owners(units.starts)
        which, readings = self._readings(units, owners)
        joined, at = self._joined, 0
        columns = (units.starts, units.ends, owners, units.forms, which)
        for start, end, owner, form, row in zip(*(c.tolist() for c in columns), strict=True):
            if at >= end:
                continue
            reading = readings[row] if row >= 0 and at <= start else None
            if reading is None:
                at = self._read_plain(max(at, start), end, owner, found[owner])
                continue
            numbers, sign, suffix, n_chars = reading
            if form == AS_IT_STANDS:
                found[owner] += numbers
                at = start + n_chars
            else:
                digits = joined[start:end]
                if form == GROUPED:
                    digits = digits.replace(",", "")
                elif form == FRACTION:
                    digits = digits.rstrip("0").rstrip(".")
                found[owner].append(sign + digits + suffix)
                at = end + n_chars
            if at < end:
                at = self._read_plain(at, end, owner, found[owner])

    def _read_plain(self, at: int, end: int, owner: int, numbers: list[str]) -> int:
        """Read the digits in at:end of the block in their text; return where the last one ends."""
        text, shift = self._texts[owner], int(self._starts[owner])
        return shift + read_digits(text, at - shift, end - shift, self._is_comma[owner], numbers)

    def _readings(self, units: Units, owners: Places) -> tuple[Places, list[Reading | None]]:
        """Return the distinct readings, and the row of each unit's own, -1 where it has none."""
        state = 4 * np.array(self._is_comma, np.bool_)[owners] + 8 * self._has_rank()[owners]
        which, readings = self._windows_read(units, owners, state)
        is_none = np.array([reading is None for reading in readings])
        # Digits that do not go in as they stand (3억5000만): with these digits they may repeat.
        again = np.flatnonzero((units.forms != AS_IT_STANDS) & is_none[which])
        if again.size:
            units.forms[again] = AS_IT_STANDS
            some = Units(units.starts[again], units.ends[again], units.forms[again])
            rows, more = self._windows_read(some, owners[again], state[again])
            which[again] = np.where(rows < 0, rows, rows + len(readings))
            readings += more
        return which, readings

    def _windows_read(
        self, units: Units, owners: Places, state: Places
    ) -> tuple[Places, list[Reading | None]]:
        """Return what the windows of some units read as, see `_readings`."""
        is_kept = units.forms != AS_IT_STANDS
        inner = units.starts, np.where(is_kept, units.ends, units.starts)
        limits = self._starts[owners], self._ends[owners]
        left, right, is_open = windows(self._codes, self._kinds, inner, limits)
        state = (state + units.forms).astype(np.uint32)
        cells: NDArray[np.uint32] = np.concatenate((state[np.newaxis], left[::-1], right))
        first, which = _distinct(cells)
        readings = readings_of(cells[:, first])
        which[is_open | (cells != cells[:, first[which]]).any(axis=0)] = -1
        return which, readings

    def _has_rank(self) -> NDArray[np.bool_]:
        """Return which texts may hold a word that looks like a month but goes on to -급."""
        places = np.flatnonzero(self._codes == ord(_RANK))
        words = [self._joined[max(0, place - _RANK_CHARS) : place] for place in places.tolist()]
        ranked = [
            "월" in word or "月" in word or (len(word) == _RANK_CHARS and word.isalpha())
            for word in words
        ]
        has_rank = np.zeros(len(self._texts), np.bool_)
        has_rank[self._owners(places[ranked])] = True
        return has_rank


def _distinct(cells: NDArray[np.uint32]) -> tuple[Places, Places]:
    """Return the first of each kind of columns, and each one's kind; unequal ones may share it."""
    multipliers = np.random.default_rng(1).integers(1 << 63, size=len(cells), dtype=np.int64)
    hashes = np.zeros(cells.shape[1], np.uint64)
    for own, multiplier in zip(cells, multipliers.astype(np.uint64) | np.uint64(1), strict=True):
        hashes += own * multiplier
    _, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    return first, which
