"""Lines that repeat on purpose stay, in every script; what repeats by mistake beside them goes."""

import pytest
from cleaning import repeats_of

ENGLISH = [
    "The council agreed on Tuesday to dig a second tunnel under the harbour of Narae by 2031.",
    "Ferry operators warned that 85 jobs would be lost once cars no longer queue for the boats.",
    "Mayor Mara Linden said the first boring machine would arrive from the yard next spring.",
    "Residents of the old quay asked for a footbridge as well, and for trees along the road.",
    "Engineers will drill forty test holes in the mud before the contract goes out to tender.",
    "The second hearing takes place in the town hall on the ninth of the month, at seven.",
]
KOREAN = [
    "나래시는 내년 3월부터 마을버스 12개 노선의 배차 간격을 15분에서 10분으로 줄인다고 4일 밝혔다.",
    "버스 기사 40명을 새로 뽑고, 낡은 차량 18대를 전기버스로 바꾸는 데 모두 96억원이 들어간다.",
    "달빛마을에 사는 김모 씨는 아이 학교 가는 길이 조금은 편해질 것 같다며 크게 웃어 보였다.",
    "교통 전문가들은 배차보다 환승 동선이 먼저라며 정류장 안내부터 고쳐야 한다고 주문했다.",
    "예산은 시의회 심의를 거쳐 12월 중순에 확정되고, 새 노선도는 그 뒤에 누리집에 실린다.",
    "시는 석 달 동안 시범 운행을 한 뒤에 이용자 조사 결과를 보고 남은 노선을 정하기로 했다.",
]


def between(lines, texts):
    """Return the lines, each followed by a text of its own."""
    return [part for pair in zip(lines, texts, strict=False) for part in pair]


@pytest.mark.parametrize(
    "labels",
    [
        ["SMITH:", "MS. LINDEN OF THE HARBOUR BOARD:"],
        ["Q:", "A:"],
        ["Professor Hana Lee of Narae University", "Mara Linden, the harbour mayor"],
        ["[Mara Linden / head of the harbour office]", "[Reporter]"],
        ["記者：", "月見市の山川葵・交通課長："],
        ["【司会】", "【月見市交通課長・山川葵さん】"],
        ["─ 司会", "─ 山川葵・月見市交通課長"],
        ["主持人：", "月城图书馆馆长李海："],
        ["Presentadora:", "Ana Luna, alcaldesa de Villa Luna:"],
        ["المذيع:", "ليلى حسن، مديرة المكتبة:"],
        ["एंकर:", "आशा वर्मा, पुस्तकालय की निदेशक:"],
        ["พิธีกร:", "ลลิตา แสงดาว ผู้อำนวยการหอสมุด:"],
        ["Ведущий:", "Анна Лунина, директор библиотеки:"],
        ["◀ 앵커 ▶", "◀ 윤슬기 나래행복자산관리연구소장 ▶"],
        ["윤슬기 나래시 교통행정과장", "이하늘 나래대학교 도시공학과 교수"],
    ],
    ids=lambda labels: labels[0],
)
@pytest.mark.parametrize("texts", [ENGLISH, KOREAN], ids=["english", "korean"])
def test_speaker_labels_stay(labels, texts):
    assert repeats_of(*between(labels * 3, texts)) == {}


@pytest.mark.parametrize(
    "answer",
    [
        "SMITH: Yes, that is what I saw.",
        ">> I could not tell you that.",
        "— No lo sé, de verdad.",
        "Q. What happened next?",
        "P. ¿Y qué pasó después?",
        "س: وماذا حدث بعد ذلك؟",
        "問：その後どうなりましたか。",
        "ถาม: แล้วเกิดอะไรขึ้นต่อ",
        "◇ 진행자> 그 뒤에는 어떻게 됐습니까.",
        "문) 그 뒤에는 어떻게 됐습니까",
    ],
)
def test_turns_of_a_dialogue_stay(answer):
    lead = answer[: max(2, answer.find(" ") + 1)]
    others = [f"{lead}{text}" for text in (*ENGLISH[:2], *KOREAN[:2])]
    script = [answer, others[0], answer, others[1], answer, others[2], others[3]]
    assert repeats_of(*script) == {}


