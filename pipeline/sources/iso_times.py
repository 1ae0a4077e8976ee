"""Times of a whole column: those in the form of most feeds are read and written by numpy.

What a text means as a date is said by `dates.read_date`; here are read only the texts of which
nothing but the digits differs, 2026-03-02T09:30:00Z or with an offset such as +09:00.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contract import TIME
from pipeline.sources.dates import Moment

_FORM = np.frombuffer(b"0000-00-00T00:00:00", np.uint8)
_OFFSET_FORM = np.frombuffer(b"00:00", np.uint8)
_NO_OFFSET, _WITH_OFFSET = 20, 25
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_MICROS = 1_000_000

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Times(NamedTuple):
    """A column of moments: in naive UTC, as they are hashed, and how precise they were given."""

    at: pa.TimestampArray
    written: pa.StringArray
    precision: pa.StringArray

    @classmethod
    def of(cls, moments: Sequence[Moment]) -> Times:
        """Return the times of moments."""
        written = [moment.at.isoformat() if moment.at else None for moment in moments]
        return cls(
            pa.array([moment.at for moment in moments], TIME),
            pa.array(written, pa.string()),
            pa.array([moment.precision for moment in moments], pa.string()),
        )

    @classmethod
    def to_the_second(cls, seconds: Places) -> Times:
        """Return times that were given in seconds since 1970."""
        whole = pa.array(seconds * _MICROS).view(TIME)
        precision = pa.DictionaryArray.from_arrays(np.zeros(seconds.size, np.int32), ["second"])
        return cls(whole, _written(seconds), precision.dictionary_decode())

    def take(self, rows: pa.Array) -> Times:
        """Return some of the times."""
        return Times(*(column.take(rows) for column in self))


def read_iso_times(utf8: Bytes, starts: Places, ends: Places) -> tuple[Places, Flags]:
    """Return seconds since 1970 of texts in the form of most feeds, and which texts are.

    Args:
        utf8: uint8, the texts and whatever stands between them.
        starts: int64 [n], text i is utf8[starts[i]:ends[i]].
        ends: int64 [n].
    """
    seconds, is_read = np.zeros(starts.size, np.int64), np.zeros(starts.size, np.bool_)
    for size in (_NO_OFFSET, _WITH_OFFSET):
        rows = np.flatnonzero(ends - starts == size)
        if rows.size:
            texts = utf8[starts[rows, None] + np.arange(size)]
            own, is_own = _read(texts)
            seconds[rows[is_own]], is_read[rows[is_own]] = own[is_own], True
    return seconds, is_read


def _read(texts: Bytes) -> tuple[Places, Flags]:
    """Return seconds since 1970 of texts of one length, uint8 [n, length], and which are times."""
    is_time = _has_form(texts[:, : _FORM.size], _FORM)
    sign = texts[:, _FORM.size]
    offset = np.zeros(len(texts), np.int64)
    if texts.shape[1] == _NO_OFFSET:
        is_time &= sign == ord("Z")
    else:
        behind = texts[:, _NO_OFFSET:]
        is_time &= ((sign == ord("+")) | (sign == ord("-"))) & _has_form(behind, _OFFSET_FORM)
        hours, minutes = _number(behind, 0, 2), _number(behind, 3, 5)
        is_time &= (hours <= 23) & (minutes <= 59)
        offset = np.where(sign == ord("-"), -60, 60) * (hours * 60 + minutes)
    year, month, day = _number(texts, 0, 4), _number(texts, 5, 7), _number(texts, 8, 10)
    hour, minute, second = (_number(texts, at, at + 2) for at in (11, 14, 17))
    is_time &= (year >= _FIRST_YEAR) & (year < _LAST_YEAR) & (month >= 1) & (month <= 12)
    is_time &= (hour <= 23) & (minute <= 59) & (second <= 59)
    months = np.where(is_time, (year - 1970) * 12 + month - 1, 0)
    first, after = _first_days(months), _first_days(months + 1)
    is_time &= (day >= 1) & (day <= after - first)
    days = first + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second - offset, is_time


def _has_form(texts: Bytes, form: Bytes) -> Flags:
    """Return which texts have digits where `form` has them, and its signs elsewhere."""
    is_digit = form == ord("0")
    digits = texts[:, is_digit]
    is_digits = ((digits >= ord("0")) & (digits <= ord("9"))).all(axis=1)
    return np.asarray(is_digits & (texts[:, ~is_digit] == form[~is_digit]).all(axis=1), np.bool_)


def _number(texts: Bytes, start: int, end: int) -> Places:
    number = np.zeros(len(texts), np.int64)
    for place in range(start, end):
        number = number * 10 + texts[:, place] - ord("0")
    return number


def _first_days(months: Places) -> Places:
    """Return the first day of each month, both counted from January 1970."""
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)


def _written(seconds: Places) -> pa.StringArray:
    """Return times as `datetime.isoformat` writes them."""
    days, rest = np.divmod(seconds, 86_400)
    months = days.astype("M8[D]").astype("M8[M]").astype(np.int64)
    year, month = np.divmod(months, 12)
    day = days - _first_days(months) + 1
    hour, minute, second = rest // 3600, rest // 60 % 60, rest % 60
    texts = np.tile(_FORM, (seconds.size, 1))
    for end, n_digits, number in (
        *((4, 4, year + 1970), (7, 2, month + 1), (10, 2, day)),
        *((13, 2, hour), (16, 2, minute), (19, 2, second)),
    ):
        for place in range(end - 1, end - 1 - n_digits, -1):
            number, digit = np.divmod(number, 10)
            texts[:, place] = digit + ord("0")
    offsets = np.arange(seconds.size + 1, dtype=np.int32) * _FORM.size
    return pa.StringArray.from_buffers(seconds.size, pa.py_buffer(offsets), pa.py_buffer(texts))
