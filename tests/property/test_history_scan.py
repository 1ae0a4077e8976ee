"""Searching large columns: sieves and kernels find what a plain look at every word finds."""

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import TIME
from pipeline.dedup.mapped import (
    IdSet,
    ValueSet,
    distinct,
    id_words,
    place_of,
    repeated_places,
    sorted_ids,
)
from pipeline.dedup.short_texts import NO_DAY, Days, day_numbers, text_words
from pipeline.text.engine import choose_engine, chosen_engine

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).replace(tzinfo=None)
TOP = 2**64 - 1
# Values that fall into one slot, the ends of the range, and some spread over it.
WORDS = st.sampled_from([*range(12), *(TOP - n for n in range(6)), *(n << 58 for n in range(60))])


def array(words):
    return np.array(words, np.uint64)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=60), st.lists(WORDS, max_size=60))
def test_every_value_is_found_where_it_stands(values, words):
    wanted, words = ValueSet(array(values)), array(words)
    positions, places = wanted.found_in(words)
    assert positions.tolist() == [n for n, word in enumerate(words.tolist()) if word in values]
    assert np.array_equal(wanted.values[places], words[positions])
    apart = np.repeat(words, 2).reshape(-1, 2)[:, 0]
    assert np.array_equal(wanted.positions_in(apart), positions)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(WORDS, max_size=60),
    st.lists(WORDS, max_size=60),
    st.sampled_from(["numpy", "compiled"] if find_spec("numba") else ["numpy"]),
)
def test_every_value_has_the_number_of_the_first_that_is_equal(values, words, engine):
    before = chosen_engine()
    choose_engine(engine)
    try:
        _numbers_are_of_the_first(values, words)
    finally:
        choose_engine(before)


def _numbers_are_of_the_first(values, words):
    wanted, words = ValueSet(array(values)), array(words)
    positions, numbers = wanted.numbered_in(words)
    assert positions.tolist() == [n for n, word in enumerate(words.tolist()) if word in values]
    assert numbers.tolist() == [values.index(word) for word in words[positions].tolist()]
    assert wanted.numbers().tolist() == [values.index(value) for value in values]


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=60), st.lists(WORDS, max_size=60))
def test_the_compiled_scan_finds_the_same(values, words):
    pytest.importorskip("numba")
    from pipeline.dedup.scan import Scan

    wanted, words = ValueSet(array(values)), array(words)
    positions, places = Scan(wanted.values).found_in(words)
    plain = wanted.found_in(words)
    assert positions.tolist() == plain[0].tolist()
    assert places.tolist() == plain[1].tolist()


def test_a_long_column_of_random_words():
    pytest.importorskip("numba")
    from pipeline.dedup.scan import Scan

    rng = np.random.default_rng(3)
    words = rng.integers(0, TOP, 200_000, dtype=np.uint64)
    values = distinct(np.concatenate((words[::7], rng.integers(0, TOP, 30_000, dtype=np.uint64))))
    positions = ValueSet(values).positions_in(words)
    assert np.array_equal(positions, np.flatnonzero(np.isin(words, values)))
    assert np.array_equal(Scan(values).found_in(words)[0], positions)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=80))
def test_no_repeated_value_is_sieved_out(words):
    several = {n for n, word in enumerate(words) if words.count(word) > 1}
    places = repeated_places(array(words)).tolist()
    assert places == sorted(places)
    assert several <= set(places)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=80))
def test_no_repeated_value_is_sieved_out_by_the_kernel(words):
    pytest.importorskip("numba")
    from pipeline.dedup import scan

    several = {n for n, word in enumerate(words) if words.count(word) > 1}
    places = scan.repeated_places(array(words)).tolist()
    assert places == sorted(set(places))
    assert several <= set(places)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=60), st.lists(WORDS, max_size=60))
def test_the_compiled_scan_takes_values_in_any_order(values, words):
    pytest.importorskip("numba")
    from pipeline.dedup.scan import Scan

    positions, places = Scan(array(values)).found_in(array(words))
    assert positions.tolist() == [n for n, word in enumerate(words) if word in values]
    assert places.tolist() == [values.index(words[n]) for n in positions]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=4), max_size=30), st.integers(0, 5))
def test_equal_texts_have_one_hash_and_others_another(texts, start):
    column = pa.array(texts, pa.string())
    hashes = text_words(column).tolist()
    assert len(set(hashes)) == len(set(texts)) == len(set(zip(texts, hashes, strict=True)))
    assert text_words(column.slice(start)).tolist() == hashes[start:]
    assert text_words(pa.chunked_array([column.slice(start)])).tolist() == hashes[start:]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), max_size=40), st.lists(st.tuples(WORDS, WORDS)))
def test_ids_are_found_by_both_words(ids, column):
    def of(pairs):
        return array(pairs).reshape(-1, 2)

    ordered = [tuple(row) for row in sorted_ids(of(ids)).tolist()]
    assert ordered == sorted(set(ids))
    # `place_of` takes ids for hashes: no two in a set begin with one word.
    firsts = {first: (first, second) for first, second in ids}
    known = IdSet(of(list(firsts.values())))
    held = [n for n, pair in enumerate(column) if pair in firsts.values()]
    raw = [b"".join(word.to_bytes(8, "big") for word in pair) for pair in column]
    stored = pa.array(raw, pa.binary(16))
    assert known.rows_in(stored).tolist() == held
    assert np.flatnonzero(known.holds(id_words(stored))).tolist() == held


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=60, unique=True), st.lists(WORDS, min_size=1))
def test_many_ids_find_their_places_as_few_do(firsts, column):
    ids = sorted_ids(np.stack((array(firsts), array(firsts) // 3), axis=1))
    words = np.stack((array(column), array(column) // 3), axis=1)
    few = [firsts.index(word) if word in firsts else -1 for word in column]
    rank = np.append(np.argsort(np.argsort(array(firsts))), -1)
    assert np.array_equal(place_of(words, ids), rank[few])
    many = np.tile(words, (600 // len(column) + 1, 1))
    assert np.array_equal(place_of(many, ids), np.tile(rank[few], 600 // len(column) + 1))


DAYS = st.lists(st.none() | st.integers(-4, 4), max_size=12)


def times(days):
    dates = [None if day is None else NOON + timedelta(days=day) for day in days]
    return pa.chunked_array([pa.array(dates, TIME)])


@settings(max_examples=200, deadline=None)
@given(DAYS, DAYS)
def test_whoever_may_meet_by_day_is_near(days, others):
    near = set(Days(times(days)).rows_in(times(others)).tolist())
    own, theirs = day_numbers(times(days)), day_numbers(times(others)).tolist()
    meeting = {
        row for row, day in enumerate(theirs) for own_day in own.tolist() if abs(day - own_day) <= 1
    }
    assert meeting <= near
    assert all(theirs[row] != NO_DAY or NO_DAY in own for row in near)
