import numpy as np
import pytest

from pipeline.text.shingles import (
    PARAGRAPH,
    STORY,
    containment,
    jaccard,
    n_shared,
    shingle_hashes,
    shingle_sets,
    shingles,
    window_hashes,
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("가나다라마바", ["가나다라마", "나다라마바"]),
        ("漢字仮名文", ["漢字仮名", "字仮名文"]),
        ("abcdefghij", ["abcdefghi", "bcdefghij"]),
        ("ไทยกขค", ["ไทยกข", "ทยกขค"]),
        # The first character of a window decides; what would run over the end is left out.
        ("가나다라ab漢字文化", ["가나다라a", "나다라ab", "다라ab漢", "라ab漢字", "漢字文化"]),
        ("abc", ["abc"]),
        ("", []),
    ],
)
def test_windows(key, expected):
    assert shingles(key, STORY) == expected


def test_a_set_has_each_shingle_once_sorted():
    hashes = shingle_hashes("abababababababababab", PARAGRAPH)
    assert len(hashes) == 2
    assert (np.diff(hashes.astype(object)) > 0).all()


def test_batch_equals_one_by_one():
    keys = ["", "가", "서울시장이말했다", "", "the old tram line", "漢", "서울city hall앞", ""]
    hashes, offsets = shingle_sets(keys, STORY)
    for number, key in enumerate(keys):
        own = hashes[offsets[number] : offsets[number + 1]]
        np.testing.assert_array_equal(own, shingle_hashes(key, STORY))
    assert offsets[-1] == len(hashes)


def test_a_window_does_not_reach_into_the_next_text():
    hashes, offsets = window_hashes(["서울시장이", "말했다그는"], STORY)
    assert offsets.tolist() == [0, 1, 2]
    assert hashes[0] == shingle_hashes("서울시장이", STORY)[0]


def test_measures():
    left, right = (np.array(values, np.uint64) for values in ([1, 2, 3, 4], [3, 4, 5]))
    empty = np.array([], np.uint64)
    assert n_shared(left, right) == 2
    assert jaccard(left, right) == pytest.approx(2 / 5)
    assert containment(left, right) == pytest.approx(1 / 2)
    assert containment(right, left) == pytest.approx(2 / 3)
    assert jaccard(left, left) == 1.0
    assert jaccard(empty, empty) == jaccard(left, empty) == containment(empty, left) == 0.0


def test_profiles_differ_in_what_they_call_alike():
    one, other = "서울시는요금을올린다고밝혔다", "서울시가요금을올린다고발표했다"
    story = jaccard(shingle_hashes(one, STORY), shingle_hashes(other, STORY))
    paragraph = jaccard(shingle_hashes(one, PARAGRAPH), shingle_hashes(other, PARAGRAPH))
    assert paragraph > story > 0
