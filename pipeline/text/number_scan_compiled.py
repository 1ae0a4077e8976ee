"""The compiled loops of `pipeline.text.number_scan`: numbers, and the windows around them.

What a window of characters reads as is none of their business: `number_readings` says it, once
for each distinct window. Plainly said, all this is `number_forms` and `number_windows`.
"""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.text.number_characters_compiled import read_characters
from pipeline.text.number_forms import AS_IT_STANDS, COUNT, FRACTION, GROUPED
from pipeline.text.number_scan import (
    FOLLOWS,
    IN_MULTIPLIER,
    MYRIAD,
    N_CELLS,
    NOT_BARE,
    PLAIN,
    SEPARATOR,
)
from pipeline.text.number_windows import (
    DIGIT,
    DOT,
    LEFT_CHARS,
    LETTER,
    LETTER_END,
    NOTHING,
    NUMBER,
    ON,
    OTHER,
    PERCENT,
    RIGHT_CHARS,
    SPACE,
    STAND_INS,
    STRANGE,
    STRANGE_END,
    WORD,
)
from pipeline.text.utf8_compiled import BYTES, PLACES

Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint32]
Places = NDArray[np.int64]

_STRANGE, _LETTER = np.uint32(STAND_INS[STRANGE_END]), np.uint32(STAND_INS[LETTER_END])
_NOTHING = np.uint32(NOTHING)
_COMMA, _POINT, _MINUS, _ONE, _NINE, _TWO, _ZERO, _COVID = (ord(c) for c in ",.-1920나")
_SEED, _FACTOR = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_MAX_GROUPS = 5

_TABLE = numba.types.Array(numba.uint8, 2, "C", readonly=True)
_CODES = numba.types.Array(numba.uint32, 1, "C", readonly=True)


@numba.njit(inline="always")
def _is_letter(kind: int) -> bool:
    return kind >= LETTER and kind < WORD


@numba.njit(nogil=True, boundscheck=False)
def _has_decimal_comma(codes: Codes, starts: Places, ends: Places, n_runs: int) -> bool:
    """Return whether more numbers have a fraction behind a comma than behind a point."""
    surplus = np.int64(0)
    for run in range(n_runs - 1):
        mark, following = codes[ends[run]], run + 1
        if starts[following] - ends[run] != 1 or ends[following] - starts[following] > 2:
            continue
        before, behind = codes[starts[run] - 1], codes[ends[following]]
        if before in (_COMMA, _POINT) or behind == mark:
            continue
        if mark == _COMMA:
            surplus += 1
        elif mark == _POINT:
            surplus -= 1
    return surplus > 0


@numba.njit(nogil=True, boundscheck=False)
def _form(
    codes: Codes,
    kinds: Bytes,
    starts: Places,
    ends: Places,
    run: int,
    last: int,
    date_marks: Codes,
) -> int:
    """Return the form of the unit of runs run..last, as `number_forms.find_units` tells it."""
    start, end = starts[run], ends[last]
    if not _ZERO < codes[start] <= _NINE:
        return AS_IT_STANDS
    if codes[start] == _ONE and codes[start + 1] == _NINE:
        before = start - 1
        if kinds[codes[before]] == SPACE:
            before -= 1
        if codes[before] == _COVID or codes[before] == _MINUS:
            return AS_IT_STANDS
    if last > run:
        if ends[run] - start > 3:
            return AS_IT_STANDS
        if last == run + 1 and ends[last] - starts[last] <= 2:
            return FRACTION if codes[ends[run]] == _POINT else AS_IT_STANDS
        if last - run >= _MAX_GROUPS:
            return AS_IT_STANDS
        for group in range(run + 1, last + 1):
            if ends[group] - starts[group] != 3 or codes[starts[group] - 1] != _COMMA:
                return AS_IT_STANDS
        return GROUPED
    if end - start > 4:
        return AS_IT_STANDS
    if end - start == 4 and (
        (codes[start] == _ONE and codes[start + 1] == _NINE)
        or (codes[start] == _TWO and codes[start + 1] == _ZERO)
    ):
        return AS_IT_STANDS
    behind, before, second = kinds[codes[end]], kinds[codes[start - 1]], kinds[codes[start - 2]]
    if not (behind >= WORD or behind in (PERCENT, STRANGE)):
        return AS_IT_STANDS
    for mark in date_marks:
        if codes[end] == mark:
            return AS_IT_STANDS
    if before == SPACE and (second in (OTHER, DOT) or _is_letter(second)):
        return AS_IT_STANDS
    return COUNT


