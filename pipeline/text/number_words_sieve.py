"""Where numbers that are written in words can stand, found in all texts of a block at once.

A number in words begins with two characters that few words begin with; only there the patterns are
tried. A line end stands between the texts: that a pattern sees the next one there does not matter,
for what is found here is read again in its own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.text.number_windows import DIGIT, LETTER, WORD, Codes, Kinds, Places
from pipeline.text.number_words import HAN_DIGITS, HANGUL_DIGITS, SPELLED
from pipeline.text.quantities import HAN_NUMERAL, HANGUL_NUMERAL, SPELLED_NUMBER

Flags = NDArray[np.bool_]

_FIRST_HAN, _LAST_HAN = 0x3007, 0x9FFF
_FIRST_HANGUL, _LAST_HANGUL = 0xAC00, 0xD7A3
_SMALL_HANGUL = "십백천만"


def spelled_places(joined: str, kinds: Kinds) -> list[int]:
    """Return where English number words begin."""
    is_letter = (kinds >= LETTER) & (kinds < WORD)
    is_start = is_letter[:-1] & is_letter[1:]
    is_start[1:] &= ~is_letter[:-2] & (kinds[:-2] != DIGIT)
    starts = np.flatnonzero(is_start)
    first, second = kinds[starts] - LETTER, kinds[starts + 1] - LETTER
    return _matching(SPELLED_NUMBER, joined, starts[_spelled_starts()[first, second]])


def han_places(joined: str, codes: Codes) -> list[int]:
    """Return where numbers of Han numerals begin."""
    is_han = (codes[:-1] >= _FIRST_HAN) & (codes[:-1] <= _LAST_HAN)
    starts = np.flatnonzero(is_han)
    starts = starts[np.isin(codes[starts], _codes([*HAN_DIGITS, *"十百千"]))]
    return _matching(HAN_NUMERAL, joined, starts)


def hangul_places(joined: str, codes: Codes, kinds: Kinds) -> list[int]:
    """Return where numbers of Hangul numerals begin."""
    starts = np.flatnonzero(kinds[:-1] >= WORD)
    starts = starts[_is_hangul_numeral()[codes[starts] & 0xFFFF]]
    before = codes[np.maximum(starts - 1, 0)]
    is_inside = (before >= _FIRST_HANGUL) & (before <= _LAST_HANGUL) & (starts > 0)
    starts = starts[~is_inside]
    # 억 and 조 begin none, but so few words do that the pattern may say it.
    starts = starts[_is_hangul_numeral()[codes[starts + 1] & 0xFFFF]]
    return _matching(HANGUL_NUMERAL, joined, starts)


def _matching(pattern: re.Pattern[str], joined: str, places: Places) -> list[int]:
    """Return the places where a pattern matches."""
    return [place for place in places.tolist() if pattern.match(joined, place)]


def _codes(characters: Iterable[str]) -> NDArray[np.uint32]:
    return np.array([ord(c) for c in characters], np.uint32)


@cache
def _spelled_starts() -> Flags:
    """Return which two letters begin a number word, bool [26, 26]."""
    starts = np.zeros((26, 26), np.bool_)
    for word in SPELLED:
        starts[ord(word[0]) - ord("a"), ord(word[1]) - ord("a")] = True
    return starts


@cache
def _is_hangul_numeral() -> Flags:
    """Return which code points below 2**16 stand in Hangul numerals."""
    flags = np.zeros(1 << 16, np.bool_)
    flags[_codes([*HANGUL_DIGITS, *_SMALL_HANGUL, *"억조"])] = True
    return flags
