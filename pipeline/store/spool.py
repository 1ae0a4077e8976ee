"""The spool: tables on their way between the writer and its worker processes, as mapped files.

A table goes into a file once and is mapped by whoever works on it: nothing is copied through a
pipe. The files lie in the staging folder of the warehouse and mostly never reach the disk; what a
killed run leaves is deleted by the next opening.
"""

from __future__ import annotations

import io
import mmap
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
    """Buffers, one behind the other, each at a multiple of 64 bytes."""
    n_bytes: tuple[int, ...]
    """Sizes of the buffers in the file."""
    outline: bytes
    """The object without its buffers, pickled (protocol 5)."""


class _Pickler(pickle.Pickler):
    """Pickles tables as Arrow streams: a slice takes its own rows along and not its parents'."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, pa.Table):
            return _read_stream, (pickle.PickleBuffer(_written(value)),)
        return NotImplemented


def keep(value: Any, folder: Path) -> Handle:
    """Write an object with its tables into the spool and return its handle."""
    buffers: list[pickle.PickleBuffer] = []
    outline = io.BytesIO()
    _Pickler(outline, protocol=5, buffer_callback=buffers.append).dump(value)
    sizes = []
    path = folder / uuid4().hex
    with path.open("xb") as file:
        for buffer in buffers:
            content = buffer.raw()
            file.write(content)
            file.write(b"\0" * (-content.nbytes % _ALIGNMENT))
            sizes.append(content.nbytes)
    return Handle(path, tuple(sizes), outline.getvalue())


def load(handle: Handle) -> Any:
    """Return the object of a handle; its tables are views of the mapped file."""
    buffers, place = [], 0
    if sum(handle.n_bytes):
        with handle.path.open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        for size in handle.n_bytes:
            buffers.append(mapped[place : place + size])
            place += size + -size % _ALIGNMENT
    return pickle.loads(handle.outline, buffers=buffers)


def drop(handle: Handle) -> None:
    """Delete an object; who has mapped it keeps it."""
    handle.path.unlink(missing_ok=True)


def _written(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()


def _read_stream(content: Any) -> pa.Table:
    return pa.ipc.open_stream(pa.py_buffer(content)).read_all()
