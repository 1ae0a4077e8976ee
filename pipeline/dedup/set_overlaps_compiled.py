"""The compiled counts of common shingles of `pipeline.dedup.set_overlaps`."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.shingles_compiled import decode, hash_windows
from pipeline.text.utf8_compiled import BYTES, PLACES, WORDS

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]


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


@numba.njit(
    numba.void(BYTES, PLACES, BYTES, WORDS, PLACES, numba.uint64[::1], numba.int64[::1]),
    nogil=True,
    boundscheck=False,
)
def distinct_all(
    utf8: Bytes,
    offsets: Places,
    length_of: Bytes,
    multipliers: Words,
    known: Places,
    found: Words,
    bounds: Places,
) -> None:
    """Write the distinct shingle hashes of each key, in the order of the key.

    Args:
        utf8: uint8, valid UTF-8 of all keys.
        offsets: int64 [n + 1], key i owns utf8[offsets[i]:offsets[i + 1]].
        length_of: as `hash_windows` takes it.
        multipliers: as `hash_windows` takes them.
        known: int64 [n], how many distinct ones a key has where that is known, else -1: where it
            has no more windows, none of them is looked for among the others.
        found: uint64 with a place for each character; receives the hashes.
        bounds: int64 [n + 1]; the hashes of key i become found[bounds[i]:bounds[i + 1]].
    """
    longest = np.int64(0)
    for key in range(offsets.size - 1):
        longest = max(longest, offsets[key + 1] - offsets[key])
    codes = np.empty(longest + multipliers.size, np.uint64)
    lengths = np.empty(longest + 1, np.uint8)
    hashes = np.empty(longest + 1, np.uint64)
    table = np.empty(6 * longest + 64, np.uint64)
    end = np.int64(0)
    bounds[0] = 0
    for key in range(offsets.size - 1):
        n_chars = decode(utf8, offsets[key], offsets[key + 1], codes)
        n_hashes = hash_windows(codes, n_chars, length_of, multipliers, lengths, hashes)
        if n_hashes == known[key]:
            for place in range(n_hashes):
                found[end + place] = hashes[place]
            end += n_hashes
            bounds[key + 1] = end
            continue
        mask = _room(table, n_hashes)
        has_zero = False
        for place in range(n_hashes):
            hashed = hashes[place]
            if hashed == 0:
                is_new = not has_zero
                has_zero = True
            else:
                slot = _slot(table, mask, hashed)
                is_new = table[slot] == 0
                table[slot] = hashed
            if is_new:
                found[end] = hashed
                end += 1
        bounds[key + 1] = end


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
