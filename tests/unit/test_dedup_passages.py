"""Passages: kept paragraphs of some length, and fingerprints that survive edits."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from pipeline.dedup.mapped import ValueSet
from pipeline.dedup.passage_hashes import holders_in, paragraph_hashes, paragraphs_in
from pipeline.dedup.passages import PassageRules, find_passages
from pipeline.text.normalise import key_hash, make_key
from pipeline.text.shingles import ShingleProfile
from tests.unit.articles_factory import VOCABULARY, article_id, story

LONG = (
    "강변 공원에 새 다리가 놓여 주민 삼천여 명이 개통식을 지켜봤고 시장은 산책로를 잇겠다고 말했다."
)
SHORT = "다리는 내년 봄에 열린다."


def paragraphs(*articles):
    rows = [
        {
            "article_id": article_id(name),
            "seq": seq,
            "text": text,
            "key_hash": key_hash(make_key(text)),
            "status": status,
        }
        for name, texts in articles
        for seq, (text, status) in enumerate(texts)
    ]
    schema = pa.schema(
        [
            ("article_id", pa.binary(16)),
            ("seq", pa.int32()),
            ("text", pa.large_string()),
            ("key_hash", pa.binary(16)),
            ("status", pa.string()),
        ]
    )
    return pa.Table.from_pylist(rows, schema)


def kept(*texts):
    return [(text, "kept") for text in texts]


def passages(table, rules=None):
    found = find_passages(table, rules or PassageRules()).to_pylist()
    return {row["article_id"]: row["passages"] for row in found}


def whole(text):
    return int(paragraph_hashes(pa.array([key_hash(make_key(text))], pa.binary(16)))[0])


def test_kept_long_paragraphs_are_passages_and_no_others():
    found = passages(
        paragraphs(("a", [(LONG, "kept"), (SHORT, "kept"), (LONG + " 끝.", "dropped")]))
    )
    assert [p for p in found[article_id("a")] if p % 2 == 0] == [whole(LONG)]


def test_length_counts_in_key_characters():
    forty, less = "가" * 40, "가 " * 39 + "!"
    found = passages(paragraphs(("a", kept(forty)), ("b", kept(less))))
    assert whole(forty) in found[article_id("a")]
    assert found[article_id("b")] == []


def test_knobs_change_what_is_found():
    table = paragraphs(("a", kept(SHORT)), ("b", kept(story(1, 300))))
    long_only = passages(table)
    assert long_only[article_id("a")] == []
    assert whole(SHORT) in passages(table, PassageRules(min_key_chars=5))[article_id("a")]
    n_default = len(long_only[article_id("b")])
    assert len(passages(table, PassageRules(window=20))[article_id("b")]) > 2 * n_default
    shorter = ShingleProfile("shorter", hangul=8, han_kana=8, alphabetic=8, unspaced=8)
    other = passages(table, PassageRules(profile=shorter))[article_id("b")]
    assert other != long_only[article_id("b")]


def test_lists_are_sorted_and_distinct_and_articles_without_text_are_left_out():
    table = paragraphs(("a", kept(LONG, SHORT, LONG)), ("b", [(LONG, "dropped")]))
    found = passages(table)
    assert found.keys() == {article_id("a")}
    own = found[article_id("a")]
    assert own == sorted(set(own))
    assert passages(paragraphs()) == {}


def test_passages_of_an_article_do_not_depend_on_the_others():
    one, other = ("a", kept(story(1, 200), SHORT)), ("b", kept(story(2, 30), story(3, 90)))
    apart = passages(paragraphs(one)) | passages(paragraphs(other))
    assert passages(paragraphs(other, one)) == apart
    crowd = [(n, kept(story(n, 40))) for n in range(150)]
    assert passages(paragraphs(*crowd, one))[article_id("a")] == apart[article_id("a")]


def edited(rng, words, n_edits):
    words = list(words)
    for _ in range(n_edits):
        at = rng.randrange(len(words))
        words[at : at + rng.randrange(2)] = [rng.choice(["관련", "다시", "함께"])]
    return " ".join(words)


@pytest.mark.parametrize(("n_edits", "floor"), [(0, 1.0), (3, 0.95)])
def test_an_edited_caption_shares_a_fingerprint_with_the_article_that_holds_it(n_edits, floor):
    rng = random.Random(7)
    words = VOCABULARY.split()
    found = 0
    for _ in range(200):
        body = [rng.choice(words) for _ in range(260)]
        start = rng.randrange(160)
        caption = edited(rng, body[start : start + 100], n_edits)
        table = paragraphs(("long", kept(" ".join(body))), ("caption", kept(caption)))
        own = passages(table)
        found += bool(set(own[article_id("long")]) & set(own[article_id("caption")]))
    assert found >= floor * 200


def test_a_long_article_has_few_fingerprints():
    table = paragraphs(("a", kept(*[story(n, 75) for n in range(6)])))
    length = sum(len(text) for text in table["text"].to_pylist())
    own = [p for p in passages(table)[article_id("a")] if p % 2]
    assert 1_200 < length < 2_000
    assert 10 <= len(own) <= 30


def test_holders_are_found_in_a_slice_of_a_column():
    column = pa.array([[2, 5], [], [4, 7, 2], [9], [2]], pa.list_(pa.uint64()))
    batch = pa.record_batch({"passages": column})
    for start in range(5):
        values, rows = holders_in(batch.slice(start), ValueSet(np.array([2, 7], np.uint64)))
        expected = [
            (value, row - start)
            for row, own in enumerate(column.to_pylist())
            for value in own
            if row >= start and value in (2, 7)
        ]
        assert list(zip(values.tolist(), rows.tolist(), strict=True)) == expected
    hashes, rows = paragraphs_in(batch)
    held = [(value, row) for row, own in enumerate(column.to_pylist()) for value in own]
    assert list(zip(hashes.tolist(), rows.tolist(), strict=True)) == [
        (value, row) for value, row in held if value % 2 == 0
    ]
