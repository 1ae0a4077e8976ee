"""Passages: what an article can have in common with a longer one that MinHash does not see.

Two kinds of hashes an article: every kept paragraph of some length, and winnowing fingerprints of
the running text, so that a paragraph that was edited or set otherwise is found by what is left.

Where the numbers come from (4,497 articles of one Korean day; runs of 200 key characters cut out
of long articles of it and of 710 English wire stories, with planted edits):

- a window of 96 keeps about one hash in 48: an article of 1,500 characters has 21 fingerprints,
  an English one 28. A run of 107 equal Hangul characters (113 Latin) always shares one; of
  200 characters edited at 3, 5, 8 places 98, 95, 85 in 100 still do, English 95, 89, 73.
- winnowing with a window of 13 and then keeping one hash in 7 costs as much and finds 96 of 100
  with 3 edits, 98 with none: what a sample leaves out no window guarantees.
- 8 Hangul characters instead of 12 find 95 of 100 with 8 edits, and twice as many pairs of
  strangers: turns of phrase are that long.
- of the real pairs with containment >= 0.9 and 100 shingles on the smaller side 99.4 % share a
  passage, of those with 0.6 99.7 %; an article has 4 partners where large buckets count in part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.mapped import Words, id_words
from pipeline.dedup.passage_hashes import FINGERPRINT_BIT, paragraph_hashes
from pipeline.text.engine import use_compiled
from pipeline.text.fold_kinds import DIGIT, JOINS_COMBINING, JOINS_SPACED, LETTER, MINUS
from pipeline.text.fold_tables import combining_code_points, fold_tables
from pipeline.text.mixing import mix64
from pipeline.text.normalise import key_array
from pipeline.text.paragraphs import join_keys
from pipeline.text.shingles import Hashes, Offsets, ShingleProfile, window_hashes, window_tables
from pipeline.text.utf8 import Utf8, whole
from pipeline.text.winnowing import fingerprint_sets

PASSAGE = ShingleProfile("passage", hangul=12, han_kana=10, alphabetic=18, unspaced=14)
"""Longer than a turn of phrase in each script."""

# Articles fingerprinted together: their arrays stay in a 1 MB L2 cache.
_ARTICLES_AT_A_TIME = 48

_ONE_ARTICLE = np.zeros(1, np.int64)


@dataclass(frozen=True)
class PassageRules:
    """What makes a passage."""

    min_key_chars: int = 40
    """Shorter paragraphs are no passages, shorter articles have no fingerprints."""
    window: int = 96
    profile: ShingleProfile = PASSAGE


def find_passages(paragraphs: pa.Table, rules: PassageRules) -> pa.Table:
    """Return article_id and passages (sorted, distinct) of every article with a kept paragraph.

    Args:
        paragraphs: article_id, text, key_hash, status, and key where it is made already; the rows
            of an article stand together, in order, those of one revision only.
        rules: what makes a passage.
    """
    is_kept = _flags(pc.equal(paragraphs["status"], "kept"))
    if "key" not in paragraphs.column_names:
        paragraphs = paragraphs.filter(pa.array(is_kept))
        is_kept = np.ones(paragraphs.num_rows, np.bool_)
        keys = key_array(paragraphs["text"])
    else:
        keys = whole(paragraphs["key"])
    ids = id_words(paragraphs["article_id"])
    firsts = np.flatnonzero(np.append(True, (ids[1:] != ids[:-1]).any(axis=1))[: len(ids)])
    hashes = paragraph_hashes(paragraphs["key_hash"])
    if use_compiled(Utf8.of(keys).n_articles):
        passages = _compiled_passages(keys, hashes, firsts, is_kept, rules)
    else:
        n_before = np.append(0, np.cumsum(is_kept))
        kept = keys.filter(pa.array(is_kept)).to_pylist()
        passages = passages_of(kept, hashes[is_kept], n_before[firsts], rules)
    columns = {"article_id": paragraphs["article_id"].take(pa.array(firsts)), "passages": passages}
    found = pa.table(columns).filter(pa.array(_any_within(is_kept, firsts)))
    return found.sort_by("article_id")


def _flags(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return a column of booleans without nulls, bool [n]."""
    flags: NDArray[np.bool_] = whole(column).to_numpy(zero_copy_only=False)
    return flags


