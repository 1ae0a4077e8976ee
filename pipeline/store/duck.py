"""DuckDB over the live files: base views, and queries whose ids come back as 16 bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.contracts import CONTRACTS, ID, Contract
from pipeline.store.model import StoredFile
from pipeline.store.parquet import with_uuids

# No extension is needed, and none may be fetched behind the user's back.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

_MEMORY_LIMIT = "1GB"
"""Joins of ids that need more spill to disk: an ingest as a whole is to stay under 2 GB."""

_TYPES: Mapping[pa.DataType, str] = {
    ID: "UUID",
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.large_binary(): "BLOB",
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint64(): "UBIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.timestamp("us"): "TIMESTAMP",
}

_NARROW = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}


def open_memory(
    spill: Path | None = None, n_threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB that fetches no extension.

    Args:
        spill: a folder for joins too large for the memory that they may take.
        n_threads: that answer a query; None for one a core.
    """
    connection = duckdb.connect(config=_CONFIG)
    if n_threads is not None:
        connection.execute(f"SET threads = {n_threads}")
    connection.execute("SET parquet_metadata_cache = true")
    # 32-bit offsets overflow at 2 GB of text in one column.
    connection.execute("SET arrow_large_buffer_size = true")
    connection.execute("SET arrow_lossless_conversion = true")
    if spill is not None:
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = {quoted(str(spill))}")
    return connection


def quoted(text: str) -> str:
    """Return `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def sql_type(dtype: pa.DataType) -> str:
    """Return the DuckDB type of a contract's column."""
    return "BLOB" if pa.types.is_fixed_size_binary(dtype) and dtype != ID else _TYPES[dtype]


def fixed_paths(root: Path, paths: Iterable[str]) -> str:
    """Return an SQL list of absolute paths."""
    return "[" + ", ".join(quoted(f"{root}/{path}") for path in paths) + "]"


def movable_paths(root: Path, paths: Iterable[str]) -> str:
    """Return an SQL list of paths below the session's `news_root`, else below `root`.

    A list comprehension is the one spelling that every DuckDB from 1.1 on parses: `x -> ...` is
    refused by 2.0 and `lambda x: ...` by 1.2. It costs nothing: 1,000 files are planned in 6 ms.
    """
    listed = "[" + ", ".join(quoted(path) for path in paths) + "]"
    return f"[{_movable_root(root)} || '/' || f for f in {listed}]"


def base_query(
    contract: Contract, files: Sequence[StoredFile], root: Path, *, is_movable: bool
) -> str:
    """Return SQL for all rows of a table, with the contract's columns in their order.

    Of published articles (`is_movable`) their file follows as `filename`, see places.py.

    Files are grouped by the columns they have: those that came later are NULL in older files,
    which is as fast as plain and does not open every file as `union_by_name` does.
    """
    is_named = is_movable and contract.name == "articles"
    if not files:
        columns = [f"NULL::{sql_type(f.type)} AS {f.name}" for f in contract.schema]
        columns += ["NULL::VARCHAR AS filename"] * is_named
        return f"SELECT {', '.join(columns)} WHERE false"
    groups: dict[tuple[str, ...], list[str]] = {}
    for stored in sorted(files, key=_listed_at):
        groups.setdefault(stored.columns, []).append(stored.path)
    list_paths = movable_paths if is_movable else fixed_paths
    selects = []
    for held, paths in sorted(groups.items()):
        columns = [
            f.name if f.name in held else f"NULL::{sql_type(f.type)} AS {f.name}"
            for f in contract.schema
        ]
        columns += ["filename"] * is_named
        named = ", filename = true" * is_named
        selects.append(
            f"SELECT {', '.join(columns)} FROM"
            f" read_parquet({list_paths(root, paths)}, hive_partitioning = false{named})"
        )
    return " UNION ALL ".join(selects)


