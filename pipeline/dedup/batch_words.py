"""Word shingles of a batch of texts: the definition, and its numpy kernels.

The batch path takes words between spaces as they stand (normalise the texts first), so that other
libraries can be given the very same shingles. `batch_compiled` has the same three kernels,
compiled; `tests/property` holds both equal, and equal to the definition.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from random import Random

import numpy as np
from numpy.typing import NDArray

from pipeline.text.mixing import mix32, mix64
from pipeline.text.shingles import n_shared, unique_within

SHINGLE_WORDS = 3
"""Words of a shingle; a text of fewer words is one shingle as a whole."""

N_SLOTS = 128
SPACE = 32
"""A byte up to this one stands between words."""

# Odd 64-bit constants (golden ratio, splitmix64, xxHash64); one each for the length and the chunks
# of a word, and for the place of a word in its shingle.
LENGTH_MULTIPLIER = 0xC2B2AE3D27D4EB4F
CHUNK_MULTIPLIER = 0xD1342543DE82EF95
LAST_MULTIPLIER = 0x9E3779B97F4A7C15
WORD_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9FB21C651E98DF25)

Bytes = NDArray[np.uint8]
Bounds = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_MASK = (1 << 64) - 1


def word_shingles(text: str) -> list[list[str]]:
    """Return the word shingles of a text in order, repeated as they occur: the definition.

    >>> word_shingles("a b  c d"), word_shingles("a b"), word_shingles(" ")
    ([['a', 'b', 'c'], ['b', 'c', 'd']], [['a', 'b']], [])
    """
    words = "".join(" " if ord(c) <= SPACE else c for c in text).split(" ")
    words = [word for word in words if word]
    width = min(SHINGLE_WORDS, len(words))
    return [words[i : i + width] for i in range(len(words) - width + 1)] if width else []


def hash_word(word: bytes) -> int:
    """Return the 64-bit hash of a word: its length, then eight bytes at a time."""
    hashed = len(word) * LENGTH_MULTIPLIER & _MASK
    last = (len(word) - 1) // 8 * 8
    for start in range(0, last, 8):
        chunk = int.from_bytes(word[start : start + 8], "little")
        hashed = (hashed ^ chunk) * CHUNK_MULTIPLIER & _MASK
        hashed ^= hashed >> 29
    hashed = (hashed ^ int.from_bytes(word[last:], "little")) * LAST_MULTIPLIER & _MASK
    return hashed ^ hashed >> 32


def hash_word_shingle(words: list[str]) -> int:
    """Return the 64-bit hash of a shingle: a sum over its words, then one mixing step."""
    pairs = zip(words, WORD_MULTIPLIERS, strict=False)
    hashed = sum(hash_word(word.encode()) * multiplier for word, multiplier in pairs) & _MASK
    hashed ^= hashed >> 32
    hashed = hashed * LAST_MULTIPLIER & _MASK
    return hashed ^ hashed >> 29


def sign_texts(utf8: Bytes, bounds: Bounds) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return signatures uint32 [n, 128] and how many shingles each text has, repeats counted.

    Args:
        utf8: texts in UTF-8, uint8 [n_bytes].
        bounds: text i is utf8[bounds[i]:bounds[i + 1]], int64 [n + 1].

    The signature of a text without words is all ones.
    """
    multipliers, addends = permutations()
    signatures = np.full((bounds.size - 1, N_SLOTS), 0xFFFFFFFF, np.uint32)
    counts = np.zeros(bounds.size - 1, np.int64)
    for text, (start, stop) in enumerate(pairwise(bounds.tolist())):
        hashes = _hash_text(utf8[start:stop])
        counts[text] = hashes.size
        if hashes.size:
            mixed = mix32(hashes.astype(np.uint32))
            signatures[text] = (mixed[:, None] * multipliers + addends).min(axis=0)
    return signatures, counts


def bucket_keys(
    utf8: Bytes, bounds: Bounds, bands: int, rows: int
) -> tuple[Hashes, NDArray[np.int64]]:
    """Return the bucket keys uint64 [bands, n] of texts, and the counts of `sign_texts`.

    They are those of `signatures.band_keys`, band by band: its module would load the readers of
    titles and numbers, which no batch needs.
    """
    signatures, counts = sign_texts(utf8, bounds)
    slots = np.ascontiguousarray(signatures.T[: bands * rows]).reshape(bands, rows, -1)
    keys = np.empty((bands, counts.size), np.uint64)
    for band in range(bands):
        mixed = np.full(counts.size, band + 1, np.uint64)
        for row in range(rows):
            mixed = mix64(mixed ^ slots[band, row].astype(np.uint64) << np.uint64(32))
        keys[band] = mixed
    return keys, counts


