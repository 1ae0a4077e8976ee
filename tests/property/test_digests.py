"""Digests of many texts at once: those of hashlib, in both engines."""

from hashlib import blake2b

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.digests import digests_of
from pipeline.text.engine import choose_engine, chosen_engine

# Around the ends of words and blocks, and so many that lanes of unequal lengths stand together.
LENGTHS = st.lists(st.integers(0, 520) | st.sampled_from([0, 1, 7, 8, 9, 127, 128, 129, 256]))


@pytest.fixture(autouse=True)
def engine():
    before = chosen_engine()
    yield
    choose_engine(before)


def check(texts, which):
    choose_engine(which)
    array = pa.array(texts, pa.large_string())
    for n_words in (1, 2):
        hashed = [blake2b(text.encode(), digest_size=8 * n_words).digest() for text in texts]
        assert digests_of(array, n_words).tobytes() == b"".join(hashed)
        assert digests_of(array[1:], n_words).tobytes() == b"".join(hashed[1:])


@given(LENGTHS, st.characters(exclude_categories=("Cs",)))
@example([0], "a")
@example([128] * 8 + [0] * 8 + [129], "a")
@pytest.mark.parametrize("which", ["numpy", "compiled"])
def test_a_digest_is_that_of_hashlib(which, lengths, character):
    if which == "compiled":
        pytest.importorskip("numba")
    check([character * n + "x" * (n % 3) for n in lengths], which)
