"""The form of a table's contract, and `conform`, which holds a table to it.

The contracts themselves are in `contracts.py` (stored and published) and `interim.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import ContractError

ID = pa.binary(16)
TIME = pa.timestamp("us")
TEXT, LONG_TEXT = pa.string(), pa.large_string()
INT, LONG, RATIO = pa.int32(), pa.int64(), pa.float32()
HASH = pa.uint64()


@dataclass(frozen=True)
class Contract:
    """A table's name, its schema, the columns that identify a row and those that may be null."""

    name: str
    description: str
    schema: pa.Schema
    key: tuple[str, ...]
    nullable: frozenset[str]


def field(
    name: str, dtype: pa.DataType, doc: str, *, null: bool = False, unit: str = ""
) -> pa.Field:
    """Return an Arrow field whose metadata carries its documentation, unit and nullability."""
    metadata = {"doc": doc, "null": "yes" if null else "no"}
    if unit:
        metadata["unit"] = unit
    if dtype == ID:
        metadata["logical"] = "uuid"
    return pa.field(name, dtype, nullable=null, metadata=metadata)


def contract(name: str, description: str, key: tuple[str, ...], *fields: pa.Field) -> Contract:
    """Return the contract of a table with these fields, sorted by `key`."""
    nullable = frozenset(f.name for f in fields if f.nullable)
    return Contract(name, description, pa.schema(list(fields)), key, nullable)


def empty(contract: Contract) -> pa.Table:
    """Return a table of no rows with the contract's schema."""
    return contract.schema.empty_table()


def conform(table: pa.Table, contract: Contract) -> pa.Table:
    """Return `table` with exactly the contract's columns, types and key order.

    Raises:
        ContractError: lists every missing or extra column, failed cast and unexpected null.
    """
    return in_order(checked(table, contract), [(name, "ascending") for name in contract.key])


def checked(table: pa.Table, contract: Contract) -> pa.Table:
    """Return `table` with exactly the contract's columns and types, rows in the order they have.

    Raises:
        ContractError: lists every missing or extra column, failed cast and unexpected null.
    """
    problems = [f"missing column {n}" for n in contract.schema.names if n not in table.column_names]
    problems += [f"extra column {n}" for n in table.column_names if n not in contract.schema.names]
    columns: list[pa.ChunkedArray] = []
    for column_field in contract.schema:
        if column_field.name not in table.column_names:
            continue
        column = table.column(column_field.name)
        try:
            column = column.cast(column_field.type) if column.type != column_field.type else column
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            # Raised below with every other problem: whoever mends a table wants all of them.
            problems.append(f"column {column_field.name}: {error}")
            continue
        # pyarrow accepts nulls in non-nullable fields, even in validate(full=True).
        if column.null_count and column_field.name not in contract.nullable:
            problems.append(f"column {column_field.name}: {column.null_count} nulls")
        columns.append(column)
    if problems:
        raise ContractError(contract.name, problems)
    return pa.Table.from_arrays(columns, schema=contract.schema)


def in_order(table: pa.Table, order: Sequence[tuple[str, str]]) -> pa.Table:
    """Return rows sorted by columns and directions, in one chunk a column.

    Rows that are in order stay where they are: a stage mostly hands on the order of the one
    before, and moving long texts takes as long as writing them.
    """
    places = places_in_order(table.select([name for name, _ in order]), order)
    if places is not None:
        return table.take(places)
    if _is_one_piece(table):
        return table
    # Joining pieces moves each text once, taking them twice: it joins them first.
    if all(c.num_chunks > 1 or _is_whole(c) for c in table.columns):
        return table.combine_chunks()
    return table.take(pa.array(np.arange(table.num_rows)))


def places_in_order(table: pa.Table, order: Sequence[tuple[str, str]]) -> pa.Array | None:
    """Return where the rows stand that belong in each place; None where each is in its own."""
    columns = [sortable(table.column(name)) for name, _ in order]
    words = [word for column in columns for word in column]
    is_plain = all(columns) and all(direction == "ascending" for _, direction in order)
    if is_plain and words:
        return None if _are_ascending(words) else pa.array(_places_by(words))
    places = pc.sort_indices(table, sort_keys=list(order))
    is_sorted = np.array_equal(places.to_numpy(), np.arange(table.num_rows))
    return None if is_sorted else places


def _places_by(words: list[NDArray[Any]]) -> NDArray[np.int64]:
    """Return np.lexsort() of the words, the first one most.

    Rows mostly differ in the first word, or stand in order where they do not, and in a few runs:
    the paragraphs of a batch are sorted in a tenth of the time that all words take.
    """
    places = np.argsort(words[0], kind="stable")
    if _are_ascending([word[places] for word in words]):
        return places
    return np.lexsort(words[::-1])


def _is_one_piece(table: pa.Table) -> bool:
    """Return whether every column is one array from its beginning, as `take` returns it."""
    return all(_is_whole(column) for column in table.columns)


def _is_whole(column: pa.ChunkedArray) -> bool:
    return bool(column.num_chunks == 1 and column.chunk(0).offset == 0)


def sortable(column: pa.ChunkedArray) -> list[NDArray[Any]]:
    """Return numbers that order like the column, the first one most; none where there are none."""
    if column.null_count:
        return []
    if column.type == ID:
        # Two big-endian words order like their sixteen bytes.
        chunks = [_id_words(chunk) for chunk in column.chunks] or [np.empty((0, 2), ">u8")]
        words = np.concatenate(chunks).astype(np.uint64)
        return [np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1])]
    if pa.types.is_integer(column.type):
        return [column.to_numpy()]
    return []


def _id_words(chunk: pa.Array) -> NDArray[Any]:
    """Return the words of ids without a copy, big-endian uint64 [n, 2]."""
    if not len(chunk):
        return np.empty((0, 2), ">u8")
    words = np.frombuffer(chunk.buffers()[1], ">u8").reshape(-1, 2)
    return words[chunk.offset : chunk.offset + len(chunk)]


def _are_ascending(words: list[NDArray[Any]]) -> bool:
    """Return whether rows are in lexicographic order; equal rows may stand in any."""
    is_equal = np.ones(max(words[0].size - 1, 0), np.bool_)
    for word in words:
        if (is_equal & (word[1:] < word[:-1])).any():
            return False
        is_equal &= word[1:] == word[:-1]
    return True
