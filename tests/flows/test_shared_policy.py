"""Paragraphs that several sources print: annotated, collapsed or dropped in the clean records."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.ingest import Request, run_ingest
from pipeline.errors import WarehouseError
from pipeline.settings import Settings
from pipeline.store.doctor import doctor

AGENCY = (
    "The weather service of the lower valley expects the river to stay below the second mark "
    "until the weekend, and has called off the night watches on all four bridges."
)


def own_text(seed: int) -> list[str]:
    chance = random.Random(seed)
    words = [f"{chance.choice('bcdfgklmnprst')}{chance.randrange(10**6)}" for _ in range(60)]
    return [" ".join(words[i : i + 20]) for i in range(0, 60, 20)]


def article(number: int, source: str, hour: int) -> dict[str, Any]:
    first, second, third = own_text(number)
    return {
        "id": f"a{number}",
        "source": source,
        "title": f"Report {number} {own_text(number + 100)[0][:30]}",
        "published_at": f"2026-03-01T{hour:02d}:00:00Z",
        "text": "\n\n".join([first, AGENCY, second, third]),
    }


LATER = [article(1, "ashby.example", 9), article(2, "brill.example", 10)]
EARLIER = article(3, "corve.example", 7)


def ingest(root: Path, records: list[dict[str, Any]], **values: Any) -> None:
    path = root.parent / f"{random.random()}.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
    settings = Settings(warehouse=root, lock_wait_seconds=5, **values)
    run_ingest([Request(specs=(str(path),))], settings, f"run-{random.random()}")


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "public" / "news.duckdb"), read_only=True) as con:
        return con.sql(sql).fetchall()


def holders(root: Path) -> list[str]:
    """Return which clean records show the agency's paragraph."""
    found = rows(
        root, "SELECT native_id FROM articles WHERE contains(text, 'night watches') ORDER BY 1"
    )
    return [row[0] for row in found]


def test_annotate_tells_who_was_first_and_leaves_every_text(tmp_path: Path) -> None:
    root = tmp_path / "w"
    ingest(root, LATER)
    ingest(root, [EARLIER])
    assert holders(root) == ["a1", "a2", "a3"]
    found = rows(
        root,
        "SELECT a.native_id, f.native_id, s.is_first FROM shared_paragraphs s"
        " JOIN articles a USING (article_id) JOIN articles f ON f.article_id = s.first_article_id"
        " ORDER BY 1",
    )
    assert found == [("a1", "a3", False), ("a2", "a3", False), ("a3", "a3", True)]


@pytest.mark.parametrize(("policy", "mark"), [("drop", 0), ("collapse", 1)])
def test_only_the_first_record_keeps_it(tmp_path: Path, policy: str, mark: int) -> None:
    root = tmp_path / "w"
    ingest(root, LATER, shared_policy=policy)
    assert holders(root) == ["a1"]
    ingest(root, [EARLIER], shared_policy=policy)
    assert holders(root) == ["a3"]
    assert rows(root, "SELECT count(*) FROM articles WHERE contains(text, '[…]')") == [(2 * mark,)]
    dropped = rows(
        root,
        "SELECT a.native_id, seq, a.n_paragraphs, a.n_dropped_paragraphs FROM paragraphs p"
        " JOIN articles a USING (article_id) WHERE p.reason = 'shared' ORDER BY 1",
    )
    assert dropped == [("a1", 1, 3, 1), ("a2", 1, 3, 1)]
    decided = rows(
        root,
        "SELECT a.native_id, action, m.native_id FROM decisions d"
        " JOIN articles a USING (article_id)"
        " LEFT JOIN articles m ON m.article_id = d.matched_article_id"
        " WHERE reason = 'shared' ORDER BY decided_at, 1, 2",
    )
    assert decided == [
        ("a2", "drop_paragraph", "a1"),
        ("a1", "drop_paragraph", "a3"),
        ("a2", "drop_paragraph", "a3"),
    ]
    assert doctor(root) == []


def test_the_order_of_arrival_does_not_decide(tmp_path: Path) -> None:
    texts = []
    for number, batches in enumerate([[[*LATER, EARLIER]], [[EARLIER], LATER]]):
        root = tmp_path / str(number)
        for batch in batches:
            ingest(root, batch, shared_policy="drop")
        texts.append(rows(root, "SELECT native_id, text, n_chars FROM articles ORDER BY 1"))
    assert texts[0] == texts[1]


def test_another_policy_needs_a_rebuild(tmp_path: Path) -> None:
    root = tmp_path / "w"
    ingest(root, LATER)
    with pytest.raises(WarehouseError, match="unecho rebuild --set shared_policy=drop"):
        ingest(root, [EARLIER], shared_policy="drop")
    assert holders(root) == ["a1", "a2"]
