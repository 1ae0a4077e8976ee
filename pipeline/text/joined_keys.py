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
from pipeline.text.utf8 import Utf8, code_points, large_strings, last_code_points

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
    utf8 = Utf8.of(keys)
    filled = np.flatnonzero(np.diff(utf8.offsets))
    if filled.size < len(keys):
        return join_key_array(keys.take(pa.array(filled)), np.searchsorted(filled, bounds))
    if not filled.size:
        return pa.array([""] * (bounds.size - 1), pa.large_string())
    is_inner = np.ones(len(keys), np.bool_)
    is_inner[bounds[:-1][bounds[:-1] < len(keys)]] = False
    opening = _known(_OPENING, code_points(utf8.bytes, utf8.offsets[:-1]), _openings)
    closing = _known(_CLOSING, last_code_points(utf8.bytes, utf8.offsets[1:]), _closings)
    is_spaced = is_inner[1:] & (opening[1:] == _SPACED) & (closing[:-1] == _SPACED)
    joined = _with_spaces(keys, np.append(is_spaced, False))
    offsets = joined.offsets[bounds]
    whole = large_strings(joined.bytes, offsets)
    asked = np.flatnonzero(is_inner & (opening == _ASK))
    return _asked(whole, keys, bounds, np.unique(np.searchsorted(bounds, asked, "right") - 1))


def _asked(
    whole: pa.LargeStringArray, keys: pa.LargeStringArray, bounds: Ints, texts: Ints
) -> pa.LargeStringArray:
    """Return the joined keys with those of `texts` made by `join_keys`."""
    if not texts.size:
        return whole
    mended = [join_keys(keys[bounds[i] : bounds[i + 1]].to_pylist()) for i in texts.tolist()]
    mask = np.zeros(len(whole), np.bool_)
    mask[texts] = True
    return pc.replace_with_mask(whole, pa.array(mask), pa.array(mended, pa.large_string()))


def key_hashes(keys: pa.LargeStringArray) -> pa.FixedSizeBinaryArray:
    """Return `key_hash` of each key."""
    return digests(Utf8.of(keys))


def _with_spaces(keys: pa.LargeStringArray, is_spaced: NDArray[np.bool_]) -> Utf8:
    """Return the keys, a space after those that are marked."""
    if not is_spaced.any():
        return Utf8.of(keys)
    ends = pa.array(["", " "], pa.large_string()).take(pa.array(is_spaced.astype(np.int8)))
    return Utf8.of(pc.binary_join_element_wise(keys, ends, pa.scalar("", pa.large_string())))


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
