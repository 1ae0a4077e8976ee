"""Pieces laid out with one copy are the texts that Python, and Arrow, make of them."""

from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.pieces import Pieces, join_pieces

ENGINES = ["numpy", *(["compiled"] if find_spec("numba") else [])]

texts = st.text("a가\n𠀋", max_size=70)
pieces = st.tuples(texts, st.integers(0, 2))


@pytest.fixture(params=ENGINES, scope="module")
def engine(request):
    before = chosen_engine()
    choose_engine(request.param)
    yield
    choose_engine(before)


def large(strings):
    return pa.array(strings, pa.large_string())


@pytest.mark.usefixtures("engine")
@given(st.lists(st.lists(pieces, max_size=4), max_size=4))
def test_pieces_are_joined(parted):
    flat = [piece for own in parted for piece in own]
    bounds = np.cumsum([0, *map(len, parted)])
    gaps = np.array([gap for _, gap in flat], np.int64)
    joined = join_pieces(Pieces.of(large([text for text, _ in flat])), gaps, "-", bounds)
    assert joined.to_pylist() == ["".join(t + "-" * gap for t, gap in own) for own in parted]


@pytest.mark.usefixtures("engine")
@given(st.lists(texts, min_size=1, max_size=5), st.data())
def test_replaced_pieces_stand_in_their_place(held, choose):
    rows = choose.draw(st.lists(st.integers(0, len(held) - 1), unique=True))
    own = choose.draw(st.lists(texts, min_size=len(rows), max_size=len(rows)))
    others = large(["before", *own])[1:]
    mended = Pieces.of(large(held)).replaced(np.array(rows, np.int64), others)
    every = np.arange(len(held) + 1)
    joined = join_pieces(mended, np.zeros(len(held), np.int64), " ", every)
    expected = {**dict(enumerate(held)), **dict(zip(rows, own, strict=True))}
    assert joined.to_pylist() == [expected[row] for row in range(len(held))]
