import json
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from articles_factory import NOON, article, article_id, keys, story

from pipeline.contracts import ID, conform
from pipeline.dedup.bands import BandRules, find_candidates
from pipeline.dedup.relations import RelationRules, are_titles_fitting
from pipeline.dedup.verify import parts_of, verify
from pipeline.interim import PAIRS, VERIFIED
from pipeline.text.normalise import make_key
from pipeline.text.shingles import STORY, containment, jaccard, shingle_hashes

RULES = RelationRules()
LONG = story("long", 200)


def pairs_of(*names):
    left, right = sorted(map(article_id, names))
    table = PAIRS.schema.empty_table().from_pydict(
        {"left_id": [left], "right_id": [right], "found_by": ["band"]}, schema=PAIRS.schema
    )
    return conform(table, PAIRS)


def compare(one, other, rules=RULES):
    """Return the VERIFIED row of two articles (the first is `a`, the second `b`), or None."""
    rows = verify(pairs_of("a", "b"), keys(one, other), [], rules).to_pylist()
    return rows[0] if rows else None


def rule_of(row):
    return row["relation"], json.loads(row["evidence"])["rule"]


def edited(text, n_words):
    """Return the text with its last words replaced."""
    words = text.split()
    return " ".join([*words[:-n_words], *story("edit", n_words).split()])


def test_measures_are_exact():
    one, other = LONG, edited(LONG, 30)
    row = compare(article("a", one), article("b", other))
    left, right = (shingle_hashes(make_key(text), STORY) for text in (one, other))
    if article_id("b") < article_id("a"):
        left, right = right, left
    assert row["jaccard"] == pytest.approx(jaccard(left, right), abs=1e-6)
    assert row["left_containment"] == pytest.approx(containment(left, right), abs=1e-6)
    assert row["right_containment"] == pytest.approx(containment(right, left), abs=1e-6)
    assert (row["relation"], row["is_duplicate"], row["is_numbers_equal"]) == ("near", True, True)


@pytest.mark.parametrize(
    ("n_words", "expected"),
    [
        (0, ("exact", "same_key")),
        (40, ("near", "near_long")),
        (90, ("related", "below_near_long")),
        (180, None),
    ],
)
def test_relation_falls_with_jaccard(n_words, expected):
    other = edited(LONG, n_words) if n_words else LONG.replace(" ", "  ")
    row = compare(article("a", LONG), article("b", other, source="other"))
    assert (rule_of(row) if row else None) == expected


def test_a_template_with_other_numbers_is_no_duplicate():
    one = LONG + " 지수는 2,999.55로 0.3% 올랐고 거래량은 5만 주였다"
    other = LONG + " 지수는 3,012.43으로 0.9% 올랐고 거래량은 7만 주였다"
    row = compare(article("a", one), article("b", other))
    assert rule_of(row) == ("series", "numbers_conflict")
    assert not row["is_duplicate"]
    assert not row["is_numbers_equal"]
    evidence = json.loads(row["evidence"])
    assert evidence["numbers_only_left"]
    assert evidence["numbers_only_right"]


def test_a_template_that_changes_numbers_at_the_same_places_is_no_duplicate():
    table = LONG + " 상승 종목 {}개 하락 종목 {}개 보합 종목 31개 거래량 5만주 거래대금 9억원"
    table += " 상한가 7개 하한가 2개 신고가 14개 신저가 19개 거래정지 6개"
    one, other = table.format(412, 398), table.format(377, 401)
    pair = article("a", one, at=None), article("b", other, at=None)
    row = compare(*pair)
    assert rule_of(row) == ("series", "numbers_exchanged")
    assert (json.loads(row["evidence"])["n_changed_slots"], row["is_duplicate"]) == (2, False)
    loose = RelationRules(max_changed_ratio_strict=0.5)
    assert compare(*pair, loose)["relation"] == "near"
    dated = article("a", one), article("b", other, source="other")
    assert compare(*dated)["relation"] == "near"
    assert compare(*dated, RelationRules(max_changed_ratio=0.1))["relation"] == "series"
    assert compare(*dated, RelationRules(max_changed_ratio=0.1, min_changed_slots=3))[
        "is_duplicate"
    ]


def test_a_copy_with_other_numbers_in_a_paragraph_more_is_no_template():
    shared = " 사업비 12억원 면적 340㎡ 주차 58면 열람석 220석 공사 14개월"
    one = LONG + shared + " 앞서 시는 3차례 설명회를 열고 71명의 의견을 들었다"
    other = LONG + shared + " 주민 5천명이 서명한 청원은 8월 의회에 올랐고 예산은 6억원 늘었다"
    pair = article("a", one), article("b", other, source="other")
    assert rule_of(compare(*pair)) == ("near", "near_long")
    for strict in (RelationRules(min_agreeing_slots=6), RelationRules(max_overruled_conflict=0.2)):
        assert rule_of(compare(*pair, strict)) == ("series", "numbers_conflict")


