import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from cleaning import parsed_table, split

from pipeline.dedup.line_masks import reporter_of
from pipeline.dedup.lines import (
    EDGE,
    PLAIN,
    find_lines,
    kind_of,
    line_hashes,
    lines_column,
    template_key,
)
from pipeline.interim import LINES

BODY = (
    "달빛군은 4일 새 도서관을 열었다고 밝혔습니다. 책은 모두 12만 권이고 밤 11시까지 문을 엽니다."
)


def line_of(text, source="narae", is_edge=False):
    return int(line_hashes([text], [source], np.array([is_edge]))[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("이하늘 기자 haneul@narae.example", "윤슬기 기자 seulgi@narae.example"),
        ("나래스포츠 이하늘 기자 a@narae.example", "나래스포츠 윤슬기 기자 b@narae.example"),
        ("▶ 관련 기사 https://narae.example/1", "▶ 관련 기사 https://narae.example/2?a=b"),
        ("제보 전화 02-123-4567", "제보 전화 031-765-4321"),
        ("입력 2026.3.4 10:15", "입력 2026.11.30 09:05"),
        (
            "※ 이 기사는 3월 4일 10:15에 먼저 실렸습니다.",
            "※ 이 기사는 12월 30일 07:00에 먼저 실렸습니다.",
        ),
        ("By Hana Lee and Seul Yoon, Narae Daily", "By Ana Luna, Narae Daily"),
        ("Reporting by Hana Lee in Narae", "Reporting by Ana Luna in Narae"),
        ("나래일보를 만나는 방법", "〈나래일보〉를  만나는 방법 —"),
        ("Narae Daily – read on", unicodedata.normalize("NFD", "NARAE DAILY: read on")),
        ("나래방송 제보", unicodedata.normalize("NFD", "나래방송 제보")),
    ],
)
def test_what_changes_from_article_to_article_is_masked(one, other):
    assert template_key(one) == template_key(other)
    assert line_of(one) == line_of(other) != 0
    assert line_of(one) != line_of(one, source="maren")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("코스닥 지수는 12.3포인트 오른 채 마감", "코스닥 지수는 4.5포인트 오른 채 마감"),
        ("내일 아침 기온은 3도", "내일 아침 기온은 7도"),
        ("달빛역 1번 출구", "달빛역 2번 출구"),
        ("The index closed at 3,020.24", "The index closed at 2,999.55"),
    ],
)
def test_other_numbers_stay(one, other):
    assert 0 != line_of(one) != line_of(other) != 0


