"""The compiled fold of `pipeline.text.normalise`: UTF-8 in, keys in UTF-8 out, no object a text.

Imported only where `pipeline.text.engine.use_compiled` said yes. It states no rule of its own:
what a code point becomes comes in a table, the rules for marks and spaces are those of
`_resolve_marks` and `_keep_spaces_between_words` there, one place at a time.
"""

# numba infers its own types, and its integers are not those mypy knows.
# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call"

from __future__ import annotations

import numba
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
    MINUS_SIGN_CODE,
    POINT,
    QUOTE,
    SPACE,
    UNSPACED,
)

Utf8Bytes = NDArray[np.uint8]
Entries = NDArray[np.uint32]
Places = NDArray[np.int64]

_jit = numba.njit(nogil=True, cache=True, boundscheck=False)

# Arrow buffers cannot be written to: said here, a kernel is compiled once, when it is imported.
_BYTES = numba.types.Array(numba.uint8, 1, "C", readonly=True)
_CODES = numba.types.Array(numba.uint32, 1, "C", readonly=True)
_PLACES = numba.types.Array(numba.int64, 1, "C", readonly=True)

_CODE = np.uint32(0x1FFFFF)
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_SYLLABLE_KIND = np.uint32(UNSPACED << 24)
_LOOK_AHEAD = 4


@numba.njit(inline="always")
def decode_at(utf8: Utf8Bytes, at: int) -> tuple[int, int]:
    """Return the code point at a byte of valid UTF-8 and the place of the next."""
    lead = np.int64(utf8[at])
    if lead < 0x80:
        return lead, at + 1
    second = np.int64(utf8[at + 1]) & 0x3F
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | second, at + 2
    third = np.int64(utf8[at + 2]) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | second << 6 | third, at + 3
    fourth = np.int64(utf8[at + 3]) & 0x3F
    return (lead & 0x07) << 18 | second << 12 | third << 6 | fourth, at + 4


@numba.njit(inline="always")
def encode_at(code: int, utf8: Utf8Bytes, at: int) -> int:
    """Write a code point in UTF-8 and return the place behind it."""
    if code < 0x80:
        utf8[at] = code
        return at + 1
    if code < 0x800:
        utf8[at] = 0xC0 | code >> 6
        utf8[at + 1] = 0x80 | code & 0x3F
        return at + 2
    if code < 0x10000:
        utf8[at] = 0xE0 | code >> 12
        utf8[at + 1] = 0x80 | code >> 6 & 0x3F
        utf8[at + 2] = 0x80 | code & 0x3F
        return at + 3
    utf8[at] = 0xF0 | code >> 18
    utf8[at + 1] = 0x80 | code >> 12 & 0x3F
    utf8[at + 2] = 0x80 | code >> 6 & 0x3F
    utf8[at + 3] = 0x80 | code & 0x3F
    return at + 4


@_jit
def _fold(
    utf8: Utf8Bytes,
    at: int,
    end: int,
    entries: Entries,
    expansions: Entries,
    starts: Places,
    folded: Entries,
) -> tuple[Entries, int, np.uint32]:
    """Write the entries of a text from folded[1] on; return them, their end, all bits seen."""
    n_folded, seen = 1, np.uint32(0)
    while at < end:
        code, at = decode_at(utf8, at)
        if _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
            folded[n_folded] = np.uint32(code) | _SYLLABLE_KIND
            n_folded += 1
            continue
        entry = entries[code]
        seen |= entry
        kind = entry >> np.uint32(24) & np.uint32(15)
        if kind == EXPANDED:
            number = np.int64(entry & _CODE)
            first, last = starts[number], starts[number + 1]
            needed = n_folded + (last - first) + (end - at) + _LOOK_AHEAD
            if needed > folded.size:
                larger = np.zeros(2 * needed, np.uint32)
                larger[:n_folded] = folded[:n_folded]
                folded = larger
            for place in range(first, last):
                folded[n_folded] = expansions[place]
                n_folded += 1
        elif kind != DROP:
            folded[n_folded] = entry
            n_folded += 1
    folded[n_folded : n_folded + _LOOK_AHEAD] = 0
    return folded, n_folded, seen


