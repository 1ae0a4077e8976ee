"""What is true of a corpus: the closure of exact Jaccard, and how clusters compare with it.

No hash and no signature: words are numbered, a shingle is three numbers in one integer. Pairs are
found by prefix filtering, which loses none (Chaudhuri, Ganti, Kaushik: "A primitive operator for
similarity joins", 2006): two sets of Jaccard t or more share one of the |A| - ceil(t |A|) + 1
rarest shingles of each.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_BITS = 21


def shingle_sets(texts: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted sets of word 3-grams, one behind the other, and their bounds [n + 1]."""
    lists = pc.split_pattern(texts.combine_chunks(), " ")
    words = lists.flatten().dictionary_encode()
    if len(words.dictionary) >= 1 << _BITS:
        raise ValueError(f"{len(words.dictionary)} different words; {1 << _BITS} can be numbered")
    numbers = words.indices.to_numpy().astype(np.int64)
    bounds = lists.offsets.to_numpy() - lists.offsets[0].as_py()
    sets = []
    for start, stop in pairwise(bounds.tolist()):
        of_text = numbers[start:stop]
        if of_text.size < 3:
            raise ValueError("a text of the corpus has fewer than three words")
        shingles = of_text[:-2] << 2 * _BITS | of_text[1:-1] << _BITS | of_text[2:]
        sets.append(np.unique(shingles))
    return np.concatenate(sets), np.append(0, np.cumsum([s.size for s in sets]))


def closure(shingles: np.ndarray, bounds: np.ndarray, min_jaccard: float) -> np.ndarray:
    """Return the cluster of each text: components of pairs of Jaccard `min_jaccard` and more."""
    parents = list(range(bounds.size - 1))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for left, right in pairwise_candidates(shingles, bounds, min_jaccard):
        one, other = root(left), root(right)
        if one == other:
            continue
        first = shingles[bounds[left] : bounds[left + 1]]
        second = shingles[bounds[right] : bounds[right + 1]]
        shared = np.intersect1d(first, second, assume_unique=True).size
        if shared / (first.size + second.size - shared) >= min_jaccard:
            parents[max(one, other)] = min(one, other)
    return np.array([root(number) for number in range(len(parents))])


def pairwise_candidates(
    shingles: np.ndarray, bounds: np.ndarray, min_jaccard: float
) -> list[tuple[int, int]]:
    """Return every pair of texts that share a shingle of their prefixes."""
    sizes = np.diff(bounds)
    text = np.repeat(np.arange(sizes.size), sizes)
    order = np.argsort(shingles, kind="stable")
    is_new = np.diff(shingles[order], prepend=-1) != 0
    number = np.cumsum(is_new) - 1
    frequency = np.bincount(number)
    shared = frequency[number] > 1
    # Of each text: how many shingles of its prefix are its own; the others, rarest first.
    text, number = text[order][shared], number[shared]
    n_own = sizes - np.bincount(text, minlength=sizes.size)
    prefix = sizes - np.ceil(min_jaccard * sizes - 1e-9).astype(np.int64) + 1 - n_own
    by_text = np.lexsort((number, frequency[number], text))
    text, number = text[by_text], number[by_text]
    starts = np.searchsorted(text, np.arange(sizes.size))
    in_prefix = np.arange(text.size) - starts[text] < prefix[text]
    text, number = text[in_prefix], number[in_prefix]
    by_number = np.lexsort((text, number))
    text = text[by_number]
    cuts = np.append(np.flatnonzero(np.diff(number[by_number], prepend=-1)), text.size)
    pairs: set[tuple[int, int]] = set()
    for start, stop in pairwise(cuts.tolist()):
        group = text[start:stop].tolist()
        pairs.update((one, other) for i, other in enumerate(group) for one in group[:i])
    return sorted(pairs)


def scores(found: np.ndarray, true: np.ndarray) -> tuple[float, float, float]:
    """Return pairwise precision, recall and F1 of clusters."""
    both = _n_pairs(np.unique(np.stack((found, true)), axis=1, return_counts=True)[1])
    of_found = _n_pairs(np.unique(found, return_counts=True)[1])
    of_true = _n_pairs(np.unique(true, return_counts=True)[1])
    precision = both / of_found if of_found else 1.0
    recall = both / of_true if of_true else 1.0
    return precision, recall, 2 * both / max(of_found + of_true, 1)


def _n_pairs(sizes: np.ndarray) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def true_clusters(corpus: Path, min_jaccard: float) -> np.ndarray:
    """Return the closure of a corpus, computed once and kept beside it."""
    kept = corpus.with_suffix(f".{min_jaccard}.npy")
    if not kept.exists():
        texts = pq.read_table(corpus, columns=["text"])["text"]
        np.save(kept, closure(*shingle_sets(texts), min_jaccard))
    return np.load(kept)
