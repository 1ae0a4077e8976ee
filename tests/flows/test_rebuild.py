"""Rebuilding: the same parameters change nothing, others change what they must, ids last."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from flows import gather
from flows import texts as texts_module
from flows.ingest import run_ingest, utc_now
from flows.intake import Request
from flows.rebuild import run_rebuild
from flows.replay import run_replay
from flows.rules import Rules
from pipeline.contracts import CONTRACTS
from pipeline.errors import WarehouseError
from pipeline.interim import REMOVALS
from pipeline.report.rebuild_report import RebuildSummary
from pipeline.settings import Settings
from pipeline.sources.files import ReadOptions, read_batches
from pipeline.store.doctor import doctor
from pipeline.store.snapshot import connect_published, read_snapshot
from pipeline.store.warehouse import open_warehouse
from tests.crash.state import copy_to

SEEDS = Path(__file__).parents[2] / "seeds"
STRICT = {"near_jaccard": 0.95, "near_jaccard_short": 0.99}


def settings_at(root: Path, **values: Any) -> Settings:
    return Settings(warehouse=root, lock_wait_seconds=5, **values)


def ingest(root: Path, *paths: Path, **values: Any) -> None:
    run_ingest([Request(specs=tuple(map(str, paths)))], settings_at(root, **values), str(uuid4()))


def rebuild(root: Path, run_id: str, **options: Any) -> RebuildSummary:
    return run_rebuild(settings_at(root, batch_documents=40), run_id, **options)


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = connect_published(root)
    try:
        return connection.sql(sql).fetchall()
    finally:
        connection.close()


def tables(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, whole."""
    return {name: rows(root, f"SELECT * FROM _{name} ORDER BY ALL") for name in CONTRACTS}


