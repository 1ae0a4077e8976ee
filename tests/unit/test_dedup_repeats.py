import unicodedata

import pytest
from cleaning import repeats_of, split

from pipeline.dedup.near_repeats import covered_shares
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.dedup.repeats import find_repeats
from pipeline.interim import REMOVALS
from pipeline.text.normalise import make_key

NINE = [
    "나래시는 내년 3월부터 마을버스 12개 노선의 배차 간격을 15분에서 10분으로 줄인다고 4일 밝혔다.",
    '시 관계자는 "출퇴근 시간대에 버스를 오래 기다린다는 민원이 해마다 늘었다"고 설명했다.',
    "◇어떻게 바뀌나",
    "버스 기사 40명을 새로 뽑고, 낡은 차량 18대를 전기버스로 바꾸는 데 모두 96억원이 들어간다.",
    "예산은 시의회 심의를 거쳐 12월 중순에 확정된다.",
    '달빛마을에 사는 김모 씨는 "아이 학교 가는 길이 조금은 편해질 것 같다"며 웃었다.',
    "◇남은 일",
    "1번과 4번 노선은 시청 대신 새로 문을 연 환승센터까지 운행한다.",
    '교통 전문가들은 "배차보다 환승 동선이 먼저"라며 정류장 안내 개선을 주문했다.',
]
FOOTER = "저작권자 ⓒ 나래일보, 무단 전재 및 재배포 금지"
AGAIN = [NINE[i] for i in (1, 3, 4, 5, 6, 7, 8)]
EXPECTED = {
    9 + n: ("drop_paragraph", "repeat_block", source)
    for n, source in enumerate((1, 3, 4, 5, 6, 7, 8))
}
LONG = (
    "나래시 도서관이 밤 11시까지 문을 열자 하루 이용자가 420명에서 610명으로 늘었다고 시가 지난 2일"
    " 밝혔다. 늘어난 이용자의 절반은 퇴근한 직장인이었다."
)
OTHER = "사서들은 두 조로 나뉘어 일하고, 밤에는 자원봉사자 열두 명이 대출대를 지킨다."


@pytest.mark.parametrize(
    "copy",
    [
        str,
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: "  " + text.replace(" ", "  "),
        lambda text: text.replace(" ", ""),
        lambda text: text.replace('"', "”"),
    ],
    ids=["same", "decomposed", "stray spaces", "no spaces", "other quotes"],
)
def test_exactly_the_seven_repeated_paragraphs_of_nine_go(copy):
    assert repeats_of(*NINE, *map(copy, AGAIN), FOOTER) == EXPECTED


def test_the_first_of_the_seven_may_be_a_heading():
    paragraphs = [NINE[0], "◇현황", *NINE[2:]]
    again = [paragraphs[i] for i in (1, 3, 4, 5, 6, 7, 8)]
    assert repeats_of(*paragraphs, *again, FOOTER) == EXPECTED


def test_removals_keep_the_contract_and_the_evidence():
    table = find_repeats(split("\n".join([*NINE, *AGAIN])))
    assert table.schema.equals(REMOVALS.schema)
    for row in table.to_pylist():
        assert row["matched_article_id"] == row["article_id"]
        assert (row["jaccard"], row["containment"], row["is_numbers_equal"]) == (1.0, 1.0, True)
        assert "run of 7" in row["evidence"]


def test_an_article_without_repeats_has_no_row_and_no_article_is_no_fault():
    assert repeats_of(*NINE) == {}
    assert find_repeats(split()).num_rows == 0


@pytest.mark.parametrize(
    ("line", "is_dropped"),
    [
        ("달빛항 새 등대", False),  # 6 characters
        ("달빛항 앞바다에 새로 선 등대", True),  # 12
        ("[달빛군 제공. 재판매 및 DB 금지]", True),
        ("이하늘 기자 haneul@narae.example", True),
        ("[윤슬기 / 나래시 교통과장]", False),
        ("▶ 인터뷰 : 윤슬기 / 나래시 교통과장", False),
        ("Q. 가장 먼저 고칠 일은 무엇이라고 보나", False),
        ("나래시민\t9승\t2패\t승점 27점", False),
        ("나래시민유나이티드 2-1 달빛항구", False),
    ],
)
def test_a_single_equal_line(line, is_dropped):
    found = repeats_of(NINE[0], line, NINE[3], line, NINE[5])
    assert found == ({3: ("drop_paragraph", "repeat_single", 1)} if is_dropped else {})


def test_near_copies_need_equal_numbers():
    near = LONG.replace("이용자의 절반", "이용자 절반")
    assert repeats_of(LONG, OTHER, near) == {2: ("drop_paragraph", "repeat_near", 0)}
    assert repeats_of(LONG, OTHER, near.replace("610명", "780명")) == {}
    assert repeats_of(LONG, OTHER, near.replace("2일", "9일")) == {}


def test_a_later_paragraph_inside_an_earlier_longer_one():
    inner = LONG.split(" 늘어난")[0]
    more = f"{inner} 시의회는 이 결과를 보고 내년 예산을 세 배로 늘리는 안을 곧바로 통과시켰다."
    long_inner = RepeatRules(min_long_chars=40)
    assert repeats_of(more, OTHER, inner, rules=long_inner) == {
        2: ("drop_paragraph", "repeat_near", 0)
    }
    assert repeats_of(inner, OTHER, more, rules=long_inner) == {}


def test_of_a_caption_and_its_paragraph_the_paragraph_stays():
    caption = f"◆…{LONG[:-1]} 사진=나래시 제공"
    assert repeats_of(caption, LONG, OTHER) == {0: ("drop_paragraph", "repeat_near", 1)}
    assert repeats_of(LONG, OTHER, caption) == {2: ("drop_paragraph", "repeat_near", 0)}


