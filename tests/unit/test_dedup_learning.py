import hashlib
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from cleaning import parsed_table

from pipeline.contract import ID, TIME
from pipeline.dedup.furniture import find_furniture
from pipeline.dedup.learning import LearningRules, learn
from pipeline.dedup.lines import find_lines, line_hashes, lines_column
from pipeline.interim import LEARNED
from pipeline.text.paragraphs import split_paragraphs
from pipeline.text.titles import title_keys

START = datetime(2026, 3, 1, 6, tzinfo=UTC).replace(tzinfo=None)
SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호구누두루무부수우주추쿠투푸후"
NOTHING = LEARNED.schema.empty_table()
FOOTER = "▶ 나래일보를 만나는 방법"
TIP = "▶ 제보 tips@narae.example"
PLAIN = "경찰은 정확한 사고 경위를 조사하고 있습니다."


def words(name, n_syllables=14):
    """Return a text of its own."""
    numbers = hashlib.blake2b(str(name).encode(), digest_size=n_syllables).digest()
    return "".join(SYLLABLES[number % len(SYLLABLES)] for number in numbers)


def article(name, day=None, *lines, source="narae", title=None, n_body=8):
    """Return an article with a body of its own and these lines at its end; day None: no date."""
    body = [
        f"{words(f'{name}/{n}', 40)} {words(f'{name}/{n}')}고 {n}월에 밝혔다."
        for n in range(n_body)
    ]
    return {
        "name": name,
        "source": source,
        "published_at": None if day is None else START + timedelta(days=day),
        "title": words(f"title {name}") if title is None else title,
        "paragraphs": [*body, *lines],
    }


def month(n, *lines, name="", n_days=30, **keywords):
    """Return n articles over some days, each with the lines."""
    return [article(f"{name}{i}", i % n_days, *lines, **keywords) for i in range(n)]


def parsed_of(articles):
    table = parsed_table(*("\n\n".join(a["paragraphs"]) for a in articles))
    ids = [hashlib.blake2b(a["name"].encode(), digest_size=16).digest() for a in articles]
    for name, values in {
        "article_id": pa.array(ids, ID),
        "revision_id": pa.array(ids, ID),
        "source_id": pa.array([a["source"] for a in articles], pa.string()),
        "published_at": pa.array([a["published_at"] for a in articles], TIME),
        "title": pa.array([a["title"] for a in articles], pa.string()),
    }.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table.sort_by("article_id")


def keys(articles):
    """Return what learning looks at of KEYS."""
    parsed = parsed_of(articles)
    titles = pa.array(title_keys(parsed["title"].to_pylist()), pa.string())
    return pa.table(
        {name: parsed[name] for name in ("article_id", "source_id", "published_at")}
        | {"title_key": titles, "lines": lines_column(split_paragraphs(parsed), parsed)}
    )


def texts_of(table, articles):
    """Return the texts of learned lines."""
    texts = [text for a in articles for text in a["paragraphs"]]
    sources = [a["source"] for a in articles for _ in a["paragraphs"]]
    hashes = line_hashes(texts, sources, np.zeros(len(texts), np.bool_)).tolist()
    lines = dict(zip(hashes, texts, strict=True))
    return {lines[line] for line in table["line_hash"].to_pylist()}


def learned(articles, rules=None):
    found = learn(keys(articles), [], NOTHING, rules=rules)
    return texts_of(found.furniture, articles)


def test_a_footer_of_five_articles_on_three_days_is_learned_and_counted():
    articles = [*month(5, FOOTER, n_days=3), *month(7, name="other")]
    (row,) = learn(keys(articles), [], NOTHING).furniture.to_pylist()
    assert row["source_id"] == "narae"
    assert row["reason"] == "furniture_source"
    assert (row["n_documents"], row["n_source_documents"], row["n_days"]) == (5, 8, 3)
    assert row["edge_ratio"] == 1
    assert row["first_day"] == START.replace(hour=0)
    assert row["last_day"] == row["first_day"] + timedelta(days=2)
    ids = keys(articles[:5])["article_id"].to_pylist()
    assert row["example_article_id"] == min(ids)


