"""The compiled twins of the plain tests in `repeat_sieve`."""

from __future__ import annotations

import numba
import numpy as np

from pipeline.text.utf8_compiled import BYTES, PLACES, has_byte, whole_word

_FLAGS = numba.types.Array(numba.boolean, 1, "C", readonly=True)

_OPENING = np.uint64(0xFFFFFFFFFF)
"""Five bytes."""

_MOST_STRETCHES = 128
"""Sentences of one paragraph that are compared; one with more is left to the rules."""


@numba.njit(inline="always")
def _word_at(data, at):  # type: ignore[no-untyped-def]
    """Return the eight bytes from a place on; zeros follow the last byte."""
    word = np.uint64(0)
    if np.int64(at) + 8 <= data.size:
        return whole_word(data, at)
    for place in range(np.int64(at), data.size):
        word |= np.uint64(data[place]) << np.uint64(8 * (place - np.int64(at)))
    return word


@numba.njit(nogil=True, boundscheck=False)
def _past_plain(data, at, end):  # type: ignore[no-untyped-def]
    """Return where the first eight bytes in a row stand that may hold a sentence end.

    Bytes inside a character are no first bytes of one: a step may end there.
    """
    end = min(end, data.size)
    while at + 8 <= end:
        word = whole_word(data, at)
        may_end = has_byte(word, np.uint64(0x2E2E2E2E2E2E2E2E))
        may_end |= has_byte(word, np.uint64(0x0A0A0A0A0A0A0A0A))
        may_end |= has_byte(word, np.uint64(0x2121212121212121))
        may_end |= has_byte(word, np.uint64(0x3F3F3F3F3F3F3F3F))
        may_end |= has_byte(word, np.uint64(0xE3E3E3E3E3E3E3E3))
        may_end |= has_byte(word, np.uint64(0xEFEFEFEFEFEFEFEF))
        may_end |= has_byte(word, np.uint64(0xE0E0E0E0E0E0E0E0))
        if may_end:
            break
        at += 8
    return at


@numba.njit(
    numba.void(
        *(BYTES, PLACES, BYTES, _FLAGS, numba.int64, numba.int64),
        numba.types.Array(numba.boolean, 1, "C"),
    ),
    nogil=True,
    boundscheck=False,
)
def find_said_again(  # type: ignore[no-untyped-def]
    data, offsets, steps, is_of_space, least, most, found
):
    """Fill `found`; a step of 0 ends a sentence, of 255 may."""
    kept = np.empty((_MOST_STRETCHES, 3), np.uint64)
    for row in range(offsets.size - 1):
        at, end = offsets[row], offsets[row + 1]
        n_kept = 0
        start = looked_at = at
        while at <= end and not found[row]:
            size = 1
            if at >= looked_at:
                at = _past_plain(data, at, end)
                looked_at = at + 8
            if at < end:
                step = steps[data[np.uint64(at)]]
                if step == 255:
                    size = 3
                    code = np.int64(data[at]) << 16 | np.int64(data[at + 1]) << 8
                    code |= np.int64(data[at + 2])
                    is_end = code == 0xE38082 or code == 0xEFBC81
                    step = 0 if is_end or code == 0xEFBC9F or code == 0xE0A5A4 else 3
                if step:
                    at += step
                    continue
            if at - start >= least:
                first, last = start, at
                is_long = False
                for _ in range(most):
                    is_before = first < last and is_of_space[data[first]]
                    first += is_before
                    is_after = first < last and is_of_space[data[last - 1]]
                    last -= is_after
                    is_long = is_before or is_after
                    if not is_long:
                        break
                opening, closing = _word_at(data, first), np.uint64(0)
                if last - first >= 8:
                    closing = _word_at(data, last - 8)
                else:
                    opening &= (np.uint64(1) << np.uint64(8 * (last - first))) - np.uint64(1)
                found[row] = is_long or n_kept == _MOST_STRETCHES
                for other in range(n_kept):
                    found[row] |= (
                        kept[other, 0] == opening
                        and kept[other, 1] == closing
                        and kept[other, 2] == np.uint64(last - first)
                    )
                if n_kept < _MOST_STRETCHES:
                    kept[n_kept, 0], kept[n_kept, 1] = opening, closing
                    kept[n_kept, 2] = np.uint64(last - first)
                    n_kept += 1
            at += size
            start = at


@numba.njit(inline="always")
def _added(word, shift, sampled, slots, n):  # type: ignore[no-untyped-def]
    """Add the slot of the opening that begins a word; return how many there are.

    No branch: which ones are sampled is not foreseen.
    """
    hashed = (word & _OPENING) * np.uint64(0x9E3779B97F4A7C15)
    slots[n] = hashed >> shift
    return n + ((hashed >> np.uint64(44) | sampled) & np.uint64(1))


