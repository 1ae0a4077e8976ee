"""Exact comparison of every candidate pair: no pair becomes an edge on a signature's word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
    is_headline_alone,
    is_title_told,
    judge,
)
from pipeline.dedup.set_overlaps import Overlaps, overlaps_of
from pipeline.interim import KEYS, VERIFIED
from pipeline.text.number_slots import SlotEvidence, Slots, compare_slots, number_slots
from pipeline.text.numbers import NumberEvidence, NumberSets, compare_numbers, part_numbers
from pipeline.text.shingles import STORY, ShingleProfile

Row = dict[str, Any]
Ends = NDArray[np.int64]
Flags = NDArray[np.bool_]

_READ = [
    "article_id",
    "source_id",
    "published_at",
    "title_key",
    "title_version",
    "key",
    "key_hash",
    "numbers",
    "n_shingles",
]

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
    rows = [
        row
        for start in range(0, len(ends), _PAIRS_AT_A_TIME)
        for row in _judged(ends[start : start + _PAIRS_AT_A_TIME], articles, rules, profile)
    ]
    return conform(pa.Table.from_pylist(rows, VERIFIED.schema), VERIFIED)


def articles_of(pairs: pa.Table, batch: pa.Table, history: Sequence[pa.Table]) -> pa.Table:
    """Return what `verify` reads of the articles of PAIRS: it stands for batch and history."""
    ends = [id_words(pairs[side]) for side in ("left_id", "right_id")]
    return _rows_of(sorted_ids(np.concatenate(ends)), [batch, *history])


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


def _judged(
    ends: Ends, articles: pa.Table, rules: RelationRules, profile: ShingleProfile
) -> Iterator[Row]:
    """Yield the VERIFIED rows of the pairs `ends` (row numbers of `articles`, int64 [n, 2])."""
    used, local = np.unique(ends, return_inverse=True)
    few = articles.take(pa.array(used))
    local = local.reshape(-1, 2)
    overlaps = overlaps_of(few["key"], local, profile)
    worth = np.flatnonzero(_are_worth(overlaps, rules) | _are_marked(few, local))
    judged, pairs = np.unique(local[worth], return_inverse=True)
    compared = few.take(pa.array(judged)).to_pylist()
    numbers_of = _Numbers(compared)
    sizes = (column[worth].tolist() for column in overlaps)
    for (left, right), n_left, n_right, n_shared in zip(
        pairs.reshape(-1, 2).tolist(), *sizes, strict=True
    ):
        one, other = compared[left], compared[right]
        is_stub = min(n_left, n_right) < rules.stub_shingles
        pair = PairEvidence(
            is_same_key=one["key_hash"] == other["key_hash"],
            are_titles_fitting=not is_stub or _are_titles_fitting(one, other),
            is_same_source=one["source_id"] == other["source_id"],
            shared_title_chars=_shared_title_chars(one, other),
            versions=(one["title_version"], other["title_version"]),
            is_title_told=_is_marked(one, other) and _is_title_told(one, other, rules),
            hours_apart=_hours_apart(one["published_at"], other["published_at"]),
            n_left=n_left,
            n_right=n_right,
            n_shared=n_shared,
            numbers=numbers_of.compared(left, right),
            slots=numbers_of.compared_slots(left, right),
        )
        if judgement := judge(pair, rules):
            yield _row(one["article_id"], other["article_id"], pair, judgement)


class _Numbers:
    """The numbers of some articles, each read once."""

    def __init__(self, articles: Sequence[Row]) -> None:
        self._articles = articles
        self._sets: dict[int, NumberSets] = {}
        self._slots: dict[int, Slots] = {}

    def compared(self, left: int, right: int) -> NumberEvidence:
        """Return how the numbers of two articles compare as sets."""
        return compare_numbers(self._sets_of(left), self._sets_of(right))

    def compared_slots(self, left: int, right: int) -> SlotEvidence:
        """Return how the numbers at the same places compare; equal sets are not looked up."""
        n_equal = len(self._sets_of(left).quantities)
        if self._sets_of(left).quantities == self._sets_of(right).quantities:
            return SlotEvidence(n_equal, 0)
        return compare_slots(self._slots_of(left), self._slots_of(right))

    def _sets_of(self, article: int) -> NumberSets:
        if article not in self._sets:
            self._sets[article] = part_numbers(self._articles[article]["numbers"])
        return self._sets[article]

    def _slots_of(self, article: int) -> Slots:
        if article not in self._slots:
            self._slots[article] = number_slots(self._articles[article]["key"])
        return self._slots[article]


def _are_worth(overlaps: Overlaps, rules: RelationRules) -> Flags:
    """Return which pairs have so much in common that some relation may hold."""
    n_left, n_right, shared = overlaps
    floor = min(rules.related_jaccard, rules.near_jaccard, rules.update_jaccard)
    smaller = np.minimum(n_left, n_right)
    part = min(rules.related_containment, rules.update_containment, rules.contained_containment)
    is_part = (smaller >= rules.contained_shingles) & (shared >= part * smaller)
    is_worth: Flags = is_part | (shared >= floor * (n_left + n_right - shared))
    return is_worth


def _are_marked(articles: pa.Table, pairs: Ends) -> Flags:
    """Return which pairs `_is_marked`, as far as the length of their titles goes."""
    flags = np.ones(len(pairs), np.bool_)
    versions = articles["title_version"].to_numpy()
    flags &= versions[pairs[:, 0]] != versions[pairs[:, 1]]
    for name in ("source_id", "title_key"):
        some = np.flatnonzero(flags)
        encoded = articles[name].combine_chunks().dictionary_encode().indices.to_numpy()
        flags[some] = encoded[pairs[some, 0]] == encoded[pairs[some, 1]]
    titles = articles["title_key"]
    some = np.flatnonzero(flags)
    is_titled = pc.greater(pc.utf8_length(titles.take(pa.array(pairs[some, 0]))), 0)
    flags[some] = is_titled.to_numpy()
    return flags


def _is_marked(one: Row, other: Row) -> bool:
    """Return whether one source's equal headlines claim different versions."""
    return (
        one["title_version"] != other["title_version"]
        and one["source_id"] == other["source_id"]
        and _shared_title_chars(one, other) > 0
    )


