"""Whatever is written into a file comes out as the same documents, byte for byte."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.sources.files import ReadOptions, read_batches
from pipeline.sources.formats.csv_rows import split_rows
from pipeline.sources.formats.json_values import split_json
from pipeline.sources.formats.lines import split_lines
from pipeline.sources.formats.slices import Limits
from pipeline.sources.records import read_record

# What breaks splitters: signs of every format, line ends of every kind, text whose second bytes
# look like signs in some encoding.
HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\"\\,;|\t\n\r{}[]:'\u2028\u2029\x85\x0b\x0c ａ가힣똠表ソ能𠀋🗞"),
        st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
    ),
    max_size=30,
)
RECORDS = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "title", "text", "본문", 'a"b', "list"]),
        st.one_of(
            HOSTILE,
            st.integers(-(2**53), 2**53),
            st.booleans(),
            st.none(),
            st.lists(HOSTILE, max_size=2),
            st.dictionaries(HOSTILE, HOSTILE, max_size=2),
        ),
        min_size=1,
        max_size=4,
    ),
    max_size=6,
)
WIDE = ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
ENCODINGS = st.sampled_from(WIDE)
CHUNK_SIZES = st.integers(1, 50)
LIMITS = Limits()


def chunked(content: bytes, size: int) -> list[bytes]:
    return [content[i : i + size] for i in range(0, len(content), size)]


def is_record(value: dict[str, Any]) -> bool:
    return "text" in value


def read_file(
    content: bytes, name: str, options: ReadOptions | None = None
) -> list[dict[str, Any]]:
    """Write a file, read it, and return the READ rows in file order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        rows = [r for b in read_batches([path], options or ReadOptions()) for r in b.to_pylist()]
    return sorted(rows, key=lambda row: row["position"])


@given(RECORDS, ENCODINGS, CHUNK_SIZES, st.sampled_from(["\n", "\r\n", "\n \n"]), st.booleans())
def test_jsonl_comes_back_whatever_the_chunks(
    records: list[dict[str, Any]], encoding: str, size: int, line_end: str, is_ascii: bool
) -> None:
    lines = [json.dumps(r, ensure_ascii=is_ascii) for r in records]
    content = line_end.join([*lines, ""]).encode(encoding)
    slices = list(split_lines(chunked(content, size), encoding, LIMITS))
    assert [s.content for s in slices] == [line.encode(encoding) for line in lines]
    assert [read_record("jsonl", encoding, s.content, b"", ",") for s in slices] == records


@given(
    RECORDS,
    st.sampled_from([*WIDE, "gb18030"]),
    CHUNK_SIZES,
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
    st.sampled_from(["[]", '{"n": [1, "]"], "articles": [], "more": {"x": "]"}}', ""]),
)
def test_json_elements_come_back_whatever_the_chunks(
    records: list[dict[str, Any]],
    encoding: str,
    size: int,
    indent: int | str | None,
    is_ascii: bool,
    around: str,
) -> None:
    elements = [json.dumps(r, indent=indent, ensure_ascii=is_ascii) for r in records]
    if around.startswith("{") and not (records and all(records)):
        around = "[]"
    opening, _, closing = around.rpartition("[]")
    separator = " ,\n" if around else "\n"
    if around:
        text = f"{opening}[ {separator.join(elements)}\n]{closing}"
    else:
        elements = [json.dumps(r | {"text": "x"}, indent=indent) for r in records]
        text = separator.join(elements)
    content = text.encode(encoding)
    slices = list(split_json(chunked(content, size), encoding, LIMITS, is_record))
    assert [s.content for s in slices] == [e.encode(encoding) for e in elements]
    assert [s.position for s in slices] == list(range(1, len(elements) + 1))


CELLS = st.lists(st.lists(HOSTILE, min_size=3, max_size=3), min_size=1, max_size=6)


@given(
    CELLS,
    st.sampled_from([*WIDE, "gb18030"]),
    CHUNK_SIZES,
    st.sampled_from([",", "\t", ";", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_csv_rows_come_back_whatever_the_chunks(
    cells: list[list[str]], encoding: str, size: int, delimiter: str, line_end: str, quoting: int
) -> None:
    def write(row: list[str]) -> str:
        # The writer quotes a line end only where its own line end holds the character.
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=delimiter, quoting=quoting).writerow(row)
        return buffer.getvalue().removesuffix("\r\n")

    header = write(["id", "text", "기사 본문"])
    rows = [write(row) for row in cells]
    content = (line_end.join([header, *rows]) + line_end).encode(encoding)
    slices = list(split_rows(chunked(content, size), encoding, delimiter, LIMITS))
    kept = [
        (text, row)
        for text, row in zip(rows, cells, strict=True)
        if text.strip(f" \t\r{delimiter}")
    ]
    assert slices[0].content == header.encode(encoding)
    assert [s.content for s in slices[1:]] == [text.encode(encoding) for text, _ in kept]
    for found, (_, row) in zip(slices[1:], kept, strict=True):
        record = read_record("csv", encoding, found.content, slices[0].content, delimiter)
        assert list(record.values()) == row


@given(st.binary(max_size=300), CHUNK_SIZES, st.sampled_from([*WIDE, "cp949", "cp932", "gb18030"]))
def test_no_bytes_break_a_splitter_and_every_document_is_a_slice_of_the_file(
    content: bytes, size: int, encoding: str
) -> None:
    chunks = chunked(content, size)
    for slices in (
        list(split_lines(chunks, encoding, LIMITS)),
        list(split_json(chunks, encoding, LIMITS, is_record)),
        list(split_rows(chunks, encoding, ",", LIMITS)),
    ):
        at = 0
        for found in slices:
            at = content.find(found.content, at)
            assert at >= 0
            at += len(found.content)


JSON_LIKE = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", '"', ",", ":", "\\", "\n", " ", '"a"', '{"a":1}', "x", "가"]
    ),
    max_size=40,
).map("".join)