def text_sets(
    utf8: Bytes, bounds: Bounds, wanted: NDArray[np.int64], starts: Bounds, hashes: Hashes
) -> NDArray[np.int64]:
    """Write the shingle hashes of each wanted text once, from `starts` on; return how many each.

    Args:
        utf8: as in `sign_texts`.
        bounds: as in `sign_texts`.
        wanted: numbers of texts.
        starts: where the hashes of each wanted text go.
        hashes: written to. Within a text in no certain order; a hash of 0 is written as 1.
    """
    sizes = np.zeros(wanted.size, np.int64)
    for i, (text, start) in enumerate(zip(wanted.tolist(), starts.tolist(), strict=True)):
        found = np.maximum(_hash_text(utf8[bounds[text] : bounds[text + 1]]), np.uint64(1))
        found, _ = unique_within(found, np.array([0, found.size]))
        hashes[start : start + found.size] = found
        sizes[i] = found.size
    return sizes


def join_pairs(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    starts: Bounds,
    sizes: NDArray[np.int64],
    hashes: Hashes,
    min_jaccard: float,
    parents: NDArray[np.int64],
) -> None:
    """Join the ends of each pair whose exact Jaccard is `min_jaccard` or more, in `parents`.

    Ends that are joined already need no comparison.

    Args:
        left: numbers of sets, int64 [n_pairs].
        right: their partners.
        starts: set i is hashes[starts[i]:starts[i] + sizes[i]], none is empty; more may follow.
        sizes: sizes of the sets.
        hashes: the sets.
        min_jaccard: the threshold, itself included.
        parents: union-find forest over the sets, written to.
    """
    sets = [
        np.sort(hashes[start : start + size])
        for start, size in zip(starts[: sizes.size].tolist(), sizes.tolist(), strict=True)
    ]
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        top, bottom = _root(parents, one), _root(parents, other)
        if top == bottom:
            continue
        shared = n_shared(sets[one], sets[other])
        if shared / (sets[one].size + sets[other].size - shared) >= min_jaccard:
            parents[max(top, bottom)] = min(top, bottom)


@cache
def permutations() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return datasketch's multipliers and addends for 128 slots and seed 1, scheme affine32.

    Drawn as datasketch draws them from `np.random.RandomState(1)`, whose generator is that of
    `random` (MT19937) begun in another way: to import datasketch takes 0.6 s, numpy.random 8 ms.
    `tests/property` holds them equal to those of `signatures`, `tests/reference` to datasketch's.
    """
    state = [1]
    for i in range(1, 624):
        state.append(1_812_433_253 * (state[-1] ^ state[-1] >> 30) + i & 0xFFFFFFFF)
    twister = Random()
    twister.setstate((3, (*state, len(state)), None))
    drawn = np.array([twister.getrandbits(32) for _ in range(2 * N_SLOTS)], np.uint32)
    # Odd multipliers are bijections of the 32-bit integers.
    return drawn[:N_SLOTS] << np.uint32(1) | np.uint32(1), drawn[N_SLOTS:]


def _hash_text(utf8: Bytes) -> Hashes:
    """Return the shingle hashes of one text in order, repeated as they occur."""
    is_space = np.concatenate(([True], utf8 <= SPACE, [True]))
    borders = np.flatnonzero(is_space[1:] != is_space[:-1])
    words = _hash_words(utf8, borders[::2], borders[1::2])
    if not words.size:
        return words
    width = min(SHINGLE_WORDS, words.size)
    hashes = np.zeros(words.size - width + 1, np.uint64)
    for place, multiplier in enumerate(WORD_MULTIPLIERS[:width]):
        hashes += words[place : place + hashes.size] * np.uint64(multiplier)
    hashes ^= hashes >> np.uint64(32)
    hashes *= np.uint64(LAST_MULTIPLIER)
    hashes ^= hashes >> np.uint64(29)
    return hashes


def _hash_words(utf8: Bytes, firsts: Bounds, ends: Bounds) -> Hashes:
    """Return `hash_word` of each word utf8[firsts[i]:ends[i]]."""
    padded = np.concatenate((utf8, np.zeros(8, np.uint8)))
    lengths = ends - firsts
    hashed = lengths.astype(np.uint64) * np.uint64(LENGTH_MULTIPLIER)
    rest = np.arange(lengths.size)
    done = 0
    while rest.size:
        chunks = padded[firsts[rest, None] + done + np.arange(8)]
        left = lengths[rest] - done
        chunks[np.arange(8) >= left[:, None]] = 0
        mixed = hashed[rest] ^ chunks.view("<u8")[:, 0]
        is_last = left <= 8
        mixed *= np.where(is_last, np.uint64(LAST_MULTIPLIER), np.uint64(CHUNK_MULTIPLIER))
        hashed[rest] = mixed ^ mixed >> np.where(is_last, np.uint64(32), np.uint64(29))
        rest = rest[~is_last]
        done += 8
    return hashed


def _root(parents: NDArray[np.int64], number: int) -> int:
    while parents[number] != number:
        number = int(parents[number])
    return number
