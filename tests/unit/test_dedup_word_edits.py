"""What a revision changes inside a sentence: word edits, and marks of a correction."""

from __future__ import annotations

import pytest

from pipeline.dedup.correction_marks import correction_mark
from pipeline.dedup.word_edits import MAX_WORDS, word_edits


@pytest.mark.parametrize(
    ("older", "newer", "kinds"),
    [
        ("서울 시장은 웃었다", "서울시장은 웃었다", []),
        ("학생들은 됬다고 말했다", "학생들이 됐다고 말했다", ["small", "small"]),
        ("문제가 있다고 말했다", "문제가 없다고 말했다", ["word"]),
        ("세 명이 다쳤다", "네 명이 다쳤다", ["number"]),
        ("He did not go", "He did go", ["word"]),
        ("in March 4 of this year", "in March 5 of this year", ["date"]),
        ("in May it starts", "in June it starts", ["date"]),
        ("the F-16 flew", "the F-15 flew", ["name"]),
        ("The Berlln office", "The Berlin office", ["small"]),
        ("Мэр Ива́н сказал", "Мэр Иван сказал", ["small"]),
        ("三人が", "四人が", ["number"]),
        ("the resume of it", "the résumé of it", ["small"]),
        ("was possible", "was impossible", ["word"]),
        ("", "said", ["word"]),
        ("same", "same", []),
    ],
)
def test_edits_are_told_apart(older: str, newer: str, kinds: list[str]) -> None:
    edits = word_edits(older, newer)
    assert edits is not None
    assert [edit.kind for edit in edits] == kinds


def test_a_text_too_long_for_a_sentence_is_not_compared_by_words() -> None:
    long = "word " * (MAX_WORDS + 1)
    assert word_edits(long, "word") is None


@pytest.mark.parametrize(
    "text",
    [
        "정정보도를 요구했다.",
        "정부가 법을 수정했다.",
        "잘못된 인식을 바로잡아야 한다.",
        "Corrections officers said they would strike.",
        "The market correction: it fell by a tenth.",
        "He called it a long overdue correction.",
        "La corrección del mercado fue breve.",
    ],
)
def test_the_news_of_a_correction_is_no_mark(text: str) -> None:
    assert correction_mark(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "[정정] 요금 300원",
        "요금 300원 <수정>",
        "바로잡습니다",
        "기사 내용 중 오류를 바로잡습니다.",
        "CORRECTED-Oil slips",
        "(Corrects date in paragraph 2)",
        "This story has been corrected to show the right date.",
        "An earlier version of this article misstated the fare.",
        "訂正：運賃",
        "更正：票價",
        "Fe de errores: la subida",
        "Rectificatif : le prix",
        "Berichtigung: Der Preis",
        "Исправлено: цена",
        "تصحيح: السعر",
    ],
)
def test_newsrooms_say_that_they_corrected(text: str) -> None:
    assert correction_mark(text)
