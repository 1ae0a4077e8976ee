"""The key of a text: what is compared, while the display text stays untouched.

NFKC and case folding, then a table decides what each code point becomes; spaces are kept by a
local rule, so mixed scripts need no language detection.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.script import ScriptClass, script_classes

NORMALISER_VERSION = "key-1"
"""Part of every recipe: keys of two versions never meet."""

_SENTINEL, _DROP, _SPACE, _DIGIT, _LETTER, _UNSPACED = range(6)
_POINT, _COMMA, _QUOTE, _HYPHEN, _MINUS = range(6, 11)

_DROPPED = 0x110000
"""Folded value of a code point that leaves nothing; larger values number an expansion."""

_QUOTES = "'\"`´‘’‚‛“”„‟ʹʺʻʼ′″‵‶«»‹›״׳＇＂"
_HYPHENS = "-‐‑﹣－"
_NO_TRACE = "™℠®©\u0640"  # trade marks; the Arabic tatweel only stretches a word
_MINUS_SIGN = "\N{MINUS SIGN}"
# Signs that carry a number's meaning: "5%" is neither "5" nor "$5" in a short text.
_MEASURES = "%‰"
# Arabic forms of ASCII marks; two letters that Korean papers print as a middle dot.
_SAME = {"٪": "%", "٫": ".", "٬": ",", "ㆍ": " ", "ᆞ": " "}


class _Tables(NamedTuple):
    """Folding tables over code points: `fold` uint32, `kind` uint8, expansions as CSR."""

    fold: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    expansion_codes: NDArray[np.uint32]
    expansion_starts: NDArray[np.int64]


def make_key(text: str) -> str:
    """Return the key of one text; use `make_keys` for many.

    Letters are folded by NFKC and case, marks that belong to them stay (never NFD); decimal
    digits of every script become ASCII. Punctuation separates words, except that quotes, and full
    stops inside words, leave nothing ("U.S." = "US"). Between digits a point stays, a comma
    before exactly three digits goes and any other becomes a point; a minus before a number,
    "%" and currency signs stay. One space is kept between two characters of spaced scripts only.

    >>> make_key("“Ｕ.S.” GDP rose 1,234.5%…"), make_key("서울 시장, 3.5% ↑")
    ('us gdp rose 1234.5%', '서울시장3.5%')
    """
    return make_keys([text])[0]


def make_keys(texts: Sequence[str]) -> list[str]:
    """Return the key of each text, folded together as one array of code points."""
    if not texts:
        return []
    tables = _tables()
    joined = "\0".join([_composed(text) for text in texts])
    codes = np.frombuffer(f"\0{joined}\0".encode("utf-32-le", "surrogatepass"), "<u4")
    codes = _expand(tables, tables.fold[codes])
    kinds = tables.kind[codes]
    kept = kinds != _DROP
    codes, kinds = _resolve_marks(codes[kept], kinds[kept])
    codes = _keep_spaces_between_words(codes, kinds)
    keys = codes.astype("<u4", copy=False).tobytes().decode("utf-32-le").split("\0")[1:-1]
    return [key if unicodedata.is_normalized("NFC", key) else make_key(key) for key in keys]


def key_hash(key: str) -> bytes:
    """Return the 16-byte hash of a key: what relation `exact` compares."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _composed(text: str) -> str:
    """Return NFC without NUL, which separates the texts of a batch."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _expand(tables: _Tables, folded: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the folded code points with each expansion number replaced by its code points."""
    many = np.flatnonzero(folded > _DROPPED)
    if not many.size:
        return folded
    number = folded[many] - (_DROPPED + 1)
    first = tables.expansion_starts[number]
    length = tables.expansion_starts[number + 1] - first
    repeats = np.ones(folded.size, np.int64)
    repeats[many] = length
    expanded = np.repeat(folded, repeats)
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    expanded[expanded > _DROPPED] = tables.expansion_codes[np.repeat(first, length) + within]
    return expanded


def _resolve_marks(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint8]
) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Turn points, commas, quotes and hyphens into themselves, a space or nothing.

    Each rule looks at direct neighbours only and its result satisfies it again, so that the key
    of a key is the key.
    """
    at = np.flatnonzero(kinds >= _POINT)
    if not at.size:
        return codes, kinds
    codes, kinds = codes.copy(), kinds.copy()
    kind, before, after = kinds[at], kinds[at - 1], kinds[at + 1]
    in_number = (before == _DIGIT) & (after == _DIGIT)
    point, comma, quote = kind == _POINT, kind == _COMMA, kind == _QUOTE
    crowded = _is_soft(before) | _is_soft(after)
    thousands = comma & in_number & _three_digits_follow(kinds, at)
    signed = (kind >= _HYPHEN) & (after == _DIGIT)
    # "Covid-19" and "27-28" have no sign; a minus that stands in a key already keeps its place
    # beside Hangul, where the space before it was dropped.
    signed &= (before <= _SPACE) | ((kind == _MINUS) & (before == _UNSPACED))
    result = np.full(at.size, _SPACE, np.uint8)
    result[(point & in_number) | (comma & in_number) | signed] = _LETTER
    result[thousands | (point & ~in_number & ~crowded) | (quote & ~in_number & ~crowded)] = _DROP
    kinds[at] = result
    codes[at] = np.where(result == _SPACE, 0x20, np.where(signed, ord(_MINUS_SIGN), ord(".")))
    kept = kinds != _DROP
    return codes[kept], kinds[kept]


def _is_soft(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a point, comma or quote stands."""
    return (kinds >= _POINT) & (kinds <= _QUOTE)


