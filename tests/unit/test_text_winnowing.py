"""Fingerprints of one text and of many."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.text.winnowing import fingerprint_sets, winnow


def array(*values):
    return np.array(values, np.uint64)


def test_rightmost_of_equal_hashes_is_chosen():
    assert winnow(array(5, 1, 1, 5, 9), 3).tolist() == [2]
    assert winnow(array(7, 7, 7, 7, 7), 2).tolist() == [1, 2, 3, 4]


def test_a_text_shorter_than_the_window_has_one_fingerprint():
    assert winnow(array(4, 2, 8), 10).tolist() == [1]
    assert winnow(array(), 10).tolist() == []


def test_sets_of_many_texts_do_not_mix():
    hashes = array(9, 3, 8, 1, 2, 7, 6, 5, 4, 4)
    offsets = np.array([0, 3, 3, 4, 10])
    found, bounds = fingerprint_sets(hashes, offsets, 3)
    sets = [found[start:end].tolist() for start, end in pairwise(bounds)]
    assert sets == [[3], [], [1], [2, 4, 5]]


def test_no_text_has_no_fingerprints():
    found, bounds = fingerprint_sets(array(), np.array([0, 0]), 5)
    assert found.tolist() == []
    assert bounds.tolist() == [0, 0]
