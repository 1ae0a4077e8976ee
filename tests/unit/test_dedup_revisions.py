"""What a revision changes: its class, the order of revisions and the paragraph diff."""

from __future__ import annotations

import json
import random
import time
import unicodedata
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import ARTICLES, REVISION_CLASSES
from pipeline.dedup.paragraph_diff import compare_passages
from pipeline.dedup.revision_classes import RevisionRules
from pipeline.dedup.revisions import COLUMNS, compare_revisions, revision_age
from pipeline.dedup.word_edits import MAX_WORDS
from pipeline.interim import COMPARED
from tests.unit.articles_factory import NOON, article_id, story

SCHEMA = pa.schema([ARTICLES.schema.field(name) for name in COLUMNS])

KOREAN = (
    "한빛시는 3일 시내버스 요금을 300원 올린다고 밝혔다. 조정은 4년 만이다.\n\n"
    "김철수 교통국장은 “적자가 1만2천명분의 임금을 넘어섰다”고 설명했다. "
    "시의회는 이날 오후 표결했다.\n\n"
    "시민단체는 인상 폭이 크다며 반대하고 있다. 새 요금은 다음 달 1일부터 적용된다."
)
ENGLISH = (
    "The harbour council of Port Ellery voted on Tuesday to dredge the northern channel. "
    "Work starts in May and is expected to last nineteen weeks, Mayor Jon Smith said.\n\n"
    "Fishing crews had asked for a later start because the herring season ends in June. "
    "The council answered that the contractor's ships were booked for the whole autumn.\n\n"
    "The dredged sand goes to the beach at Low Haven, which lost a third of its width."
)
JAPANESE = (
    "風見市は三日、市営バスの運賃を30円引き上げると発表した。改定は四年ぶりとなる。\n\n"
    "山田氏は「赤字が続いている」と説明した。市議会は同日午後に採決した。\n\n"
    "市民団体は値上げ幅が大きいとして反対している。新しい運賃は来月から適用される。"
)
SPANISH = (
    "El concejo de Puerto Sereno aprobó el martes la subida del billete a 30 céntimos. "
    "Es la primera subida en cuatro años, dijo el portavoz.\n\n"
    "Los vecinos habían pedido que la medida esperase al verano. "
    "El gobierno municipal respondió que el déficit no lo permite."
)


def row(number: int, text: str, **fields: Any) -> dict[str, Any]:
    fields = {"updated_at": NOON + timedelta(hours=number), "published_at": NOON, **fields}
    empty = dict.fromkeys(COLUMNS)
    name = fields.pop("of", "one")
    return empty | {
        "article_id": article_id(name),
        "revision_id": article_id(f"{name} revision {number}"),
        "content_hash": article_id(f"{name} content {number}"),
        "title": "시내버스 요금 인상",
        "original_text": text,
        **fields,
    }


def compare(*rows: dict[str, Any], rules: RevisionRules | None = None) -> list[dict[str, Any]]:
    compared = compare_revisions(pa.Table.from_pylist(list(rows), SCHEMA), rules)
    assert compared.schema.equals(COMPARED.schema)
    found = compared.to_pylist()
    for own in found:
        own["diff"], own["evidence"] = json.loads(own["diff"]), json.loads(own["evidence"])
    return found


def change(older: str, newer: str, **fields: Any) -> tuple[str, str]:
    [found] = compare(row(0, older), row(1, newer, **fields))
    return found["revision_class"], found["evidence"]["rule"]


# Classes

