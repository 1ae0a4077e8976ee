"""Hold every seed article to what `seeds/truth.jsonl` says must happen to it."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pytest

SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.fixture(scope="module")
def truth() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SEEDS / "truth.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def taken(seed_warehouse: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Every article of the seed warehouse by (source, native id, or title where there is none)."""
    path = str(seed_warehouse / "public" / "news.duckdb")
    with duckdb.connect(path, read_only=True) as con:
        articles = con.sql("SELECT * FROM articles_all").to_arrow_table().to_pylist()
        paragraphs = con.sql("SELECT * FROM paragraphs ORDER BY seq").to_arrow_table().to_pylist()
    dropped: dict[Any, dict[int, str]] = defaultdict(dict)
    for row in paragraphs:
        if row["status"] == "dropped":
            dropped[row["article_id"]][row["seq"] + 1] = row["reason"]
    found = {}
    for article in articles:
        article["dropped"] = dropped[article["article_id"]]
        found[_key(article)] = article
    assert len(found) == len(articles)
    return found


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    native = row["native_id"]
    return (row["source_id"], native) if native else (row["source_id"], None, row["title"])


def _matches(reason: str | list[str], found: str | None) -> bool:
    if found is None:
        return False
    wanted = [reason] if isinstance(reason, str) else reason
    return any(found.startswith(w[:-1]) if w.endswith("*") else found == w for w in wanted)


def test_every_document_is_an_article_or_in_quarantine(
    truth: list[dict[str, Any]], taken: dict[tuple[Any, ...], Any], seed_warehouse: Path
) -> None:
    articles = [t for t in truth if not t["quarantine"]]
    assert {_key(t) for t in articles} == set(taken)
    path = str(seed_warehouse / "public" / "news.duckdb")
    with duckdb.connect(path, read_only=True) as con:
        reasons = [r[0] for r in con.sql("SELECT reason FROM quarantine").fetchall()]
    assert sorted(reasons) == sorted(t["quarantine"] for t in truth if t["quarantine"])
    assert len(reasons) >= 2


def test_exactly_the_planted_paragraphs_are_dropped(
    truth: list[dict[str, Any]], taken: dict[tuple[Any, ...], Any]
) -> None:
    faults = []
    for expected in truth:
        if expected["quarantine"]:
            continue
        found = taken[_key(expected)]["dropped"]
        wanted = {d["paragraph"]: d["reason"] for d in expected["dropped"]}
        if set(wanted) != set(found) or not all(_matches(w, found[n]) for n, w in wanted.items()):
            faults.append((expected["file"], expected["line"], expected["title"], wanted, found))
    assert faults == []


def test_rights_and_bylines_are_lifted(
    truth: list[dict[str, Any]], taken: dict[tuple[Any, ...], Any]
) -> None:
    checked = 0
    for expected in truth:
        if expected["quarantine"]:
            continue
        article = taken[_key(expected)]
        if expected.get("rights"):
            checked += 1
            assert expected["rights"] in (article["rights"] or ""), expected["title"]
            assert expected["rights"] not in article["text"], expected["title"]
        if expected.get("byline_contains"):
            checked += 1
            assert expected["byline_contains"] in (article["byline"] or ""), expected["title"]
    assert checked >= 20


def test_the_same_label_is_one_story_and_other_labels_are_others(
    truth: list[dict[str, Any]], taken: dict[tuple[Any, ...], Any]
) -> None:
    story_of = {
        _key(t): (t["story"], taken[_key(t)]["story_id"]) for t in truth if not t["quarantine"]
    }
    faults = [
        (left, right, story_of[left], story_of[right])
        for left, right in combinations(story_of, 2)
        if (story_of[left][0] == story_of[right][0]) != (story_of[left][1] == story_of[right][1])
    ]
    assert faults == []
    sizes = defaultdict(int)
    for label, _ in story_of.values():
        sizes[label] += 1
    assert max(sizes.values()) >= 4  # the planted wire story stands under four mastheads
