"""What is left of one file, row group by row group, without unpacking its texts.

Plain meaning: `rows.rest_of`. A growing template takes some pairs out of every file of `edges` in
every batch: millions of rows are read and written again for a few of them. Rows of a file that is
sorted stay sorted, and a text of few values stays the number that it has in its row group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.contracts import CONTRACTS
from pipeline.store.model import StoredFile
from pipeline.store.parquet import dictionary_columns, rows_per_group
from pipeline.store.rows import Found

_MOST_GROUPS = 2
"""So many times the row groups that the rows need; emptier ones are filled anew."""


@dataclass(frozen=True)
class KeptGroups:
    """Rows of a table in file order; each of `sizes` rows is one chunk and one row group.

    Attributes:
        rows: the contract's columns; those of few texts are dictionaries, one for each chunk, of
            the texts that the chunk has.
        sizes: rows of each row group.
    """

    rows: pa.Table
    sizes: tuple[int, ...]


def kept_groups(root: Path, stored: StoredFile, found: Found) -> KeptGroups | None:
    """Return what is left of a file, or None where its row groups are to be made anew.

    Args:
        root: the warehouse's root.
        stored: the file.
        found: the rows to take out, by file.
    """
    schema = CONTRACTS[stored.table].schema
    keep = np.ones(stored.n_rows, np.bool_)
    keep[found.get(stored.path, [])] = False
    n_groups = -(-np.count_nonzero(keep) // rows_per_group(stored.table))
    if not n_groups or stored.columns != tuple(schema.names):
        return None
    with pq.ParquetFile(
        root / stored.path, read_dictionary=dictionary_columns(schema.names)
    ) as parquet:
        # Each group costs a query a look.
        if parquet.num_row_groups > _MOST_GROUPS * n_groups:
            return None
        groups = [group for group in _groups(parquet, keep, schema) if group.num_rows]
    return KeptGroups(pa.concat_tables(groups), tuple(group.num_rows for group in groups))


def _groups(
    parquet: pq.ParquetFile, keep: NDArray[np.bool_], schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yield what is left of each row group."""
    start = 0
    for number in range(parquet.num_row_groups):
        group = parquet.read_row_group(number)
        kept = group.filter(pa.array(keep[start : start + group.num_rows]))
        start += group.num_rows
        columns = {f.name: _as_written(kept[f.name], f.type) for f in schema}
        yield pa.table(columns)


def _as_written(column: pa.ChunkedArray, dtype: pa.DataType) -> pa.Array:
    """Return a column as one array: ids as 16 bytes, dictionaries without texts of other rows."""
    if pa.types.is_dictionary(column.type) and column.type.value_type == dtype:
        return _narrowed(_as_one(column.unify_dictionaries()))
    return _as_one(column.cast(dtype))


def _as_one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _narrowed(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return a dictionary array with just the texts that its rows have.

    What was taken out must not stay in the file, in the dictionary least of all.
    """
    numbers, is_null = column.indices.to_numpy(zero_copy_only=False), None
    if column.null_count:
        is_null = column.indices.is_null().to_numpy(zero_copy_only=False)
        numbers = column.indices.fill_null(0).to_numpy()
    is_used = np.zeros(len(column.dictionary), np.bool_)
    is_used[numbers if is_null is None else numbers[~is_null]] = True
    if is_used.all():
        return column
    places = np.cumsum(is_used, dtype=np.int32) - 1
    renumbered = pa.array(places[numbers], mask=is_null)
    return pa.DictionaryArray.from_arrays(renumbered, column.dictionary.filter(pa.array(is_used)))
