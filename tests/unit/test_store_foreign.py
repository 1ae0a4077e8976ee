"""Files of others in the warehouse's folder: never deleted, never overwritten, never ingested."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.errors import SourceGone, WarehouseError
from pipeline.sources.paths import expand
from pipeline.store.doctor import doctor
from pipeline.store.layout import Layout
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload

ORPHAN = f"data/articles/2026-11/l0-{'0a' * 16}.parquet"


def write(root: Path, *names: str) -> dict[str, bytes]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return contents(root)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "name",
    [
        *("data/articles.jsonl", "data/notes/a.txt", "staging/mine", "staging/spill/mine"),
        *("public/index.html", "public/news.duckdb", "cache/pip/wheel", "cache/keys/mine.arrow"),
        *("data", "staging", "public", "cache"),
    ],
)
def test_folder_of_others_is_refused_and_untouched(tmp_path: Path, name: str) -> None:
    before = write(tmp_path, name, "articles.jsonl")
    entries = sorted(tmp_path.rglob("*"))
    message = r"is no warehouse, and .* is in the way.*name another folder.*nothing was touched"
    with pytest.raises(WarehouseError, match=message), open_warehouse(tmp_path):
        pass
    assert contents(tmp_path) == before
    assert sorted(tmp_path.rglob("*")) == entries


def test_lost_catalogue_is_refused_as_such(tmp_path: Path) -> None:
    before = write(tmp_path, ORPHAN)
    with (
        pytest.raises(WarehouseError, match=r"catalogue .* is missing.*restore"),
        open_warehouse(tmp_path),
    ):
        pass
    assert contents(tmp_path) == before


def test_folder_with_other_names_becomes_a_warehouse(tmp_path: Path) -> None:
    before = write(tmp_path, "articles.jsonl", "news/a.jsonl")
    (tmp_path / "data").mkdir()
    with open_warehouse(tmp_path):
        pass
    assert before.items() <= contents(tmp_path).items()
    assert doctor(tmp_path) == []


def test_creation_that_was_killed_is_repeated(tmp_path: Path) -> None:
    Layout.at(tmp_path).create()
    (tmp_path / "writer.lock").touch()
    for _ in range(2):  # the second time beside a catalogue that SQLite only opened
        with open_warehouse(tmp_path):
            pass
        assert doctor(tmp_path) == []
        shutil.rmtree(tmp_path / "public" / "snapshots")
        for path in [*tmp_path.glob("catalog.sqlite*"), *(tmp_path / "public").iterdir()]:
            path.unlink()
        Layout.at(tmp_path).create()
        (tmp_path / "catalog.sqlite").touch()


FOREIGN = (
    *("cache/keys/mine.arrow", "data/articles.jsonl", "data/articles/2026-11/l0-mine.parquet"),
    *("data/mine/2026-11/l0-" + "0" * 32 + ".parquet", "public/snapshots/mine.duckdb"),
    *("staging/batch-notes", "staging/mine/a.txt", "staging/tmp"),
)


def test_files_of_others_in_a_warehouse_stay_and_are_reported(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
    before = {str(tmp_path / name): name.encode() for name in FOREIGN}
    write(tmp_path, *FOREIGN, ORPHAN, "staging/batch-0a1b2c3_/file")
    for checked in ({"foreign", "orphan", "staging"}, {"foreign"}):
        found = doctor(tmp_path)
        assert {finding.check for finding in found} == checked
        foreign = [finding for finding in found if finding.check == "foreign"]
        assert len(foreign) == 6
        assert all("opening" not in finding.next_step for finding in foreign)
        with open_warehouse(tmp_path, retention_days=0) as warehouse:
            warehouse.history(workload.rebuild)
        assert before.items() <= contents(tmp_path).items()
    assert not (tmp_path / ORPHAN).exists()


def test_an_ingest_above_never_reads_the_warehouse(tmp_path: Path) -> None:
    root = tmp_path / "warehouse"
    write(tmp_path, "a.jsonl")
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, 0)
    assert any(root.rglob("*.json"))
    assert expand([str(tmp_path)]) == [tmp_path / "a.jsonl"]
    assert expand([str(tmp_path / "**" / "*.*")]) == [tmp_path / "a.jsonl"]
    with pytest.raises(SourceGone):
        expand([str(root)])


def test_an_ignore_file_of_others_stays(tmp_path: Path) -> None:
    before = write(tmp_path, ".unechoignore")
    with open_warehouse(tmp_path):
        pass
    assert before.items() <= contents(tmp_path).items()
