import unicodedata

import pytest
from cleaning import clean, split

from pipeline.dedup.furniture import FurnitureRules, find_furniture
from pipeline.dedup.furniture_pattern import pattern
from pipeline.dedup.patterns import PATTERNS
from pipeline.interim import LIFTED, REMOVALS

LEAD = "달빛군이 4일 새 도서관을 열었다."
BODY = [
    LEAD,
    "책은 모두 12만 권이다.",
    "밤 11시까지 문을 연다.",
    "군수도 책을 빌렸다.",
    "비가 왔다.",
]


def cuts(*paragraphs, rules=None, patterns=PATTERNS):
    """Return {paragraph: [(action, kind, what is cut)]} of one article."""
    body = "\n".join(paragraphs)
    found = {}
    for row in find_furniture(split(body), rules, patterns)[0].to_pylist():
        piece = body[row["start_char"] : row["end_char"]].strip()
        kind = row["reason"].removeprefix("furniture_")
        found.setdefault(row["paragraph_seq"], []).append((row["action"], kind, piece))
    return found


def lifted(*paragraphs):
    rows = find_furniture(split("\n".join(paragraphs)))[1].to_pylist()
    return {k: v for k, v in rows[0].items() if v and k != "revision_id"} if rows else {}


@pytest.mark.parametrize("reviewed", PATTERNS, ids=lambda p: p.name)
def test_every_pattern_takes_its_own_example_and_no_more_than_that(reviewed):
    found = cuts(reviewed.example, patterns=[reviewed])
    assert list(found) == [0]
    ((action, kind, piece),) = found[0]
    assert kind == reviewed.kind
    assert reviewed.example.endswith(piece) or reviewed.place == "head"
    assert (action == "drop_paragraph") == (piece == reviewed.example)


def test_names_are_unique():
    assert len({reviewed.name for reviewed in PATTERNS}) == len(PATTERNS)


