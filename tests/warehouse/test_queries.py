"""Every example query runs on the seeds and gives the answer that stands beside it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pipeline.report.answers import split_statements, write_answer
from pipeline.report.published import open_published
from pipeline.report.tour import QUERIES_FOLDER, SHOWN, Example, examples, print_tour

EXPECTED = QUERIES_FOLDER / "expected"


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_query_gives_its_expected_answer(example: Example, seed_warehouse: Path) -> None:
    stream = io.BytesIO()
    statements, rest = split_statements(example.query)
    assert not statements
    with open_published(seed_warehouse) as connection:
        write_answer(connection, rest, "csv", stream)
    expected = (EXPECTED / f"{example.name}.csv").read_text("utf-8")
    assert stream.getvalue().decode() == expected, (
        "when the change is meant: unecho sql --format csv < the query > the expected answer"
    )
    assert len(expected.splitlines()) > 1, "a question without an answer teaches nothing"


def test_no_answer_is_left_over() -> None:
    assert {path.stem for path in EXPECTED.iterdir()} == {example.name for example in examples()}


def test_the_tour_prints_three_questions_with_answers(
    seed_warehouse: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    print_tour(seed_warehouse, "unecho --warehouse X")
    shown = capsysbinary.readouterr().out.decode()
    by_name = {example.name: example for example in examples()}
    for name in SHOWN:
        assert by_name[name].question in shown
        assert f"warehouse/queries/{name}.sql" in shown
    assert "unecho --warehouse X explain " in shown
    assert str(seed_warehouse / "public" / "news.duckdb") in shown