def _shared_title_chars(one: Row, other: Row) -> int:
    """Return the length of the title key when both have the same; 0 otherwise."""
    title: str = one["title_key"]
    return len(title) if title == other["title_key"] else 0


def _is_title_told(one: Row, other: Row, rules: RelationRules) -> bool:
    """Return whether the longer text tells what the shorter says under their common headline."""
    short, long = sorted((one, other), key=lambda article: (len(article["key"]), article["key"]))
    title: str = one["title_key"]
    return is_headline_alone(title, short["key"], rules) or is_title_told(
        title, long["key"], long["numbers"], rules
    )


def _are_titles_fitting(one: Row, other: Row) -> bool:
    titles_and_keys = (one["title_key"], one["key"], other["title_key"], other["key"])
    return are_titles_fitting(*titles_and_keys)


def _hours_apart(one: datetime | None, other: datetime | None) -> float | None:
    """Return the hours between two times, None when one is not known."""
    if one is None or other is None:
        return None
    return abs(one - other) / timedelta(hours=1)


def _row(left_id: bytes, right_id: bytes, pair: PairEvidence, judgement: Judgement) -> Row:
    return {
        "left_id": left_id,
        "right_id": right_id,
        "relation": judgement.relation,
        "is_duplicate": judgement.is_duplicate,
        "jaccard": pair.jaccard,
        "left_containment": pair.n_shared / max(pair.n_left, 1),
        "right_containment": pair.n_shared / max(pair.n_right, 1),
        "is_numbers_equal": pair.numbers.is_compatible,
        "evidence": evidence_json(pair, judgement),
        "rule_version": RULE_VERSION,
    }
