"""What a run warns of: a source that suddenly loses much to deduplication, and hot buckets."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from flows import texts as texts_module
from flows.ingest import Request, run_ingest
from pipeline import cli
from pipeline.dedup.decide import clean_text
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings

VOCABULARY = (
    "harbour council ferry winter bridge market tide lantern orchard clerk signal barrel "
    "mountain river station letter copper window garden morning engine canvas theatre school "
    "doctor captain kitchen village painter summer"
)
WORDS = VOCABULARY.split()


def body(name: str, n_sentences: int = 14) -> str:
    """Return a text of its own for every name."""
    chosen = [
        WORDS[byte % len(WORDS)]
        for n in range(n_sentences)
        for byte in hashlib.blake2b(f"{name}/{n}".encode(), digest_size=8).digest()
    ]
    sentences = (" ".join(chosen[at : at + 8]).capitalize() for at in range(0, len(chosen), 8))
    return ". ".join(sentences) + "."


def record(source: str, name: str, text: str | None = None, hour: int = 12) -> dict[str, Any]:
    return {
        "id": f"{source} {name}",
        "source": source,
        "title": f"Report on {name}",
        "text": text or body(name),
        "published_at": f"2026-03-04T{hour:02d}:00:00Z",
    }


class House:
    """A warehouse that takes lists of records."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.n_runs = folder, folder / "w", 0

    def write(self, *records: dict[str, Any]) -> Path:
        self.n_runs += 1
        path = self.folder / f"{self.n_runs}.jsonl"
        path.write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
        return path

    def take(self, *records: dict[str, Any], batch_documents: int = 5000) -> RunSummary:
        path = self.write(*records)
        settings = Settings(warehouse=self.root, batch_documents=batch_documents)
        return run_ingest([Request(specs=(str(path),))], settings, f"run {self.n_runs}")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        database = str(self.root / "public" / "news.duckdb")
        with duckdb.connect(database, read_only=True) as connection:
            return connection.sql(sql).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def own(source: str, first: int, last: int, **fields: Any) -> list[dict[str, Any]]:
    return [record(source, f"{source} {n}", **fields) for n in range(first, last)]


def copies(source: str, of: str, first: int, last: int, **fields: Any) -> list[dict[str, Any]]:
    return [record(source, f"{of} {n}", **fields) for n in range(first, last)]


@pytest.mark.parametrize("batch_documents", [7, 5000])
def test_a_source_that_suddenly_copies_raises_an_alarm(house: House, batch_documents: int) -> None:
    assert house.take(*own("press", 0, 30), *own("wire", 0, 30)).alarms == []
    taken = house.take(
        *own("press", 30, 43),
        *copies("press", "wire", 0, 12, hour=13),
        batch_documents=batch_documents,
    )
    (alarm,) = taken.alarms
    assert alarm.startswith(
        "press suddenly loses to deduplication: 48% of the 25 articles that this run brought"
        " (0% before), most of it as exact; see: unecho sql "
    )
    query = shlex.split(alarm.partition("see: ")[2])[2]
    assert len(house.rows(query)) == 12
    assert {row[1] for row in house.rows(query)} == {"wire"}
    assert taken.counts()["n_alarms"] == 1


def test_what_a_source_always_loses_is_no_alarm(house: House) -> None:
    house.take(*own("wire", 0, 60), *own("press", 0, 12), *copies("press", "wire", 0, 12, hour=13))
    taken = house.take(*own("press", 20, 30), *copies("press", "wire", 20, 35, hour=13))
    assert taken.by_source["press"].n_dropped_articles == 15  # 60 %, where 50 % were lost before
    assert taken.alarms == []


def test_a_few_articles_are_chance(house: House) -> None:
    house.take(*own("wire", 0, 30), *own("press", 0, 30))
    assert house.take(*copies("press", "wire", 0, 5, hour=13)).alarms == []


def test_many_small_runs_add_up(house: House) -> None:
    house.take(*own("wire", 0, 30), *own("press", 0, 30))
    alarms = [
        house.take(
            *own("press", 40 + n, 42 + n), *copies("press", "wire", n, n + 3, hour=13)
        ).alarms
        for n in (0, 3, 6, 9)
    ]
    assert [len(found) for found in alarms] == [0, 0, 1, 1]
    assert "45% of its 20 newest articles (0% before)" in alarms[2][0]


@pytest.mark.parametrize(("n_copies", "n_alarms"), [(7, 0), (8, 1)])
def test_a_source_without_a_level_may_lose_three_in_ten(
    house: House, n_copies: int, n_alarms: int
) -> None:
    house.take(*own("wire", 0, 30), *own("press", 0, 3))
    mixed = [*copies("press", "wire", 0, n_copies, hour=13), *own("press", 10, 35 - n_copies)]
    alarms = house.take(*mixed).alarms
    assert len(alarms) == n_alarms
    assert all("a source without a level of its own yet" in alarm for alarm in alarms)


def test_paragraphs_count_by_their_characters(house: House) -> None:
    house.take(*own("press", 0, 30))
    doubled = [body(f"lead {n}") + "\n\n" + body(f"rest {n}") for n in range(24)]
    texts = [f"{text}\n\nIn short.\n\n{text}\n\n{text}" for text in doubled]
    taken = house.take(*[record("press", f"new {n}", text) for n, text in enumerate(texts)])
    (alarm,) = taken.alarms
    assert "% of the characters of the 24 articles" in alarm
    assert "repeat_block" in alarm
    query = shlex.split(alarm.partition("see: ")[2])[2]
    assert house.rows(query)