def test_choices_of_a_quiz_stay():
    choices = [
        "① 매우 그렇게 생각하고 있다",
        "② 그저 그렇게 생각하고 있다",
        "③ 전혀 그렇지 않다고 본다",
    ]
    assert repeats_of(KOREAN[0], *choices, KOREAN[1], *choices, KOREAN[2]) == {}


def test_verse_with_full_stops_stays():
    verse = [
        "The gulls come home at evening light.",
        "The harbour lamps are burning low.",
        "Sing, river, sing us through the night.",
        "We were the last to row.",
        "The mist has swallowed up the quay.",
        "The bells are ringing soft and slow.",
        "Sing, river, sing us through the night.",
        "We were the last to row.",
    ]
    assert repeats_of(ENGLISH[0], *verse, ENGLISH[1]) == {}


def test_a_short_sentence_of_two_or_three_words_stays():
    assert repeats_of(ENGLISH[0], "It was not to be.", *ENGLISH[1:3], "It was not to be.") == {}


def test_what_a_contents_list_announces_heads_its_section():
    decks = [
        "버스 배차 간격, 어떻게 달라지나",
        "새로 뽑는 기사와 전기버스 예산",
        "환승센터까지 남은 과제들",
    ]
    sections = between(decks, KOREAN[1:4])
    assert repeats_of(*decks, KOREAN[0], *sections) == {}


def test_a_marked_heading_may_head_every_section():
    heading = "◇전문가가 꼽은 장점과 단점"
    assert repeats_of(KOREAN[0], heading, KOREAN[1], KOREAN[2], heading, KOREAN[3]) == {}


@pytest.mark.parametrize(
    "line",
    [
        "Story continues below",
        "ADVERTISEMENT",
        "[관련기사 더 보기]",
        "이미지 크게 보기",
        "あわせて読みたい",
        "Lea también: el túnel del puerto",
        "▲ 나래호수 전경",
        "Photo: Hana Lee",
    ],
)
def test_chrome_and_marked_captions_go_even_when_short(line):
    assert repeats_of(ENGLISH[0], line, ENGLISH[1], KOREAN[0], line, ENGLISH[2]) == {
        4: ("drop_paragraph", "repeat_single", 1)
    }


@pytest.mark.parametrize(
    "paragraph",
    [
        *ENGLISH[:2],
        KOREAN[0],
        "月見市は4日、川沿いの桜並木に新しい歩道橋を架けると発表した。工事は来年の春に始まる。",
        "月城市四日宣布，明年春天将在老码头旁新建一座图书馆，藏书十二万册，夜间开放到十一点。",
        "La alcaldesa anunció el martes que la ciudad abrirá una biblioteca nueva junto al puerto.",
        "أعلنت مديرة المكتبة ليلى حسن يوم الثلاثاء أن المدينة ستفتح قاعة للأطفال قرب الميناء.",
        "निदेशक आशा वर्मा ने मंगलवार को कहा कि शहर बंदरगाह के पास नया वाचनालय खोलेगा।",
        "ผู้อำนวยการหอสมุดลลิตาแสงดาวกล่าวเมื่อวันอังคารว่าเมืองจะเปิดห้องอ่านหนังสือใหม่ใกล้ท่าเรือ",
    ],
)
def test_a_paragraph_printed_twice_goes_in_every_script(paragraph):
    texts = (ENGLISH[3], paragraph, KOREAN[3], KOREAN[4], paragraph, ENGLISH[4])
    assert repeats_of(*texts) == {4: ("drop_paragraph", "repeat_single", 1)}
    twice = repeats_of(ENGLISH[3], KOREAN[3], f"{paragraph} {paragraph}", ENGLISH[4])
    assert twice == {2: ("drop_span", "repeat_single", 2)} or twice == {
        2: ("drop_span", "repeat_block", 2)
    }
