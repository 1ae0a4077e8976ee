"""What pairs of keys share is the same by sets of strings, by numpy and compiled."""

from __future__ import annotations

import random
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup import set_overlaps
from pipeline.dedup.set_overlaps import jaccard_pairs, overlaps_of
from pipeline.dedup.slot_pairs import count_slots
from pipeline.text.engine import choose_engine
from pipeline.text.number_slots import (
    _DAY_AFTER,
    _MONTH_BEFORE,
    CONTEXT_CHARS,
    compare_slots,
    number_slots,
)
from pipeline.text.shingles import PARAGRAPH, STORY, shingles

keys = st.lists(
    st.text(alphabet="가나다 ab12漢字", max_size=40) | st.text(max_size=20), min_size=1, max_size=6
)


@pytest.fixture(params=["numpy", "compiled"])
def _engine(request):
    if request.param == "compiled":
        pytest.importorskip("numba")
    choose_engine(request.param)
    yield
    choose_engine("auto")


@pytest.mark.usefixtures("_engine")
@pytest.mark.parametrize("profile", [STORY, PARAGRAPH])
def test_both_engines_count_what_sets_of_strings_share(profile):
    @settings(max_examples=150, deadline=None)
    @given(keys, st.data())
    def check(texts, drawn):
        texts = [text.encode("utf-8", "replace").decode() for text in texts]
        ends = st.integers(0, len(texts) - 1)
        pairs = drawn.draw(st.lists(st.tuples(ends, ends), max_size=8))
        array = pa.array(["unseen", *texts], pa.large_string()).slice(1)
        own = [set(shingles(text, profile)) for text in texts]
        found = overlaps_of(array, np.array(pairs, np.int64).reshape(-1, 2), profile)
        assert [len(own[a] & own[b]) for a, b in pairs] == found.n_shared.tolist()
        assert [len(own[a]) for a, _ in pairs] == found.n_left.tolist()
        assert [len(own[b]) for _, b in pairs] == found.n_right.tolist()

    check()


@pytest.mark.usefixtures("_engine")
@pytest.mark.parametrize("n_at_a_time", [1, 30])
def test_what_is_counted_in_parts_is_counted_alike(monkeypatch, n_at_a_time):
    words = ["서울시장이", "다녀온", "부산과", "대전을", " rain in the night ", "漢字文化圏", ""]
    drawn = random.Random(7)
    texts = ["".join(drawn.choices(words, k=drawn.randrange(9))) for _ in range(25)]
    pairs = np.array([drawn.sample(range(25), 2) for _ in range(80)] + [[3, 3]])
    array = pa.array(texts, pa.string())
    whole = overlaps_of(array, pairs)
    own = [set(shingles(text, STORY)) for text in texts]
    assert whole.n_shared.tolist() == [len(own[a] & own[b]) for a, b in pairs]
    monkeypatch.setattr(set_overlaps, "_SHINGLES_AT_A_TIME", n_at_a_time)
    monkeypatch.setattr(set_overlaps, "_SETS_AT_A_TIME", min(2 * n_at_a_time, 20))
    assert np.array_equal(overlaps_of(array, pairs), whole)


def test_a_pair_stands_with_the_end_that_has_more_pairs():
    pairs = np.array([[0, 4], [1, 4], [2, 3], [4, 5]])
    stars = set_overlaps.stars_of(pairs, np.full(6, 10))
    assert stars.centres.tolist() == [4, 2]
    assert stars.centre_ends.tolist() == [1, 2]
    assert stars.pairs.tolist() == [[0, 0], [1, 0], [5, 0], [3, 1]]
    assert stars.pair_ends.tolist() == [3, 4]
    assert pairs[stars.order].tolist() == [[0, 4], [1, 4], [4, 5], [2, 3]]


@pytest.mark.usefixtures("_engine")
def test_jaccard_of_pairs():
    array = pa.chunked_array([["서울시장이다", ""], ["서울시장이었"]], pa.string())
    pairs = np.array([[0, 2], [0, 0], [1, 1], [0, 1]])
    assert jaccard_pairs(array, pairs).tolist() == [1 / 3, 1.0, 0.0, 0.0]


pieces = st.sampled_from(
    [
        *"년월일年月日號号간間가a #.\n",
        "3",
        "12",
        "3.50",
        "2026",
        "jan ",
        "3jan ",
        "may\n",
        "sept ",
        "  ",
    ]
)


def plain_slots(key):
    """Return the slots as `number_slots` defines them, number by number."""
    number = re.compile(r"\d+(?:\.\d+)*")
    masked, slots, shift = number.sub("#", key), {}, 0
    for found in number.finditer(key):
        at = found.start() - shift
        shift += len(found[0]) - 1
        before = key[max(0, found.start() - 10) : found.start()]
        if _DAY_AFTER.match(key, found.end()) or _MONTH_BEFORE.search(before):
            continue
        around = masked[max(0, at - CONTEXT_CHARS) : at + 1 + CONTEXT_CHARS]
        plain = found[0].rstrip("0").rstrip(".") if found[0].count(".") == 1 else found[0]
        slots.setdefault(around, []).append(plain)
    return {around: tuple(values) for around, values in slots.items()}


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces, max_size=14).map("".join))
def test_slots_are_read_as_they_are_defined(key):
    assert list(number_slots(key).items()) == list(plain_slots(key).items())


odd_pieces = pieces | st.sampled_from(
    [
        "é",
        "€",
        "_",
        "\u0663",
        "\U00020000",
        "0.0",
        "1.2.3",
        "september ",
        "xmay ",
        "가may ",
        "€may ",
    ]
)


@pytest.mark.usefixtures("_engine")
def test_slots_of_pairs_are_compared_as_those_of_two_keys():
    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.lists(odd_pieces, max_size=14).map("".join), min_size=1, max_size=4))
    def check(texts):
        changed = [text.replace("3", "12", 1) for text in texts]
        own = [*texts, *changed, *(text[2:] for text in texts)]
        pairs = [(one, other) for one in range(len(own)) for other in range(one, len(own))]
        array = pa.array(["1 unseen", *own], pa.large_string()).slice(1)
        found = count_slots(array, np.array(pairs, np.int64))
        slots = [number_slots(key) for key in own]
        expected = [compare_slots(slots[one], slots[other]) for one, other in pairs]
        assert list(zip(*(column.tolist() for column in found), strict=True)) == expected

    check()
