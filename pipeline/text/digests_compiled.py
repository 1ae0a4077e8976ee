"""The compiled BLAKE2b of many short texts (RFC 7693), for `pipeline.text.digests`.

Eight texts are mixed side by side, one in each lane of the processor's vectors: a text costs a
quarter of what it costs `hashlib`, and half of that is finding its bytes.
"""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.utf8_compiled import BYTES, PLACES

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]
Word = np.uint64
State = tuple[Word, ...]

_N_LANES = 8
_BLOCK_BYTES = 128
"""Bytes of a text that are mixed in at a time: sixteen words."""

# Where in the room to work in lie, for each lane, eight words of state, the sixteen of a block, how
# many bytes are behind, and all ones in the last block of a text. One array: the compiler sees that
# its parts do not overlap, and makes vectors of the lanes.
_OF_BLOCK, _BEHIND, _IS_LAST, _ROOM = 64, 192, 200, 208

_START = np.array(
    [
        *(0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1),
        *(0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179),
    ],
    np.uint64,
)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@numba.njit(forceinline=True)
def _turned(word: Word, by: int) -> Word:
    return word >> np.uint64(by) | word << np.uint64(64 - by)


@numba.njit(forceinline=True)
def _mix(a: Word, b: Word, c: Word, d: Word, one: Word, other: Word) -> State:
    """Return four words of the state with two of the block mixed in (RFC 7693, 3.1)."""
    a = a + b + one
    d = _turned(d ^ a, 32)
    c = c + d
    b = _turned(b ^ c, 24)
    a = a + b + other
    d = _turned(d ^ a, 16)
    c = c + d
    b = _turned(b ^ c, 63)
    return a, b, c, d


@numba.njit(forceinline=True)
def _round(s: State, *m: Word) -> State:
    """Return the state after a round: its columns, then its diagonals."""
    s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15 = s
    s0, s4, s8, s12 = _mix(s0, s4, s8, s12, m[0], m[1])
    s1, s5, s9, s13 = _mix(s1, s5, s9, s13, m[2], m[3])
    s2, s6, s10, s14 = _mix(s2, s6, s10, s14, m[4], m[5])
    s3, s7, s11, s15 = _mix(s3, s7, s11, s15, m[6], m[7])
    s0, s5, s10, s15 = _mix(s0, s5, s10, s15, m[8], m[9])
    s1, s6, s11, s12 = _mix(s1, s6, s11, s12, m[10], m[11])
    s2, s7, s8, s13 = _mix(s2, s7, s8, s13, m[12], m[13])
    s3, s4, s9, s14 = _mix(s3, s4, s9, s14, m[14], m[15])
    return s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15


@numba.njit(nogil=True, boundscheck=False)
def _mix_in(w: Words) -> None:
    """Mix a block of each text into its state (RFC 7693, 3.2): each round takes it otherwise."""
    z0, z1, z2, z3 = _START[0], _START[1], _START[2], _START[3]
    z4, z5, z6, z7 = _START[4], _START[5], _START[6], _START[7]
    for x in range(_N_LANES):
        s0, s1, s2, s3 = w[x], w[8 + x], w[16 + x], w[24 + x]
        s4, s5, s6, s7 = w[32 + x], w[40 + x], w[48 + x], w[56 + x]
        s12, s14 = z4 ^ w[_BEHIND + x], z6 ^ w[_IS_LAST + x]
        s = s0, s1, s2, s3, s4, s5, s6, s7, z0, z1, z2, z3, s12, z5, s14, z7
        a, b, c, d = w[64 + x], w[72 + x], w[80 + x], w[88 + x]
        e, f, g, h = w[96 + x], w[104 + x], w[112 + x], w[120 + x]
        i, j, k, m = w[128 + x], w[136 + x], w[144 + x], w[152 + x]
        n, o, p, q = w[160 + x], w[168 + x], w[176 + x], w[184 + x]
        s = _round(s, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q)
        s = _round(s, p, k, e, i, j, q, o, g, b, n, a, c, m, h, f, d)
        s = _round(s, m, i, n, a, f, c, q, o, k, p, d, g, h, b, j, e)
        s = _round(s, h, j, d, b, o, n, m, p, c, g, f, k, e, a, q, i)
        s = _round(s, j, a, f, h, c, e, k, q, p, b, m, n, g, i, d, o)
        s = _round(s, c, n, g, k, a, m, i, d, e, o, h, f, q, p, b, j)
        s = _round(s, n, f, b, q, p, o, e, k, a, h, g, d, j, c, i, m)
        s = _round(s, o, m, h, p, n, b, d, j, f, a, q, e, i, g, c, k)
        s = _round(s, g, q, p, j, m, d, a, i, n, c, o, h, b, e, k, f)
        s = _round(s, k, c, i, e, h, g, b, f, q, m, j, p, d, n, o, a)
        s = _round(s, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q)
        s = _round(s, p, k, e, i, j, q, o, g, b, n, a, c, m, h, f, d)
        w[x] ^= s[0] ^ s[8]
        w[8 + x] ^= s[1] ^ s[9]
        w[16 + x] ^= s[2] ^ s[10]
        w[24 + x] ^= s[3] ^ s[11]
        w[32 + x] ^= s[4] ^ s[12]
        w[40 + x] ^= s[5] ^ s[13]
        w[48 + x] ^= s[6] ^ s[14]
        w[56 + x] ^= s[7] ^ s[15]


