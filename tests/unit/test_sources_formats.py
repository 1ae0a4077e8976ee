"""Every format in every encoding and compression gives the same articles."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pipeline.contracts import conform
from pipeline.interim import READ
from pipeline.sources.files import Progress, ReadOptions, expand, read_batches
from pipeline.sources.parse import parse

ARTICLES = [
    {
        "id": "1",
        "title": "똠방각하, 펲시 공장 방문",
        "text": '첫 문단이다.\n\n둘째 문단, "인용"이다.',
    },
    {"id": "2", "title": "두 번째 기사", "text": "한 줄뿐인 기사; 숫자 3,141개와 쉼표."},
    {"id": "3", "title": "세 번째 기사", "text": "탭\t과 빗금 / 그리고 {중괄호} [대괄호]."},
]
TEXT = "한글 제목\n\n첫 문단입니다.\n둘째 문단입니다.\n"


def read(path: Path, **options: Any) -> list[dict[str, Any]]:
    """Return the READ rows of a file in file order."""
    tables = list(read_batches(expand([str(path)]), ReadOptions(**options)))
    assert all(table.equals(conform(table, READ)) for table in tables)
    rows = [row for table in tables for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (row["container"], row["position"]))


def parse_file(path: Path, **options: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the PARSED and UNREAD rows of a file."""
    tables = list(read_batches(expand([str(path)]), ReadOptions(**options)))
    parsed, unread = parse(pa.concat_tables(tables))
    return (
        sorted(parsed.to_pylist(), key=lambda row: row["native_id"] or ""),
        sorted(unread.to_pylist(), key=lambda row: row["position"]),
    )


def write_jsonl(articles: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(a, ensure_ascii=False) + "\n" for a in articles)


def write_json(articles: list[dict[str, Any]]) -> str:
    return json.dumps(articles, ensure_ascii=False, indent=2)


def write_csv(articles: list[dict[str, Any]], delimiter: str = ",") -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["id", "title", "text"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(articles)
    return buffer.getvalue()


def write_tsv(articles: list[dict[str, Any]]) -> str:
    return write_csv(articles, "\t")


WRITERS = {"jsonl": write_jsonl, "json": write_json, "csv": write_csv, "tsv": write_tsv}
ENCODERS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "utf-8": ("utf-8", lambda t: t.encode()),
    "utf-8 with mark": ("utf-8", lambda t: t.encode("utf-8-sig")),
    "utf-16 little-endian with mark": ("utf-16-le", lambda t: b"\xff\xfe" + t.encode("utf-16-le")),
    "utf-16 big-endian with mark": ("utf-16-be", lambda t: b"\xfe\xff" + t.encode("utf-16-be")),
    "utf-16 little-endian": ("utf-16-le", lambda t: t.encode("utf-16-le")),
    "utf-16 big-endian": ("utf-16-be", lambda t: t.encode("utf-16-be")),
    "utf-32 with mark": ("utf-32-le", lambda t: t.encode("utf-32")),
    "cp949": ("cp949", lambda t: t.encode("cp949")),
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda b: b,
    ".gz": gzip.compress,
    ".zst": lambda b: zstandard.ZstdCompressor().compress(b),
}


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("kind", WRITERS)
def test_records_of_every_format_encoding_and_compression(
    tmp_path: Path, kind: str, name: str, compression: str
) -> None:
    encoding, encode = ENCODERS[name]
    path = tmp_path / f"day.{kind}{compression}"
    content = encode(WRITERS[kind](ARTICLES))
    path.write_bytes(PACKERS[compression](content))
    rows = read(path)
    assert {row["encoding"] for row in rows} == {encoding}
    assert all(row["content"] in content for row in rows)
    parsed, unread = parse_file(path)
    assert unread == []
    assert [
        {"id": r["native_id"], "title": r["title"], "text": r["original_text"]} for r in parsed
    ] == ARTICLES


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("name", ENCODERS)
def test_plain_text_in_every_encoding_and_compression(
    tmp_path: Path, name: str, compression: str
) -> None:
    encoding, encode = ENCODERS[name]
    path = tmp_path / f"story.txt{compression}"
    content = encode(TEXT)
    path.write_bytes(PACKERS[compression](content))
    [row] = read(path)
    assert (row["media"], row["encoding"], row["position"]) == ("text", encoding, 0)
    assert row["content"] == content
    [article], _ = parse_file(path)
    assert article["title"] == "한글 제목"
    assert article["original_text"] == "첫 문단입니다.\n둘째 문단입니다.\n"


