"""The compiled counts of common shingles of `pipeline.dedup.set_overlaps`."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.bits_compiled import n_ones
from pipeline.text.shingles_compiled import decode, hash_windows
from pipeline.text.utf8_compiled import BYTES, PLACES, WORDS

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]
Numbers = NDArray[np.int32]

_LEAST_TABLE = 1024
"""Slots of a table of numbers; it is grown to twice as many as there are, and emptied again."""


@numba.njit(nogil=True, boundscheck=False)
def _room(table: Words, n_hashes: int) -> np.uint64:
    """Clear as much of a hash table as so many hashes need; return its mask."""
    size = np.int64(64)
    while size < 3 * n_hashes:
        size *= 2
    table[:size] = 0
    return np.uint64(size - 1)


@numba.njit(inline="always")
def _slot(table: Words, mask: np.uint64, hashed: np.uint64) -> np.uint64:
    """Return where a hash other than 0 stands in the table, or where it would have to."""
    slot = hashed & mask
    while table[slot] != 0 and table[slot] != hashed:
        slot = slot + np.uint64(1) & mask
    return slot


@numba.njit(inline="always")
def _number_of(
    hashed: np.uint64, likely: int, n_numbers: int, hash_of: Words, table: Numbers, mask: np.uint64
) -> int:
    """Return the number of a shingle, or -1 less the slot where one without a number belongs.

    Texts that have much in common go on alike: behind a shingle mostly stands the next number.
    """
    if likely < n_numbers and hash_of[likely] == hashed:
        return likely
    slot = hashed & mask
    while table[slot] != 0:
        number = np.int64(table[slot]) - 1
        if hash_of[number] == hashed:
            return number
        slot = slot + np.uint64(1) & mask
    return -1 - np.int64(slot)


@numba.njit(nogil=True, boundscheck=False)
def _grown(table: Numbers, size: int, hash_of: Words, n_numbers: int, n_more: int) -> int:
    """Make a table of numbers fit for some more; return its size, a power of two."""
    if size >= 2 * (n_numbers + n_more):
        return size
    while size < 2 * (n_numbers + n_more):
        size *= 2
    table[:size] = 0
    mask = np.uint64(size - 1)
    for number in range(n_numbers):
        slot = hash_of[number] & mask
        while table[slot] != 0:
            slot = slot + np.uint64(1) & mask
        table[slot] = number + 1
    return size


@numba.njit(nogil=True, boundscheck=False)
def _number_all(
    hashes: Words, n_hashes: int, n_numbers: int, hash_of: Words, table: Numbers, size: int
) -> int:
    """Put the number of each of hashes[:n_hashes] in its place; return how many there are now."""
    mask, likely = np.uint64(size - 1), np.int64(0)
    for window in range(n_hashes):
        number = _number_of(hashes[window], likely, n_numbers, hash_of, table, mask)
        if number < 0:
            table[-1 - number] = n_numbers + 1
            number = n_numbers
            hash_of[number] = hashes[window]
            n_numbers += 1
        hashes[window] = number
        likely = number + 1
    return n_numbers


@numba.njit(nogil=True, boundscheck=False)
def _known_numbers(
    hashes: Words, n_hashes: int, n_numbers: int, hash_of: Words, table: Numbers, size: int
) -> int:
    """Write the numbers of those that have one over hashes[:n_hashes]; return how many they are."""
    mask, likely, n_known = np.uint64(size - 1), np.int64(0), np.int64(0)
    for window in range(n_hashes):
        number = _number_of(hashes[window], likely, n_numbers, hash_of, table, mask)
        if number >= 0:
            hashes[n_known] = number
            n_known += 1
            likely = number + 1
    return n_known


@numba.njit(nogil=True, boundscheck=False)
def _marked(numbers: Words, n_own: int, marks: Words, held: Numbers) -> int:
    """Set the bits of numbers[:n_own]; write which words have some, return how many they are."""
    n_held = np.int64(0)
    for place in range(n_own):
        word = numbers[place] >> np.uint64(6)
        if marks[word] == 0:
            held[n_held] = word
            n_held += 1
        marks[word] |= np.uint64(1) << (numbers[place] & np.uint64(63))
    return n_held


@numba.njit(
    numba.void(
        *(BYTES, PLACES, BYTES, WORDS),
        *(numba.int64[::1], numba.int64[::1], numba.int64[:, ::1], numba.int64[::1]),
        numba.int64[::1],
    ),
    nogil=True,
    boundscheck=False,
)
def count_by_centre(
    utf8: Bytes,
    offsets: Places,
    length_of: Bytes,
    multipliers: Words,
    centres: Places,
    centre_ends: Places,
    pairs: NDArray[np.int64],
    pair_ends: Places,
    shared: Places,
) -> None:
    """Write how many distinct shingles keys have in common with centres, group by group.

    The shingles of a group's centres are numbered as they are met, so that a key is a few words of
    bits. Other keys are read once, straight into bits; what no centre holds has none.

    Args:
        utf8: uint8, valid UTF-8 of all keys.
        offsets: int64 [n + 1], key i owns utf8[offsets[i]:offsets[i + 1]].
        length_of: as `hash_windows` takes it.
        multipliers: as `hash_windows` takes them.
        centres: int64 [n_centres], which key each is.
        centre_ends: int64 [n_groups], the centres of a group end here and begin where the last end.
        pairs: int64 [n_pairs, 2], a key and the place of its centre in `centres`; the pairs of a
            group stand together, and in it those of a key.
        pair_ends: int64 [n_groups], as `centre_ends`.
        shared: int64 [n_pairs], receives the counts.
    """
    longest, most, first = np.int64(0), np.int64(0), np.int64(0)
    for key in range(offsets.size - 1):
        longest = max(longest, offsets[key + 1] - offsets[key])
    for end in centre_ends:
        room = np.int64(0)
        for place in range(first, end):
            room += offsets[centres[place] + 1] - offsets[centres[place]]
        most, first = max(most, room), end
    codes = np.empty(longest + multipliers.size, np.uint64)
    lengths = np.empty(longest + 1, np.uint8)
    hashes = np.empty(longest + 1, np.uint64)
    # What is not written takes no memory: texts alike have far fewer shingles and words than this.
    hash_of = np.empty(most + 1, np.uint64)
    table = np.empty(4 * most + _LEAST_TABLE, np.int32)
    held = np.empty(most + 1, np.int32)
    bits = np.empty(most + 1, np.uint64)
    own = np.empty(longest + 1, np.int32)
    marks = np.zeros(most // 64 + 1, np.uint64)
    bounds = np.zeros(centres.size + 1, np.int64)
    place_of = np.full(offsets.size - 1, -1, np.int64)
    first, pair = np.int64(0), np.int64(0)
    for group in range(centre_ends.size):
        n_numbers, n_held, size = np.int64(0), np.int64(0), np.int64(_LEAST_TABLE)
        table[:size] = 0
        for place in range(first, centre_ends[group]):
            key = centres[place]
            n_chars = decode(utf8, offsets[key], offsets[key + 1], codes)
            n_hashes = hash_windows(codes, n_chars, length_of, multipliers, lengths, hashes)
            size = _grown(table, size, hash_of, n_numbers, n_hashes)
            n_numbers = _number_all(hashes, n_hashes, n_numbers, hash_of, table, size)
            place_of[key], bounds[place] = place, n_held
            n_held += _marked(hashes, n_hashes, marks, held[n_held:])
            bounds[place + 1] = n_held
            for at in range(bounds[place], n_held):
                bits[at] = marks[held[at]]
                marks[held[at]] = 0
        last, n_own = np.int64(-1), np.int64(0)
        while pair < pair_ends[group]:
            key, centre = pairs[pair]
            if key != last:
                for at in range(n_own):
                    marks[own[at]] = 0
                last, place = key, place_of[key]
                # A centre of an earlier part of the group has numbers that are no longer in use.
                if place >= first:
                    n_own = bounds[place + 1] - bounds[place]
                    for at in range(n_own):
                        own[at] = held[bounds[place] + at]
                        marks[own[at]] = bits[bounds[place] + at]
                else:
                    n_chars = decode(utf8, offsets[key], offsets[key + 1], codes)
                    n_hashes = hash_windows(codes, n_chars, length_of, multipliers, lengths, hashes)
                    n_known = _known_numbers(hashes, n_hashes, n_numbers, hash_of, table, size)
                    n_own = _marked(hashes, n_known, marks, own)
            count = np.int64(0)
            for at in range(bounds[centre], bounds[centre + 1]):
                count += n_ones(bits[at] & marks[held[at]])
            shared[pair] = count
            pair += 1
        for at in range(n_own):
            marks[own[at]] = 0
        first = centre_ends[group]


@numba.njit(
    numba.void(WORDS, PLACES, numba.int64[:, ::1], numba.int64[::1]),
    nogil=True,
    boundscheck=False,
)
def count_shared(hashes: Words, bounds: Places, pairs: NDArray[np.int64], shared: Places) -> None:
    """Write how many hashes the two sets of each pair have in common.

    Args:
        hashes: uint64, distinct within a set.
        bounds: int64 [n + 1], set i is hashes[bounds[i]:bounds[i + 1]].
        pairs: int64 [n_pairs, 2], numbers of sets; quickest where pairs of one left set follow
            each other, for its table is made once.
        shared: int64 [n_pairs], receives the counts.
    """
    longest = np.int64(0)
    for own in range(bounds.size - 1):
        longest = max(longest, bounds[own + 1] - bounds[own])
    table = np.empty(6 * longest + 64, np.uint64)
    mask = np.uint64(0)
    last = np.int64(-1)
    has_zero = False
    for pair in range(len(pairs)):
        left, right = pairs[pair, 0], pairs[pair, 1]
        if left != last:
            mask = _room(table, bounds[left + 1] - bounds[left])
            has_zero = False
            for place in range(bounds[left], bounds[left + 1]):
                if hashes[place] == 0:
                    has_zero = True
                else:
                    table[_slot(table, mask, hashes[place])] = hashes[place]
            last = left
        count = np.int64(0)
        for place in range(bounds[right], bounds[right + 1]):
            hashed = hashes[place]
            if hashed == 0:
                count += has_zero
            else:
                count += table[_slot(table, mask, hashed)] != 0
        shared[pair] = count
