"""Exact comparison of every candidate pair: no pair becomes an edge on a signature's word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contract import checked
from pipeline.contracts import ID, conform
from pipeline.dedup.evidence_texts import evidence_texts
from pipeline.dedup.judging import Evidence, judged
from pipeline.dedup.mapped import (
    ValueSet,
    Words,
    id_words,
    ids_of,
    place_of,
    sorted_ids,
    words_of,
)
from pipeline.dedup.number_pairs import NumberPairs
from pipeline.dedup.relations import (
    RULE_VERSION,
    Judgement,
    RelationRules,
    is_headline_alone,
    is_title_of,
    is_title_told,
)
from pipeline.dedup.set_overlaps import Overlaps, overlaps_of
from pipeline.interim import KEYS, VERIFIED
from pipeline.text.shingles import STORY, ShingleProfile

Row = dict[str, Any]
Ends = NDArray[np.int64]
Flags = NDArray[np.bool_]

READ = [
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
"""The columns of KEYS that are read."""

# Pairs whose evidence is written at a time: 500 bytes each while it is done.
_PAIRS_AT_A_TIME = 400_000

_UNDATED = np.iinfo(np.int64).min
_HOUR = 3_600_000_000
"""Microseconds."""
_NOTHING = Judgement("", "", is_duplicate=False)


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
    ids, places = _ids_of_ends(pairs)
    articles, rows = _rows_of(ids, [batch, *history])
    ends = rows[places]
    overlaps = overlaps_of(articles["key"], ends, profile, articles["n_shingles"].to_numpy())
    parts = []
    for start in range(0, len(ends), _PAIRS_AT_A_TIME):
        some = slice(start, start + _PAIRS_AT_A_TIME)
        sizes = Overlaps(*(column[some] for column in overlaps))
        parts.append(_judged(ends[some], articles, sizes, rules))
    return conform(pa.concat_tables([VERIFIED.schema.empty_table(), *parts]), VERIFIED)


def articles_of(pairs: pa.Table, batch: pa.Table, history: Sequence[pa.Table]) -> pa.Table:
    """Return what `verify` reads of the articles of PAIRS: it stands for batch and history."""
    return _rows_of(_ids_of_ends(pairs)[0], [batch, *history])[0]


def parts_of(pairs: pa.Table, n_parts: int) -> list[pa.Table]:
    """Divide PAIRS, in order, so that the parts have few articles in common: the centres.

    All pairs of any other article are in one part, so that its text is read once: each batch of a
    template compares nearly every article with a few thousand centres.
    """
    ids, ends = _ids_of_ends(pairs)
    n_pairs_of = np.bincount(ends.ravel(), minlength=len(ids))
    left, right = ends.T
    other = np.where(n_pairs_of[left] >= n_pairs_of[right], right, left)
    n_before = np.cumsum(np.bincount(other, minlength=len(ids)))
    part_of_article = (n_before - 1) * n_parts // max(pairs.num_rows, 1)
    part = part_of_article[other]
    places = (np.flatnonzero(part == number) for number in range(n_parts))
    return [pairs.take(pa.array(own)) for own in places if own.size]


def _ids_of_ends(pairs: pa.Table) -> tuple[Words, Ends]:
    """Return the sorted ids of PAIRS, and which of them the two of each pair are.

    Arrow tells first which are equal: of a template each article has fifty pairs.
    """
    ends = [chunk for side in ("left_id", "right_id") for chunk in pairs[side].chunks]
    coded = pa.concat_arrays([pa.array([], ID), *ends]).dictionary_encode()
    found = id_words(coded.dictionary)
    ids = sorted_ids(found)
    places = place_of(found, ids)[coded.indices.to_numpy()]
    return ids, np.ascontiguousarray(places.reshape(2, -1).T)


def _rows_of(ids: Words, segments: Sequence[pa.Table]) -> tuple[pa.Table, Ends]:
    """Return the KEYS columns that are read, one row for each of `ids` (sorted), and its place.

    The rows stay in the order of the segments: another one would move every text once more.
    """
    wanted = ValueSet(ids[:, 0].byteswap())
    missing = np.ones(len(ids), np.bool_)
    found, places = [KEYS.schema.empty_table().select(READ)], [np.empty(0, np.int64)]
    for segment in segments:
        first_words = np.ascontiguousarray(words_of(segment["article_id"])[:, 0])
        rows = wanted.positions_in(first_words)
        place = place_of(id_words(segment["article_id"].take(pa.array(rows))), ids)
        # The first segment that holds an article, the batch before all, has its newest row.
        new = (place >= 0) & missing[place]
        missing[place[new]] = False
        found.append(segment.select(READ).take(pa.array(rows[new])))
        places.append(place[new])
    if missing.any():
        example = ids_of(ids[missing][:1])[0].as_py().hex()
        raise LookupError(f"{missing.sum()} paired articles have no KEYS row, one is {example}")
    rows = np.empty(len(ids), np.int64)
    rows[np.concatenate(places)] = np.arange(len(ids))
    return pa.concat_tables(found).combine_chunks(), rows


def _judged(ends: Ends, articles: pa.Table, overlaps: Overlaps, rules: RelationRules) -> pa.Table:
    """Return the VERIFIED rows of the pairs `ends` (row numbers of `articles`, int64 [n, 2])."""
    worth = np.flatnonzero(_are_worth(overlaps, rules) | _are_marked(articles, ends))
    pairs, sizes = ends[worth], Overlaps(*(column[worth] for column in overlaps))
    evidence = _evidence(articles, pairs, sizes, rules)
    judgements, number = judged(evidence, rules)
    return _rows(articles, pairs, evidence, judgements, number)


def _renumbered(ends: Ends, n: int) -> tuple[Ends, Ends]:
    """Return which of n rows stand in pairs (int64 [n_pairs, 2]), and the pairs of their places."""
    is_used = np.zeros(n, np.bool_)
    is_used[ends] = True
    places = np.cumsum(is_used) - 1
    return np.flatnonzero(is_used), places[ends]


def _evidence(
    articles: pa.Table, pairs: Ends, overlaps: Overlaps, rules: RelationRules
) -> Evidence:
    """Return what is measured on pairs (rows of `articles`) whose overlaps are known."""
    left, right = pairs.T
    sources, titles = (_coded(articles[name]) for name in ("source_id", "title_key"))
    title_chars = pc.utf8_length(articles["title_key"]).to_numpy()
    hashes = words_of(articles["key_hash"])
    has_title = (titles[left] == titles[right]) & (title_chars[left] > 0)
    versions = articles["title_version"].to_numpy().astype(np.int64)[pairs]
    is_stub = np.minimum(overlaps.n_left, overlaps.n_right) < rules.stub_shingles
    is_same_source = sources[left] == sources[right]
    is_marked = has_title & is_same_source & (versions[:, 0] != versions[:, 1])

    def is_untold(one: Row, other: Row) -> bool:
        return not _is_title_told(one, other, rules)

    return Evidence(
        is_same_key=(hashes[left] == hashes[right]).all(axis=1),
        are_titles_fitting=_are_titles_fitting(articles, pairs, titles, ~is_stub),
        is_same_source=is_same_source,
        shared_title_chars=np.where(has_title, title_chars[left], 0),
        versions=versions,
        is_title_told=~_asked(articles, pairs, ~is_marked, is_untold),
        hours_apart=_hours_apart(articles["published_at"], pairs),
        overlaps=overlaps,
        numbers=NumberPairs(articles, pairs),
    )


def _coded(texts: pa.ChunkedArray) -> Ends:
    """Return a number for each text, the same for equal ones."""
    codes: Ends = texts.combine_chunks().dictionary_encode().indices.to_numpy()
    return codes


def _asked(
    articles: pa.Table, pairs: Ends, is_known: Flags, ask: Callable[[Row, Row], bool]
) -> Flags:
    """Return True for the pairs that are known, and for the others what `ask` says of their rows.

    Versions of one headline are asked, a few in a thousand.
    """
    answers = is_known.copy()
    asked = np.flatnonzero(~is_known)
    used, local = _renumbered(pairs[asked], len(articles))
    rows = articles.take(pa.array(used)).to_pylist()
    for row, (left, right) in zip(asked.tolist(), local.tolist(), strict=True):
        answers[row] = ask(rows[left], rows[right])
    return answers


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


def _is_title_told(one: Row, other: Row, rules: RelationRules) -> bool:
    """Return whether the longer text tells what the shorter says under their common headline."""
    short, long = sorted((one, other), key=lambda article: (len(article["key"]), article["key"]))
    title: str = one["title_key"]
    return is_headline_alone(title, short["key"], rules) or is_title_told(
        title, long["key"], long["numbers"], rules
    )


def _are_titles_fitting(articles: pa.Table, pairs: Ends, titles: Ends, is_known: Flags) -> Flags:
    """Return `are_titles_fitting` of the pairs that are not known, True for those that are."""
    is_titled = pc.greater(pc.utf8_length(articles["title_key"]), 0).to_numpy()
    fits: Flags = (
        is_known | (titles[pairs[:, 0]] == titles[pairs[:, 1]]) | ~is_titled[pairs].all(axis=1)
    )
    asked = np.flatnonzero(~fits)
    # What a title has in common with its own text is asked once of each article.
    used, local = _renumbered(pairs[asked], len(articles))
    rows = articles.select(["title_key", "key"]).take(pa.array(used))
    texts = zip(*(rows[name].to_pylist() for name in ("title_key", "key")), strict=True)
    fits_own = np.array([is_title_of(title, key) for title, key in texts], np.bool_)
    fits[asked] = fits_own[local].all(axis=1)
    return fits


def _hours_apart(published_at: pa.ChunkedArray, pairs: Ends) -> NDArray[np.float64]:
    """Return the hours between the times of each pair, NaN when one is not known."""
    micros = published_at.cast(pa.int64()).fill_null(_UNDATED).to_numpy()[pairs]
    hours: NDArray[np.float64] = np.abs(micros[:, 0] - micros[:, 1]) / _HOUR
    hours[(micros == _UNDATED).any(axis=1)] = np.nan
    return hours


def _rows(
    articles: pa.Table,
    pairs: Ends,
    evidence: Evidence,
    judgements: Sequence[Judgement | None],
    number: Ends,
) -> pa.Table:
    """Return the VERIFIED rows of the pairs whose judgement, by number, is one."""
    some = np.array([judgement is not None for judgement in judgements], np.bool_)
    kept = np.flatnonzero(some[number])
    found = [judgement or _NOTHING for judgement in judgements]
    number, overlaps = number[kept], Overlaps(*(column[kept] for column in evidence.overlaps))
    classes = pa.array(number)
    rules = pa.array([judgement.rule for judgement in found], pa.string()).take(classes)
    columns = {
        "left_id": articles["article_id"].take(pa.array(pairs[kept, 0])),
        "right_id": articles["article_id"].take(pa.array(pairs[kept, 1])),
        "relation": pa.array([j.relation for j in found], pa.string()).take(classes),
        "is_duplicate": pa.array([j.is_duplicate for j in found], pa.bool_()).take(classes),
        "jaccard": pa.array(overlaps.jaccard()),
        "left_containment": pa.array(overlaps.n_shared / np.maximum(overlaps.n_left, 1)),
        "right_containment": pa.array(overlaps.n_shared / np.maximum(overlaps.n_right, 1)),
        "is_numbers_equal": pa.array(evidence.numbers.is_compatible[kept]),
        "evidence": evidence_texts(evidence, kept, rules),
        "rule_version": pa.repeat(RULE_VERSION, kept.size),
    }
    return checked(pa.table(columns), VERIFIED)
