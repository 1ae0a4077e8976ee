import unicodedata

import pytest
from cleaning import parsed_table, split

from pipeline.dedup.captions import CaptionRules, find_captions
from pipeline.dedup.decide import clean_text
from pipeline.dedup.furniture import find_furniture
from pipeline.dedup.photo_credits import caption_core, credit_start, is_credit_line
from pipeline.dedup.repeats import find_repeats
from pipeline.interim import REMOVALS
from pipeline.text.paragraphs import split_paragraphs

FIRST = "달빛군이 4일 새 도서관을 열었다고 밝혔다. 책은 모두 12만 권이다."
SECOND = "군은 밤 11시까지 문을 열고 일요일에는 어린이 낭독회를 연다고 설명했다."
THIRD = "군수는 개관식에서 첫 책을 빌렸고, 책 이름은 밝히지 않았다."

CREDITS = [
    "사진=연합뉴스",
    "[사진 제공=달빛군]",
    "/사진=뉴스1",
    "(사진=달빛군 제공, 연합뉴스)",
    "[사진 출처 : 연합뉴스 / 달빛소방서 제공]",
    "사진 제공: 연합뉴스",
    "[연합뉴스 자료사진]",
    "[신화=연합뉴스 자료사진]",
    "게티이미지뱅크.",
    "[촬영 이하늘]",
    "[윤슬기 제작] 일러스트",
    "그래픽=이하늘 기자 haneul@narae.example",
    "일러스트 이하늘 기자",
    "달빛군 제공",
    "달빛경찰서 제공",
    "독자 제공",
    "온라인 커뮤니티 캡처",
    "〈사진=나래방송 화면 캡처〉",
    "◆…사진=달빛마트 제공",
    "(달빛구제공)",
    "나래일보DB",
    "※ 위 사진은 기사와 직접적인 관련이 없습니다.",
    "(AP Photo/Hana Lee)",
    "Photo: Hana Lee/Reuters",
    "Photo by Hana Lee/Getty Images",
    "Image credit: NASA",
    "Courtesy of the Narae Museum",
    "Getty Images/iStockphoto",
    "File photo",
    "写真：月見市提供",
    "（月見市提供）",
    "図＝月見新聞",
    "图片来源：视觉中国",
    "图/视觉中国",
    "新华社记者 李海 摄",
    "Foto: Ana Luna",
    "FOTO: Ana Luna / EFE",
    "Crédit photo : Léa Blanc",
    "Bild: Narae Zeitung",
    "Фото: Анна Лунина",
    "تصوير: ليلى حسن",
    "फोटो: आशा वर्मा",
    "ภาพจาก: สำนักข่าวนาราย",
    "Fotoğraf: Ayşe Ay",
    "צילום: דנה לוי",
]
NO_CREDITS = [
    "청년에게 월세 제공",
    "무료 급식 제공",
    "장학금 제공",
    "'달라면 준다' 통신자료 제공, 위헌일까",
    "그는 자료를 제공했다.",
    "사진 찍는 도중",
    "사진 전시회",
    "그래픽카드 값 상승",
    "그림책 읽는 시",
    "AP to cut 90 jobs",
    "Photos: the harbour in ten pictures",
    "Photo finish",
    "Image problems",
    "Credit: how it works",
    "The photo shows a harbour",
    "写真家の山川葵さん",
    "图书馆",
    "Bild of the day",
    "[나래=연합뉴스]",
]


@pytest.mark.parametrize("line", CREDITS)
def test_a_line_that_is_a_credit_alone(line):
    assert is_credit_line(line)


@pytest.mark.parametrize("line", NO_CREDITS)
def test_headings_and_sentences_are_no_credit(line):
    assert not is_credit_line(line)


