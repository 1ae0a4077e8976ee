"""The kernels of `pipeline.dedup.batch_words`, compiled; `batch_kernels` calls them."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import extending

from pipeline.dedup.batch_words import (
    CHUNK_MULTIPLIER,
    LAST_MULTIPLIER,
    LENGTH_MULTIPLIER,
    N_SLOTS,
    SHINGLE_WORDS,
    SPACE,
    WORD_MULTIPLIERS,
)
from pipeline.dedup.minima_compiled import sign
from pipeline.text.bits_compiled import n_ones
from pipeline.text.mixing_compiled import mix64_one
from pipeline.text.utf8_compiled import BYTES, HALVES, PLACES, WORDS

_LENGTH, _CHUNK, _LAST = map(np.uint64, (LENGTH_MULTIPLIER, CHUNK_MULTIPLIER, LAST_MULTIPLIER))
_FIRST, _SECOND, _THIRD = map(np.uint64, WORD_MULTIPLIERS)

_NONE, _ONE, _ALL = np.uint64(0), np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)
_LAST_BIT, _BLOCK = np.uint64(63), np.uint64(64)
_AT_A_TIME = 8
"""Borders are written so many at a time, the last of them for nothing: no branch foretells how
many there are in 64 bytes."""
_PADDING = 72

_WORDS, _PLACES = numba.uint64[::1], numba.int64[::1]


def _jit(*takes: Any) -> Any:
    return numba.njit(numba.void(*takes), nogil=True, boundscheck=False)


_intrinsic: Any = extending.intrinsic
_part: Any = numba.njit(nogil=True, boundscheck=False)


@_intrinsic
def _spaces(typing_context, chunks, place):  # type: ignore[no-untyped-def]
    """Return which of the 64 bytes from `place` on are no part of a word, a bit each.

    One comparison of a vector: LLVM cuts it to what the processor has.
    """

    def codegen(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        bytes_at = builder.bitcast(array.data, ir.IntType(8).as_pointer())
        vector = ir.VectorType(ir.IntType(8), 64)
        where = builder.bitcast(builder.gep(bytes_at, [arguments[1]]), vector.as_pointer())
        loaded = builder.load(where, align=1)
        compared = builder.icmp_unsigned("<=", loaded, ir.Constant(vector, [SPACE] * 64))
        return builder.bitcast(compared, ir.IntType(64))

    return numba.uint64(chunks, numba.int64), codegen


@_part
def _find_words(chunks, n_bytes, borders):  # type: ignore[no-untyped-def]
    """Write where each word starts (even) and ends (odd); return the number of words.

    Where spaces are is one word of 64 bits for 64 bytes; spaces follow the text, so that the last
    word ends too.
    """
    n_borders, was_space, before = _NONE, _ONE, _NONE
    for block in range(n_bytes // 64 + 1):
        spaces = _spaces(chunks, 64 * block)
        changes = spaces ^ (spaces << _ONE | was_space)
        was_space = spaces >> _LAST_BIT
        place, n_borders = n_borders, n_borders + np.uint64(n_ones(changes))
        while changes:
            for _ in range(_AT_A_TIME):
                borders[place] = before + np.uint64(n_ones((changes & -changes) - _ONE))
                changes &= changes - _ONE
                place += _ONE
        before += _BLOCK
    return np.int64(n_borders >> _ONE)


@_intrinsic
def _eight_bytes(typing_context, chunks, place):  # type: ignore[no-untyped-def]
    """Return the eight bytes from `place` on, little-endian: one load where it may not be even."""

    def codegen(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        bytes_at = builder.bitcast(array.data, ir.IntType(8).as_pointer())
        where = builder.gep(bytes_at, [arguments[1]])
        return builder.load(builder.bitcast(where, ir.IntType(64).as_pointer()), align=1)

    return numba.uint64(chunks, numba.int64), codegen


@_part
def _hash_words(chunks, borders, n_words, words):  # type: ignore[no-untyped-def]
    """Write the hash of each word."""
    for word in range(n_words):
        place = borders[2 * word]
        length = borders[2 * word + 1] - place
        hashed = np.uint64(length) * _LENGTH
        # Computed for all and kept for some: half the words are longer, no branch foretells which.
        chunked = (hashed ^ _eight_bytes(chunks, place)) * _CHUNK
        chunked ^= chunked >> np.uint64(29)
        is_long = length > 8
        hashed = chunked if is_long else hashed
        place += 8 * is_long
        length -= 8 * is_long
        while length > 8:
            hashed = (hashed ^ _eight_bytes(chunks, place)) * _CHUNK
            hashed ^= hashed >> np.uint64(29)
            place += 8
            length -= 8
        last = _eight_bytes(chunks, place) & (_ALL >> np.uint64(64 - 8 * length))
        hashed = (hashed ^ last) * _LAST
        words[word] = hashed ^ (hashed >> np.uint64(32))


@_part
def _hash_text(utf8, text, chunks, borders, words, hashes):  # type: ignore[no-untyped-def]
    """Write the shingle hashes of a text in order; return their number.

    Scratch: `text` and `chunks` are one memory, as bytes and by eights; `borders`, `words`.
    """
    for at in range(utf8.size):
        text[at] = utf8[at]
    for at in range(utf8.size, utf8.size + _PADDING):
        text[at] = 32
    n_words = _find_words(chunks, utf8.size, borders)
    _hash_words(chunks, borders, n_words, words)
    if n_words == 0:
        return 0
    for word in range(n_words, SHINGLE_WORDS):
        words[word] = 0
    n_shingles = max(1, n_words - SHINGLE_WORDS + 1)
    for at in range(n_shingles):
        hashed = words[at] * _FIRST + words[at + 1] * _SECOND + words[at + 2] * _THIRD
        hashed = (hashed ^ (hashed >> np.uint64(32))) * _LAST
        hashes[at] = hashed ^ (hashed >> np.uint64(29))
    return n_shingles


@_part
def _scratch(bounds):  # type: ignore[no-untyped-def]
    """Return chunks, borders, words and hashes for `_hash_text`, as the longest text needs."""
    longest = 0
    for text in range(bounds.size - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    n_words = longest // 2 + SHINGLE_WORDS
    return (
        np.empty(longest // 8 + _PADDING // 8 + 1, np.uint64),
        np.empty(2 * n_words + _AT_A_TIME, np.int32),
        np.empty(n_words, np.uint64),
        np.empty(n_words, np.uint64),
    )


@_jit(BYTES, PLACES, HALVES, HALVES, numba.int64, numba.uint64[:, ::1], _PLACES)
def bucket_keys(utf8, bounds, multipliers, addends, rows, keys, counts):  # type: ignore[no-untyped-def]
    """A signature is only needed for its keys: it never leaves the cache."""
    chunks, borders, words, hashes = _scratch(bounds)
    text_bytes = chunks.view(np.uint8)
    mixed = np.empty(hashes.size, np.uint32)
    signature = np.empty(N_SLOTS, np.uint32)
    bands = keys.shape[0]
    of_text = np.empty(bands, np.uint64)
    for text in range(bounds.size - 1):
        part = utf8[bounds[text] : bounds[text + 1]]
        count = _hash_text(part, text_bytes, chunks, borders, words, hashes)
        sign(hashes, count, multipliers, addends, mixed, signature)
        # Row by row over all bands: independent steps, several to an instruction.
        for band in range(bands):
            of_text[band] = band + 1
        for row in range(rows):
            for band in range(bands):
                value = np.uint64(signature[band * rows + row]) << np.uint64(32)
                of_text[band] = mix64_one(of_text[band] ^ value)
        keys[:, text] = of_text
        counts[text] = count


@_part
def _table_size(count):  # type: ignore[no-untyped-def]
    """Return the power of two that leaves a table of so many at most half full."""
    size = 16
    while size < 2 * count:
        size *= 2
    return size


@_part
def _slot_of(table, mask, value):  # type: ignore[no-untyped-def]
    """Return where a value is in an open table, or the free slot (0) where it belongs."""
    slot = np.int64(value >> np.uint64(20)) & mask
    while table[slot] != 0 and table[slot] != value:
        slot = (slot + 1) & mask
    return slot


@_jit(BYTES, PLACES, PLACES, PLACES, _WORDS, _PLACES)
def text_sets(utf8, bounds, wanted, starts, hashes, sizes):  # type: ignore[no-untyped-def]
    """A table of the text's own hashes tells which came before."""
    chunks, borders, words, found = _scratch(bounds)
    text_bytes = chunks.view(np.uint8)
    table = np.zeros(_table_size(found.size), np.uint64)
    for i in range(wanted.size):
        part = utf8[bounds[wanted[i]] : bounds[wanted[i] + 1]]
        count = _hash_text(part, text_bytes, chunks, borders, words, found)
        mask = _table_size(count) - 1
        table[: mask + 1] = 0
        size = 0
        for at in range(count):
            value = max(found[at], _ONE)
            slot = _slot_of(table, mask, value)
            hashes[starts[i] + size] = value
            size += table[slot] == 0
            table[slot] = value
        sizes[i] = size


