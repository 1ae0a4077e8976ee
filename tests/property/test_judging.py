"""Pairs judged at once are judged as one by one: by the rules, from numbers compared as sets."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup.code_sets import CodeSets
from pipeline.dedup.evidence_texts import evidence_texts
from pipeline.dedup.judging import Evidence, judged
from pipeline.dedup.number_pairs import NumberPairs
from pipeline.dedup.relations import RelationRules, judge
from pipeline.dedup.set_overlaps import Overlaps
from pipeline.text.engine import choose_engine
from pipeline.text.number_slots import SlotEvidence, compare_slots, number_slots
from pipeline.text.numbers import compare_numbers, part_numbers

NUMBERS = st.sampled_from(
    [
        *("3", "3persons", "3%", "12000", "12000KRW", "12000persons", "-5", "-5%", "0.5"),
        *("d:2026-03-05", "d:2026-03-06", "d:--03-09", "d:---20", "d:2026", "t:12:30"),
    ]
)
KEYS = st.lists(st.sampled_from(["지수는", "로", "명", "3월", "12", "12.50", "7"]), max_size=9)
ARTICLES = st.lists(
    st.tuples(st.lists(NUMBERS, max_size=12), KEYS.map("".join)), min_size=1, max_size=6
)


@pytest.fixture(params=["numpy", "compiled"], autouse=True)
def _engine(request):
    if request.param == "compiled":
        pytest.importorskip("numba")
    choose_engine(request.param)
    yield
    choose_engine("auto")


def number_pairs(articles, pairs):
    columns = {
        "numbers": pa.array([sorted(numbers) for numbers, _ in articles], pa.list_(pa.string())),
        "key": pa.array([key for _, key in articles], pa.large_string()),
    }
    # The rows of a slice begin inside their buffers.
    table = pa.concat_tables([pa.table(columns), pa.table(columns)]).combine_chunks()
    return NumberPairs(table.slice(len(articles)), np.array(pairs, np.int64).reshape(-1, 2))


def test_numbers_of_pairs_are_compared_as_those_of_one():
    @settings(max_examples=300, deadline=None)
    @given(ARTICLES, st.data())
    def check(articles, drawn):
        ends = st.integers(0, len(articles) - 1)
        pairs = drawn.draw(st.lists(st.tuples(ends, ends), max_size=8))
        found = number_pairs(articles, pairs)
        for row, (left, right) in enumerate(pairs):
            one, other = (part_numbers(articles[end][0]) for end in (left, right))
            assert found.evidence(row) == compare_numbers(one, other)
            assert found.has_own[row] == bool(
                found.evidence(row).only_left or found.evidence(row).only_right
            )
            slots = SlotEvidence(len(one.quantities), 0)
            if one.quantities != other.quantities:
                slots = compare_slots(*(number_slots(articles[end][1]) for end in (left, right)))
            assert tuple(int(column[row]) for column in found.slots) == slots

    check()


RULES = RelationRules()
SIZES = st.integers(0, 60) | st.integers(60, 400)
NEAR_LIMITS = sorted(
    {value for f in fields(RULES) if isinstance(value := getattr(RULES, f.name), float)}
)
HOURS = st.sampled_from([np.nan, *NEAR_LIMITS, 0.0, 23.9, 24.1, 47.0, 300.0])


@st.composite
def evidence_columns(draw, articles):
    n = draw(st.integers(1, 12))
    ends = st.integers(0, len(articles) - 1)

    def column(values, dtype):
        return np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype)

    left, right = column(SIZES, np.int64), column(SIZES, np.int64)
    small = np.minimum(left, right)
    shared = np.rint(column(st.sampled_from([0, 0.2, 0.5, 0.6, 0.8, 0.9, 1]), float) * small)
    pairs = draw(st.lists(st.tuples(ends, ends), min_size=n, max_size=n))
    versions = column(st.sampled_from([-1, 0, 1, 2]), np.int64)
    others = column(st.sampled_from([-1, 0, 1, 2]), np.int64)
    return Evidence(
        is_same_key=column(st.booleans(), bool) & (left == right),
        are_titles_fitting=column(st.booleans(), bool),
        is_same_source=column(st.booleans(), bool),
        shared_title_chars=column(st.sampled_from([0, 3, 9, 10, 30]), np.int64),
        versions=np.stack((versions, others), axis=1),
        is_title_told=column(st.booleans(), bool),
        hours_apart=column(HOURS, float),
        overlaps=Overlaps(left, right, shared.astype(np.int64)),
        numbers=number_pairs(articles, pairs),
    )


def plain_evidence(pair, judgement):
    """Return the rule and the numbers it looked at."""
    numbers = pair.numbers
    evidence = {"rule": judgement.rule, "n_shared_numbers": numbers.n_shared}
    for side, values in (("left", numbers.only_left), ("right", numbers.only_right)):
        if values:
            evidence[f"numbers_only_{side}"] = list(values[:8])
            if len(values) > 8:
                evidence[f"n_numbers_only_{side}"] = len(values)
    if pair.slots.n_changed:
        evidence |= {"n_equal_slots": pair.slots.n_equal, "n_changed_slots": pair.slots.n_changed}
    if pair.is_marked:
        evidence["versions"] = list(pair.versions)
    return json.dumps(evidence, ensure_ascii=False, sort_keys=True)


def test_pairs_are_judged_as_one_by_one():
    @settings(max_examples=400, deadline=None)
    @given(ARTICLES, st.data(), st.integers(0, 300))
    def check(articles, drawn, stub):
        evidence = drawn.draw(evidence_columns(articles))
        rules = replace(RULES, stub_shingles=stub)
        judgements, number = judged(evidence, rules)
        rows = np.arange(number.size)
        expected = [judge(evidence.pair(row), rules) for row in rows.tolist()]
        assert [judgements[own] for own in number.tolist()] == expected
        kept = np.flatnonzero([found is not None for found in expected])
        given = pa.array([expected[row].rule for row in kept], pa.string())
        found = evidence_texts(evidence, kept, given).to_pylist()
        plain = [plain_evidence(evidence.pair(row), expected[row]) for row in kept.tolist()]
        assert found == plain

    check()


def test_every_comparison_of_a_rule_parts_pairs():
    """Each number of the rules, moved, parts or joins classes: none is missing in `judging`."""
    rng = np.random.default_rng(3)
    n = 10_000
    left, right = rng.integers(0, 500, (2, n))
    shared = np.rint(np.minimum(left, right) * rng.random(n)).astype(np.int64)
    texts = [
        ([f"{value}persons" for value in rng.integers(0, 25, rng.integers(0, 20))], key)
        for key in [
            "수",
            "수3",
            *(
                "".join(f"{c}{v}" for c, v in zip("가나다라마바사", d, strict=True))
                for d in rng.integers(0, 3, (60, 7))
            ),
        ]
    ]
    evidence = Evidence(
        is_same_key=rng.random(n) < 0.05,
        are_titles_fitting=rng.random(n) < 0.5,
        is_same_source=rng.random(n) < 0.7,
        shared_title_chars=rng.choice([0, 5, 9, 10, 12, 20], n),
        versions=rng.integers(-1, 2, (n, 2)),
        is_title_told=rng.random(n) < 0.5,
        hours_apart=rng.choice([np.nan, *rng.random(400) * 50], n),
        overlaps=Overlaps(left, right, shared),
        numbers=number_pairs(texts, rng.integers(0, len(texts), (n, 2))),
    )
    for field in fields(RULES):
        value = getattr(RULES, field.name)
        if field.name == "duplicate_relations":
            continue
        moved = replace(RULES, **{field.name: type(value)(value * 1.3) or value + 1})
        for rules in (RULES, moved):
            judgements, number = judged(evidence, rules)
            some = rng.integers(0, n, 250)
            for row in some.tolist():
                assert judgements[number[row]] == judge(evidence.pair(row), rules), field.name


def test_sets_of_codes_share_what_sets_share():
    sets = [{1, 5, 9}, set(), {5}, {9, 1, 0}]
    owners = np.array([owner for owner, own in enumerate(sets) for _ in own], np.int64)
    codes = np.array([code for own in sets for code in own], np.int64)
    found = CodeSets.of(np.repeat(owners, 2), np.repeat(codes, 2), len(sets))
    pairs = np.array([(a, b) for a in range(4) for b in range(4)])
    assert found.n_shared(pairs).tolist() == [len(sets[a] & sets[b]) for a, b in pairs.tolist()]
    assert [set(found.own(number)) for number in range(4)] == sets
    assert found.n_shared(pairs[:0]).tolist() == []
    empty = CodeSets.of(owners[:0], codes[:0], 2)
    assert empty.n_shared(np.array([[0, 1]])).tolist() == [0]
