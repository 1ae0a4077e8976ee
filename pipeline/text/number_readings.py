"""How the number in a window reads, by the plain reader."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.lazy_pattern import lazy
from pipeline.text.number_forms import COUNT, FRACTION, GROUPED
from pipeline.text.number_windows import LEFT_CHARS, NOTHING
from pipeline.text.numbers import read_number

_MAX_READINGS = 1 << 16

_EXAMPLES = {GROUPED: ("11,111", "11111"), FRACTION: ("1.1", "1.1"), COUNT: ("11", "11")}
"""A number of each form whose digits are kept, and its value."""

_LAST_LETTERS = lazy(r"(.?)[A-Za-z]+\Z", re.DOTALL)
_ABOUT = lazy("[여余餘多]")
_MONTH_MARK = lazy("[월月]")
_SUFFIX = lazy(r"(-?)#(0*(?!\d).*)", re.DOTALL)


class Reading(NamedTuple):
    """The numbers of a window, or what stands around its digits in the one number that it is."""

    numbers: tuple[str, ...]
    sign: str
    suffix: str
    """Zeros and unit."""
    n_chars: int
    """Characters that are read from the start of the digits; from their end if they are kept."""


def readings_of(cells: NDArray[np.uint32]) -> list[Reading | None]:
    """Return how windows read.

    Args:
        cells: uint32 [1 + LEFT_CHARS + RIGHT_CHARS, n]: the form + 4 if the text has decimal
            commas + 8 if it has a word in -급; the characters to the left and to the right,
            NOTHING before and behind them.
    """
    windows = np.ascontiguousarray(cells[1:].T)
    is_seen = windows != NOTHING
    text = windows[is_seen].tobytes().decode("utf-32-le", "surrogatepass")
    ends = np.cumsum(is_seen.sum(axis=1))
    middles = ends - is_seen[:, LEFT_CHARS:].sum(axis=1)
    columns = (np.append(0, ends)[:-1], middles, ends, cells[0])
    return [
        _reading_of(text[start:middle], text[middle:end], state)
        for start, middle, end, state in zip(*(c.tolist() for c in columns), strict=True)
    ]


@lru_cache(maxsize=_MAX_READINGS)
def _reading_of(left: str, right: str, state: int) -> Reading | None:
    """Return how a window reads; None where more than the window would have to be seen."""
    form, is_comma, has_rank = state & 3, bool(state & 4), bool(state & 8)
    if has_rank and _MONTH_MARK.search(right):
        return None
    if right.endswith("q") and _are_letters_read(right):
        return None
    if form in _EXAMPLES:
        return _kept(left, right, is_comma, *_EXAMPLES[form])
    numbers, end = read_number(left + right, len(left), is_comma)
    return Reading(tuple(numbers), "", "", end - len(left))


def _are_letters_read(right: str) -> bool:
    """Return whether the letters at the end of a side would stand as they are in the number (5G).

    They do right behind digits; a letter in another place stands for any letters.
    """
    found = _LAST_LETTERS.search(right)
    assert found is not None
    is_apart = found[1].isspace() or found[1] == "-"
    return not is_apart or bool(_ABOUT.search(right))


def _kept(left: str, right: str, is_comma: bool, example: str, value: str) -> Reading | None:
    """Return what stands around the digits, which go into the number as they are."""
    numbers, end = read_number(left + example + right, len(left), is_comma)
    n_chars = end - len(left) - len(example)
    if len(numbers) != 1 or n_chars < 0:
        return None
    found = _SUFFIX.fullmatch(numbers[0].replace(value, "#", 1))
    if not found or ("." in value and found[2].startswith("0")):
        return None
    return Reading((), found[1], found[2], n_chars)
