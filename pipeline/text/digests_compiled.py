"""BLAKE2b (RFC 7693) of many messages, sixteen at a time: each step is one of vectors of lanes."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.utf8_compiled import BYTES, PLACES, WORDS

_LANES = 16
"""Messages at once; LLVM makes vectors of no loop that is shorter."""

Words = NDArray[np.uint64]

_0, _1, _2, _3, _4, _5, _6, _7 = (
    np.uint64(word)
    for word in (
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    )
)
# In which order a round takes the words of a block (RFC 7693, section 2.7).
_A = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_B = (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
_C = (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
_D = (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
_E = (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
_F = (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
_G = (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
_H = (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
_I = (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
_J = (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)


@numba.njit(inline="always")
def _turned(word, n_bits):  # type: ignore[no-untyped-def]
    return word >> np.uint64(n_bits) | word << np.uint64(64 - n_bits)


@numba.njit(inline="always")
def _mixed(a, b, c, d, x, y):  # type: ignore[no-untyped-def]
    """Return four words of the state after two words of the message (section 3.1)."""
    a = a + b + x
    d = _turned(d ^ a, 32)
    c = c + d
    b = _turned(b ^ c, 24)
    a = a + b + y
    d = _turned(d ^ a, 16)
    c = c + d
    b = _turned(b ^ c, 63)
    return a, b, c, d


@numba.njit(forceinline=True)
def _round(v, block, lane, s):  # type: ignore[no-untyped-def]
    """Return the sixteen words of one lane's state after a round in the order `s`."""
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15 = v
    m = block[lane:]
    v0, v4, v8, v12 = _mixed(v0, v4, v8, v12, m[_LANES * s[0]], m[_LANES * s[1]])
    v1, v5, v9, v13 = _mixed(v1, v5, v9, v13, m[_LANES * s[2]], m[_LANES * s[3]])
    v2, v6, v10, v14 = _mixed(v2, v6, v10, v14, m[_LANES * s[4]], m[_LANES * s[5]])
    v3, v7, v11, v15 = _mixed(v3, v7, v11, v15, m[_LANES * s[6]], m[_LANES * s[7]])
    v0, v5, v10, v15 = _mixed(v0, v5, v10, v15, m[_LANES * s[8]], m[_LANES * s[9]])
    v1, v6, v11, v12 = _mixed(v1, v6, v11, v12, m[_LANES * s[10]], m[_LANES * s[11]])
    v2, v7, v8, v13 = _mixed(v2, v7, v8, v13, m[_LANES * s[12]], m[_LANES * s[13]])
    v3, v4, v9, v14 = _mixed(v3, v4, v9, v14, m[_LANES * s[14]], m[_LANES * s[15]])
    return v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15


@numba.njit(forceinline=True)
def _compress(state: Words, block: Words, counts: Words, is_last: Words) -> None:
    """Take one block into the state of each lane (section 3.2).

    Word w of lane l is at [16 * w + l]; `counts` are bytes so far, `is_last` all bits or none.
    """
    for lane in range(_LANES):
        h = state[lane:]
        h0, h1, h2, h3 = h[0], h[_LANES], h[2 * _LANES], h[3 * _LANES]
        h4, h5, h6, h7 = h[4 * _LANES], h[5 * _LANES], h[6 * _LANES], h[7 * _LANES]
        n_bytes, last = counts[lane], is_last[lane]
        v = (h0, h1, h2, h3, h4, h5, h6, h7, _0, _1, _2, _3, _4 ^ n_bytes, _5, _6 ^ last, _7)
        v = _round(v, block, lane, _A)
        v = _round(v, block, lane, _B)
        v = _round(v, block, lane, _C)
        v = _round(v, block, lane, _D)
        v = _round(v, block, lane, _E)
        v = _round(v, block, lane, _F)
        v = _round(v, block, lane, _G)
        v = _round(v, block, lane, _H)
        v = _round(v, block, lane, _I)
        v = _round(v, block, lane, _J)
        v = _round(v, block, lane, _A)
        v = _round(v, block, lane, _B)
        state[lane] = h0 ^ v[0] ^ v[8]
        state[_LANES + lane] = h1 ^ v[1] ^ v[9]
        state[2 * _LANES + lane] = h2 ^ v[2] ^ v[10]
        state[3 * _LANES + lane] = h3 ^ v[3] ^ v[11]
        state[4 * _LANES + lane] = h4 ^ v[4] ^ v[12]
        state[5 * _LANES + lane] = h5 ^ v[5] ^ v[13]
        state[6 * _LANES + lane] = h6 ^ v[6] ^ v[14]
        state[7 * _LANES + lane] = h7 ^ v[7] ^ v[15]


