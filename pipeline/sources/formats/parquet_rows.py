"""Parquet files: every row becomes an Arrow IPC stream of one row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sources.formats.lines import whole_file
from pipeline.sources.formats.slices import MEBIBYTE, Cutter, Limits, Slice

# Rows decoded at a time: a row group may hold a million, and articles are long.
_ROWS_AT_A_TIME = 512


def split_parquet(file: BinaryIO, limits: Limits) -> Iterator[Slice]:
    """Yield the rows of a seekable Parquet file, row group by row group.

    A row's bytes depend on its values and the columns' names and types alone: dictionaries are
    decoded, and metadata of schema and file is left out. A row group that cannot be read
    becomes one document of its raw bytes, and a file that is no Parquet one of all its bytes.
    """
    try:
        parquet = pq.ParquetFile(file, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        yield from _broken_file(file, limits, error)
        return
    cutter = Cutter(limits, "row")
    first_row = 1
    for number in range(parquet.num_row_groups):
        cutter.start(first_row)
        try:
            for batch in parquet.iter_batches(_ROWS_AT_A_TIME, row_groups=[number]):
                for content in _row_bytes(batch):
                    yield from cutter.whole(content)
                    cutter.start(cutter.position + 1)
        except (pa.ArrowException, OSError) as error:
            yield from _broken_group(parquet, number, file, cutter, error)
        first_row += parquet.metadata.row_group(number).num_rows


def _row_bytes(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Yield a one-row IPC stream for each row."""
    columns = [_plain(column) for column in batch.columns]
    plain = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    for i in range(plain.num_rows):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, plain.schema) as writer:
            # `take` copies the row: a slice would carry its neighbours' validity bits along.
            writer.write_batch(plain.take(pa.array([i])))
        yield sink.getvalue().to_pybytes()


def _plain(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _broken_file(file: BinaryIO, limits: Limits, error: Exception) -> Iterator[Slice]:
    file.seek(0)
    message = f"no Parquet file: {_one_line(error)}"
    for piece in whole_file(iter(lambda: file.read(MEBIBYTE), b""), limits):
        yield piece._replace(problem="broken_parquet", message=message, is_open=False)


def _broken_group(
    parquet: pq.ParquetFile, number: int, file: BinaryIO, cutter: Cutter, error: Exception
) -> Iterator[Slice]:
    """Yield the bytes of a row group as they lie in the file."""
    group = parquet.metadata.row_group(number)
    ranges = []
    for i in range(group.num_columns):
        chunk = group.column(i)
        offsets = [chunk.data_page_offset, chunk.dictionary_page_offset]
        start = min(o for o in offsets if o)
        ranges.append((start, start + chunk.total_compressed_size))
    start, end = min(a for a, _ in ranges), max(b for _, b in ranges)
    file.seek(start)
    message = f"row group {number + 1} cannot be read: {_one_line(error)}"
    for piece in cutter.whole(file.read(end - start)):
        yield piece._replace(problem="broken_parquet", message=message)
