"""`unecho rebuild` through the command line: what it prints where, and the exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.report.rebuild_report import ParameterChange, RebuildSummary, rebuild_report
from pipeline.report.terminal import width_of
from tests.crash.state import copy_to

TITLES = (
    "Cork growers win 38 million euro loan to replant burned oak forest above the Ribamar valley",
    "해나루항 여객선 6척, 2028년까지 전기추진선으로 바꾼다…섬 주민 \u202e막배 연장\u001b[31m 요구",
)


class Shell:
    """Runs `unecho` in this process on one warehouse."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capture = capture

    def __call__(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        found = cli.main(["--warehouse", str(self.root), *arguments])
        written = self.capture.readouterr()
        assert found == code, written.err
        return written.out, written.err


@pytest.fixture
def unecho(tmp_path: Path, seed_warehouse: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(copy_to(seed_warehouse, tmp_path / "warehouse"), capfd)


def test_a_dry_run_then_the_same_then_nothing(unecho: Shell) -> None:
    out, err = unecho("rebuild", "--set", "near_jaccard=0.95", "--dry-run")
    assert err == ""
    assert out.startswith("It would be: ")
    assert out.endswith(
        f"Nothing was written. To do it:\n  unecho --warehouse {unecho.root} rebuild"
        " --set near_jaccard=0.95\n"
    )
    done = json.loads(unecho("rebuild", "--set", "near_jaccard=0.95", "--json")[0])
    assert done["parameters"] == [{"name": "near_jaccard", "before": "0.5", "after": "0.95"}]
    assert done["n_split"] == len(done["examples"]["split"]) > 0
    assert done["recorded_url"] is None
    assert done["headline"] in out.replace("It would be: ", "")
    again = unecho("rebuild", "--direct")[0]
    assert again.startswith("Nothing changed: ")
    [row] = json.loads(unecho("sql", "FROM parameters", "--format", "json")[0])
    assert row == {"name": "near_jaccard", "value": "0.95"}
    back = json.loads(unecho("rebuild", "--set", "near_jaccard=default", "--json")[0])
    assert back["n_merged"] == done["n_stories"] - done["n_stories_before"]
    assert unecho("doctor")[0].startswith("Nothing found")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("near_jacard=0.5", "setting near_jacard: no parameter that a rebuild can set; these are"),
        ("near_jaccard=2", "setting near_jaccard: 2: Input should be less than or equal to 1; "),
        ("near_jaccard", "setting near_jaccard: no value; write it as --set near_jaccard=VALUE"),
    ],
)
def test_what_cannot_be_set_ends_with_usage(unecho: Shell, given: str, message: str) -> None:
    out, err = unecho("rebuild", "--set", given, code=2)
    assert out == ""
    assert err.startswith(f"unecho: {message}")
    assert err.count("\n") == 1


def test_without_a_warehouse_it_fails_and_makes_none(unecho: Shell, tmp_path: Path) -> None:
    unecho.root = tmp_path / "nowhere"
    out, err = unecho("rebuild", code=1)
    assert out == ""
    assert "there is no warehouse at" in err
    assert not unecho.root.exists()


def test_settings_that_are_set_elsewhere_are_taken_and_told(
    unecho: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNECHO_NEAR_JACCARD", "0.95")
    done = json.loads(unecho("rebuild", "--json", "--dry-run")[0])
    assert [p["after"] for p in done["parameters"]] == ["0.95"]
    _, err = unecho("rebuild", "--set", "near_jaccard=0.9", "--dry-run")
    assert err == (
        "unecho: near_jaccard is also set in the environment or unecho.toml, to another value:"
        " take it out there, or the next ingest is refused\n"
    )


def summary(**values: Any) -> RebuildSummary:
    done = RebuildSummary("run", datetime(2026, 3, 4, tzinfo=UTC).replace(tzinfo=None))
    for name, value in values.items():
        setattr(done, name, value)
    return done


def full() -> RebuildSummary:
    done = summary(
        n_articles_before=4_497,
        n_articles=4_498,
        n_stories_before=3_210,
        n_stories=3_350,
        n_merged=1,
        n_split=152,
        n_taken=1,
        n_refused=2,
        n_documents=4_500,
        rows={"stories": (300, 160), "decisions": (150, 0)},
        parameters=[
            ParameterChange("near_jaccard", "0.5", "0.71"),
            ParameterChange("source_priority", "", "yonhap-news-agency.example,newsis.example"),
        ],
    )
    done.articles_back.update(near=140, update=3)
    done.articles_dropped.update(near=2)
    done.paragraphs_back.update(furniture_source=1_234)
    done.examples["merged"] = [
        {"story_id": "0" * 32, "title": t, "n_stories": 3, "n_members": 12} for t in TITLES
    ]
    done.examples["articles_back"] = [
        {"article_id": "1" * 32, "title": t, "reason": "near"} for t in TITLES
    ]
    return done


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_lines_fit_the_terminal_and_steer_nothing(width: int) -> None:
    lines = list(rebuild_report(full(), "unecho", width))
    assert max(width_of(line) for line in lines) <= width
    assert not any("\u001b" in line or "\u202e" in line for line in lines)


def test_a_pipe_gets_plain_lines_with_every_number() -> None:
    text = "\n".join(rebuild_report(full(), "unecho", None))
    assert text.startswith(
        "1 story id merged, 152 stories split, 143 articles back, 2 articles dropped, 1,234"
        " paragraphs back; 4,498 articles in 3,350 stories now.\n"
    )
    for number in ("4497", "3210", "140", "1234", "0.71", "1 left the quarantine"):
        assert number in text.replace(",", "")


def test_evidence_alone_is_said_to_be_that() -> None:
    done = summary(n_articles=2, n_stories=2, rows={"edges": (1, 1)})
    assert done.headline() == "Nothing but evidence changed; 2 articles in 2 stories now."
    done = summary(n_articles=2, n_stories=2)
    assert done.headline() == "Nothing changed: 2 articles in 2 stories stand as they did."
