"""What each code point becomes in a key: the tables that both engines fold by.

Built from Unicode's own data at run time, so that a text folds as this Python composes it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.fold_kinds import (
    COMMA,
    DIGIT,
    DROP,
    EXPANDED,
    HYPHEN,
    LETTER,
    MINUS,
    MINUS_SIGN,
    POINT,
    QUOTE,
    SENTINEL,
    SPACE,
    UNSPACED,
)
from pipeline.text.kept_tables import kept_tables
from pipeline.text.script import ScriptClass, script_classes

DROPPED = 0x110000
"""Folded value of a code point that leaves nothing; larger values number an expansion."""

_QUOTES = "'\"`´‘’‚‛“”„‟ʹʺʻʼ′″‵‶«»‹›״׳＇＂"
_HYPHENS = "-‐‑﹣－"
_NO_TRACE = "™℠®©\u0640"  # trade marks; the Arabic tatweel only stretches a word
# Signs that carry a number's meaning: "5%" is neither "5" nor "$5" in a short text.
_MEASURES = "%‰"
# Arabic forms of ASCII marks; two letters that Korean papers print as a middle dot.
_SAME = {"٪": "%", "٫": ".", "٬": ",", "ㆍ": " ", "ᆞ": " "}

N_ENTRIES = 0x20000
"""Rare ideographs and what lies beyond are left to the plain path: their entries fill 8 MB."""

LENGTH_SHIFT, KIND_SHIFT = 32, 36
COMBINES = np.uint64(1 << 63)
"""Set in an entry: only the plain path can tell what becomes of the text."""

# Ideographs and syllables do not combine, but those kept for compatibility do.
_MAY_COMBINE = (
    (0, 0x3400),
    (0xA000, 0xAC00),
    (0xD7A4, 0xD800),
    (0xF900, 0x20000),
    (0x2F800, 0x2FA20),
)

_SOURCES = ("pipeline.text.fold_tables", "pipeline.text.fold_kinds", "pipeline.text.script")


class FoldTables(NamedTuple):
    """Folding tables over code points: `fold` uint32, `kind` uint8, expansions as CSR."""

    fold: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    expansion_codes: NDArray[np.uint32]
    expansion_starts: NDArray[np.int64]


class FoldEntries(NamedTuple):
    """The folding tables as the compiled engine reads them: one look a code point.

    An entry, uint64, has what is written in UTF-8 in bits 0 to 31 (the number of an expansion
    where the kind is EXPANDED), its length in bytes from `LENGTH_SHIFT` on, the kind from
    `KIND_SHIFT` on, and `COMBINES` where the text may have to be composed.
    """

    entries: NDArray[np.uint64]
    """Of code points under `N_ENTRIES`; all others share the last one, which says COMBINES."""
    expansions: NDArray[np.uint64]
    starts: NDArray[np.int64]
    """Expansion i is expansions[starts[i]:starts[i + 1]]."""


@cache
def fold_entries() -> FoldEntries:
    """Return the tables of the compiled engine, built once a machine."""
    return FoldEntries(*kept_tables("fold_entries", _SOURCES, _fold_entries))


def _fold_entries() -> FoldEntries:
    fold, kind, codes, starts = fold_tables()
    single = fold[:N_ENTRIES].copy()
    many = np.flatnonzero(single > DROPPED)
    number = single[many] - (DROPPED + 1)
    combines = combining_code_points()
    is_suspect = combines[:N_ENTRIES].copy()
    is_suspect[many] = np.logical_or.reduceat(combines[codes], starts[:-1])[number]
    single[many] = DROPPED
    # A key must be composed as well: what a code point becomes counts with what it is.
    is_suspect |= np.append(combines, False)[single]
    is_suspect[0] = True  # NUL separates the texts that numpy folds together
    single[0] = DROPPED
    entries = np.append(_entries(single, kind), np.uint64(DROP << KIND_SHIFT) | COMBINES)
    entries[many] = number | np.uint64(EXPANDED << KIND_SHIFT)
    entries[:N_ENTRIES][is_suspect] |= COMBINES
    kept = kind[codes] != DROP
    n_kept = np.append(0, np.cumsum(kept))
    return FoldEntries(entries, _entries(codes[kept], kind), n_kept[starts])


def _entries(codes: NDArray[np.uint32], kind: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the entries of folded code points; `DROPPED` and spaces write nothing."""
    kinds = kind[codes].astype(np.uint64)
    words, lengths = utf8_words(np.where(codes < DROPPED, codes, 0))
    lengths[(kinds == DROP) | (kinds == SPACE)] = 0
    lengths <<= np.uint64(LENGTH_SHIFT)
    entries: NDArray[np.uint64] = words | lengths | kinds << np.uint64(KIND_SHIFT)
    return entries


