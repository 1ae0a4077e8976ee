"""Keys of texts whose paragraphs have keys already, for a whole batch in the bytes of Arrow."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.text.digests import digests
from pipeline.text.normalise import make_keys
from pipeline.text.paragraphs import join_keys
from pipeline.text.pieces import Pieces, join_pieces
from pipeline.text.utf8 import Utf8, code_points, last_code_points

_UNKNOWN, _CLOSE, _SPACED, _ASK = range(4)
"""What is known of a character at a joint: nothing yet, no space, a space, ask `join_keys`."""

# Filled for each character when it is first met: a batch has some thousand different ones.
_OPENING = np.zeros(0x110000, np.uint8)
_CLOSING = np.zeros(0x110000, np.uint8)

_JAMO = frozenset(map(chr, [*range(0x1160, 0x1200), *range(0xD7B0, 0xD800)]))
"""Vowels and finals of Hangul syllables: letters that compose with what stands before them."""

Ints = NDArray[np.int64]


def join_key_array(keys: pa.LargeStringArray, bounds: Ints) -> pa.LargeStringArray:
    """Return the joined key of each text, as `join_keys` gives it.

    Args:
        keys: the key of each paragraph, in order.
        bounds: text i has the paragraphs bounds[i]:bounds[i + 1].
    """
    return join_key_pieces(Pieces.of(keys), bounds)


def join_key_pieces(keys: Pieces, bounds: Ints) -> pa.LargeStringArray:
    """Return `join_key_array` of keys wherever they stand."""
    filled = np.flatnonzero(keys.starts < keys.ends)
    if filled.size < keys.starts.size:
        return join_key_pieces(keys.take(filled), np.searchsorted(filled, bounds))
    if not filled.size:
        return pa.array([""] * (bounds.size - 1), pa.large_string())
    is_inner = np.ones(filled.size, np.bool_)
    is_inner[bounds[:-1][bounds[:-1] < filled.size]] = False
    opening = _known(_OPENING, code_points(keys.bytes, keys.starts), _openings)
    closing = _known(_CLOSING, last_code_points(keys.bytes, keys.ends), _closings)
    gaps = np.zeros(filled.size, np.int64)
    gaps[:-1] = is_inner[1:] & (opening[1:] == _SPACED) & (closing[:-1] == _SPACED)
    whole = join_pieces(keys, gaps, " ", bounds)
    asked = np.flatnonzero(is_inner & (opening == _ASK))
    return _asked(whole, keys, bounds, np.unique(np.searchsorted(bounds, asked, "right") - 1))


def _asked(
    whole: pa.LargeStringArray, keys: Pieces, bounds: Ints, texts: Ints
) -> pa.LargeStringArray:
    """Return the joined keys with those of `texts` made by `join_keys`."""
    if not texts.size:
        return whole
    mended = []
    for first, last in zip(bounds[texts].tolist(), bounds[texts + 1].tolist(), strict=True):
        spans = zip(keys.starts[first:last].tolist(), keys.ends[first:last].tolist(), strict=True)
        mended.append(join_keys([keys.bytes[s:e].tobytes().decode() for s, e in spans]))
    mask = np.zeros(len(whole), np.bool_)
    mask[texts] = True
    return pc.replace_with_mask(whole, pa.array(mask), pa.array(mended, pa.large_string()))


def key_hashes(keys: pa.LargeStringArray) -> pa.FixedSizeBinaryArray:
    """Return `key_hash` of each key."""
    return digests(Utf8.of(keys))


def _known(
    table: NDArray[np.uint8], codes: Ints, learn: Callable[[list[str]], list[int]]
) -> NDArray[np.uint8]:
    """Return what the table knows of each code point, after it has learned the new ones."""
    found = table[codes]
    if not found.all():
        new = np.unique(codes[found == _UNKNOWN])
        table[new] = learn([chr(code) for code in new.tolist()])
        found = table[codes]
    return found


def _openings(characters: list[str]) -> list[int]:
    """Return of each character whether a key that opens with it keeps a space before it.

    A sign depends on what follows it, and a mark or the vowel of a Hangul syllable may compose
    with the end of the key before.
    """
    keys = make_keys([f"a {character}" for character in characters])
    return [
        (_SPACED if " " in key[:2] else _CLOSE) if _stands_alone(character) else _ASK
        for character, key in zip(characters, keys, strict=True)
    ]


def _stands_alone(character: str) -> bool:
    is_mark = character in _JAMO or unicodedata.category(character)[0] == "M"
    return character.isalnum() and not is_mark


def _closings(characters: list[str]) -> list[int]:
    """Return of each character whether a key that ends so keeps a space after it."""
    keys = make_keys([f"{character} a" for character in characters])
    return [_SPACED if " " in key[:2] else _CLOSE for key in keys]
