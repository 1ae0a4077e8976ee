"""The compiled twin of `number_slots`: the slots of many keys, as numbers that name them."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.number_slots import (
    CONTEXT_CHARS,
    DAY_MARK,
    MONTH_LETTERS,
    ODD,
    SPAN_MARK,
    WORD,
)
from pipeline.text.utf8_compiled import BYTES, PLACES, WORDS, decode_at

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]

_MASK, _POINT, _SPACE = ord("#"), ord("."), ord(" ")
_FACTOR = np.uint64(0x100000001B3)
_SEED = np.uint64(0xCBF29CE484222325)


@numba.njit(inline="always")
def _is_digit(byte):  # type: ignore[no-untyped-def]
    return byte >= 0x30 and byte <= 0x39


@numba.njit(inline="always")
def _mixed(word):  # type: ignore[no-untyped-def]
    """Return a word whose every bit depends on every bit of the given one; never 0."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word = word ^ (word >> np.uint64(31))
    return word if word != 0 else np.uint64(1)


@numba.njit(nogil=True, boundscheck=False)
def _hashed(data: Bytes, start: int, end: int) -> np.uint64:
    """Return a hash of some bytes (FNV-1a, mixed)."""
    word = _SEED
    for at in range(start, end):
        word = (word ^ np.uint64(data[at])) * _FACTOR
    return _mixed(word + np.uint64(end - start))


@numba.njit(nogil=True, boundscheck=False)
def _plain_end(data: Bytes, start: int, end: int) -> int:
    """Return where a number ends without zeros that only pad a fraction: 9.50 is 9.5."""
    n_points = 0
    for at in range(start, end):
        n_points += data[at] == _POINT
    if n_points != 1:
        return end
    while data[end - 1] == 0x30:
        end -= 1
    return end - 1 if data[end - 1] == _POINT else end


@numba.njit(nogil=True, boundscheck=False)
def _is_day(data: Bytes, at: int, end: int, kinds: Bytes) -> bool:
    """Return whether a mark of a date follows, which is none of a span of time."""
    if at < end and data[at] == _SPACE:
        at += 1
    if at >= end or data[at] < 0x80:
        return False
    code, at = decode_at(data, at)
    if kinds[min(code, kinds.size - 1)] & DAY_MARK == 0:
        return False
    if at >= end or data[at] < 0x80:
        return True
    code, at = decode_at(data, at)
    return kinds[min(code, kinds.size - 1)] & SPAN_MARK == 0


@numba.njit(nogil=True, boundscheck=False)
def _is_behind_month(data: Bytes, start: int, at: int, kinds: Bytes, months: Words) -> bool:
    """Return whether the name of a month and a space stand before a number."""
    at -= 1
    if at <= start or data[at] != _SPACE:
        return False
    name, n_letters = np.uint64(0), 0
    while at > start and n_letters < MONTH_LETTERS:
        letter = data[at - 1]
        if letter < 0x61 or letter > 0x7A:
            break
        name = name << np.uint64(5) | np.uint64(letter - 0x60)
        at -= 1
        n_letters += 1
    is_month = False
    for month in months:
        is_month |= month == name
    # Nothing further than nine letters is looked at.
    if not is_month or n_letters == MONTH_LETTERS or at == start:
        return is_month
    at -= 1
    while at > start and data[at] & 0xC0 == 0x80:
        at -= 1
    code, _ = decode_at(data, at)
    return kinds[min(code, kinds.size - 1)] & WORD == 0


@numba.njit(nogil=True, boundscheck=False)
def _turn(hashed: np.uint64, table: Words, counts: Places, mask: np.uint64) -> np.uint64:
    """Return how often something was met before in a key, and count it."""
    slot = hashed & mask
    while table[slot] != 0 and table[slot] != hashed:
        slot = slot + np.uint64(1) & mask
    table[slot] = hashed
    turn = counts[slot]
    counts[slot] = turn + 1
    return np.uint64(turn)


