import pytest

from pipeline.dedup import line_kinds


@pytest.mark.parametrize(
    "line",
    [
        "◀ 앵커 ▶",
        "[기자]",
        "<앵커>",
        "[윤슬기 / 나래시 교통과장]",
        "<녹취> 이하늘 / 나래시민 대표",
        "▶ 인터뷰 : 이하늘 / 나래대 교수",
        "윤슬기 / 나래시 교통과장",
        "사회자:",
        "◇ 이하늘>",
        "HOST:",
        "Mara Linden:",
        "【司会】",
        "المذيع:",
    ],
)
def test_speaker_labels(line):
    assert line_kinds.is_speaker_label(line)


@pytest.mark.parametrize(
    "line",
    [
        "[달빛군 제공. 재판매 및 DB 금지]",
        "[연합뉴스 자료사진]",
        "(사진=달빛군 제공)",
        "시장은 다리를 새로 놓겠다고 했다.",
        "달빛항에 새 등대가 선다",
        "◇어떻게 바뀌나",
    ],
)
def test_credits_headings_and_sentences_are_no_labels(line):
    assert not line_kinds.is_speaker_label(line)


@pytest.mark.parametrize(
    "line", ["Q. 언제 여나", "A: 내일이다.", "문) 왜", "답: 비가 와서", "問：なぜ"]
)
def test_turns_of_question_and_answer(line):
    assert line_kinds.is_turn(line)


@pytest.mark.parametrize("line", ["A씨는 웃었다.", "Quiet streets", "문 여는 시간", "답답하다"])
def test_words_that_begin_like_a_turn(line):
    assert not line_kinds.is_turn(line)


@pytest.mark.parametrize(
    "paragraph",
    [
        "시장이 발언하고 있다. (사진=도청 제공)",
        "달빛항에 배가 들어온다. /이하늘 기자",
        "달빛항에 배가 들어온다. ⓒ 나래일보",
        "달빛항에 배가 들어온다. 2026.3.4 haneul@narae.example",
        "The mayor speaks on Tuesday. (Photo: Hana Lee)",
        "月見市の歩道橋（写真：月見市提供）",
    ],
)
def test_captions(paragraph):
    assert line_kinds.is_caption(paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        "시장은 제공된 자료를 읽었다.",
        "정부는 요소수 재판매 금지 조치를 이달 말 끝낸다.",
        "The photo of the year went to a school class.",
    ],
)
def test_body_text_is_no_caption(paragraph):
    assert not line_kinds.is_caption(paragraph)


def test_rows_and_scores_but_no_sentence():
    assert line_kinds.is_row("1\t나래시민\t9\t2")
    assert line_kinds.is_row("나래  9  2  27")
    assert line_kinds.is_row("나래 2-1 달빛")
    assert not line_kinds.is_row("나래는  달빛을  2-1로 이겼다.")