CASES = [
    # cosmetic
    (KOREAN, KOREAN.replace("“", '"').replace("”", '"'), "cosmetic", "keys_equal"),
    (KOREAN, KOREAN.replace("시내버스 요금", "시내 버스요금"), "cosmetic", "keys_equal"),
    (KOREAN, KOREAN.replace("\n\n", "\n"), "cosmetic", "keys_equal"),
    (KOREAN, KOREAN.replace(". 조정은", ".\n\n조정은"), "cosmetic", "keys_equal"),
    (KOREAN, KOREAN + "\n\nⓒ 한빛일보, 무단전재 및 재배포 금지", "cosmetic", "keys_equal"),
    (KOREAN, KOREAN + "\n\n이나라 기자 nara@hanbit.example", "cosmetic", "keys_equal"),
    (KOREAN, KOREAN.replace("1만2천명분", "12,000명분"), "cosmetic", "notation"),
    (ENGLISH, ENGLISH.replace("council's", "council’s").upper(), "cosmetic", "keys_equal"),
    # typo
    (KOREAN, KOREAN.replace("밝혔다", "발혔다"), "typo", "slips"),
    (KOREAN, KOREAN.replace("시민단체는", "시민단체가"), "typo", "slips"),
    (ENGLISH.replace("expected", "expcted"), ENGLISH, "typo", "slips"),
    (ENGLISH.replace("asked for", "asked for for"), ENGLISH, "typo", "slips"),
    (
        SPANISH.replace("céntimos", "centimos").replace("vecinos", "vecnos"),
        SPANISH,
        "typo",
        "slips",
    ),
    # correction
    (KOREAN, KOREAN.replace("300원", "400원"), "correction", "number_exchanged"),
    (KOREAN, KOREAN.replace("3일", "4일"), "correction", "date_exchanged"),
    (KOREAN, KOREAN.replace("김철수 교통국장", "김철호 교통국장"), "correction", "name_exchanged"),
    (ENGLISH, ENGLISH.replace("nineteen", "eighteen"), "correction", "number_exchanged"),
    (ENGLISH, ENGLISH.replace("Tuesday", "Wednesday"), "correction", "date_exchanged"),
    (ENGLISH, ENGLISH.replace("Jon Smith", "John Smith"), "correction", "name_exchanged"),
    (ENGLISH, ENGLISH.replace("northern", "southern"), "correction", "word_exchanged"),
    (JAPANESE, JAPANESE.replace("30円", "40円"), "correction", "number_exchanged"),
    (JAPANESE, JAPANESE.replace("山田氏", "山口氏"), "correction", "name_exchanged"),
    (SPANISH, SPANISH.replace("30 céntimos", "35 céntimos"), "correction", "number_exchanged"),
    (KOREAN, KOREAN + "\n\n[바로잡습니다] 인상 폭을 고쳤습니다.", "correction", "correction_mark"),
    (
        ENGLISH,
        ENGLISH + "\n\nCorrection: an earlier version of this article misnamed the mayor.",
        "correction",
        "correction_mark",
    ),
    (
        JAPANESE,
        JAPANESE + "\n\n訂正：運賃の額に誤りがありました。",
        "correction",
        "correction_mark",
    ),
    (SPANISH, SPANISH + "\n\nFe de errores: la subida es de 30.", "correction", "correction_mark"),
    (
        KOREAN + "\n\n한빛시 시내버스 차고지의 아침 풍경. 9일 촬영",
        KOREAN + "\n\n한빛시 시내버스 차고지의 아침 풍경. 8일 촬영",
        "correction",
        "date_exchanged",
    ),
    # update
    ("[한빛]", "[한빛]\n\n시는 노인 요금을 그대로 두기로 했다.", "update", "sentences_added"),
    (KOREAN, KOREAN + "\n\n시는 노인 요금을 그대로 두기로 했다.", "update", "sentences_added"),
    (KOREAN, KOREAN.replace("조정은 4년 만이다.", ""), "update", "sentences_removed"),
    (
        ENGLISH,
        ENGLISH.replace("June. ", "June. A hearing follows on Friday, the clerk added. "),
        "update",
        "sentences_added",
    ),
    (
        KOREAN,
        "\n\n".join(reversed(KOREAN.split("\n\n"))),
        "update",
        "paragraphs_moved",
    ),
    (
        "오후 3시 현재 확진자는 120명이다. 시는 검사소를 늘렸다.",
        "오후 6시 현재 확진자는 150명이다. 시는 검사소를 늘렸다.",
        "update",
        "figures_moved",
    ),
    (
        "Fire crews counted 3 dead, 10 hurt and 2 missing at the mill. The road is closed.",
        "Fire crews counted 5 dead, 14 hurt and 1 missing at the mill. The road is closed.",
        "update",
        "figures_moved",
    ),
    # rewrite
    (KOREAN, story("another", 60), "rewrite", "replaced"),
    (ENGLISH, "Withdrawn by the desk.", "rewrite", "replaced"),
]


