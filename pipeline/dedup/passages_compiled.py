"""The compiled passages of `pipeline.dedup.passages`, from the keys of paragraphs."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.dedup.passage_hashes import FINGERPRINT_BIT
from pipeline.text.fold_kinds import JOINS_COMBINING, JOINS_SPACED
from pipeline.text.mixing_compiled import mix64_one
from pipeline.text.shingles_compiled import decode, hash_windows
from pipeline.text.utf8_compiled import BYTES, PLACES, WORDS, decode_at

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]

_BIT = np.uint64(FINGERPRINT_BIT)


@numba.njit(nogil=True, boundscheck=False)
def _fingerprints(hashes: Words, n_hashes: int, window: int, found: Words) -> int:
    """Write the smallest of each `window` consecutive hashes, once while it stays the same.

    The smallest of a window is that of the next until it leaves or a smaller one comes: only
    when it leaves is the window looked through again.
    """
    width = min(window, n_hashes)
    n_found = np.int64(0)
    smallest, leaves = np.uint64(0), np.int64(-1)
    for end in range(width, n_hashes + 1):
        newest = hashes[end - 1]
        if leaves < end - width:
            smallest = newest
            for place in range(end - width, end):
                smallest = min(smallest, hashes[place])
            leaves = end - 1
            while hashes[leaves] != smallest:
                leaves -= 1
        elif newest <= smallest:
            leaves = end - 1
            if newest == smallest:
                continue
            smallest = newest
        else:
            continue
        found[n_found] = smallest
        n_found += 1
    return n_found


@numba.njit(nogil=True, boundscheck=False)
def _sort_unique(values: Words, first: int, end: int) -> int:
    """Sort values[first:end] in place without repeats; return where they end (Shell's sort)."""
    gap = np.int64(1)
    while gap < (end - first) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for place in range(first + gap, end):
            value, hole = values[place], place
            while hole >= first + gap and values[hole - gap] > value:
                values[hole] = values[hole - gap]
                hole -= gap
            values[hole] = value
        gap //= 3
    kept = first
    for place in range(first, end):
        if place == first or values[place] != values[kept - 1]:
            values[kept] = values[place]
            kept += 1
    return kept


@numba.njit(inline="always")
def _joins_apart(utf8: Bytes, start: int, was_spaced: bool, joints: Bytes) -> int:
    """Return 1 where a space comes before the key at `start`, 0 where none, -1 where unclear."""
    code, _ = decode_at(utf8, start)
    joint = np.int64(joints[code])
    if joint & JOINS_COMBINING:
        return np.int64(-1)
    return np.int64(was_spaced and joint & JOINS_SPACED != 0)


@numba.njit(
    numba.int64(
        BYTES,
        PLACES,
        WORDS,
        PLACES,
        numba.types.Array(numba.boolean, 1, "C", readonly=True),
        BYTES,
        BYTES,
        WORDS,
        numba.int64,
        numba.int64,
        numba.uint64[::1],
        numba.int64[::1],
        numba.bool_[::1],
    ),
    nogil=True,
    boundscheck=False,
)
def passages_all(
    utf8: Bytes,
    offsets: Places,
    paragraph_hashes: Words,
    bounds: Places,
    is_kept: NDArray[np.bool_],
    joints: Bytes,
    length_of: Bytes,
    multipliers: Words,
    window: int,
    min_key_chars: int,
    found: Words,
    ends: Places,
    is_unclear: NDArray[np.bool_],
) -> int:
    """Return how many passages articles have, -1 where the room for them is too small.

    Args:
        utf8: uint8, the keys of paragraphs.
        offsets: int64 [n_paragraphs + 1], where they stand in it.
        paragraph_hashes: uint64 [n_paragraphs].
        bounds: int64 [n_articles + 1], article i owns paragraphs bounds[i]:bounds[i + 1].
        is_kept: bool [n_paragraphs]; the others are passed over.
        joints: uint8 [0x110000], JOINS_SPACED where a key that begins or ends with the code point
            keeps a space there, JOINS_COMBINING where it may combine with what stands before it.
        length_of: and `multipliers`, as `hash_windows` takes them.
        multipliers: as said there.
        window: hashes of which the smallest is a fingerprint.
        min_key_chars: of paragraphs, and of articles that have fingerprints.
        found: uint64, receives the passages, sorted and distinct within an article.
        ends: int64 [n_articles + 1], zero; receives their offsets.
        is_unclear: bool [n_articles], False; receives whose paragraphs combine: their keys must be
            folded again, and they have no passages here.
    """
    n_articles = bounds.size - 1
    longest = np.int64(0)
    for article in range(n_articles):
        longest = max(
            longest,
            offsets[bounds[article + 1]]
            - offsets[bounds[article]]
            + bounds[article + 1]
            - bounds[article],
        )
    codes = np.empty(longest + multipliers.size, np.uint64)
    lengths = np.empty(longest, np.uint8)
    hashes = np.empty(longest, np.uint64)
    chosen = np.empty(longest, np.uint64)
    n_found = np.int64(0)
    for article in range(n_articles):
        first = n_found
        n_chars, was_spaced = np.int64(0), False
        for paragraph in range(bounds[article], bounds[article + 1]):
            start, end = offsets[paragraph], offsets[paragraph + 1]
            if start == end or not is_kept[paragraph]:
                continue
            if n_chars > 0:
                apart = _joins_apart(utf8, start, was_spaced, joints)
                if apart < 0:
                    is_unclear[article] = True
                    break
                codes[n_chars] = 0x20
                n_chars += apart
            n_own = decode(utf8, start, end, codes[n_chars:])
            n_chars += n_own
            was_spaced = joints[codes[n_chars - 1]] & JOINS_SPACED != 0
            if n_own >= min_key_chars:
                found[n_found] = paragraph_hashes[paragraph]
                n_found += 1
        if is_unclear[article]:
            n_found = first
        elif n_chars >= min_key_chars:
            n_hashes = hash_windows(codes, n_chars, length_of, multipliers, lengths, hashes)
            n_chosen = _fingerprints(hashes, n_hashes, window, chosen)
            if n_found + n_chosen + bounds[n_articles] > found.size:
                return np.int64(-1)
            for place in range(n_chosen):
                found[n_found + place] = mix64_one(chosen[place]) | _BIT
            n_found += n_chosen
        n_found = _sort_unique(found, first, n_found)
        ends[article + 1] = n_found
    return n_found