def utf8_words(codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return each code point in UTF-8, as a little-endian word, and how many bytes it has."""
    code = codes.astype(np.uint64)
    six = [code >> np.uint64(6 * place) & np.uint64(0x3F) | np.uint64(0x80) for place in range(3)]
    eight, shift = np.uint64(8), np.uint64
    two = code >> shift(6) | shift(0xC0) | six[0] << eight
    three = code >> shift(12) | shift(0xE0) | six[1] << eight | six[0] << shift(16)
    four = code >> shift(18) | shift(0xF0) | six[2] << eight | six[1] << shift(16)
    four |= six[0] << shift(24)
    classes = [code < 0x80, code < 0x800, code < 0x10000]
    words = np.select(classes, [code, two, three], four)
    lengths = np.select(classes, [1, 2, 3], 4).astype(np.uint64)
    return words, lengths


@cache
def combining_code_points() -> NDArray[np.bool_]:
    """Return which code points NFC may change, alone or beside others: bool [0x110000].

    All others stay what they are in any text: they do not decompose, are no second half of a
    composition, and do not change places (Unicode Standard Annex 15, section 9: NFC_QC is Yes
    and the combining class is 0).
    """
    return kept_tables("combining", _SOURCES, _combining)[0]


def _combining() -> tuple[NDArray[np.bool_]]:
    combines = np.zeros(DROPPED, np.bool_)
    for first, end in _MAY_COMBINE:
        characters = [chr(code) for code in range(first, end)]
        combines[first:end] |= np.fromiter(map(unicodedata.combining, characters), np.uint8) != 0
        for character, parts in zip(
            characters, map(unicodedata.decomposition, characters), strict=True
        ):
            if parts and parts[0] != "<":
                combines[[int(part, 16) for part in parts.split()[1:]]] = True
                combines[ord(character)] |= unicodedata.normalize("NFC", character) != character
    for first, last in ((0x1161, 0x1175), (0x11A8, 0x11C2)):  # vowels and finals of syllables
        combines[first : last + 1] = True
    combines.flags.writeable = False
    return (combines,)


@cache
def fold_tables() -> FoldTables:
    """Return the folding tables, built once a machine."""
    return FoldTables(*kept_tables("fold", _SOURCES, _fold_tables))


def _fold_tables() -> FoldTables:
    kind = _kinds()
    fold = np.arange(0x110000, dtype=np.uint32)
    fold[kind[:-1] == SPACE] = 0x20
    fold[kind[:-1] == DROP] = DROPPED
    expansions: list[str] = []
    changed = _changed_code_points()
    for code, folded in zip(changed, _folded(changed, kind), strict=True):
        if len(folded) > 1:
            fold[code] = DROPPED + 1 + len(expansions)
            expansions.append(folded)
        else:
            fold[code] = ord(folded) if folded else DROPPED
    fold[0] = 0
    lengths = np.array([0, *map(len, expansions)])
    codes = np.frombuffer("".join(expansions).encode("utf-32-le"), "<u4").astype(np.uint32)
    return FoldTables(fold, kind, codes, np.cumsum(lengths))


def _kinds() -> NDArray[np.uint8]:
    """Return the kind of every folded code point, one more for what was dropped."""
    of_script = np.zeros(len(ScriptClass), np.uint8)
    of_script[ScriptClass.DROP] = DROP
    of_script[[ScriptClass.SPACE, ScriptClass.MARK]] = SPACE
    of_script[ScriptClass.ALPHABETIC] = LETTER
    of_script[[ScriptClass.HANGUL, ScriptClass.HAN_KANA, ScriptClass.UNSPACED]] = UNSPACED
    kind = np.append(of_script[script_classes()], np.uint8(DROP))
    kind[ord("0") : ord("9") + 1] = DIGIT
    for characters, value in (
        (_QUOTES, QUOTE),
        (_HYPHENS, HYPHEN),
        (MINUS_SIGN, MINUS),
        (".", POINT),
        (",", COMMA),
        (_MEASURES, UNSPACED),
    ):
        kind[[ord(c) for c in characters]] = value
    for code in (*range(0xA0, 0xA6), *range(0x20A0, 0x20D0), 0x24, 0xE3F, 0x60B, 0x9F2, 0x9F3):
        if unicodedata.category(chr(code)) == "Sc":
            kind[code] = UNSPACED
    kind[0] = SENTINEL
    return kind


def _changed_code_points() -> list[int]:
    """Return the code points that NFKC, case folding or our own table changes, ascending."""
    present = script_classes() != ScriptClass.DROP
    present[0x3400:0xA000] = present[0xAC00:0xF900] = present[0x20000:0x2F800] = False
    present[0x2FA20:] = False
    present[ord("\n")] = False
    codes = np.flatnonzero(present).astype("<u4")
    folded = _code_points(unicodedata.normalize("NFKC", _in_lines(codes)).casefold())
    # Every line is one character, and a line break.
    ends = np.append(np.flatnonzero(folded == ord("\n")), folded.size)
    starts = np.append(0, ends[:-1] + 1)
    is_same = (ends - starts == 1) & (folded[np.minimum(starts, folded.size - 1)] == codes)
    digits = [c for c in codes.tolist() if c > ord("9") and chr(c).isdecimal()]
    own = [ord(c) for c in _NO_TRACE + "".join(_SAME)]
    return sorted({*codes[~is_same].tolist(), *digits, *own})


def _in_lines(codes: NDArray[np.uint32]) -> str:
    """Return the characters, each on a line of its own: nothing combines across a line break."""
    lines = np.full(2 * codes.size - 1, ord("\n"), "<u4")
    lines[::2] = codes
    return lines.tobytes().decode("utf-32-le")


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


def _folded(codes: Sequence[int], kind: NDArray[np.uint8]) -> list[str]:
    """Return what each character folds to: NFKC and case to their fixed point, then the table."""
    folded, previous = _in_lines(np.array(codes, "<u4")), ""
    while folded != previous:
        previous = folded
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    kept = folded.translate({ord(c): _as_kept(c, kind) for c in set(folded) - {"\n"}})
    characters = map(chr, codes)
    return [_own(c, k, kind) for c, k in zip(characters, kept.split("\n"), strict=True)]


def _own(character: str, folded: str, kind: NDArray[np.uint8]) -> str:
    """Return what a character folds to: `folded` by rule, but some have a way of their own."""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _NO_TRACE:
        return ""
    if kind[ord(character)] >= POINT:
        return character
    # Spacing accents (Sk) would fold to a space and a combining mark that joins the next word.
    if category == "Sk" and len(unicodedata.normalize("NFKC", character)) > 1:
        return " "
    # "3½" and "제①5" must not read 31 2 and 15.
    loose = unicodedata.decomposition(character).startswith(("<circle>", "<fraction>"))
    return f" {folded} " if loose else folded


def _as_kept(character: str, kind: NDArray[np.uint8]) -> str:
    """Return the character as it stands in a key: one space for marks, nothing for the dropped."""
    character = _SAME.get(character, character)
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    kept = {DROP: "", SPACE: " "}
    return "" if character in _NO_TRACE else kept.get(int(kind[ord(character)]), character)
