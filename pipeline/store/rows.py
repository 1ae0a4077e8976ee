"""Copy-on-write: taking rows out of immutable files by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.contracts import CONTRACTS, ID, Contract
from pipeline.errors import ContractError
from pipeline.store.duck import fixed_paths, interruptible
from pipeline.store.model import StoredFile
from pipeline.store.parquet import in_file_order, read_file, with_uuids

PACK_BYTES = 4 << 20
"""What is left of several files becomes one file, up to this many compressed bytes of them: a
batch that touches stories of a thousand earlier batches would else write a thousand files. Files of
whole texts are larger and stay by themselves: two of them would have to be sorted into one."""

Keys: TypeAlias = pa.Array | pa.ChunkedArray | pa.Table
RowNumbers: TypeAlias = npt.NDArray[np.int64]
Found: TypeAlias = Mapping[str, RowNumbers]
"""Path of a file → sorted row numbers in it."""


MERGED = 8
"""So many files of one level become one of the next: 200 commits leave some twenty files, and a row
is written again at most twice."""

_LAST_LEVEL = 2
_MERGED_TABLES = frozenset(
    (
        *("edges", "story_members", "stories", "decisions", "story_redirects", "quarantine"),
        *("furniture", "stale_articles", "shared_paragraphs", "shared_cuts", "shortened_texts"),
        *("shared_spans", "revision_changes"),
    )
)
"""Narrow tables. A query pays for each file that it opens; merging 8 x 5,000 rows of these takes
60 ms. Not `documents`, `articles`, `paragraphs`: moving texts costs what writing them did; not
`signatures`: the cache of keys goes by its files."""

_SMALL_ROWS = 122_880
"""Four row groups. Opening a larger file is little beside reading it, and merging takes 1.6 µs of
CPU a row: eight batches of a template have 300,000 pairs each."""

_MOST_MERGED = 64
"""Files that one merge takes at most: a warehouse from before has hundreds."""

Pack: TypeAlias = tuple[StoredFile, ...]
"""Files of one table, month and level that are rewritten into one."""


def key_tables(contract: Contract, keys: Keys) -> list[pa.Table]:
    """Return keys as tables of key columns; a row goes when it matches a row of any of them.

    Raises:
        ContractError: a key names a column that the table does not have.
    """
    if isinstance(keys, pa.Table):
        unknown = [name for name in keys.column_names if name not in contract.schema.names]
        if unknown or not keys.column_names:
            problems = [f"no key column {name}" for name in unknown] or ["keys without columns"]
            raise ContractError(contract.name, problems)
        types = [pa.field(n, contract.schema.field(n).type) for n in keys.column_names]
        return [keys.cast(pa.schema(types))]
    columns = contract.key if contract.name == "edges" else contract.key[:1]
    # An edge goes with either of its ends.
    return [pa.table({column: keys.cast(ID)}) for column in columns]


def find_rows(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    files: Sequence[StoredFile],
    keys: Sequence[pa.Table],
) -> Found:
    """Return which rows of which files match, reading nothing but the key columns."""
    if not files:
        return {}
    paths = {PurePosixPath(f.path).name: f.path for f in files}
    rows: dict[str, list[RowNumbers]] = {}
    for wanted in keys:
        for name, numbers in _matches(connection, root, files, wanted):
            rows.setdefault(paths[name], []).append(numbers)
    return {
        path: found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        for path, found in sorted(rows.items())
    }


def _matches(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    files: Sequence[StoredFile],
    wanted: pa.Table,
) -> Iterator[tuple[str, RowNumbers]]:
    on = " AND ".join(f"stored.{name} = wanted.{name}" for name in wanted.column_names)
    listed = fixed_paths(root, (f.path for f in files))
    cursor = connection.cursor()
    try:
        cursor.register("wanted", with_uuids(wanted))
        with interruptible():
            found = cursor.sql(
                "SELECT filename, list(file_row_number) AS numbers FROM read_parquet("
                f"{listed}, hive_partitioning = false, filename = true, file_row_number = true)"
                f" AS stored SEMI JOIN wanted ON {on} GROUP BY filename"
            ).fetchall()
    finally:
        cursor.close()
    for filename, numbers in found:
        yield PurePosixPath(filename).name, np.sort(np.asarray(numbers, dtype=np.int64))


def packs(files: Sequence[StoredFile], found: Found) -> list[Pack]:
    """Return the files that hold found rows, as they are rewritten together."""
    touched = (stored for stored in files if stored.path in found)
    in_order = sorted(touched, key=lambda f: (f.month, f.level, f.path))
    return [tuple(pack) for pack in _packs(in_order)]


def merges(files: Sequence[StoredFile]) -> list[Pack]:
    """Return the files of a table of which there are enough of one month and level to be one."""
    alike: dict[tuple[str, str], list[StoredFile]] = {}
    for stored in files:
        is_narrow = stored.table in _MERGED_TABLES and stored.n_rows < _SMALL_ROWS
        if is_narrow and stored.level < f"l{_LAST_LEVEL}":
            alike.setdefault((stored.month, stored.level), []).append(stored)
    enough = (pack for _, pack in sorted(alike.items()) if len(pack) >= MERGED)
    return [tuple(pack[:_MOST_MERGED]) for pack in enough]


def level_above(level: str) -> str:
    """Return the level of what files of this level are merged into."""
    return f"l{int(level[1:]) + 1}"


def rest_of(root: Path, pack: Pack, found: Found) -> pa.Table:
    """Return what is left of the files of a pack, in file order; there may be no rows."""
    kept = [_without(read_file(root, stored), found.get(stored.path)) for stored in pack]
    if len(kept) == 1:
        return kept[0]
    return in_file_order(pa.concat_tables(kept), CONTRACTS[pack[0].table])


def _packs(files: Sequence[StoredFile]) -> Iterator[list[StoredFile]]:
    pack: list[StoredFile] = []
    for stored in files:
        is_same = bool(pack) and (pack[0].month, pack[0].level) == (stored.month, stored.level)
        if pack and (not is_same or sum(f.n_bytes for f in pack) + stored.n_bytes > PACK_BYTES):
            yield pack
            pack = []
        pack.append(stored)
    if pack:
        yield pack


def _without(table: pa.Table, numbers: RowNumbers | None) -> pa.Table:
    if numbers is None:
        return table
    keep = np.ones(table.num_rows, dtype=bool)
    keep[numbers] = False
    return table.filter(pa.array(keep))
