"""The report at the end of an ingest, and its progress."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import pytest

from pipeline.contracts import DUPLICATE_RELATIONS, PARAGRAPH_REASONS
from pipeline.report import progress
from pipeline.report.progress import IngestProgress
from pipeline.report.run_report import REASONS, SHOWN_SOURCES, run_report
from pipeline.report.summary import LargeBucket, LargeStory, RunSummary, SourceCounts
from pipeline.report.terminal import width_of


def summary() -> RunSummary:
    return RunSummary(
        run_id="r",
        started_at=datetime(2026, 3, 9),  # noqa: DTZ001 naive UTC, as everywhere
        n_documents=1200,
        n_articles=1100,
        elapsed_seconds=3.25,
        dropped_paragraphs=Counter(repeat_block=7, furniture_rights=900),
        dropped_articles=Counter(near=40, exact=3),
        quarantined=Counter(broken_json=2),
        by_source={
            f"source-{n:02}": SourceCounts(n_articles=100 - n, n_dropped_articles=4)
            for n in range(12)
        },
        n_hot_buckets=7,
        largest_hot_buckets=[
            LargeBucket("band", 812, "0000-2", "내일의\x1b[2J 날씨"),
            LargeBucket("key", 300, "0000-3"),
        ],
        alarms=["the source sent nothing for 3 days"],
        largest_stories=[LargeStory("0000-1", "서울 지하철 요금\x1b[31m 인상 " * 8, 9, 4)],
        total_articles=5000,
        total_stories=4200,
        total_quarantined=17,
        snapshot_id=12,
    )


@pytest.mark.parametrize("width", [None, 80])
def test_the_report_says_what_happened_and_where_to_look(width: int | None) -> None:
    call = "unecho --warehouse /w"
    lines = list(run_report(summary(), call, "http://127.0.0.1:4200/runs/1", width))
    text = "\n".join(lines)
    assert lines[0] == summary().headline()
    for said in (
        "furniture_rights",
        "copyright lines",
        "900",
        "near",
        "broken_json",
        "source-00",
        f"… and {12 - SHOWN_SOURCES} more sources",
        "5,000 articles in 4,200 stories (snapshot 12)",
        "812  band    내일의[2J 날씨",
        "300  key     0000-3",
        "… and 5 more hot buckets",
        "17 documents stand in quarantine, whole: unecho --warehouse /w quarantine list",
        'unecho --warehouse /w sql "SELECT',
        "unecho --warehouse /w explain 0000-1",
        "http://127.0.0.1:4200/runs/1",
    ):
        assert said in text, said
    assert "\x1b" not in text
    assert "nothing for 3 days" not in text  # alarms go to stderr
    tables = [line for line in lines if "  " in line and not line.startswith(("  ", "!"))]
    assert all(width_of(line) <= (width or 200) for line in tables)


def test_a_run_of_nothing_says_so() -> None:
    nothing = RunSummary(run_id="r", started_at=datetime(2026, 3, 9))  # noqa: DTZ001
    lines = list(run_report(nothing, "unecho", None, None))
    assert lines[0] == "Nothing came in."
    assert not any("quarantine" in line for line in lines)


def test_every_reason_has_words() -> None:
    assert {*PARAGRAPH_REASONS, *DUPLICATE_RELATIONS, "contained"} == set(REASONS)


@dataclass(frozen=True)
class Read:
    container: str
    bytes_read: int
    documents: int


def test_elsewhere_than_on_a_terminal_a_line_comes_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with IngestProgress(4_000_000) as shown:
        for second in range(11):
            now[0] = 100.0 + second
            shown.update(Read("a.jsonl", 100_000 * second, 10 * second))
            shown.update(Read("b.jsonl", 50_000 * second, 5 * second))
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "unecho: 70 documents, 0.7 MB read (18%), 5 s",
        "unecho: 145 documents, 1.4 MB read (36%), 10 s",
    ]


def test_a_stage_stays_what_it_is_without_a_bar() -> None:
    with IngestProgress(None) as shown:
        assert shown.stage(summary) is summary
