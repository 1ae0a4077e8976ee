"""Text on a terminal: widths, cutting, wrapping, and nothing that steers it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.report.tables import NULL, PIPED_CELL, Column, text_table
from pipeline.report.terminal import ELLIPSIS, cut, pad, printable, width_of, wrap

NEWS = st.text(alphabet="서울 지하철 東京の a1.,!é漢 كتاب\n\t", max_size=60)
ANY_TEXT = st.text(max_size=80)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("서울", 4),
        ("東京", 4),
        ("カナ", 4),
        ("ｶﾅ", 2),
        ("é", 1),
        ("e\u0301", 1),
        ("", 0),
    ],
)
def test_a_wide_character_takes_two_cells(text: str, width: int) -> None:
    assert width_of(text) == width


@given(ANY_TEXT, st.integers(2, 40))
def test_cut_never_exceeds_its_width_and_keeps_the_beginning(text: str, width: int) -> None:
    text = printable(text)
    shown = cut(text, width)
    assert width_of(shown) <= width
    if shown != text:
        assert shown.endswith(ELLIPSIS)
        assert text.startswith(shown.removesuffix(ELLIPSIS))
        assert width_of(text) > width


@given(NEWS, st.integers(4, 40))
def test_wrap_keeps_every_character_and_the_width(text: str, width: int) -> None:
    text = printable(text)
    lines = wrap(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_korean_breaks_between_words_and_japanese_between_characters() -> None:
    assert wrap("서울시가 지하철 요금을 올린다", 15) == ["서울시가 지하철", "요금을 올린다"]
    assert wrap("東京都は運賃を上げる", 8) == ["東京都は", "運賃を上", "げる"]
    assert wrap("unbreakable", 4) == ["unbr", "eaka", "ble"]


@given(ANY_TEXT)
def test_nothing_printable_steers_the_terminal(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(c) == "Cc" for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_an_escape_sequence_in_a_headline_is_disarmed() -> None:
    assert printable("\x1b]0;owned\x07\x1b[31mred\x9b2J") == "]0;owned[31mred2J"
    assert printable("one\r\ntwo\u2028three") == "one ↵ two ↵ three"


def test_pad_counts_cells() -> None:
    assert pad("서울", 6) == "서울  "
    assert pad("12", 4, right=True) == "  12"


@example([("", -(10**29), None)], 40)
@given(
    st.lists(st.tuples(NEWS, st.integers(), st.none() | st.booleans()), max_size=8),
    st.none() | st.integers(40, 120),
)
def test_every_line_of_a_table_fits(
    rows: list[tuple[str, int, bool | None]], width: int | None
) -> None:
    columns = [Column("headline"), Column("n", is_number=True), Column("is_kept")]
    lines = list(text_table(columns, rows, width))
    limit = width or 3 * PIPED_CELL
    numbers = [str(row[1]) for row in rows]
    # Only a number too long for the line beside its column's name may stand out: never cut.
    long = [number for number in numbers if len(number) > limit - len("headline") - 2]
    assert all(width_of(line) <= limit or any(n in line for n in long) for line in lines)
    assert all(any(number in line for line in lines) for number in numbers), "a number was cut"


def test_columns_line_up_under_korean() -> None:
    columns = [Column("제목"), Column("n", is_number=True)]
    lines = list(text_table(columns, [("지하철 요금", 5), ("a", 10)], None))
    assert lines == ["제목          n", "───────────  ──", "지하철 요금   5", "a            10"]


def test_values_are_written_as_sql_writes_them() -> None:
    lines = list(text_table([Column("a"), Column("b")], [(None, True), ("x", False)], None))
    assert lines[2:] == [f"{NULL}  true", "x     false"]


def test_a_row_of_many_columns_is_turned_on_a_narrow_terminal() -> None:
    columns = [Column(f"column_{i}") for i in range(20)]
    lines = list(text_table(columns, [tuple(f"value {i}" for i in range(20))], 60))
    assert lines[0].startswith("── row 1 ")
    assert lines[1:] == [f"{f'column_{i}':<9}  value {i}" for i in range(20)]


def test_a_table_streams_its_rows() -> None:
    """Endless rows come out as they come in: only a sample is kept to set the widths."""
    endless = ((n, "x") for n in iter(int, 1))
    lines = text_table([Column("n", is_number=True), Column("x")], endless, 80)
    assert [next(lines) for _ in range(5000)][-1] == "0  x"
