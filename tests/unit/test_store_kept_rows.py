"""Rows that are left of a file are the same whether its texts are unpacked on the way or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contracts import CONTRACTS, EDGES
from pipeline.store import kept_rows, parquet
from pipeline.store.duck import open_memory
from pipeline.store.kept_rows import kept_groups
from pipeline.store.model import StoredFile
from pipeline.store.parquet import Stamp, in_file_order, read_file, write_file
from pipeline.store.rows import rest_of

N_ROWS = 1_000


def column_of(field: pa.Field, contract_key: tuple[str, ...], rng: np.random.Generator) -> pa.Array:
    """Return values of a column; NULL in every third row where it may be."""
    numbers = rng.integers(0, 40, N_ROWS)
    if field.name in contract_key:
        numbers = np.arange(N_ROWS)
    is_null = (np.arange(N_ROWS) % 3 == 0) if field.nullable else np.zeros(N_ROWS, bool)
    dtype = field.type
    if pa.types.is_fixed_size_binary(dtype):
        values = [int(n).to_bytes(dtype.byte_width, "big") for n in numbers]
    elif pa.types.is_string(dtype) or pa.types.is_large_string(dtype):
        values = [f"{field.name} {n}" for n in numbers]
    elif pa.types.is_binary(dtype) or pa.types.is_large_binary(dtype):
        values = [f"{n}".encode() for n in numbers]
    else:
        return (
            pa.array(numbers, mask=is_null)
            .cast(dtype if not pa.types.is_timestamp(dtype) else pa.int64())
            .cast(dtype)
        )
    return pa.array(values, dtype, mask=is_null)


def table_of(name: str, seed: int = 1) -> pa.Table:
    contract = CONTRACTS[name]
    rng = np.random.default_rng(seed)
    columns = [column_of(field, contract.key, rng) for field in contract.schema]
    return in_file_order(pa.Table.from_arrays(columns, schema=contract.schema), contract)


def write(root: Path, table: pa.Table, name: str, path: str, sizes: list[int]) -> StoredFile:
    return write_file(table, CONTRACTS[name], root / path, path, Stamp(1, "run"), sizes)


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "rows_per_group", lambda table: 300)


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_same_rows_and_types_as_unpacked(name: str, tmp_path: Path) -> None:
    table = table_of(name)
    stored = write(tmp_path, table, name, "whole.parquet", [300, 300, 300, 100])
    gone = np.sort(np.random.default_rng(2).permutation(N_ROWS)[:200])
    found = {stored.path: np.union1d(gone, np.arange(900, 1_000))}
    kept = kept_groups(tmp_path, stored, found)
    assert kept is not None
    assert len(kept.sizes) == 3
    wanted = rest_of(tmp_path, (stored,), found)
    packed = write(tmp_path, kept.rows, name, "packed.parquet", list(kept.sizes))
    plain = write(tmp_path, wanted, name, "plain.parquet", list(kept.sizes))
    assert packed.n_rows == plain.n_rows == wanted.num_rows
    assert read_file(tmp_path, packed).equals(wanted)
    one, other = (pq.ParquetFile(tmp_path / each.path) for each in (packed, plain))
    assert one.schema_arrow.equals(other.schema_arrow, check_metadata=True)
    assert one.schema.equals(other.schema)
    for number, size in enumerate(kept.sizes):
        groups = [file.metadata.row_group(number) for file in (one, other)]
        assert [group.num_rows for group in groups] == [size, size]
        for column in range(groups[0].num_columns):
            statistics = [group.column(column).statistics for group in groups]
            assert statistics[0] == statistics[1]


@pytest.mark.usefixtures("small_groups")
def test_other_readers_see_the_same(tmp_path: Path) -> None:
    """Texts are texts to all of them, and what DuckDB reads of ratios is what was written."""
    stored = write(tmp_path, table_of("edges"), "edges", "whole.parquet", [300, 300, 300, 100])
    found = {stored.path: np.arange(0, N_ROWS, 5)}
    kept = kept_groups(tmp_path, stored, found)
    assert kept is not None
    write(tmp_path, kept.rows, "edges", "packed.parquet", list(kept.sizes))
    write(tmp_path, rest_of(tmp_path, (stored,), found), "edges", "plain.parquet", [N_ROWS])
    with open_memory() as connection:
        one, other = (
            connection.sql(f"SELECT * FROM '{tmp_path / name}'").fetchall()
            for name in ("packed.parquet", "plain.parquet")
        )
    assert one == other
    assert len(one) == 800


def test_texts_of_removed_rows_are_gone(tmp_path: Path) -> None:
    table = table_of("edges")
    secret = pa.array(["secret" if n % 7 == 0 else None for n in range(N_ROWS)])
    at = EDGES.schema.get_field_index("evidence")
    table = table.set_column(at, EDGES.schema.field("evidence"), secret)
    stored = write(tmp_path, table, "edges", "whole.parquet", [N_ROWS])
    kept = kept_groups(tmp_path, stored, {stored.path: np.arange(0, N_ROWS, 7)})
    assert kept is not None
    (evidence,) = kept.rows["evidence"].chunks
    assert evidence.dictionary.to_pylist() == []
    packed = write(tmp_path, kept.rows, "edges", "packed.parquet", list(kept.sizes))
    assert read_file(tmp_path, packed)["evidence"].null_count == packed.n_rows


def test_emptied_groups_are_filled_anew(tmp_path: Path) -> None:
    stored = write(tmp_path, table_of("edges"), "edges", "whole.parquet", [100] * 10)
    assert parquet.ROWS_PER_GROUP > N_ROWS
    assert kept_groups(tmp_path, stored, {}) is None
    assert kept_groups(tmp_path, stored, {stored.path: np.arange(N_ROWS)}) is None
