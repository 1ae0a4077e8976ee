"""The way of an article, end to end and without a server: order, batches, revisions, faults."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from flows import texts as texts_module
from flows.ingest import Request, run_ingest
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.store.doctor import doctor
from tests.flows.pictures import picture, rows

SEEDS = Path(__file__).parents[2] / "seeds"

BODY = (
    "The harbour council of Port Ellery voted on Tuesday to dredge the northern channel. "
    "Work starts in May and is expected to last nineteen weeks, the harbour master said.\n\n"
    "Fishing crews had asked for a later start because the herring season ends in June. "
    "The council answered that the contractor's ships were booked for the whole autumn.\n\n"
    "The dredged sand goes to the beach at Low Haven, which lost a third of its width in "
    "last winter's storms, and the remainder is dumped at sea under a licence of the agency."
)


def settings_at(root: Path, **values: Any) -> Settings:
    return Settings(warehouse=root, lock_wait_seconds=5, **values)


def ingest(root: Path, *paths: Path | str, **values: Any) -> RunSummary:
    request = Request(specs=tuple(str(p) for p in paths))
    return run_ingest([request], settings_at(root, **values), f"run-{random.random()}")


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), "utf-8")
    return path


def seed_records() -> list[dict[str, Any]]:
    """Every seed record that is JSONL, as it stands."""
    records = []
    for path in sorted((SEEDS / "articles").rglob("*.jsonl")):
        for line in path.read_text("utf-8-sig").splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                continue  # the planted broken line
    assert len(records) > 20
    return records


def test_the_same_again_adds_nothing(tmp_path: Path) -> None:
    first = ingest(tmp_path / "w", SEEDS)
    before = picture(tmp_path / "w")
    again = ingest(tmp_path / "w", SEEDS)
    assert first.n_articles >= 60
    assert (again.n_articles, again.n_revisions, again.n_quarantined) == (0, 0, 0)
    assert again.n_known_documents == again.n_documents == first.n_documents
    assert picture(tmp_path / "w") == before
    assert doctor(tmp_path / "w") == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_and_batches_do_not_matter(tmp_path: Path, seed: int) -> None:
    records = seed_records()
    straight = write_jsonl(tmp_path / "straight.jsonl", records)
    ingest(tmp_path / "straight", straight)
    chance = random.Random(seed)
    chance.shuffle(records)
    cuts = sorted(chance.sample(range(1, len(records)), 4))
    for number, (start, stop) in enumerate(zip([0, *cuts], [*cuts, None], strict=True)):
        part = write_jsonl(tmp_path / f"part{number}.jsonl", records[start:stop])
        ingest(tmp_path / "parts", part, batch_documents=chance.choice([3, 7, 5000]))
    assert picture(tmp_path / "parts") == picture(tmp_path / "straight")
    assert doctor(tmp_path / "parts") == []


def revision(
    text: str, hour: int, native_id: str = "a1", source: str = "Ellery Post"
) -> dict[str, Any]:
    return {
        "id": native_id,
        "source": source,
        "title": "Council votes to dredge the channel",
        "text": text,
        "updated_at": f"2026-03-04T{hour:02d}:00:00Z",
        "published_at": "2026-03-04T06:00:00Z",
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("batch", [1, 5000])
def test_the_newest_revision_is_current_in_any_order(
    tmp_path: Path, order: tuple[int, ...], batch: int
) -> None:
    copy = revision(BODY, 7, native_id="b1", source="Low Haven Echo")
    texts = [
        BODY,
        BODY + "\n\nA correction was made to the number of weeks.",
        "Withdrawn by the desk.",
    ]
    revisions = [revision(text, hour) for hour, text in enumerate(texts, start=8)]
    for number, record in enumerate([copy, *[revisions[i] for i in order]]):
        path = write_jsonl(tmp_path / f"{number}.jsonl", [record])
        ingest(tmp_path / "w", path, batch_documents=batch)
    current = rows(
        tmp_path / "w", "SELECT text, n_members, role FROM articles_all WHERE native_id = 'a1'"
    )
    assert current == [("Withdrawn by the desk.", 1, "single")]
    assert rows(tmp_path / "w", "SELECT count(*) FROM revisions WHERE native_id = 'a1'") == [(3,)]
    assert rows(tmp_path / "w", "SELECT count(*) FROM articles") == [(2,)]
    assert doctor(tmp_path / "w") == []


def test_a_revision_that_leaves_its_story_gives_the_copy_back(tmp_path: Path) -> None:
    root = tmp_path / "w"
    original = revision(BODY, 7)
    copy = {
        **revision(BODY, 9, native_id="b1", source="Echo"),
        "published_at": "2026-03-04T09:00:00Z",
    }
    ingest(root, write_jsonl(tmp_path / "1.jsonl", [original, copy]))
    assert rows(root, "SELECT role FROM articles_all WHERE native_id = 'b1'") == [("duplicate",)]
    ingest(root, write_jsonl(tmp_path / "2.jsonl", [revision("Withdrawn by the desk.", 12)]))
    assert rows(root, "SELECT role FROM articles_all WHERE native_id = 'b1'") == [("single",)]
    actions = rows(
        root,
        "SELECT d.action FROM decisions d JOIN articles_all a USING (article_id)"
        " WHERE a.native_id = 'b1' AND d.paragraph_seq IS NULL ORDER BY d.decided_at",
    )
    assert actions == [("drop_article",), ("keep_article",)]
    assert doctor(root) == []


def test_a_fault_of_ours_quarantines_one_document_and_takes_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = texts_module.split_paragraphs

    def fails_on_marked(parsed: Any) -> Any:
        if any("FAULT" in text for text in parsed["original_text"].to_pylist()):
            raise ZeroDivisionError("planted")
        return split(parsed)

    monkeypatch.setattr(texts_module, "split_paragraphs", fails_on_marked)
    records = [revision(f"{BODY} Number {n}.", 8, native_id=str(n)) for n in range(9)]
    records[4]["text"] += " FAULT"
    path = write_jsonl(tmp_path / "in.jsonl", records)
    summary = ingest(tmp_path / "w", path)
    assert (summary.n_articles, dict(summary.quarantined)) == (8, {"fault": 1})
    assert rows(tmp_path / "w", "SELECT position, reason FROM quarantine") == [(5, "fault")]
    assert not summary.is_all_quarantined
    again = ingest(tmp_path / "w", path)
    assert (again.n_articles, again.n_recovered_documents) == (0, 0)


def test_a_missing_place_is_reported_and_the_rest_is_taken(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [revision(BODY, 8)])
    summary = ingest(tmp_path / "w", tmp_path / "nowhere", path)
    assert summary.n_articles == 1
    assert len(summary.source_errors) == 1
    assert "nowhere" in summary.source_errors[0]


def test_files_named_one_by_one_share_a_batch(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.txt" for n in range(12)]
    for number, path in enumerate(paths):
        path.write_text(f"{BODY} Number {number}.", "utf-8")
    summary = ingest(tmp_path / "w", *paths, paths[0])
    assert (summary.n_documents, summary.n_batches) == (12, 1)


@pytest.mark.parametrize("batch", [1, 5000])
def test_revisions_are_counted_as_revisions_in_any_batch(tmp_path: Path, batch: int) -> None:
    records = [revision(f"{BODY} Version {hour}.", hour) for hour in range(8, 12)]
    path = write_jsonl(tmp_path / "in.jsonl", [*records, revision(BODY, 8, native_id="b")])
    summary = ingest(tmp_path / "w", path, batch_documents=batch)
    assert (summary.n_articles, summary.n_revisions) == (2, 3)