@pytest.mark.parametrize(
    "text",
    [
        "[앵커]",
        "<기자>",
        "◀ 리포트 ▶",
        "[나래 춘천] [앵커]",
        "진행자:",
        "[이하늘 / 시민단체 사무처장]",
        "이하늘/변호사",
        "[이하늘]",
        "이하늘 기자",
        "Q. 언제부터 준비했나",
        "언제 문을 여나요?",
        "(LAUGHTER)",
        "달빛 3-1 나래",
        "구분 | 1월 | 2월",
        "2026.3.4",
        "haneul@narae.example",
        "***",
        "(달빛=나래통신) 이하늘 기자 = 4일 달빛광장에 등대 모형이 서 있다. 2026.3.4",
        "4일 달빛광장에서 시민들이 등대 모형을 바라보고 있다.",
        "등대 모형은 축제가 끝나는 날까지 불을 밝힐 예정입니다. 2026.3.4 haneul@narae.example",
        "기상청은 건강 관리에 유의해야 한다고 당부했다.",
        "(Applause)",
        "(일동 웃음)",
        "HANA LEE: Thank you.",
        BODY * 4,
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_labels_questions_rows_and_long_paragraphs_are_no_lines(text, form):
    assert line_of(unicodedata.normalize(form, text)) == 0


@pytest.mark.parametrize(
    ("text", "kind", "is_plain"),
    [
        ("나래스포츠 이하늘 기자 haneul@narae.example", "byline", False),
        ("국제부 world@narae.example", "byline", False),
        ("▶ 이메일: tips@narae.example", "source", False),
        ("© Narae DB", "rights", False),
        ("[사진 출처 : 나래통신]", "caption", False),
        ("사진 제보는 나래일보로", "source", False),
        ("(끝)", "source", True),
        ("(END)", "source", True),
        ("(Reporting by Hana Lee)", "byline", False),
        ("나래방송은 24시간 여러분의 제보를 기다립니다.", "source", False),
        ("경찰은 정확한 사고 경위를 조사하고 있습니다.", "source", True),
        ("Police are investigating.", "source", True),
        ("Sign up for our newsletter.", "source", False),
        ("Ingredients", "source", True),
        (BODY, "source", True),
    ],
)
def test_kind_and_plain_stand_in_the_hash(text, kind, is_plain):
    line = line_of(text)
    assert kind_of(line) == kind
    assert bool(line & int(PLAIN)) == is_plain
    assert line_of(text, is_edge=True) == line | int(EDGE)


def lines_of(*bodies, sources=None):
    """Return {text: is at the edge} of each article, by LINES and by the column."""
    parsed = parsed_table(*bodies)
    if sources:
        parsed = parsed.set_column(
            parsed.schema.get_field_index("source_id"), "source_id", pa.array(sources)
        )
    spans = split(*bodies)
    found = find_lines(spans, parsed)
    assert found.schema.equals(LINES.schema)
    column = lines_column(found, parsed, "revision_id")
    assert column.equals(lines_column(spans, parsed))
    return column.to_pylist()


def test_the_edge_is_the_first_two_and_last_four_but_contacts_do_not_count():
    inner = [f"{BODY} {n}" for n in range(12)]
    footer = [
        "■ 제보하기",
        "▷ 전화 02-123-4567",
        "▷ 이메일 a@narae.example",
        "▷ narae.example/tips",
    ]
    (lines,) = lines_of("\n\n".join([*inner, *footer, "ⓒ 나래방송"]))
    edge = {line & ~1 for line in lines if line & 1}
    expected = [*inner[:2], *inner[-4:], *footer, "ⓒ 나래방송"]
    assert edge == {line_of(text) for text in expected}
    assert {line & ~1 for line in lines} == {line_of(t) for t in [*inner, *footer, "ⓒ 나래방송"]}


def test_an_article_counts_a_line_once_and_at_the_edge_only_if_it_stands_nowhere_else():
    inner = [f"{BODY} {n}" for n in range(12)]
    label = "[나래통신 자료]"
    (twice,) = lines_of("\n\n".join([label, *inner[:6], label, *inner[6:]]))
    assert [line & 1 for line in twice if line & ~1 == line_of(label)] == [0]
    (edges,) = lines_of("\n\n".join([label, *inner, label]))
    assert [line & 1 for line in edges if line & ~1 == line_of(label)] == [1]


def test_rows_follow_the_articles_whatever_their_order():
    bodies = ["나래일보를 만나는 방법", "[앵커]", "마렌일보를 만나는 방법\n나래일보를 만나는 방법"]
    sources = ["narae", "narae", "maren"]
    first, second, third = lines_of(*bodies, sources=sources)
    assert first == [line_of(bodies[0], is_edge=True)]
    assert second == []
    assert len(third) == 2
    assert first[0] not in third


def test_paragraphs_of_other_articles_are_left_out():
    spans = split("나래일보를 만나는 방법", "마렌일보를 만나는 방법")
    parsed = parsed_table("나래일보를 만나는 방법")
    assert lines_column(spans, parsed).to_pylist() == lines_of("나래일보를 만나는 방법")
    assert lines_column(spans, parsed.slice(0, 0)).to_pylist() == []
    assert lines_column(spans.slice(0, 0), parsed).to_pylist() == [[]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("나래스포츠 이하늘 기자 haneul@narae.example", "이하늘 기자"),
        ("이하늘·윤슬기 기자", "이하늘·윤슬기 기자"),
        ("By Hana Lee and Seul Yoon", "Hana Lee and Seul Yoon"),
        ("本报记者 李海", "李海"),
        ("국제부 world@narae.example", None),
    ],
)
def test_the_reporter_of_a_byline(text, name):
    assert reporter_of(text) == name