@numba.njit(inline="always")
def _begins_multiplier(codes: Codes, at: int, pairs: Bytes) -> bool:
    """Return whether two letters stand at a place that begin a multiplier (million)."""
    first, second = np.int64(codes[at]) | 0x20, np.int64(codes[at + 1]) | 0x20
    if first > 0x7A or second > 0x7A or not (first >= 0x61 and second >= 0x61):
        return False
    return pairs[26 * (first - 0x61) + second - 0x61] & IN_MULTIPLIER != 0


@numba.njit(nogil=True, boundscheck=False)
def _goes_on(codes: Codes, kinds: Bytes, at: int, form: int, roles: Bytes, pairs: Bytes) -> bool:
    """Return whether what follows a number changes its digits: 2.5 million, 1만2천.

    A guess is enough: it costs a reading where it is wrong.
    """
    if roles[kinds[codes[at]]] == FOLLOWS:
        at += 1
    if roles[kinds[codes[at]]] == MYRIAD:
        if form == FRACTION:
            return True
        at += 1
        while kinds[codes[at]] == SPACE or roles[kinds[codes[at]]] == FOLLOWS:
            at += 1
        return kinds[codes[at]] == DIGIT
    if form != FRACTION:
        return False
    while kinds[codes[at]] == SPACE:
        at += 1
    return _begins_multiplier(codes, at, pairs)


@numba.njit(nogil=True, boundscheck=False)
def _look(
    codes: Codes,
    kinds: Bytes,
    at: int,
    limit: int,
    step: int,
    width: int,
    actions: NDArray[np.uint8],
    window: Codes,
    middle: int,
) -> bool:
    """Write what matters on one side of a number, as `number_windows._look`; whether it goes on."""
    last = np.uint8(NUMBER)
    for column in range(width):
        if at == limit:
            return False
        kind = kinds[codes[at]]
        action = actions[last, kind]
        cell = codes[at]
        if action == STRANGE_END:
            cell = _STRANGE
        elif action == LETTER_END:
            cell = _LETTER
        window[middle + step * column] = cell
        if action != ON:
            return False
        at += step
        last = kind
    return True


@numba.njit(nogil=True, boundscheck=False)
def _place_of(window: Codes, windows: Codes, n_windows: int, slots: NDArray[np.int32]) -> int:
    """Return the place of a window among `windows`, written behind them where it is new."""
    first, end = np.int64(LEFT_CHARS), np.int64(LEFT_CHARS + 1)
    while first > 0 and window[first] != _NOTHING:
        first -= 1
    while end < N_CELLS and window[end] != _NOTHING:
        end += 1
    hashed = (_SEED ^ np.uint64(window[0])) * _FACTOR
    for cell in range(first + 1, end):
        hashed = (hashed ^ np.uint64(window[cell])) * _FACTOR
        hashed ^= hashed >> np.uint64(32)
    mask = np.uint64(slots.size - 1)
    slot = hashed & mask
    while slots[slot] >= 0:
        there = np.int64(slots[slot]) * N_CELLS
        cell = np.int64(0)
        while cell < N_CELLS and windows[there + cell] == window[cell]:
            cell += 1
        if cell == N_CELLS:
            return np.int64(slots[slot])
        slot = slot + np.uint64(1) & mask
    slots[slot] = n_windows
    for cell in range(N_CELLS):
        windows[n_windows * N_CELLS + cell] = window[cell]
    return n_windows


@numba.njit(numba.int64(BYTES), nogil=True, boundscheck=False)
def n_digit_runs(utf8: Bytes) -> int:
    """Return how many runs of ASCII digits there are at most."""
    found = np.int64(1)
    for place in range(1, utf8.size):
        begins = np.uint8(utf8[place] - np.uint8(_ZERO)) < 10
        found += begins and np.uint8(utf8[place - 1] - np.uint8(_ZERO)) >= 10
    return found


