"""The compiled reading of JSON objects: where the fields of many documents stand, in one pass."""

# mypy: disable-error-code="return-value,assignment,arg-type,no-untyped-call,no-any-return"

from __future__ import annotations

import numba
import numpy as np

from pipeline.sources.json_kinds import (
    ABSENT,
    COMBINES,
    DIGITS,
    HAS_RETURN,
    MAX_KEYS,
    NULL,
    RAW,
    STRING,
)
from pipeline.text.utf8_compiled import BYTES, PLACES, decode_at

_FLAGS = numba.types.Array(numba.boolean, 1, "C", readonly=True)
_BYTES_OUT = numba.types.Array(numba.uint8, 1, "C")
_FLAGS_OUT = numba.types.Array(numba.boolean, 1, "C")
_SPANS_OUT = numba.types.Array(numba.int64, 3, "C")
_CODES_OUT = numba.types.Array(numba.uint8, 2, "C")
_KEYS_OUT = numba.types.Array(numba.int64, 2, "C")

_MAX_DEPTH = 32
_MAX_DIGITS = 18
_BLOCK = 32
"""Bytes looked at together."""
_PATIENCE = 8
"""After a short run so many characters are read one by one: texts of other scripts have no runs."""
_TAB, _NEWLINE, _RETURN, _SPACE, _DELETE = 0x09, 0x0A, 0x0D, 0x20, 0x7F
_QUOTE, _BACKSLASH, _SLASH, _COMMA, _COLON = 0x22, 0x5C, 0x2F, 0x2C, 0x3A
_BRACE, _END_BRACE, _BRACKET, _END_BRACKET = 0x7B, 0x7D, 0x5B, 0x5D
_N, _R, _T, _U, _ZERO, _NINE = 0x6E, 0x72, 0x74, 0x75, 0x30, 0x39


@numba.njit(inline="always")
def _after_space(utf8, at, end):  # type: ignore[no-untyped-def]
    while at < end and (
        utf8[at] == _SPACE or utf8[at] == _NEWLINE or utf8[at] == _RETURN or utf8[at] == _TAB
    ):
        at += 1
    return at


@numba.njit(inline="always")
def _hex4(utf8, at, end):  # type: ignore[no-untyped-def]
    """Return the number of four hexadecimal digits, -1 where they are none."""
    if at + 4 > end:
        return -1
    code = 0
    for step in range(4):
        digit = np.int64(utf8[at + step])
        if _ZERO <= digit <= _NINE:
            digit -= _ZERO
        else:
            digit = (digit | 0x20) - 0x57
            if digit < 10 or digit > 15:
                return -1
        code = code << 4 | digit
    return code


@numba.njit(inline="always")
def _write(out, to, code):  # type: ignore[no-untyped-def]
    """Write a code point in UTF-8 and return the place after it."""
    if code < 0x80:
        out[to] = code
        return to + 1
    if code < 0x800:
        out[to] = 0xC0 | code >> 6
        out[to + 1] = 0x80 | code & 0x3F
        return to + 2
    if code < 0x10000:
        out[to] = 0xE0 | code >> 12
        out[to + 1] = 0x80 | code >> 6 & 0x3F
        out[to + 2] = 0x80 | code & 0x3F
        return to + 3
    out[to] = 0xF0 | code >> 18
    out[to + 1] = 0x80 | code >> 12 & 0x3F
    out[to + 2] = 0x80 | code >> 6 & 0x3F
    out[to + 3] = 0x80 | code & 0x3F
    return to + 4


@numba.njit(inline="always")
def _escaped(utf8, at, end):  # type: ignore[no-untyped-def]
    """Return the code point that an escape means, and the place after it; -1 for odd ones.

    `at` is the place after the backslash.
    """
    if at >= end:
        return -1, at
    sign = utf8[at]
    if sign == _N:
        return _NEWLINE, at + 1
    if sign in (_QUOTE, _BACKSLASH, _SLASH):
        return np.int64(sign), at + 1
    if sign == _R:
        return _RETURN, at + 1
    if sign == _T:
        return _TAB, at + 1
    if sign != _U:
        return -1, at
    code = _hex4(utf8, at + 1, end)
    at += 5
    if 0xD800 <= code < 0xE000:
        if code >= 0xDC00 or at + 6 > end or utf8[at] != _BACKSLASH or utf8[at + 1] != _U:
            return -1, at
        low = _hex4(utf8, at + 2, end)
        if low < 0xDC00 or low > 0xDFFF:
            return -1, at
        return 0x10000 + ((code & 0x3FF) << 10 | low & 0x3FF), at + 6
    if code < _SPACE and code != _NEWLINE and code != _RETURN and code != _TAB:
        return -1, at
    return (-1 if code == _DELETE else code), at


