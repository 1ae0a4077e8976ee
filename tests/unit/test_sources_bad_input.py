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
import pytest
import zstandard
from sources_taking import GOOD, MORE, take, write

from pipeline.errors import SourceGone
from pipeline.sources import containers, reading
from pipeline.sources.files import ReadOptions, expand, read_batches
from pipeline.sources.parse import parse


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
        (gzip.compress(gzip.compress(GOOD, mtime=0), mtime=0), "an archive in an archive"),
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
