"""Documents of JSON read column by column give what they give one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.contracts import conform
from pipeline.interim import READ
from pipeline.sources.documents import Envelope, ReadBatch
from pipeline.sources.formats.slices import Slice
from pipeline.sources.json_columns import read_columns
from pipeline.sources.options import ReadOptions
from pipeline.sources.parse import parse
from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.fold_tables import combining_code_points

pytest.importorskip("numba")

COLUMNS = [
    *("id", "url", "title", "headline", "text", "body", "published_at", "date", "modified"),
    *("source", "publisher", "outlet", "author", "lang", "section", "sections", "Title", "기자"),
]
CHARACTERS = st.one_of(
    st.sampled_from(
        "가힣한 .,\n\r\t\"\\/'“…\ufeff\u200b\u3164\u00a0é\u0301か\u3099\u1100\u1161😀\x7f\x08"
    ),
    st.characters(),
)
STRINGS = st.text(CHARACTERS, max_size=12)
DATES = st.sampled_from(["2026-03-02T09:30:00+09:00", "2026-03-02", "soon", "03/04/2026", ""])
ADDRESSES = st.sampled_from(["https://www.a.example/1?utm_source=x&b=1", "a.example", " "])
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([20260302, 1e3, 10**17, 10**18]))
VALUES = st.recursive(
    st.one_of(STRINGS, DATES, ADDRESSES, NUMBERS, st.none(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "x"]), inner, max_size=2),
    ),
    max_leaves=4,
)
RECORDS = st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=8)
ARTICLES = st.builds(
    lambda record, text, stamp: {**record, "text": text, "published_at": stamp},
    *(RECORDS, st.text(CHARACTERS, min_size=1, max_size=40), DATES),
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """Return a record as JSON, now and then damaged."""
    record = draw(st.one_of(ARTICLES, RECORDS))
    line = json.dumps(record, ensure_ascii=draw(st.booleans()))
    raw = line.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(raw)))
        piece = st.one_of(
            st.binary(max_size=4),
            st.sampled_from(
                [b"\xed\xa0\x80", b"\xc0\x80", b"\\ud83d\\ude00", b"\\ud800", b"\\u00"]
            ),
            st.sampled_from([b'"id": 1,', b"[", b"}", b"\\", b'"', b"01", b"1.50", b"-0", b"\xea"]),
        )
        raw = raw[:at] + draw(piece) + raw[at + draw(st.integers(0, 3)) :]
    return raw


@pytest.fixture(autouse=True)
def engine() -> Iterator[None]:
    """Give the engine back that was chosen."""
    before = chosen_engine()
    yield
    choose_engine(before)


@settings(deadline=None)  # the first odd address or date loads a library
@given(
    st.lists(written(), max_size=6),
    st.sampled_from([{}, {"title": "headline"}, {"body": "title"}, {"publisher": "outlet"}]),
)
@example([b'{"text": "\xea\xb0"}', b'{"text": "\xed\xa0\x80"}'], {})
@example([b'{"text": "a", "text": "b"}', b'{"text":"\\r\\n\\r b"} ', b' {"text":"c"}x'], {})
@example([b'{"text":"a","n":1e400,"id":12345678901234567890123}'], {})
@example([b'{"text":"\\u1100\\u1161","title":"e\\u0301"}', b'{"text":"\\ud83d\\ude00"}'], {})
@example([b'{"text":"a","source":"s","outlet":"o","id":1.0,"author":[{"name":"n"}]}'], {})
def test_columns_and_records_give_the_same(
    contents: list[bytes], column_map: dict[str, str]
) -> None:
    documents = read(contents, column_map)
    choose_engine("numpy")
    one_by_one = parse(documents)
    choose_engine("compiled")
    together = parse(documents)
    assert all(a.equals(b) for a, b in zip(one_by_one, together, strict=True))


def test_most_documents_are_read_in_columns() -> None:
    choose_engine("compiled")
    record = {
        **{"id": 17, "title": "“시장” said", "text": "본문…\r\n둘째 줄\u3002", "lang": "ko"},
        **{"source": "s", "outlet": "o", "sections": ["가", "나"], "score": {"x": [1.5, "}"]}},
    }
    lines = [json.dumps(record, ensure_ascii=is_ascii).encode() for is_ascii in (False, True)]
    (columns,) = read_columns(read(lines, {}), 1000)
    assert columns.rows == [0, 1]
    assert columns.texts.to_pylist() == ["본문…\n둘째 줄。"] * 2
    assert columns.names["native_id"].to_pylist() == ["17", "17"]
    assert columns.extras == ['{"outlet":"o","score":{"x":[1.5,"}"]}}'] * 2


def test_what_is_left_as_it_is_never_combines() -> None:
    from pipeline.sources.json_columns import _quiet_bytes

    characters = [chr(code) for code in np.flatnonzero(combining_code_points()) if code >> 11 != 27]
    assert not any(_quiet_bytes()[character.encode()[0]] for character in characters)


def read(contents: list[bytes], column_map: dict[str, str]) -> pa.Table:
    """Return READ of these lines."""
    options = ReadOptions(column_map=column_map).for_parsing()
    envelope = Envelope("a.jsonl", "local", "jsonl", "utf-8", options)
    batch = ReadBatch(100, 1 << 20)
    for position, content in enumerate(contents, start=1):
        batch.add(envelope, Slice(position, content))
    return conform(batch.take(), READ)
