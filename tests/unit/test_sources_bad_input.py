"""Bad input: one line or file is at fault, it is kept whole with its reason, the rest goes on."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pipeline.contracts import QUARANTINE_REASONS
from pipeline.errors import SourceGone
from pipeline.sources import containers, reading
from pipeline.sources.files import ReadOptions, expand, read_batches
from pipeline.sources.formats.csv_rows import split_rows
from pipeline.sources.formats.json_values import split_json
from pipeline.sources.formats.lines import split_lines, whole_file
from pipeline.sources.formats.slices import Limits
from pipeline.sources.parse import parse

GOOD = b'{"id": "1", "text": "good"}\n'
MORE = b'{"id": "2", "text": "more"}\n'


def take(*paths: Path, **options: Any) -> tuple[list[str], dict[str, tuple[bytes, str]]]:
    """Return the texts taken and, by reason, the bytes and message of what was not."""
    documents = pa.concat_tables(read_batches(paths, ReadOptions(**options)))
    parsed, unread = parse(documents)
    content = dict(
        zip(documents["document_id"].to_pylist(), documents["content"].to_pylist(), strict=True)
    )
    refused = {}
    for row in unread.to_pylist():
        assert row["reason"] in QUARANTINE_REASONS
        assert "\n" not in row["message"]
        assert "; " in row["message"]
        assert row["container"] in row["message"]
        assert row["reason"] not in refused
        assert row["n_bytes"] == len(content[row["document_id"]])
        refused[row["reason"]] = (content[row["document_id"]], row["message"])
    assert len(parsed) + len(unread) == len(documents)
    return sorted(parsed["original_text"].to_pylist()), refused


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("line", "reason", "words"),
    [
        (b'{"id": "x", "text": "bro', "broken_json", "Unterminated string"),
        (b"not json at all", "broken_json", "no JSON"),
        (b'{"text": "a"} {"text": "b"}', "broken_json", "Extra data"),
        (b"[" * 100_000 + b"]" * 100_000, "broken_json", "nested too deeply"),
        (b'["text"]', "not_a_record", "a list, not an object"),
        (b'"text"', "not_a_record", "a string"),
        (b"12", "not_a_record", "a number"),
        (b"null", "not_a_record", "null"),
        (b"true", "not_a_record", "true or false"),
        (b'{"id": "x", "title": "t"}', "missing_text", "columns found: id, title"),
        (b'{"id": "x", "text": " \\n\\u200b\\ufeff"}', "missing_text", "--map text=COLUMN"),
        (b'{"text": null}', "missing_text", "columns found: text"),
        (b'{"text": {"html": "a"}}', "missing_text", "columns found: text"),
        (b'{"text": true}', "missing_text", "columns found: text"),
        (b"{}", "missing_text", "columns found: none"),
        (b'{"text": "a\\u0000b"}', "control_characters", "a NUL character in 'text'"),
        (b'{"text": "a", "title": "\\u0000"}', "control_characters", "in 'title'"),
        (b'{"text": "a\0b"}', "control_characters", "a NUL character"),
        (b'{"text": "' + b"\\u0001" * 9 + b'"}', "control_characters", "9 control characters"),
        (b'{"text": "half \\ud83d of a pair"}', "lone_surrogate", "surrogate"),
        (b'{"text": "a", "title": "\\udc00"}', "lone_surrogate", "surrogate"),
        (b'{"text": "a", "source": "\\udc00"}', "lone_surrogate", "surrogate"),
        (b'{"text": "encoded \xed\xa0\xbd half"}', "lone_surrogate", "surrogate"),
        (b'{"text": "caf\xe9"}', "broken_encoding", "not readable as utf-8 at byte 13"),
        (b'{"text": "\xff\xfe"}', "broken_encoding", "--encoding"),
    ],
)
def test_a_bad_line_of_jsonl(tmp_path: Path, line: bytes, reason: str, words: str) -> None:
    filler = '{"text": "충분히 긴 한국어 문장이 앞에 있다."}\n'.encode()
    path = write(tmp_path, "day.jsonl", filler + GOOD + line + b"\n" + MORE)
    texts, refused = take(path)
    assert texts == ["good", "more", "충분히 긴 한국어 문장이 앞에 있다."]
    assert list(refused) == [reason]
    content, message = refused[reason]
    assert content == line
    assert words in message
    assert f"({path}, line 3)" in message


def test_a_stray_control_character_does_no_harm(tmp_path: Path) -> None:
    line = b'{"text": "Reuter\\u0003", "x": "\\u0000", "y": "\\ud800"}'
    texts, refused = take(write(tmp_path, "a.jsonl", line))
    assert (texts, refused) == (["Reuter\x03"], {})


def test_not_a_number_is_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", b'{"text": "a", "score": NaN, "x": -Infinity, "y": 1}')
    parsed, unread = parse(pa.concat_tables(read_batches([path], ReadOptions())))
    assert (parsed["extra"].to_pylist(), len(unread)) == (['{"y":1}'], 0)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.json", "a.csv", "a.dat"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    texts, refused = take(write(tmp_path, name, b""), write(tmp_path, "b.jsonl", GOOD))
    assert texts == ["good"]
    assert refused["empty_file"][0] == b""


def test_two_empty_files_are_two_documents(tmp_path: Path) -> None:
    paths = [write(tmp_path, name, b"") for name in ("a.txt", "b.txt")]
    ids = pa.concat_tables(read_batches(paths, ReadOptions()))["document_id"].to_pylist()
    assert len(set(ids)) == 2


@pytest.mark.parametrize("content", [b"\n", b"\r\n  \n", b"[]", b" [ ] ", b"id,text\n", b"\n\n"])
def test_a_file_of_nothing_is_no_document(tmp_path: Path, content: bytes) -> None:
    name = "a.csv" if b"text" in content else "a.json" if b"[" in content else "a.jsonl"
    assert list(read_batches([write(tmp_path, name, content)], ReadOptions())) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "a PNG image"),
        (b"%PDF-1.7\n%abc", "a PDF"),
        (b"PK\x03\x04" + b"x" * 50, "a zip archive"),
        (bytes(range(256)) * 4, "control characters"),
        (random.Random(1).randbytes(5000), "control characters"),
        (b"a few words\0\0\0\1\2\3" * 10, "control characters"),
        (gzip.compress(gzip.compress(GOOD)), "an archive in an archive"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.json", "a.csv", "a.html"])
def test_a_binary_file(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    texts, refused = take(write(tmp_path, name, content), write(tmp_path, "b.jsonl", GOOD))
    assert texts == ["good"]
    kept, message = refused["binary"]
    assert kept == (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)
    assert words in message


def test_a_missing_file_is_read_as_unreadable(tmp_path: Path) -> None:
    gone = tmp_path / "gone.jsonl"
    texts, refused = take(gone, write(tmp_path, "b.jsonl", GOOD))
    assert texts == ["good"]
    assert "No such file" in refused["unreadable"][1]


def test_a_folder_in_the_place_of_a_file_is_unreadable(tmp_path: Path) -> None:
    _, refused = take(tmp_path)
    assert "Is a directory" in refused["unreadable"][1]


def test_a_link_to_nowhere_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "nowhere")
    write(tmp_path, "b.jsonl", GOOD)
    texts, refused = take(*expand([str(tmp_path)]))  # type: ignore[arg-type]
    assert (texts, list(refused)) == (["good"], ["unreadable"])


def test_two_unreadable_files_are_two_documents(tmp_path: Path) -> None:
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    ids = pa.concat_tables(read_batches(paths, ReadOptions()))["document_id"].to_pylist()
    assert len(set(ids)) == 2


def test_a_file_name_of_no_encoding(tmp_path: Path) -> None:
    """A Korean archive unpacked elsewhere: the name's bytes are CP949."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + "기사".encode("cp949") + b".jsonl"))
    path.write_bytes(GOOD + b"broken\n")
    texts, refused = take(*expand([str(tmp_path)]))  # type: ignore[arg-type]
    assert texts == ["good"]
    assert "\\xb1\\xe2\\xbb\\xe7.jsonl, line 2" in refused["broken_json"][1]
    path.unlink()
    with pytest.raises(SourceGone, match="no such file"):
        expand([str(path)])


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(The permission itself does not stop root, who runs the tests in a container.)"""
    path = write(tmp_path, "a.jsonl", GOOD)

    def refuse(self: Path, *_: Any) -> None:
        raise PermissionError(13, os.strerror(13), str(self))

    monkeypatch.setattr(Path, "open", refuse)
    _, refused = take(path)
    assert "it cannot be opened: Permission denied" in refused["unreadable"][1]


def test_a_disk_that_fails_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(5, os.strerror(5))
            return super().read(len(GOOD) + 9)

    @contextmanager
    def open_failing(_: Path) -> Iterator[containers.ContainerStream]:
        yield containers.ContainerStream(Failing(GOOD + MORE), None)

    monkeypatch.setattr(reading, "open_container", open_failing)
    texts, refused = take(tmp_path / "a.jsonl")
    assert texts == ["good"]
    assert refused["unreadable"][0] == MORE[:9]
    assert "reading stopped: Input/output error" in refused["unreadable"][1]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_cut_archive_keeps_its_good_part(tmp_path: Path, name: str) -> None:
    noise = random.Random(1)
    lines = [b'{"text": "%s"}\n' % noise.randbytes(500).hex().encode() for _ in range(400)]
    content = b"".join(lines)
    pack = gzip.compress if name.endswith("gz") else zstandard.ZstdCompressor().compress
    packed = pack(content)
    texts, refused = take(write(tmp_path, name, packed[: len(packed) * 2 // 3]))
    assert 100 < len(texts) < 400
    rest, message = refused["broken_archive"]
    assert "it ends in the middle" in message
    taken = b"".join(lines[: len(texts)])
    assert content.startswith(taken + rest)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_damaged_archive_keeps_its_good_part(tmp_path: Path, name: str) -> None:
    noise = random.Random(1)
    lines = [b'{"text": "%s"}\n' % noise.randbytes(500).hex().encode() for _ in range(400)]
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    pack = gzip.compress if name.endswith("gz") else compressor.compress
    packed = bytearray(pack(b"".join(lines)))
    middle = len(packed) // 2
    packed[middle : middle + 64] = b"\xff" * 64
    documents = pa.concat_tables(
        read_batches([write(tmp_path, name, bytes(packed))], ReadOptions())
    )
    parsed, unread = parse(documents)
    good = {json.loads(line)["text"] for line in lines}
    assert len(good & set(parsed["original_text"].to_pylist())) > 100
    assert "broken_archive" in unread["reason"].to_pylist()


def test_the_good_part_of_a_gzip_with_a_wrong_checksum_is_all_of_it(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(GOOD + MORE))
    packed[-6] ^= 1
    texts, refused = take(write(tmp_path, "a.jsonl.gz", bytes(packed)))
    assert texts == ["good", "more"]
    assert "incorrect data check" in refused["broken_archive"][1]


def test_a_cut_archive_of_one_text_is_no_article(tmp_path: Path) -> None:
    story = "가나다라 마바사 아자차카 타파하. ".encode() * 1000
    packed = gzip.compress(story)
    texts, refused = take(write(tmp_path, "a.txt.gz", packed[: len(packed) // 2]))
    assert texts == []
    assert story.startswith(refused["broken_archive"][0])


def test_a_name_that_promises_an_archive(tmp_path: Path) -> None:
    _, refused = take(write(tmp_path, "a.jsonl.gz", random.Random(2).randbytes(3000)))
    assert "the name says archive" in refused["broken_archive"][1]


def test_a_small_archive_that_holds_a_great_deal_comes_in_small_pieces() -> None:
    packed = gzip.compress(b"\n" * 50_000_000)
    sizes = [len(c) for c in containers.ContainerStream(io.BytesIO(packed), None).chunks()]
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 1024 * 1024


class TestCsv:
    def test_wrong_columns(self, tmp_path: Path) -> None:
        _, refused = take(write(tmp_path, "a.csv", "번호,제목,기사\n1,제목,글\n".encode()))
        assert "columns found: 번호, 제목, 기사" in refused["missing_text"][1]

    @pytest.mark.parametrize("row", [b"1,2,3,4", b"1", b'1,"a""b,c'])
    def test_a_row_that_does_not_fit_the_header(self, tmp_path: Path, row: bytes) -> None:
        content = b"id,title,text\n1,t,good\n" + row + b"\n"
        texts, refused = take(write(tmp_path, "a.csv", content))
        assert texts == ["good"]
        assert refused["broken_csv"][0] == row

    def test_empty_cells_behind_the_last_column_do_no_harm(self, tmp_path: Path) -> None:
        texts, _ = take(write(tmp_path, "a.csv", b"id,text\n1,good,,\n"))
        assert texts == ["good"]

    def test_a_quote_that_never_closes_costs_its_own_line(self, tmp_path: Path) -> None:
        rows = b"".join(b"%d,story %d\n" % (n, n) for n in range(3))
        content = b"id,text\n" + rows + b'3,"never closed\n' + rows.replace(b"story", b"later")
        texts, refused = take(write(tmp_path, "a.csv", content))
        assert texts == [f"later {n}" for n in range(3)] + [f"story {n}" for n in range(3)]
        assert refused["broken_csv"][0] == b'3,"never closed'
        assert "row 5 is never closed" in refused["broken_csv"][1]

    def test_a_carriage_return_inside_a_field(self, tmp_path: Path) -> None:
        texts, refused = take(write(tmp_path, "a.csv", b'id,text\n1,"a\rb"\n2,c\rd\n'))
        assert texts == ["a\nb"]
        assert refused["broken_csv"][0] == b"2,c\rd"

    def test_columns_without_a_name_or_with_the_same(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", b"id,,text,x,x\n1,a,good,2,3\n")
        parsed, _ = parse(pa.concat_tables(read_batches([path], ReadOptions())))
        assert parsed["extra"].to_pylist() == ['{"column_2":"a","x":"2","x_5":"3"}']

    def test_a_file_whose_only_row_is_no_header(self, tmp_path: Path) -> None:
        row = "2026-03-02,사회,한빛일보,제목,본문이다.".encode()
        _, refused = take(write(tmp_path, "a.csv", row + b"\r\n"))
        content, message = refused["broken_csv"]
        assert content == row
        assert "names no column for the text" in message
        mapped = write(tmp_path, "b.csv", "본문,제목\n".encode())
        assert list(read_batches([mapped], ReadOptions(column_map={"text": "본문"}))) == []

    def test_rows_that_end_in_a_carriage_return_alone(self, tmp_path: Path) -> None:
        content = b'id,text\r1,one\r2,"two, ""2"""\r\r3,three'
        path = write(tmp_path, "a.csv", content)
        rows = pa.concat_tables(read_batches([path], ReadOptions())).sort_by("position").to_pylist()
        assert [(r["position"], r["content"]) for r in rows] == [
            (2, b"1,one"),
            (3, b'2,"two, ""2"""'),
            (5, b"3,three"),
        ]
        assert take(path)[0] == ["one", "three", 'two, "2"']