def test_articles_that_a_run_takes_away_raise_an_alarm_for_their_source(house: House) -> None:
    house.take(*own("wire", 0, 30))
    taken = house.take(*copies("early'bird", "wire", 0, 30, hour=6), batch_documents=9)
    (alarm,) = taken.alarms
    assert alarm.startswith("wire suddenly loses to deduplication: 100% of the 30 articles that")
    assert "it had before this run (0% before)" in alarm
    assert taken.by_source["wire"].n_dropped_articles == 30
    query = shlex.split(alarm.partition("see: ")[2])[2]
    assert {row[1] for row in house.rows(query)} == {"early'bird"}


def test_articles_that_one_run_brings_and_displaces_are_no_loss_of_earlier_ones(
    house: House,
) -> None:
    """The later batches of a run take the place of its earlier ones: arrival is no reason."""
    house.take(*own("wire", 100, 130))
    mixed = [*copies("wire", "day", 0, 30), *copies("other", "day", 0, 30, hour=6)]
    (alarm,) = house.take(*mixed, batch_documents=9).alarms
    assert "100% of the 30 articles that this run brought (0% before)" in alarm


def footed(first: int, last: int, day: int) -> list[dict[str, Any]]:
    """Articles under four lines that their source prints below each."""
    lines = "\n\n".join(body(f"footer {n}", 3)[:180] for n in range(4))
    texts = [f"{body(f'report {n}', 16)}\n\n{lines}" for n in range(first, last)]
    made = [record("press", f"footed {first + n}", text) for n, text in enumerate(texts)]
    fields = {"published_at": f"2026-03-{day:02d}T08:00:00Z"}
    # About different things, as their headlines say: lines under one subject are no furniture.
    return [r | fields | {"title": body(f"title {r['id']}", 1)[:40]} for r in made]


def test_furniture_that_is_learned_late_may_raise_an_alarm(house: House) -> None:
    """What is taken out of earlier articles afterwards is a loss like any other."""
    house.take(*[record("press", f"own {n}", body(f"own {n}", 16)) for n in range(6)])
    first = house.take(*footed(0, 19, 4))
    assert first.alarms == []
    taken = house.take(*footed(19, 22, 5), *footed(22, 25, 6))
    assert house.rows("SELECT count(*) FROM paragraphs WHERE status = 'dropped'") == [(100,)]
    assert (taken.n_articles, taken.n_revisions, taken.n_unchanged_articles) == (6, 0, 0)
    assert taken.counts()["n_derived_again"] == 19
    (alarm,) = taken.alarms
    assert "of the characters of the 25 articles that it had before this run (0% before)" in alarm
    assert "most of it as furniture_source" in alarm


def test_an_article_without_a_text_is_a_fault(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def empties(*arguments: Any, **named: Any) -> Any:
        clean, *rest = clean_text(*arguments, **named)
        at = clean.schema.get_field_index("n_chars")
        zeros = pa.array([0] * clean.num_rows, pa.int32())
        return clean.set_column(at, clean.schema.field(at), zeros), *rest

    monkeypatch.setattr(texts_module, "clean_text", empties)
    (alarm,) = house.take(*own("press", 0, 2)).alarms
    assert alarm.startswith("2 articles have no text left, a fault in unecho: report it; see: ")


def test_the_alarm_goes_to_stderr_and_the_command_succeeds(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    house.take(*own("press", 0, 30), *own("wire", 0, 30))
    path = house.write(*copies("press", "wire", 0, 25, hour=13))
    arguments = ["--warehouse", str(house.root), "ingest", str(path), "--direct", "--json"]
    assert cli.main(arguments) == 0
    said = capfd.readouterr()
    assert "unecho: alarm: press suddenly loses" in said.err
    summary = json.loads(said.out)
    assert len(summary["alarms"]) == 1
    assert summary["by_source"]["press"]["dropped_articles"] == {"exact": 25}


def test_hot_buckets_are_counted_and_the_largest_is_named(house: House) -> None:
    template = body("tide tables") + " The tide came to {} centimetres at the pier of the town."
    reports = [record("gauge", f"tide {n}", template.format(n)) for n in range(240)]
    taken = house.take(*reports, batch_documents=120)
    assert taken.n_hot_buckets >= 1
    largest = taken.largest_hot_buckets[0]
    assert largest.n_articles == 240
    assert largest.title.startswith("Report on tide")
    assert house.rows(f"FROM articles_all WHERE article_id = '{largest.example_id}'")
    ((counts,),) = house.rows("SELECT counts FROM runs")
    assert json.loads(counts)["n_hot_buckets"] == taken.n_hot_buckets
    assert json.loads(counts)["n_largest_hot_bucket"] == 240
    json.dumps(taken.as_json())


def test_the_view_of_sources_shows_what_each_loses(house: House) -> None:
    house.take(*own("wire", 0, 30), *copies("press", "wire", 0, 10, hour=13), *own("press", 0, 30))
    shown = house.rows(
        "SELECT source_id, n_articles, dropped_articles_ratio, n_chars, n_dropped_chars,"
        " dropped_chars_ratio FROM sources ORDER BY source_id"
    )
    (press, wire) = shown
    assert press[:3] == ("press", 40, 0.25)
    assert wire[:3] == ("wire", 30, 0.0)
    assert wire[4:] == (0, 0.0)
    ((n_chars, n_dropped),) = house.rows(
        "SELECT sum(n_chars), sum(n_chars) FILTER (WHERE role = 'duplicate') FROM articles_all"
        " WHERE source_id = 'press'"
    )
    assert press[3:5] == (n_chars, n_dropped)
    assert press[5] == pytest.approx(n_dropped / n_chars)
