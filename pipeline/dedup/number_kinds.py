"""The numbers of many articles as codes; articles with equal numbers are of one kind."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.code_sets import CodeSets, Counts, Ends

Flags = NDArray[np.bool_]

_DAY = r"^d:(?:[0-9]{4}|-)-(?:[0-9]{2})?-[0-9]{2}$"
"""A date that names a day, as `dates.are_dates_apart` looks at it."""
_WORD_BYTES = 4


class NumberKinds:
    """The numbers of articles: which are equal, and as sets of codes that order like the texts."""

    def __init__(self, numbers: pa.ChunkedArray) -> None:
        """Take `numbers` of KEYS rows."""
        lists = numbers.combine_chunks()
        encoded = lists.flatten().dictionary_encode()
        order = pc.array_sort_indices(encoded.dictionary)
        self.texts: pa.StringArray = encoded.dictionary.take(order)
        """The distinct numbers, sorted."""
        rank = np.empty(len(order), np.uint32)
        rank[order.to_numpy()] = np.arange(len(order), dtype=np.uint32)
        offsets = lists.offsets.to_numpy()
        spelled = _binaries(
            rank[encoded.indices.to_numpy()], offsets - offsets[:1]
        ).dictionary_encode()
        self.of_articles: Counts = spelled.indices.to_numpy().astype(np.int64)
        """The kind of each article, int64 [n_articles]."""
        self.n_kinds = len(spelled.dictionary)
        lengths = pc.binary_length(spelled.dictionary).to_numpy() // _WORD_BYTES
        self._owners = np.repeat(np.arange(self.n_kinds), lengths)
        values = spelled.dictionary.buffers()[2] or b""
        self._codes = np.frombuffer(values, np.uint32)[: self._owners.size].astype(np.int64)

    @cached_property
    def all_texts(self) -> list[str]:
        """The distinct numbers as strings."""
        texts: list[str] = self.texts.to_pylist()
        return texts

    @cached_property
    def is_quantity(self) -> Flags:
        """Which of the distinct numbers are neither dates nor clock times."""
        is_date, is_time = (pc.starts_with(self.texts, sign) for sign in ("d:", "t:"))
        flags: Flags = ~np.asarray(pc.or_(is_date, is_time))
        return flags

    @cached_property
    def quantities(self) -> CodeSets:
        """The quantities of each kind."""
        return self._sets_of(self.is_quantity)

    @cached_property
    def days(self) -> CodeSets:
        """The dates of each kind that name a day."""
        return self._sets_of(np.asarray(pc.match_substring_regex(self.texts, _DAY)))

    def _sets_of(self, is_wanted: Flags) -> CodeSets:
        is_own = is_wanted[self._codes]
        return CodeSets.of(self._owners[is_own], self._codes[is_own], self.n_kinds)

    def values_by_unit(self, kinds: Counts) -> CodeSets:
        """Return the quantities of `kinds` without their units; sets of other kinds are empty.

        Set 2 k holds the values that kind k has with a unit, set 2 k + 1 those it has bare.
        """
        is_asked = np.zeros(self.n_kinds, np.bool_)
        is_asked[kinds] = True
        is_own = is_asked[self._owners] & self.is_quantity[self._codes]
        owners, codes = self._owners[is_own], self._codes[is_own]
        is_used = np.zeros(len(self.texts), np.bool_)
        is_used[codes] = True
        texts = self.texts.filter(pa.array(is_used))
        values = pc.replace_substring_regex(texts, r"(?s)^(-?[0-9.]+).*$", r"\1")
        is_bare = np.asarray(pc.equal(values, texts))
        coded = values.dictionary_encode().indices.to_numpy().astype(np.int64)
        places = (np.cumsum(is_used) - 1)[codes]
        return CodeSets.of(2 * owners + is_bare[places], coded[places], 2 * self.n_kinds)


class KindPairs(NamedTuple):
    """The distinct pairs of kinds among pairs of articles."""

    kinds: Ends
    """int64 [n_kind_pairs, 2]."""
    place: Counts
    """Which of them each pair of articles is, int64 [n_pairs]."""

    @classmethod
    def of(cls, kinds: Ends, n_kinds: int) -> KindPairs:
        """Find the distinct ones of `kinds`, int64 [n_pairs, 2]."""
        coded = pa.array(kinds[:, 0] * n_kinds + kinds[:, 1]).dictionary_encode()
        found = coded.dictionary.to_numpy()
        pairs = np.stack((found // max(n_kinds, 1), found % max(n_kinds, 1)), axis=1)
        return cls(pairs, coded.indices.to_numpy().astype(np.int64))


def _binaries(words: NDArray[np.uint32], bounds: NDArray[np.int32]) -> pa.BinaryArray:
    """Return runs of words as bytes, for Arrow to tell which are equal."""
    offsets = np.ascontiguousarray(bounds * _WORD_BYTES, np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(words))]
    return pa.BinaryArray.from_buffers(pa.binary(), offsets.size - 1, buffers)