@numba.njit(forceinline=True)
def _word(utf8: Bytes, at: Word) -> Word:
    """Return eight bytes as a little-endian number: one load, once it is compiled."""
    word = np.uint64(utf8[at])
    word |= np.uint64(utf8[at + np.uint64(1)]) << np.uint64(8)
    word |= np.uint64(utf8[at + np.uint64(2)]) << np.uint64(16)
    word |= np.uint64(utf8[at + np.uint64(3)]) << np.uint64(24)
    word |= np.uint64(utf8[at + np.uint64(4)]) << np.uint64(32)
    word |= np.uint64(utf8[at + np.uint64(5)]) << np.uint64(40)
    word |= np.uint64(utf8[at + np.uint64(6)]) << np.uint64(48)
    word |= np.uint64(utf8[at + np.uint64(7)]) << np.uint64(56)
    return word


@numba.njit(nogil=True, boundscheck=False)
def _fill(utf8: Bytes, at: int, end: int, lane: int, room: Words) -> None:
    """Write the words of the block at a place of a text; zeros behind its end."""
    first = _OF_BLOCK + lane
    if end - at >= _BLOCK_BYTES:
        for place in range(16):
            room[first + 8 * place] = _word(utf8, np.uint64(at + 8 * place))
        return
    n_whole = max(0, end - at) // 8
    for place in range(n_whole):
        room[first + 8 * place] = _word(utf8, np.uint64(at + 8 * place))
    for place in range(n_whole, 16):
        room[first + 8 * place] = np.uint64(0)
    for byte in range(at + 8 * n_whole, end):
        own = np.uint64(utf8[byte]) << np.uint64(8 * ((byte - at) % 8))
        room[first + 8 * n_whole] |= own


@numba.njit(
    numba.void(BYTES, PLACES, PLACES, numba.int64, numba.uint64[:, ::1]),
    nogil=True,
    boundscheck=False,
)
def digest_all(utf8: Bytes, offsets: Places, order: Places, n_bytes: int, digests: Words) -> None:
    """Write the beginning of the digest of each text.

    Args:
        utf8: uint8, the texts.
        offsets: int64 [n + 1], text i is utf8[offsets[i]:offsets[i + 1]].
        order: int64 [n], the texts by their length: lanes of as many blocks stand together.
        n_bytes: how long the digests are, of which their form depends.
        digests: uint64 [n, words], receives the first words of each, little-endian.
    """
    room = np.zeros(_ROOM, np.uint64)
    for first in range(0, order.size, _N_LANES):
        for word in range(8):
            for lane in range(_N_LANES):
                room[8 * word + lane] = _START[word]
        for lane in range(_N_LANES):
            room[lane] ^= np.uint64(0x01010000 | n_bytes)
        n_lanes = min(_N_LANES, order.size - first)
        longest = order[first + n_lanes - 1]
        n_most = offsets[longest + 1] - offsets[longest]
        for at in range(0, max(n_most, 1), _BLOCK_BYTES):
            for lane in range(n_lanes):
                text = order[first + lane]
                start, end = offsets[text], offsets[text + 1]
                _fill(utf8, start + at, end, lane, room)
                is_last = end - start <= at + _BLOCK_BYTES
                room[_BEHIND + lane] = np.uint64(min(end - start, at + _BLOCK_BYTES))
                room[_IS_LAST + lane] = _ALL if is_last else np.uint64(0)
            _mix_in(room)
            for lane in range(n_lanes):
                text = order[first + lane]
                n_own = offsets[text + 1] - offsets[text]
                # What a lane goes on to mix behind the end of its text is not looked at.
                if n_own <= at + _BLOCK_BYTES and (n_own > at or at == 0):
                    for word in range(digests.shape[1]):
                        digests[text, word] = room[8 * word + lane]