@pytest.mark.parametrize(
    ("said", "credit"),
    [
        ("시장이 발언하고 있다.", " (사진=도청 제공)"),
        ("시장이 발언하고 있다", "(도청 제공)"),
        ("달빛호수 전경", " /사진=뉴스1"),
        ("시장이 발언하고 있다.", "/연합뉴스"),
        ("시장이 발언하고 있다.", " 2026.3.4/뉴스1 © 뉴스1 이하늘 기자"),
        ("시장이 발언하고 있다.", " 2026.03.04. haneul@narae.example"),
        ("시장이 발언하고 있다.", " (사진=달빛군 제공) 2026.3.4 *재판매 및 DB 금지"),
        ("달빛항 전경.", " 달빛군 제공"),
        ("달빛항 전경", " [사진 달빛전자]"),
        ("달빛항 조감도", " 자료=달빛시"),
        ("배추값 흐름.", " 그래픽=이하늘 기자 haneul@narae.example"),
        ("The mayor speaks on Tuesday.", " (AP Photo/Hana Lee)"),
        ("The mayor speaks on Tuesday.", " Photograph by Hana Lee"),
        ("The mayor speaks on Tuesday.", " REUTERS/Hana Lee"),
        ("The mayor speaks on Tuesday.", " Hana Lee/AFP via Getty Images"),
        ("月見市の歩道橋", "（写真：月見市提供）"),
        ("月見市の歩道橋", "＝3月4日、山川葵撮影"),
        ("月城新图书馆。", "新华社记者 李海 摄"),
        ("月城新图书馆", "（李海 摄）"),
        ("La alcaldesa habla el martes", " (Foto: Ana Luna)"),
        ("La maire parle mardi.", " Crédit photo : Léa Blanc"),
        ("Мэр выступает.", " Фото: Анна Лунина"),
        ("رئيسة البلدية تتحدث.", " تصوير: ليلى حسن"),
        ("मेयर बोलते हुए।", " फोटो: आशा वर्मा"),
    ],
)
def test_the_credit_at_the_end_of_a_caption(said, credit):
    assert credit_start(said + credit) == len(said)


@pytest.mark.parametrize(
    "text",
    [
        "시장은 사진을 제공했다.",
        "그는 증거로 사진을 냈다. 경찰은 자료를 제공받았다",
        "시는 내년 예산을 줄인다(자료 2쪽).",
        "학교는 4일 문을 연다(사진).",
        "군은 빵과 우유를 나눠줬다. 간식 제공",
        "The photo was taken by Hana Lee.",
        "The deal was first reported by Reuters.",
        "He works for the Associated Press (AP).",
        "The city will publish (see photo) its plan.",
    ],
)
def test_a_body_sentence_that_mentions_a_picture_bears_no_credit(text):
    assert credit_start(text) is None
    assert captions_of(FIRST, text, SECOND, THIRD) == []