def test_captions_of_different_pictures_stay():
    caption = f"{LONG[:-1]} 관계자들이 {{}} 있다. (사진=나래시 제공)"
    assert repeats_of(caption.format("인사하고"), OTHER, caption.format("책을 나르고")) == {}


def test_a_blob_goes_and_its_pieces_stay():
    pieces = [NINE[0], NINE[1], NINE[3]]
    blob = " ".join(pieces)
    assert repeats_of(blob, *pieces) == {0: ("drop_paragraph", "repeat_blob", 1)}
    assert repeats_of(*pieces, blob) == {3: ("drop_paragraph", "repeat_blob", 0)}


def test_a_summary_with_a_number_of_its_own_is_no_blob():
    pieces = [NINE[0], NINE[1], NINE[3]]
    assert repeats_of(*pieces, " ".join(pieces).replace("96억원", "97억원")) == {}


def test_a_script_printed_twice_goes_with_its_labels():
    script = [
        "[앵커]",
        "어젯밤 나래시에 눈이 12센티미터 내렸습니다. 이하늘 기자가 전합니다.",
        "[기자]",
        "도로는 아침부터 얼어붙었고 버스는 느리게 움직였습니다.",
        "[윤슬기 / 나래시 교통과장]",
        "제설 차량 30대를 새벽 4시부터 투입했습니다만 골목길은 아직입니다.",
        "[기자]",
        "기상청은 오늘 밤 한 차례 더 눈이 온다고 내다봤습니다.",
    ]
    assert repeats_of(*script) == {}
    found = repeats_of(*script, *script)
    assert sorted(found) == list(range(8, 16))
    assert {reason for _, reason, _ in found.values()} == {"repeat_block"}


@pytest.mark.parametrize(
    "copies",
    [
        [
            LONG.replace("이용자의 절반", "이용자 절반"),
            LONG.replace("늘어난 이용자", "이용자"),
            LONG.replace("퇴근한 ", ""),
        ],
        ["비가 왔다.", "바람이 불었다.", LONG, "눈이 왔다.", "해가 났다.", LONG],
    ],
    ids=["near copies", "equal ones far apart"],
)
def test_when_most_of_an_article_would_go_all_of_it_stays_and_that_is_said(copies):
    rows = find_repeats(split("\n".join([LONG, *copies]))).to_pylist()
    assert {row["action"] for row in rows} == {"keep_paragraph"}
    assert all("of the article would go" in row["evidence"] for row in rows)
    assert len(rows) > 1


def test_an_exact_run_goes_whatever_its_share():
    found = repeats_of(*[LONG, OTHER] * 4)
    assert sorted(found) == [2, 3, 4, 5, 6, 7]
    assert repeats_of(*[LONG] * 4) == dict.fromkeys(
        (1, 2, 3), ("drop_paragraph", "repeat_block", 0)
    )


def test_every_threshold_changes_something():
    near = LONG.replace("이용자의 절반", "이용자 절반")
    line = "달빛항 앞바다에 새로 선 등대"
    pieces = [NINE[0], NINE[1], NINE[3]]
    short = [
        LONG,
        "비가 조금 왔다.",
        "눈도 조금 왔다.",
        OTHER,
        "비가 조금 왔다.",
        "눈도 조금 왔다.",
    ]
    caption = f"{LONG[:-1]} (사진=나래시 제공)"
    series = f"{LONG[:-1]} 고. (사진=나래시 제공)"
    changes = {
        "min_single_chars": (13, [NINE[0], line, OTHER, line]),
        "min_near_chars": (200, [LONG, OTHER, near]),
        "min_long_chars": (200, [LONG, OTHER, LONG.replace("이용자가 ", "")]),
        "near_jaccard": (0.8, [NINE[1], OTHER, NINE[1].replace("해마다 ", "")]),
        "long_jaccard": (0.99, [LONG, OTHER, near]),
        "long_containment": (1.01, [f"{LONG} {NINE[1]} {NINE[5]}", OTHER, LONG]),
        "caption_jaccard": (0.9, [caption, OTHER, series]),
        "blob_coverage": (1.01, [" ".join(pieces), *pieces]),
        "blob_length_ratio": (9.0, [" ".join(pieces), *pieces]),
        "blob_piece_containment": (1.01, [" ".join(pieces), *pieces]),
        "min_block_chars": (60, short),
        "max_removed_share": (0.2, [LONG, OTHER, LONG]),
        "max_near_paragraphs": (2, [LONG, OTHER, near]),
    }
    assert set(changes) == set(RepeatRules.__dataclass_fields__)
    for name, (value, paragraphs) in changes.items():
        changed = repeats_of(*paragraphs, rules=RepeatRules(**{name: value}))
        assert changed != repeats_of(*paragraphs), name


def test_coverage_is_an_upper_bound_and_does_not_look_into_other_articles():
    keys = [make_key(text) for text in (LONG, OTHER, LONG[: len(LONG) // 2], LONG)]
    shares = covered_shares(keys, [0, 0, 0, 1])
    assert shares[2] == 1.0
    assert 0.3 < shares[0] < 1.0
    assert shares[1] < 0.2
    assert shares[3] == 0.0


def test_the_same_rows_for_any_batch():
    bodies = ["\n".join([*NINE, *AGAIN]), LONG, "\n".join([LONG, OTHER, LONG])]
    spans = split(*bodies)
    revisions = spans.column("revision_id").to_pylist()
    alone = []
    for revision in sorted(set(revisions)):
        own = [row for row, other in enumerate(revisions) if other == revision]
        alone += find_repeats(spans.take(own)).to_pylist()
    assert alone == find_repeats(spans).to_pylist()
    assert len(alone) == 8