@pytest.mark.parametrize(("older", "newer", "wanted", "rule"), CASES)
def test_the_class_and_its_rule(older: str, newer: str, wanted: str, rule: str) -> None:
    assert older != newer
    assert change(older, newer) == (wanted, rule)
    assert wanted in REVISION_CLASSES


FIELDS = {
    "url": "https://hanbit.example/1",
    "section": "사회",
    "language": "ko",
    "publisher": "한빛일보",
    "published_at": NOON + timedelta(minutes=1),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_alone_is_cosmetic_and_named(field: str) -> None:
    [found] = compare(row(0, KOREAN), row(1, KOREAN, **{field: FIELDS[field]}))
    assert (found["revision_class"], found["diff"], found["jaccard"]) == ("cosmetic", [], 1.0)
    assert set(found["evidence"]["fields"]) == {field, "updated_at"}


def test_what_two_documents_with_equal_content_differ_in_is_no_evidence() -> None:
    first = row(0, KOREAN, url="https://www.hanbit.example/%EA%B0%80?utm_source=a", section="사회")
    other = first | {
        "url": "http://hanbit.example/가?fbclid=1#top",
        "title": unicodedata.normalize("NFD", first["title"]),
        "section": unicodedata.normalize("NFD", first["section"]),
    }
    newer = row(1, KOREAN, url="https://hanbit.example/가", section="사회")
    assert compare(first, newer) == compare(other, newer)
    assert compare(first, newer)[0]["evidence"]["fields"] == ["updated_at"]


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("시내버스 요금, 인상", ("cosmetic", "keys_equal")),
        ("[속보] 시내버스 요금 인상", ("cosmetic", "keys_equal")),
        ("[정정] 시내버스 요금 인상", ("correction", "correction_mark")),
        ("시내버스 요그 인상", ("typo", "slips")),
        ("시내버스 요금 동결", ("correction", "word_exchanged")),
        ("가을 축제에 시민 몰려 도심 정체", ("update", "headline")),
        (None, ("update", "headline")),
    ],
)
def test_the_headline_counts(title: str | None, wanted: tuple[str, str]) -> None:
    assert change(KOREAN, KOREAN, title=title) == wanted


def test_figures_under_a_mark_of_a_running_story_are_an_update() -> None:
    flash = "한빛시 공장 불로 3명이 숨졌다고 소방 당국이 밝혔다. 진화 작업은 계속되고 있다."
    later = flash.replace("3명", "5명")
    assert change(flash, later) == ("correction", "number_exchanged")
    assert change(flash, later, title="[속보] 시내버스 요금 인상") == ("update", "figures_moved")
    assert change(flash, later, title="시내버스 요금 인상(2보)") == ("update", "newsroom_mark")


def test_a_flash_is_filled_in_not_rewritten() -> None:
    assert change("한빛시가 시내버스 요금을 올린다.", KOREAN * 2) == ("update", "flash_filled_in")


def test_another_article_under_one_id_is_a_rewrite_however_short_the_first() -> None:
    older, newer = "가을 축제가 새봄에서 열렸다.", KOREAN
    [found] = compare(row(0, older, title="새봄시 가을 축제 성황"), row(1, newer))
    assert (found["revision_class"], found["evidence"]["rule"]) == ("rewrite", "replaced")
    rules = RevisionRules(flash_containment=0.0)
    [found] = compare(row(0, older, title="새봄시 가을 축제 성황"), row(1, newer), rules=rules)
    assert found["evidence"]["rule"] == "flash_filled_in"


