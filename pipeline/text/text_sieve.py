"""Which texts of a column a regular expression need not be tried on: a look at six bytes a place.

Arrow's regular expressions read a column at two nanoseconds a byte and more. Most of ours match
only where one of some words stands; the kernel looks for the first six bytes of all of them at
once, at a third of a nanosecond a byte, and lets through a few texts too many, never one too few.
Without kernels every text is let through: what is found in it is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.text.engine import use_compiled
from pipeline.text.kept_files import digest
from pipeline.text.kept_tables import Arrays, kept_tables
from pipeline.text.utf8 import Utf8

N_BYTES = 6
_N_BITS = 64

_SHARES = np.full(256, 0.001)
"""About how often a byte stands in Korean news: what a form lets through by chance."""
_SHARES[0x80:0xC0], _SHARES[0xEA:0xEE], _SHARES[0x20], _SHARES[0x30:0x3A] = 0.009, 0.06, 0.08, 0.005

Flags = NDArray[np.bool_]
Form = tuple[frozenset[int], ...]
"""Which bytes may stand at each of the first places of a word, up to six."""

_OTHER_CASES = {"s": "ſ", "k": "\u212a"}
"""Letters outside ASCII that RE2, and Python, take for these where case does not count."""


def words(*of: str) -> list[Form]:
    """Return the forms of words as they are written."""
    return [tuple(frozenset({byte}) for byte in word.encode()[:N_BYTES]) for word in of]


def any_case(*of: str) -> list[Form]:
    """Return the forms of words in letters with simple cases (Latin), large and small."""
    return [form for word in of for form in _cases(word)]


def _cases(word: str) -> Iterator[Form]:
    choices = [{c.lower(), c.upper(), _OTHER_CASES.get(c.lower(), c)} for c in word[:N_BYTES]]
    sized = [
        [sorted(c for c in letters if len(c.encode()) == size) for size in (1, 2, 3)]
        for letters in choices
    ]
    for one in product(*([letters for letters in sizes if letters] for sizes in sized)):
        bytes_of = [zip(*(c.encode() for c in letters), strict=True) for letters in one]
        form = [frozenset(values) for places in bytes_of for values in places]
        yield tuple(form[:N_BYTES])


def form(*places: Iterable[int] | str) -> Form:
    """Return a form by the bytes that may stand at each place; "" is any byte.

    >>> form([0xED], range(0x9E, 0xA0), ".") == ({0xED}, {0x9E, 0x9F}, {0x2E})
    True
    """
    values = (place.encode("ascii") if isinstance(place, str) else place for place in places)
    return tuple(frozenset(own) or frozenset(range(256)) for own in values)[:N_BYTES]


OTHER_DIGITS = [
    form([0xD9, *range(0xDB, 0xE0), 0xE0, 0xE1, *range(0xF0, 0xF5)]),
    form([0xEA], range(0x98, 0xB0)),
    form([0xEF], [0xBC]),
]
"""How decimal digits outside ASCII begin, and letters of the same scripts."""


class _Tables(NamedTuple):
    """Bits of bytes at six places, uint64 [6 * 256], and those of each name."""

    inner: NDArray[np.uint64]
    first: NDArray[np.uint64]
    masks: dict[str, np.uint64]


class Sieve:
    """What some regular expressions need, by name."""

    def __init__(self, first: Iterable[str] = (), **forms: Sequence[Form]) -> None:
        """Take the forms of which one stands in each text that is let through for a name.

        `first` names those of which it must stand at the beginning.
        """
        self._forms, self._of_first = forms, frozenset(first)

    @cached_property
    def _tables(self) -> _Tables:
        """The tables, made once a machine (5 to 10 ms), when they are first needed."""
        told = {
            name: [[bytes(sorted(values)).hex() for values in form] for form in own]
            for name, own in self._forms.items()
        }
        given = json.dumps([told, sorted(self._of_first)])
        name = f"sieve-{digest(given.encode())[:16]}"
        inner, first, masks = kept_tables(name, [__name__], self._built, given)
        return _Tables(inner, first, dict(zip(self._forms, masks, strict=True)))

    def _built(self) -> Arrays:
        inner, first = np.zeros((2, N_BYTES, 256), np.uint64)
        masks = dict.fromkeys(self._forms, np.uint64(0))
        for number, (name, held) in enumerate(_grouped(self._forms)):
            bit = np.uint64(1) << np.uint64(number)
            (first if name in self._of_first else inner)[held] |= bit
            masks[name] |= bit
        return inner.ravel(), first.ravel(), np.array(list(masks.values()), np.uint64)

    def look(self, texts: pa.Array | pa.ChunkedArray) -> Seen:
        """Return what may be found in which texts."""
        utf8 = Utf8.of(texts)
        if not use_compiled(utf8.n_articles):
            return Seen(len(texts), {}, None)
        from pipeline.text.kernels import kernel  # lazily: small batches do without

        marks = np.empty(len(texts), np.uint64)
        look_all = kernel("pipeline.text.text_sieve_compiled", "look_all")
        inner, first, masks = self._tables
        # Behind the last text the kernel must not look: the few texts there are looked at apart.
        held, offsets = utf8
        n_inner = int(np.searchsorted(offsets, held.size - N_BYTES, "right")) - 1
        n_inner = max(0, min(n_inner, len(texts)))
        look_all(held, offsets[: n_inner + 1], inner, first, marks[:n_inner])
        rest = np.append(held[offsets[n_inner] : offsets[-1]], np.zeros(N_BYTES, np.uint8))
        look_all(rest, offsets[n_inner:] - offsets[n_inner], inner, first, marks[n_inner:])
        return Seen(len(texts), masks, marks)


def _grouped(forms: Mapping[str, Sequence[Form]]) -> list[tuple[str, Flags]]:
    """Return groups of forms that share a bit: name and bool [N_BYTES, 256], 64 at most.

    Neighbours by their bytes are joined, while there are too many, where that lets through the
    fewest texts more.
    """
    groups = [
        (name, _held(form))
        for name, own in forms.items()
        for form in sorted(own, key=lambda form: [sorted(values) for values in form])
    ]
    costs = [_cost(*pair) for pair in pairwise(groups)]
    while len(groups) > _N_BITS:
        at = costs.index(min(costs))
        groups[at : at + 2] = [(groups[at][0], groups[at][1] | groups[at + 1][1])]
        first = max(at - 1, 0)
        costs[first : at + 2] = [_cost(*pair) for pair in pairwise(groups[first : at + 2])]
    return groups


def _held(form: Form) -> Flags:
    """Return which bytes may stand at each place, any behind the end of a form."""
    held = np.zeros((N_BYTES, 256), np.bool_)
    for place, row in enumerate(held):
        row[sorted(form[place]) if place < len(form) else slice(None)] = True
    return held


def _cost(one: tuple[str, Flags], other: tuple[str, Flags]) -> float:
    """Return how much more is let through where two groups are one."""
    if one[0] != other[0]:
        return np.inf
    apart = np.prod(one[1] @ _SHARES) + np.prod(other[1] @ _SHARES)
    return float(np.prod((one[1] | other[1]) @ _SHARES) - apart)


class Seen:
    """What a sieve lets through of some texts."""

    def __init__(
        self, n_texts: int, masks: dict[str, np.uint64], marks: NDArray[np.uint64] | None
    ) -> None:
        """Take the bits of each text; None where nobody looked."""
        self._n_texts, self._masks, self._marks = n_texts, masks, marks

    @property
    def is_sieved(self) -> bool:
        """Whether anything was held back: without kernels nothing is."""
        return self._marks is not None

    def may_hold(self, name: str) -> Flags:
        """Return which texts are let through for a name, bool [n]."""
        if self._marks is None:
            return np.ones(self._n_texts, np.bool_)
        found: Flags = self._marks & self._masks[name] != 0
        return found


def found_among(texts: pa.Array | pa.ChunkedArray, regex: str, among: Flags) -> Flags:
    """Return where an expression of RE2 is found, bool [n]; nowhere but `among` these texts."""
    rows = np.flatnonzero(among)
    is_found = np.zeros(len(texts), np.bool_)
    if rows.size:
        own = texts if rows.size == len(texts) else texts.take(pa.array(rows))
        is_found[rows] = pc.match_substring_regex(own, regex).to_numpy(zero_copy_only=False)
    return is_found