GOOD_PAIR = [b'{"text": "a"}', b'{"text": "b"}']


class TestJsonArray:
    def test_a_broken_element_on_a_line_of_its_own(self, tmp_path: Path) -> None:
        content = b'[\n {"text": "a"},\n {"text": "lost quote},\n {"text": "b"},\n {"text": "c"}\n]'
        texts, refused = take(write(tmp_path, "a.json", content))
        assert texts == ["a", "b", "c"]
        assert refused["broken_json"][0] == b'{"text": "lost quote}'

    def test_a_lost_bracket(self, tmp_path: Path) -> None:
        content = b'[\n{"text": "a"},\n{"text": "b",\n{"text": "c"}\n]'
        texts, refused = take(write(tmp_path, "a.json", content))
        assert texts == ["a", "c"]
        assert refused["broken_json"][0] == b'{"text": "b"'

    def test_many_broken_elements_do_not_take_for_ever(self) -> None:
        body = b",\n".join([b'{"text": "lost quote}'] * 2001)
        found = list(split_json([b"[\n" + body + b"\n]"], "utf-8", Limits(), lambda _: True))
        assert [s.content for s in found] == [b'{"text": "lost quote}'] * 2000 + [
            b'{"text": "lost quote}\n]'
        ]

    def test_a_cut_array(self, tmp_path: Path) -> None:
        texts, refused = take(write(tmp_path, "a.json", b'[{"text": "a"}, {"text": "b'))
        assert texts == ["a"]
        assert refused["broken_json"][0] == b'{"text": "b'

    def test_a_cut_object_around_a_list(self, tmp_path: Path) -> None:
        content = b'{"total": 3, "articles": [{"text": "a"}, {"text": "b"}, {"text": "c'
        texts, refused = take(write(tmp_path, "a.json", content))
        assert texts == ["a", "b"]
        assert refused["broken_json"][0] == b'{"text": "c'

    def test_elements_that_are_no_records(self, tmp_path: Path) -> None:
        texts, refused = take(write(tmp_path, "a.json", b'[{"text": "a"}, 12, ]'))
        assert texts == ["a"]
        assert refused["not_a_record"][0] == b"12"

    def test_a_lost_quote_between_good_elements(self, tmp_path: Path) -> None:
        """Two lost quotes make pairs again: nothing is open at the end, and yet all is mended."""
        good = b',\n{"text": "a"},\n{"text": "b"},\n'
        content = b'[\n{"text": "lost quote}' + good + b'{"text": "lost quote}' + good[:-2] + b"]"
        slices = list(split_json([content], "utf-8", Limits(), lambda _: True))
        lost = b'{"text": "lost quote}'
        assert [s.content for s in slices] == [lost, *GOOD_PAIR, lost, *GOOD_PAIR]

    def test_a_lost_bracket_in_an_object_with_more_members(self) -> None:
        content = b'{"n": 1, "articles": [\n{"t": "a",\n{"t": "b"},\n{"t": "c"}\n], "m": {"x": 1}}'
        slices = list(split_json([content], "utf-8", Limits(), lambda _: False))
        assert [s.content for s in slices] == [b'{"t": "a"', b'{"t": "b"}', b'{"t": "c"}']

    def test_line_breaks_in_strings_are_the_fault_of_their_element(self) -> None:
        content = b'[{"t": "a\nb"}, {"t": "c"}, {"t": "d\n"}]'
        slices = list(split_json([content], "utf-8", Limits(), lambda _: True))
        assert [s.content for s in slices] == [b'{"t": "a\nb"}', b'{"t": "c"}', b'{"t": "d\n"}']

    def test_words_around_the_array(self) -> None:
        content = b'var x =\n[{"text": "a"}]\n;'
        slices = list(split_json([content], "utf-8", Limits(), lambda _: True))
        assert [s.content for s in slices] == [b"var x =", b'{"text": "a"}', b";"]


