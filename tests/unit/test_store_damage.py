"""Damaged data files, and failures between batches: the error says what is so and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import WarehouseError
from pipeline.store.durable import storing
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(byte ^ 0xFF for byte in content[4:200])
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
@pytest.mark.parametrize("table", ["articles", "story_members", "signatures", "documents"])
def test_damaged_file_is_named_as_such(
    tmp_path: Path, damage: Callable[[Path], object], table: str
) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
    for path in (tmp_path / "data" / table).rglob("*.parquet"):
        damage(path)
    message = r"a data file of .* is damaged or missing.*run `unecho doctor`"
    with (
        pytest.raises(WarehouseError, match=message) as caught,
        open_warehouse(tmp_path) as warehouse,
    ):
        warehouse.select(f"SELECT * FROM {table}")
    assert "nothing is lost" not in str(caught.value)


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_damaged_landing_is_named_as_such(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    with open_warehouse(tmp_path) as warehouse:
        warehouse.land(workload.read_table(workload.pieces(0, 6)), "run", workload.NOW)
    (path,) = (tmp_path / "data" / "documents").rglob("*.parquet")
    damage(path)
    with (
        pytest.raises(WarehouseError, match=r"is damaged or missing.*run `unecho doctor`"),
        open_warehouse(tmp_path) as warehouse,
    ):
        list(warehouse.pending())


def test_wrong_query_is_no_damage(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        for query in ("SELECT nothing FROM articles", "SELECT * FROM nowhere", "SELEC"):
            with pytest.raises(duckdb.Error):
                warehouse.select(query)


def test_interrupt_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(duckdb.InterruptException), storing("testing", tmp_path):
        raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")


def full_at(name: str) -> Callable[[str], None]:
    def step(passing: str) -> None:
        if passing == name:
            raise OSError(28, "No space left on device")

    return step


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ("land:staged", "this batch has not landed, a retry is safe"),
        ("commit:staged", "the next run takes up what had landed, a retry is safe"),
        ("publish:built", "the next run takes up what had landed, a retry is safe"),
    ],
)
def test_full_disk_in_a_later_batch_says_what_stays(
    tmp_path: Path, step: str, outcome: str
) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
        warehouse._step = full_at(step)
        with pytest.raises(WarehouseError, match="disk full") as caught:
            workload.ingest(warehouse, 1)
    assert str(caught.value).endswith(f"what was published stays, {outcome}")
    assert "nothing was published" not in str(caught.value)
