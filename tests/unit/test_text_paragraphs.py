import textwrap
import unicodedata

import pytest
from cleaning import parsed_table

from pipeline.text.paragraphs import paragraph_spans, split_paragraphs

ENGLISH = (
    "The council of Narae agreed on Tuesday to dig a second tunnel under the harbour, a project"
    " that has divided the town for eleven years. Ferry crews fear for their jobs.",
    "Work on the tunnel begins in May and should end in 2031, the mayor said after the vote."
    " It will cost 310 million dollars, two thirds of it paid by the region.",
    "Shopkeepers on the eastern pier collected 4,200 signatures against the plan and say that"
    " nobody has asked the people who live off the queue.",
)
KOREAN = (
    "나래시는 내년 봄부터 항구 아래로 두 번째 바다 터널을 뚫기로 했다고 시의회가 화요일에 밝혔다. "
    "배를 타고 오가던 주민들은 출근길이 한 시간 줄어들 것이라며 반겼지만 뱃사람들은 걱정이 많다.",
    "공사는 오월에 시작해 다섯 해 뒤에 끝나며 돈의 삼분의 이는 도에서 낸다. "
    "동쪽 부두의 가게 주인들은 계획에 반대하는 서명 사천이백 장을 모아 시장에게 건넸다.",
)


def texts(body):
    return [body[start:end] for start, end in paragraph_spans(body)]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028", "\n\n", "\n \t\n", "\x85"])
def test_every_line_break_ends_a_paragraph(line_break):
    assert texts(line_break.join(["하나", "둘", "셋"])) == ["하나", "둘", "셋"]


def test_outer_white_space_and_empty_lines_belong_to_no_paragraph():
    assert texts(" \n\u3000하나 \u200b\n\u200b\n\n  둘\t\n") == ["하나", "둘"]


def test_one_long_line_is_one_paragraph():
    assert texts("가" * 5000) == ["가" * 5000]


def test_a_text_of_white_space_has_none():
    assert texts(" \n\t\u3000\n") == []


@pytest.mark.parametrize("width", [60, 65, 72, 78])
@pytest.mark.parametrize(
    ("indent", "gap"), [("    ", "\n"), ("\u3000", "\n"), ("", "\n\n"), ("    ", "\n\n")]
)
def test_hard_wrapped_english_is_joined(width, indent, gap):
    wrapped = [textwrap.fill(p, width, initial_indent=indent) for p in ENGLISH]
    found = texts(gap.join(wrapped))
    assert [" ".join(p.split()) for p in found] == list(ENGLISH)


def test_hard_wrapped_korean_is_joined():
    # textwrap counts characters: 34 of them are up to 68 columns of Hangul.
    body = "\n\n".join(textwrap.fill(p, 34) for p in KOREAN)
    assert [" ".join(p.split()) for p in texts(body)] == list(KOREAN)


def test_hard_wrapped_japanese_is_joined():
    sentence = (
        "月見市は川沿いの桜並木に新しい歩道橋を架けると発表した。車いすでも渡れるように"
        "傾きを緩くする。工事費は三億円を見込み、来年の春に完成する予定だという。近くに住む"
        "山川葵さんは「花の季節が待ち遠しい」と話した。"
    )
    rows = [sentence[i : i + 20] for i in range(0, len(sentence), 20)]
    assert [p.replace("\n", "") for p in texts("\n".join(rows))] == [sentence]


def test_a_wire_story_whose_dateline_was_taken_off_keeps_its_short_first_line():
    body = (
        "Narae Shipping said it will\n"
        "buy four ferries from a yard on the island of Tevala for about\n"
        "310 mln dlrs, in a deal that the owners have to approve.\n"
        "    The first ship is due in 1988 and the last one in the\n"
        "autumn of 1990, the company said.\n"
        " Narae Wire\n"
    )
    assert [p.split("\n")[0] for p in texts(body)] == [
        "Narae Shipping said it will",
        "The first ship is due in 1988 and the last one in the",
        "Narae Wire",
    ]


def test_table_rows_of_a_wrapped_text_stay_lines():
    body = (
        "The harbour office of Narae adjusted the fees for small boats\n"
        "and for ferries as follows, and will look at them again after\n"
        "the summer, the office said in a short note to the owners:\n"
        "    LENGTH      NEW FEE    OLD FEE\n"
        "  0-6 metres    5.00 dlrs  4.80 dlrs\n"
        "  6-9 metres    7.50 dlrs  7.20 dlrs\n"
    )
    assert len(texts(body)) == 4


@pytest.mark.parametrize(
    "body",
    [
        "시장이 말했다.\n의회가 답했다.\n주민이 웃었다.\n비가 왔다.\n강이 넘쳤다.",
        "사과\n배\n복숭아\n자두\n살구\n앵두\n포도\n감",
        "The mayor opened the new library on Tuesday morning.\n"
        "The council met in the afternoon for three hours.\n"
        "Nobody objected to the plan for the harbour tunnel.\n"
        "Ferry crews said they had expected nothing else.",
        "Narae beats Tevala in the cup final\nHarbour tunnel to open in spring\n"
        "Council divided over ferry fees\nLibrary open until eleven at night",
    ],
)
def test_lines_that_are_paragraphs_stay_apart(body):
    assert texts(body) == body.split("\n")


def test_the_table_has_spans_texts_and_keys_of_every_revision():
    decomposed = unicodedata.normalize("NFD", "나래시  소식\n둘째 문단")
    spans = split_paragraphs(parsed_table("나래시 소식", decomposed, "")).to_pylist()
    bodies = {
        row["revision_id"]: row for row in parsed_table("나래시 소식", decomposed).to_pylist()
    }
    assert len(spans) == 3
    for row in spans:
        body = bodies[row["revision_id"]]["original_text"]
        assert body[row["start_char"] : row["end_char"]] == row["text"]
    assert len({row["key"] for row in spans if row["seq"] == 0}) == 1