def _any_within(flags: NDArray[np.bool_], firsts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return of each range that begins at `firsts`, none of them empty, whether any flag is set."""
    found: NDArray[np.bool_] = np.logical_or.reduceat(flags, firsts) if firsts.size else flags[:0]
    return found


def passages_of(
    keys: Sequence[str], hashes: Words, firsts: NDArray[np.int64], rules: PassageRules
) -> pa.ListArray:
    """Return the passages of articles, list<uint64>, from the keys and hashes of paragraphs.

    Article i owns the paragraphs from firsts[i] up to firsts[i + 1].
    """
    bounds = np.append(firsts, len(keys))
    n_chars = np.fromiter(map(len, keys), np.int64, len(keys))
    owners = np.repeat(np.arange(firsts.size), np.diff(bounds))
    is_long = n_chars >= rules.min_key_chars
    articles = [join_keys(keys[first:end]) for first, end in pairwise(bounds.tolist())]
    fingerprints, offsets = _fingerprints(articles, rules)
    found = np.concatenate((hashes[is_long], fingerprints))
    holders = np.concatenate((owners[is_long], np.repeat(np.arange(firsts.size), np.diff(offsets))))
    return _lists(found, holders, firsts.size)


def _compiled_passages(
    keys: pa.LargeStringArray,
    hashes: Words,
    firsts: NDArray[np.int64],
    is_kept: NDArray[np.bool_],
    rules: PassageRules,
) -> pa.ListArray:
    """Return what `passages_of` returns of the kept paragraphs, `is_kept` bool [n].

    Articles whose paragraphs combine are left to it.
    """
    bounds = np.append(firsts, len(keys))
    found, offsets, is_unclear = _found_by_kernel(Utf8.of(keys), hashes, bounds, is_kept, rules)
    passages = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(found))
    unclear = np.flatnonzero(is_unclear)
    if not unclear.size:
        return passages
    mended = []
    for article in unclear.tolist():
        rows = bounds[article] + np.flatnonzero(is_kept[bounds[article] : bounds[article + 1]])
        own = keys.take(pa.array(rows)).to_pylist()
        mended.append(passages_of(own, hashes[rows], _ONE_ARTICLE, rules))
    places = np.arange(firsts.size)
    places[unclear] = firsts.size + np.arange(unclear.size)
    return pa.concat_arrays([passages, *mended]).take(pa.array(places))


def _found_by_kernel(
    keys: Utf8,
    hashes: Words,
    bounds: NDArray[np.int64],
    is_kept: NDArray[np.bool_],
    rules: PassageRules,
) -> tuple[Words, NDArray[np.int64], NDArray[np.bool_]]:
    """Return what `passages_all` finds, its offsets and which articles are unclear."""
    from pipeline.text.kernels import kernel  # lazily: small batches do without

    passages_all = kernel("pipeline.dedup.passages_compiled", "passages_all")
    windows = window_tables(rules.profile)
    ends = np.zeros(bounds.size, np.int64)
    is_unclear = np.zeros(bounds.size - 1, np.bool_)
    room, n_found = 64 * bounds.size + int(bounds[-1]), -1
    while n_found < 0:
        found = np.empty(room, np.uint64)
        is_unclear[:] = False
        limits = (rules.window, rules.min_key_chars)
        n_found = passages_all(
            *keys, hashes, bounds, is_kept, _joints(), *windows, *limits, found, ends, is_unclear
        )
        room *= 2
    return found[:n_found], ends, is_unclear


@cache
def _joints() -> NDArray[np.uint8]:
    """Return what `passages_all` asks of the code points where the keys of paragraphs meet.

    The plain rule is that of `join_keys`: a space stays between letters and digits of spaced
    scripts. A minus stands in a key before a digit only, and is spaced like it.
    """
    is_spaced = np.isin(fold_tables().kind[:-1], (DIGIT, LETTER, MINUS))
    return np.where(is_spaced, JOINS_SPACED, 0).astype(np.uint8) | np.where(
        combining_code_points(), JOINS_COMBINING, 0
    ).astype(np.uint8)


def _fingerprints(keys: Sequence[str], rules: PassageRules) -> tuple[Hashes, Offsets]:
    """Return the fingerprints of each key with their offsets."""
    parts, counts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for start in range(0, len(keys), _ARTICLES_AT_A_TIME):
        block = keys[start : start + _ARTICLES_AT_A_TIME]
        long = [key if len(key) >= rules.min_key_chars else "" for key in block]
        chosen, offsets = fingerprint_sets(*window_hashes(long, rules.profile), rules.window)
        # The smallest of many hashes are small numbers: mixed again, they spread over all buckets.
        parts.append(mix64(chosen) | FINGERPRINT_BIT)
        counts.append(np.diff(offsets))
    return np.concatenate(parts), np.append(0, np.cumsum(np.concatenate(counts)))


def _lists(values: Words, owners: NDArray[np.int64], n_articles: int) -> pa.ListArray:
    """Return the distinct values of each of the articles 0..n, sorted, as list<uint64>."""
    order = np.lexsort((values, owners))
    values, owners = values[order], owners[order]
    is_first = np.ones(values.size, np.bool_)
    is_first[1:] = (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])
    counts = np.bincount(owners[is_first], minlength=n_articles)
    offsets = np.append(0, np.cumsum(counts)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values[is_first]))
