"""The kept views: used as they are, made again when anything about them is different."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.store.template import kept_template


class Maker:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.n_made = 0

    def __call__(self) -> bytes:
        self.n_made += 1
        return b"views" * 100


def test_it_is_made_once(tmp_path: Path) -> None:
    make = Maker()
    assert [kept_template(tmp_path, make, Path(__file__)) for _ in range(3)] == [make()] * 3
    assert make.n_made == 2
    assert len([*tmp_path.iterdir()]) == 1


def test_a_torn_one_is_made_again(tmp_path: Path) -> None:
    make = Maker()
    kept_template(tmp_path, make, Path(__file__))
    kept = next(tmp_path.iterdir())
    kept.write_bytes(kept.read_bytes()[:-1])
    assert kept_template(tmp_path, make, Path(__file__)) == make()
    assert make.n_made == 3
    assert [*tmp_path.iterdir()] == [kept]


def test_another_duckdb_makes_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    kept_template(tmp_path, make, Path(__file__))
    before = [*tmp_path.iterdir()]
    monkeypatch.setattr(duckdb, "__version__", "another")
    kept_template(tmp_path, make, Path(__file__))
    assert make.n_made == 2
    assert len([*tmp_path.iterdir()]) == 1
    assert [*tmp_path.iterdir()] != before


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    make = Maker()
    missing = tmp_path / "missing"
    assert kept_template(missing, make, Path(__file__)) == make()