def derived(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the documents and the parameters alone decide: no stamps, ids of stories or history."""
    hidden = {"run_id", "first_seen_at", "quarantined_at", "story_id", "founded_snapshot"}
    found = {}
    for name, contract in CONTRACTS.items():
        if name not in ("documents", "decisions", "story_redirects"):
            columns = [c for c in contract.schema.names if c not in hidden]
            found[name] = rows(root, f"SELECT {', '.join(columns)} FROM _{name} ORDER BY ALL")
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seeds in batches of another size than a rebuild takes."""
    root = tmp_path_factory.mktemp("built") / "warehouse"
    ingest(root, SEEDS, batch_documents=25)
    return root


@pytest.fixture
def root(tmp_path: Path, built: Path) -> Path:
    return copy_to(built, tmp_path / "warehouse")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Path:
    """The same after a rebuild that lets fewer articles pass as copies."""
    root = copy_to(built, tmp_path_factory.mktemp("strict") / "warehouse")
    rebuild(root, "strict", given=STRICT)
    return root


def test_the_same_parameters_change_no_row(root: Path) -> None:
    before, snapshot = tables(root), read_snapshot(root).id
    summary = rebuild(root, "again")
    assert summary.headline().startswith("Nothing changed: ")
    assert (summary.rows, summary.parameters) == ({}, [])
    assert summary.n_documents == len(before["documents"])
    assert tables(root) == before
    assert read_snapshot(root).id == snapshot
    assert rows(root, "SELECT flow, status FROM runs WHERE run_id = 'again'") == [
        ("rebuild", "completed")
    ]
    assert doctor(root, deep=True) == []


def test_other_parameters_give_what_an_ingest_with_them_gives(tmp_path: Path, strict: Path) -> None:
    ingest(tmp_path / "fresh", SEEDS, **STRICT)
    assert derived(strict) == derived(tmp_path / "fresh")
    assert rows(strict, "FROM parameters ORDER BY name") == [
        ("near_jaccard", "0.95"),
        ("near_jaccard_short", "0.99"),
    ]
    assert doctor(strict, deep=True) == []


def test_what_changed_is_counted(root: Path) -> None:
    before = dict(rows(root, "SELECT role, count(*) FROM articles_all GROUP BY role"))
    summary = rebuild(root, "strict", given=STRICT)
    after = dict(rows(root, "SELECT role, count(*) FROM articles_all GROUP BY role"))
    n_back = before["duplicate"] - after["duplicate"]
    assert summary.articles_back.total() - summary.articles_dropped.total() == n_back > 0
    assert summary.n_stories - summary.n_stories_before == n_back
    assert summary.n_split > 0
    assert len(summary.examples["split"]) == min(5, summary.n_split)
    assert all(example["title"] for found in summary.examples.values() for example in found)
    assert [p.name for p in summary.parameters] == ["near_jaccard", "near_jaccard_short"]
    [(counts,)] = rows(root, "SELECT counts FROM runs WHERE run_id = 'strict'")
    assert f'"n_split_stories": {summary.n_split}' in counts


def test_a_dry_run_says_the_same_and_changes_nothing(root: Path) -> None:
    before, edition = tables(root), rows(root, "FROM _snapshot")
    files = sorted(p for p in root.rglob("*") if "public" not in p.parts)
    said = rebuild(root, "dry", given=STRICT, is_dry_run=True).as_json()
    assert (tables(root), rows(root, "FROM _snapshot")) == (before, edition)
    assert rows(root, "SELECT flow FROM runs") == [("ingest",)]
    assert sorted(p for p in root.rglob("*") if "public" not in p.parts) == files
    done = rebuild(root, "wet", given=STRICT).as_json()
    changing = {"run_id", "started_at", "elapsed_seconds", "is_dry_run", "snapshot_id", "headline"}
    assert {k: v for k, v in said.items() if k not in changing} == {
        k: v for k, v in done.items() if k not in changing
    }


def test_back_to_the_defaults_is_back_to_the_same_stories(strict: Path, built: Path) -> None:
    root = copy_to(strict, strict.parent / "back")
    apart = {story for (story,) in rows(root, "SELECT story_id FROM stories")}
    summary = rebuild(root, "back", given=dict.fromkeys(STRICT))
    assert derived(root) == derived(built)
    whole = "SELECT article_id, story_id, role FROM _story_members ORDER BY ALL"
    assert rows(root, whole) == rows(built, whole)
    assert rows(root, "FROM parameters") == []
    # Every id that stood while they were apart leads to a story that stands.
    standing = {story for (story,) in rows(root, "SELECT story_id FROM stories")}
    redirects = dict(rows(root, "SELECT story_id, merged_into_id FROM _story_redirects"))
    assert {redirects[story] for story in apart - standing} <= standing
    assert summary.n_merged == len(apart - standing) > 0
    assert doctor(root, deep=True) == []


def test_decisions_are_appended_and_say_why_articles_are_back(built: Path, strict: Path) -> None:
    every = "SELECT * FROM decisions ORDER BY ALL"
    added = set(rows(strict, every)) - set(rows(built, every))
    assert set(rows(built, every)) < set(rows(strict, every))
    back = rows(
        strict,
        "SELECT action, reason, evidence FROM decisions WHERE run_id = 'strict'"
        " AND action = 'keep_article'",
    )
    assert {(action, reason) for action, reason, _ in back} == {("keep_article", "rebuilt")}
    assert all("near_jaccard 0.5 → 0.95" in evidence for *_, evidence in back)
    dropped = rows(
        strict,
        "SELECT d.article_id, m.matched_id FROM decisions d JOIN _story_members m"
        " ON m.article_id = d.article_id AND m.matched_id = d.matched_article_id"
        " WHERE d.run_id = 'strict' AND d.action = 'drop_article'",
    )
    assert len(added) == len(back) + len(dropped)


@pytest.fixture
def no_repeats(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Rules that find no repeat inside an article, as those of another unecho might."""
    with monkeypatch.context() as patch:

        def find_repeats(spans: pa.Table, rules: Any) -> pa.Table:
            return REMOVALS.schema.empty_table()

        patch.setattr(texts_module, "find_repeats", find_repeats)
        yield patch


def test_paragraphs_come_back_and_go_again(root: Path, no_repeats: pytest.MonkeyPatch) -> None:
    dropped = dict(
        rows(root, "SELECT reason, count(*) FROM paragraphs WHERE status = 'dropped' GROUP BY 1")
    )
    before = derived(root)
    summary = rebuild(root, "without")
    repeats = {reason: n for reason, n in dropped.items() if reason.startswith("repeat_")}
    assert dict(summary.paragraphs_back) == repeats
    assert summary.paragraphs_dropped.total() == 0
    kept = rows(
        root,
        "SELECT action, reason FROM decisions WHERE run_id = 'without' AND paragraph_seq IS NOT"
        " NULL AND evidence LIKE 'no longer %'",
    )
    assert set(kept) == {("keep_paragraph", "rebuilt")}
    assert len(kept) >= sum(repeats.values())
    assert doctor(root, deep=True) == []

    no_repeats.undo()
    again = rebuild(root, "with")
    assert dict(again.paragraphs_dropped) == repeats
    assert derived(root) == before
    assert rebuild(root, "once more").is_unchanged
    assert doctor(root, deep=True) == []


def test_a_policy_for_shared_paragraphs_comes_and_goes(root: Path, built: Path) -> None:
    before = derived(root)
    summary = rebuild(root, "collapse", given={"shared_policy": "collapse"})
    n_cut = rows(root, "SELECT count(*) FROM paragraphs WHERE reason = 'shared'")[0][0]
    assert dict(summary.paragraphs_dropped) == {"shared": n_cut}
    assert n_cut > 0
    assert summary.n_split == summary.n_merged == 0
    assert rebuild(root, "the same").is_unchanged
    back = rebuild(root, "annotate", given={"shared_policy": None})
    assert dict(back.paragraphs_back) == {"shared": n_cut}
    assert derived(root) == before
    assert doctor(root, deep=True) == []


def test_later_ingests_meet_the_keys_of_the_rebuild(
    root: Path, no_repeats: pytest.MonkeyPatch
) -> None:
    rebuild(root, "without")
    with open_warehouse(root) as warehouse:
        keys = pa.concat_tables(warehouse.cached_keys()).sort_by("article_id")
        signed = warehouse.select("SELECT article_id, n_shingles FROM signatures ORDER BY 1")
    assert keys.select(["article_id", "n_shingles"]).to_pylist() == signed.to_pylist()
    # Made again from nothing they are the same.
    shutil.rmtree(root / "cache" / "keys")
    with open_warehouse(root) as warehouse:
        made = pa.concat_tables(gather.history(warehouse, Rules()))
    assert made.sort_by("article_id") == keys


def test_neither_the_files_nor_the_network_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "seeds"
    shutil.copytree(SEEDS, copied)
    ingest(tmp_path / "w", copied)
    shutil.rmtree(copied)

    def refuse(*_: Any) -> None:
        raise AssertionError("a rebuild connects to nothing")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert rebuild(tmp_path / "w", "again").is_unchanged


def test_what_a_replay_took_is_not_refused_again(tmp_path: Path) -> None:
    root, file = tmp_path / "w", tmp_path / "foreign.jsonl"
    lines = [f'{{"id": "{n}", "inhalt": "line {n} of the harbour ledger"}}' for n in range(3)]
    file.write_text("\n".join([*lines, "{broken"]), "utf-8")
    ingest(root, file)
    run_replay(None, settings_at(root), "replay", column_map={"text": "inhalt"})
    before = tables(root)
    assert (len(before["articles"]), len(before["quarantine"])) == (3, 1)
    assert rebuild(root, "again").is_unchanged
    assert tables(root) == before


def test_what_was_refused_by_a_fault_of_ours_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, file = tmp_path / "w", tmp_path / "one.jsonl"
    file.write_text('{"id": "1", "text": "a line about harbour dues"}\n', "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(texts_module, "sign", lambda *_: 1 / 0)
        ingest(root, file)
    summary = rebuild(root, "mended")
    assert (summary.n_taken, summary.n_articles) == (1, 1)
    assert rows(root, "FROM quarantine") == []
    assert doctor(root, deep=True) == []


def test_what_an_interrupted_run_landed_is_derived_with_the_rest(
    root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "late.jsonl"
    file.write_text('{"id": "late", "text": "a line about the harbour lights"}\n', "utf-8")
    with open_warehouse(root) as warehouse:
        for read in read_batches([file], ReadOptions()):
            warehouse.land(read, "killed", utc_now())
    said = rebuild(root, "dry", is_dry_run=True)
    assert said.n_articles - said.n_articles_before == 1
    assert {f.check for f in doctor(root)} == {"landing"}
    rebuild(root, "taken")
    assert rows(root, "SELECT count(*) FROM articles_all WHERE native_id = 'late'") == [(1,)]
    assert doctor(root, deep=True) == []


def test_a_reader_keeps_its_snapshot(root: Path) -> None:
    connection = connect_published(root)
    query = "SELECT role, count(*) FROM articles_all GROUP BY role ORDER BY role"
    before = connection.sql(query).fetchall()
    rebuild(root, "strict", given=STRICT)
    assert connection.sql(query).fetchall() == before
    connection.close()
    assert rows(root, query) != before


def test_a_failed_rebuild_leaves_everything(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables(root)
    with monkeypatch.context() as patch:
        patch.setattr("flows.rebuild.describe", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rebuild(root, "broken", given=STRICT)
    assert tables(root) == before
    assert rows(root, "SELECT status FROM runs WHERE run_id = 'broken'") == [("failed",)]
    assert rows(root, "FROM parameters") == []
    assert doctor(root, deep=True) == []
    # The session's own tables of the comparison do not disturb the next one.
    assert rebuild(root, "again").is_unchanged


def test_without_a_warehouse_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="there is no warehouse at"):
        rebuild(tmp_path / "nowhere", "none")
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_warehouse_has_nothing_to_derive(tmp_path: Path) -> None:
    with open_warehouse(tmp_path):
        pass
    with pytest.raises(WarehouseError, match="holds nothing to derive again; take articles in"):
        rebuild(tmp_path, "none")