@numba.njit(nogil=True, boundscheck=False)
def _gathered(data, start, end, shift, sampled, slots, n):  # type: ignore[no-untyped-def]
    """Add the slots of the openings that begin in a range; return how many there are."""
    at = np.uint64(start)
    near_end = np.uint64(max(start, min(end, data.size - 7)))
    while at < near_end:
        n = _added(whole_word(data, at), shift, sampled, slots, n)
        # Neighbours have as many bytes: what is foreseen waits for no look.
        lead = data[at]
        if lead >= 0xE0 and lead < 0xF0:
            at += np.uint64(3)
        elif lead < 0x80:
            at += np.uint64(1)
        else:
            at += np.uint64(2) if lead < 0xE0 else np.uint64(4)
    for place in range(np.int64(at), end):
        if (data[place] & 0xC0) != 0x80:
            n = _added(_word_at(data, place), shift, sampled, slots, n)
    return n


@numba.njit(
    numba.void(
        *(BYTES, PLACES, PLACES, _FLAGS, PLACES, numba.int32[::1], numba.int64, numba.int64),
        *(numba.int64[::1], numba.int64[::1]),
    ),
    nogil=True,
    boundscheck=False,
)
def count_openings(  # type: ignore[no-untyped-def]
    data, offsets, firsts, is_left_out, articles, table, n_shift, n_sampled, n_own, n_chars
):
    """Fill `n_own` and `n_chars` of some articles, ascending; with `n_sampled`, of half of them.

    A slot holds 2 * row of its first owner, + 1 once shared. What earlier articles left in the
    table is smaller than 2 * the article's first row. Which openings are sampled is told by their
    bytes: `n_own` is never more than that of all.
    """
    # The last bit of a hash tells, where it is not set before.
    shift, sampled = np.uint64(n_shift), np.uint64(1 - n_sampled)
    longest = np.int64(0)
    for article in articles:
        for row in range(firsts[article], firsts[article + 1]):
            longest = max(longest, offsets[row + 1] - offsets[row])
    slots = np.empty(longest + 1, np.uint64)
    for article in articles:
        fresh = 2 * firsts[article]
        for row in range(firsts[article], firsts[article + 1]):
            if is_left_out[row]:
                continue
            start, end = offsets[row], offsets[row + 1]
            tail = end
            for _ in range(4):
                tail -= 1
                while tail > start and (data[tail] & 0xC0) == 0x80:
                    tail -= 1
            tail = max(tail, start)
            chars = np.int64(0)
            for at in range(start, end):
                chars += (data[np.uint64(at)] & 0xC0) != 0x80
            n_chars[row] = chars
            n_windows = _gathered(data, start, tail, shift, sampled, slots, np.uint64(0))
            n_openings = _gathered(data, tail, end, shift, sampled, slots, n_windows)
            for opening in range(n_openings):
                slot = slots[np.uint64(opening)]
                held = np.int64(table[slot])
                if held < fresh:
                    # An opening of the last characters, which may be no window, counts for none.
                    is_window = opening < n_windows
                    table[slot] = 2 * row if is_window else 2 * row + 1
                    n_own[row] += is_window
                elif held >> 1 != row and held & 1 == 0:
                    table[slot] = held | 1
                    n_own[held >> 1] -= 1


@numba.njit(
    numba.void(BYTES, PLACES, PLACES, numba.int64, numba.boolean[::1], numba.boolean[::1]),
    nogil=True,
    boundscheck=False,
)
def find_copies(data, offsets, firsts, least, is_copy, is_doubled):  # type: ignore[no-untyped-def]
    """Fill `is_copy`: keys that stood before in their article; and `is_doubled`.

    A key may be doubled when its first eight bytes stand where a second half may begin: between
    the halves stands one character or none.
    """
    most = np.int64(0)
    for article in range(firsts.size - 1):
        most = max(most, firsts[article + 1] - firsts[article])
    table = np.empty(4 * most + 64, np.int64)
    for article in range(firsts.size - 1):
        size = np.int64(16)
        while size < 2 * (firsts[article + 1] - firsts[article]):
            size *= 2
        table[:size] = -1
        mask = np.uint64(size - 1)
        for row in range(firsts[article], firsts[article + 1]):
            start, end = offsets[row], offsets[row + 1]
            n_bytes = end - start
            if n_bytes == 0:
                continue
            opening = _word_at(data, start)
            for between in range(5):
                if n_bytes >= 2 * least and (n_bytes - between) & 1 == 0:
                    second = end - ((n_bytes - between) >> 1)
                    is_doubled[row] |= opening == _word_at(data, second)
            if n_bytes < 8:
                opening &= (np.uint64(1) << np.uint64(8 * n_bytes)) - np.uint64(1)
            middle = _word_at(data, start + max(n_bytes - 8, 0) // 2)
            if n_bytes < 8:
                middle = opening
            hashed = opening * np.uint64(0x9E3779B97F4A7C15) + np.uint64(n_bytes)
            hashed = (hashed ^ middle) * np.uint64(0xC2B2AE3D27D4EB4F)
            slot = hashed >> np.uint64(32) & mask
            while table[slot] >= 0 and not is_copy[row]:
                other = offsets[table[slot]]
                n_equal = np.int64(0)
                if offsets[table[slot] + 1] - other == n_bytes:
                    while n_equal < n_bytes and data[other + n_equal] == data[start + n_equal]:
                        n_equal += 1
                is_copy[row] = n_equal == n_bytes
                slot = slot + np.uint64(1) & mask
            if not is_copy[row]:
                table[slot] = row
