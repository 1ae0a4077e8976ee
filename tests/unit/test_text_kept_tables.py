"""Tables that were kept are those that would be built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.text import fold_tables, kept_tables, number_windows, script
from pipeline.text.kept_tables import Arrays
from pipeline.text.text_sieve import Sieve, words

_SOURCES = ["pipeline.text.script"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where tables are kept."""
    monkeypatch.setattr(kept_tables, "places", lambda _module, file: [tmp_path / file])
    return tmp_path


def _never() -> Arrays:
    raise AssertionError("it was kept")


def _small() -> Arrays:
    return np.arange(5, dtype=np.uint32), np.zeros(0, np.int64), np.array([True, False])


def _are_equal(left: Arrays, right: Arrays) -> bool:
    return len(left) == len(right) and all(
        np.array_equal(*pair) and pair[0].dtype == pair[1].dtype
        for pair in zip(left, right, strict=True)
    )


@pytest.mark.parametrize(
    "build",
    [
        fold_tables._fold_entries,
        fold_tables._fold_tables,
        fold_tables._combining,
        script._script_classes,
        number_windows._kind_tables,
        Sieve(first=["a"], a=words("가나", "b"), c=words("다"))._built,
        _small,
    ],
)
def test_tables_are_built_once(build: Callable[[], Arrays], folder: Path) -> None:
    built = kept_tables.kept_tables("x", _SOURCES, build)
    kept = kept_tables.kept_tables("x", _SOURCES, _never)
    assert _are_equal(built, kept)
    assert _are_equal(kept, build())
    assert not any(array.flags.writeable for array in kept)


def test_other_sources_or_parameters_build_others(folder: Path) -> None:
    kept_tables.kept_tables("x", _SOURCES, _small)
    for sources, given in (
        (_SOURCES, "y"),
        (["pipeline.text.utf8"], ""),
        ([*_SOURCES, "pipeline.text.utf8"], ""),
    ):
        assert kept_tables.kept_tables("x", sources, lambda: (np.ones(1),), given)[0].size == 1
        kept_tables.kept_tables("x", _SOURCES, _small)
    assert kept_tables.kept_tables("x", ["pipeline.no_such"], _small)[0].size == 5


def test_what_is_broken_is_built_anew(folder: Path) -> None:
    kept_tables.kept_tables("x", _SOURCES, _small)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for broken in (b"", b"\n", b"[]\n", whole[:-1], whole + b" "):
        path.write_bytes(broken)
        assert _are_equal(kept_tables.kept_tables("x", _SOURCES, _small), _small())
        assert path.read_bytes() == whole


def test_where_nothing_can_be_written_it_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("no folder", "utf-8")
    monkeypatch.setattr(kept_tables, "places", lambda _module, name: [file / name])
    assert _are_equal(kept_tables.kept_tables("x", _SOURCES, _small), _small())
