"""The compiled fold of `pipeline.text.normalise`: UTF-8 in, keys in UTF-8 out, no object a text.

Imported only where `pipeline.text.engine.use_compiled` said yes. It states no rule of its own:
what a code point becomes comes in `FoldEntries`, the rules for marks and spaces are those of
`_resolve_marks` and `_keep_spaces_between_words` there, one place at a time.
"""

# numba infers its own types, and its integers are not those mypy knows.
# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

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
    POINT,
    QUOTE,
    SENTINEL,
    SPACE,
    UNSPACED,
)
from pipeline.text.fold_tables import COMBINES, KIND_SHIFT, LENGTH_SHIFT, N_ENTRIES
from pipeline.text.utf8_compiled import BYTES, PLACES, WORDS, decode_at

Utf8Bytes = NDArray[np.uint8]
Entries = NDArray[np.uint64]
Places = NDArray[np.int64]

_COMBINES = np.uint64(COMBINES)
_MINUS_BYTES = np.uint64(0x9288E2)  # U+2212 in UTF-8, first byte lowest
_POINT_BYTE = np.uint64(0x2E)
# Two bytes tell a syllable, from U+AC00 to U+D77F; the last 36 take the way of other letters.
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xEAB0, 0xED9D
_MOST_BYTES = 5
"""What a byte of a text, or an entry of an expansion, becomes at most, with a space before it."""


@numba.njit(inline="always")
def _kind_of(entry: np.uint64) -> int:
    return np.int64(entry >> np.uint64(KIND_SHIFT) & np.uint64(15))


@numba.njit(inline="always")
def _write(entry: np.uint64, keys: Utf8Bytes, n_bytes: int) -> int:
    """Write the bytes of an entry, four whatever it has; return where they end."""
    for byte in range(4):
        keys[np.uint64(n_bytes + byte)] = entry >> np.uint64(8 * byte) & np.uint64(0xFF)
    return n_bytes + np.int64(entry >> np.uint64(LENGTH_SHIFT) & np.uint64(15))


@numba.njit(nogil=True, boundscheck=False)
def _kind_ahead(
    n_before: int,
    utf8: Utf8Bytes,
    at: int,
    end: int,
    place: int,
    last: int,
    entries: Entries,
    expansions: Entries,
    starts: Places,
) -> int:
    """Return the kind of what follows, `n_before` kept code points further on.

    What follows is expansions[place:last] and then utf8[at:end].
    """
    while True:
        if place < last:
            entry = expansions[place]
            place += 1
        elif at < end:
            code, at = decode_at(utf8, at)
            entry = entries[np.uint64(min(code, N_ENTRIES))]
        else:
            return SENTINEL
        kind = _kind_of(entry)
        if kind == EXPANDED:
            number = np.int64(entry & np.uint64(0xFFFFFFFF))
            place, last = starts[number], starts[number + 1]
        elif kind != DROP:
            if n_before == 0:
                return kind
            n_before -= 1


@numba.njit(nogil=True, boundscheck=False)
def _mark(
    kind: int,
    before: int,
    utf8: Utf8Bytes,
    at: int,
    end: int,
    place: int,
    last: int,
    entries: Entries,
    expansions: Entries,
    starts: Places,
) -> int:
    """Return what a mark becomes: DROP, SPACE, LETTER for a decimal point, MINUS for a sign."""
    after = _kind_ahead(0, utf8, at, end, place, last, entries, expansions, starts)
    if kind >= HYPHEN:
        opens = before <= SPACE or (kind == MINUS and before == UNSPACED)
        return MINUS if opens and after == DIGIT else SPACE
    if before == DIGIT and after == DIGIT:
        if kind == QUOTE:
            return SPACE
        if kind == COMMA:
            n_digits = 1
            while (
                n_digits < 4
                and _kind_ahead(n_digits, utf8, at, end, place, last, entries, expansions, starts)
                == DIGIT
            ):
                n_digits += 1
            if n_digits == 3:
                return DROP
        return LETTER
    crowded = POINT <= before <= QUOTE or POINT <= after <= QUOTE
    return SPACE if crowded or kind == COMMA else DROP