def test_a_correction_mark_that_stood_before_says_nothing_again() -> None:
    noted = KOREAN + "\n\n[바로잡습니다] 인상 폭을 고쳤습니다."
    assert change(noted, noted.replace("밝혔다", "발혔다")) == ("typo", "slips")


def test_many_slips_or_words_are_more_than_a_typo_or_correction() -> None:
    words = story("long", 200).split()
    few, many = list(words), list(words)
    for number in range(3):
        few[number * 20] += "은"
    for number in range(12):
        many[number * 15] += "은" if number % 2 else "을"
    older = " ".join(words)
    assert change(older, " ".join(few))[0] == "typo"
    assert change(older, " ".join(many)) == ("update", "reworded")
    exchanged = KOREAN.replace("반대하고 있다", "찬성과 반대로 갈려 밤늦게까지 토론했다")
    assert change(KOREAN, exchanged) == ("update", "reworded")


SPLIT = KOREAN.replace("밝혔다. 조정은 4년 만이다.", "밝혔고 조정이 4년 만이라고 했다.")
NUMBERS = [
    ("rewrite_containment", 0.99, KOREAN, KOREAN.replace("300원", "400원")),
    ("max_facts", 0, KOREAN, KOREAN.replace("300원", "400원")),
    ("max_words", 0, ENGLISH, ENGLISH.replace("northern", "southern")),
    ("max_passage_words", 0, ENGLISH, ENGLISH.replace("northern", "southern")),
    ("max_slips", 0, KOREAN, KOREAN.replace("밝혔다", "발혔다")),
    ("held_containment", 0.1, KOREAN, SPLIT),
    ("flash_shingles", 5, "한빛시가 요금을 올린다고 오늘 발표했다.", KOREAN),
]


@pytest.mark.parametrize(("name", "value", "older", "newer"), NUMBERS)
def test_each_number_of_the_rules_counts(name: str, value: float, older: str, newer: str) -> None:
    [found] = compare(row(0, older), row(1, newer))
    [other] = compare(row(0, older), row(1, newer), rules=RevisionRules(**{name: value}))
    assert found["evidence"]["rule"] != other["evidence"]["rule"]


def test_a_grown_flash_needs_its_mark_or_growth() -> None:
    older, newer = story("flash", 50), story("whole", 150)
    marked = row(0, older, title="[1보] 요금"), row(1, newer, title="요금(종합)")
    assert compare(*marked)[0]["revision_class"] == "update"
    rules = RevisionRules(flash_growth=10)
    assert compare(*marked, rules=rules)[0]["revision_class"] == "rewrite"
    assert compare(row(0, older), row(1, newer))[0]["revision_class"] == "rewrite"


# Order


def test_age_is_updated_else_published_else_oldest() -> None:
    early, late = datetime(2026, 3, 1), datetime(2026, 3, 2)  # noqa: DTZ001 (naive UTC)
    ages = [
        revision_age(None, None, b"b"),
        revision_age(None, None, b"c"),
        revision_age(None, early, b"z"),
        revision_age(early, late, b"zz"),
        revision_age(late, None, b"a"),
        revision_age(late, early, b"b"),
    ]
    assert ages == sorted(ages)


def chain() -> list[dict[str, Any]]:
    texts = [KOREAN, KOREAN.replace("300원", "400원"), KOREAN + "\n\n시는 답하지 않았다."]
    rows = [row(n, text) for n, text in enumerate(texts)]
    return rows + [row(n, text, of="two", updated_at=None) for n, text in enumerate(texts)]


@settings(deadline=None, max_examples=20)
@given(st.permutations(chain()))
def test_the_order_of_the_rows_does_not_matter(rows: list[dict[str, Any]]) -> None:
    found = compare(*rows)
    assert found == compare(*chain())
    assert len(found) == 4
    own = {r["revision_id"]: r["previous_revision_id"] for r in found}
    ids = [r["revision_id"] for r in chain()[:3]]
    assert (own[ids[1]], own[ids[2]]) == (ids[0], ids[1])