@numba.njit(
    numba.void(
        *(BYTES, PLACES, BYTES, WORDS),
        *(numba.uint64[::1], numba.uint64[::1], numba.int64[::1], numba.boolean[::1]),
    ),
    nogil=True,
    boundscheck=False,
)
def find_slots(
    data: Bytes,
    offsets: Places,
    kinds: Bytes,
    months: Words,
    numbers: Words,
    places: Words,
    bounds: Places,
    is_odd: NDArray[np.bool_],
) -> None:
    """Write, for each key, one word for each number in its slot and one for each slot.

    A number that stands twice in equal surroundings is another one the second time, and so are
    the surroundings: what two keys share of either is what `compare_slots` counts.

    Args:
        data: uint8, valid UTF-8 of all keys.
        offsets: int64 [n + 1], key i owns data[offsets[i]:offsets[i + 1]].
        kinds: what each code point is, see `number_slots.slot_kinds`.
        months: the names of months, five bits a letter, the last letter highest.
        numbers: uint64 with room for each number of the keys.
        places: the same.
        bounds: int64 [n + 1]; key i has numbers[bounds[i]:bounds[i + 1]], and so its places.
        is_odd: bool [n], set where a key holds what only `number_slots` reads.
    """
    longest = np.int64(0)
    for key in range(offsets.size - 1):
        longest = max(longest, offsets[key + 1] - offsets[key])
    masked = np.empty(longest + 1, np.uint8)
    found = np.empty((longest // 2 + 1, 3), np.int64)
    table = np.empty(4 * longest + 64, np.uint64)
    counts = np.empty(4 * longest + 64, np.int64)
    n_written = np.int64(0)
    bounds[0] = 0
    for key in range(offsets.size - 1):
        start, end = offsets[key], offsets[key + 1]
        n_masked, n_found, at = np.int64(0), np.int64(0), start
        while at < end and not is_odd[key]:
            byte = data[at]
            if _is_digit(byte):
                first = at
                at += 1
                while at < end and (
                    _is_digit(data[at])
                    or (data[at] == _POINT and at + 1 < end and _is_digit(data[at + 1]))
                ):
                    at += 1
                if not (
                    _is_day(data, at, end, kinds)
                    or _is_behind_month(data, start, first, kinds, months)
                ):
                    found[n_found, 0], found[n_found, 1] = first, at
                    found[n_found, 2] = n_masked
                    n_found += 1
                masked[n_masked] = _MASK
                n_masked += 1
            elif byte < 0x80:
                is_odd[key] = kinds[byte] & ODD != 0
                masked[n_masked] = byte
                n_masked += 1
                at += 1
            else:
                code, following = decode_at(data, at)
                is_odd[key] = kinds[min(code, kinds.size - 1)] & ODD != 0
                for place in range(at, following):
                    masked[n_masked] = data[place]
                    n_masked += 1
                at = following
        if is_odd[key]:
            n_found = 0
        size = np.int64(16)
        while size < 4 * n_found:
            size *= 2
        table[:size] = 0
        counts[:size] = 0
        mask = np.uint64(size - 1)
        for number in range(n_found):
            left = right = found[number, 2]
            for _ in range(CONTEXT_CHARS):
                if left > 0:
                    left -= 1
                    while left > 0 and masked[left] & 0xC0 == 0x80:
                        left -= 1
            right += 1
            for _ in range(CONTEXT_CHARS):
                if right < n_masked:
                    right += 1
                    while right < n_masked and masked[right] & 0xC0 == 0x80:
                        right += 1
            around = _hashed(masked, left, right)
            first = found[number, 0]
            value = _hashed(data, first, _plain_end(data, first, found[number, 1]))
            own = _mixed(around * _FACTOR + value)
            places[n_written] = _mixed(around + _turn(around, table, counts, mask) * _SEED)
            numbers[n_written] = _mixed(own + _turn(own, table, counts, mask) * _SEED)
            n_written += 1
        bounds[key + 1] = n_written
