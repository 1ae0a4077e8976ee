"""Shared paragraphs: what is shared, who printed it first, and what the policy takes out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from pipeline.contracts import ID, TIME
from pipeline.dedup.passages import PassageRules, find_passages
from pipeline.dedup.shared import SharedRules, find_shared, find_sightings
from pipeline.dedup.shared_policy import COLLAPSED, CUTS, cut_changes, cut_shared, shorten
from pipeline.interim import SHARED
from pipeline.text.normalise import key_hash, make_key
from tests.unit.articles_factory import article_id

NOON = datetime(2026, 3, 5, 12)  # noqa: DTZ001 - the warehouse keeps naive UTC
RIVER = "The new bridge cuts the ride across the river to ten minutes, said the harbour master."
FERRY = "Ferries keep their timetable until the first of May, the company said on Thursday night."
MARKET = (
    "Stallholders at the fish market hope that the traffic will bring them back their regulars."
)
OWN = "Own paragraph of {}, long enough that it would be shared if anyone else had printed it."
NOTHING = SHARED.schema.empty_table()


def minute(number):
    return None if number is None else NOON + timedelta(minutes=number)


def tables(*articles):
    """Return KEYS columns and paragraphs of (name, source, minute, paragraphs)."""
    rows = [
        {
            "article_id": article_id(name),
            "seq": seq,
            "text": text.removeprefix("- "),
            "key_hash": key_hash(make_key(text)),
            "status": "dropped" if text.startswith("- ") else "kept",
        }
        for name, _, _, texts in articles
        for seq, text in enumerate(texts)
    ]
    schema = pa.schema(
        [
            ("article_id", ID),
            ("seq", pa.int32()),
            ("text", pa.large_string()),
            ("key_hash", ID),
            ("status", pa.string()),
        ]
    )
    paragraphs = pa.Table.from_pylist(rows, schema)
    found = find_passages(paragraphs, PassageRules()).to_pylist()
    passages = {row["article_id"]: row["passages"] for row in found}
    keys = pa.table(
        {
            "article_id": pa.array([article_id(a[0]) for a in articles], ID),
            "source_id": [a[1] for a in articles],
            "published_at": pa.array([minute(a[2]) for a in articles], TIME),
            "passages": pa.array(
                [passages.get(article_id(a[0]), []) for a in articles], pa.list_(pa.uint64())
            ),
        }
    )
    return keys, paragraphs


def gone(*names):
    return pa.array([article_id(name) for name in names], ID)


def shared(*articles, rules=None):
    """Return the rows that one batch of these articles adds."""
    keys, paragraphs = tables(*articles)
    sightings = find_sightings(keys, [], gone(), rules or SharedRules())
    return find_shared(sightings, paragraphs, NOTHING).added


def named(table, *articles):
    """Return (article, seq, first article, first seq) of rows, articles by name."""
    names = {article_id(a[0]): a[0] for a in articles}
    return sorted(
        (names[r["article_id"]], r["seq"], names[r["first_article_id"]], r["first_seq"])
        for r in table.to_pylist()
    )


def test_every_sighting_names_the_first_the_first_itself_too():
    articles = [
        ("late", "daily", 9, [OWN.format(1), RIVER]),
        ("early", "wire", 1, [RIVER, OWN.format(2)]),
        ("other", "post", 5, [OWN.format(3), OWN.format(4), RIVER]),
    ]
    assert named(shared(*articles), *articles) == [
        ("early", 0, "early", 0),
        ("late", 1, "early", 0),
        ("other", 2, "early", 0),
    ]


def test_one_source_alone_shares_nothing():
    articles = [("a", "daily", 1, [RIVER]), ("b", "daily", 2, [RIVER])]
    assert shared(*articles).num_rows == 0


def test_articles_of_an_unknown_source_count_one_by_one():
    articles = [("a", "local", 1, [RIVER]), ("b", "local", 2, [RIVER])]
    assert shared(*articles).num_rows == 2
    strict = SharedRules(unknown_sources=frozenset())
    assert shared(*articles, rules=strict).num_rows == 0


def test_dropped_and_short_paragraphs_are_not_shared():
    articles = [
        ("a", "daily", 1, [f"- {RIVER}", "Too short to share."]),
        ("b", "wire", 2, [RIVER, "Too short to share."]),
    ]
    assert shared(*articles).num_rows == 0


def test_an_article_without_a_date_is_never_first_where_another_has_one():
    undated, dated = ("a", "daily", None, [RIVER]), ("b", "wire", 60, [RIVER])
    rows = named(shared(undated, dated), undated, dated)
    assert [first for _, _, first, _ in rows] == ["b", "b"]
    both = [("a", "daily", None, [RIVER]), ("b", "wire", None, [RIVER])]
    smallest = min("ab", key=article_id)
    assert {first for _, _, first, _ in named(shared(*both), *both)} == {smallest}


def test_an_earlier_sighting_that_arrives_later_becomes_the_first():
    old = [("a", "daily", 5, [RIVER]), ("b", "wire", 7, [FERRY, RIVER])]
    new = [("c", "post", 1, [RIVER])]
    history, paragraphs = tables(*old)
    standing = shared(*old)
    batch, fresh = tables(*new)
    sightings = find_sightings(batch, [history], gone(), SharedRules())
    assert set(sightings.article_ids.to_pylist()) == {article_id(n) for n in "abc"}
    found = find_shared(sightings, pa.concat_tables([paragraphs, fresh]), standing)
    assert {first for _, _, first, _ in named(found.added, *old, *new)} == {"c"}
    assert found.added.num_rows == 3
    assert found.removed.num_rows == 2, "rows that change are removed first"


def test_a_later_sighting_touches_no_earlier_row():
    old = [(n, f"source {n}", n, [OWN.format(n), RIVER]) for n in range(20)]
    history, paragraphs = tables(*old)
    batch, fresh = tables(("new", "daily", 99, [RIVER]))
    sightings = find_sightings(batch, [history], gone(), SharedRules())
    assert set(sightings.article_ids.to_pylist()) == {article_id(0), article_id("new")}
    found = find_shared(sightings, pa.concat_tables([paragraphs, fresh]), shared(*old))
    assert found.removed.num_rows == 0
    (row,) = found.added.to_pylist()
    assert (row["article_id"], row["first_article_id"]) == (article_id("new"), article_id(0))
    assert row["first_seq"] == 1


def test_what_only_one_source_still_prints_is_no_longer_shared():
    old = [("a", "daily", 1, [RIVER]), ("b", "wire", 2, [RIVER])]
    history, paragraphs = tables(*old)
    nothing = tables()[0].slice(0, 0).cast(history.schema)
    sightings = find_sightings(nothing, [history], gone("b"), SharedRules())
    found = find_shared(sightings, paragraphs, shared(*old))
    assert found.added.num_rows == 0
    assert found.removed.num_rows == 2


def test_a_revision_that_moves_the_first_sighting_leads_the_others_there():
    old = [("a", "daily", 1, [RIVER]), ("b", "wire", 2, [RIVER])]
    history, paragraphs = tables(*old)
    revised = ("a", "daily", 1, [FERRY, RIVER])
    batch, fresh = tables(revised)
    sightings = find_sightings(batch, [history], gone(), SharedRules())
    read = pa.concat_tables([fresh, paragraphs.slice(1)])
    found = find_shared(sightings, read, shared(*old))
    assert named(found.added, *old) == [("a", 1, "a", 1), ("b", 0, "a", 1)]


def test_ingesting_the_same_again_changes_nothing():
    articles = [("a", "daily", 1, [RIVER, FERRY]), ("b", "wire", 2, [FERRY, RIVER])]
    keys, paragraphs = tables(*articles)
    sightings = find_sightings(keys, [keys], gone(), SharedRules())
    found = find_shared(sightings, paragraphs, shared(*articles))
    assert (found.added.num_rows, found.removed.num_rows) == (0, 0)


def records(*articles, standing=None):
    """Return the articles that stand for a story, all of them or those named."""
    chosen = [a for a in articles if standing is None or a[0] in standing]
    return pa.table(
        {
            "article_id": pa.array([article_id(a[0]) for a in chosen], ID),
            "source_id": [a[1] for a in chosen],
            "published_at": pa.array([minute(a[2]) for a in chosen], TIME),
            "n_long_paragraphs": pa.array(
                [sum(len(t) >= 40 and not t.startswith("- ") for t in a[3]) for a in chosen],
                pa.int32(),
            ),
        }
    )


def cuts(*articles, standing=None):
    found = cut_shared(shared(*articles), records(*articles, standing=standing), SharedRules())
    names = {article_id(a[0]): a[0] for a in articles}
    return sorted(
        (names[r["article_id"]], r["seq"], names[r["matched_article_id"]])
        for r in found.to_pylist()
    )


def shortened(policy, *articles):
    found = cut_shared(shared(*articles), records(*articles), SharedRules())
    _, paragraphs = tables(*articles)
    texts = pa.table(
        {
            "article_id": pa.array([article_id(a[0]) for a in articles], ID),
            "text": pa.array(
                ["\n\n".join(t for t in a[3] if not t.startswith("- ")) for a in articles],
                pa.large_string(),
            ),
            "n_dropped_paragraphs": pa.array(
                [sum(t.startswith("- ") for t in a[3]) for a in articles], pa.int32()
            ),
        }
    )
    rows = shorten(found, texts, paragraphs, policy).to_pylist()
    names = {article_id(a[0]): a[0] for a in articles}
    return {names[row["article_id"]]: row for row in rows}


PAIR = (
    ("a", "daily", 1, [RIVER, FERRY, OWN.format("a")]),
    ("b", "wire", 2, ["- Photo: archive", OWN.format("b"), RIVER, FERRY, MARKET, RIVER + " "]),
)


def test_a_shared_paragraph_stays_where_it_was_first():
    assert cuts(*PAIR) == [("b", 2, "a"), ("b", 3, "a"), ("b", 5, "a")]


def test_drop_leaves_no_trace_and_collapse_one_mark_a_run():
    own = OWN.format("b")
    dropped = shortened("drop", *PAIR)
    assert dropped.keys() == {"b"}
    assert dropped["b"]["text"] == f"{own}\n\n{MARKET}"
    assert dropped["b"]["n_chars"] == len(dropped["b"]["text"])
    assert (dropped["b"]["n_paragraphs"], dropped["b"]["n_dropped_paragraphs"]) == (2, 4)
    collapsed = shortened("collapse", *PAIR)["b"]
    assert collapsed["text"] == f"{own}\n\n{COLLAPSED}\n\n{MARKET}\n\n{COLLAPSED}"
    assert collapsed["n_paragraphs"] == 2
    assert shortened("annotate", *PAIR) == {}


def test_an_article_is_never_emptied():
    whole, part = ("a", "daily", 1, [RIVER, FERRY]), ("b", "wire", 2, [FERRY])
    assert cuts(whole, part) == []
    assert cuts(whole, ("b", "wire", 2, ["By our correspondent", FERRY])) == []
    assert cuts(whole, ("b", "wire", 2, [FERRY, MARKET])) == [("b", 0, "a")]


def test_copies_that_stand_for_no_story_neither_lose_nor_take_a_paragraph():
    articles = (
        ("copy", "wire", 1, [RIVER, OWN.format(1)]),
        ("record", "daily", 2, [RIVER, OWN.format(2)]),
        ("later", "post", 3, [RIVER, OWN.format(3)]),
    )
    assert cuts(*articles, standing={"record", "later"}) == [("later", 0, "record")]
    assert cuts(*articles, standing={"record"}) == []


def test_paragraphs_that_records_of_one_source_print_stay():
    articles = (
        ("a", "daily", 1, [RIVER, OWN.format(1)]),
        ("b", "daily", 2, [RIVER, OWN.format(2)]),
        ("copy", "wire", 3, [RIVER, OWN.format(3)]),
    )
    assert cuts(*articles, standing={"a", "b"}) == []


def test_a_text_that_does_not_fit_its_rows_is_an_error():
    _, paragraphs = tables(*PAIR)
    found = cut_shared(shared(*PAIR), records(*PAIR), SharedRules())
    texts = pa.table(
        {
            "article_id": pa.array([article_id("b")], ID),
            "text": pa.array([RIVER], pa.large_string()),
            "n_dropped_paragraphs": pa.array([0], pa.int32()),
        }
    )
    with pytest.raises(ValueError, match="1 paragraphs in its text and 5 rows"):
        shorten(found, texts, paragraphs, "drop")


def spans_of(*articles):
    rows = [
        {
            "article_id": article_id(name),
            "revision_id": article_id(f"revision of {name}"),
            "seq": seq,
            "start_char": 100 * seq,
            "end_char": 100 * seq + 90,
        }
        for name, _, _, texts in articles
        for seq in range(len(texts))
    ]
    return pa.Table.from_pylist(rows).cast(
        pa.schema(
            [
                ("article_id", ID),
                ("revision_id", ID),
                ("seq", pa.int32()),
                ("start_char", pa.int32()),
                ("end_char", pa.int32()),
            ]
        )
    )


def test_an_earlier_record_that_arrives_later_moves_the_cut():
    a, b = ("a", "daily", 2, [RIVER, FERRY]), ("b", "wire", 3, [RIVER, MARKET])
    early = ("early", "post", 1, [RIVER, OWN.format("early")])
    before = cut_shared(shared(a, b), records(a, b), SharedRules())
    after = cut_shared(shared(a, b, early), records(a, b, early), SharedRules())
    found = cut_changes(after, before, spans_of(a, b, early))
    assert {r["article_id"] for r in found.added.to_pylist()} == {article_id("a"), article_id("b")}
    assert found.removed.to_pylist() == [{"article_id": article_id("b"), "seq": 0}]
    dropped = found.removals.to_pylist()
    assert {(r["action"], r["reason"]) for r in dropped} == {("drop_paragraph", "shared")}
    assert {r["matched_article_id"] for r in dropped} == {article_id("early")}
    back = cut_changes(before, after, spans_of(a, b))
    kept = [r for r in back.removals.to_pylist() if r["action"] == "keep_paragraph"]
    assert [(r["article_id"], r["paragraph_seq"]) for r in kept] == [(article_id("a"), 0)]


def test_equal_cuts_change_nothing_and_what_is_gone_needs_no_decision():
    cut = cut_shared(shared(*PAIR), records(*PAIR), SharedRules())
    same = cut_changes(cut, cut, spans_of(*PAIR))
    assert (same.added.num_rows, same.removed.num_rows, same.removals.num_rows) == (0, 0, 0)
    gone_now = cut_changes(CUTS.empty_table(), cut, spans_of(PAIR[0]))
    assert (gone_now.removed.num_rows, gone_now.removals.num_rows) == (3, 0)
