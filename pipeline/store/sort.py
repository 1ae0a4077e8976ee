"""Sorting the rows of many files, however many they are: only those of one new file are in memory.

Plain meaning: all rows, sorted by the order of their table, cut into pieces. First the leading
columns alone say which piece each row belongs to; then the files are read one after the other and
their rows put down by piece; then each piece is sorted by itself. DuckDB's ORDER BY was tried: with
whole texts it wants more than its limit instead of spilling.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.contract import HASH, in_order
from pipeline.contracts import CONTRACTS, ID, TIME
from pipeline.store.ids import Words, halves
from pipeline.store.model import StoredFile
from pipeline.store.parquet import read_file

_ORDER: Mapping[str, tuple[str, ...]] = {
    # By time, as analysts filter; the rest makes the order the same for the same rows.
    "articles": ("published_at", "article_id", "revision_id"),
    # Asked for by article: its rows lie together.
    "decisions": ("article_id", "decision_id"),
    # Led by a number, as pieces are cut by numbers.
    "furniture": ("line_hash", "source_id"),
}

_LEADING = 2
"""Columns by which pieces are cut. Articles without a time are told apart by the second."""

_LAST = np.uint64(2**64 - 1)
_SIGN = np.uint64(2**63)
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")

Pieces: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Task:
    """Files of one table that become fewer, sorted ones."""

    table: str
    files: tuple[StoredFile, ...]
    rows_per_file: int

    @property
    def n_rows(self) -> int:
        """Rows in all of them."""
        return sum(stored.n_rows for stored in self.files)


def order_of(table: str) -> tuple[str, ...]:
    """Return the columns by which compacted files of a table are sorted, NULL last."""
    return _ORDER.get(table, CONTRACTS[table].key)


def sorted_rows(root: Path, task: Task, spill: Path) -> Iterator[pa.Table]:
    """Yield the rows of a task in order, `rows_per_file` at a time.

    Args:
        root: of the warehouse.
        task: what to sort.
        spill: a folder for a copy of all rows, lightly compressed.
    """
    if task.n_rows <= task.rows_per_file:
        tables = [read_file(root, stored) for stored in task.files]
        yield _in_order(pa.concat_tables(tables), task.table)
        return
    with tempfile.TemporaryDirectory(dir=spill) as folder:
        n_pieces = _put_down(root, task, Path(folder))
        for number in range(n_pieces):
            path = _piece(Path(folder), number)
            yield _in_order(_taken_up(path), task.table)
            path.unlink()


def _in_order(rows: pa.Table, table: str) -> pa.Table:
    return in_order(rows, [(column, "ascending") for column in order_of(table)])


def _pieces(root: Path, task: Task) -> Iterator[tuple[StoredFile, Pieces]]:
    """Yield each file with the number of the piece that each of its rows belongs to."""
    columns = [*order_of(task.table)[:_LEADING]]
    parts = [_leading(root, stored, columns) for stored in task.files]
    words = [np.concatenate(column) for column in zip(*parts, strict=True)]
    piece = np.empty(len(words[0]), np.int32)
    piece[np.lexsort(words[::-1])] = np.arange(len(piece)) // task.rows_per_file
    ends = np.cumsum([len(part[0]) for part in parts])
    return zip(task.files, np.split(piece, ends[:-1]), strict=True)


def _leading(root: Path, stored: StoredFile, columns: list[str]) -> list[Words]:
    """Return numbers that order as the columns do, or nearly: equal ones may differ yet."""
    with pq.ParquetFile(root / stored.path) as parquet:
        rows = parquet.read(columns=columns)
    return [_words(rows[column]) for column in columns]


def _words(column: pa.ChunkedArray) -> Words:
    if column.type == TIME:
        micros = pc.fill_null(column.cast(pa.int64()), np.iinfo(np.int64).max).to_numpy()
        return np.asarray(micros, np.int64).view(np.uint64) ^ _SIGN
    if column.type == HASH:
        return np.asarray(column.to_numpy(), np.uint64)
    if pa.types.is_integer(column.type):
        return np.asarray(column.to_numpy(), np.int64).view(np.uint64) ^ _SIGN
    if pa.types.is_string(column.type):
        return np.zeros(len(column), np.uint64)
    return halves(column.cast(ID))[0]


def _put_down(root: Path, task: Task, folder: Path) -> int:
    """Append the rows of each file to those of their pieces; return how many pieces there are."""
    n_pieces = 0
    for stored, piece in _pieces(root, task):
        rows = read_file(root, stored)
        if np.any(piece[1:] < piece[:-1]):
            places = np.argsort(piece, kind="stable")
            rows, piece = rows.take(pa.array(places)), piece[places]
        numbers, starts = np.unique(piece, return_index=True)
        for number, start, end in zip(numbers, starts, [*starts[1:], len(piece)], strict=True):
            _append(_piece(folder, int(number)), rows.slice(start, end - start))
        n_pieces = max(n_pieces, int(numbers[-1]) + 1)
    return n_pieces


def _piece(folder: Path, number: int) -> Path:
    return folder / f"{number}.arrows"


def _append(path: Path, rows: pa.Table) -> None:
    """Write rows behind what a piece holds, as an Arrow stream of their own."""
    with path.open("ab") as sink, pa.ipc.new_stream(sink, rows.schema, options=_COMPRESSED) as out:
        out.write_table(rows)


def _taken_up(path: Path) -> pa.Table:
    """Return all rows of a piece."""
    tables = []
    with path.open("rb") as source:
        while source.peek(1):
            with pa.ipc.open_stream(source) as stream:
                tables.append(stream.read_all())
    return pa.concat_tables(tables)
