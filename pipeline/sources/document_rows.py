"""DOCUMENTS row by row, their bytes cut out of the Arrow buffer one document at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa


class DocumentRow(NamedTuple):
    """What parsing looks at of one row of DOCUMENTS (or READ)."""

    document_id: bytes
    source_id: str
    container: str
    position: int
    media: str
    encoding: str
    parse_options: str
    header: bytes
    content: bytes
    n_bytes: int
    problem: str | None
    problem_message: str | None


def document_rows(documents: pa.Table) -> Iterator[DocumentRow]:
    """Yield the rows of DOCUMENTS (or READ) in order.

    Only one document's bytes are a Python object at a time: a batch of them, made at once, would
    be a second copy of everything that was read.
    """
    for batch in documents.select(DocumentRow._fields).to_batches():
        columns = (_values(column) for column in batch.columns)
        yield from map(DocumentRow._make, zip(*columns, strict=True))


def _values(column: pa.Array) -> Iterable[Any]:
    if pa.types.is_integer(column.type):
        numbers: list[int] = column.to_numpy().tolist()
        return numbers
    if pa.types.is_large_binary(column.type):
        return _contents(column)
    if pa.types.is_fixed_size_binary(column.type):
        ids: list[bytes] = column.to_pylist()
        return ids
    return _repeated(column)


def _contents(column: pa.Array) -> Iterator[bytes]:
    """Yield each value of a large_binary column without nulls."""
    _, ends, values = column.buffers()
    bounds = np.frombuffer(ends, np.int64, len(column) + 1, column.offset * 8).tolist()
    view = memoryview(values) if values is not None else memoryview(b"")
    for start, end in itertools.pairwise(bounds):
        yield bytes(view[start:end])


def _repeated(column: pa.Array) -> list[Any]:
    """Return the values of a column in which a few stand again and again, each made once."""
    encoded = column.dictionary_encode(null_encoding="encode")
    distinct = encoded.dictionary.to_pylist()
    return [distinct[code] for code in encoded.indices.to_numpy().tolist()]
