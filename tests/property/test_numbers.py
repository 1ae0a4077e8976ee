"""The numbers of many texts at once are those of each text, read plainly."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.text import dates, number_batches, quantities
from pipeline.text import numbers as number_module
from pipeline.text.lazy_pattern import LazyPattern
from pipeline.text.number_batches import extract_numbers_of, numbers_array
from pipeline.text.number_words import (
    CURRENCY_SIGNS,
    MONTHS,
    MULTIPLIERS,
    MYRIAD_UNITS,
    SPELLED,
    UNITS,
)
from pipeline.text.numbers import extract_numbers

PATTERNS = [
    pattern.pattern
    for module in (dates, quantities, number_module)
    for pattern in vars(module).values()
    if isinstance(pattern, re.Pattern | LazyPattern)
]
CHARACTERS = sorted({c for pattern in PATTERNS for c in pattern if not c.isascii()})
WORDS = sorted({*UNITS, *MULTIPLIERS, *MONTHS, *SPELLED, *MYRIAD_UNITS, *CURRENCY_SIGNS})
_PARTS = """
오후 저녁 밤 코로나 covid- COVID- F- 제 第 번째 GMT KST p.m. am th st de of del 2026 1999 19
02-123-4567 +82 1,234 12,345,678 0.5 3.50 1.234 9,30 012 ３ ١٢٬٠٠٠ 27~28일 3월 4일 3월급 월급 급
3/4 10-3/8 [3] (1) 1. 2) 9:30 5G MP3 만이천 명 삼천만 원 二十五 三千万 一月 100여 여
abc abcd 뷁 q x 힣
"""
PARTS = _PARTS.split()
SPACES = [
    "",
    "",
    "",
    " ",
    " ",
    "\n",
    "  ",
    "\u00a0",
    "-",
    ",",
    ".",
    "/",
    "(",
    ")",
    "%",
    "+",
    "·",
    "~",
]

digits = st.from_regex(r"[0-9]{1,5}([.,'’][0-9]{1,3}){0,3}", fullmatch=True)
pieces = st.one_of(
    digits,
    digits,
    st.sampled_from(WORDS),
    st.sampled_from(CHARACTERS),
    st.sampled_from(PARTS),
    st.sampled_from(SPACES),
    st.sampled_from(SPACES),
    st.characters(),
)
texts = st.lists(pieces, max_size=14).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.lists(texts, min_size=1, max_size=8))
@example(["", "1", "", "2"])
@example(["0’0.0", "1’5,5 2,5", "7"])
@example(["5", "명 3", "월 4일"])
@example(["지난해 1월급 3월 급 2월말까지급"])
@example(["오후 3시 20분간, 3시간", "often-five", "twenty", "-five"])
@example(["코로나19,829", "코로나1999", "0.0% -0.0% -1.0%", "March 4%", "2026.3. 4"])
@example(["5GHz 5Gabcd 12 여abc 100여-km 1만2천500 3억5000만원 3만 5천만"])
def test_many_texts_read_as_each_does(batch):
    assert extract_numbers_of(batch) == [list(extract_numbers(text)) for text in batch]


@settings(max_examples=1000, deadline=None)
@given(st.lists(texts, min_size=1, max_size=8))
@example(["", "1", "", "2"])
@example(["0’0.0", "1’5,5 2,5", "7"])
@example(["5", "명 3", "월 4일"])
@example(["지난해 1월급 3월 급 2월말까지급"])
@example(["오후 3시 20분간, 3시간", "often-five", "twenty", "-five", "1 Twenty-FIVE million"])
@example(["코로나19,829", "코로나1999", "0.0% -0.0% -1.0%", "March 4%", "2026.3. 4"])
@example(["5GHz 5Gabcd 12 여abc 100여-km 1만2천500 3억5000만원 3만 5천만 2.5만 2.5 million"])
@example(
    ["만이천 명", "이천만원", "二十五", "〇一", "三月", "http://a.b/1 2", "a@b.kr 3", "e\u0301 4"]
)
@example(
    ["12,345,678,901,234,567원", "1,234.5", "12.50", "1.1 1,2", "1,2 3,4", "www.a.b/5", "١٢ 3"]
)
def test_scanned_texts_read_as_each_does(batch):
    pytest.importorskip("numba")
    from pipeline.text.number_scan import scanned_numbers

    batch = [text.encode("utf-8", "replace").decode() for text in batch]
    found = scanned_numbers(pa.array(batch, pa.large_string()))
    found.validate(full=True)
    assert found.to_pylist() == [list(extract_numbers(text)) for text in batch]


def test_blocks_do_not_matter(monkeypatch):
    batch = ["3월", "4일 12,345명", "", "二十五人", "오후 ", "9시"] * 3
    whole = extract_numbers_of(batch)
    monkeypatch.setattr(number_batches, "_BLOCK_CHARS", 4)
    assert extract_numbers_of(batch) == whole


def test_unequal_windows_of_one_hash_are_read_in_their_texts(monkeypatch):
    batch = ["3명", "오후 9시", "12,345원 3.5%", "March 4, 2026"]
    whole = extract_numbers_of(batch)
    monkeypatch.setattr(
        number_batches,
        "_distinct",
        lambda cells: (np.array([0]), np.zeros(cells.shape[1], np.int64)),
    )
    assert extract_numbers_of(batch) == whole


def test_an_arrow_column_is_read_with_its_nulls():
    texts = pa.chunked_array([["3명 5명", None], ["none"]], pa.string())
    assert numbers_array(texts).to_pylist() == [["3persons", "5persons"], [], []]
    assert numbers_array(pa.array([], pa.string())).type == pa.list_(pa.string())
