"""The key of a text: what is compared, while the display text stays untouched.

NFKC and case folding, then a table decides what each code point becomes; spaces are kept by a
local rule, so mixed scripts need no language detection.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.text.digests import digests
from pipeline.text.engine import use_compiled
from pipeline.text.fold_kinds import (
    COMMA,
    DIGIT,
    DROP,
    HYPHEN,
    LETTER,
    MINUS,
    MINUS_SIGN,
    POINT,
    QUOTE,
    SPACE,
    UNSPACED,
)
from pipeline.text.fold_tables import DROPPED, N_ENTRIES, FoldTables, fold_entries, fold_tables
from pipeline.text.utf8 import Utf8, blocks_of, large_strings

NORMALISER_VERSION = "key-1"
"""Part of every recipe: keys of two versions never meet."""

_MINUS_CODE, _POINT_CODE, _SPACE_CODE = ord(MINUS_SIGN), ord("."), ord(" ")


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
    tables = fold_tables()
    joined = "\0".join([_composed(text) for text in texts])
    codes = np.frombuffer(f"\0{joined}\0".encode("utf-32-le", "surrogatepass"), "<u4")
    codes = _expand(tables, tables.fold[codes])
    kinds = tables.kind[codes]
    kept = kinds != DROP
    codes, kinds = _resolve_marks(codes[kept], kinds[kept])
    codes = _keep_spaces_between_words(codes, kinds)
    keys = codes.astype("<u4", copy=False).tobytes().decode("utf-32-le").split("\0")[1:-1]
    return [key if _is_composed(key) else make_key(key) for key in keys]


def key_array(texts: pa.Array | pa.ChunkedArray) -> pa.LargeStringArray:
    """Return the key of each text, string or large string without NULL, as `make_keys` gives it.

    Large batches are folded by the compiled engine on the buffers where they lie.
    """
    utf8 = Utf8.of(texts)
    if use_compiled(utf8.n_articles):
        return _compiled_keys(texts, utf8)
    plain = texts.to_pylist()
    keys = [key for block in blocks_of(plain) for key in make_keys(plain[block])]
    return pa.array(keys, pa.large_string())


def _compiled_keys(texts: pa.Array | pa.ChunkedArray, utf8: Utf8) -> pa.LargeStringArray:
    """Return the keys of `texts`, whose bytes are `utf8`.

    The kernel sees code points one at a time and marks the texts in which some may combine: those
    of them that are not composed, before or after, are folded by `make_keys`.
    """
    from pipeline.text.kernels import kernel  # lazily: short commands fold few texts

    fold_all = kernel("pipeline.text.normalise_compiled", "fold_all")
    offsets = np.zeros(len(texts) + 1, np.int64)
    is_suspect = np.zeros(len(texts), np.bool_)
    # A code point may become longer ("-" is one byte, a minus three), but texts become shorter.
    n_bytes = int(utf8.offsets[-1] - utf8.offsets[0])
    room = n_bytes + 5 * int(np.diff(utf8.offsets).max(initial=0)) + 64
    n_written = -1
    while n_written < 0:
        keys = np.empty(room, np.uint8)
        n_written = fold_all(*utf8, *fold_entries(), keys, offsets, is_suspect)
        room *= 2
    folded = large_strings(keys[:n_written], offsets)
    suspects = pa.array(np.flatnonzero(is_suspect))
    if not len(suspects):
        return folded
    own, found = (column.take(suspects).to_pylist() for column in (texts, folded))
    mended = [
        key if _folds_apart(text) and _is_composed(key) else make_key(text)
        for text, key in zip(own, found, strict=True)
    ]
    return pc.replace_with_mask(folded, pa.array(is_suspect), pa.array(mended, pa.large_string()))


def key_hash(key: str) -> bytes:
    """Return the 16-byte hash of a key: what relation `exact` compares."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def key_hashes(keys: pa.LargeStringArray) -> pa.FixedSizeBinaryArray:
    """Return the `key_hash` of each key, hashed where it lies."""
    return digests(Utf8.of(keys))


def _folds_apart(text: str) -> bool:
    """Return whether each code point of a text folds by itself, and by the compiled tables."""
    return "\0" not in text and max(text) < chr(N_ENTRIES) and _is_composed(text)


def _is_composed(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text)


def _composed(text: str) -> str:
    """Return NFC without NUL, which separates the texts of a batch."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _expand(tables: FoldTables, folded: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the folded code points with each expansion number replaced by its code points."""
    many = np.flatnonzero(folded > DROPPED)
    if not many.size:
        return folded
    number = folded[many] - (DROPPED + 1)
    first = tables.expansion_starts[number]
    length = tables.expansion_starts[number + 1] - first
    repeats = np.ones(folded.size, np.int64)
    repeats[many] = length
    expanded = np.repeat(folded, repeats)
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    expanded[expanded > DROPPED] = tables.expansion_codes[np.repeat(first, length) + within]
    return expanded


def _resolve_marks(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint8]
) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Turn points, commas, quotes and hyphens into themselves, a space or nothing.

    Each rule looks at direct neighbours only and its result satisfies it again, so that the key
    of a key is the key.
    """
    at = np.flatnonzero(kinds >= POINT)
    if not at.size:
        return codes, kinds
    codes, kinds = codes.copy(), kinds.copy()
    kind, before, after = kinds[at], kinds[at - 1], kinds[at + 1]
    in_number = (before == DIGIT) & (after == DIGIT)
    point, comma, quote = kind == POINT, kind == COMMA, kind == QUOTE
    crowded = _is_soft(before) | _is_soft(after)
    thousands = comma & in_number & _three_digits_follow(kinds, at)
    signed = (kind >= HYPHEN) & (after == DIGIT)
    # "Covid-19" and "27-28" have no sign; a minus that stands in a key already keeps its place
    # beside Hangul, where the space before it was dropped.
    signed &= (before <= SPACE) | ((kind == MINUS) & (before == UNSPACED))
    result = np.full(at.size, SPACE, np.uint8)
    result[(point & in_number) | (comma & in_number) | signed] = LETTER
    result[thousands | (point & ~in_number & ~crowded) | (quote & ~in_number & ~crowded)] = DROP
    kinds[at] = result
    codes[at] = np.where(result == SPACE, _SPACE_CODE, np.where(signed, _MINUS_CODE, _POINT_CODE))
    kept = kinds != DROP
    return codes[kept], kinds[kept]


def _is_soft(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a point, comma or quote stands."""
    return (kinds >= POINT) & (kinds <= QUOTE)


def _three_digits_follow(kinds: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where exactly three digits follow; the closing sentinel ends every look ahead."""
    last = kinds.size - 1
    one, two, three, four = (kinds[np.minimum(at + step, last)] == DIGIT for step in range(1, 5))
    exactly: NDArray[np.bool_] = one & two & three & ~four
    return exactly


def _keep_spaces_between_words(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint8]
) -> NDArray[np.uint32]:
    """Drop every space but one between two characters of spaced scripts."""
    space = kinds == SPACE
    first = ~space
    first[1:] |= ~space[:-1]
    codes, kinds, space = codes[first], kinds[first], space[first]
    spaced = (kinds == DIGIT) | (kinds == LETTER)
    kept = ~space
    kept[1:-1] |= spaced[:-2] & spaced[2:]
    words: NDArray[np.uint32] = codes[kept]
    return words