@numba.njit(
    numba.int64(
        *(BYTES, PLACES, BYTES, BYTES, BYTES, BYTES, BYTES, PLACES, _CODES, _TABLE, _TABLE),
        *(numba.int64, numba.int32[::1], numba.int64[::1], numba.int64[:, ::1]),
        *(numba.uint8[:, ::1], numba.uint32[::1], numba.uint8[::1]),
    ),
    nogil=True,
    boundscheck=False,
)
def scan(
    utf8: Bytes,
    offsets: Places,
    kinds: Bytes,
    marks: Bytes,
    roles: Bytes,
    pairs: Bytes,
    words: Bytes,
    bounds: Places,
    date_marks: Codes,
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    is_bare: int,
    slots: NDArray[np.int32],
    firsts: Places,
    units: NDArray[np.int64],
    digits: NDArray[np.uint8],
    windows: Codes,
    found: Bytes,
) -> int:
    """Find the numbers that are written with ASCII digits; return how many windows they have.

    Args:
        utf8: uint8, the texts.
        offsets: int64 [n + 1], where they stand in it.
        kinds: uint8 [0x110000], of `number_windows`.
        marks: uint8 [0x110000], of `number_scan`.
        roles: uint8 [256], MYRIAD or FOLLOWS by kind.
        pairs: uint8 [26 * 26], IN_SPELLED and IN_MULTIPLIER by the first two letters of words.
        words: uint8, the spelled numbers in small letters, one behind the other.
        bounds: int64 [n_words + 1], where they stand in it.
        date_marks: uint32, behind which a number may be part of a date.
        left: uint8 [n_kinds, n_kinds], actions of `number_windows` to the left.
        right: uint8 [n_kinds, n_kinds], to the right.
        is_bare: 1 where the texts are composed and without addresses, else 0.
        slots: int32, a power of two and at least twice as many as there may be units, all -1.
        firsts: int64 [n + 1], filled: the first unit of each text, and the number of units.
        units: int64 [as many as there may be, 4], filled: start and end of each unit in its text,
            form, and window, -1 where it is open.
        digits: uint8 [the same, 1 + N_DIGITS], filled: how many digits go into the number, and
            these.
        windows: uint32 [the same * N_CELLS], filled: the distinct windows, N_CELLS each.
        found: uint8 [n], filled: what is found of each text; those NOT_BARE or PLAIN have no units.
    """
    n_texts = offsets.size - 1
    longest = np.int64(0)
    for text in range(n_texts):
        longest = max(longest, offsets[text + 1] - offsets[text])
    codes = np.empty(longest + 6, np.uint32)
    starts = np.empty(longest // 2 + 2, np.int64)
    ends = np.empty(longest // 2 + 2, np.int64)
    window = np.empty(N_CELLS, np.uint32)
    firsts[0] = 0
    n_units, n_windows = np.int64(0), np.int64(0)
    for text in range(n_texts):
        firsts[text + 1] = n_units
        end, n_runs, state, is_unspaced, has_rank = read_characters(
            utf8,
            offsets[text],
            offsets[text + 1],
            kinds,
            marks,
            pairs,
            words,
            bounds,
            codes,
            starts,
            ends,
        )
        if is_bare:
            state &= ~NOT_BARE
        found[text] = state
        if state & (NOT_BARE | PLAIN):
            continue
        is_comma = not is_unspaced and _has_decimal_comma(codes, starts, ends, n_runs)
        state = 4 * np.int64(is_comma) + 8 * np.int64(has_rank)
        run = np.int64(0)
        while run < n_runs:
            last = run
            while (
                last + 1 < n_runs
                and starts[last + 1] - ends[last] == 1
                and marks[codes[ends[last]]] & SEPARATOR != 0
            ):
                last += 1
            start, behind = starts[run], ends[last]
            form = _form(codes, kinds, starts, ends, run, last, date_marks)
            if form != AS_IT_STANDS and _goes_on(codes, kinds, behind, form, roles, pairs):
                form = np.int64(AS_IT_STANDS)
            for cell in range(N_CELLS):
                window[cell] = _NOTHING
            window[0] = state + form
            inner = start if form == AS_IT_STANDS else behind
            is_open = _look(codes, kinds, start - 1, 1, -1, LEFT_CHARS, left, window, LEFT_CHARS)
            is_open |= _look(
                codes, kinds, inner, end, 1, RIGHT_CHARS, right, window, 1 + LEFT_CHARS
            )
            units[n_units, 0], units[n_units, 1] = start, behind
            units[n_units, 2], units[n_units, 3] = form, -1
            if not is_open:
                place = _place_of(window, windows, n_windows, slots)
                n_windows = max(n_windows, place + 1)
                units[n_units, 3] = place
            n_digits = np.int64(0)
            if form != AS_IT_STANDS:
                for place in range(start, behind):
                    if form != GROUPED or codes[place] != _COMMA:
                        n_digits += 1
                        digits[n_units, n_digits] = codes[place]
                if form == FRACTION:
                    while digits[n_units, n_digits] == _ZERO:
                        n_digits -= 1
                    if digits[n_units, n_digits] == _POINT:
                        n_digits -= 1
            digits[n_units, 0] = n_digits
            n_units += 1
            run = last + 1
        firsts[text + 1] = n_units
    return n_windows