def among(n_others, *articles):
    """Articles among others of the same three days."""
    return [*articles, *month(n_others, name="other", n_days=3)]


@pytest.mark.parametrize(
    ("articles", "is_learned"),
    [
        (month(4, FOOTER, n_days=3), False),
        (month(5, FOOTER, n_days=2), False),
        (month(20, FOOTER, n_days=1), True),
        (month(19, FOOTER, n_days=1), False),
        (among(3, *month(5, PLAIN, n_days=3)), True),
        (among(4, *month(5, PLAIN, n_days=3)), False),
        (among(46, *month(20, PLAIN, n_days=3)), True),
        (among(48, *month(20, PLAIN, n_days=3)), False),
        ([article(str(i), None, FOOTER) for i in range(19)], False),
        ([article(str(i), None, FOOTER) for i in range(20)], True),
        ([article(str(i), i * 15, FOOTER) for i in range(12)], False),
    ],
    ids=[
        "4",
        "2 days",
        "20 at once",
        "19 at once",
        "plain in 62 %",
        "plain in 56 %",
        "plain in 20, 30 %",
        "plain in 20, 29 %",
        "undated 19",
        "undated 20",
        "rare",
    ],
)
def test_how_often_is_enough(articles, is_learned):
    assert bool(learned(articles)) == is_learned


def test_a_share_of_the_source_is_needed_and_growth_unlearns():
    some = month(5, FOOTER, n_days=4)
    first = learn(keys(some), [], NOTHING)
    assert first.learned.size == 1
    more = month(1700, name="more", n_body=1, n_days=4)
    second = learn(keys(more), [keys(some)], first.furniture)
    assert not second.furniture.num_rows
    assert second.unlearned.tolist() == first.learned.tolist()
    assert sorted(second.stale.to_pylist()) == sorted(keys(some)["article_id"].to_pylist())
    # Where the others are gone, the line is furniture again, though no new article prints it.
    gone = keys(more)["article_id"].to_pylist()
    history = [keys(some), keys(more)]
    third = learn(keys([article("new", 3)]), history, second.furniture, gone)
    assert third.furniture.drop_columns("n_source_documents").equals(
        first.furniture.drop_columns("n_source_documents")
    )


def test_a_line_in_the_middle_is_body_text():
    label = "나래일보 여론 조사"
    inside = [article(str(i), i, n_body=14) for i in range(10)]
    for a in inside:
        a["paragraphs"].insert(7, label)
    assert learned(inside) == set()
    outside = month(40, label, name="edge")
    assert learned([*inside, *outside]) == {label}
    # One of the ten leaves the middle: nothing prints the line anew, but the share is reached.
    few = outside[:35]
    first = learn(keys([*inside, *few]), [], NOTHING)
    assert not first.furniture.num_rows
    revised = [a | {"paragraphs": a["paragraphs"][:3]} for a in inside[:3]]
    second = learn(keys(revised), [keys([*inside, *few])], first.furniture)
    assert texts_of(second.furniture, few) == {label}


def test_the_body_of_a_photo_series_and_of_editions_is_never_learned():
    caption = "달빛광장에 세운 등대 모형은 축제가 끝나는 날까지 불을 밝힌다."
    photos = [
        article(f"photo {i}", i % 2, caption, title=f"등대 축제 {words(i, 4)}", n_body=1)
        for i in range(40)
    ]
    subhead = "축제는 계속된다"
    editions = [
        article(f"edition {i}", i % 4, subhead, title=f"나래항 축제 개막 {words(i, 5)}", n_body=2)
        for i in range(25)
    ]
    daily = [
        article(
            f"weather {i}", i, "미세먼지 농도는 좋음에서 보통", title=f"[내일 날씨] {words(i, 6)}"
        )
        for i in range(29)
    ]
    assert learned([*photos, *editions, *daily, *month(30, FOOTER)]) == {FOOTER}


