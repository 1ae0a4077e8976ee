"""Parse: fields of an article from what a document holds."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contracts import conform
from pipeline.interim import PARSED, READ, UNREAD
from pipeline.sources import parse as parse_module
from pipeline.sources.files import ReadOptions, read_batches
from pipeline.sources.parse import parse


def read_text(folder: Path, name: str, content: str | bytes, **options: Any) -> pa.Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return pa.concat_tables(read_batches([path], ReadOptions(**options)))


def one(folder: Path, record: dict[str, Any], **options: Any) -> dict[str, Any]:
    documents = read_text(folder, "a.jsonl", json.dumps(record), **options)
    parsed, unread = parse(documents)
    assert unread.to_pylist() == []
    [article] = parsed.to_pylist()
    return dict(article)


def test_all_fields(tmp_path: Path) -> None:
    article = one(
        tmp_path,
        {
            "id": 17,
            "url": " https://a.example/1 ",
            "title": " &quot;제목&quot; ",
            "text": "본문\r\n둘째\r셋째",
            "published_at": "2026-03-02T09:30:00+09:00",
            "updated_at": "2026-03-02 11:00",
            "source": "hanbit.example",
            "publisher": "한빛일보",
            "authors": ["홍길동", "김하나"],
            "lang": "ko",
            "category": ["경제", "금융"],
            "keywords": ["a"],
            "score": 1.5,
        },
        timezone="Asia/Seoul",
    )
    ids = ("article_id", "revision_id", "document_id", "content_hash")
    assert all(len(article.pop(name)) == 16 for name in ids)
    assert article == {
        "native_id": "17",
        "url": "https://a.example/1",
        "source_id": "hanbit.example",
        "publisher": "한빛일보",
        "title": "&quot;제목&quot;",
        "byline": "홍길동, 김하나",
        "published_at": datetime(2026, 3, 2, 0, 30),  # noqa: DTZ001 (naive UTC)
        "updated_at": datetime(2026, 3, 2, 2, 0),  # noqa: DTZ001
        "published_precision": "second",
        "language": "ko",
        "section": "경제, 금융",
        "original_text": "본문\n둘째\n셋째",
        "extra": '{"keywords":["a"],"score":1.5}',
    }


def test_a_text_alone_is_an_article(tmp_path: Path) -> None:
    article = one(tmp_path, {"text": "a"})
    given = {k: v for k, v in article.items() if v is not None and not isinstance(v, bytes)}
    assert given == {"source_id": "local", "original_text": "a"}


def test_the_source_of_the_record_wins_over_the_one_given(tmp_path: Path) -> None:
    assert one(tmp_path, {"text": "a"}, source_id="given")["source_id"] == "given"
    record = {"text": "a", "outlet": "own"}
    assert one(tmp_path, record, source_id="given")["source_id"] == "own"


def test_a_date_that_is_none_is_kept_in_extra(tmp_path: Path) -> None:
    article = one(tmp_path, {"text": "a", "date": "지난주", "modified": "soon", "n": 1})
    assert article["published_at"] is None
    assert article["published_precision"] == "unparsed"
    assert json.loads(article["extra"]) == {"date": "지난주", "modified": "soon", "n": 1}


@pytest.mark.parametrize(
    ("number", "native_id"),
    [
        ("12345678901234567890123", "12345678901234567890123"),
        ("01100101.20130515100000019", None),
        ("1100101.20130515100000019", "1100101.20130515100000019"),
        ("1e3", "1e3"),
        ("-7", "-7"),
        ('"007"', "007"),
    ],
)
def test_ids_keep_their_digits(tmp_path: Path, number: str, native_id: str | None) -> None:
    parsed, unread = parse(read_text(tmp_path, "a.jsonl", f'{{"id": {number}, "text": "a"}}'))
    assert parsed["native_id"].to_pylist() == ([native_id] if native_id else [])
    assert unread["reason"].to_pylist() == ([] if native_id else ["broken_json"])


def test_the_text_is_not_touched_but_for_line_ends(tmp_path: Path) -> None:
    decomposed = "\u1112\u1161\u11ab ﬁ Ａ\t \n\n "
    assert one(tmp_path, {"text": "\ufeff" + decomposed})["original_text"] == decomposed


class TestPlainText:
    @pytest.mark.parametrize(
        ("content", "title", "text"),
        [
            ("제목\n\n본문", "제목", "본문"),
            ("제목\r\n\r\n본문\r\n", "제목", "본문\n"),
            ("\n\n제목\n \t\n\n\n본문", "제목", "본문"),
            ("  제목  \n\n본문", "제목", "본문"),
            ("'큰불' 잡았다…\n\n본문", "'큰불' 잡았다…", "본문"),
            ("Who won?\n\nNobody.", "Who won?", "Nobody."),
            ("첫 줄\n둘째 줄\n\n셋째", None, "첫 줄\n둘째 줄\n\n셋째"),
            ("한 줄", None, "한 줄"),
            ("제목\n\n", None, "제목\n\n"),
            ("제목\n\n \n", None, "제목\n\n \n"),
            ("첫 문단이다.\n\n둘째 문단이다.", None, "첫 문단이다.\n\n둘째 문단이다."),
            ('"첫 문단이다."\n\n둘째', None, '"첫 문단이다."\n\n둘째'),
            ("最初の段落。\n\n次", None, "最初の段落。\n\n次"),
            ("가" * 201 + "\n\n본문", None, "가" * 201 + "\n\n본문"),
            ("가" * 200 + "\n\n본문", "가" * 200, "본문"),
        ],
    )
    def test_title(self, tmp_path: Path, content: str, title: str | None, text: str) -> None:
        parsed, _ = parse(read_text(tmp_path, "a.txt", content))
        [article] = parsed.to_pylist()
        assert (article["title"], article["original_text"]) == (title, text)

    @pytest.mark.parametrize("content", [" \n", "\ufeff", "\n\n\n"])
    def test_white_space_is_no_text(self, tmp_path: Path, content: str) -> None:
        _, unread = parse(read_text(tmp_path, "a.txt", content))
        assert unread["reason"].to_pylist() == ["missing_text"]


class TestParquet:
    def test_times_of_every_kind(self, tmp_path: Path) -> None:
        at = datetime(2026, 3, 2, 9, 30)  # noqa: DTZ001 (the columns have their own zones)
        for dtype, wanted, precision in (
            (pa.timestamp("ns"), datetime(2026, 3, 2, 0, 30), "second"),  # noqa: DTZ001
            (pa.timestamp("s"), datetime(2026, 3, 2, 0, 30), "second"),  # noqa: DTZ001
            (pa.timestamp("us", "UTC"), at, "second"),
            (pa.timestamp("ms", "America/New_York"), at, "second"),
            (pa.date32(), datetime(2026, 3, 1, 15), "day"),  # noqa: DTZ001
        ):
            column = pa.array([at], pa.timestamp("s")).cast(pa.timestamp("us"))
            column = (
                column.cast(pa.timestamp("us", dtype.tz)) if getattr(dtype, "tz", 0) else column
            )
            table = pa.table({"text": ["a"], "date": column.cast(dtype)})
            path = tmp_path / "a.parquet"
            pq.write_table(table, path)
            batch = pa.concat_tables(read_batches([path], ReadOptions(timezone="Asia/Seoul")))
            [article] = parse(batch)[0].to_pylist()
            assert (article["published_at"], article["published_precision"]) == (wanted, precision)

    def test_values_that_json_does_not_know(self, tmp_path: Path) -> None:
        table = pa.table(
            {
                "id": pa.array([7.0]),
                "text": pa.array([b"bytes"]),
                "raw": pa.array([b"\xff\x00"]),
                "price": pa.array(["1.50"]).cast(pa.decimal128(5, 2)),
                "clock": pa.array([3_600_000_000_001], pa.time64("ns")),
                "seen": pa.array([[1_700_000_000_000_000_001]], pa.list_(pa.timestamp("ns"))),
                "both": pa.array([{"at": 1_700_000_000_000_000_001}]).cast(
                    pa.struct([("at", pa.timestamp("ns"))])
                ),
                "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
                "kind": pa.array(["x"]).dictionary_encode(),
                "nan": pa.array([float("nan")]),
            }
        )
        path = tmp_path / "a.parquet"
        pq.write_table(table, path)
        parsed, unread = parse(pa.concat_tables(read_batches([path], ReadOptions())))
        assert unread.to_pylist() == []
        [article] = parsed.to_pylist()
        assert (article["native_id"], article["original_text"]) == ("7", "bytes")
        assert json.loads(article["extra"]) == {
            "raw": "/wA=",
            "price": "1.50",
            "clock": "01:00:00",
            "seen": ["2023-11-14T22:13:20"],
            "both": {"at": "2023-11-14T22:13:20"},
            "map": [["k", 1]],
            "kind": "x",
        }


class TestRows:
    def test_every_document_is_in_one_of_the_two_tables(self, tmp_path: Path) -> None:
        lines = ['{"id": 1, "text": "a"}', "broken", '{"id": 2, "text": "b"}']
        documents = read_text(tmp_path, "a.jsonl", "\n".join(lines))
        parsed, unread = parse(documents)
        assert parsed.equals(conform(parsed, PARSED))
        assert unread.equals(conform(unread, UNREAD))
        assert (len(parsed), len(unread)) == (2, 1)

    def test_no_documents(self) -> None:
        parsed, unread = parse(READ.schema.empty_table())
        assert parsed.schema.equals(PARSED.schema)
        assert unread.schema.equals(UNREAD.schema)
        assert (len(parsed), len(unread)) == (0, 0)

    def test_one_article_twice_is_the_document_with_the_smallest_id(self, tmp_path: Path) -> None:
        lines = ['{"id": 1, "text": "a"}', '{"text": "a", "id": 1}', '{"id":1,"text":"a","n":1}']
        documents = read_text(tmp_path, "a.jsonl", "\n".join(lines))
        ids = documents["document_id"].to_pylist()
        for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
            parsed, unread = parse(documents.take(pa.array(order)))
            assert parsed["document_id"].to_pylist() == [min(ids)]
            assert len(unread) == 0

    def test_the_same_id_with_other_content_is_a_revision(self, tmp_path: Path) -> None:
        lines = ['{"id": 1, "text": "a"}', '{"id": 1, "text": "b"}']
        parsed, _ = parse(read_text(tmp_path, "a.jsonl", "\n".join(lines)))
        assert len(set(parsed["article_id"].to_pylist())) == 1
        assert len(set(parsed["revision_id"].to_pylist())) == 2

    def test_extra_makes_no_revision(self, tmp_path: Path) -> None:
        first = one(tmp_path, {"id": 1, "text": "a", "views": 1})
        second = one(tmp_path, {"id": 1, "text": "a", "views": 2})
        assert first["revision_id"] == second["revision_id"]
        assert first["document_id"] != second["document_id"]

    def test_the_order_of_documents_does_not_matter(self, tmp_path: Path) -> None:
        lines = [json.dumps({"id": n % 7, "text": str(n % 5)}) for n in range(40)]
        documents = read_text(tmp_path, "a.jsonl", "\n".join([*lines, "x", "y"]))
        backwards = documents.take(pa.array(range(len(documents) - 1, -1, -1)))
        assert all(a.equals(b) for a, b in zip(parse(documents), parse(backwards), strict=True))

    def test_what_is_unexpected_is_a_fault_of_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise ZeroDivisionError("division\nby zero")

        documents = read_text(tmp_path, "a.jsonl", '{"text": "a"}\n{"text": "b"}')
        monkeypatch.setattr(parse_module, "parsed_columns", fail)
        monkeypatch.setattr(parse_module, "_article", fail)
        parsed, unread = parse(documents)
        assert len(parsed) == 0
        assert unread["reason"].to_pylist() == ["fault"] * 2
        assert unread["message"][0].as_py().startswith("ZeroDivisionError: division by zero (")

    def test_a_text_above_all_limits(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parse_module, "MAX_TEXT_CHARS", 10)
        _, unread = parse(read_text(tmp_path, "a.jsonl", '{"text": "12345678901"}'))
        assert unread["reason"].to_pylist() == ["too_large"]
        assert (
            "the text has 11 characters, more than the limit of 10" in unread["message"][0].as_py()
        )

    def test_many_columns_are_not_all_listed(self, tmp_path: Path) -> None:
        record = {f"column {n} " + "x" * 100: n for n in range(50)}
        _, unread = parse(read_text(tmp_path, "a.jsonl", json.dumps(record)))
        assert len(unread["message"][0].as_py()) < 1400 + len(str(tmp_path))
