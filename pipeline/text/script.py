"""Script class of a code point: how its script is spaced and how long its shingles are.

Classes follow the script of each character, never a guess of the text's language, so a Korean
article that quotes English needs no decision.
"""

from __future__ import annotations

import sys
import unicodedata
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.text.kept_tables import kept_tables


class ScriptClass(IntEnum):
    """What a code point is to the key and to shingles.

    >>> [script_class(c).name for c in "가漢aก5 -"]
    ['HANGUL', 'HAN_KANA', 'ALPHABETIC', 'UNSPACED', 'ALPHABETIC', 'SPACE', 'MARK']
    """

    DROP = 0
    """Control, zero-width, format, private-use and unassigned code points."""
    SPACE = 1
    MARK = 2
    """Punctuation and symbols."""
    ALPHABETIC = 3
    """Digits, and scripts that are written with spaces: Latin, Cyrillic, Arabic, Devanagari …"""
    HANGUL = 4
    HAN_KANA = 5
    UNSPACED = 6
    """Thai, Lao, Khmer, Burmese and their neighbours: words are not spaced."""


# Blocks of the Unicode Character Database whose letters are not ALPHABETIC.
_BLOCKS: tuple[tuple[int, int, ScriptClass], ...] = (
    (0x0E00, 0x0FFF, ScriptClass.UNSPACED),  # Thai, Lao, Tibetan
    (0x1000, 0x109F, ScriptClass.UNSPACED),  # Burmese
    (0x1100, 0x11FF, ScriptClass.HANGUL),  # conjoining jamo
    (0x1780, 0x17FF, ScriptClass.UNSPACED),  # Khmer
    (0x1950, 0x19FF, ScriptClass.UNSPACED),  # Tai Le, New Tai Lue, Khmer symbols
    (0x1A20, 0x1AAF, ScriptClass.UNSPACED),  # Tai Tham
    (0x1B00, 0x1B7F, ScriptClass.UNSPACED),  # Balinese
    (0x2E80, 0x312F, ScriptClass.HAN_KANA),  # radicals, Kana, Bopomofo
    (0x3130, 0x318F, ScriptClass.HANGUL),  # compatibility jamo
    (0x3190, 0x9FFF, ScriptClass.HAN_KANA),  # Kana extensions, Han and its extension A
    (0xA000, 0xA4CF, ScriptClass.HAN_KANA),  # Yi syllables
    (0xA960, 0xA97F, ScriptClass.HANGUL),
    (0xA980, 0xA9FF, ScriptClass.UNSPACED),  # Javanese, Burmese extended
    (0xAA60, 0xAADF, ScriptClass.UNSPACED),  # Burmese extended, Tai Viet
    (0xAC00, 0xD7FF, ScriptClass.HANGUL),
    (0xF900, 0xFAFF, ScriptClass.HAN_KANA),  # compatibility ideographs
    (0xFF66, 0xFF9F, ScriptClass.HAN_KANA),  # half-width Kana
    (0xFFA0, 0xFFDC, ScriptClass.HANGUL),  # half-width jamo
    (0x16FE0, 0x18DFF, ScriptClass.HAN_KANA),  # Tangut, Khitan
    (0x1AFF0, 0x1B2FF, ScriptClass.HAN_KANA),  # Kana extensions, Nüshu
    (0x20000, 0x3FFFD, ScriptClass.HAN_KANA),  # planes 2 and 3 are kept for ideographs
)

# Ideographs are set as ranges: asking unicodedata for 100,000 of them takes 10 ms at start.
_IDEOGRAPHS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x3FFFD))
_SYLLABLES = (0xAC00, 0xD7A3)
_N_CODE_POINTS = sys.maxunicode + 1


_ASKED = ((0, 0x3400), (0xA000, 0xAC00), (0xD7B0, 0xD800), (0xF900, 0x20000))
_CATEGORIES = (
    "Cc Cf Cn Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs"
)
_LETTER = -1
"""Takes the class of its block."""
_BY_MAJOR = {
    "C": ScriptClass.DROP,
    "L": _LETTER,
    "M": _LETTER,
    "N": _LETTER,
    "P": ScriptClass.MARK,
    "S": ScriptClass.MARK,
    "Z": ScriptClass.SPACE,
}
_RANKS = {category: int(_BY_MAJOR[category[0]]) for category in _CATEGORIES.split()}
_RANKS["Me"] = int(ScriptClass.DROP)  # enclosing marks decorate: keycap emoji


@cache
def script_classes() -> NDArray[np.uint8]:
    """Return the class of every code point, uint8 of length 0x110000, built once a machine."""
    return kept_tables("script_classes", [__name__], _script_classes)[0]


def _script_classes() -> tuple[NDArray[np.uint8]]:
    classes = np.zeros(_N_CODE_POINTS, np.uint8)
    blocks = np.full(_N_CODE_POINTS, ScriptClass.ALPHABETIC, np.uint8)
    for first, last, script in _BLOCKS:
        blocks[first : last + 1] = script
    for start, stop in _ASKED:
        categories = map(unicodedata.category, map(chr, range(start, stop)))
        ranks = map(_RANKS.__getitem__, categories)
        of_category = np.fromiter(ranks, np.int8, stop - start)
        letters = of_category == _LETTER
        classes[start:stop] = np.where(letters, blocks[start:stop], of_category.view(np.uint8))
    for first, last in _IDEOGRAPHS:
        classes[first : last + 1] = ScriptClass.HAN_KANA
    classes[_SYLLABLES[0] : _SYLLABLES[1] + 1] = ScriptClass.HANGUL
    classes[[0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x85]] = ScriptClass.SPACE
    classes[0xFE00:0xFE10] = ScriptClass.DROP  # variation selectors only choose a glyph
    classes.flags.writeable = False
    return (classes,)


def script_class(character: str) -> ScriptClass:
    """Return the class of one character."""
    return ScriptClass(int(script_classes()[ord(character)]))
