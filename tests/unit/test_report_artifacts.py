"""What a person reads of a run in the Prefect UI."""

from __future__ import annotations

import base64
import unicodedata
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.contracts import PARAGRAPH_REASONS, QUARANTINE_REASONS, RELATIONS
from pipeline.report.artifacts import QUARANTINE_WORDS, largest_stories_rows, report_markdown
from pipeline.report.charts import Bar, Part, data_uri, fitted, stacked_bars
from pipeline.report.run_report import REASONS
from pipeline.report.summary import LargeBucket, LargeStory, RunSummary

STARTED = datetime.fromisoformat("2026-03-01T08:00:00")  # naive UTC, as the ledger has it
DATABASE = Path("/w/public/news.duckdb")
PARTS = (Part("kept", "#111111"), Part("dropped", "#222222"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def summary() -> RunSummary:
    made = RunSummary("run-7", STARTED, ["press"], elapsed_seconds=12.34)
    made.n_documents, made.n_articles, made.n_batches = 1200, 1100, 2
    made.total_articles, made.total_stories, made.total_quarantined = 5000, 4000, 30
    made.dropped_paragraphs.update(repeat_block=70, furniture_rights=900)
    made.dropped_articles.update(near=80, exact=20)
    made.quarantined.update(broken_json=3)
    for name, n in (("연합테스트", 900), ("a|b *c*", 200)):
        made.of_source(name).n_articles = n
    made.of_source("연합테스트").n_dropped_articles = 100
    made.largest_stories = [LargeStory("id-1", "다리 | 개통", 9, 4)]
    return made


def tables(markdown: str) -> list[list[list[str]]]:
    """Return the tables of a Markdown text as rows of cells, escaped bars kept together."""
    found: list[list[list[str]]] = [[]]
    for line in markdown.splitlines():
        if line.startswith("|"):
            cells = line.replace("\\|", "\0").strip("|").split("|")
            found[-1].append([c.strip().replace("\0", "|") for c in cells])
        elif found[-1]:
            found.append([])
    return [t for t in found if t]


def test_the_report_begins_with_the_headline_and_counts_everything(summary: RunSummary) -> None:
    markdown = report_markdown(summary, DATABASE)
    assert markdown.startswith(f"**{summary.headline()}**\n")
    came_in, paragraphs, articles, refused, by_source = tables(markdown)
    assert ["documents came in", "1,200"] in came_in
    assert ["**stories among them**", "4,000"] in came_in
    assert by_source[2] == ["연합테스트", "900", "100", "0", "0"]
    assert paragraphs[2:] == [
        ["`furniture_rights`", "copyright lines", "900"],
        ["`repeat_block`", "a run of paragraphs printed twice", "70"],
    ]
    assert [row[0] for row in articles[2:]] == ["`near`", "`exact`"]
    assert refused[2] == ["`broken_json`", "no valid JSON", "3"]
    assert "In quarantine altogether: 30 documents" in markdown
    assert "`/w/public/news.duckdb`" in markdown
    assert "run_id = 'run-7'" in markdown
    assert "snapshot 0, 2 batches, 12.3 s" in markdown


def test_every_row_of_a_table_has_the_width_of_its_header(summary: RunSummary) -> None:
    """A source named with a bar must not break its row."""
    for table in tables(report_markdown(summary, DATABASE)):
        assert {len(row) for row in table} == {len(table[0])}
    assert "a\\|b \\*c\\*" in report_markdown(summary, DATABASE)


def test_alarms_and_sources_that_failed_stand_on_top(summary: RunSummary) -> None:
    summary.alarms.append("press: 0 articles\nfor a week")
    summary.source_errors.append("wire: <drop>: not there")
    lines = report_markdown(summary, DATABASE).split("## What came in")[0]
    assert "> ⚠ press: 0 articles for a week" in lines
    assert "> ⚠ wire: \\<drop\\>: not there" in lines


def test_hot_buckets_have_a_table(summary: RunSummary) -> None:
    summary.n_hot_buckets = 3
    summary.largest_hot_buckets = [
        LargeBucket("band", 1812, "id-9", "날씨 | 내일"),
        LargeBucket("key", 300, "id-8"),
    ]
    markdown = report_markdown(summary, DATABASE)
    (table,) = [t for t in tables(markdown) if t[0][-1] == "for example"]
    assert table[2:] == [["1,812", "band", "날씨 | 내일"], ["300", "key", "`id-8`"]]
    assert "and 1 more" in markdown


def test_a_run_that_brought_nothing_has_a_short_report() -> None:
    empty = RunSummary("run-0", STARTED)
    markdown = report_markdown(empty, DATABASE)
    assert markdown.startswith("**Nothing came in.**")
    assert "data:image" not in markdown
    assert "quarantine list" not in markdown
    assert len(tables(markdown)) == 1


def test_the_chart_is_an_image_that_adds_up(summary: RunSummary) -> None:
    for n in range(20):
        summary.of_source(f"small {n}").n_articles = 1
    markdown = report_markdown(summary, DATABASE)
    svg = base64.b64decode(markdown.split("base64,")[1].split(")")[0]).decode()
    texts = [t.text for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert "연합테스트" in texts
    assert "900" in texts
    assert "14 other sources" in texts  # 22 sources, 8 of them shown
    assert texts[-1] == "14"


def test_the_table_of_stories_is_plain_values(summary: RunSummary) -> None:
    assert largest_stories_rows(summary) == [
        {"articles": 9, "sources": 4, "title": "다리 | 개통", "story_id": "id-1"}
    ]


def test_every_reason_has_words() -> None:
    assert set(QUARANTINE_WORDS) == set(QUARANTINE_REASONS)
    missing = set(PARAGRAPH_REASONS) | set(RELATIONS) - {"series", "related"}
    assert missing <= set(REASONS)


def test_bars_are_drawn_to_scale_and_one_of_many_stays_visible() -> None:
    svg = stacked_bars(PARTS, [Bar("a", (1000, 0)), Bar("b", (500, 1))])
    drawn = [
        (r.get("fill"), float(str(r.get("width"))))
        for r in ElementTree.fromstring(svg).iter(f"{SVG}rect")
    ][3:]  # after the ground and the two squares of the legend
    assert [fill for fill, _ in drawn] == ["#111111", "#111111", "#222222"]
    full, half, least = [width for _, width in drawn]
    assert half == pytest.approx(full / 2, abs=0.1)
    assert least == 1.0


def test_labels_are_escaped_and_cut_by_their_width() -> None:
    assert "&lt;b&gt;" in stacked_bars(PARTS, [Bar("<b>", (1, 1))])
    assert fitted("a" * 25) == "a" * 25
    assert fitted("a" * 26) == "a" * 24 + "…"
    assert fitted("가" * 12) == "가" * 12
    assert fitted("가" * 13) == "가" * 12 + "…"
    decomposed = unicodedata.normalize("NFD", "가" * 12)
    assert fitted(decomposed) == "가" * 12  # both forms have one width


def test_no_bars_at_all_is_a_valid_picture() -> None:
    assert ElementTree.fromstring(stacked_bars(PARTS, [])).tag == f"{SVG}svg"


def test_an_address_of_data_holds_the_picture() -> None:
    assert base64.b64decode(data_uri("<svg/>").split(",")[1]) == b"<svg/>"
