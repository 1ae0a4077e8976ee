"""What must hold for any article: spans, order, nothing lost, nothing removed twice."""

import hashlib

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup.captions import find_captions
from pipeline.dedup.decide import clean_text
from pipeline.dedup.furniture import find_furniture
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.dedup.repeats import find_repeats
from pipeline.dedup.sentence_repeats import repeated_sentences, without_spans
from pipeline.interim import PARSED
from pipeline.text.normalise import make_key
from pipeline.text.numbers import extract_numbers, numbers_conflict
from pipeline.text.paragraphs import INVISIBLE, join_keys, paragraph_spans, split_paragraphs
from pipeline.text.sentences import split_sentences

SENTENCES = [
    "나래시는 내년 3월부터 마을버스 12개 노선의 배차 간격을 15분에서 10분으로 줄인다고 밝혔다.",
    "버스 기사 40명을 새로 뽑고, 낡은 차량 18대를 전기버스로 바꾸는 데 모두 96억원이 들어간다.",
    "버스 기사 41명을 새로 뽑고, 낡은 차량 18대를 전기버스로 바꾸는 데 모두 96억원이 들어간다.",
    "예산은 시의회 심의를 거쳐 12월에 확정된다.",
    "비가 왔다.",
    "◇남은 일",
    "[앵커]",
    "[윤슬기 / 나래시 교통과장]",
    "Q. 가장 먼저 고칠 일은 무엇인가?",
    "나래 2-1 달빛",
    "1\t나래시민\t9\t2",
    "별이 지는 언덕 위에서",
    "The council agreed on Tuesday to dig a second tunnel under the harbour of Narae by 2031.",
    "Ferry operators warned that 85 jobs would be lost once cars no longer queue for boats.",
    "月見市は4日、川沿いの桜並木に新しい歩道橋を架けると発表した。",
    "وقالت مديرة المكتبة ليلى حسن إن الأطفال شاركوا في اختيار الكتب والألوان.",
    "(달빛=연합뉴스) 이하늘 기자 = 달빛군이 4일 새 도서관을 열었다.",
    "달빛항에 배가 들어온다. ⓒ 나래일보",
    "[달빛군 제공. 재판매 및 DB 금지]",
    "이하늘 기자 haneul@narae.example",
    "저작권자 ⓒ 나래일보, 무단 전재 및 재배포 금지",
    "© 2026 Narae Daily. All rights reserved.",
    "* * *",
    "[사진=달빛군 제공]",
    "Photo: Hana Lee/Reuters",
    "달빛항에 배가 들어온다. (사진=달빛군 제공) 2026.3.4",
]
# Sentences and headings: what guards keep (labels, lists) depends on how much of it there is.
PROSE = [*SENTENCES[:6], *SENTENCES[12:16], "* * *"]


def articles(sentences):
    """Return articles of these lines and of some joined, a part of them printed again."""
    paragraphs = st.lists(
        st.one_of(
            st.sampled_from(sentences),
            st.lists(st.sampled_from(SENTENCES[:5]), min_size=2, max_size=4).map(" ".join),
        ),
        min_size=1,
        max_size=14,
    )
    return st.tuples(paragraphs, st.integers(0, 10), st.integers(0, 10)).map(
        lambda t: t[0] + t[0][min(t[1:]) : max(t[1:])]
    )


any_text = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\0"),
        st.sampled_from(' \t\n\r\u2028\u3000\u200b.,!?。"”[]()=@ⓒ0123456789만억%기자다a'),
    ),
    max_size=200,
)


def cleaned(body):
    row = {
        field.name: hashlib.blake2b(body.encode(), digest_size=16).digest()
        for field in PARSED.schema
        if field.type == pa.binary(16)
    }
    row |= {"source_id": "narae", "original_text": body}
    parsed = pa.Table.from_pylist([row], schema=PARSED.schema)
    spans = split_paragraphs(parsed)
    furniture, lifted = find_furniture(spans)
    captions = find_captions(spans)
    tables = clean_text(parsed, spans, find_repeats(spans), furniture, lifted, captions=captions)
    clean, paragraph_rows, removals = (table.to_pylist() for table in tables)
    return clean[0], paragraph_rows, removals


@given(any_text)
@settings(max_examples=300, deadline=None)
def test_spans_are_the_text_without_white_space_around(text):
    spans = paragraph_spans(text)
    at = 0
    for start, end in spans:
        assert at <= start < end
        assert _is_blank(text[at:start])
        paragraph = text[start:end]
        assert paragraph == paragraph.strip()
        assert paragraph[0] not in INVISIBLE
        assert paragraph[-1] not in INVISIBLE
        at = end
    assert _is_blank(text[at:])


