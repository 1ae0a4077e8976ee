"""What a reader of numbers can see around digits: all other characters are alike to it.

Every pattern in `dates` and `quantities` looks for a few words: units, multipliers, months, marks
of a date. A letter that continues none of them ends what can matter, whatever letter it is. The
window of a number is its surroundings up to there, with a stand-in for that letter; numbers with
equal windows are read alike, so that each window is read once.

Which characters go on is decided by pairs of neighbours: too much may pass, which only makes a
window longer; nothing that a pattern looks for may be missing (`tests/property/test_numbers.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.kept_tables import Arrays, kept_tables
from pipeline.text.number_words import (
    CURRENCY_SIGNS,
    HAN_DIGITS,
    HANGUL_DIGITS,
    MONTHS,
    MULTIPLIERS,
    MYRIAD_UNITS,
    UNITS,
)

Codes = NDArray[np.uint32]
Kinds = NDArray[np.uint8]
Places = NDArray[np.int64]

# Kinds of characters.
STRANGE = 0
"""Hangul or Han that is in no word."""
OTHER = 1
"""Letters and signs whose words are not told apart: always seen as they are."""
SIGN = 2
LEADING = 3
"""Signs that mean something before digits."""
END_SIGN = 4
"""Signs that stand in no number and in no date."""
PERCENT, SPACE, DOT, DIGIT = 5, 6, 7, 8
NUMBER = 9
"""What stands before the first character on either side."""
LETTER = 10
"""The letters a to z, and from `WORD` on the characters of the words, have a kind each."""
WORD = LETTER + 26

ON, _STOP, STRANGE_END, LETTER_END = range(4)
STAND_INS = np.array([0, 0, ord("뷁"), ord("q")], np.uint32)
"""By action; 0 keeps the character. No word has a q, and none has this syllable."""
NOTHING = 0xFFFFFFFF
"""Fills a window behind its end."""

LEFT_CHARS = 14
"""The longest month name with its point, a space and the character before it."""
RIGHT_CHARS = 20

_BEFORE = "오후 저녁 밤 코로나 午後 下午 晚上"
_AFTER = (
    "번째 번 째 간 동안 연속 만에 이상 이내 차 目 間 本 元 円 대"
    " st nd rd th er am pm a.m p.m gmt utc hrs est edt cet kst jst k m b bn tn de del of mln pct"
)
"""Words of the patterns in `dates` and `quantities` that are in no table of `number_words`."""
_NOT_BEHIND = (
    ("일日號号", "간째동연만이차目間本元円"),
    ("시時时点點", "간도장즌의민군청험설間"),
    ("분分", "간間"),
)
"""Marks of dates and times, and what makes them none."""
ABOUT = "여余餘多"
DATE_MARKS = "년年월月일日號号시時时点點"
_BEFORE_SPACES = f"{DATE_MARKS}{ABOUT}번"
"""With the myriads, the characters behind which a space belongs to the number."""
_LEADING_SIGNS = ["-", "\u2212", "[", "(", "+", *CURRENCY_SIGNS]
_END_SIGNS = '!"#&*;<=>?@\\]^`{|}“”‘…▲△▶◆■●○→※《》「」『』〈〉【】'


class Windows(NamedTuple):
    """Both sides of some numbers: characters outwards, uint32 [LEFT_CHARS or RIGHT_CHARS, n]."""

    left: Codes
    right: Codes
    is_open: NDArray[np.bool_]
    """Whether a side goes on where the window ends: such a number is read in its text."""


def kinds_of(codes: Codes) -> Kinds:
    """Return the kind of each code point."""
    return kind_tables().kinds[codes]


def kind_of(character: str) -> int:
    """Return the kind of one character."""
    return int(kind_tables().kinds[ord(character)])


def windows(
    codes: Codes, kinds: Kinds, at: tuple[Places, Places], text: tuple[Places, Places]
) -> Windows:
    """Return the windows left of at[0] (exclusive) and right of at[1] within text[0]:text[1]."""
    tables = kind_tables()
    left, is_left_open = _look(codes, kinds, at[0], text[0], tables.left, -1, LEFT_CHARS)
    right, is_right_open = _look(codes, kinds, at[1], text[1], tables.right, 1, RIGHT_CHARS)
    return Windows(left, right, is_left_open | is_right_open)


def _look(
    codes: Codes, kinds: Kinds, at: Places, limits: Places, actions: Kinds, step: int, width: int
) -> tuple[Codes, NDArray[np.bool_]]:
    """Go on from each place until a character ends what matters, at most `width` characters."""
    cells = np.full((width, at.size), NOTHING, np.uint32)
    rows, places = np.arange(at.size), at if step > 0 else at - 1
    last = np.full(at.size, NUMBER, np.uint8)
    for column in range(width):
        inside = places < limits[rows] if step > 0 else places >= limits[rows]
        rows, places, last = rows[inside], places[inside], last[inside]
        if not rows.size:
            break
        here = kinds[places]
        action = actions[last, here]
        stand_in = STAND_INS[action]
        cells[column, rows] = np.where(stand_in, stand_in, codes[places])
        goes_on = action == ON
        rows, places, last = rows[goes_on], places[goes_on] + step, here[goes_on]
    is_open = np.zeros(at.size, np.bool_)
    is_open[rows] = True
    return cells, is_open


class KindTables(NamedTuple):
    """The kind of each character, and what each pair of kinds does."""

    kinds: Kinds
    """By code point."""
    left: Kinds
    """Action by the kind of the character just passed and that of the next, outwards."""
    right: Kinds


_SOURCES = ("pipeline.text.number_windows", "pipeline.text.number_words")


@cache
def kind_tables() -> KindTables:
    """Return the kinds of all characters and what each pair of them does, built once a machine."""
    kinds, left, right = kept_tables("number_kinds", _SOURCES, _kind_tables)
    n_kinds = math.isqrt(left.size)
    return KindTables(kinds, left.reshape(n_kinds, -1), right.reshape(n_kinds, -1))


def _kind_tables() -> Arrays:
    before = [*_BEFORE.split(), *MONTHS]
    after = [*UNITS, *MULTIPLIERS, *MONTHS, *_AFTER.split(), *DATE_MARKS]
    after += [one + other for marks, others in _NOT_BEHIND for one in marks for other in others]
    kinds, n_kinds = _kinds([*before, *after, *MYRIAD_UNITS, *HAN_DIGITS, *HANGUL_DIGITS, *ABOUT])
    left = _actions(n_kinds)
    _allow(left, kinds, [word[::-1] for word in before])
    _stop_left(left)
    right = _actions(n_kinds)
    _stop_right(right, kinds)
    _allow(right, kinds, [*after, *MYRIAD_UNITS, *ABOUT])
    _go_on_right(right, kinds, {word[0] for word in [*after, *MYRIAD_UNITS, *ABOUT]})
    return kinds, left.ravel(), right.ravel()


def _kinds(words: Iterable[str]) -> tuple[Kinds, int]:
    """Return the kind of each code point, and how many kinds there are."""
    every = np.arange(0x110000, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    kinds = np.full(len(every), OTHER, np.uint8)
    kinds[0xAC00:0xD7A4] = STRANGE
    # Those that a Python without them takes for no letters stay OTHER.
    kinds[[code for code in range(0x4E00, 0xA000) if every[code].isalpha()]] = STRANGE
    kinds[[code for code in range(0x80) if not every[code].isalnum()]] = SIGN
    kinds[ord("_")] = OTHER
    for found in re.finditer(r"\s|\d", every):
        kinds[found.start()] = SPACE if found[0].isspace() else DIGIT
    kinds[ord(".")] = DOT
    kinds[[ord(c) for c in _END_SIGNS]] = END_SIGN
    kinds[[ord(c) for c in _LEADING_SIGNS]] = LEADING
    kinds[[ord(c) for c in "%％٪"]] = PERCENT
    for letter in range(26):
        kinds[[ord("a") + letter, ord("A") + letter]] = LETTER + letter
    n_kinds = WORD
    for character in sorted(set("".join(words))):
        if kinds[ord(character)] == STRANGE:
            kinds[ord(character)] = n_kinds
            n_kinds += 1
    assert n_kinds <= 256
    return kinds, n_kinds


def _actions(n_kinds: int) -> Kinds:
    """Return a table in which letters end a window and all else goes on."""
    actions = np.zeros((n_kinds, n_kinds), np.uint8)
    actions[:, STRANGE] = STRANGE_END
    actions[:, WORD:] = STRANGE_END
    actions[:, LETTER:WORD] = LETTER_END
    return actions


def _allow(actions: Kinds, kinds: Kinds, words: Iterable[str]) -> None:
    """Let the words pass: their first character after anything but a letter, then pair by pair."""
    for word in words:
        own = kinds[[ord(c) for c in word]]
        actions[OTHER:LETTER, own[0]] = ON
        for one, following in pairwise(own.tolist()):
            actions[one, following] = ON


def _stop_left(actions: Kinds) -> None:
    """Stop at the second character and later ones where no word can end."""
    later = [kind for kind in range(len(actions)) if kind != NUMBER]
    for stop in (SIGN, LEADING, END_SIGN, PERCENT, SPACE, DIGIT):
        actions[later, stop] = _STOP
        actions[SPACE, stop] = STRANGE_END
    for other in (OTHER, SIGN, END_SIGN, PERCENT, DOT):
        actions[NUMBER, other] = STRANGE_END
    # "Sept. 5": the month stands before the point.
    actions[WORD:, OTHER] = _STOP
    actions[WORD:, DOT] = _STOP


def _go_on_right(actions: Kinds, kinds: Kinds, firsts: Iterable[str]) -> None:
    """Let a unit follow myriads and Latin multipliers."""
    heads = kinds[[ord(c) for c in [*MYRIAD_UNITS, *ABOUT]]]
    starts = kinds[[ord(c) for c in firsts]]
    actions[np.ix_(heads, starts)] = ON
    actions[LETTER:WORD, starts[starts >= WORD]] = ON
    for kind in (OTHER, SIGN, LEADING, DOT):
        actions[heads, kind] = ON


def _stop_right(actions: Kinds, kinds: Kinds) -> None:
    """Stop at what follows Hangul and Han words, percent signs, and signs of no number."""
    signs = (OTHER, SIGN, LEADING, PERCENT, DOT)
    for stop in signs:
        actions[WORD:, stop] = _STOP
    units = np.ones(len(actions), np.bool_)
    units[kinds[[ord(c) for c in [*MYRIAD_UNITS, *_BEFORE_SPACES]]]] = False
    units[:WORD] = False
    for stop in (SPACE, DIGIT):
        actions[units, stop] = _STOP
    for stop in (*signs, SPACE, DIGIT):
        actions[PERCENT, stop] = _STOP
    actions[:, END_SIGN] = _STOP
