"""What stands on the command line of `unecho ingest`, and what is asked for because of it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from flows.intake import Request
from pipeline.commands.options import UsageError
from pipeline.commands.requests import Overrides, bytes_of, is_there, requests_for
from pipeline.errors import SettingsError
from pipeline.settings import Settings, SourceSettings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    drop = tmp_path / "drop"
    drop.mkdir()
    return Settings(
        warehouse=tmp_path / "w",
        source=(
            SourceSettings(id="daily", path=str(drop), timezone="Asia/Seoul", map={"text": "본문"}),
            SourceSettings(id="weekly", path=str(drop), enabled=False),
        ),
    )


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x"}\n')
    return str(path)


def test_files_share_a_request_and_sources_have_their_own(settings: Settings, file: str) -> None:
    overrides = Overrides(source_id="given", column_map={"title": "제목"}, encoding="cp949")
    daily, files = requests_for([file, "daily", "-"], settings, overrides)
    assert files.specs == (file, "-")
    assert (files.source_id, files.column_map, files.encoding) == (
        "given",
        {"title": "제목"},
        "cp949",
    )
    assert not files.is_drop_folder
    assert daily.is_drop_folder
    assert daily.column_map == {"text": "본문", "title": "제목"}
    assert (daily.source_id, daily.timezone) == ("given", "Asia/Seoul")


def test_nothing_named_is_every_enabled_source(settings: Settings) -> None:
    [request] = requests_for([], settings, Overrides())
    assert (request.source_id, request.is_drop_folder) == ("daily", True)


def test_a_source_that_is_off_is_taken_when_named(settings: Settings) -> None:
    [request] = requests_for(["weekly"], settings, Overrides())
    assert request.source_id == "weekly"


def test_what_is_missing_stays_in_the_request_when_something_is_there(
    settings: Settings, file: str
) -> None:
    """The run then reports it, and takes the rest."""
    [request] = requests_for([file, "gone.jsonl"], settings, Overrides())
    assert request.specs == (file, "gone.jsonl")


def test_nothing_there_names_the_sources_that_are(settings: Settings) -> None:
    with pytest.raises(UsageError, match=r"dialy \(sources of unecho.toml: daily, weekly\)"):
        requests_for(["dialy"], settings, Overrides())


def test_no_source_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Settings(warehouse=tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"text": "x"}'))
    with pytest.raises(UsageError, match="unecho ingest -"):
        requests_for([], bare, Overrides())
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SettingsError, match=r"\[\[source\]\]"):
        requests_for([], bare, Overrides())


@pytest.mark.parametrize("url", ["http://news.example/", "HTTPS://news.example/", "s3://bucket/x"])
def test_a_url_is_refused_before_anything(settings: Settings, file: str, url: str) -> None:
    with pytest.raises(UsageError, match="not yet"):
        requests_for([file, url], settings, Overrides())


@pytest.mark.parametrize(
    "overrides",
    [Overrides(column_map={"nothing": "x"}), Overrides(encoding="x"), Overrides(timezone="x")],
)
def test_overrides_are_checked_before_anything(
    settings: Settings, file: str, overrides: Overrides
) -> None:
    with pytest.raises(SettingsError):
        requests_for([file], settings, overrides)


def test_what_counts_as_there(tmp_path: Path, file: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    there = ["-", file, str(tmp_path), str(tmp_path / "*.jsonl"), str(tmp_path / "link")]
    assert all(is_there(place) for place in there)
    assert not is_there(str(tmp_path / "*.csv"))
    assert not is_there(str(tmp_path / "b.jsonl"))


def test_a_name_with_signs_of_a_pattern_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a[1].jsonl"
    path.write_text("")
    assert is_there(str(path))


def test_bytes_are_known_unless_standard_input_is_among_them(tmp_path: Path, file: str) -> None:
    assert bytes_of([Request(specs=(file, "gone"))]) == Path(file).stat().st_size
    assert bytes_of([Request(specs=(file, "-"))]) is None
    assert bytes_of([Request(specs=(str(tmp_path),), is_drop_folder=True)]) is None