def test_articles_of_one_revision_give_no_row() -> None:
    assert compare(row(0, KOREAN), row(0, KOREAN, of="two")) == []
    assert compare() == []


# Diff


def test_the_diff_names_what_became_of_each_paragraph() -> None:
    older = [story(n, 20) for n in range(6)]
    newer = [
        older[0],
        older[4],
        older[1],
        older[2] + " 400원",
        "덧붙인 문단이 여기에 새로 들어간다.",
    ]
    [found] = compare(row(0, "\n".join(older)), row(1, "\n".join(newer)))
    shown = [(d["op"], d.get("seq"), d.get("previous_seq")) for d in found["diff"]]
    assert shown == [
        ("moved", 1, 4),
        ("changed", 3, 2),
        ("added", 4, None),
        ("removed", None, 3),
        ("removed", None, 5),
    ]
    assert (found["n_added"], found["n_removed"], found["n_changed"]) == (1, 2, 1)
    for entry in found["diff"]:
        assert entry.get("text", newer[0]) in newer
        assert entry.get("previous_text", older[0]) in older
    assert [("previous_text" in d) for d in found["diff"]] == [False, True, False, True, True]


def test_positions_count_furniture_and_empty_lines_as_the_paragraphs_table_does() -> None:
    older = "ⓒ 한빛일보, 무단전재 및 재배포 금지\n***\n" + story(1, 30) + "\n" + story(2, 30)
    [found] = compare(row(0, older), row(1, older + "\n" + story(3, 30)))
    assert [(d["op"], d["seq"]) for d in found["diff"]] == [("added", 4)]


@settings(deadline=None)
@given(st.data())
def test_the_diff_leads_from_the_older_text_to_the_newer(data: st.DataObject) -> None:
    words = st.lists(st.sampled_from(["가나다라", "abcd", "300원", "漢字"]), min_size=1)
    body = st.lists(words.map(" ".join), max_size=8)
    older, newer = data.draw(body), data.draw(body)
    diff = compare_passages(older, newer)
    assert all(older[i] == newer[j] for i, j in diff.kept + diff.moved)
    assert diff.kept == sorted(diff.kept)
    assert [i for i, _ in diff.kept] == sorted(i for i, _ in diff.kept)
    pairs = diff.kept + diff.moved + diff.changed
    assert sorted([i for i, _ in pairs] + diff.removed) == list(range(len(older)))
    assert sorted([j for _, j in pairs] + diff.added) == list(range(len(newer)))


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcde"), max_size=12), st.randoms())
def test_swapping_sides_swaps_added_and_removed(keys: list[str], chance: random.Random) -> None:
    other = [*keys, "f"]
    chance.shuffle(other)
    there, back = compare_passages(keys, other), compare_passages(other, keys)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert sorted((j, i) for i, j in there.changed) == sorted(back.changed)
    assert len(there.kept) == len(back.kept)


@pytest.mark.parametrize("kind", ["every paragraph edited and moved", "one line 2,000 times"])
def test_a_long_article_is_compared_in_seconds(kind: str) -> None:
    older = [f"{story(n, 12)} {n}호" for n in range(2000)]
    newer = [text.replace("시", "군", 1) for text in older]
    random.Random(1).shuffle(newer)
    if kind.startswith("one"):
        older, newer = ["가게 12곳이 문을 열었다."] * 2000, ["가게 13곳이 문을 닫았다."] * 2000
    began = time.perf_counter()
    compare(row(0, "\n".join(older)), row(1, "\n".join(newer)))
    assert time.perf_counter() - began < 20


def test_a_sentence_too_long_for_word_edits_is_an_update() -> None:
    long = "word " * (MAX_WORDS + 1)
    assert change(long, long + "and another 7")[0] == "update"
