"""What is written ahead of its commit: published as it is, deleted where it was for another."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import WarehouseError
from pipeline.store.doctor import doctor
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import published_state
from tests.crash.workload import NOW


def files_of(root: Path, table: str) -> list[Path]:
    return sorted((root / "data" / table).rglob("*.parquet"))


def test_what_is_staged_ahead_is_published_as_it_is(tmp_path: Path) -> None:
    staged, plain = tmp_path / "staged", tmp_path / "plain"
    for root in (staged, plain):
        with open_warehouse(root) as warehouse:
            workload.ingest(warehouse, 0)
            change = workload.change_of_batch(warehouse, 1)
            if root == staged:
                warehouse.settle()  # the landing beside it has a folder of its own
                texts = {name: change.added[name] for name in ("articles", "paragraphs")}
                warehouse.stage_ahead(texts, "run", NOW)
                (batch,) = warehouse.root.glob("staging/batch-*")
            warehouse.publish(change, "run", NOW)
            assert list(warehouse.root.glob("staging/batch-*")) == []
    assert not batch.exists()
    assert published_state(staged) == published_state(plain)
    assert doctor(staged, deep=True) == []


def test_what_was_staged_for_another_change_is_deleted(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
        change = workload.change_of_batch(warehouse, 1)
        other = {"articles": change.added["articles"].slice(0)}
        warehouse.stage_ahead(other, "run", NOW)
        n_files = len(files_of(tmp_path, "articles"))
        warehouse.publish(change, "run", NOW)
        assert len(files_of(tmp_path, "articles")) <= n_files + 2
        assert list(tmp_path.glob("staging/batch-*")) == []
        warehouse.stage_ahead(other, "run", NOW)
    assert list(tmp_path.glob("staging/batch-*")) == []
    assert doctor(tmp_path, deep=True) == []


def test_a_full_disk_is_told_when_what_was_staged_ahead_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with open_warehouse(tmp_path) as warehouse:
        change = workload.change_of_batch(warehouse, 0)
        with monkeypatch.context() as patch:
            patch.setattr("pipeline.store.commit.write_file", full)
            warehouse.stage_ahead({"articles": change.added["articles"]}, "run", NOW)
            with pytest.raises(WarehouseError, match="disk full while publishing a batch"):
                warehouse.publish(change, "run", NOW)
        assert list(tmp_path.glob("staging/batch-*")) == []
        warehouse.publish(change, "run", NOW)
    assert doctor(tmp_path, deep=True) == []