class TestParquet:
    def test_a_file_that_is_none(self, tmp_path: Path) -> None:
        content = b"no parquet at all"
        texts, refused = take(
            write(tmp_path, "a.parquet", content), write(tmp_path, "b.jsonl", GOOD)
        )
        assert texts == ["good"]
        assert refused["broken_parquet"][0] == content

    def test_a_cut_file(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        pq.write_table(pa.table({"text": ["a", "b"]}), buffer)
        content = buffer.getvalue()[:-10]
        _, refused = take(write(tmp_path, "a.parquet", content))
        assert refused["broken_parquet"][0] == content

    def test_a_broken_row_group_keeps_its_bytes_and_the_others(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        table = pa.table({"text": [f"story {n} " * 9 for n in range(30)]})
        pq.write_table(table, buffer, row_group_size=10, use_dictionary=False)
        content = bytearray(buffer.getvalue())
        column = pq.ParquetFile(buffer).metadata.row_group(1).column(0)
        start = column.data_page_offset
        content[start : start + 20] = b"\xff" * 20
        texts, refused = take(write(tmp_path, "a.parquet", bytes(content)))
        assert len(texts) == 20
        kept, message = refused["broken_parquet"]
        assert kept == bytes(content[start : start + column.total_compressed_size])
        assert "row group 2 cannot be read" in message

    def test_strings_that_are_no_utf8(self, tmp_path: Path) -> None:
        raw = pa.array([b"good", b"caf\xe9"], pa.binary())
        text = pa.StringArray.from_buffers(2, *raw.buffers()[1:])
        path = tmp_path / "a.parquet"
        pq.write_table(pa.table({"text": text}), path)
        texts, refused = take(path)
        assert texts == ["good"]
        assert "no UTF-8" in refused["broken_encoding"][1]


class TestTooLarge:
    def test_a_long_line_is_kept_whole(self, tmp_path: Path) -> None:
        long = b'{"text": "' + b"x" * 2000 + b'"}'
        path = write(tmp_path, "a.jsonl", GOOD + long + b"\n" + MORE)
        texts, refused = take(path, max_document_bytes=1000)
        assert texts == ["good", "more"]
        content, message = refused["too_large"]
        assert content == long
        assert "line 2 has 2,012 bytes, more than the limit of 1,000" in message
        assert "raise max_document_bytes" in message

    @pytest.mark.parametrize("name", ["a.json", "a.csv", "a.txt", "a.parquet"])
    def test_in_other_formats(self, tmp_path: Path, name: str) -> None:
        text = "x" * 2000
        path = tmp_path / name
        if name == "a.parquet":
            pq.write_table(pa.table({"text": [text]}), path)
        else:
            contents = {"a.json": json.dumps([{"text": text}]), "a.csv": f"text,id\n{text},1\n"}
            path.write_text(contents.get(name, text))
        _, refused = take(path, max_document_bytes=1000)
        assert list(refused) == ["too_large"]

    def test_with_a_higher_limit_the_same_bytes_are_taken(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.jsonl", b'{"text": "' + b"x" * 2000 + b'"}')
        [small] = read_batches([path], ReadOptions(max_document_bytes=1000))
        [large] = read_batches([path], ReadOptions())
        assert small["document_id"] != large["document_id"]
        assert take(path)[0] == ["x" * 2000]

    @pytest.mark.parametrize("n_bytes", [64, 65, 127, 128, 129, 300])
    @pytest.mark.parametrize("size", [1, 7, 1000])
    def test_pieces_join_to_the_document(self, n_bytes: int, size: int) -> None:
        limits = Limits(document_bytes=20, piece_bytes=64)
        document = b'{"text": "' + b"y" * (n_bytes - 12) + b'"}'
        inputs = {
            "jsonl": (split_lines, GOOD + document + b"\n" + MORE, (limits,)),
            "json": (split_json, b'[{"a": 1},\n ' + document + b" , 2]", (limits, lambda _: True)),
            "object": (split_json, document, (limits, lambda _: True)),
            "stray": (split_json, document.strip(b"{}") + b"\n7", (limits, lambda _: True)),
            "csv": (split_rows, b"h\n" + document[:-2] + b"\n1", (",", limits)),
        }
        for kind, (split, content, more) in inputs.items():
            chunks = [content[i : i + size] for i in range(0, len(content), size)]
            slices = [
                s
                for s in split(chunks, "utf-8", *more)  # type: ignore[operator]
                if s.problem and s.content not in (GOOD.strip(), MORE.strip())
            ]
            joined = b"".join(s.content for s in slices)
            wanted = {"stray": document.strip(b"{}"), "csv": document[:-2]}.get(kind, document)
            assert joined == wanted, kind
            assert {s.problem for s in slices} == {"too_large"}
            assert all(len(s.content) == 64 for s in slices[:-1])
            numbers = [0] if len(wanted) <= 64 else list(range(1, len(slices) + 1))
            assert [s.piece for s in slices] == numbers
        pieces = list(whole_file([document[:5], document[5:]], limits))
        assert b"".join(s.content for s in pieces) == document

    def test_equal_pieces_of_one_document_are_different_documents(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Limits, "piece_bytes", 1000)
        limits = ReadOptions(max_document_bytes=500).limits
        assert limits.piece_bytes == 1000
        path = write(tmp_path, "a.txt", b"x" * 3000)
        documents = pa.concat_tables(read_batches([path], ReadOptions(max_document_bytes=500)))
        assert documents["n_bytes"].to_pylist() == [1000] * 3
        assert len(set(documents["document_id"].to_pylist())) == 3
        _, unread = parse(documents)
        assert sorted(m[:7] for m in unread["message"].to_pylist()) == [
            "piece 1",
            "piece 2",
            "piece 3",
        ]
