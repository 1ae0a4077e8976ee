"""Winnowing against the definition of Schleimer, Wilkerson and Aiken (2003), and its guarantee."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pipeline.text.shingles import ShingleProfile, window_hashes
from pipeline.text.winnowing import fingerprint_sets, winnow

K = 8
PROFILE = ShingleProfile("reference", hangul=K, han_kana=K, alphabetic=K, unspaced=K)


def by_definition(hashes, window):
    """Return the positions: in each window the smallest hash, the rightmost of equal ones."""
    if not hashes:
        return []
    width = min(window, len(hashes))
    chosen = set()
    for start in range(len(hashes) - width + 1):
        part = hashes[start : start + width]
        smallest = min(part)
        chosen.add(start + width - 1 - part[::-1].index(smallest))
    return sorted(chosen)


@pytest.mark.parametrize("window", [1, 2, 3, 4, 7, 13, 96])
@pytest.mark.parametrize("values", [3, 40, 2**40])
def test_positions_and_sets_are_those_of_the_definition(window, values):
    rng = random.Random(f"{window}/{values}")
    texts = [[rng.randrange(values) for _ in range(rng.randrange(0, 150))] for _ in range(40)]
    offsets = np.append(0, np.cumsum([len(text) for text in texts]))
    flat = np.array([value for text in texts for value in text], np.uint64)
    found, bounds = fingerprint_sets(flat.copy(), offsets, window)
    for number, text in enumerate(texts):
        expected = by_definition(text, window)
        assert winnow(np.array(text, np.uint64), window).tolist() == expected
        own = found[bounds[number] : bounds[number + 1]].tolist()
        assert own == sorted({text[at] for at in expected})


@pytest.mark.parametrize("window", [4, 13, 40])
def test_a_run_of_the_guaranteed_length_always_shares_a_fingerprint(window):
    rng = random.Random(window)
    letters = [chr(0xAC00 + n) for n in range(400)]

    def text(length):
        return "".join(rng.choice(letters) for _ in range(length))

    for _ in range(200):
        run = text(window + K - 1)
        pair = [text(rng.randrange(80)) + run + text(rng.randrange(80)) for _ in range(2)]
        found, bounds = fingerprint_sets(*window_hashes(pair, PROFILE), window)
        assert np.intersect1d(found[: bounds[1]], found[bounds[1] :]).size


def test_density_is_that_of_the_paper():
    hashes = np.random.default_rng(1).integers(0, 2**63, 200_000, np.uint64)
    for window in (13, 96):
        density = winnow(hashes, window).size / hashes.size
        assert density == pytest.approx(2 / (window + 1), rel=0.02)