def captions_of(*paragraphs, rules=None):
    """Return (paragraph, action, span) of each row."""
    body = "\n".join(paragraphs)
    table = find_captions(split(body), rules)
    assert table.schema.equals(REMOVALS.schema)
    assert set(table.column("reason").to_pylist()) <= {"furniture_caption"}
    return [
        (r["paragraph_seq"], r["action"], body[r["start_char"] : r["end_char"]])
        for r in table.to_pylist()
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_caption_stays_and_its_credit_goes(form):
    said, credit = "군수가 개관식에서 첫 책을 빌리고 있다.", " (사진=달빛군 제공)"
    caption = unicodedata.normalize(form, said + credit)
    line = unicodedata.normalize(form, "[달빛군 제공]")
    assert captions_of(FIRST, caption, line, SECOND, THIRD) == [
        (1, "keep_paragraph", caption),
        (1, "drop_span", unicodedata.normalize(form, credit)),
        (2, "drop_paragraph", line),
    ]


@pytest.mark.parametrize(
    "caption",
    [
        "▲ 새 열람실 전경",
        "◆…달빛군 새 도서관",
        "[사진설명] 군수와 사서들",
        "Caption: The new reading room",
    ],
)
def test_marks_name_a_caption_without_a_credit(caption):
    assert captions_of(FIRST, caption, SECOND) == [(1, "keep_paragraph", caption)]


def test_a_reporter_ends_a_caption_but_not_the_article():
    signed = f"{SECOND} /이하늘 기자"
    assert captions_of(FIRST, signed, THIRD, FIRST)[-1][1:] == ("drop_span", " /이하늘 기자")
    assert captions_of(FIRST, THIRD, signed) == []


def test_every_rule_changes_something():
    caption = f"{SECOND} {THIRD} (사진=달빛군 제공)"
    changes = {
        "max_caption_chars": (40, (FIRST, caption)),
        "max_caption_sentences": (1, (FIRST, caption)),
        "byline_paragraphs": (3, (FIRST, f"{SECOND} /이하늘 기자", THIRD, FIRST)),
    }
    assert set(changes) == set(CaptionRules.__dataclass_fields__)
    for name, (value, paragraphs) in changes.items():
        changed = captions_of(*paragraphs, rules=CaptionRules(**{name: value}))
        assert changed != captions_of(*paragraphs), name


def cleaned(*paragraphs):
    parsed = parsed_table("\n".join(paragraphs))
    spans = split_paragraphs(parsed)
    furniture, lifted = find_furniture(spans)
    captions = find_captions(spans)
    clean, table, removals = clean_text(
        parsed, spans, find_repeats(spans), furniture, lifted, captions=captions
    )
    dropped = {p["seq"]: p["reason"] for p in table.to_pylist() if p["status"] == "dropped"}
    return clean.to_pylist()[0], dropped, removals.to_pylist()


def test_credits_leave_the_text_and_captions_stay_known():
    caption = "군수가 개관식에서 첫 책을 빌리고 있다."
    clean, dropped, removals = cleaned(
        FIRST, f"{caption} /사진=달빛군", "사진=연합뉴스", SECOND, "사진=연합뉴스"
    )
    assert clean["text"] == "\n\n".join([FIRST, caption, SECOND])
    assert dropped == {2: "furniture_caption", 4: "furniture_caption"}
    assert {(r["paragraph_seq"], r["action"]) for r in removals} == {
        (1, "keep_paragraph"),
        (1, "drop_span"),
        (2, "drop_paragraph"),
        (4, "drop_paragraph"),
    }


def test_rights_come_before_credits():
    _, dropped, removals = cleaned(FIRST, "[달빛군 제공. 재판매 및 DB 금지]", SECOND)
    assert dropped == {1: "furniture_rights"}
    assert [r["reason"] for r in removals] == ["furniture_rights"]


def test_a_caption_that_repeats_its_paragraph_goes_as_a_repeat():
    caption = f"{FIRST} 사진은 기사와 무관함. /사진=연합뉴스"
    more = "군은 지난해 3월부터 열 달 동안 낡은 창고를 고쳐 열람실 네 곳과 서고 두 곳을 만들었다."
    _, dropped, _ = cleaned(f"{more} /사진=연합뉴스", SECOND, more, caption)
    assert dropped == {0: "repeat_near"}


@pytest.mark.parametrize(
    ("paragraphs", "text"),
    [
        (("사진=연합뉴스",), "사진=연합뉴스"),
        (("사진=연합뉴스", "저작권자 ⓒ 나래일보, 무단 전재 및 재배포 금지"), "사진=연합뉴스"),
        (("달빛호수 전경. /사진=연합뉴스",), "달빛호수 전경."),
    ],
)
def test_a_photo_article_is_never_emptied(paragraphs, text):
    clean, _, _ = cleaned(*paragraphs)
    assert clean["text"] == text


def test_the_core_of_a_caption_is_what_it_says():
    said = "시장이 발언하고 있다."
    assert caption_core(f"▲ {said} 사진은 기사와 무관함. /사진=나래통신") == said
    assert caption_core(said) == said


def test_no_article_makes_no_row():
    assert find_captions(split()).num_rows == 0
