"""Cleaning ahead: what workers cleaned before a batch's turn came, and what is cleaned again."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from flows import parts as parts_module
from flows.ingest import Request, run_ingest
from flows.parts import PartedTexts
from flows.prepared import Known, Prepared, clean_part, outdated, prepare_documents
from flows.rules import Rules
from flows.workers import Workers
from pipeline.interim import LEARNED
from pipeline.settings import Settings
from pipeline.sources.files import ReadOptions, read_batches
from pipeline.store.doctor import doctor
from pipeline.store.spool import Handle
from tests.flows.pictures import picture, rows

FOOTER = "▶ Follow the Sorvik Herald on every screen you own"


def article(number: int, *, source: str, day: int, tail: str = "") -> dict[str, Any]:
    """An article of words that no other has."""
    chance = random.Random(number)
    words = ["".join(chance.choices(string.ascii_lowercase, k=9)) for _ in range(80)]
    body = [" ".join(words[at : at + 20]) + "." for at in range(0, 80, 20)]
    return {
        "id": f"a{number}",
        "source": source,
        "title": " ".join(words[:5]),
        "date": f"2026-03-{day:02}T08:00:00Z",
        "text": "\n".join([*body, tail] if tail else body),
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine batches of 40: `herald` prints its footer from the third on, `plain` never has one.

    In the last batch an article stands twice, in two revisions.
    """
    records = []
    for number in range(360):
        batch = number // 40
        source = "herald" if number % 2 else "plain"
        tail = FOOTER if source == "herald" and batch >= 2 else ""
        records.append(article(number, source=source, day=1 + batch, tail=tail))
    records[-1] |= {"id": "a357", "text": "Corrected: " + records[-1]["text"]}
    path = tmp_path_factory.mktemp("corpus") / "articles.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in records), "utf-8")
    return path


def ingest(root: Path, path: Path, **values: Any) -> Any:
    settings = Settings(warehouse=root, batch_documents=40, **values)
    return run_ingest([Request(specs=(str(path),))], settings, str(uuid4()))


def test_what_a_batch_teaches_is_taken_out_of_what_was_cleaned_before(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same warehouse, and little is cleaned twice: work, counted."""
    monkeypatch.setattr(parts_module, "LEAST_BYTES", 1)
    ahead: list[int] = []
    again: list[int] = []
    submit, cleaned = Workers.submit, PartedTexts.cleaned

    def counted(self: Workers, function: Any, *arguments: Any, **options: Any) -> Any:
        if function is clean_part:
            revisions = arguments[1]
            again.append(n_in_part[arguments[0]] if revisions is None else len(revisions))
        return submit(self, function, *arguments, **options)

    n_in_part: dict[Handle, int] = {}

    def counted_ahead(self: PartedTexts, *arguments: Any) -> Any:
        for part in self.parts:
            n_in_part[part.handle] = part.parsed.num_rows
            ahead.append(part.prepared.cleaned.clean.num_rows if part.prepared.cleaned else 0)
        return cleaned(self, *arguments)

    monkeypatch.setattr(Workers, "submit", counted)
    monkeypatch.setattr(PartedTexts, "cleaned", counted_ahead)
    ingest(tmp_path / "crew", corpus, workers=2)
    ingest(tmp_path / "alone", corpus, workers=1)
    assert picture(tmp_path / "alone") == picture(tmp_path / "crew")
    assert not doctor(tmp_path / "crew")
    decided = [
        rows(
            tmp_path / name,
            "SELECT article_id, action, reason, evidence FROM decisions ORDER BY ALL",
        )
        for name in ("alone", "crew")
    ]
    assert decided[0] == decided[1]
    assert sum(row[-1].startswith("learned: ") for row in decided[0]) >= 7 * 20 - 1
    # Cleaned twice: `herald` in the batches that were begun before its line was known (one and
    # those read ahead), and the article that stands twice. Of the first batches, begun before
    # anything was known of a source, no article is cleaned ahead.
    assert 0 < sum(ahead) + sum(again) - 360 <= 20 * 4 + 2
    assert 0 < sum(ahead) <= 40 * 8


def known(*sources: str, furniture: pa.Table | None = None) -> Known:
    """What is known of some sources."""
    return Known(pa.array(sources, pa.string()), furniture or LEARNED.schema.empty_table())


def prepared(path: Path, *sources: str) -> Prepared:
    (read,) = read_batches([str(path)], ReadOptions(source_id="s"))
    return prepare_documents(read, Rules(), known(*sources))


def test_articles_of_several_revisions_are_cleaned_again(corpus: Path) -> None:
    nothing = known("herald", "plain")
    part = prepared(corpus, "herald", "plain")
    assert part.cleaned is not None
    parsed = part.inspected.parsed
    twice = parsed.filter(pa.array([n == "a357" for n in parsed["native_id"].to_pylist()]))
    assert twice.num_rows == 2
    found = outdated([part], nothing, nothing.furniture)
    assert sorted(found.to_pylist()) == sorted(twice["revision_id"].to_pylist())
    assert twice["article_id"][0] not in part.cleaned.keys["article_id"]
    assert part.cleaned.keys.num_rows == parsed.num_rows - 2


def test_a_line_counts_for_what_it_was_taken_for(corpus: Path) -> None:
    nothing = LEARNED.schema.empty_table()
    part = prepared(corpus, "herald", "plain")
    lines = part.inspected.lines
    footers = {
        line & ~1
        for line, text in zip(
            lines["line_hash"].to_pylist(), part.inspected.spans["text"].to_pylist(), strict=True
        )
        if text == FOOTER
    }
    (footer,) = footers
    row = dict.fromkeys(LEARNED.schema.names) | {
        "source_id": "herald",
        "line_hash": footer,
        "reason": "furniture_source",
        "example_article_id": bytes(16),
        "n_documents": 30,
        "n_source_documents": 40,
        "n_days": 3,
        "edge_ratio": 1.0,
        "first_seen_at": None,
        "last_seen_at": None,
    }
    table = pa.Table.from_pylist([row], LEARNED.schema)
    often = pa.Table.from_pylist([row | {"n_documents": 31}], LEARNED.schema)
    other = pa.Table.from_pylist([row | {"reason": "furniture_rights"}], LEARNED.schema)
    elsewhere = pa.Table.from_pylist([row | {"source_id": "who is not here"}], LEARNED.schema)

    def n_outdated(before: pa.Table, after: pa.Table) -> int:
        return len(outdated([part], known("herald", "plain", furniture=before), after))

    n_revised = n_outdated(nothing, nothing)
    n_printing = 20 * 7
    assert n_outdated(table, often) == n_revised
    assert n_outdated(elsewhere, nothing) == n_revised
    for before, after in ((nothing, table), (table, nothing), (table, other)):
        assert n_printing <= n_outdated(before, after) <= n_printing + n_revised


def test_articles_of_unknown_sources_are_cleaned_later(corpus: Path) -> None:
    assert prepared(corpus).cleaned is None
    part = prepared(corpus, "plain")
    assert part.cleaned is not None
    assert set(part.cleaned.clean["source_id"].to_pylist()) == {"plain"}
    later = outdated([part], known("plain"), LEARNED.schema.empty_table()).to_pylist()
    parsed = part.inspected.parsed
    is_herald = pa.array([name == "herald" for name in parsed["source_id"].to_pylist()])
    assert set(parsed["revision_id"].filter(is_herald).to_pylist()) <= set(later)