def test_an_update_that_adds_numbers_stays_near():
    other = LONG + " 다친 사람은 12명으로 늘었다"
    assert rule_of(compare(article("a", LONG), article("b", other))) == ("near", "near_long")


def test_short_texts_need_more():
    short = story("short", 50)
    assert rule_of(compare(article("a", short), article("b", edited(short, 2)))) == (
        "near",
        "near_short",
    )
    assert rule_of(compare(article("a", short), article("b", edited(short, 12)))) == (
        "related",
        "below_near_short",
    )
    assert rule_of(compare(article("a", short), article("b", short + " 3명"))) == (
        "series",
        "numbers_differ_short",
    )


def test_how_alike_short_texts_must_be_is_a_setting():
    short = story("short", 50)
    pair = article("a", short), article("b", edited(short, 6))
    assert compare(*pair, RelationRules(near_jaccard_short=0.6))["relation"] == "near"
    assert compare(*pair, RelationRules(near_jaccard_short=0.95))["relation"] == "related"


def test_another_day_needs_more():
    later = {"at": NOON + timedelta(days=3)}
    near, far = edited(LONG, 8), edited(LONG, 40)
    assert rule_of(compare(article("a", LONG), article("b", near, **later)))[1] == "near_late"
    assert rule_of(compare(article("a", LONG), article("b", far, **later)))[1] == "below_near_late"
    assert rule_of(compare(article("a", LONG), article("b", far, at=None)))[1] == "near_long"
    assert rule_of(compare(article("a", LONG), article("b", LONG, **later)))[1] == "same_key"


@pytest.mark.parametrize(
    ("body", "titles", "relation"),
    [
        ("[한빛일보 남부취재본부]", ("남부 의회 개회", "항구에 새 등대"), "related"),
        ("[한빛일보 남부취재본부]", ("남부 의회 개회", "남부 의회 개회"), "exact"),
        ("[한빛일보 남부취재본부]", ("남부 의회 개회", None), "exact"),
        ("강변 억새밭에서 시민들이 사진을 찍고 있다", ("가을 억새밭", "강변 시민들"), "exact"),
        ("강변 억새밭에서 시민들이 사진을 찍고 있다", ("가을 억새밭", "환율 급등"), "related"),
    ],
)
def test_equal_stubs_need_titles_that_fit(body, titles, relation):
    one, other = (article(n, body, title=t) for n, t in zip("ab", titles, strict=True))
    assert compare(one, other)["relation"] == relation


def test_titles_fit_their_own_text():
    assert are_titles_fitting("가을억새", "강변가을억새밭", "억새밭시민", "강변억새밭시민")
    assert not are_titles_fitting("가을억새", "강변가을억새밭", "환율급등", "강변억새밭시민")


@pytest.mark.parametrize(
    "rules",
    [
        RelationRules(near_jaccard=0.9),
        RelationRules(short_shingles=10_000),
    ],
)
def test_every_number_of_near_counts(rules):
    one, other = article("a", LONG), article("b", edited(LONG, 40))
    assert compare(one, other)["relation"] == "near"
    assert compare(one, other, rules)["relation"] == "related"


def test_a_relation_makes_a_story_where_the_settings_say_so():
    one, other = article("a", LONG), article("b", edited(LONG, 40))
    row = compare(one, other, RelationRules(duplicate_relations=frozenset({"exact"})))
    assert (row["relation"], row["is_duplicate"]) == ("near", False)


GROWN = story("long", 70) + " " + story("later", 130)
"""Half of it is the start of LONG: Jaccard 0.2 with it, a third of either."""


def versions(one_title, other_title, one_text=LONG, other_text=GROWN, **changes):
    return (
        article("a", one_text, title=one_title),
        article(
            "b", other_text, **{"title": other_title, "at": NOON + timedelta(hours=2)} | changes
        ),
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, ("update", "marked_version")),
        ({"at": None}, ("update", "marked_version")),
        ({"at": NOON + timedelta(hours=25)}, None),
        ({"source": "other"}, None),
        ({"other_title": "한강 둔치 도서관 개관"}, None),
        ({"other_title": "한강 둔치 도서관 연기(종합)"}, None),
    ],
)
def test_versions_that_headlines_name_are_an_update(changes, rule):
    titles = {"one_title": "한강 둔치 도서관 개관", "other_title": "한강 둔치 도서관 개관(종합)"}
    row = compare(*versions(**titles | changes))
    assert (rule_of(row) if row else None) == rule


