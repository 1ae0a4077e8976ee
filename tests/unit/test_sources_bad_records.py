"""Bad rows, elements and groups in files that hold many, and documents that are too large."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources_taking import GOOD, MORE, take, write

from pipeline.sources.files import ReadOptions, read_batches
from pipeline.sources.formats.csv_rows import _Rows, split_rows
from pipeline.sources.formats.json_values import split_json
from pipeline.sources.formats.lines import split_lines, whole_file
from pipeline.sources.formats.slices import Limits
from pipeline.sources.parse import parse


@pytest.mark.parametrize(
    ("number", "native_id"), [("7", "7"), ("7.0", "7"), ("7.00", "7"), ("7.5", "7.5"), ("0.0", "0")]
)
def test_a_whole_number_is_one_id_however_it_is_written(
    tmp_path: Path, number: str, native_id: str
) -> None:
    """A column of ids with a gap in it is one of floats after pandas."""
    lines = f'{{"id": {number}, "text": "good"}}\n'.encode()
    path = write(tmp_path, "a.jsonl", lines)
    parsed, _ = parse(pa.concat_tables(read_batches([path], ReadOptions())))
    assert parsed["native_id"].to_pylist() == [native_id]


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

    def test_quotes_left_open_on_every_line_are_not_followed_again_and_again(self) -> None:
        """Every line opens what the next one closes and opens: no row ends before the file does.

        Followed from each line anew, 8,000 lines took 25 s and 50,000 a quarter of an hour.
        """
        lines = [b'"%d","story' % n for n in range(50_000)]
        content = b"id,text\n" + b"\n".join(lines)
        found = list(split_rows([content], "utf-8", ",", Limits()))
        assert [f.content for f in found] == [b"id,text", *lines]
        assert {f.problem for f in found[1:]} == {"broken_csv"}

    @given(st.text('",\nab', max_size=60), st.integers(1, 3), st.sampled_from([4, 24, 1000]))
    def test_where_rows_end_does_not_depend_on_what_was_followed_before(
        self, text: str, n_chunk: int, piece_bytes: int
    ) -> None:
        """As if every line were tried anew, as long as a row fits into a piece."""
        raw = text.encode()
        chunks = [raw[at : at + n_chunk] for at in range(0, len(raw), n_chunk)]
        limits = Limits(document_bytes=piece_bytes, piece_bytes=piece_bytes)
        found = list(split_rows(chunks, "utf-8", ",", limits))
        whole = list(split_rows([raw], "utf-8", ",", limits))
        assert found == whole
        if piece_bytes == 1000:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(_Rows, "_give_up", lambda _: None)
                assert found == list(split_rows(chunks, "utf-8", ",", limits))

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