@pytest.mark.parametrize(
    "notice",
    [
        "저작권자 ⓒ 나래일보, 무단 전재 및 재배포 금지",
        "<저작권자(c) 나래통신, 무단 전재-재배포 금지>",
        "[ⓒ 나래경제신문, 무단전재 배포금지]",
        "나래일보 무단전재 및 재배포 금지",
        "Copyright ⓒ 나래일보. All rights reserved. 무단 전재 및 재배포 금지.",
        "- Copyrightsⓒ 나래스포츠(http://narae.example/), 무단 전재 및 재배포 금지",
        "[달빛군 제공. 재판매 및 DB 금지]",
        "ⓒ나래사진",
        "ⓒ",
        "© 2026 Maren Post. All rights reserved. Republication without permission is prohibited.",
        "© 2026 The Narae Wire Company",
        "(c) 2026 Narae Wire",
        "北嶺日報　無断転載を禁じます",
        "版权所有 云渡日报社 未经授权不得转载",
        "El Faro de Ribamar. Todos los derechos reservados. Prohibida su reproducción total.",
        "جميع الحقوق محفوظة © صحيفة المرفأ 2026",
        "© Narae Zeitung. Alle Rechte vorbehalten.",
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("at", [0, 2, 5])
def test_a_rights_notice_goes_as_a_whole_at_any_place(notice, form, at):
    notice = unicodedata.normalize(form, notice)
    found = cuts(*BODY[:at], notice, *BODY[at:])
    assert found == {at: [("drop_paragraph", "rights", notice)]}
    article = clean(*BODY[:at], notice, *BODY[at:])
    assert article.text == "\n\n".join(BODY)
    assert article.row["rights"].strip(".>]") in notice


@pytest.mark.parametrize(
    "sentence",
    [
        "국회는 저작권법 개정안을 4일 통과시켰다.",
        "시의회는 '무단 전재 및 재배포 금지' 조항을 담은 조례를 만들었다.",
        "저작권자는 사흘 안에 이의를 낼 수 있다.",
        "정부는 요소수 재판매 금지 조치를 이달 말 끝내기로 했다.",
        "국내시장 안정돼 구매량 제한·재판매 금지 방안 올해말 종료",
        "아마존 열대우림 무단벌채 현장",
        "회사 로고 옆에 ⓒ 표시를 붙였다.",
        "The © symbol is used by the company.",
        "Copyright law was amended by parliament on Tuesday.",
        'The label on the box said "All rights reserved" in small letters.',
        "This story was published by the school paper first.",
        "著作権法の改正案が4日、国会で可決された。",
        "公司表示，未经授权的转载行为将受到处罚。",
        "La ley de derechos de autor fue aprobada el martes.",
        "By Tuesday Evening the harbour was empty.",
        "Reporting by phone from the island was hard that winter.",
        "NASA — the agency that built the probe — said it was fine.",
        "이하늘 기자는 올해의 기자상을 받았다.",
        "이달의 기자",
        "거리로 나온 기자",
        "나래방송 뉴스가 끝나면 비가 온다.",
    ],
)
@pytest.mark.parametrize("at", [0, 2, 5])
def test_body_text_that_speaks_of_rights_or_reporters_stays(sentence, at):
    assert cuts(*BODY[:at], sentence, *BODY[at:]) == {}


@pytest.mark.parametrize(
    ("paragraph", "piece"),
    [
        (f"{LEAD} 무단전재 및 재배포 금지", "무단전재 및 재배포 금지"),
        (f"{LEAD} [달빛군 제공. 재판매 및 DB 금지]", "[달빛군 제공. 재판매 및 DB 금지]"),
        ("달빛호수 전경 *재판매 및 DB 금지", "*재판매 및 DB 금지"),
        ("달빛항 전경ⓒ 나래일보 이하늘 기자", "ⓒ 나래일보 이하늘 기자"),
        ("The library opened. Copyright 2026 Narae Wire.", "Copyright 2026 Narae Wire."),
        ("図書館が開いた。記事・写真の無断転載を禁じます。", "記事・写真の無断転載を禁じます。"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_notice_at_the_end_of_body_text_goes_alone(paragraph, piece, form):
    paragraph, piece = (unicodedata.normalize(form, text) for text in (paragraph, piece))
    assert cuts(*BODY[:2], paragraph, *BODY[2:]) == {2: [("drop_span", "rights", piece)]}


def test_a_long_paragraph_loses_only_the_notice():
    long = LEAD * 20
    assert cuts(f"{long} 무단전재 및 재배포 금지", *BODY)[0][0][0] == "drop_span"


@pytest.mark.parametrize(
    ("head", "fields"),
    [
        (
            "(달빛=연합뉴스) 이하늘 기자 = ",
            {"dateline": "달빛=연합뉴스", "source_agency": "연합뉴스", "byline": "이하늘 기자"},
        ),
        (
            "[달빛=뉴시스]이하늘 윤슬기 기자 = ",
            {"dateline": "달빛=뉴시스", "source_agency": "뉴시스", "byline": "이하늘 윤슬기 기자"},
        ),
        (
            "(달빛·나래=뉴스1) 이하늘 기자,윤슬기 기자 = ",
            {
                "dateline": "달빛·나래=뉴스1",
                "source_agency": "뉴스1",
                "byline": "이하늘 기자,윤슬기 기자",
            },
        ),
        ("(달빛=연합뉴스) ", {"dateline": "달빛=연합뉴스", "source_agency": "연합뉴스"}),
        ("[나래경제=이하늘 기자] ", {"byline": "이하늘 기자"}),
        ("[달빛=나래일보 이하늘 기자] ", {"byline": "이하늘 기자"}),
        (
            "NARAE CITY, March 4 (Reuters) - ",
            {"dateline": "NARAE CITY, March 4 (Reuters)", "source_agency": "Reuters"},
        ),
        ("Narae, 4 mar (EFE).- ", {"dateline": "Narae, 4 mar (EFE)", "source_agency": "EFE"}),
        (
            "新华社月城3月4日电（记者 李海）",
            {"dateline": "新华社月城3月4日电", "source_agency": "新华社", "byline": "李海"},
        ),
        ("【月見 4日 共同】", {"dateline": "月見 4日 共同", "source_agency": "共同"}),
        ("ناري (رويترز) - ", {"dateline": "ناري (رويترز)", "source_agency": "رويترز"}),
    ],
)
def test_a_dateline_is_lifted_and_the_body_stays(head, fields):
    assert lifted(head + LEAD, *BODY) == fields
    assert clean(head + LEAD, *BODY[1:]).text == "\n\n".join(BODY)


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("이하늘 기자 haneul@narae.example", "이하늘 기자"),
        ("나래경제 이하늘 기자 haneul@narae.example", "이하늘 기자"),
        ("/이하늘 기자", "이하늘 기자"),
        ("달빛=이하늘 특파원", "이하늘 특파원"),
        ("이하늘·윤슬기 기자", "이하늘·윤슬기 기자"),
        ("<이하늘 기자 haneul@narae.example>", "이하늘 기자"),
        ("KBS 뉴스 이하늘입니다.", "이하늘"),
        ("By Hana Lee and Seul Yoon", "Hana Lee and Seul Yoon"),
        ("Por Ana Luna", "Ana Luna"),
        ("本报记者 李海", "李海"),
        ("記者 山川葵", "山川葵"),
    ],
)
def test_a_byline_near_head_or_tail_goes_and_in_the_middle_stays(line, byline):
    long = [*BODY, *BODY]
    assert lifted(line, *long)["byline"] == byline
    assert lifted(*long, line)["byline"] == byline
    assert cuts(*long[:5], line, *long[5:]) == {}


def test_a_mailbox_goes_and_is_no_author():
    assert cuts(*BODY, "haneul@narae.example")[5][0][0] == "drop_paragraph"
    assert lifted(*BODY, "haneul@narae.example") == {}


def test_a_byline_after_the_last_sentence():
    found = cuts(*BODY[:4], f"{BODY[4]} /이하늘 기자")
    assert found == {4: [("drop_span", "byline", "/이하늘 기자")]}
    assert lifted(*BODY[:4], f"{BODY[4]} /이하늘 기자")["byline"] == "이하늘 기자"


def test_the_reporter_of_the_text_comes_before_the_photographer():
    caption = "(달빛=연합뉴스) 윤슬기 기자 = 새 도서관이 붐비고 있다. 2026.3.4 seul@narae.example"
    text = f"(나래=연합뉴스) 이하늘 기자 = {LEAD}"
    assert lifted(caption, text)["byline"] == "이하늘 기자"
    assert lifted(caption, text)["dateline"] == "나래=연합뉴스"
    assert lifted(caption, LEAD)["byline"] == "윤슬기 기자"


def test_tables_keep_their_contracts():
    removals, fields = find_furniture(split(f"(달빛=연합뉴스) {LEAD}", LEAD))
    assert removals.schema.equals(REMOVALS.schema)
    assert fields.schema.equals(LIFTED.schema)
    assert fields.num_rows == 1
    assert removals.column("evidence").to_pylist() == ["pattern ko_dateline"]


def test_a_pattern_of_one_source_takes_part():
    line = "나래일보를 만나는 방법"
    learned = pattern("narae_footer", "ko", "source", "line", line, line)
    assert cuts(*BODY, line) == {}
    found = cuts(*BODY[:2], line, *BODY[2:], patterns=[*PATTERNS, learned])
    assert found == {2: [("drop_paragraph", "source", line)]}


def test_every_limit_changes_something():
    byline = "이하늘 기자 haneul@narae.example"
    bare = "나래일보 무단전재 및 재배포 금지"
    changes = {
        "max_rights_chars": (5, [LEAD, bare]),
        "max_byline_chars": (5, [byline, *BODY, *BODY]),
        "head_paragraphs": (0, [byline, *BODY, *BODY]),
        "tail_paragraphs": (0, [*BODY, *BODY, byline]),
        "span_paragraphs": (0, [*BODY[:4], f"{BODY[4]} haneul@narae.example"]),
        "tail_chars": (2, [f"{LEAD} 무단전재 및 재배포 금지", LEAD]),
    }
    assert set(changes) == set(FurnitureRules.__dataclass_fields__)
    for name, (value, paragraphs) in changes.items():
        changed = cuts(*paragraphs, rules=FurnitureRules(**{name: value}))
        assert changed != cuts(*paragraphs), name


@pytest.mark.parametrize(
    ("paragraphs", "agency"),
    [
        ([f"{LEAD} /연합뉴스"], "연합뉴스"),
        ([*BODY, "달빛군은 다음 달에도 새 도서관을 연다고 덧붙였다. 뉴시스"], "뉴시스"),
        ([*BODY, "뉴스1 제공"], "뉴스1"),
        ([*BODY, "[연합뉴스]"], "연합뉴스"),
        ([*BODY, "/News1"], "뉴스1"),
        (["The city opened a new library on Tuesday. Reuter"], "Reuters"),
        (["- Reuter"], "Reuters"),
        (["WASHINGTON (AP) — The city opened a new library."], "AP"),
        (["WASHINGTON, March 4 (Reuters) - The city opened a new library."], "Reuters"),
        (["[달빛=뉴시스]"], "뉴시스"),
        (["【달빛=뉴시스】달빛군청 전경. 2026.3.4."], "뉴시스"),
        ([*BODY, "군수는 연합뉴스와의 통화에서 그렇게 말했다."], None),
        ([*BODY, "He told Reuters."], None),
        (["(사진=연합뉴스)", *BODY], None),
        (["(달빛군 제공=연합뉴스) 새 도서관 전경", *BODY], None),
    ],
)
def test_the_agency_of_wire_copy(paragraphs, agency):
    assert lifted(*paragraphs).get("source_agency") == agency


def test_the_agency_of_a_picture_is_not_that_of_the_text():
    long = f"{LEAD} 다음 달까지 시민 누구나 책을 열 권씩 빌릴 수 있다고 군수는 말했다."
    picture = "4일 달빛군 새 도서관에서 시민들이 책을 고르고 있다."
    caption = f"(달빛=연합뉴스) 이하늘 기자 = {picture} 2026.3.4 haneul@narae.example"
    assert "source_agency" not in lifted(long * 2, f"{picture} /연합뉴스")
    assert "source_agency" not in lifted(long * 2, picture, "연합뉴스")
    assert "source_agency" not in lifted(caption, long * 2)
    assert lifted(f"{picture} /연합뉴스")["source_agency"] == "연합뉴스"
    assert lifted(caption)["source_agency"] == "연합뉴스"


def test_mastheads_go_from_the_head_and_headings_stay():
    assert cuts(f"[한국일보] {LEAD}", *BODY) == {0: [("drop_span", "byline", "[한국일보]")]}
    assert cuts("[한국일보]", *BODY) == {0: [("drop_paragraph", "byline", "[한국일보]")]}
    assert cuts("[오늘의 경제]", *BODY) == {}
    assert lifted(f"[나래누리 = 이하늘 기자] {LEAD}")["byline"] == "이하늘 기자"
    assert lifted(f"[달빛=나래누리 이하늘 기자] {LEAD}")["byline"] == "이하늘 기자"