@given(JSON_LIKE, CHUNK_SIZES, st.sampled_from(["utf-8", "utf-16-be"]))
def test_broken_json_loses_nothing_but_brackets_commas_and_space(
    text: str, size: int, encoding: str
) -> None:
    slices = list(
        split_json(chunked(text.encode(encoding), size), encoding, LIMITS, lambda _: True)
    )
    written = "".join(s.content.decode(encoding) for s in slices)
    kept = [c for c in text if c not in "[]{}, \n"]
    assert [c for c in written if c not in "[]{}, \n"] == kept


@given(JSON_LIKE, st.integers(1, 8), st.integers(1, 8))
def test_a_small_piece_size_changes_how_documents_are_cut_not_their_bytes(
    text: str, size: int, piece: int
) -> None:
    # (A blank line that is longer than a piece is kept, a shorter one is no document.)
    content = "\n".join("x" + line for line in (text * 3).split("\n")).encode()
    small = Limits(document_bytes=piece, piece_bytes=piece)
    pieces = list(split_lines(chunked(content, size), "utf-8", small))
    whole = list(split_lines([content], "utf-8", LIMITS))
    joined: dict[int, bytes] = {}
    for found in pieces:
        joined[found.position] = joined.get(found.position, b"") + found.content
        assert len(found.content) <= piece
        assert (found.problem == "too_large") == (len(whole_at(whole, found.position)) > piece)
    assert joined == {s.position: s.content for s in whole}


@given(
    st.lists(
        st.sampled_from(['{"a": "b"}', '{"a": "b}', '{"a": ["b"}', '{"a": "b\n"}', '{"c": [']),
        max_size=12,
    ),
    st.sampled_from([",\n", ",\n  ", ", "]),
    CHUNK_SIZES,
)
def test_how_broken_json_is_cut_does_not_depend_on_the_chunks(
    elements: list[str], separator: str, size: int
) -> None:
    content = f"[{separator[1:]}{separator.join(elements)}\n]".encode()
    together = list(split_json([content], "utf-8", LIMITS, is_record))
    assert list(split_json(chunked(content, size), "utf-8", LIMITS, is_record)) == together


@given(st.lists(st.text('ab,"\n', max_size=12), max_size=8), CHUNK_SIZES, st.integers(4, 40))
def test_how_broken_csv_is_cut_does_not_depend_on_the_chunks(
    parts: list[str], size: int, piece: int
) -> None:
    content = "\n".join(parts).encode()
    small = Limits(document_bytes=piece, piece_bytes=piece)
    together = list(split_rows([content], "utf-8", ",", small))
    assert list(split_rows(chunked(content, size), "utf-8", ",", small)) == together


def whole_at(slices: list[Any], position: int) -> bytes:
    return next(s.content for s in slices if s.position == position)


@given(st.lists(st.text('ab,"\n ', max_size=12), max_size=8), st.integers(1, 6))
def test_small_pieces_of_csv_rows_lose_nothing(parts: list[str], piece: int) -> None:
    content = "\n".join(parts).encode()
    small = Limits(document_bytes=piece, piece_bytes=piece)
    pieces = list(split_rows(chunked(content, 3), "utf-8", ",", small))
    written = b"".join(s.content for s in pieces)
    assert sorted(written.translate(None, b"\n, ")) == sorted(content.translate(None, b"\n, "))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(RECORDS, st.sampled_from(["", ".gz", ".zst"]), st.sampled_from(["jsonl", "json"]))
def test_files_come_back_through_every_compression(
    records: list[dict[str, Any]], compression: str, kind: str
) -> None:
    elements = [json.dumps(r, ensure_ascii=False).encode() for r in records]
    content = b"\n".join(elements) if kind == "jsonl" else b"[" + b",".join(elements) + b"]"
    packed = {
        "": lambda b: b,
        ".gz": gzip.compress,
        ".zst": lambda b: zstandard.ZstdCompressor().compress(b),
    }[compression](content)
    rows = read_file(packed, f"day.{kind}{compression}")
    if not content:
        assert [r["problem"] for r in rows] == ["empty_file"]
        return
    assert [r["content"] for r in rows] == elements
    assert {r["problem"] for r in rows} <= {None}


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            "ok": st.one_of(st.none(), st.booleans()),
            "text": st.one_of(st.none(), HOSTILE),
            "list": st.one_of(st.none(), st.lists(st.one_of(st.none(), HOSTILE), max_size=3)),
            "both": st.one_of(st.none(), st.fixed_dictionaries({"a": st.booleans(), "b": HOSTILE})),
        }
    ),
    min_size=1,
    max_size=20,
)
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("ok", pa.bool_()),
        ("text", pa.string()),
        ("list", pa.list_(pa.string())),
        ("both", pa.struct([("a", pa.bool_()), ("b", pa.string())])),
    ]
)


@settings(max_examples=50)
@given(ROWS, st.integers(1, 7), st.booleans())
def test_a_parquet_row_is_the_same_document_whatever_its_neighbours(
    rows: list[dict[str, Any]], group: int, is_dictionary: bool
) -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    if is_dictionary:
        column = table["text"].combine_chunks().dictionary_encode()
        table = table.set_column(2, "text", column)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=group)
    together = read_file(buffer.getvalue(), "day.parquet")
    assert [read_record("parquet", "utf-8", r["content"], b"", ",") for r in together] == rows
    alone = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows[-1:], schema=SCHEMA), alone)
    [row] = read_file(alone.getvalue(), "other.parquet")
    assert row["document_id"] == together[-1]["document_id"]
