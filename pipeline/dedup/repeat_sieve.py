"""A sieve before the search for repeats: most articles repeat nothing, and show it in their bytes.

Every test here is one that each repeat must pass; what fails all of them needs no look by the
rules. The tests read the UTF-8 of a whole batch at once (a tenth of the time of the rules), and
let through a few percent of the articles that repeat nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.removals import article_firsts
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.text.engine import use_compiled
from pipeline.text.utf8 import Utf8

_BLOCK_BYTES = 1 << 19
"""So many bytes are looked at in one piece: what is computed of them stays in the cache."""

_LEAST_STRETCH = 20
"""Bytes between two sentence ends: `sentence_repeats` asks for as many characters."""

_LEAST_HALF = 30
"""Bytes of half a key: `sentence_repeats` asks for as many characters."""

_TABLE_BITS = 15
"""Slots of the compiled table, at least: 128 KB, sixteen for each character of an article."""

_ASCII_ENDS = b".!?\n"
_LONG_ENDS = tuple(mark.encode() for mark in "。！？।")
_MOST_STRIPPED = 64
"""Bytes looked at on each side for white space; a stretch with more of it counts as a repeat."""

_NO_WINDOW = 4
"""Characters at the end of a key that may begin no window: the longest has five."""

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]


class Suspects(NamedTuple):
    """What a sieve lets through, bool: rows of SPANS, and articles in their order."""

    says_again: Flags
    """Rows that may say a sentence twice."""
    is_suspect: Flags
    """Articles that may hold anything that the rules find."""
    is_covered: Flags
    """Articles with a paragraph that their other ones may hold, but for equal keys."""
    firsts: Ints
    """First row of each article, and the number of rows."""


def suspects(spans: pa.Table, rules: RepeatRules) -> Suspects:
    """Return what of SPANS may repeat."""
    firsts = article_firsts(spans)
    if not spans.num_rows:
        none = np.zeros(0, np.bool_)
        return Suspects(none, none, none, firsts)
    texts, keys = Utf8.of(spans["text"]), Utf8.of(spans["key"])
    find_copies = _compiled_copies if use_compiled(firsts.size - 1) else plain_copies
    is_copy, is_doubled = find_copies(keys, firsts)
    says_again = is_doubled | _says_again(texts, firsts)
    is_covered = _is_covered(keys, firsts, rules, is_copy)
    is_suspect = is_covered | np.logical_or.reduceat(says_again | is_copy, firsts[:-1])
    return Suspects(says_again, is_suspect, is_covered, firsts)


def may_repeat(spans: pa.Table, rules: RepeatRules) -> Flags:
    """Return for each row of SPANS whether its article may hold anything that the rules find."""
    found = suspects(spans, rules)
    return np.repeat(found.is_suspect, np.diff(found.firsts))


def _part(column: Utf8, firsts: Ints) -> Utf8:
    """Return the texts of some articles in a row, by the first rows of these and of the next."""
    offsets = column.offsets[firsts[0] : firsts[-1] + 1]
    return Utf8(column.bytes[offsets[0] : offsets[-1]], offsets - offsets[0])


def _blocks(bounds: Ints) -> Iterator[tuple[int, int]]:
    """Yield ranges of articles of about `_BLOCK_BYTES` each; article i ends at `bounds[i + 1]`."""
    first = 0
    while first < bounds.size - 1:
        end = np.searchsorted(bounds, bounds[first] + _BLOCK_BYTES, "right")
        last = max(first + 1, int(end) - 1)
        yield first, last
        first = last


def _compiled_copies(keys: Utf8, firsts: Ints) -> tuple[Flags, Flags]:
    """Return what `plain_copies` does."""
    from pipeline.text.kernels import kernel  # lazily: small batches do without

    is_copy, is_doubled = (np.zeros(keys.offsets.size - 1, np.bool_) for _ in range(2))
    find_copies = kernel("pipeline.dedup.repeat_sieve_compiled", "find_copies")
    find_copies(keys.bytes, keys.offsets, firsts, _LEAST_HALF, is_copy, is_doubled)
    return is_copy, is_doubled


def plain_copies(keys: Utf8, firsts: Ints) -> tuple[Flags, Flags]:
    """Return which keys stood before in their article, and which may be the same text twice."""
    return _are_copies(keys, firsts), _is_doubled(keys)


def _is_doubled(keys: Utf8) -> Flags:
    """Return which keys may be the same text twice: equal bytes where the second half may begin.

    Between the halves stands one character or none, so the half is one of three lengths.
    """
    starts, ends = keys.offsets[:-1], keys.offsets[1:]
    found = np.zeros(starts.size, np.bool_)
    long = np.flatnonzero(ends - starts >= 2 * _LEAST_HALF)
    starts, ends = starts[long], ends[long]
    opening, sizes = _words(keys.bytes, starts), ends - starts
    for n_between in range(5):
        fits = np.flatnonzero((sizes - n_between) & 1 == 0)
        second = ends[fits] - (sizes[fits] - n_between >> 1)
        found[long[fits]] |= opening[fits] == _words(keys.bytes, second)
    return found


def _are_copies(keys: Utf8, firsts: Ints) -> Flags:
    """Return which keys stood before in their article; empty ones take no part."""
    starts, ends = keys.offsets[:-1], keys.offsets[1:]
    owners = np.repeat(np.arange(firsts.size - 1), np.diff(firsts))
    filled = np.flatnonzero(ends > starts)
    prints = _fingerprints(keys.bytes, starts[filled], ends[filled], owners[filled])
    found = np.zeros(starts.size, np.bool_)
    seen: set[tuple[int, bytes]] = set()
    for row in filled[_are_repeated(prints)].tolist():
        key = owners[row], keys.bytes[starts[row] : ends[row]].tobytes()
        found[row] = key in seen
        seen.add(key)
    return found


def _says_again(texts: Utf8, firsts: Ints) -> Flags:
    """Return which texts may hold a stretch between sentence ends twice."""
    if use_compiled(firsts.size - 1):
        return compiled_says_again(texts)
    parts = [
        plain_says_again(_part(texts, firsts[first : last + 1]))
        for first, last in _blocks(texts.offsets[firsts])
    ]
    return np.concatenate(parts)


def compiled_says_again(texts: Utf8) -> Flags:
    """Return what `plain_says_again` does; texts of many stretches may be more."""
    from pipeline.text.kernels import kernel  # lazily: small batches do without

    found = np.zeros(texts.offsets.size - 1, np.bool_)
    say = kernel("pipeline.dedup.repeat_sieve_compiled", "find_said_again")
    limits = (_LEAST_STRETCH, _MOST_STRIPPED)
    say(texts.bytes, texts.offsets, _STEPS, _IS_OF_SPACE, *limits, found)
    return found


def plain_says_again(texts: Utf8) -> Flags:
    """Return what `_says_again` does."""
    found = np.zeros(texts.offsets.size - 1, np.bool_)
    starts, ends, owners = _stretches(texts)
    starts, ends, is_clear = _stripped(texts.bytes, starts, ends)
    found[owners[~is_clear]] = True
    prints = _fingerprints(texts.bytes, starts, ends, owners)
    found[owners[_are_repeated(prints)]] = True
    return found


def _stretches(texts: Utf8) -> tuple[Ints, Ints, Ints]:
    """Return start, end and text of each stretch of `_LEAST_STRETCH` bytes without an end."""
    marks, sizes = _sentence_ends(texts.bytes)
    bounds = texts.offsets
    first, last = np.searchsorted(marks, bounds[:-1]), np.searchsorted(marks, bounds[1:])
    starts = np.insert(marks + sizes, first, bounds[:-1])
    ends = np.insert(marks, last, bounds[1:])
    owners = np.repeat(np.arange(bounds.size - 1), last - first + 1)
    long = np.flatnonzero(ends - starts >= _LEAST_STRETCH)
    return starts[long], ends[long], owners[long]


def _sentence_ends(data: Bytes) -> tuple[Ints, Ints]:
    """Return where the marks stand that end sentences, and how many bytes each has."""
    is_mark = data == _ASCII_ENDS[0]
    for byte in _ASCII_ENDS[1:]:
        is_mark |= data == byte
    longer = [_places_of(mark, data) for mark in _LONG_ENDS]
    n_longer = sum(places.size for places in longer)
    for places in longer:
        is_mark[places] = True
    marks = np.flatnonzero(is_mark)
    sizes = np.ones(marks.size, np.int64)
    if n_longer:
        sizes[data[marks] >= 0x80] = len(_LONG_ENDS[0])
    return marks, sizes


def _places_of(mark: bytes, data: Bytes) -> Ints:
    """Return where a mark of three bytes stands."""
    places = np.flatnonzero(data[:-2] == mark[0])
    places = places[data[places + 1] == mark[1]]
    found: Ints = places[data[places + 2] == mark[2]]
    return found


def _stripped(data: Bytes, starts: Ints, ends: Ints) -> tuple[Ints, Ints, Flags]:
    """Return the stretches without the bytes of white space at both sides, and which are clear.

    The bytes are those of every white space, so others that share some lose them too: equal
    stretches stay equal.
    """
    starts, ends = starts.copy(), ends.copy()
    at_start = at_end = np.arange(starts.size)
    for _ in range(_MOST_STRIPPED):
        at_start = at_start[starts[at_start] < ends[at_start]]
        at_start = at_start[_IS_OF_SPACE[data[starts[at_start]]]]
        starts[at_start] += 1
        at_end = at_end[starts[at_end] < ends[at_end]]
        at_end = at_end[_IS_OF_SPACE[data[ends[at_end] - 1]]]
        ends[at_end] -= 1
        if not at_start.size and not at_end.size:
            break
    is_clear = np.ones(starts.size, np.bool_)
    is_clear[at_start] = is_clear[at_end] = False
    return starts, ends, is_clear


def _bytes_of_space() -> Flags:
    """Return which bytes stand in the UTF-8 of a white space."""
    table = np.zeros(256, np.bool_)
    spaces = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
    table[list(spaces.encode())] = True
    return table


_IS_OF_SPACE = _bytes_of_space()


def _steps_of_bytes() -> Bytes:
    """Return how many bytes a character has by its first: 0 for an end, 255 for one that may be."""
    steps = np.repeat(np.array([1, 2, 3, 4], np.uint8), [0xC0, 0x20, 0x10, 0x10])
    steps[list(_ASCII_ENDS)] = 0
    steps[[mark[0] for mark in _LONG_ENDS]] = 255
    return steps


_STEPS = _steps_of_bytes()


def _fingerprints(data: Bytes, starts: Ints, ends: Ints, owners: Ints) -> Words:
    """Return a hash of owner, length, first and last eight bytes of each stretch of bytes."""
    sizes = ends - starts
    opening = _words(data, starts)
    # A stretch shorter than a word ends within it.
    short = np.flatnonzero(sizes < 8)
    opening[short] &= (np.uint64(1) << (8 * sizes[short]).astype(np.uint64)) - np.uint64(1)
    closing = _words(data, np.maximum(ends - 8, starts))
    closing[short] = 0
    prints = opening * np.uint64(0x9E3779B97F4A7C15) ^ closing * np.uint64(0xC2B2AE3D27D4EB4F)
    prints ^= prints >> np.uint64(32)
    prints += sizes.astype(np.uint64) * np.uint64(0xFF51AFD7ED558CCD)
    prints += owners.astype(np.uint64) * np.uint64(0xC4CEB9FE1A85EC53)
    return prints


def _words(data: Bytes, places: Ints) -> Words:
    """Return the eight bytes from each place on as one number; zeros follow the last byte."""
    n_inside = data.size - 7
    if n_inside > 0:
        every = np.ndarray((n_inside,), "<u8", data, strides=(1,))
        words = every[np.minimum(places, n_inside - 1)]
    else:
        words = np.zeros(places.size, np.uint64)
    for at in np.flatnonzero(places >= n_inside).tolist():
        words[at] = int.from_bytes(data[places[at] : places[at] + 8].tobytes(), "little")
    return words


def _are_repeated(prints: Words) -> Flags:
    """Return which values stand more than once."""
    ordered = np.sort(prints)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.isin(prints, again) if again.size else np.zeros(prints.size, np.bool_)


def _is_covered(keys: Utf8, firsts: Ints, rules: RepeatRules, is_copy: Flags) -> Flags:
    """Return which articles may hold a paragraph that their others hold to `long_jaccard`.

    Every window of a shingle has five bytes at least. A paragraph to which too many openings (five
    bytes from a character on) belong alone holds too many windows alone. Copies are left out.
    """
    if use_compiled(firsts.size - 1):
        return _compiled_covered(keys, firsts, rules, is_copy)
    found = np.zeros(firsts.size - 1, np.bool_)
    for first, last in _blocks(keys.offsets[firsts]):
        part, rows = _part(keys, firsts[first : last + 1]), firsts[first : last + 1]
        is_left_out = is_copy[rows[0] : rows[-1]]
        counts = plain_own_openings(part.bytes, part.offsets, rows - rows[0], is_left_out)
        is_close = _are_close(*counts, rules)
        found[first:last] = np.logical_or.reduceat(is_close, rows[:-1] - rows[0])
    return found


def _are_close(n_own: Ints, n_chars: Ints, rules: RepeatRules) -> Flags:
    """Return which keys others of their article may hold to `long_jaccard`."""
    is_close: Flags = n_own <= (1 - rules.long_jaccard) * n_chars
    return is_close & (n_chars >= rules.min_near_chars)


def _compiled_covered(keys: Utf8, firsts: Ints, rules: RepeatRules, is_copy: Flags) -> Flags:
    """Return what `_is_covered` does: first by half of the openings, which most articles fail."""
    some = np.arange(firsts.size - 1)
    for is_sampled in (True, False):
        found = np.zeros(firsts.size - 1, np.bool_)
        counts = own_openings(*keys, firsts, is_copy, some, is_sampled=is_sampled)
        is_close = np.logical_or.reduceat(_are_close(*counts, rules), firsts[:-1])
        found[some] = is_close[some]
        some = np.flatnonzero(found)
    return found


def own_openings(
    data: Bytes,
    offsets: Ints,
    firsts: Ints,
    is_left_out: Flags,
    articles: Ints | None = None,
    *,
    is_sampled: bool = False,
) -> tuple[Ints, Ints]:
    """Return what `plain_own_openings` does, compiled, with other openings on one slot.

    Of `articles` alone, ascending, where these are given. A sample of the openings, about half of
    them, gives the first number too small, for half of the time.
    """
    from pipeline.text.kernels import kernel  # lazily: small batches do without

    if articles is None:
        articles = np.arange(firsts.size - 1)
    longest = int(np.diff(offsets[firsts])[articles].max(initial=1))
    bits = max(_TABLE_BITS, longest.bit_length()) - is_sampled
    table = np.full(1 << bits, -1, np.int32)
    n_own = np.zeros(offsets.size - 1, np.int64)
    n_chars = np.zeros(offsets.size - 1, np.int64)
    count_openings = kernel("pipeline.dedup.repeat_sieve_compiled", "count_openings")
    which = (offsets, firsts, is_left_out, articles)
    count_openings(data, *which, table, 64 - bits, int(is_sampled), n_own, n_chars)
    return n_own, n_chars


def plain_own_openings(
    data: Bytes, offsets: Ints, firsts: Ints, is_left_out: Flags
) -> tuple[Ints, Ints]:
    """Return of each key how many openings its article holds nowhere else, and its characters.

    Keys that are left out hold nothing. The first number may be too small: openings that share a
    slot of the table, and those of the last characters, do not count. `firsts` are the first rows
    of the articles and the number of rows.
    """
    places = np.flatnonzero((data & 0xC0) != 0x80)
    if is_left_out.any():
        places = places[~np.repeat(is_left_out, np.diff(offsets))[places]]
    bounds = np.searchsorted(places, offsets)
    n_chars = np.diff(bounds)
    slots, n_slots = _slots(_words(data, places), bounds[firsts])
    owners = np.repeat(np.arange(n_chars.size, dtype=np.int32), n_chars)
    order = np.arange(places.size, dtype=np.int32)
    last = np.empty(n_slots, np.int32)
    # The last of equal places stays: each slot holds the last opening that falls on it.
    last[slots] = order
    last_here = last[slots]
    is_own = last_here == order
    earlier = np.flatnonzero(~is_own)
    is_foreign = owners[earlier] != owners[last_here[earlier]]
    is_own[last_here[earlier[is_foreign]]] = False
    total = np.append(0, np.cumsum(is_own, dtype=np.int64))
    n_own = total[np.maximum(bounds[1:] - _NO_WINDOW, bounds[:-1])] - total[bounds[:-1]]
    return n_own, n_chars


def _slots(words: Words, bounds: Ints) -> tuple[Ints, int]:
    """Return the slot of each opening in one table, where each article has a range of its own."""
    n_openings = np.diff(bounds)
    bits = np.ceil(np.log2(np.maximum(2 * n_openings, 16))).astype(np.int64)
    ends = np.cumsum(1 << bits)
    words <<= np.uint64(24)
    words *= np.uint64(0x9E3779B97F4A7C15)
    words >>= np.repeat((64 - bits).astype(np.uint64), n_openings)
    slots = words.view(np.int64)
    slots += np.repeat(ends - (1 << bits), n_openings)
    return slots, int(ends[-1])