def test_labels_of_a_script_are_never_learned():
    scripts = month(30, "[앵커]", "◀ 리포트 ▶", "[이하늘 / 사무처장]", "진행자:", FOOTER)
    assert learned(scripts) == {FOOTER}


def test_the_name_of_the_paper_in_every_title_hides_nothing():
    signed = [article(str(i), i, FOOTER, title=f"{words(i)} - 나래일보") for i in range(10)]
    assert learned(signed) == {FOOTER}
    assert learned([a | {"title": "오늘의 별자리 - 나래일보"} for a in signed]) == set()


def test_articles_without_titles_teach_nothing_alone():
    untitled = month(30, FOOTER, title="")
    assert learned(untitled) == set()
    assert learned([*untitled[:9], *month(4, FOOTER, name="titled")]) == set()
    assert learned([*untitled, *month(15, FOOTER, name="titled")]) == {FOOTER}


def test_bylines_are_one_line_whoever_signs():
    names = ["이하늘", "윤슬기", "한바다", "노을빛", "강나루", "민들레"]
    signed = [
        article(str(i), i, f"나래스포츠 {name} 기자 {i}@narae.example")
        for i, name in enumerate(names)
    ]
    (row,) = learn(keys(signed), [], NOTHING).furniture.to_pylist()
    assert (row["reason"], row["n_documents"]) == ("furniture_byline", 6)


def test_what_one_source_prints_teaches_nothing_of_another():
    both = [*month(5, FOOTER), *month(4, FOOTER, name="m", source="maren")]
    found = learn(keys(both), [], NOTHING)
    assert found.furniture["source_id"].to_pylist() == ["narae"]
    assert found.sources == ("maren", "narae")
    # A batch of one source leaves the rows of the other alone.
    later = learn(
        keys(month(3, FOOTER, name="later", source="maren")), [keys(both)], found.furniture
    )
    assert later.sources == ("maren",)
    assert later.furniture["source_id"].to_pylist() == ["maren"]
    assert len(later.stale) == 4


def test_a_footer_that_changes_leaves_both_furniture_and_finds_the_early_articles():
    early, late = month(4, FOOTER, n_days=4), month(6, TIP, name="late")
    first = learn(keys(early), [], NOTHING)
    assert not first.furniture.num_rows
    second = learn(keys([*late, article("last", 20, FOOTER)]), [keys(early)], first.furniture)
    assert texts_of(second.furniture, [*early, *late]) == {FOOTER, TIP}
    assert sorted(second.stale.to_pylist()) == sorted(keys(early)["article_id"].to_pylist())
    third = learn(keys([article("next", 21, FOOTER)]), [keys(early), keys(late)], second.furniture)
    assert third.learned.size == 0


def test_stored_rows_that_the_batch_replaces_do_not_count():
    articles = month(5, FOOTER)
    stored = keys(articles)
    standing = learn(stored, [], NOTHING).furniture
    revised = learn(keys([article("0", 0)]), [stored], standing)
    assert (revised.furniture.num_rows, revised.unlearned.size) == (0, 1)
    assert len(revised.stale) == 4
    same = learn(stored, [stored], standing)
    assert same.furniture.equals(standing)
    assert not len(same.stale)
    forgotten = stored["article_id"].to_pylist()[:1]
    gone = learn(stored.slice(0, 0), [stored], standing, forgotten)
    assert (gone.furniture.num_rows, gone.unlearned.size, len(gone.stale)) == (0, 1, 4)


def test_nothing_of_nothing():
    found = learn(keys(month(3)).slice(0, 0), [], NOTHING)
    assert found.furniture.schema.equals(LEARNED.schema)
    assert (found.furniture.num_rows, len(found.stale), found.sources) == (0, 0, ())


def test_mapped_segments_of_many_chunks_say_the_same(tmp_path):
    articles = month(60, FOOTER, TIP)
    stored = keys(articles[:50])
    path = str(tmp_path / "keys.arrow")
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, stored.schema) as writer:
        writer.write_table(stored, max_chunksize=7)
    mapped = pa.ipc.open_file(pa.memory_map(path)).read_all()
    batch = keys(articles[50:])
    plain, read = (
        learn(batch, [stored], NOTHING),
        learn(batch, [mapped.slice(0, 20), mapped.slice(20)], NOTHING),
    )
    assert plain.furniture.equals(read.furniture)
    assert plain.stale.equals(read.stale)
    assert plain.furniture["n_documents"].to_pylist() == [60, 60]