@numba.njit(inline="always")
def _after_character(utf8, at, end):  # type: ignore[no-untyped-def]
    """Return the place after a character beyond ASCII, -1 where there is none (RFC 3629)."""
    lead = utf8[at]
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC2 or lead > 0xF4 or at + size > end:
        return -1
    for step in range(1, size):
        if (utf8[at + step] & 0xC0) != 0x80:
            return -1
    second = utf8[at + 1]
    is_long = (lead == 0xE0 and second < 0xA0) or (lead == 0xF0 and second < 0x90)
    is_beyond = (lead == 0xED and second >= 0xA0) or (lead == 0xF4 and second >= 0x90)
    return -1 if is_long or is_beyond else at + size


@numba.njit(inline="always")
def _is_long(byte):  # type: ignore[no-untyped-def]
    """Return whether one of Han and Hangul begins here, U+4000 to U+DFFF, in three bytes."""
    return (byte >= 0xE4) & (byte <= 0xED)


@numba.njit(inline="always")
def _is_loud(byte, before, second_before):  # type: ignore[no-untyped-def]
    """Return whether a byte ends a run: of other characters, or none that may stand here."""
    is_sign = (byte < _SPACE) | (byte == _QUOTE) | (byte == _BACKSLASH) | (byte == _DELETE)
    is_other = (byte >= 0xC0) & ((byte < 0xE4) | (byte > 0xED))
    # U+A000 to ABFF and U+D780 to DFFF: of these some combine, some are halves of pairs.
    is_other |= ((before == 0xEA) & (byte < 0xB0)) | ((before == 0xED) & (byte > 0x9D))
    is_inner = (byte >= 0x80) & (byte < 0xC0)
    is_torn = is_inner != (_is_long(before) | _is_long(second_before))
    return is_sign | is_other | is_torn


@numba.njit(inline="always")
def _run(utf8, at, end, out, to):  # type: ignore[no-untyped-def]
    """Copy ASCII, Hangul and Han up to the first other character, and return the places there.

    Each byte is judged by itself and the two before it, so that LLVM makes vectors of a block: no
    guess of a branch for each word. `at` is behind a whole character and one more byte.
    """
    first, place = np.uint64(at), np.uint64(to)
    last = np.uint64(end)
    block, one, two = np.uint64(_BLOCK), np.uint64(1), np.uint64(2)
    while first + block <= last:
        is_any = False
        for step in range(block):
            here = first + np.uint64(step)
            is_any |= _is_loud(utf8[here], utf8[here - one], utf8[here - two])
        if is_any:
            break
        for step in range(block):
            out[place + np.uint64(step)] = utf8[first + np.uint64(step)]
        first += block
        place += block
    while first < last and not _is_loud(utf8[first], utf8[first - one], utf8[first - two]):
        out[place] = utf8[first]
        first += one
        place += one
    # What has begun belongs to whoever looks at this character.
    back = np.uint64(0)
    if _is_long(utf8[first - one]):
        back = one
    elif _is_long(utf8[first - two]):
        back = two
    return np.int64(first - back), np.int64(place - back)


@numba.njit(inline="always")
def _string(utf8, at, end, combines, is_quiet, out, to):  # type: ignore[no-untyped-def]
    """Write a string that begins after its quote; return the places after it, and its marks.

    The first place is -1 where it is odd: no UTF-8, controls, halves of pairs, no end.
    """
    marks = 0
    n_quiet = _PATIENCE
    while at < end:
        if n_quiet >= _PATIENCE:
            start = at
            at, to = _run(utf8, at, end, out, to)
            n_quiet = _PATIENCE if at - start >= _BLOCK else 0
            if at >= end:
                break
        byte = utf8[at]
        if is_quiet[byte]:
            n_quiet += 1
            out[to] = byte
            at += 1
            to += 1
            if byte >= 0x80:
                if at + 2 > end:
                    return -1, to, marks
                second, third = utf8[at], utf8[at + 1]
                is_surrogate = byte == 0xED and second >= 0xA0
                if (second & 0xC0) != 0x80 or (third & 0xC0) != 0x80 or is_surrogate:
                    return -1, to, marks
                out[to] = second
                out[to + 1] = third
                at += 2
                to += 2
        elif byte == _QUOTE:
            return at + 1, to, marks
        elif byte == _BACKSLASH:
            code, at = _escaped(utf8, at + 1, end)
            if code < 0:
                return -1, to, marks
            if code == _RETURN:
                marks |= HAS_RETURN
            if combines[code]:
                marks |= COMBINES
            to = _write(out, to, code)
        elif byte < 0x80:
            return -1, to, marks
        else:
            after = _after_character(utf8, at, end)
            if after < 0:
                return -1, to, marks
            code, _ = decode_at(utf8, at)
            if combines[code]:
                marks |= COMBINES
            while at < after:
                out[to] = utf8[at]
                at += 1
                to += 1
    return -1, to, marks


