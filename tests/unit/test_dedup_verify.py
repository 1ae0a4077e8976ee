import json
from datetime import timedelta

import pytest
from articles_factory import NOON, article, article_id, keys, story

from pipeline.contracts import conform
from pipeline.dedup.bands import BandRules, find_candidates
from pipeline.dedup.relations import RelationRules, are_titles_fitting
from pipeline.dedup.verify import verify
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
    assert rule_of(row) == ("related", "numbers_conflict")
    assert not row["is_duplicate"]
    assert not row["is_numbers_equal"]
    evidence = json.loads(row["evidence"])
    assert evidence["numbers_only_left"]
    assert evidence["numbers_only_right"]


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
        "related",
        "numbers_differ_short",
    )


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
        RelationRules(related_jaccard=0.9),
    ],
)
def test_every_number_of_the_rules_counts(rules):
    one, other = article("a", LONG), article("b", edited(LONG, 40))
    assert compare(one, other)["relation"] == "near"
    row = compare(one, other, rules)
    assert row is None or row["relation"] == "related"


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
