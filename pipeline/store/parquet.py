"""Writing and reading the warehouse's Parquet files."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract import in_order, places_in_order
from pipeline.contracts import CONTRACTS, ID, Contract
from pipeline.store.model import StoredFile

ROWS_PER_GROUP = 30_720
"""A multiple of DuckDB's vector of 2,048; with it a month of 1M articles answered a one-month
histogram in 12 ms, against 142 ms from daily folders."""

_ROWS_PER_GROUP: Mapping[str, int] = {
    # DuckDB unpacks 2,048 rows of a text to show one of them, unless its row group is smaller: a
    # million articles, one asked for by id with all columns: 95 ms of CPU with groups of 6,000
    # rows, 55 with these, 75 with 512 (looking at a group costs 1 µs a column).
    "articles": 1_024,
}

_COMPRESSION_LEVEL = 3
_FAST_LEVEL = 1
_TEXTS = frozenset(("documents", "articles", "paragraphs"))
"""Tables of whole texts, see DECISIONS.md, 31."""

_TEXT_PAGES = {"data_page_size": 1, "write_batch_size": 2_048}
"""A page ends after as many rows as DuckDB unpacks at once. Only where all of them are in one page
does it check and copy none but the texts asked for: one article out of 6,000 takes 6 ms of CPU, 11
with pages of 128 KB, and writing them takes 26 µs an article instead of 37."""

_UNCOMPRESSED = frozenset(("signature",))
"""Bytes without a pattern: a sixth would be saved for three quarters of the time, see DECISIONS.md,
48."""

# Columns of few distinct values. Elsewhere pyarrow would try a dictionary first and drop it.
_DICTIONARY = frozenset(
    (
        *("source_id", "publisher", "media", "encoding", "parse_options", "container"),
        *("language", "section", "source_agency", "published_precision", "rights", "byline"),
        *("status", "reason", "action", "relation", "role", "rule_version", "params_id"),
        *("run_id", "problem", "evidence"),
    )
)

# Random ids: minimum and maximum of a row group exclude nothing, a bloom filter does.
_BLOOM = frozenset(("article_id", "document_id", "story_id", "component_id", "left_id", "right_id"))
_BLOOM_FALSE_POSITIVES = 0.001
"""Of a thousand row groups one is read in vain."""

# Texts that nobody compares with less and greater: their minimum and maximum cost a look at each
# byte and exclude nothing.
_NO_STATISTICS = frozenset(
    (
        *("content", "header", "text", "original_text", "title", "extra", "evidence", "diff"),
        *("signature", "template", "example", "message", "problem_message"),
    )
)

_ORDER: Mapping[str, Sequence[tuple[str, str]]] = {
    # Analysts filter by time: row groups sorted by it are skipped by their statistics.
    "articles": (("published_at", "ascending"), ("article_id", "ascending")),
}


@dataclass(frozen=True)
class Stamp:
    """What a file says about its origin in its footer."""

    snapshot: int
    run_id: str


def month_of(moment: datetime) -> str:
    """Return the folder of a moment of ingestion, `yyyy-mm`."""
    return moment.strftime("%Y-%m")


def new_path(table: str, month: str, level: str = "l0") -> str:
    """Return a path below the root that no file ever had."""
    return f"data/{table}/{month}/{level}-{uuid.uuid4().hex}.parquet"


def with_uuids(table: pa.Table) -> pa.Table:
    """Return `table` with its 16-byte ids as real UUIDs, which DuckDB and polars show as such."""
    fields = [pa.field(f.name, pa.uuid() if f.type == ID else f.type) for f in table.schema]
    columns = [c.cast(f.type) for c, f in zip(table.columns, fields, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def with_bytes(table: pa.Table, contract: Contract) -> pa.Table:
    """Return what was read from a file with the contract's schema, ids as 16 bytes.

    A column that the file is too old to have is NULL.
    """
    columns = [
        table.column(f.name).cast(f.type)
        if f.name in table.column_names
        else pa.nulls(table.num_rows, f.type)
        for f in contract.schema
    ]
    return pa.Table.from_arrays(columns, schema=contract.schema)


def in_file_order(table: pa.Table, contract: Contract) -> pa.Table:
    """Return rows in the order in which a file of the table keeps them."""
    return in_order(table, _order_of(contract))


def places_in_file(table: pa.Table, contract: Contract) -> pa.Array | None:
    """Return which row belongs in each place of a file; None where each is in its own."""
    order = _order_of(contract)
    return places_in_order(table.select([name for name, _ in order]), order)


def _order_of(contract: Contract) -> Sequence[tuple[str, str]]:
    return _ORDER.get(contract.name, tuple((name, "ascending") for name in contract.key))


def dictionary_columns(names: Sequence[str]) -> list[str]:
    """Return those columns that files keep as dictionaries."""
    return [name for name in names if name in _DICTIONARY]


def rows_per_group(table: str) -> int:
    """Return how many rows a row group of a table has at most."""
    return _ROWS_PER_GROUP.get(table, ROWS_PER_GROUP)


def write_file(
    table: pa.Table,
    contract: Contract,
    staged: Path,
    path: str,
    stamp: Stamp,
    groups: Sequence[int] | None = None,
    places: pa.Array | None = None,
) -> StoredFile:
    """Write rows of a contract to `staged`, not yet synced; `path` is where it will live.

    Args:
        table: rows as conform() returns them, in file order unless `places` are given; texts may
            come as dictionaries, one a row group, see kept_rows.py.
        contract: the table's contract.
        staged: where to write now.
        path: where the file will live, relative to the root.
        stamp: its origin.
        groups: rows of each row group; by default as many as ROWS_PER_GROUP.
        places: which row belongs in each place of the file, see places_in_file().
    """
    columns = with_uuids(table)
    n_rows = rows_per_group(contract.name)
    sizes = groups or [n_rows] * -(-table.num_rows // n_rows)
    options = _writer_options(table, contract, max(sizes))
    with pq.ParquetWriter(staged, columns.schema, store_schema=False, **options) as writer:
        writer.add_key_value_metadata(_footer(columns.schema, stamp))
        for group in _row_groups(columns, sizes, places):
            writer.write_table(group, row_group_size=group.num_rows)
    with staged.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return StoredFile(
        path=path,
        table=contract.name,
        level=Path(path).name.partition("-")[0],
        month=Path(path).parent.name,
        n_rows=table.num_rows,
        n_bytes=staged.stat().st_size,
        sha256=digest,
        columns=tuple(contract.schema.names),
    )


def _row_groups(
    columns: pa.Table, sizes: Sequence[int], places: pa.Array | None
) -> Iterator[pa.Table]:
    """Yield the rows of each row group.

    Rows are moved a row group at a time, into memory that the one before has left: all at once
    they would need new pages for every text of a batch.
    """
    if places is not None:
        columns = columns.combine_chunks()  # `take` would join the chunks for each row group
    start = 0
    for size in sizes:
        if places is None:
            yield columns.slice(start, size).combine_chunks()
        else:
            yield columns.take(places.slice(start, size))
        start += size


def _footer(schema: pa.Schema, stamp: Stamp) -> dict[str, str]:
    """Return what a footer says beside the columns.

    The types in it are those that readers of Arrow get: of a dictionary, those of its texts, so
    that all files of a table read alike.
    """
    types = [pa.field(f.name, _read_type(f.type)) for f in schema]
    written = pa.schema(types).serialize().to_pybytes()
    return {
        "ARROW:schema": base64.b64encode(written).decode(),
        "unecho_snapshot": str(stamp.snapshot),
        "unecho_run_id": stamp.run_id,
    }


def _read_type(written: pa.DataType) -> pa.DataType:
    return written.value_type if pa.types.is_dictionary(written) else written


def _writer_options(table: pa.Table, contract: Contract, rows_per_group: int) -> dict[str, object]:
    names = table.column_names
    n_rows = max(1, min(table.num_rows, rows_per_group))
    level = _FAST_LEVEL if contract.name in _TEXTS else _COMPRESSION_LEVEL
    return {
        "compression": {n: "none" if n in _UNCOMPRESSED else "zstd" for n in names},
        "compression_level": {n: level for n in names if n not in _UNCOMPRESSED},
        "use_dictionary": dictionary_columns(names),
        # The bytes of ratios apart by their place: half the time of packing whole ratios.
        "column_encoding": {
            f.name: "BYTE_STREAM_SPLIT" for f in table.schema if pa.types.is_floating(f.type)
        },
        "write_statistics": [name for name in names if name not in _NO_STATISTICS],
        "bloom_filter_options": {
            name: {"ndv": n_rows, "fpp": _BLOOM_FALSE_POSITIVES} for name in names if name in _BLOOM
        },
        **(_TEXT_PAGES if contract.name in _TEXTS else {}),
    }


def read_file(root: Path, stored: StoredFile) -> pa.Table:
    """Return all rows of a live file with the schema of its contract."""
    # Not pq.read_table: it would read partitions out of folder names such as `a=b` above us.
    with pq.ParquetFile(root / stored.path) as parquet:
        return with_bytes(parquet.read(), CONTRACTS[stored.table])