@numba.njit(forceinline=True)
def _word_at(messages: NDArray[np.uint8], at: int) -> np.uint64:
    """Return eight bytes as a number; written so, and unsigned, LLVM reads them at once."""
    p = np.uint64(at)
    return (
        np.uint64(messages[p])
        | np.uint64(messages[p + np.uint64(1)]) << np.uint64(8)
        | np.uint64(messages[p + np.uint64(2)]) << np.uint64(16)
        | np.uint64(messages[p + np.uint64(3)]) << np.uint64(24)
        | np.uint64(messages[p + np.uint64(4)]) << np.uint64(32)
        | np.uint64(messages[p + np.uint64(5)]) << np.uint64(40)
        | np.uint64(messages[p + np.uint64(6)]) << np.uint64(48)
        | np.uint64(messages[p + np.uint64(7)]) << np.uint64(56)
    )


@numba.njit(inline="always")
def _last_word(messages: NDArray[np.uint8], at: int, n_bytes: int) -> np.uint64:
    """Return fewer than eight bytes as a number."""
    if at + 8 <= messages.size:
        return _word_at(messages, at) & ((np.uint64(1) << np.uint64(8 * n_bytes)) - np.uint64(1))
    word = np.uint64(0)
    for place in range(n_bytes):
        word |= np.uint64(messages[at + place]) << np.uint64(8 * place)
    return word


@numba.njit(
    numba.void(BYTES, PLACES, PLACES, WORDS, numba.uint64[:, ::1]), nogil=True, boundscheck=False
)
def digest_all(
    messages: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    order: NDArray[np.int64],
    seed: Words,
    filled: Words,
) -> None:
    """Fill in the first sixteen bytes of the hash of each message.

    Args:
        messages: uint8; message i is messages[offsets[i]:offsets[i + 1]].
        offsets: int64 [n + 1].
        order: int64 [n], the messages in the order in which they are worked on: those that stand
            together take as many blocks of 128 bytes as the longest of them.
        seed: uint64 [8], the state before the first block.
        filled: uint64 [n, 2], filled: the digests, little-endian.
    """
    n = order.size
    block = np.empty(16 * _LANES, np.uint64)
    state = np.empty(8 * _LANES, np.uint64)
    counts, is_last = np.empty(_LANES, np.uint64), np.empty(_LANES, np.uint64)
    starts, sizes = np.empty(_LANES, np.int64), np.empty(_LANES, np.int64)
    for base in range(0, n, _LANES):
        longest = np.int64(1)
        for lane in range(_LANES):
            row = order[min(base + lane, n - 1)]
            starts[lane], sizes[lane] = offsets[row], offsets[row + 1] - offsets[row]
            longest = max(longest, sizes[lane])
            for word in range(8):
                state[_LANES * word + lane] = seed[word]
        for done in range(0, longest, 128):
            for lane in range(_LANES):
                at, left = starts[lane] + done, sizes[lane] - done
                counts[lane] = sizes[lane] if left <= 128 else done + 128
                is_last[lane] = ~np.uint64(0) if left <= 128 else np.uint64(0)
                for word in range(16):
                    behind = left - 8 * word
                    if behind >= 8:
                        block[_LANES * word + lane] = _word_at(messages, at + 8 * word)
                    elif behind > 0:
                        block[_LANES * word + lane] = _last_word(messages, at + 8 * word, behind)
                    else:
                        block[_LANES * word + lane] = 0
            _compress(state, block, counts, is_last)
            for lane in range(min(_LANES, n - base)):
                # What lanes that have ended make of the blocks of others is not looked at.
                if done < max(sizes[lane], 1) <= done + 128:
                    row = order[base + lane]
                    filled[row, 0], filled[row, 1] = state[lane], state[_LANES + lane]