def _three_digits_follow(kinds: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where exactly three digits follow; the closing sentinel ends every look ahead."""
    last = kinds.size - 1
    one, two, three, four = (kinds[np.minimum(at + step, last)] == _DIGIT for step in range(1, 5))
    exactly: NDArray[np.bool_] = one & two & three & ~four
    return exactly


def _keep_spaces_between_words(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint8]
) -> NDArray[np.uint32]:
    """Drop every space but one between two characters of spaced scripts."""
    space = kinds == _SPACE
    first = ~space
    first[1:] |= ~space[:-1]
    codes, kinds, space = codes[first], kinds[first], space[first]
    spaced = (kinds == _DIGIT) | (kinds == _LETTER)
    kept = ~space
    kept[1:-1] |= spaced[:-2] & spaced[2:]
    words: NDArray[np.uint32] = codes[kept]
    return words


@cache
def _tables() -> _Tables:
    """Build the folding tables once (50 ms)."""
    kind = _kinds()
    fold = np.arange(0x110000, dtype=np.uint32)
    fold[kind[:-1] == _SPACE] = 0x20
    fold[kind[:-1] == _DROP] = _DROPPED
    expansions: list[str] = []
    for code in _changed_code_points():
        folded = _fold_character(chr(code), kind)
        if len(folded) > 1:
            fold[code] = _DROPPED + 1 + len(expansions)
            expansions.append(folded)
        else:
            fold[code] = ord(folded) if folded else _DROPPED
    fold[0] = 0
    lengths = np.array([0, *map(len, expansions)])
    codes = np.frombuffer("".join(expansions).encode("utf-32-le"), "<u4").astype(np.uint32)
    return _Tables(fold, kind, codes, np.cumsum(lengths))


def _kinds() -> NDArray[np.uint8]:
    """Return the kind of every folded code point, one more for what was dropped."""
    of_script = np.zeros(len(ScriptClass), np.uint8)
    of_script[ScriptClass.DROP] = _DROP
    of_script[[ScriptClass.SPACE, ScriptClass.MARK]] = _SPACE
    of_script[ScriptClass.ALPHABETIC] = _LETTER
    of_script[[ScriptClass.HANGUL, ScriptClass.HAN_KANA, ScriptClass.UNSPACED]] = _UNSPACED
    kind = np.append(of_script[script_classes()], np.uint8(_DROP))
    kind[ord("0") : ord("9") + 1] = _DIGIT
    for characters, value in (
        (_QUOTES, _QUOTE),
        (_HYPHENS, _HYPHEN),
        (_MINUS_SIGN, _MINUS),
        (".", _POINT),
        (",", _COMMA),
        (_MEASURES, _UNSPACED),
    ):
        kind[[ord(c) for c in characters]] = value
    for code in (*range(0xA0, 0xA6), *range(0x20A0, 0x20D0), 0x24, 0xE3F, 0x60B, 0x9F2, 0x9F3):
        if unicodedata.category(chr(code)) == "Sc":
            kind[code] = _UNSPACED
    kind[0] = _SENTINEL
    return kind


def _changed_code_points() -> list[int]:
    """Return the code points that NFKC, case folding or our own table changes."""
    present = script_classes() != ScriptClass.DROP
    present[0x3400:0xA000] = present[0xAC00:0xF900] = present[0x20000:0x2F800] = False
    present[0x2FA20:] = False
    normalize = unicodedata.normalize
    codes = np.flatnonzero(present).tolist()
    changed = [c for c in codes if normalize("NFKC", chr(c)).casefold() != chr(c)]
    digits = [c for c in codes if c > ord("9") and chr(c).isdecimal()]
    return changed + digits + [ord(c) for c in _NO_TRACE + "".join(_SAME)]


def _fold_character(character: str, kind: NDArray[np.uint8]) -> str:
    """Return what one character folds to: NFKC and case to their fixed point, then the table."""
    own = int(kind[ord(character)])
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _NO_TRACE:
        return ""
    if own >= _POINT:
        return character
    # Spacing accents (Sk) would fold to a space and a combining mark that joins the next word.
    if category == "Sk" and len(unicodedata.normalize("NFKC", character)) > 1:
        return " "
    folded, previous = character, ""
    while folded != previous:
        previous = folded
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    folded = "".join(_as_kept(c, kind) for c in folded)
    # "3½" and "제①5" must not read 31 2 and 15.
    loose = unicodedata.decomposition(character).startswith(("<circle>", "<fraction>"))
    return f" {folded} " if loose else folded


def _as_kept(character: str, kind: NDArray[np.uint8]) -> str:
    """Return the character as it stands in a key: one space for marks, nothing for the dropped."""
    character = _SAME.get(character, character)
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    kept = {_DROP: "", _SPACE: " "}
    return "" if character in _NO_TRACE else kept.get(int(kind[ord(character)]), character)
