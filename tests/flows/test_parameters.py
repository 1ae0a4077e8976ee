"""Every parameter of derivation changes what is published."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.ingest import Request, run_ingest
from flows.rules import PARAMETERS
from pipeline.settings import Settings

SEEDS = Path(__file__).parents[2] / "seeds"

OTHER: dict[str, Any] = {
    "near_jaccard": 0.9,
    "near_jaccard_short": 0.5,
    "update_jaccard": 0.95,
    "related_jaccard": 0.45,
    "contained_containment": 0.99,
    "duplicate_relations": ["exact"],
    "furniture_min_documents": 9,
    "furniture_min_share": 0.9,
    "source_priority": ["garam.example"],
    "shared_policy": "drop",
}


def words(seed: int, n_words: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices("aeioubdgklmnprst", k=7)) for _ in range(n_words)]


def record(number: int, source: str, title: str, text: list[str], hour: int) -> dict[str, Any]:
    return {
        "id": f"p{number}",
        "source": source,
        "title": title,
        "published_at": f"2026-03-{1 + number % 5:02d}T{hour:02d}:00:00Z",
        "text": " ".join(text),
    }


def planted() -> list[dict[str, Any]]:
    """Pairs between two thresholds, and a source that signs eight of ten articles."""
    body, short = words(1, 120), words(2, 30)
    part = body[:70] + words(3, 50)
    signed = [
        record(n, "mill.example", " ".join(words(50 + n, 4)), words(60 + n, 60), 8)
        for n in range(20, 30)
    ]
    for each in signed[2:]:
        each["text"] += "\n\n▶ Letters to the night desk of the Mill Lane Courier"
    return [
        record(0, "ashby.example", "Harbour works begin in the spring", body, 8),
        record(5, "ashby.example", "Harbour works begin in the spring", part, 9),
        record(10, "brill.example", "Other words about it", body[50:] + words(4, 50), 9),
        record(15, "corve.example", "In brief", [*body[60:117], *words(5, 3)], 9),
        record(30, "ashby.example", "A picture of the ferry", short, 9),
        record(35, "brill.example", "A picture of the ferry", [*short[:26], *words(6, 4)], 9),
        *signed,
    ]


def published(root: Path, **values: Any) -> list[list[tuple[Any, ...]]]:
    root.mkdir()
    (root / "planted.jsonl").write_text("".join(json.dumps(r) + "\n" for r in planted()), "utf-8")
    settings = Settings(warehouse=root / "w", **values)
    run_ingest([Request(specs=(str(SEEDS), str(root / "planted.jsonl")))], settings, "run")
    queries = (
        "SELECT native_id, role, relation, text FROM articles_all ORDER BY ALL",
        "SELECT left_id, right_id, relation, is_duplicate FROM edges ORDER BY ALL",
        "SELECT source_id, line_hash FROM furniture ORDER BY ALL",
    )
    with duckdb.connect(str(root / "w/public/news.duckdb"), read_only=True) as con:
        return [con.sql(query).fetchall() for query in queries]


@pytest.fixture(scope="module")
def by_default(tmp_path_factory: pytest.TempPathFactory) -> list[list[tuple[Any, ...]]]:
    return published(tmp_path_factory.mktemp("parameters") / "default")


def test_every_parameter_is_tried() -> None:
    assert set(OTHER) == set(PARAMETERS)


@pytest.mark.parametrize("name", OTHER)
def test_another_value_publishes_something_else(
    name: str, by_default: list[list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    assert published(tmp_path / "other", **{name: OTHER[name]}) != by_default
