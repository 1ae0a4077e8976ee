"""Which live files hold an id: a mapped index, so that a question never reads the history.

Plain meaning: an id is in the files of a table whose column holds it. Most ids of a batch are in
none, and ten million rows need not be looked through to say so.

Ids are kept in packs under `cache/ids`: of a number of files, for each indexed column, the sorted
ids with the file that each is in. A commit writes one small pack; eight packs of a size become one,
so that there are some twenty for a thousand commits and an id is written again at most four times.
The index is derived: files that no pack knows are read once more, packs may be deleted at any time.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts import CONTRACTS, ID
from pipeline.store.durable import make_folder, sync
from pipeline.store.model import StoredFile

INDEXED: Mapping[str, tuple[str, ...]] = {
    "documents": ("document_id",),
    "articles": ("article_id",),
    "paragraphs": ("article_id",),
    "signatures": ("article_id",),
    "edges": ("left_id", "right_id"),
    "story_members": ("article_id", "component_id"),
    "stories": ("story_id",),
    "story_redirects": ("story_id",),
    "quarantine": ("document_id",),
    "stale_articles": ("article_id",),
    "shared_paragraphs": ("article_id",),
    "shared_cuts": ("article_id",),
    "shortened_texts": ("article_id",),
    "shared_spans": ("left_id", "right_id"),
    "revision_changes": ("article_id", "revision_id"),
}
"""Columns by which rows are asked for or taken out."""

MERGED = 8
"""So many packs of one size become one of the next: fewer cost writing, more cost looking."""

_MAGIC = b"unechoids1\n"

Words: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Keys:
    """Ids of one column, sorted by `high`; rows that stand for one id are told apart by file.

    Attributes:
        high: uint64 [n]: the first 8 bytes of each id.
        low: uint64 [n]: the last 8 bytes.
        file: uint32 [n]: number of the file in its pack.
    """

    high: Words
    low: Words
    file: npt.NDArray[np.uint32]

    def matches(
        self, high: Words, low: Words
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return positions of asked ids (sorted by `high`) and of the rows here that equal them."""
        first = np.searchsorted(self.high, high, "left")
        asked = np.flatnonzero(self.high[np.minimum(first, len(self.high) - 1)] == high)
        first = first[asked]
        n_rows = np.searchsorted(self.high, high[asked], "right") - first
        asked = np.repeat(asked, n_rows)
        within = np.arange(len(asked)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
        rows = np.repeat(first, n_rows) + within
        is_equal = self.low[rows] == low[asked]
        return asked[is_equal], rows[is_equal]


Columns: TypeAlias = Mapping[tuple[str, str], Keys]
"""Keys by (table, column)."""


@dataclass(frozen=True)
class Pack:
    """Keys of some files, all indexed columns of each; `path` is None until it is written."""

    path: Path | None
    n_commits: int
    files: tuple[str, ...]
    columns: Columns


def halves(ids: pa.Array | pa.ChunkedArray) -> tuple[Words, Words]:
    """Return the first and last 8 bytes of ids as numbers that sort as the ids do; no NULLs."""
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    ids = ids.drop_null().cast(ID)
    words = np.frombuffer(ids.buffers()[1], dtype=">u8", count=2 * (ids.offset + len(ids)))
    words = words[2 * ids.offset :].astype(np.uint64)
    return words[0::2], words[1::2]


def keys_in(table: pa.Table, name: str) -> Columns:
    """Return the keys of the indexed columns of one file's rows, as of file 0 of a pack."""
    found = {}
    for column in INDEXED.get(name, ()):
        high, low = halves(table[column])
        if np.any(high[1:] < high[:-1]):
            # Right ends of pairs: some ten rows stand for one id.
            high, low = _in_order(*halves(table[column].unique()))
        is_new = np.ones(len(high), dtype=bool)
        is_new[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        high, low = high[is_new], low[is_new]
        found[name, column] = Keys(high, low, np.zeros(len(high), dtype=np.uint32))
    return found


def _in_order(high: Words, low: Words) -> tuple[Words, Words]:
    """Return the halves of ids in order; the first halves alone almost always tell."""
    order = np.argsort(high)
    one, other = high[order], low[order]
    if ((one[1:] == one[:-1]) & (other[1:] < other[:-1])).any():
        order = np.lexsort((low, high))
        return high[order], low[order]
    return one, other


class IdIndex:
    """The packs in a cache folder, and the keys of files that are in none yet."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._packs: list[Pack] | None = None
        self._held: set[str] = set()

    def close(self) -> None:
        """Let go of the mapped packs."""
        self._packs, self._held = None, set()

    def add(self, files: Mapping[str, Columns]) -> None:
        """Take the keys of new files by their paths, as keys_in() returns them."""
        for path, keys in files.items():
            if path not in self._opened_files():
                self._opened().append(Pack(None, 0, (path,), keys))
                self._held.add(path)

    def holding(
        self, table: str, column: str, ids: pa.Array | pa.ChunkedArray, files: Sequence[StoredFile]
    ) -> list[StoredFile]:
        """Return those of a table's files whose column holds any of these ids."""
        if column not in INDEXED.get(table, ()):
            return list(files)
        paths: set[str] = set()
        for pack, _, rows in self._found(table, column, ids, files):
            is_held = np.zeros(len(pack.files), np.bool_)
            is_held[pack.columns[table, column].file[rows]] = True
            paths |= {pack.files[number] for number in np.flatnonzero(is_held)}
        return [stored for stored in files if stored.path in paths]

    def known(
        self, table: str, column: str, ids: pa.Array | pa.ChunkedArray, files: Sequence[StoredFile]
    ) -> pa.Array:
        """Return those of the ids that the column holds in any of these files, one of each."""
        places = [asked for _, asked, _ in self._found(table, column, ids, files)]
        if not places:
            return pa.array([], ID)
        high, low = halves(ids)
        order = np.argsort(high, kind="stable")
        found = order[np.unique(np.concatenate(places))]
        words = np.stack((high[found], low[found]), axis=1).astype(">u8")
        held = pa.FixedSizeBinaryArray.from_buffers(ID, len(found), [None, pa.py_buffer(words)])
        return held.unique()

    def _found(
        self, table: str, column: str, ids: pa.Array | pa.ChunkedArray, files: Sequence[StoredFile]
    ) -> Iterator[tuple[Pack, Places, Places]]:
        """Yield packs with the places of asked ids, by first half, and of the rows they match."""
        if not len(ids) or not files:
            return
        self._read_missing(files)
        high, low = halves(ids)
        order = np.argsort(high, kind="stable")
        high, low = high[order], low[order]
        live = {stored.path for stored in files}
        for pack in self._opened():
            keys = pack.columns.get((table, column))
            if keys is None or not len(keys.high):
                continue
            asked, rows = keys.matches(high, low)
            if not len(rows):
                continue
            is_live = np.fromiter((path in live for path in pack.files), bool, len(pack.files))
            is_kept = is_live[keys.file[rows]]
            if is_kept.any():
                yield pack, asked[is_kept], rows[is_kept]

    def _read_missing(self, files: Sequence[StoredFile]) -> None:
        """Read the ids of files that no pack knows."""
        known = self._opened_files()
        for stored in files:
            if stored.path not in known:
                with pq.ParquetFile(self._root / stored.path) as parquet:
                    rows = parquet.read(columns=list(INDEXED[stored.table]))
                rows = pa.table({n: rows[n].cast(ID) for n in rows.column_names})
                self.add({stored.path: keys_in(rows, stored.table)})

    # The folder

    def save(self, live: Iterable[str]) -> None:
        """Write what came since the last time as one pack, and merge packs of one size."""
        paths = set(live)
        packs = [p for p in self._opened() if paths.intersection(p.files)]
        fresh = [p for p in packs if p.path is None]
        stored = [p for p in packs if p.path is not None]
        if fresh:
            stored.append(self._written(_merged(fresh, paths, n_commits=1)))
        while (alike := _first_alike(stored)) is not None:
            rest = [pack for pack in stored if pack not in alike]
            n_commits = sum(pack.n_commits for pack in alike)
            stored = [*rest, self._written(_merged(alike, paths, n_commits))]
        self._packs = stored
        self._held = {path for pack in stored for path in pack.files}
        names = {pack.path for pack in stored}
        for path in self._folder.glob("*.ids*"):
            if path not in names:
                path.unlink(missing_ok=True)

    def repack(self, live: Iterable[str]) -> None:
        """Write one pack of all live files: most of what the others hold is dead."""
        packs = self._opened()
        if packs:
            n_commits = max(1, sum(pack.n_commits for pack in packs))
            self._packs = [self._written(_merged(packs, set(live), n_commits))]
        self.save(live)

    def _opened(self) -> list[Pack]:
        if self._packs is None:
            found = (_read(path) for path in sorted(self._folder.glob("*.ids")))
            self._packs = [pack for pack in found if pack is not None]
            self._held = {path for pack in self._packs for path in pack.files}
        return self._packs

    def _opened_files(self) -> set[str]:
        self._opened()
        return self._held

    def _written(self, pack: Pack) -> Pack:
        """Write a pack, synced before its rename: a torn one must not look whole."""
        make_folder(self._folder)
        final = self._folder / f"{uuid.uuid4().hex}.ids"
        torn = final.with_suffix(".ids-writing")
        _write(torn, pack)
        sync(torn)
        torn.replace(final)
        written = _read(final)
        assert written is not None, "a pack is read as it was written"
        return written


def _first_alike(packs: Sequence[Pack]) -> list[Pack] | None:
    """Return the packs of the smallest size of which there are enough to be merged."""
    sizes: dict[int, list[Pack]] = {}
    for pack in packs:
        sizes.setdefault((pack.n_commits.bit_length() - 1) // 3, []).append(pack)
    return next((alike for _, alike in sorted(sizes.items()) if len(alike) >= MERGED), None)


def _merged(packs: Sequence[Pack], live: set[str], n_commits: int) -> Pack:
    """Return one pack of the live files of several."""
    files: list[str] = []
    parts: dict[tuple[str, str], list[Keys]] = {}
    for pack in packs:
        is_live = np.fromiter((path in live for path in pack.files), bool, len(pack.files))
        number = np.cumsum(is_live, dtype=np.uint32) + np.uint32(len(files)) - np.uint32(1)
        files += [path for path in pack.files if path in live]
        for name, keys in pack.columns.items():
            is_kept = is_live[keys.file]
            kept = (column[is_kept] for column in (keys.high, keys.low, keys.file))
            high, low, file = kept
            parts.setdefault(name, []).append(Keys(high, low, number[file]))
    columns = {name: _sorted(keys) for name, keys in sorted(parts.items())}
    return Pack(None, n_commits, tuple(files), columns)


def _sorted(parts: Sequence[Keys]) -> Keys:
    high = np.concatenate([keys.high for keys in parts])
    order = np.argsort(high, kind="stable")
    low = np.concatenate([keys.low for keys in parts])
    file = np.concatenate([keys.file for keys in parts])
    return Keys(high[order], low[order], file[order])


def _write(path: Path, pack: Pack) -> None:
    """Write a pack: magic, length and text of a JSON header, then the arrays, 8-byte aligned."""
    columns = [[*name, len(keys.high)] for name, keys in pack.columns.items()]
    described = {
        "indexed": _indexed(),
        "n_commits": pack.n_commits,
        "files": pack.files,
        "columns": columns,
    }
    header = json.dumps(described).encode()
    header += b" " * (-(len(_MAGIC) + 8 + len(header)) % 8)
    with path.open("wb") as sink:
        sink.write(_MAGIC + len(header).to_bytes(8, "little") + header)
        for keys in pack.columns.values():
            for part in (keys.high, keys.low, keys.file):
                sink.write(np.ascontiguousarray(part).tobytes())
                sink.write(bytes(-part.nbytes % 8))


def _read(path: Path) -> Pack | None:
    """Return a mapped pack; None when it is gone, torn or of other columns."""
    with suppress(OSError, ValueError, KeyError):
        mapped = np.memmap(path, dtype=np.uint8, mode="r")
        start = len(_MAGIC) + 8
        if bytes(mapped[: len(_MAGIC)]) != _MAGIC:
            return None
        end = start + int.from_bytes(bytes(mapped[len(_MAGIC) : start]), "little")
        header = json.loads(bytes(mapped[start:end]))
        if header["indexed"] != _indexed():
            return None
        columns = {}
        for table, column, n_rows in header["columns"]:
            low, file = end + 8 * n_rows, end + 16 * n_rows
            columns[table, column] = Keys(
                mapped[end:low].view(np.uint64),
                mapped[low:file].view(np.uint64),
                mapped[file : file + 4 * n_rows].view(np.uint32),
            )
            end = file + 4 * n_rows + (-4 * n_rows) % 8
        if end == len(mapped):
            return Pack(path, header["n_commits"], tuple(header["files"]), columns)
    return None


def _indexed() -> list[list[str]]:
    return [[table, *columns] for table, columns in INDEXED.items() if table in CONTRACTS]
