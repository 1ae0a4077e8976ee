"""Which files of a drop folder are taken, and which are left for the next run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import intake
from flows.ahead import ReadAhead
from flows.intake import Request, documents_of
from flows.rules import Rules
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.store.warehouse import Warehouse, open_warehouse

HOUR_NS = 3600 * 10**9


class Drop:
    """A drop folder and the warehouse that takes it."""

    def __init__(self, folder: Path, warehouse: Warehouse) -> None:
        self.folder, self.warehouse = folder, warehouse
        folder.mkdir()

    def write(self, name: str, text: str, changed_ns: int | None = None) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        if changed_ns is not None:
            os.utime(path, ns=(changed_ns, changed_ns))
        return path

    def take(self, settle_seconds: float = 0.0) -> list[str]:
        """Return the texts that are read, and count their files as taken."""
        settings = Settings(settle_seconds=settle_seconds)
        request = Request((str(self.folder),), source_id="drop", is_drop_folder=True)
        summary = RunSummary("r", datetime.now(UTC).replace(tzinfo=None))
        ahead = ReadAhead(Rules(), None)
        batches = documents_of(request, settings, self.warehouse, summary, None, ahead)
        return [c.decode() for b in batches for c in b.read["content"].to_pylist()]


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[Drop]:
    with open_warehouse(tmp_path / "w") as warehouse:
        yield Drop(tmp_path / "drop", warehouse)


def test_a_file_is_taken_once(drop: Drop) -> None:
    drop.write("a.txt", "one")
    assert drop.take() == ["one"]
    assert drop.take() == []
    drop.write("a.txt", "two words")
    assert drop.take() == ["two words"]


def test_a_file_that_is_still_being_written_is_left(drop: Drop) -> None:
    drop.write("a.txt", "half")
    assert drop.take(settle_seconds=5) == []
    drop.write("b.txt", "whole", time.time_ns() - HOUR_NS)
    assert drop.take(settle_seconds=5) == ["whole"]


def test_other_content_of_the_same_size_and_time_is_seen(drop: Drop) -> None:
    stamp = time.time_ns() - HOUR_NS
    drop.write("a.txt", "left", stamp)
    assert drop.take() == ["left"]
    drop.write("a.txt", "gone", stamp)
    assert drop.take() == ["gone"]
    other = drop.write("b.part", "swap", stamp)
    other.replace(drop.folder / "a.txt")
    assert drop.take() == ["swap"]
    assert drop.take() == []


def test_a_time_of_change_in_the_future_is_not_believed(drop: Drop) -> None:
    drop.write("a.txt", "from tomorrow", time.time_ns() + 24 * HOUR_NS)
    assert drop.take(settle_seconds=60) == []  # the kernel says that it has just come
    time.sleep(0.3)
    assert drop.take(settle_seconds=0.2) == ["from tomorrow"]
    assert drop.take(settle_seconds=0.2) == []


@pytest.mark.parametrize("is_growing", [False, True])
def test_where_both_clocks_are_ahead_the_file_is_looked_at_twice(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, is_growing: bool
) -> None:
    drop.write("a.txt", "text")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if is_growing:
            drop.write("a.txt", "text and more")

    # As if all stamps were ahead.
    monkeypatch.setattr(intake, "time", SimpleNamespace(sleep=sleep, time_ns=lambda: 0))
    assert drop.take(settle_seconds=5) == ([] if is_growing else ["text"])
    assert slept == [5]


def test_a_file_that_is_gone_again_is_passed_over(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.write("a.txt", "stays")
    gone = drop.write("b.txt", "goes")
    listed = intake._containers_of

    def then_deleted(*arguments: object) -> object:
        found = listed(*arguments)  # type: ignore[arg-type]
        gone.unlink()
        return found

    monkeypatch.setattr(intake, "_containers_of", then_deleted)
    assert drop.take() == ["stays"]
