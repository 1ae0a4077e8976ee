"""Columns: the documented table, the user's map, and what goes to extra."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pytest

from pipeline.errors import SettingsError
from pipeline.sources.columns import (
    COLUMN_TABLE,
    as_name,
    as_text,
    has_text_column,
    map_record,
    resolve_map,
)


def fields(record: dict[str, Any], **column_map: str) -> dict[str, Any]:
    return map_record(record, resolve_map(column_map)).fields


@pytest.mark.parametrize(
    ("field", "column"),
    [(field, column) for field, columns in COLUMN_TABLE.items() for column in columns],
)
def test_every_column_of_the_table_fills_its_field(field: str, column: str) -> None:
    for name in (column, column.upper(), f" {column}\t"):
        assert fields({name: "2026-03-02"})[field] == "2026-03-02"


@pytest.mark.parametrize("field", COLUMN_TABLE)
def test_the_first_column_that_is_not_empty_wins(field: str) -> None:
    columns = COLUMN_TABLE[field]
    record = {column: f"{n}" for n, column in reversed(list(enumerate(columns)))}
    assert fields(record)[field] == "0"
    for empty in (None, "", " \n", "\u200b", [], {}, float("nan")):
        emptied = record | {columns[0]: empty}
        assert fields(emptied).get(field) == ("1" if len(columns) > 1 else None)


def test_what_the_issue_lists() -> None:
    assert COLUMN_TABLE["native_id"] == ("id", "native_id")
    assert COLUMN_TABLE["title"] == ("title", "headline")
    assert COLUMN_TABLE["text"] == ("text", "body", "content", "maintext", "articleBody")
    assert COLUMN_TABLE["published_at"] == (
        "published_at",
        "published",
        "date",
        "datePublished",
        "date_publish",
    )
    assert COLUMN_TABLE["source_id"][1:] == ("source", "publisher", "outlet", "source_domain")
    assert COLUMN_TABLE["byline"] == ("byline", "author", "authors")
    assert COLUMN_TABLE["language"] == ("language", "lang")


def test_the_publisher_names_the_source_too() -> None:
    assert fields({"publisher": "한빛"}) == {"source_id": "한빛", "publisher": "한빛"}
    both = fields({"publisher": "한빛", "source": "hanbit.example"})
    assert both == {"source_id": "hanbit.example", "publisher": "한빛"}


def test_a_map_takes_the_place_of_the_list() -> None:
    record = {"text": "summary", "본문": "body", "제목": "t"}
    mapped = map_record(record, resolve_map({"text": "본문", "title": "제목"}))
    assert mapped.fields == {"text": "body", "title": "t"}
    assert mapped.extra == {"text": "summary"}
    assert fields({"text": "summary"}, text="본문") == {}


def test_a_mapped_name_may_be_an_alias_and_in_another_form() -> None:
    decomposed = unicodedata.normalize("NFD", "본문")
    assert decomposed != "본문"
    assert fields({decomposed: "a"}, body=" 본문 ") == {"text": "a"}
    assert resolve_map({"ID": "번호", "articlebody": "본문"}) == (
        ("native_id", "번호"),
        ("text", "본문"),
    )


def test_a_mapped_publisher_names_the_source_too() -> None:
    record = {"언론사": "한빛", "publisher": "x"}
    assert fields(record, publisher="언론사") == {"publisher": "한빛", "source_id": "한빛"}
    record["source"] = "y"
    assert fields(record, publisher="언론사")["source_id"] == "y"


@pytest.mark.parametrize(
    ("column_map", "words"),
    [
        ({"texte": "본문"}, "'texte' is no field of an article; use FIELD=COLUMN with one of"),
        ({"text": " "}, "no column is named for text"),
        ({"text": "a", "body": "b"}, "text is mapped twice"),
    ],
)
def test_a_wrong_map(column_map: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_map(column_map)
    assert words in str(caught.value)
    assert caught.value.key == "map"


def test_what_no_field_takes_is_extra() -> None:
    record = {"text": "a", "body": "b", "score": 1, "tags": ["x"], "none": None, "empty": ""}
    assert map_record(record, ()).extra == {"body": "b", "score": 1, "tags": ["x"]}


def test_a_value_that_a_field_cannot_use_lets_the_next_column_win() -> None:
    mapped = map_record({"text": {"html": "x"}, "body": "b", "date": ["?"]}, ())
    assert mapped.fields == {"text": "b"}
    assert mapped.extra == {"text": {"html": "x"}, "date": ["?"]}


def test_structured_authors() -> None:
    authors = [{"name": "홍길동", "email": "h@hanbit.example"}, "김하나", {"x": 1}, None]
    mapped = map_record({"text": "a", "authors": authors, "lang": "ko"}, ())
    assert mapped.fields["byline"] == "홍길동, 김하나"
    assert mapped.extra == {"authors": authors}
    assert fields({"source": {"id": None, "name": "한빛"}})["source_id"] == "한빛"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (" a \n", "a"),
        (12, "12"),
        (12.0, "12"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        (True, None),
        (float("nan"), None),
        (float("inf"), "inf"),
        (None, None),
        ([], None),
        (["a", "", 2], "a, 2"),
        ({"name": {"name": "a"}}, "a"),
        (b"a", None),
        ("&quot;A&quot;", "&quot;A&quot;"),
    ],
)
def test_names(value: object, name: str | None) -> None:
    assert as_name(value) == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a \n", " a \n"),
        (["a", "b"], "a\nb"),
        (["a", 1], None),
        ([" "], None),
        ({"name": "a"}, None),
        (12, "12"),
        (True, None),
        (" \u3000\ufeff\u200b", None),
    ],
)
def test_texts(value: object, text: str | None) -> None:
    assert as_text(value) == text


def test_columns_that_fold_to_the_same_name() -> None:
    assert fields({"Title": "", "title": "b", "TITLE": "c"})["title"] == "b"


def test_a_record_has_a_text_column_even_when_it_is_empty() -> None:
    assert has_text_column({"Body": ""}, ())
    assert not has_text_column({"본문": "a"}, ())
    assert has_text_column({"본문": "a"}, resolve_map({"text": "본문"}))
