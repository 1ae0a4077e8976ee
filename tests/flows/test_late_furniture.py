"""Furniture that is learned late leaves earlier articles too; unlearned, it comes back."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.ingest import Request, run_ingest
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.store.doctor import doctor

TIP = "▶ Tips for the night desk of the Low Haven Courier"
PLACES = (
    "Ashby",
    "Brill",
    "Corve",
    "Dunmere",
    "Eastry",
    "Fenby",
    "Garth",
    "Holme",
    "Ince",
    "Jarrow",
)
TOPICS = ("ferry", "bakery", "library", "orchard", "bridge", "tramway", "market", "quarry", "mill")


def article(number: int, *, tip: bool = True) -> dict[str, Any]:
    """An article of nine paragraphs that shares nothing with the others but its tip line."""
    chance = random.Random(number)
    words = [f"{chance.choice(PLACES).lower()}{chance.randrange(10_000)}" for _ in range(90)]
    body = [" ".join(words[i : i + 10]).capitalize() + "." for i in range(0, 90, 10)]
    day = 1 + number % 5
    return {
        "id": f"a{number}",
        "source": "courier.example",
        "title": f"{chance.choice(PLACES)} {chance.choice(TOPICS)} {number}",
        "published_at": f"2026-03-{day:02d}T08:00:00Z",
        "text": "\n\n".join([*body, TIP] if tip else body),
    }


def ingest(root: Path, records: list[dict[str, Any]], **values: Any) -> RunSummary:
    path = root.parent / f"{root.name}-{random.random()}.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
    settings = Settings(warehouse=root, lock_wait_seconds=5, **values)
    return run_ingest([Request(specs=(str(path),))], settings, f"run-{random.random()}")


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "public" / "news.duckdb"), read_only=True) as con:
        return con.sql(sql).fetchall()


def picture(root: Path) -> dict[str, Any]:
    return {
        "articles": rows(
            root, "SELECT native_id, text, n_chars, key_hash FROM articles_all ORDER BY 1"
        ),
        "paragraphs": rows(
            root, "SELECT article_id::VARCHAR, seq, status, reason FROM paragraphs ORDER BY ALL"
        ),
        "furniture": rows(root, "SELECT * EXCLUDE (run_id) FROM furniture ORDER BY ALL"),
    }


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("once") / "w"
    ingest(root, [article(n) for n in range(8)])
    return root


def test_a_line_that_a_source_repeats_is_furniture(at_once: Path) -> None:
    found = rows(at_once, "SELECT source_id, example, reason, n_documents, n_days FROM furniture")
    assert found == [("courier.example", TIP, "furniture_source", 8, 5)]
    dropped = rows(
        at_once,
        "SELECT text, reason, count(*) FROM paragraphs WHERE status = 'dropped' GROUP BY ALL",
    )
    assert dropped == [(TIP, "furniture_source", 8)]
    assert rows(at_once, "SELECT count(*) FROM articles WHERE contains(text, 'night desk')") == [
        (0,)
    ]


def test_what_is_learned_late_leaves_earlier_articles(at_once: Path, tmp_path: Path) -> None:
    root = tmp_path / "w"
    first = ingest(root, [article(n) for n in range(3)])
    assert first.n_articles == 3
    assert rows(root, "SELECT count(*) FROM paragraphs WHERE status = 'dropped'") == [(0,)]
    for n in range(3, 8):
        ingest(root, [article(n)])
    assert picture(root) == picture(at_once)
    late = rows(
        root,
        "SELECT a.native_id, d.evidence FROM decisions d JOIN articles_all a USING (article_id)"
        " WHERE d.reason = 'furniture_source' ORDER BY 1",
    )
    assert [native for native, _ in late] == [f"a{n}" for n in range(8)]
    assert all("learned" in evidence for _, evidence in late)
    assert rows(root, "SELECT count(*) FROM revisions") == [(8,)]
    assert doctor(root) == []


def test_small_batches_in_any_order_end_in_the_same(at_once: Path, tmp_path: Path) -> None:
    root = tmp_path / "w"
    records = [article(n) for n in range(8)]
    random.Random(5).shuffle(records)
    ingest(root, records, batch_documents=2)
    assert picture(root) == picture(at_once)


def test_unlearned_furniture_comes_back_with_a_decision(tmp_path: Path) -> None:
    root, whole = tmp_path / "w", tmp_path / "whole"
    with_tip, others = (
        [article(n) for n in range(6)],
        [article(n, tip=False) for n in range(6, 2100)],
    )
    ingest(root, with_tip)
    assert rows(root, "SELECT count(*) FROM furniture") == [(1,)]
    ingest(root, others)
    assert rows(root, "SELECT count(*) FROM furniture") == [(0,)]
    assert rows(root, "SELECT count(*) FROM articles_all WHERE contains(text, 'night desk')") == [
        (6,)
    ]
    back = rows(
        root, "SELECT DISTINCT reason, evidence FROM decisions WHERE action = 'keep_paragraph'"
    )
    assert back == [("furniture_source", "no longer furniture of its source")]
    ingest(whole, with_tip + others)
    assert picture(root) == picture(whole)
    assert doctor(root) == []


def test_an_older_revision_alone_unlearns_nothing(tmp_path: Path) -> None:
    root = tmp_path / "w"
    ingest(root, [article(n) for n in range(8)])
    older = article(3) | {"updated_at": "2026-01-01T00:00:00Z"}
    older["text"] = older["text"].replace(".", " then.", 1)
    ingest(root, [older])
    assert rows(root, "SELECT count(*) FROM revisions") == [(9,)]
    assert rows(root, "SELECT count(*) FROM furniture") == [(1,)]
    assert rows(root, "SELECT count(*) FROM revisions WHERE contains(text, 'night desk')") == [(0,)]


def test_a_superseded_revision_loses_its_late_footer_too(tmp_path: Path) -> None:
    records = [article(0), article(0, tip=False) | {"updated_at": "2026-03-09T08:00:00Z"}]
    others = [article(n) for n in range(1, 9)]
    found = []
    for number, batches in enumerate([[records + others], [records, others], [others, records]]):
        root = tmp_path / str(number)
        for batch in batches:
            ingest(root, batch)
        found.append(rows(root, "SELECT revision_id, n_chars, text FROM revisions ORDER BY ALL"))
        assert doctor(root) == []
    assert found[0] == found[1] == found[2]
