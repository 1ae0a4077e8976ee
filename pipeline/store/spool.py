"""The spool: tables on their way between the writer and its worker processes, as mapped files.

A table goes into a file once and is mapped by whoever works on it: nothing is copied through a
pipe. The files lie in the staging folder of the warehouse and mostly never reach the disk; what a
killed run leaves is deleted by the next opening.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

_ALIGNMENT = 64


@dataclass(frozen=True)
class Handle:
    """An object in the spool: what a process passes to another instead of it."""

    path: Path
    """Its tables, one Arrow stream behind the other, each at a multiple of 64 bytes."""
    outline: bytes
    """The object, pickled; a table is the place of its stream."""

    @property
    def n_bytes(self) -> int:
        """Bytes in the file."""
        return self.path.stat().st_size


class _Pickler(pickle.Pickler):
    """Writes tables into a file and pickles where they begin."""

    def __init__(self, outline: io.BytesIO, file: pa.NativeFile) -> None:
        super().__init__(outline, protocol=5)
        self._file = file

    def persistent_id(self, value: Any) -> int | None:
        """Write a table: a slice takes its own rows along and not the whole it was cut from."""
        if not isinstance(value, pa.Table):
            return None
        start: int = self._file.tell()
        with pa.ipc.new_stream(self._file, value.schema) as writer:
            writer.write_table(value)
        self._file.write(b"\0" * (-self._file.tell() % _ALIGNMENT))
        return start


class _Unpickler(pickle.Unpickler):
    """Reads tables as views of a mapped file."""

    def __init__(self, handle: Handle) -> None:
        super().__init__(io.BytesIO(handle.outline))
        self._path = handle.path
        self._content: pa.Buffer | None = None

    def persistent_load(self, start: int) -> pa.Table:
        """Return the table whose stream begins at `start`."""
        if self._content is None:
            with pa.memory_map(str(self._path)) as file:
                self._content = file.read_buffer()
        return pa.ipc.open_stream(self._content[start:]).read_all()


def keep(value: Any, folder: Path) -> Handle:
    """Write the tables of an object into the spool and return its handle."""
    outline, path = io.BytesIO(), folder / uuid4().hex
    with pa.OSFile(str(path), "wb") as file:
        _Pickler(outline, file).dump(value)
    return Handle(path, outline.getvalue())


def load(handle: Handle) -> Any:
    """Return the object of a handle; its tables are views of the mapped file."""
    return _Unpickler(handle).load()


def drop(handle: Handle) -> None:
    """Delete an object; who has mapped it keeps it."""
    handle.path.unlink(missing_ok=True)
