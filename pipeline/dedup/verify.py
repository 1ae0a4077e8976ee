"""Exact comparison of every candidate pair: no pair becomes an edge on a signature's word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contracts import conform
from pipeline.dedup.mapped import (
    ValueSet,
    Words,
    id_words,
    ids_of,
    place_of,
    sorted_ids,
    words_of,
)
from pipeline.dedup.relations import (
    RULE_VERSION,
    Judgement,
    PairEvidence,
    RelationRules,
    are_titles_fitting,
    evidence_json,
    judge,
)
from pipeline.interim import KEYS, VERIFIED
from pipeline.text.numbers import numbers_conflict
from pipeline.text.shingles import STORY, ShingleProfile, n_shared, shingle_sets

Row = dict[str, Any]
Ends = NDArray[np.int64]

_READ = ["article_id", "published_at", "title_key", "key", "key_hash", "numbers", "n_shingles"]

# Pairs whose shingle sets are held at a time: 20,000 articles of 1,400 shingles take 220 MB.
_PAIRS_AT_A_TIME = 10_000


def verify(
    pairs: pa.Table,
    batch: pa.Table,
    history: Sequence[pa.Table],
    rules: RelationRules,
    profile: ShingleProfile = STORY,
) -> pa.Table:
    """Return VERIFIED: each pair with its exact evidence, as far as it has a relation.

    Args:
        pairs: PAIRS.
        batch: KEYS of the batch; its rows stand before stale ones of the history.
        history: KEYS segments that hold the other articles.
        rules: the numbers of the relations.
        profile: shingles of the recipe.

    Raises:
        LookupError: a pair names an article that neither batch nor history holds.
    """
    left, right = id_words(pairs["left_id"]), id_words(pairs["right_id"])
    ids = sorted_ids(np.concatenate((left, right)))
    articles = _rows_of(ids, [batch, *history])
    ends = np.stack((place_of(left, ids), place_of(right, ids)), axis=1)
    ends = ends[_may_be_related(ends, articles, rules)]
    rows = [
        row
        for start in range(0, len(ends), _PAIRS_AT_A_TIME)
        for row in _judged(ends[start : start + _PAIRS_AT_A_TIME], articles, rules, profile)
    ]
    return conform(pa.Table.from_pylist(rows, VERIFIED.schema), VERIFIED)


def _rows_of(ids: Words, segments: Sequence[pa.Table]) -> pa.Table:
    """Return the KEYS columns that are read, one row for each of `ids` (sorted), in that order."""
    wanted = ValueSet(ids[:, 0].byteswap())
    missing = np.ones(len(ids), np.bool_)
    found, places = [KEYS.schema.empty_table().select(_READ)], [np.empty(0, np.int64)]
    for segment in segments:
        first_words = np.ascontiguousarray(words_of(segment["article_id"])[:, 0])
        rows = wanted.positions_in(first_words)
        place = place_of(id_words(segment["article_id"].take(pa.array(rows))), ids)
        # The first segment that holds an article, the batch before all, has its newest row.
        new = (place >= 0) & missing[place]
        missing[place[new]] = False
        found.append(segment.select(_READ).take(pa.array(rows[new])))
        places.append(place[new])
    if missing.any():
        example = ids_of(ids[missing][:1])[0].as_py().hex()
        raise LookupError(f"{missing.sum()} paired articles have no KEYS row, one is {example}")
    return pa.concat_tables(found).take(pa.array(np.argsort(np.concatenate(places))))


def _may_be_related(ends: Ends, articles: pa.Table, rules: RelationRules) -> NDArray[np.bool_]:
    """Return which pairs the sizes alone do not rule out: Jaccard <= smaller / larger."""
    sizes = articles["n_shingles"].to_numpy()[ends]
    may: NDArray[np.bool_] = sizes.min(axis=1) >= rules.related_jaccard * sizes.max(axis=1)
    return may


def _judged(
    ends: Ends, articles: pa.Table, rules: RelationRules, profile: ShingleProfile
) -> Iterator[Row]:
    """Yield the VERIFIED rows of the pairs `ends` (row numbers of `articles`, int64 [n, 2])."""
    used, local = np.unique(ends, return_inverse=True)
    few = articles.take(pa.array(used))
    compared = few.to_pylist()
    hashes, offsets = shingle_sets(few["key"].to_pylist(), profile)
    bounds = offsets.tolist()
    for left, right in local.reshape(-1, 2).tolist():
        left_set = hashes[bounds[left] : bounds[left + 1]]
        right_set = hashes[bounds[right] : bounds[right + 1]]
        one, other = compared[left], compared[right]
        is_same_key = one["key_hash"] == other["key_hash"]
        shared = left_set.size if is_same_key else n_shared(left_set, right_set)
        if shared < rules.related_jaccard * (left_set.size + right_set.size - shared):
            continue
        is_stub = min(left_set.size, right_set.size) < rules.stub_shingles
        pair = PairEvidence(
            is_same_key=is_same_key,
            are_titles_fitting=not is_stub or _are_titles_fitting(one, other),
            hours_apart=_hours_apart(one["published_at"], other["published_at"]),
            n_left=left_set.size,
            n_right=right_set.size,
            n_shared=shared,
            numbers=numbers_conflict(one["numbers"], other["numbers"]),
        )
        if judgement := judge(pair, rules):
            yield _row(one["article_id"], other["article_id"], pair, judgement)


def _are_titles_fitting(one: Row, other: Row) -> bool:
    titles_and_keys = (one["title_key"], one["key"], other["title_key"], other["key"])
    return are_titles_fitting(*titles_and_keys)


def _hours_apart(one: datetime | None, other: datetime | None) -> float:
    """Return the hours between two times, 0 when one is not known."""
    if one is None or other is None:
        return 0.0
    return abs(one - other) / timedelta(hours=1)


def _row(left_id: bytes, right_id: bytes, pair: PairEvidence, judgement: Judgement) -> Row:
    return {
        "left_id": left_id,
        "right_id": right_id,
        "relation": judgement.relation,
        "is_duplicate": judgement.is_duplicate,
        "jaccard": pair.jaccard,
        "left_containment": pair.n_shared / pair.n_left,
        "right_containment": pair.n_shared / pair.n_right,
        "is_numbers_equal": pair.numbers.is_compatible,
        "evidence": evidence_json(pair, judgement),
        "rule_version": RULE_VERSION,
    }