@numba.njit(nogil=True, boundscheck=False)
def _fold(
    utf8: Utf8Bytes,
    at: int,
    end: int,
    entries: Entries,
    expansions: Entries,
    starts: Places,
    keys: Utf8Bytes,
    n_bytes: int,
) -> tuple[int, bool]:
    """Write the key of utf8[at:end] at keys[n_bytes]; return its end, -1 for no room, and COMBINES.

    Hangul and single spaces go first, past every table: a word then costs one wrong guess of a
    branch, where it ends (measured: 3 ns a character instead of 10).
    """
    seen = np.uint64(0)
    before = np.int64(SENTINEL)
    was_spaced, is_gap = False, False
    place = last = np.int64(0)
    while True:
        if place < last:
            entry = expansions[place]
            place += 1
        elif at < end:
            while at + 3 <= end:
                lead, second = utf8[np.uint64(at)], utf8[np.uint64(at + 1)]
                if not _FIRST_SYLLABLE <= np.int64(lead) << 8 | np.int64(second) <= _LAST_SYLLABLE:
                    break
                keys[np.uint64(n_bytes)], keys[np.uint64(n_bytes + 1)] = lead, second
                keys[np.uint64(n_bytes + 2)] = utf8[np.uint64(at + 2)]
                n_bytes += 3
                at += 3
                before, was_spaced, is_gap = np.int64(UNSPACED), False, False
            if at >= end:
                break
            if utf8[np.uint64(at)] == 0x20:
                at += 1
                before, is_gap = np.int64(SPACE), True
                continue
            code, at = decode_at(utf8, at)
            entry = entries[np.uint64(min(code, N_ENTRIES))]
            seen |= entry
        else:
            break
        kind = raw = _kind_of(entry)
        if kind >= POINT:
            if kind == EXPANDED:
                number = np.int64(entry & np.uint64(0xFFFFFFFF))
                place, last = starts[number], starts[number + 1]
                if n_bytes + _MOST_BYTES * (last - place + end - at) > keys.size:
                    return np.int64(-1), False
                continue
            kind = _mark(kind, before, utf8, at, end, place, last, entries, expansions, starts)
            entry = np.uint64(0)
            if kind == LETTER:
                entry = _POINT_BYTE | np.uint64(1 << LENGTH_SHIFT)
            elif kind == MINUS:
                entry = _MINUS_BYTES | np.uint64(3 << LENGTH_SHIFT)
                kind = np.int64(LETTER)
        if kind == SPACE:
            is_gap = True
        elif kind != DROP:
            is_spaced = kind != UNSPACED
            if is_gap and was_spaced and is_spaced:
                keys[np.uint64(n_bytes)] = 0x20
                n_bytes += 1
            n_bytes = _write(entry, keys, n_bytes)
            is_gap, was_spaced = False, is_spaced
        before = raw if raw != DROP else before
    return n_bytes, seen & _COMBINES != 0


@numba.njit(
    numba.int64(
        BYTES,
        PLACES,
        WORDS,
        WORDS,
        PLACES,
        numba.uint8[::1],
        numba.int64[::1],
        numba.bool_[::1],
    ),
    nogil=True,
    boundscheck=False,
)
def fold_all(
    utf8: Utf8Bytes,
    offsets: Places,
    entries: Entries,
    expansions: Entries,
    starts: Places,
    keys: Utf8Bytes,
    bounds: Places,
    is_suspect: NDArray[np.bool_],
) -> int:
    """Return how many bytes the keys have, -1 where the room for them is too small.

    Args:
        utf8: uint8, valid UTF-8 of all texts.
        offsets: int64 [n + 1], text i owns utf8[offsets[i]:offsets[i + 1]].
        entries: and the other two, `FoldEntries`.
        expansions: as said there.
        starts: as said there.
        keys: uint8, receives the keys in UTF-8.
        bounds: int64 [n + 1], zero; receives their offsets.
        is_suspect: bool [n], receives which texts only the plain path may fold.
    """
    n_bytes = np.int64(0)
    for text in range(offsets.size - 1):
        start, end = offsets[text], offsets[text + 1]
        if n_bytes + _MOST_BYTES * (end - start) > keys.size:
            return np.int64(-1)
        n_bytes, is_suspect[text] = _fold(
            utf8, start, end, entries, expansions, starts, keys, n_bytes
        )
        if n_bytes < 0:
            return n_bytes
        bounds[text + 1] = n_bytes
    return n_bytes