@pytest.mark.parametrize("compression", PACKERS)
def test_parquet_in_every_compression(tmp_path: Path, compression: str) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ARTICLES), buffer)
    path = tmp_path / f"day.parquet{compression}"
    path.write_bytes(PACKERS[compression](buffer.getvalue()))
    rows = read(path)
    assert [row["position"] for row in rows] == [1, 2, 3]
    table = pa.ipc.open_stream(rows[1]["content"]).read_all()
    assert table.to_pylist() == [ARTICLES[1]]
    parsed, unread = parse_file(path)
    assert unread == []
    assert [r["original_text"] for r in parsed] == [a["text"] for a in ARTICLES]


@pytest.mark.parametrize("label", ["euc-kr", "EUC-KR", "ks_c_5601-1987", "windows-949", "cp949"])
def test_a_korean_label_means_code_page_949(tmp_path: Path, label: str) -> None:
    path = tmp_path / "day.jsonl"
    path.write_bytes(write_jsonl(ARTICLES).encode("cp949"))
    parsed, unread = parse_file(path, encoding=label)
    assert (len(parsed), unread) == (3, [])
    assert parsed[0]["title"] == ARTICLES[0]["title"]


@pytest.mark.parametrize("encoding", ["cp932", "gb18030", "big5", "euc_jp"])
def test_labelled_encodings_whose_second_bytes_look_like_signs(
    tmp_path: Path, encoding: str
) -> None:
    # In CP932 the second byte of ソ and 表 is a backslash, in Big5 that of 功 and 許.
    word = "功許" if encoding == "big5" else "表ソ" if encoding != "gb18030" else "俓"
    articles = [{"id": str(n), "title": word, "text": f"{word}\n{word * n}"} for n in (1, 2)]
    for kind, write in WRITERS.items():
        path = tmp_path / f"{encoding}.{kind}"
        path.write_bytes(write(articles).encode(encoding))
        parsed, unread = parse_file(path, encoding=encoding)
        assert unread == []
        assert [r["original_text"] for r in parsed] == [a["text"] for a in articles]


def test_document_bytes_are_what_restore_promises(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "a"} \r\n\n  \n{"text":"b"}')
    assert [(r["position"], r["content"]) for r in read(tmp_path / "a.jsonl")] == [
        (1, b'{"text": "a"} '),
        (4, b'{"text":"b"}'),
    ]
    (tmp_path / "a.json").write_bytes(b' [ {"text" :"a"}\n,\n{ "text":"b" } ]\n')
    assert [r["content"] for r in read(tmp_path / "a.json")] == [
        b'{"text" :"a"}',
        b'{ "text":"b" }',
    ]
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfid,text\r\n1,"a\r\nb"\r\n\r\n,\r\n2,"c""d"')
    rows = read(tmp_path / "a.csv")
    assert [(r["position"], r["content"]) for r in rows] == [(2, b'1,"a\r\nb"'), (5, b'2,"c""d"')]
    assert {r["header"] for r in rows} == {b"id,text"}


def test_no_other_separator_ends_a_line(tmp_path: Path) -> None:
    texts = ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"]
    for encoding in ("utf-8", "utf-16"):
        path = tmp_path / "a.jsonl"
        path.write_text(
            "".join(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in texts), encoding
        )
        parsed, _ = parse_file(path)
        assert [r["original_text"] for r in parsed] == texts


