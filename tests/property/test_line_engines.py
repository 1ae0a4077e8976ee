"""The compiled reading of lines finds what numpy finds."""

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.text.flat_lines import char_spans, compiled_lines, find_lines, flat_texts

pytest.importorskip("numba")

PIECES = [
    *("\n", "\r", "\v", "\f", "\x1c", "\x1e", "\x85", "\u2028", "\u2029"),
    *(" ", "\t", "\x1f", "\xa0", "\u1680", "\u2003", "\u3000", "\u3164", "\u200b", "\ufeff"),
    *(" " * n for n in (15, 16, 17, 33)),
    *("가", "나다", "가나다라마바사", "abcdefgh", "a", ".", "é", "°", "“", "”", "😀", "\0", "\1"),
]
texts = st.lists(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), max_size=6)


def check(column):
    flat = flat_texts(column)
    lines, is_odd = find_lines(flat)
    plain = (*lines, *char_spans(flat, lines), is_odd)
    compiled, chars, is_odd = compiled_lines(flat)
    for own, other in zip(plain, (*compiled, *chars, is_odd), strict=True):
        assert own.tolist() == other.tolist()


@given(texts)
@example(["\0\xa0다", "", "\n" * 5])
@settings(max_examples=500, deadline=None)
def test_both_engines_find_the_same_lines(found):
    column = pa.array(found, pa.large_string())
    check(column)
    check(column[1:])


def test_texts_of_many_lines_find_room():
    check(pa.array(["a\n" * 5000, "b"], pa.large_string()))