def _is_blank(text):
    return all(c.isspace() or c in INVISIBLE for c in text)


@given(any_text)
@settings(max_examples=300, deadline=None)
def test_sentences_are_the_text_without_white_space_around(text):
    at = 0
    for start, end in split_sentences(text):
        assert at <= start < end
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


@given(st.lists(st.one_of(any_text, st.sampled_from(SENTENCES)), max_size=6))
@settings(max_examples=400, deadline=None)
def test_the_key_of_joined_texts_is_made_of_their_keys(texts):
    assert join_keys(map(make_key, texts)) == make_key("\n\n".join(texts))


@given(any_text)
@settings(max_examples=200, deadline=None)
def test_any_text_is_cleaned_and_never_emptied(text):
    clean, rows, _ = cleaned(text)
    assert bool(clean["text"]) == bool(rows)
    for row in rows:
        assert text[row["start_char"] : row["end_char"]] == row["text"]


@given(articles(SENTENCES))
@settings(max_examples=400, deadline=None)
def test_kept_and_dropped_are_all_in_order(article):
    clean, rows, removals = cleaned("\n\n".join(article))
    assert [row["text"] for row in rows] == article
    kept = [row["text"] for row in rows if row["status"] == "kept"]
    assert kept
    assert clean["n_paragraphs"] == len(kept)
    assert clean["n_paragraphs"] + clean["n_dropped_paragraphs"] == len(article)
    cut = {r["paragraph_seq"] for r in removals if r["action"] == "drop_span"}
    at = 0
    for row in rows:
        if row["status"] == "kept" and row["seq"] not in cut:
            at = clean["text"].index(row["text"], at) + len(row["text"])
    dropped = {row["seq"]: row["reason"] for row in rows if row["status"] == "dropped"}
    in_effect = {
        r["paragraph_seq"]: r["reason"] for r in removals if r["action"] == "drop_paragraph"
    }
    assert dropped == in_effect


@given(articles(SENTENCES))
@settings(max_examples=400, deadline=None)
def test_what_a_repeat_repeats_stands_before_it_in_the_text(article):
    _, rows, removals = cleaned("\n\n".join(article))
    status = {row["seq"]: row for row in rows}
    for removal in removals:
        if removal["reason"] in ("repeat_block", "repeat_single"):
            matched, own = (
                status[removal["matched_paragraph_seq"]],
                status[removal["paragraph_seq"]],
            )
            span = article[own["seq"]][
                removal["start_char"] - own["start_char"] : removal["end_char"] - own["start_char"]
            ]
            if removal["action"] == "drop_span":
                before = own["text"][: removal["start_char"] - own["start_char"]]
                for start, end in split_sentences(span):
                    assert make_key(span[start:end]) in make_key(before)
                continue
            assert matched["seq"] < own["seq"]
            # What a paragraph repeats of itself is out before paragraphs are compared.
            assert once(matched["text"]) == once(own["text"])


def once(text):
    """Return the key of a text without what it repeats of itself."""
    return make_key(without_spans(text, repeated_sentences(text, RepeatRules())))


@given(articles(PROSE))
@settings(max_examples=400, deadline=None)
def test_cleaning_clean_prose_removes_nothing_more(article):
    once, _, _ = cleaned("\n\n".join(article))
    twice, _, _ = cleaned(once["text"])
    assert twice["text"] == once["text"]


@given(any_text)
@settings(max_examples=300, deadline=None)
def test_numbers_of_any_text_are_sorted_and_agree_with_themselves(text):
    numbers = extract_numbers(text)
    assert list(numbers) == sorted(numbers)
    evidence = numbers_conflict(numbers, numbers)
    assert evidence.is_compatible
    assert evidence.only_left == evidence.only_right == ()


number_lists = st.lists(
    st.one_of(
        st.integers(0, 12).map(str),
        st.integers(0, 12).map("{}%".format),
        st.integers(1, 28).map("d:---{:02d}".format),
        st.tuples(st.integers(1, 12), st.integers(1, 28)).map(
            lambda d: f"d:--{d[0]:02d}-{d[1]:02d}"
        ),
    ),
    max_size=8,
)


@given(number_lists, number_lists)
@settings(max_examples=300, deadline=None)
def test_the_comparison_of_numbers_is_symmetric(left, right):
    there, back = numbers_conflict(left, right), numbers_conflict(right, left)
    assert (there.is_compatible, there.n_shared) == (back.is_compatible, back.n_shared)
    assert (there.only_left, there.only_right) == (back.only_right, back.only_left)
    assert numbers_conflict(sorted(left, reverse=True), right) == there