@numba.njit(inline="always")
def _raw(utf8, at, end):  # type: ignore[no-untyped-def]
    """Return the place after a value that is no string, -1 where it has no end, and its kind.

    What stands there is not checked: whoever wants it loads it.
    """
    start = at
    if utf8[at] == _BRACE or utf8[at] == _BRACKET:
        depth = 0
        is_inside = False
        while at < end:
            byte = utf8[at]
            at += 1
            if is_inside:
                if byte == _BACKSLASH:
                    at += 1
                elif byte == _QUOTE:
                    is_inside = False
            elif byte == _QUOTE:
                is_inside = True
            elif byte in (_BRACE, _BRACKET):
                depth += 1
                if depth > _MAX_DEPTH:
                    return -1, RAW
            elif byte in (_END_BRACE, _END_BRACKET):
                depth -= 1
                if depth == 0:
                    return at, RAW
        return -1, RAW
    n_digits = 0
    while at < end and utf8[at] > _SPACE and utf8[at] != _COMMA and utf8[at] != _END_BRACE:
        n_digits += _ZERO <= utf8[at] <= _NINE
        at += 1
    size = at - start
    if size == 4 and utf8[start] == _N and utf8[start + 1] == _U:
        is_null = utf8[start + 2] == 0x6C and utf8[start + 3] == 0x6C
        return at, (NULL if is_null else RAW)
    is_number = 0 < size <= _MAX_DIGITS and n_digits == size
    return at, (DIGITS if is_number and (size == 1 or utf8[start] != _ZERO) else RAW)


@numba.njit(inline="always")
def _key_at(utf8, start, end, keys, n_keys, guess):  # type: ignore[no-untyped-def]
    """Return the number of a key among those seen, `n_keys` for a new one."""
    for step in range(-1, n_keys):
        key = guess if step < 0 else step
        if key >= n_keys or keys[key, 1] - keys[key, 0] != end - start:
            continue
        first = keys[key, 0]
        is_same = True
        for place in range(end - start):
            if utf8[first + place] != utf8[start + place]:
                is_same = False
                break
        if is_same:
            return key
    return n_keys


@numba.njit(
    numba.int64(
        *(BYTES, PLACES, _FLAGS, _FLAGS, _KEYS_OUT),
        *(_BYTES_OUT, _SPANS_OUT, _CODES_OUT, _CODES_OUT, _FLAGS_OUT),
    ),
    nogil=True,
    boundscheck=False,
)
def scan_objects(  # type: ignore[no-untyped-def]
    utf8, offsets, combines, is_quiet, keys, out, spans, kinds, marks, is_read
):
    """Fill what `json_columns.Scan` holds of documents; return the number of keys.

    `keys` [MAX_KEYS, 2] receives the span of each key where it first stands, `out` the strings,
    `spans`, `kinds` and `marks` [n, MAX_KEYS] the values, `is_read` [n] whether a document is an
    object whose strings are all plain: keys and what is no string are not checked.
    """
    n_keys = 0
    to = 0
    guesses = np.zeros(MAX_KEYS + 1, np.int64)
    for row in range(offsets.size - 1):
        end = offsets[row + 1]
        at = _after_space(utf8, offsets[row], end)
        is_whole = False
        is_open = at < end and utf8[at] == _BRACE
        at += 1
        place = 0
        while is_open:
            at = _after_space(utf8, at, end)
            if at >= end or utf8[at] != _QUOTE:
                break
            start = at + 1
            at = start
            while at < end and utf8[at] >= _SPACE and utf8[at] != _QUOTE and utf8[at] != _BACKSLASH:
                at += 1
            if at >= end or utf8[at] != _QUOTE:
                break
            key = _key_at(utf8, start, at, keys, n_keys, guesses[place])
            if key == n_keys:
                if n_keys == MAX_KEYS:
                    break
                keys[key, 0], keys[key, 1] = start, at
                n_keys += 1
            guesses[place] = key
            place += 1
            if kinds[row, key] != ABSENT:
                break
            at = _after_space(utf8, at + 1, end)
            if at >= end or utf8[at] != _COLON:
                break
            at = _after_space(utf8, at + 1, end)
            if at >= end:
                break
            if utf8[at] == _QUOTE:
                begin = to
                at, to, marks[row, key] = _string(utf8, at + 1, end, combines, is_quiet, out, to)
                kinds[row, key] = STRING
                spans[row, key, 0], spans[row, key, 1] = begin, to
            else:
                begin = at
                at, kinds[row, key] = _raw(utf8, at, end)
                spans[row, key, 0], spans[row, key, 1] = begin, at
            if at < 0:
                break
            at = _after_space(utf8, at, end)
            if at >= end:
                break
            if utf8[at] == _END_BRACE:
                is_whole = _after_space(utf8, at + 1, end) == end
                break
            if utf8[at] != _COMMA:
                break
            at += 1
        is_read[row] = is_whole
    return n_keys