def test_every_document_stands_alone_in_its_batch_limits(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text("".join(f'{{"text": "{n:04}"}}\n' for n in range(10)))
    by_number = [len(t) for t in read_batches([path], ReadOptions(batch_documents=4))]
    by_bytes = [len(t) for t in read_batches([path], ReadOptions(batch_bytes=32))]
    assert (by_number, by_bytes) == ([4, 4, 2], [2] * 5)


def test_batches_go_over_files(tmp_path: Path) -> None:
    for n in range(5):
        (tmp_path / f"{n}.txt").write_text(f"story {n}")
    batches = list(read_batches(expand([str(tmp_path)]), ReadOptions(batch_documents=2)))
    assert [len(b) for b in batches] == [2, 2, 1]


def test_standard_input_is_jsonl(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(gzip.compress(write_jsonl(ARTICLES).encode())))
    monkeypatch.setattr("sys.stdin", stream)
    [table] = read_batches(expand(["-"]), ReadOptions())
    assert table["container"].to_pylist() == ["-"] * 3
    assert set(table["media"].to_pylist()) == {"jsonl"}


def test_progress_comes_as_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_bytes((b'{"text": "' + b"x" * 10_000 + b'"}\n') * 400)
    told: list[Progress] = []
    list(read_batches([path], ReadOptions(), told.append))
    size = path.stat().st_size
    assert told[-1] == Progress(str(path), size, size, 400)
    assert [p.bytes_read for p in told] == sorted(p.bytes_read for p in told)
    assert len(told) >= 4


def test_progress_of_a_parquet_file_ends_at_its_size(tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    pq.write_table(pa.Table.from_pylist(ARTICLES), path)
    told: list[Progress] = []
    list(read_batches([path], ReadOptions(), told.append))
    assert told[-1] == Progress(str(path), path.stat().st_size, path.stat().st_size, 3)


class TestShapes:
    """What a file holds counts, not what it is called."""

    @pytest.mark.parametrize(
        ("name", "content", "media"),
        [
            ("a.json", '{"text": "a"}\n{"text": "b"}\n', "jsonl"),
            ("a.json", '{"text": "broken\n{"text": "a"}\n{"text": "b"}\n', "jsonl"),
            ("a.jsonl", '[{"text": "a"},\n {"text": "b"}]', "json"),
            ("a.jsonl", '[\n{"text": "a"},\n{"text": "b"}\n]', "json"),
            ("a.jsonl", '{\n "text": "a"\n}\n{\n "text": "b"\n}', "json"),
            ("a.json", '{\n "text": "a"\n}\n{\n "text": "b"\n}', "json"),
            ("a.json", '{"status": "ok", "articles": [{"text": "a"}, {"text": "b"}]}', "json"),
            ("a.json", '{"n": [1, 2],\n"articles": [{"text": "a"}, {"text": "b"}]}', "json"),
            ("a.csv", '{"text": "a"}\n{"text": "b"}\n', "jsonl"),
            ("a.csv", "text\na\nb\n", "csv"),
            ("a.csv", "text;id\na;1\nb;2\n", "csv"),
            ("a.csv", "text|id\na|1\nb|2\n", "csv"),
            ("a.dat", '{"text": "a"}\n{"text": "b"}\n', "jsonl"),
            ("a", '[{"text": "a"}, {"text": "b"}]', "json"),
        ],
    )
    def test_two_articles(self, tmp_path: Path, name: str, content: str, media: str) -> None:
        path = tmp_path / name
        path.write_text(content)
        assert {row["media"] for row in read(path)} == {media}
        parsed, _ = parse_file(path)
        assert sorted(r["original_text"] for r in parsed) == ["a", "b"]

    @pytest.mark.parametrize(
        "content",
        [
            '{"text": "a", "tags": ["x"], "images": [{"url": "u"}]}',
            '{\n"text": "a",\n"images": [\n{"url": "u"},\n{"url": "v"}\n]\n}',
            '{"text": "", "images": [{"url": "u"}]}',
        ],
    )
    def test_a_record_with_a_list_of_objects_is_one_document(
        self, tmp_path: Path, content: str
    ) -> None:
        path = tmp_path / "a.json"
        path.write_text(content)
        assert [row["content"] for row in read(path)] == [content.encode()]

    def test_the_mapped_column_makes_a_record_too(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.write_text('{"본문": "가", "사진": [{"url": "u"}]}')
        assert len(read(path, column_map={"text": "본문"})) == 1
        assert read(path)[0]["content"] == b'{"url": "u"}'

    def test_plain_text_that_begins_with_a_bracket_stays_text(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_text("[서울=한빛통신] 비가 왔다.")
        assert read(path)[0]["media"] == "text"
        unnamed = tmp_path / "story"
        unnamed.write_text("[서울=한빛통신] 비가 왔다.")
        assert read(unnamed)[0]["media"] == "text"

    def test_compression_is_seen_whatever_the_name(self, tmp_path: Path) -> None:
        path = tmp_path / "day.jsonl"
        path.write_bytes(gzip.compress(write_jsonl(ARTICLES).encode()))
        assert len(parse_file(path)[0]) == 3
        plain = tmp_path / "plain.jsonl.gz"
        plain.write_text(write_jsonl(ARTICLES))
        assert len(parse_file(plain)[0]) == 3

    def test_archives_in_several_parts(self, tmp_path: Path) -> None:
        parts = [write_jsonl([a]).encode() for a in ARTICLES]
        path = tmp_path / "day.jsonl.gz"
        path.write_bytes(b"".join(gzip.compress(p) for p in parts) + b"\0" * 512)
        assert len(parse_file(path)[0]) == 3
        path = tmp_path / "day.jsonl.zst"
        skippable = b"\x50\x2a\x4d\x18\x04\0\0\0skip"
        pack = zstandard.ZstdCompressor().compress
        path.write_bytes(skippable + b"".join(pack(p) for p in parts))
        assert len(parse_file(path)[0]) == 3


class TestIdentityOfDocuments:
    """The same bytes read the same way are the same document."""

    def test_wherever_the_file_lies_and_however_it_is_packed(self, tmp_path: Path) -> None:
        content = write_jsonl(ARTICLES).encode()
        ids = []
        for name, packed in (
            ("a.jsonl", content),
            ("b.ndjson", b"\n" + content),
            ("c.jsonl.gz", gzip.compress(content)),
            ("d.jsonl", b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")),
        ):
            (tmp_path / name).write_bytes(packed)
            ids.append([row["document_id"] for row in read(tmp_path / name)])
        assert ids[0] == ids[1] == ids[2] == ids[3]

    def test_not_with_another_source_map_time_zone_or_header(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("id,text\n1,a\n")
        other = tmp_path / "b.csv"
        other.write_text("id,body\n1,a\n")
        ids = {
            read(path)[0]["document_id"],
            read(path, source_id="x")[0]["document_id"],
            read(path, column_map={"title": "id"})[0]["document_id"],
            read(path, timezone="Asia/Seoul")[0]["document_id"],
            read(other)[0]["document_id"],
        }
        assert len(ids) == 5
        assert read(path, source_id="local")[0]["document_id"] in ids
        assert read(path, batch_documents=1)[0]["document_id"] in ids

    def test_of_ascii_whatever_the_rest_of_the_file_is_written_in(self, tmp_path: Path) -> None:
        line = b'{"text": "plain"}\n'
        (tmp_path / "a.jsonl").write_bytes(line)
        (tmp_path / "b.jsonl").write_bytes(line + '{"text": "한국어 기사"}'.encode("cp949"))
        [alone] = read(tmp_path / "a.jsonl")
        together = read(tmp_path / "b.jsonl")
        assert together[0]["document_id"] == alone["document_id"]
        assert [r["encoding"] for r in together] == ["utf-8", "cp949"]

    def test_ids_do_not_change_between_versions(self, tmp_path: Path) -> None:
        """Another id would land every known document again."""
        (tmp_path / "a.csv").write_text("id,text\n1,가\n", "utf-8")
        [row] = read(tmp_path / "a.csv", source_id="s", column_map={"title": "제목"})
        assert row["document_id"].hex() == "e84d1fec5ae4630e3530adc951b82d82"

    def test_parse_options_hold_all_that_parsing_needs(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tsv"
        path.write_text("번호\ttext\n1\ta\n")
        options = {"source_id": "s", "column_map": {"id": "번호"}, "timezone": "Asia/Seoul"}
        [row] = read(path, **options)
        assert json.loads(row["parse_options"]) == {
            "delimiter": "\t",
            "map": {"native_id": "번호"},
            "source_id": "s",
            "timezone": "Asia/Seoul",
        }
        assert row["source_id"] == "s"