@_part
def _root(parents, number):  # type: ignore[no-untyped-def]
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


@_jit(PLACES, PLACES, PLACES, PLACES, WORDS, numba.float64, _PLACES)
def join_pairs(left, right, starts, sizes, hashes, min_jaccard, parents):  # type: ignore[no-untyped-def]
    """Pairs with the same left end stand together: its set is laid out once."""
    most = 0
    for i in range(sizes.size):
        most = max(most, sizes[i])
    table = np.zeros(_table_size(most), np.uint64)
    laid, mask = -1, 0
    for pair in range(left.size):
        one, other = left[pair], right[pair]
        # The union is no smaller than the larger set; the division rounds as the one below.
        if min(sizes[one], sizes[other]) / max(sizes[one], sizes[other]) < min_jaccard:
            continue
        top, bottom = _root(parents, one), _root(parents, other)
        if top == bottom:
            continue
        if laid != one:
            laid, mask = one, _table_size(sizes[one]) - 1
            table[: mask + 1] = 0
            for at in range(starts[one], starts[one] + sizes[one]):
                table[_slot_of(table, mask, hashes[at])] = hashes[at]
        shared = 0
        for at in range(starts[other], starts[other] + sizes[other]):
            shared += table[_slot_of(table, mask, hashes[at])] != 0
        if shared / (sizes[one] + sizes[other] - shared) >= min_jaccard:
            parents[max(top, bottom)] = min(top, bottom)
