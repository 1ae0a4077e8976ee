"""Patterns whose compiled code was kept are the patterns that `re` compiles."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import pytest

import pipeline.dedup.captions  # noqa: F401  (it holds the longest patterns)
from pipeline.text import kept_patterns
from pipeline.text.kept_patterns import LONG_CHARS, compiled
from pipeline.text.lazy_pattern import LazyPattern

_PATTERN = r"(?P<first>\w+) (?:(?P<last>b)|" + "|".join(f"가{n}나" for n in range(300)) + ")"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where patterns are kept."""
    monkeypatch.setattr(kept_patterns, "places", lambda _module, file: [tmp_path / file])
    return tmp_path


def test_long_patterns_are_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = [
        (found.pattern, found.flags)
        for found in gc.get_objects()
        if isinstance(found, LazyPattern) and len(found.pattern) >= LONG_CHARS
    ]
    for given in [*long, (_PATTERN, re.IGNORECASE)]:
        assert compiled(*given) == re.compile(*given)
    assert len(list(folder.iterdir())) >= 8
    monkeypatch.delattr(kept_patterns, "_made")
    for given in [*long, (_PATTERN, re.IGNORECASE)]:
        kept, own = compiled(*given), re.compile(*given)
        assert kept == own
        assert (kept.flags, kept.groups) == (own.flags, own.groups)
        assert kept.groupindex == own.groupindex


def test_groups_keep_their_names(folder: Path) -> None:
    for _ in range(2):
        found = compiled(_PATTERN, 0).search("x 가7나, y b")
        assert found is not None
        assert (found.lastgroup, found.groupdict()) == ("first", {"first": "x", "last": None})
    assert len(list(folder.iterdir())) == 1


def test_what_is_broken_is_made_anew(folder: Path) -> None:
    compiled(_PATTERN, 0)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for broken in (b"", whole[:-4], b"{}\n", whole[:-8] + bytes(8)):
        path.write_bytes(broken)
        assert compiled(_PATTERN, 0) == re.compile(_PATTERN)
        assert path.read_bytes() == whole


def test_short_patterns_are_not_kept(folder: Path) -> None:
    assert compiled("a+", re.ASCII) == re.compile("a+", re.ASCII)
    assert not list(folder.iterdir())


def test_where_re_hides_its_compiler_it_compiles(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(kept_patterns, "import_module", missing)
    assert compiled(_PATTERN, 0) == re.compile(_PATTERN)
    assert not list(folder.iterdir())
