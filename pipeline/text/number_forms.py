"""Where numbers are written with digits in a block of texts, and in which form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.number_windows import (
    DATE_MARKS,
    DIGIT,
    DOT,
    LETTER,
    OTHER,
    PERCENT,
    SPACE,
    STRANGE,
    WORD,
    Codes,
    Kinds,
    Places,
)

AS_IT_STANDS, GROUPED, FRACTION, COUNT = range(4)
"""GROUPED: 12,345. FRACTION: 12.50. COUNT: 12 before a unit that is no mark of a date. Of these
three, the digits stand in the value as they stand in the text."""

_SEPARATORS = np.array([ord(c) for c in ".,٫٬'’\u00a0\u202f\u2009"], np.uint32)
_DATE_MARKS = np.array([ord(c) for c in DATE_MARKS], np.uint32)
_LAST_OF_NAMES = np.array([ord("나"), ord("-")], np.uint32)
_NINETEEN, _TWENTY = (ord(a) * 0x100 + ord(b) for a, b in ("19", "20"))
_MAX_GROUPS = 5
_ASCII_END = 0x80


Flags = NDArray[np.bool_]


class Units(NamedTuple):
    """Digits and the single separators between them: what `quantities.NUMBER` matches."""

    starts: Places
    ends: Places
    forms: NDArray[np.uint8]


class _Runs(NamedTuple):
    """Digits without anything between them; the unit i has the runs firsts[i]:lasts[i]."""

    starts: Places
    ends: Places
    lengths: Places
    firsts: Places
    lasts: Places
    counts: Places


def find_units(codes: Codes, kinds: Kinds) -> Units:
    """Return the numbers of a block, by place.

    Two characters that are no digits stand before the first text and one behind the last.
    """
    is_digit = kinds == DIGIT
    edges = np.flatnonzero(is_digit[1:] != is_digit[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    is_first = np.ones(starts.size, np.bool_)
    near = np.flatnonzero(starts[1:] - ends[:-1] == 1)
    is_first[near[np.isin(codes[ends[near]], _SEPARATORS)] + 1] = False
    firsts = np.flatnonzero(is_first)
    lasts = np.append(firsts[1:], starts.size)[: firsts.size]
    runs = _Runs(starts, ends, ends - starts, firsts, lasts, lasts - firsts)
    units = Units(starts[firsts], ends[lasts - 1], np.full(firsts.size, AS_IT_STANDS, np.uint8))
    if firsts.size:
        is_kept = _is_led(codes, units) & ~_is_named(codes, kinds, units)
        units.forms[_is_grouped(codes, runs) & is_kept] = GROUPED
        units.forms[_is_fraction(codes, runs) & is_kept] = FRACTION
        units.forms[_is_count(codes, kinds, units) & is_kept & (runs.counts == 1)] = COUNT
    return units


def _is_led(codes: Codes, units: Units) -> Flags:
    """Return which units begin with one of 1 to 9."""
    lead = codes[units.starts]
    return (lead > ord("0")) & (lead <= ord("9"))


def _is_named(codes: Codes, kinds: Kinds, units: Units) -> Flags:
    """Return which units may end a name in 19 (코로나19, Covid-19)."""
    second = codes[units.starts + 1]
    places = np.flatnonzero((codes[units.starts] == ord("1")) & (second == ord("9")))
    before = units.starts[places] - 1
    before -= kinds[before] == SPACE
    named = np.zeros(units.starts.size, np.bool_)
    named[places] = np.isin(codes[before], _LAST_OF_NAMES)
    return named


def _is_grouped(codes: Codes, runs: _Runs) -> Flags:
    """Return which units are one to three digits and groups of three behind commas."""
    is_group = (runs.lengths == 3) & (codes[runs.starts - 1] == ord(","))
    is_group[runs.firsts] = True
    is_group &= _is_short(codes, runs)
    is_number: Flags = np.logical_and.reduceat(is_group, runs.firsts)
    is_grouped: Flags = is_number & (runs.counts > 1) & (runs.counts <= _MAX_GROUPS)
    return is_grouped


def _is_fraction(codes: Codes, runs: _Runs) -> Flags:
    """Return which units are one to three digits, a point and one or two digits.

    Three digits behind a point may be thousands.
    """
    is_short, last = _is_short(codes, runs), runs.lasts - 1
    is_end = is_short & (runs.lengths <= 2) & (codes[runs.starts - 1] == ord("."))
    is_fraction: Flags = is_short[runs.firsts] & is_end[last] & (runs.counts == 2)
    return is_fraction


def _is_short(codes: Codes, runs: _Runs) -> Flags:
    """Return which runs are one to three ASCII digits."""
    return (runs.lengths <= 3) & _are_ascii(codes, runs.starts, runs.ends)


def _are_ascii(codes: Codes, starts: Places, ends: Places) -> Flags:
    """Return which runs of at most four characters are ASCII."""
    places = (starts, np.minimum(starts + 1, ends - 1), np.maximum(ends - 2, starts), ends - 1)
    flags: Flags = np.logical_and.reduce([codes[place] < _ASCII_END for place in places])
    return flags


def _is_count(codes: Codes, kinds: Kinds, units: Units) -> Flags:
    """Return which units of one run are one to four ASCII digits that are in no date."""
    starts, ends = units.starts, units.ends
    is_short = (ends - starts <= 4) & _are_ascii(codes, starts, ends)
    decade = codes[starts] * 0x100 + codes[starts + 1]
    is_year = (ends - starts == 4) & ((decade == _NINETEEN) | (decade == _TWENTY))
    is_unit = (kinds[ends] >= WORD) | (kinds[ends] == PERCENT) | (kinds[ends] == STRANGE)
    is_unit &= ~np.isin(codes[ends], _DATE_MARKS)
    # 4 in "March 4" is a day.
    before, second = kinds[starts - 1], kinds[starts - 2]
    has_month = (second == OTHER) | (second == DOT) | ((second >= LETTER) & (second < WORD))
    is_count: Flags = is_short & ~is_year & is_unit & ~((before == SPACE) & has_month)
    return is_count
