"""The spool: tables on their way between the writer and its worker processes, as mapped files.

A table goes into a file once and is mapped by whoever works on it: nothing is copied through a
pipe. The files lie in the staging folder of the warehouse and mostly never reach the disk; what a
killed run leaves is deleted by the next opening.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from uuid import uuid4

import pyarrow as pa

_ALIGNMENT = 64


@dataclass(frozen=True)
class Handle:
    """An object in the spool: what a process passes to another instead of it."""

    path: Path
    """Columns of its tables, one Arrow stream behind the other, each at a multiple of 64 bytes."""
    outline: bytes
    """The object, pickled; a table is its schema and the places of its columns."""

    @property
    def n_bytes(self) -> int:
        """Bytes in the file."""
        return self.path.stat().st_size


@dataclass(eq=False)
class Held:
    """An object that a process made itself, in the place of a handle: it is in no file."""

    value: Any
    handle: Handle | None = None
    """Set once it was written, because another process is to see it."""


Given: TypeAlias = Handle | Held
"""What stands for an object between processes."""


class _Written(NamedTuple):
    """A table in the outline."""

    schema: bytes
    columns: list[tuple[int, int]]
    """Of each column where its stream begins, and its place in it."""


class _Pickler(pickle.Pickler):
    """Writes the columns of tables into a file and pickles where they stand.

    A stage hands on most of the columns that it was given, so tables share them: a column is
    written once (a third of what a worker sends back would be written twice).
    """

    def __init__(self, outline: io.BytesIO, file: pa.NativeFile) -> None:
        super().__init__(outline, protocol=5)
        self._file = file
        self._places: dict[Any, tuple[int, int]] = {}

    def persistent_id(self, value: Any) -> _Written | None:
        """Write a table: a slice takes its own rows along and not the whole it was cut from."""
        if not isinstance(value, pa.Table):
            return None
        buffers = [_buffers_of(column) for column in value.columns]
        new = [place for place, own in enumerate(buffers) if own not in self._places]
        if new:
            start: int = self._file.tell()
            table = value.select(new)
            with pa.ipc.new_stream(self._file, table.schema) as writer:
                writer.write_table(table)
            self._file.write(b"\0" * (-self._file.tell() % _ALIGNMENT))
            self._places |= {buffers[own]: (start, place) for place, own in enumerate(new)}
        return _Written(value.schema.serialize().to_pybytes(), [self._places[b] for b in buffers])


def _buffers_of(column: pa.ChunkedArray) -> Any:
    """Return what two columns have in common that are one and the same rows of memory.

    The object that is pickled holds its tables: no memory is used anew meanwhile.
    """
    chunks = [
        (chunk.offset, len(chunk), *(None if b is None else b.address for b in chunk.buffers()))
        for chunk in column.chunks
    ]
    return column.type, *chunks


class _Unpickler(pickle.Unpickler):
    """Reads tables as views of a mapped file."""

    def __init__(self, handle: Handle) -> None:
        super().__init__(io.BytesIO(handle.outline))
        self._path = handle.path
        self._streams: dict[int, pa.Table] = {}

    @cached_property
    def _content(self) -> pa.Buffer:
        with pa.memory_map(str(self._path)) as file:
            return file.read_buffer()

    def persistent_load(self, written: _Written) -> pa.Table:
        """Return a table of the columns that stand at these places."""
        schema = pa.ipc.read_schema(pa.py_buffer(written.schema))
        columns = [self._stream(start).column(place) for start, place in written.columns]
        return pa.Table.from_arrays(columns, schema=schema)

    def _stream(self, start: int) -> pa.Table:
        if start not in self._streams:
            self._streams[start] = pa.ipc.open_stream(self._content[start:]).read_all()
        return self._streams[start]


def keep(value: Any, folder: Path) -> Handle:
    """Write the tables of an object into the spool and return its handle."""
    outline, path = io.BytesIO(), folder / uuid4().hex
    with pa.OSFile(str(path), "wb") as file:
        _Pickler(outline, file).dump(value)
    return Handle(path, outline.getvalue())


def load(given: Given) -> Any:
    """Return the object of a handle; its tables are views of the mapped file."""
    return given.value if isinstance(given, Held) else _Unpickler(given).load()


def handle_of(given: Given, folder: Path) -> Handle:
    """Return the handle of an object, which is written now if it is in no file yet."""
    if isinstance(given, Handle):
        return given
    given.handle = given.handle or keep(given.value, folder)
    return given.handle


def drop(given: Given) -> None:
    """Delete an object; who has mapped it keeps it."""
    handle = given.handle if isinstance(given, Held) else given
    if handle is not None:
        handle.path.unlink(missing_ok=True)