def places_query(places: Sequence[str], root: Path) -> str:
    """Return SQL for which file, by its name in the views, holds which article, see places.py."""
    if not places:
        return "SELECT NULL::UUID AS article_id, NULL::VARCHAR AS filename WHERE false"
    return (
        f"SELECT article_id, {_movable_root(root)} || '/' || file AS filename"
        f" FROM read_parquet({movable_paths(root, places)}, hive_partitioning = false)"
    )


def _movable_root(root: Path) -> str:
    return f"coalesce(getvariable('news_root'), {quoted(str(root))})"


def _listed_at(stored: StoredFile) -> tuple[int, str]:
    """Return by what files of a view are listed.

    DuckDB takes each file to have as many rows as the first. With the smallest file of members in
    front, and the largest of every other table, a join looks the few members of a story up among
    the articles: 24 ms at a million, and 220 ms the other way round, when all titles are read.
    """
    is_small_first = stored.table == "story_members"
    return (stored.n_rows if is_small_first else -stored.n_rows, stored.path)


def create_base_views(
    connection: duckdb.DuckDBPyConnection,
    live: Mapping[str, Sequence[StoredFile]],
    root: Path,
    *,
    prefix: str = "",
    is_movable: bool = False,
    names: Iterable[str] = CONTRACTS,
) -> None:
    """Create or replace one view for each named table, over its live files."""
    for name in names:
        query = base_query(CONTRACTS[name], live.get(name, ()), root, is_movable=is_movable)
        connection.execute(f"CREATE OR REPLACE VIEW {prefix}{name} AS {query}")


def fetch(
    connection: duckdb.DuckDBPyConnection, sql: str, tables: Mapping[str, pa.Table] | None = None
) -> pa.Table:
    """Run one query with Arrow tables under their names and return all rows.

    16-byte ids go in and come out as `fixed_size_binary[16]`; text and bytes come back in the type
    that contracts give a column of that name, else as `string` and `binary`.
    """
    cursor = connection.cursor()
    try:
        for name, table in (tables or {}).items():
            cursor.register(name, with_uuids(table))
        with interruptible():
            found = cursor.sql(sql).to_arrow_table()
    finally:
        cursor.close()
    return _with_contract_types(found)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C during a query be KeyboardInterrupt again.

    DuckDB 2.0's client turns it into RuntimeError("Query interrupted"), which nobody up the stack
    would know from a fault of one document.
    """
    try:
        yield
    except (RuntimeError, duckdb.InterruptException) as error:
        if "interrupt" in str(error).lower():
            raise KeyboardInterrupt from error
        raise


def _with_contract_types(table: pa.Table) -> pa.Table:
    plain = [_plain(column) for column in table.columns]
    columns = [
        column.cast(_DECLARED.get((name, column.type), _NARROW.get(column.type, column.type)))
        for name, column in zip(table.column_names, plain, strict=True)
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without the extension types in which DuckDB hands exact values over."""
    name = getattr(column.type, "extension_name", None)
    if name == "arrow.uuid":
        return column.cast(ID)
    if name == "arrow.bool8":
        return column.cast(pa.int8()).cast(pa.bool_())
    if name == "arrow.json":
        return column.cast(pa.string())
    if name == "arrow.opaque" and column.type.type_name == "hugeint":
        # Sums of integers are 128 bits wide, in the layout of a decimal.
        wide = pa.decimal128(38, 0)
        chunks = [
            pa.Array.from_buffers(wide, len(chunk), chunk.storage.buffers(), offset=chunk.offset)
            for chunk in column.chunks
        ]
        return pa.chunked_array(chunks, wide).cast(pa.int64())
    return column


def _declared_types() -> dict[tuple[str, pa.DataType], pa.DataType]:
    declared: dict[tuple[str, pa.DataType], pa.DataType] = {}
    for contract in CONTRACTS.values():
        for field in contract.schema:
            if field.type != ID and sql_type(field.type) in ("VARCHAR", "BLOB"):
                is_text = sql_type(field.type) == "VARCHAR"
                wide = pa.large_string() if is_text else pa.large_binary()
                declared[field.name, wide] = field.type
    return declared


_DECLARED = _declared_types()
