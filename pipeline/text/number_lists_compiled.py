"""The last compiled loop of `pipeline.text.number_scan`: the sorted numbers of each text."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.number_forms import AS_IT_STANDS
from pipeline.text.number_scan import N_DIGITS
from pipeline.text.utf8_compiled import BYTES, PLACES

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

_MINUS = ord("-")
_UNITS = numba.types.Array(numba.int64, 2, "C", readonly=True)
_DIGITS = numba.types.Array(numba.uint8, 2, "C", readonly=True)


@numba.njit(nogil=True, boundscheck=False)
def _is_before(tokens: Bytes, one: int, one_end: int, other: int, other_end: int) -> bool:
    """Return whether one token comes before another, byte by byte."""
    while one < one_end and other < other_end:
        if tokens[one] != tokens[other]:
            return tokens[one] < tokens[other]
        one += 1
        other += 1
    return one == one_end and other < other_end


@numba.njit(nogil=True, boundscheck=False)
def _sort(tokens: Bytes, firsts: Places, ends: Places, n_tokens: int) -> None:
    """Sort tokens in place (Shell's sort)."""
    gap = np.int64(1)
    while gap < n_tokens // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for place in range(gap, n_tokens):
            first, end, hole = firsts[place], ends[place], place
            while hole >= gap and _is_before(
                tokens, first, end, firsts[hole - gap], ends[hole - gap]
            ):
                firsts[hole], ends[hole] = firsts[hole - gap], ends[hole - gap]
                hole -= gap
            firsts[hole], ends[hole] = first, end
        gap //= 3


@numba.njit(
    numba.int64(
        *(PLACES, _UNITS, _DIGITS, _UNITS, PLACES, PLACES, PLACES, BYTES, PLACES),
        *(numba.uint8[::1], numba.int32[::1], numba.int32[::1], numba.boolean[::1]),
    ),
    nogil=True,
    boundscheck=False,
)
def write(
    firsts: Places,
    units: NDArray[np.int64],
    digits: NDArray[np.uint8],
    readings: NDArray[np.int64],
    own_words: Places,
    more_firsts: Places,
    more: Places,
    words: Bytes,
    bounds: Places,
    written: Bytes,
    places: NDArray[np.int32],
    lists: NDArray[np.int32],
    is_asked: NDArray[np.bool_],
) -> int:
    """Write the sorted numbers of texts and return how many there are.

    Args:
        firsts: and `units`, `digits`, as `scan` gives them.
        units: as said there.
        digits: as said there.
        readings: int64 [n_windows, 4], of each window the first and the last of its words in
            `own_words`, the characters that are read, -1 for none, and whether a minus goes
            before the digits.
        own_words: int64, words of readings; where digits are kept, what goes behind them.
        more_firsts: int64 [n + 1], where the other numbers of each text stand in `more`.
        more: int64, words of them.
        words: uint8, all words.
        bounds: int64 [n_words + 1], where they stand in it.
        written: uint8, filled: the numbers; there is room for all.
        places: int32, filled: where they stand in it, and where the last ends.
        lists: int32 [n + 1], filled: the first number of each text, and how many there are.
        is_asked: bool [n], filled: which texts have to be read plainly and have no numbers here.
    """
    n_texts = firsts.size - 1
    longest = np.int64(0)
    for word in range(bounds.size - 1):
        longest = max(longest, bounds[word + 1] - bounds[word])
    most_words, most = np.int64(1), np.int64(0)
    for reading in range(readings.shape[0]):
        most_words = max(most_words, readings[reading, 1] - readings[reading, 0])
    for text in range(n_texts):
        n_own = firsts[text + 1] - firsts[text]
        most = max(most, most_words * n_own + more_firsts[text + 1] - more_firsts[text])
    size = 1 + N_DIGITS + longest
    tokens = np.empty(most * size + size, np.uint8)
    token_firsts = np.empty(most + 1, np.int64)
    token_ends = np.empty(most + 1, np.int64)
    places[0] = lists[0] = 0
    n_written, n_numbers = np.int64(0), np.int64(0)
    for text in range(n_texts):
        n_tokens, n_bytes, at = np.int64(0), np.int64(0), np.int64(0)
        for unit in range(firsts[text], firsts[text + 1]):
            start, end, form, window = units[unit]
            if at >= end:
                continue
            if window < 0 or at > start or readings[window, 2] < 0:
                is_asked[text] = True
                break
            at = readings[window, 2] + (start if form == AS_IT_STANDS else end)
            if at < end:
                is_asked[text] = True
                break
            for place in range(readings[window, 0], readings[window, 1]):
                token_firsts[n_tokens] = n_bytes
                if readings[window, 3]:
                    tokens[n_bytes] = _MINUS
                    n_bytes += 1
                for digit in range(1, 1 + digits[unit, 0]):
                    tokens[n_bytes] = digits[unit, digit]
                    n_bytes += 1
                for byte in range(bounds[own_words[place]], bounds[own_words[place] + 1]):
                    tokens[n_bytes] = words[byte]
                    n_bytes += 1
                token_ends[n_tokens] = n_bytes
                n_tokens += 1
        if is_asked[text]:
            lists[text + 1] = n_numbers
            continue
        for place in range(more_firsts[text], more_firsts[text + 1]):
            token_firsts[n_tokens] = n_bytes
            for byte in range(bounds[more[place]], bounds[more[place] + 1]):
                tokens[n_bytes] = words[byte]
                n_bytes += 1
            token_ends[n_tokens] = n_bytes
            n_tokens += 1
        _sort(tokens, token_firsts, token_ends, n_tokens)
        for token in range(n_tokens):
            for byte in range(token_firsts[token], token_ends[token]):
                written[n_written] = tokens[byte]
                n_written += 1
            n_numbers += 1
            places[n_numbers] = n_written
        lists[text + 1] = n_numbers
    return n_numbers
