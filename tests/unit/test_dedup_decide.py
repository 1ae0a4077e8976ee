import pytest
from cleaning import clean, parsed_table

from pipeline.contracts import PARAGRAPHS
from pipeline.dedup.decide import KEYED_CLEAN, KEYED_PARAGRAPHS, clean_text
from pipeline.dedup.furniture import find_furniture
from pipeline.dedup.repeats import find_repeats
from pipeline.interim import REMOVALS
from pipeline.text.normalise import key_hash, make_key
from pipeline.text.paragraphs import split_paragraphs

FIRST = "달빛군이 4일 새 도서관을 열었다고 밝혔다. 책은 모두 12만 권이다."
SECOND = "군은 밤 11시까지 문을 열고 일요일에는 어린이 낭독회를 연다고 설명했다."
THIRD = "군수는 개관식에서 첫 책을 빌렸고, 책 이름은 밝히지 않았다."
FOOTER = "저작권자 ⓒ 나래일보, 무단 전재 및 재배포 금지"


def stages(*bodies):
    parsed = parsed_table(*bodies)
    spans = split_paragraphs(parsed)
    furniture, lifted = find_furniture(spans)
    return clean_text(parsed, spans, find_repeats(spans), furniture, lifted)


def test_kept_paragraphs_are_joined_by_a_blank_line_untouched():
    article = clean(FIRST, "  군은  밤늦게  연다.", FIRST, FOOTER)
    assert article.text == f"{FIRST}\n\n군은  밤늦게  연다."
    assert article.dropped == {2: "repeat_single", 3: "furniture_rights"}
    assert article.row["rights"] == FOOTER
    assert (article.row["n_paragraphs"], article.row["n_dropped_paragraphs"]) == (2, 2)
    assert article.row["n_chars"] == len(article.text)
    assert article.row["key_hash"] == key_hash(make_key(article.text))


def test_tables_keep_their_contracts():
    tables = stages(FIRST, "\n".join([FIRST, SECOND, FIRST, FOOTER]), FOOTER)
    for table, contract in zip(tables, (KEYED_CLEAN, KEYED_PARAGRAPHS, REMOVALS), strict=True):
        assert table.schema.equals(contract.schema)
    assert set(tables[1].column_names) == {*PARAGRAPHS.schema.names, "revision_id", "key"}


def test_no_article_makes_empty_tables():
    assert [table.num_rows for table in stages()] == [0, 0, 0]


def test_an_article_without_a_paragraph_stays_without_text():
    clean_table, paragraphs, _ = stages(" \n ")
    assert clean_table.column("text").to_pylist() == [""]
    assert paragraphs.num_rows == 0


def test_every_paragraph_has_a_row_and_a_reason_only_when_dropped():
    article = clean(FIRST, SECOND, FIRST, FOOTER)
    assert [p["seq"] for p in article.paragraphs] == [0, 1, 2, 3]
    for paragraph in article.paragraphs:
        assert (paragraph["reason"] is None) == (paragraph["status"] == "kept")
        assert paragraph["key_hash"] == key_hash(make_key(paragraph["text"]))
        assert paragraph["n_chars"] == len(paragraph["text"])


def test_furniture_comes_before_repeats():
    article = clean(FIRST, FOOTER, SECOND, FOOTER)
    assert article.dropped == {1: "furniture_rights", 3: "furniture_rights"}
    assert {r["reason"] for r in article.removals} == {"furniture_rights"}


def test_a_repeat_takes_the_paragraph_with_its_notice():
    caption = "[달빛=뉴시스] 새 도서관에서 군수가 첫 책을 빌리고 있다. *재판매 및 DB 금지"
    article = clean(caption, FIRST, caption)
    assert article.dropped == {2: "repeat_single"}
    in_effect = {(r["paragraph_seq"], r["action"]) for r in article.removals}
    assert in_effect == {(0, "drop_span"), (2, "drop_paragraph")}
    assert article.text == f"새 도서관에서 군수가 첫 책을 빌리고 있다.\n\n{FIRST}"


def test_a_paragraph_that_loses_a_span_stays_kept():
    article = clean(f"(달빛=연합뉴스) 이하늘 기자 = {FIRST} 무단전재 및 재배포 금지", SECOND)
    assert article.text == f"{FIRST}\n\n{SECOND}"
    assert article.dropped == {}
    assert {r["action"] for r in article.removals} == {"drop_span"}
    body = article.paragraphs[0]["text"]
    cut = sorted(body[r["start_char"] : r["end_char"]].strip() for r in article.removals)
    assert cut == ["(달빛=연합뉴스) 이하늘 기자 =", "무단전재 및 재배포 금지"]


@pytest.mark.parametrize(
    "paragraphs", [[FOOTER], [FOOTER, FOOTER], ["이하늘 기자 h@narae.example"]]
)
def test_an_article_is_never_emptied(paragraphs):
    article = clean(*paragraphs)
    assert article.text == "\n\n".join(paragraphs)
    assert article.dropped == {}
    assert article.row["rights"] is None
    assert {r["action"] for r in article.removals} == {"keep_paragraph"}
    assert all("nothing else would be left" in r["evidence"] for r in article.removals)


def test_a_given_byline_is_not_replaced():
    line = "이하늘 기자 haneul@narae.example"
    assert clean(FIRST, SECOND, line).row["byline"] == "이하늘 기자"
    assert clean(FIRST, SECOND, line, byline="윤슬기").row["byline"] == "윤슬기"


def test_dateline_and_agency_are_lifted():
    row = clean(f"(달빛=연합뉴스) 이하늘 기자 = {FIRST}", SECOND).row
    assert (row["dateline"], row["source_agency"]) == ("달빛=연합뉴스", "연합뉴스")
    assert row["byline"] == "이하늘 기자"


def test_what_stays_despite_a_repeat_is_noted():
    article = clean(FIRST, "비가 왔다.", FIRST, "눈도 왔다.", FIRST, "바람도 불었다.", FIRST)
    assert article.dropped == {}
    assert {r["action"] for r in article.removals} == {"keep_paragraph"}


def test_articles_of_a_batch_do_not_meet():
    tables = stages("\n".join([FIRST, SECOND]), "\n".join([SECOND, FIRST]), FIRST)
    assert tables[0].column("n_dropped_paragraphs").to_pylist() == [0, 0, 0]
    assert tables[2].num_rows == 0