@_jit
def _write_key(folded: Entries, n_folded: int, keys: Utf8Bytes, n_bytes: int) -> int:
    """Write the key of the entries folded[1:n_folded] at n_bytes; return its end."""
    was_spaced, is_gap = False, False
    for place in range(1, n_folded):
        entry = folded[place]
        code, kind = np.int64(entry & _CODE), np.int64(entry >> np.uint32(24) & np.uint32(15))
        if kind >= POINT:
            kind = _mark(folded, place, kind)
            code = MINUS_SIGN_CODE if kind == MINUS else 0x2E
        if kind == DROP:
            continue
        if kind == SPACE:
            is_gap = True
            continue
        is_spaced = kind != UNSPACED
        if is_gap:
            if was_spaced and is_spaced:
                keys[n_bytes] = 0x20
                n_bytes += 1
            is_gap = False
        n_bytes = encode_at(code, keys, n_bytes)
        was_spaced = is_spaced
    return n_bytes


@numba.njit(inline="always")
def _kind_at(folded: Entries, place: int) -> int:
    return np.int64(folded[place] >> np.uint32(24) & np.uint32(15))


@_jit
def _mark(folded: Entries, place: int, kind: int) -> int:
    """Return what a mark becomes: DROP, SPACE, LETTER for a decimal point, MINUS for a sign."""
    before, after = _kind_at(folded, place - 1), _kind_at(folded, place + 1)
    if kind >= HYPHEN:
        opens = before <= SPACE or (kind == MINUS and before == UNSPACED)
        return MINUS if opens and after == DIGIT else SPACE
    if before == DIGIT and after == DIGIT:
        if kind == QUOTE:
            return SPACE
        if kind == COMMA and (
            _kind_at(folded, place + 2) == DIGIT
            and _kind_at(folded, place + 3) == DIGIT
            and _kind_at(folded, place + 4) != DIGIT
        ):
            return DROP
        return LETTER
    crowded = POINT <= before <= QUOTE or POINT <= after <= QUOTE
    return SPACE if crowded or kind == COMMA else DROP


@numba.njit(
    numba.types.Tuple((numba.uint8[::1], numba.int64[::1], numba.bool_[::1]))(
        _BYTES, _PLACES, _CODES, _CODES, _PLACES
    ),
    nogil=True,
    cache=True,
    boundscheck=False,
)
def fold_all(
    utf8: Utf8Bytes, offsets: Places, entries: Entries, expansions: Entries, starts: Places
) -> tuple[Utf8Bytes, Places, NDArray[np.bool_]]:
    """Return the keys in UTF-8, their offsets, and which texts only the plain path may fold.

    Args:
        utf8: uint8, valid UTF-8 of all texts.
        offsets: int64 [n + 1], text i owns utf8[offsets[i]:offsets[i + 1]].
        entries: uint32 [0x110000], what a code point becomes: code point in the low 21 bits (the
            number of an expansion where the kind is EXPANDED), kind in bits 24 to 27, bit 31 set
            where the text may not be composed.
        expansions: uint32, entries of all expansions.
        starts: int64, expansion i owns expansions[starts[i]:starts[i + 1]].

    Returns:
        uint8 [n_bytes], int64 [n + 1], bool [n].
    """
    n_texts = offsets.size - 1
    longest = 0
    for text in range(n_texts):
        longest = max(longest, offsets[text + 1] - offsets[text])
    # One sentinel before a text, four behind it end every look around.
    folded = np.zeros(longest + 2 * _LOOK_AHEAD, np.uint32)
    keys = np.empty((offsets[-1] - offsets[0]) * 9 // 8 + 4 * longest + 64, np.uint8)
    bounds = np.zeros(n_texts + 1, np.int64)
    is_suspect = np.zeros(n_texts, np.bool_)
    n_bytes = 0
    for text in range(n_texts):
        start, end = offsets[text], offsets[text + 1]
        folded, n_folded, seen = _fold(utf8, start, end, entries, expansions, starts, folded)
        is_suspect[text] = seen >> np.uint32(31) != 0
        if n_bytes + 4 * n_folded > keys.size:
            larger = np.empty(2 * keys.size + 4 * n_folded, np.uint8)
            larger[:n_bytes] = keys[:n_bytes]
            keys = larger
        n_bytes = _write_key(folded, n_folded, keys, n_bytes)
        bounds[text + 1] = n_bytes
    return keys[:n_bytes], bounds, is_suspect
