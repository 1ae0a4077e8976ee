"""Clusters of a whole corpus at once: texts in, labels out, every edge verified exactly.

The stages of an ingest without its history and its rules: word shingles, signatures, band buckets,
candidate pairs, exact Jaccard, connected components. No guard of numbers, no rule against chains:
a cluster is a component of the pairs at or above the threshold, as other libraries have it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup import batch_words
from pipeline.dedup.bucket_pairs import CentreRule
from pipeline.text.engine import use_compiled

Blocks = Callable[[], Iterable[pa.RecordBatch]]
"""Opens the corpus from its start: record batches with `article_id` and `text` (string)."""

Words = NDArray[np.uint64]
Places = NDArray[np.int64]
Result = TypeVar("Result")
Number = TypeVar("Number", np.uint64, np.int64)

_HASH_BYTES = 8
_SET_BYTES_AT_A_TIME = 16 << 20
"""Of shingle sets, while the texts are kept: memory that is used again costs nothing."""
_SET_BYTES_A_READING = 1 << 30
"""The same where they are read again for each part."""
_PAIRS_KEPT_APART = 8_000_000
_IDS_AT_A_TIME = 1 << 16
_MOST_FIRST_BITS = 22
"""Of keys, that are counted first: the counts of a band then take 32 MB. Bits of the key that give
way to the number of an article are never among them."""


@dataclass(frozen=True)
class BatchRules:
    """How a corpus is clustered."""

    min_jaccard: float = 0.7
    """Least Jaccard of the word shingle sets of two articles that are joined."""
    bands: int = 32
    rows: int = 4
    centres: CentreRule = field(default_factory=CentreRule)
    n_threads: int = 2
    kept_text_bytes: int = 256 << 20
    """A corpus with more text is read a second time for the exact comparison. Who knows that it
    has more says 0: what is kept until then is fresh memory for nothing."""

    def __post_init__(self) -> None:
        if not 0 < self.min_jaccard <= 1:
            raise ValueError(f"min_jaccard {self.min_jaccard} is not above 0 and at most 1")
        if self.bands * self.rows > batch_words.N_SLOTS:
            raise ValueError(f"{self.bands} bands of {self.rows} rows need more than 128 slots")


class _Texts(NamedTuple):
    """Texts of one block, in one buffer."""

    utf8: NDArray[np.uint8]
    bounds: Places


def cluster_articles(read: Blocks, rules: BatchRules) -> pa.Table:
    """Return `article_id` and `cluster_id`, the first article of its cluster, in order of reading.

    The result is a function of the articles and their order: not of blocks, threads or engine.
    An article without a word is a cluster of its own.

    Args:
        read: opens the corpus; called a second time when its texts are not kept.
        rules: threshold, bands, limits.
    """
    corpus = _Corpus(read, rules)
    with ThreadPoolExecutor(rules.n_threads) as pool:
        keys, counts, ids = _signed(corpus, rules, pool)
        pairs = _candidates(keys, counts > 0, rules, pool)
        del keys
        parents = np.arange(counts.size)
        set_bytes = _SET_BYTES_AT_A_TIME if corpus.is_kept else _SET_BYTES_A_READING
        room = np.empty(0, np.uint64)
        for left, right in _by_component(pairs, counts, set_bytes):
            room = _join(left, right, counts, corpus, rules, parents, room, pool)
    return pa.table({"article_id": ids, "cluster_id": _taken(ids, _roots(parents))})


class _Corpus:
    """The blocks of a corpus, kept as far as `kept_text_bytes` allow."""

    def __init__(self, read: Blocks, rules: BatchRules) -> None:
        self._read, self._left_bytes = read, rules.kept_text_bytes
        self._kept: list[_Texts] | None = []

    @property
    def is_kept(self) -> bool:
        """Whether all texts that were read are kept."""
        return self._kept is not None

    def first(self) -> Iterator[tuple[pa.Array, _Texts]]:
        """Yield ids and texts of each block."""
        for block in self._read():
            texts = _texts_of(block.column("text"))
            self._left_bytes -= int(texts.bounds[-1] - texts.bounds[0])
            if self._left_bytes < 0:
                self._kept = None
            elif self._kept is not None:
                texts = _own(texts)
                self._kept.append(texts)
            yield block.column("article_id"), texts

    def again(self) -> Iterable[_Texts]:
        """Return the texts of each block once more."""
        if self._kept is not None:
            return self._kept
        return (_texts_of(block.column("text")) for block in self._read())


def _texts_of(column: pa.Array) -> _Texts:
    """Return the texts of a string column where they lie; NULL has no text."""
    column = column.fill_null("") if column.null_count else column
    wide = pa.types.is_large_string(column.type)
    _, offsets, values = column.buffers()
    every: NDArray[Any] = np.frombuffer(offsets, np.int64 if wide else np.int32)
    bounds = every[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return _Texts(np.frombuffer(values or b"", np.uint8), bounds)


def _own(texts: _Texts) -> _Texts:
    """Return a copy of texts, so that the memory they were read into is read into again.

    Texts kept where Arrow reads them take fresh memory in pages of 4 KB: of 180 MB that costs more
    than to read them again. NumPy asks for large pages, and a copy is a tenth of reading.
    """
    first, last = texts.bounds[0], texts.bounds[-1]
    return _Texts(texts.utf8[first:last].copy(), texts.bounds - first)


def _signed(
    corpus: _Corpus, rules: BatchRules, pool: ThreadPoolExecutor
) -> tuple[list[Words], Places, pa.Array]:
    """Return bucket keys [bands, n] by block, the counts of shingles [n], and the ids."""
    ids: list[pa.Array] = []

    def tasks() -> Iterator[Callable[[], tuple[Words, Places]]]:
        for block_ids, texts in corpus.first():
            ids.append(block_ids)
            yield partial(_sign_block, texts, rules)

    done = list(_in_order(tasks(), rules, pool))
    counts = [counts for _, counts in done] or [np.zeros(0, np.int64)]
    one_type = pa.chunked_array(ids) if ids else pa.chunked_array([], pa.string())
    return [keys for keys, _ in done], np.concatenate(counts), one_type.combine_chunks()


def _in_order(
    tasks: Iterable[Callable[[], Result]], rules: BatchRules, pool: ThreadPoolExecutor
) -> Iterator[Result]:
    """Yield the results of tasks in their order, only so many begun as keep the threads busy."""
    waiting: deque[Future[Result]] = deque()
    for task in tasks:
        waiting.append(pool.submit(task))
        if len(waiting) > rules.n_threads:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _sign_block(texts: _Texts, rules: BatchRules) -> tuple[Words, Places]:
    kernels = _kernels(texts.bounds.size)
    keys, counts = kernels.bucket_keys(*texts, rules.bands, rules.rows)
    return keys, counts


def load_kernels(n_articles: int) -> None:
    """Load what a corpus of so many articles will use, so that its start is not its work."""
    kernels = _kernels(n_articles)
    # Not writable, as the texts of a table are: another type is another kernel.
    text, bounds = np.frombuffer(b"a", np.uint8), np.array([0, 1])
    kernels.bucket_keys(text, bounds, 1, 1)
    first, hashes = bounds[:1], np.zeros(1, np.uint64)
    sizes = kernels.text_sets(text, bounds, first, first, hashes)
    kernels.join_pairs(first, first, bounds, sizes, hashes, 1.0, np.zeros(1, np.int64))


def _kernels(n_articles: int) -> ModuleType:
    if not use_compiled(n_articles):
        return batch_words
    from pipeline.dedup import batch_kernels  # lazily: loads the kernels

    return batch_kernels


def _candidates(
    keys: Sequence[Words], has_words: NDArray[np.bool_], rules: BatchRules, pool: ThreadPoolExecutor
) -> Words:
    """Return the candidate pairs, left << 32 | right with left < right, sorted, each once."""
    articles = np.flatnonzero(has_words).astype(np.uint64)
    found = [np.empty(0, np.uint64)]

    def pairs_of(band: int) -> Words:
        of_band = np.concatenate([block[band] for block in keys] or [articles[:0]])
        return _pairs_in_band(of_band[has_words], articles, rules.centres)

    for pairs in pool.map(pairs_of, range(rules.bands)):
        found.append(pairs)
        if sum(part.size for part in found[1:]) > _PAIRS_KEPT_APART:
            found = [_each_once(np.concatenate(found))]
    return _each_once(np.concatenate(found))


def _each_once(values: NDArray[Number]) -> NDArray[Number]:
    """Return the different values, sorted: `np.unique` counts and loads what nobody asks for."""
    values = np.sort(values)
    is_new = np.ones(values.size, np.bool_)
    is_new[1:] = values[1:] != values[:-1]
    return values[is_new]


def _pairs_in_band(keys: Words, articles: Words, rule: CentreRule) -> Words:
    """Return the pairs to compare among articles that share a key of one band.

    Key and article share one word, so that one sort of plain integers groups them: the lowest bits
    of the key give way to the number of the article. The pairs this adds are compared and refused.
    """
    n_bits = np.uint64(max(int(articles[-1]).bit_length(), 1) if articles.size else 1)
    below = (np.uint64(1) << n_bits) - np.uint64(1)
    shared = _shares_first_bits(keys)
    packed = keys[shared] & ~below | articles[shared]
    packed.sort()
    # Most stand alone in their bucket: only those behind a neighbour are looked at.
    follow = np.flatnonzero((packed[1:] ^ packed[:-1]) <= below) + 1
    if not follow.size:
        return packed[:0]
    is_first = np.diff(follow, prepend=-1) != 1
    start = np.flatnonzero(is_first)
    sizes = np.diff(np.append(start, follow.size)) + 1
    first = np.repeat(follow[start] - 1, sizes - 1)
    n_partners = np.minimum(follow - first, np.repeat(rule.of(sizes), sizes - 1))
    within = np.arange(n_partners.sum()) - np.repeat(np.cumsum(n_partners) - n_partners, n_partners)
    left = packed[np.repeat(first, n_partners) + within] & below
    right = packed[np.repeat(follow, n_partners)] & below
    pairs: Words = left << np.uint64(32) | right
    return pairs


def _shares_first_bits(keys: Words) -> Places:
    """Return the places of keys whose first bits are also another's: few others share a bucket.

    To count takes a seventh of the time of a sort of all.
    """
    n_bits = min(keys.size.bit_length() + 2, _MOST_FIRST_BITS)
    firsts = (keys >> np.uint64(64 - n_bits)).view(np.int64)
    return np.flatnonzero(np.bincount(firsts)[firsts] > 1)


def _by_component(
    pairs: Words, counts: Places, set_bytes_at_a_time: int
) -> Iterator[tuple[Places, Places]]:
    """Yield the pairs in parts of whole components whose shingle sets take so many bytes.

    Sets of two components never meet: each is made once.
    """
    if not pairs.size:
        return
    left = (pairs >> np.uint64(32)).astype(np.int64)
    right = (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    component = components(counts.size, left, right)
    set_bytes = np.bincount(component, counts, counts.size) * _HASH_BYTES
    set_bytes[np.bincount(component, minlength=counts.size) == 1] = 0
    part = (np.cumsum(set_bytes) // set_bytes_at_a_time).astype(np.int64)
    order = np.lexsort((pairs, component[left]))
    left, right = left[order], right[order]
    ends = np.flatnonzero(np.diff(part[component[left]], append=-1)) + 1
    for start, stop in zip(np.append(0, ends[:-1]), ends, strict=True):
        yield left[start:stop], right[start:stop]


def components(n: int, left: Places, right: Places) -> Places:
    """Return the smallest number of the component of each of `n` nodes, int64 [n].

    >>> components(5, np.array([1, 3]), np.array([3, 4])).tolist()
    [0, 1, 2, 1, 1]
    """
    parents = np.arange(n)
    while left.size:
        left, right = parents[left], parents[right]
        differ = left != right
        left, right = left[differ], right[differ]
        np.minimum.at(parents, np.maximum(left, right), np.minimum(left, right))
        parents = _roots(parents)
    return parents


def _roots(parents: Places) -> Places:
    """Return the root of each node of a forest."""
    while True:
        above = parents[parents]
        if np.array_equal(above, parents):
            return parents
        parents = above


def _taken(ids: pa.Array, places: Places) -> pa.Array:
    """Return the ids at these places.

    Strings are gathered here: `take` loads all of `pyarrow.compute`, 35 ms of CPU.
    """
    if ids.type not in (pa.string(), pa.large_string()) or ids.null_count:
        return ids.take(pa.array(places))
    utf8, bounds = _texts_of(ids)
    starts, lengths = bounds[places], np.diff(bounds)[places]
    ends = np.append(0, np.cumsum(lengths))
    gathered = np.empty(ends[-1], np.uint8)
    for first in range(0, places.size, _IDS_AT_A_TIME):
        some = slice(first, first + _IDS_AT_A_TIME)
        stop = min(first + _IDS_AT_A_TIME, places.size)
        into = slice(ends[first], ends[stop])
        shifts = np.repeat(starts[some] - ends[first:stop], lengths[some])
        gathered[into] = utf8[shifts + np.arange(into.start, into.stop)]
    offsets = ends.astype(np.int32 if ids.type == pa.string() else np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(gathered)]
    return pa.Array.from_buffers(ids.type, places.size, buffers)


def _join(
    left: Places,
    right: Places,
    counts: Places,
    corpus: _Corpus,
    rules: BatchRules,
    parents: Places,
    room: Words,
    pool: ThreadPoolExecutor,
) -> Words:
    """Join the articles of the pairs that verify, in the forest `parents`.

    Return the room in which the sets were made, for the next ones: `room` or a larger one.
    """
    used = _each_once(np.concatenate((left, right)))
    starts = np.append(0, np.cumsum(counts[used]))
    hashes = room if room.size >= starts[-1] else np.empty(starts[-1], np.uint64)
    tasks = _set_tasks(used, starts[:-1], hashes, corpus)
    sizes = np.concatenate(list(_in_order(tasks, rules, pool)))
    one, other = np.searchsorted(used, left), np.searchsorted(used, right)
    forest = np.arange(used.size)
    join_pairs = _kernels(counts.size).join_pairs

    def join(part: slice) -> None:
        join_pairs(one[part], other[part], starts, sizes, hashes, rules.min_jaccard, forest)

    # Components never touch each other's nodes: each thread takes whole ones.
    roots = components(used.size, one, other)[one]
    shares = np.arange(1, rules.n_threads) * roots.size // rules.n_threads
    cuts = np.searchsorted(roots, roots[shares]).tolist()
    list(pool.map(join, [slice(*ends) for ends in pairwise([0, *cuts, roots.size])]))
    parents[used] = used[_roots(forest)]
    return hashes


def _set_tasks(
    used: Places, starts: Places, hashes: Words, corpus: _Corpus
) -> Iterator[Callable[[], Places]]:
    """Yield what writes the shingle sets of the articles `used` (sorted), block by block."""
    before = 0
    for texts in corpus.again():
        behind = before + texts.bounds.size - 1
        here = slice(*np.searchsorted(used, [before, behind]).tolist())
        text_sets = _kernels(used.size).text_sets
        yield partial(text_sets, *texts, used[here] - before, starts[here], hashes)
        before = behind