def test_dates_far_apart_are_counted_like_near_ones():
    far = article("far", 0) | {
        "published_at": datetime(1700, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    }
    later = article("later", 0) | {
        "published_at": datetime(9999, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    }
    near = month(40, FOOTER)
    found = learn(keys([*near, far, later, article("none", None)]), [], NOTHING).furniture
    assert found.equals(learn(keys(near), [], NOTHING).furniture)


def test_every_rule_changes_something():
    apart = [article(f"{i}", i * 8, FOOTER) for i in range(6)]
    middle = month(20, FOOTER)
    for a in middle[:6]:
        a["paragraphs"] = [*a["paragraphs"], *article("x" + a["name"], 0)["paragraphs"]]
    topic = month(10, FOOTER)
    for number, a in enumerate(topic):
        a["title"] = (
            words(number) if number % 5 < 2 else f"{words(number)} 등대 축제 {words(-number)}"
        )
    changes = {
        "window_days": (60, apart),
        "min_documents": (4, month(4, FOOTER)),
        "min_share": (0.5, [*month(6, FOOTER), *month(30, name="b", n_days=6)]),
        "min_days": (1, month(6, FOOTER, n_days=1)),
        "many_documents": (10, month(12, FOOTER, n_days=1)),
        "min_plain_share": (0.5, among(4, *month(5, PLAIN, n_days=3))),
        "min_plain_share_many": (0.2, among(48, *month(20, PLAIN, n_days=3))),
        "min_edge_ratio": (0.5, middle),
        "max_title_share": (0.7, topic),
        "n_titles": (3, month(12, FOOTER)),
    }
    assert set(changes) == {f.name for f in fields(LearningRules)}
    for name, (value, articles) in changes.items():
        rules = LearningRules(**{name: value})
        found = [learn(keys(articles), [], NOTHING, rules=r).furniture for r in (rules, None)]
        assert not found[0].equals(found[1]), name


def test_a_learned_line_leaves_the_text_with_its_evidence_and_its_reporter():
    signed = [
        article(str(i), i, f"나래생활 리포트 {name} 객원기자의 글", FOOTER)
        for i, name in enumerate(["이하늘", "윤슬기", "한바다", "노을빛", "강나루"])
    ]
    furniture = learn(keys(signed), [], NOTHING).furniture
    parsed = parsed_of(signed)
    spans = split_paragraphs(parsed)
    removals, lifted = find_furniture(spans, lines=find_lines(spans, parsed), learned=furniture)
    assert removals.num_rows == 10
    assert set(removals["action"].to_pylist()) == {"drop_paragraph"}
    assert set(removals["reason"].to_pylist()) == {"furniture_byline", "furniture_source"}
    evidence = {"learned: 5 of 5 documents on 5 days, 100% at the edge"}
    assert set(removals["evidence"].to_pylist()) == evidence
    assert "이하늘 객원기자" in lifted["byline"].to_pylist()
    untaught, _ = find_furniture(spans, lines=find_lines(spans, parsed))
    assert not untaught.num_rows


def test_patterns_stand_before_what_is_learned():
    notice = "ⓒ 나래일보 무단 전재 및 재배포 금지"
    articles = month(6, notice)
    furniture = learn(keys(articles), [], NOTHING).furniture
    assert furniture["reason"].to_pylist() == ["furniture_rights"]
    parsed = parsed_of(articles)
    spans = split_paragraphs(parsed)
    removals, lifted = find_furniture(spans, lines=find_lines(spans, parsed), learned=furniture)
    assert all(e.startswith("pattern ") for e in removals["evidence"].to_pylist())
    assert pc.unique(lifted["rights"]).to_pylist() == [notice]