def test_marks_alone_make_no_update():
    titles = "한강 둔치 도서관 개관", "한강 둔치 도서관 개관(종합)"
    assert compare(*versions(*titles, other_text=story("other", 200))) is None
    higher = RelationRules(marked_jaccard=0.6, marked_containment=0.6)
    row = compare(*versions(*titles), higher)
    assert row is None or row["relation"] == "related"
    assert compare(*versions(*titles), RelationRules(update_hours=1)) is None


def test_the_template_of_another_day_is_no_version_of_it():
    table = story("table", 60) + " 상승 {}개 하락 {}개 보합 {}개 거래 {}만주 대금 {}억원"
    pair = versions(
        "코스피 상승 마감",
        "코스피 상승 마감(종합)",
        table.format(412, 398, 31, 5, 9),
        table.format(377, 401, 26, 7, 8),
        at=None,
    )
    assert not compare(*pair)["is_duplicate"]
    loose = RelationRules(max_changed_ratio_marked=1.0)
    assert compare(*pair, loose)["relation"] == "update"


@pytest.mark.parametrize(
    ("hours", "title", "relation", "rule"),
    [
        (1, "여객선 전복", "update", "numbers_raised"),
        (24, "여객선 전복", "series", None),
        (1, "여객선 사고 속보 모음", "series", None),
    ],
)
def test_a_toll_that_is_raised_within_hours_is_a_version(hours, title, relation, rule):
    table = LONG + " 사망자는 {}명, 실종자는 {}명, 구조된 사람은 {}명으로 집계됐다."
    texts = table.format(12, 30, 104), table.format(21, 17, 121)
    pair = versions("여객선 전복", title, *texts, at=NOON + timedelta(hours=hours))
    row = compare(*pair)
    assert row["relation"] == relation
    assert rule is None or rule_of(row) == (relation, rule)


def test_one_headline_within_a_day_is_an_update_when_the_texts_are_alike():
    short = story("long", 130)
    pair = versions("도서관 개관", "도서관 개관", short, LONG)
    assert rule_of(compare(*pair)) == ("update", "same_headline")
    stricter = RelationRules(update_jaccard=0.9, update_containment=1.1)
    assert compare(*pair, stricter)["relation"] != "update"
    assert compare(*versions("도서관 개관", "개관", short, LONG))["relation"] != "update"
    assert (
        compare(*versions("도서관 개관", "도서관 개관", short, LONG, at=None))["relation"]
        != "update"
    )
    caption = story("long", 40)
    assert (
        compare(*versions("도서관 개관", "도서관 개관", caption, LONG))["relation"] == "contained"
    )


FLASH_TITLE = "둔치 도서관 3월 14일 개관"
TELLING = "둔치 도서관이 3월 14일 개관한다. " + story("report", 150)


@pytest.mark.parametrize(
    ("other_title", "body", "follow_up", "rule"),
    [
        (FLASH_TITLE, "사진은 공사 현장", TELLING, ("update", "flash")),
        (f"{FLASH_TITLE}(종합)", "사진은 공사 현장", TELLING, ("update", "flash")),
        (FLASH_TITLE, "사진은 공사 현장", story("silent", 150), None),
        (f"[속보] {FLASH_TITLE}", "사진은 공사 현장", TELLING, None),
        (FLASH_TITLE, story("flash", 150), TELLING, None),
    ],
)
def test_a_flash_and_its_follow_up(other_title, body, follow_up, rule):
    row = compare(*versions(f"[속보] {FLASH_TITLE}", other_title, body, follow_up))
    assert (rule_of(row) if row else None) == rule


def test_a_flash_that_says_its_headline_only_is_told_by_an_equal_headline():
    headline = "둔치 도서관 새봄 개관 확정"
    pair = versions(f"[속보] {headline}", headline, headline, story("silent", 150))
    assert rule_of(compare(*pair)) == ("update", "flash")
    assert compare(*pair, RelationRules(flash_headline_ratio=1.1)) is None
    pair[0]["text"] += " 시민들은 공사 현장을 찾았다"
    assert compare(*pair) is None


def test_a_flash_is_told_by_its_numbers_or_its_words():
    pair = versions(
        "[속보] 29일 487.6만회분 도입", "29일 487.6만회분 도입", "사진", story("x", 150)
    )
    assert compare(*pair) is None
    pair[1]["text"] += " 487만6000회분이 29일 들어온다"
    assert rule_of(compare(*pair)) == ("update", "flash")
    assert compare(*pair, RelationRules(flash_title_chars=40)) is None
    wordy = versions(f"[속보] {FLASH_TITLE}", FLASH_TITLE, "사진은 공사 현장", TELLING)
    assert rule_of(compare(*wordy)) == ("update", "flash")
    wordless = RelationRules(flash_told_ratio=1.1)
    wordy[1]["text"] = wordy[1]["text"].replace("14일", "열나흘")
    assert compare(*wordy, wordless) is None


