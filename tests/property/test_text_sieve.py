"""The look at six bytes a place lets every text through in which an expression is found."""

import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.dedup import captions, furniture_sieve, line_classes
from pipeline.dedup.furniture_cuts import RIGHTS_SIGNS, RIGHTS_WORDS
from pipeline.dedup.line_masks import SIGNS
from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.text_sieve import OTHER_DIGITS, Sieve, found_among, words

pytest.importorskip("numba")

ASKED = [
    (line_classes.SIEVE, ["masked"], SIGNS),
    (line_classes.SIEVE, ["telling", "appealing"], line_classes.WORDS),
    (line_classes.SIEVE, ["appealing"], line_classes.HOUSE_WORDS),
    (furniture_sieve._SIEVE, ["rights"], RIGHTS_SIGNS),
    (furniture_sieve._SIEVE, ["composing"], furniture_sieve.MAY_COMPOSE),
    (captions._SIEVE, ["naming"], captions._SIGNS),
    (captions._SIEVE, ["decomposed"], captions._DECOMPOSED),
    *(
        (captions._SIEVE, [name], mark)
        for name, mark in zip(("opening", "inner", "closing"), captions._MARKS, strict=True)
    ),
]
PIECES = [
    *(word.strip("^$\\ ") for word in line_classes.WORDS.replace("(?is)", "").split("|")),
    *SIGNS.replace("(?s)", "").split("|"),
    *RIGHTS_WORDS,
    *(word.strip("^$()?i:\\b ") for word in captions._SIGNS.split("|")),
    *(
        "▲",
        "[사진",
        "< 사진",
        "【写真",
        "〈\t图片",
        "(圖片",
        "사진설명",
        "사진은 ",
        "Caption",
        "Légende",
    ),
    *(
        "PIE DE FOOT",
        "bildunter",
        "图为",
        ".사진은 ",
        ". 사진은 ",
        ".\t사진은 ",
        "관련 없음.",
        "무관",
    ),
    *("3.4", "3. 14.", "Crédit", "CREDIT", "Ảnh", "zdjęc", "ФОТО", "Φωτογραφία"),
    *(
        "suscri",
        "suscrí",
        "리포트",
        "리포터",
        "캡처",
        "캡쳐",
        "앵커멘트",
        "진행",
        "일동웃음",
        "笑",
        "(Image",
    ),
    *(
        "3월",
        "3 월",
        "3é월",
        "3가月",
        "3😀월",
        "2026년",
        "2026 년",
        "1999-",
        "19٣٣.",
        "2026가/",
        "２０",
    ),
    *("Sept.3", "3 May", "10:15", "1-234", "1) 234", "a.b", "1. 234", "BY ", "By ", "ſubscribe"),
]
cased = st.sampled_from(PIECES).flatmap(
    lambda word: st.sampled_from(
        [word, word.upper(), word.title(), word.replace("s", "ſ").replace("k", "\u212a")]
    )
)
texts = st.lists(
    st.lists(cased | st.text(st.characters(codec="utf-8"), max_size=3), max_size=3).map("".join),
    max_size=8,
)


@pytest.fixture(autouse=True)
def compiled():
    before = chosen_engine()
    choose_engine("compiled")
    words_of = pa.array(["a"], pa.large_string())
    for sieve, _, _ in ASKED:
        sieve.look(words_of)  # loads the kernel: no example is charged for it
    yield
    choose_engine(before)


def check(column):
    for sieve, names, regex in ASKED:
        seen = sieve.look(column)
        may_hold = np.any([seen.may_hold(name) for name in names], axis=0)
        found = found_among(column, regex, np.ones(len(column), np.bool_))
        lost = column.filter(pa.array(found & ~may_hold)).to_pylist()
        assert not lost, (names, lost[:5])


@given(texts)
@example(["", "a", ""])
@settings(max_examples=1000, deadline=None)
def test_what_is_found_is_let_through(found):
    column = pa.array(found, pa.large_string())
    check(column)
    check(column[1:])


def test_each_piece_alone_is_let_through():
    check(pa.array(PIECES + [word.upper() for word in PIECES], pa.large_string()))


def test_every_code_point_is_let_through_by_itself_and_among_digits():
    codes = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    for before, after in (("", ""), ("가", "나"), ("19", "0."), ("10:", "5")):
        check(pa.array([before + code + after for code in codes], pa.large_string()))


def test_a_text_holds_what_is_its_own():
    sieve = Sieve(["begins"], begins=words("가나"), holds=words("다라"), digits=OTHER_DIGITS)
    seen = sieve.look(pa.array(["가나다", "라가나", "다라", "나", ""], pa.large_string()))
    assert seen.may_hold("begins").tolist() == [True, False, False, False, False]
    assert seen.may_hold("holds").tolist()[2:] == [True, False, False]
    choose_engine("numpy")
    assert sieve.look(pa.array(["나"], pa.large_string())).may_hold("holds").tolist() == [True]