def test_a_few_numbers_changed_within_a_day_are_an_update():
    text = LONG + " 사망 {}명 부상 {}명 대피 120명 소방차 31대 헬기 4대 진화 6시간"
    pair = article("a", text.format(3, 12)), article("b", text.format(4, 12))
    row = compare(*pair)
    assert rule_of(row) == ("update", "numbers_changed")
    assert row["is_duplicate"]
    pair[1]["source_id"] = "other"
    assert rule_of(compare(*pair)) == ("near", "near_long")


def test_a_text_inside_a_longer_one_is_contained_and_kept():
    part = story("long", 60)
    row = compare(article("a", part), article("b", LONG, source="other"))
    assert (rule_of(row), row["is_duplicate"]) == (("contained", "contained"), False)
    sides = sorted((row["left_containment"], row["right_containment"]))
    assert sides[1] > 0.9 > 0.5 > sides[0]
    for rules in (
        RelationRules(contained_containment=1.1),
        RelationRules(contained_size_ratio=0.1),
        RelationRules(contained_shingles=400),
    ):
        other = compare(article("a", part), article("b", LONG, source="other"), rules)
        assert other is None or other["relation"] == "related"


def test_a_shared_part_is_kept_as_related():
    part = story("long", 60) + " " + story("own", 20)
    pair = article("a", part), article("b", story("long", 300), source="other")
    assert rule_of(compare(*pair)) == ("related", "shared_part")
    assert compare(*pair, RelationRules(related_containment=0.9)) is None
    assert compare(*pair, RelationRules(related_jaccard=0.1))["relation"] == "related"


def test_late_and_stub_limits_count():
    later = article("b", edited(LONG, 40), at=NOON + timedelta(days=3))
    assert compare(article("a", LONG), later, RelationRules(late_hours=100))["relation"] == "near"
    assert compare(article("a", LONG), later, RelationRules(near_jaccard_late=0.5))["is_duplicate"]
    flash = [
        article(n, "본사 편집국", title=t) for n, t in zip("ab", ("개회", "환율"), strict=True)
    ]
    assert compare(*flash)["relation"] == "related"
    assert compare(*flash, RelationRules(stub_shingles=0))["relation"] == "exact"


def test_history_is_read_and_the_batch_stands_before_it():
    pairs = pairs_of("a", "b")
    batch = keys(article("a", LONG))
    stale = keys(article("a", story("old", 200)), article("b", LONG))
    (row,) = verify(pairs, batch, [stale], RULES).to_pylist()
    assert row["relation"] == "exact"


def test_an_unknown_article_is_a_fault():
    with pytest.raises(LookupError, match="no KEYS row"):
        verify(pairs_of("a", "nobody"), keys(article("a", LONG)), [], RULES)


def test_nothing_to_verify():
    nothing = find_candidates(keys(), [], BandRules())
    assert verify(nothing, keys(), [], RULES).equals(VERIFIED.schema.empty_table())


def test_parts_share_centres_alone_and_hold_each_pair_once_in_order():
    batch = keys(*(article(f"n{n}", edited(LONG, n + 1)) for n in range(80)))
    pairs = find_candidates(batch, [], BandRules())
    centres = pa.array(map(article_id, ("n0", "n1")), ID)
    has_centre = pc.or_(*(pc.is_in(pairs[end], centres) for end in ("left_id", "right_id")))
    pairs = pairs.filter(has_centre)
    parts = parts_of(pairs, 4)
    assert len(parts) == 4
    assert all(part.equals(conform(part, PAIRS)) for part in parts)
    assert conform(pa.concat_tables(parts), PAIRS).equals(pairs)
    ends = [{*part["left_id"].to_pylist(), *part["right_id"].to_pylist()} for part in parts]
    assert sum(map(len, ends)) - len(set().union(*ends)) <= 2 * (len(parts) - 1)
    verified = pa.concat_tables([verify(part, batch, [], RULES) for part in parts])
    assert conform(verified, VERIFIED).equals(verify(pairs, batch, [], RULES))


def test_few_pairs_make_few_parts():
    assert parts_of(find_candidates(keys(), [], BandRules()), 4) == []
    assert parts_of(pairs_of("a", "b"), 4) == [pairs_of("a", "b")]
