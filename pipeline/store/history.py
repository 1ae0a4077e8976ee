"""The mapped cache of KEYS: what deduplication compares new articles with.

One uncompressed Arrow IPC file per live file of `signatures`, named by its stem and mapped into
memory, so that opening a long history costs nothing. It is derived: a segment that is missing or
cannot be read is made again from articles and signatures.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import conform
from pipeline.errors import ContractError
from pipeline.interim import KEYS
from pipeline.store.durable import sync
from pipeline.store.gather import Gatherer
from pipeline.store.model import StoredFile
from pipeline.store.segments import UNSYNCED

Rebuild = Callable[[pa.Table, pa.Table], pa.Table]
"""(current ARTICLES, their SIGNATURES) → KEYS of the same articles."""

_OWN_SEGMENT = re.compile(r"l\d-[0-9a-f]{32}\.(?:arrow|writing)")

_LOOKED_THROUGH = (
    "article_id",
    "source_id",
    "published_at",
    "key_hash",
    "bands",
    "lines",
    "passages",
)
"""Columns of which every batch reads the whole: a tenth of a segment."""

_POPULATE_READ = 22
"""MADV_POPULATE_READ of Linux 5.14 and later, which Python does not name."""

_ROWS_PER_REBUILD = 5_000
"""Articles whose texts are in memory at once while a segment is made again."""


class History:
    """The segments in a cache folder; mapped tables are kept open for the session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mapped: dict[str, pa.Table] = {}
        self._maps: dict[str, mmap.mmap] = {}
        self._syncing: dict[str, Future[None]] = {}
        self._thread: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Let go of the mapped files; tables that were handed out keep theirs."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        self._mapped.clear()
        self._maps.clear()

    def release(self) -> None:
        """Give the pages of mapped files back to the system, which has them still.

        Each batch looks at some hundred bytes of every article of the history: without this a run
        would hold them all until its end. The next look maps them again, 16 pages a fault.
        """
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapped in self._maps.values():
                mapped.madvise(mmap.MADV_DONTNEED)

    def fetch(self) -> None:
        """Map what a batch is about to read of every segment, in few calls.

        Page by page as it is read, a million articles take 8,000 faults and a quarter of a second.
        """
        for name, mapped in self._maps.items():
            base = np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
            for start, stop in _extents(self._mapped[name], base):
                try:
                    mapped.madvise(_POPULATE_READ, start, stop - start)
                except (OSError, ValueError, AttributeError):
                    return  # an older kernel, another system: then it is mapped as it is read

    def segments(
        self, gatherer: Gatherer, live: Sequence[StoredFile], rebuild: Rebuild
    ) -> list[pa.Table]:
        """Return a KEYS table per live file of `signatures`, made again where need be."""
        self.drop_dead(live)
        opened = ((stored, self._open(stored)) for stored in live)
        found = [
            self._rebuilt(gatherer, stored, rebuild) if table is None else table
            for stored, table in opened
        ]
        self.fetch()
        return found

    def present(self, live: Sequence[StoredFile]) -> list[pa.Table]:
        """Return the KEYS tables that are there; one that is not is made when it is asked for."""
        return [table for stored in live if (table := self._open(stored)) is not None]

    def files(self, live: Sequence[StoredFile]) -> list[Path] | None:
        """Return where the segments of files lie, for `segment_at`; None where one is in no file.

        One that could not be synced is deleted, and read from its map until the session ends.
        """
        paths = [self._path(stored) for stored in live]
        are_there = (path.exists() or path.with_suffix(UNSYNCED).exists() for path in paths)
        return paths if all(are_there) else None

    def write(self, stored: StoredFile, batches: Iterable[pa.Table]) -> None:
        """Write the segment of a file of `signatures` from KEYS tables.

        Synced before its rename: a torn one could otherwise have its right length and a sound
        footer with zeros between, which no cheap check tells. A thread does both: until then the
        segment is read under its other name.
        """
        final = self._path(stored)
        torn = final.with_suffix(UNSYNCED)
        if final.name in self._syncing:
            self._syncing[final.name].result()
        with pa.OSFile(str(torn), "wb") as sink, pa.ipc.new_file(sink, KEYS.schema) as writer:
            for batch in batches:
                writer.write_table(batch)
        self._mapped.pop(final.name, None)
        self._maps.pop(final.name, None)
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="segments")
        self._syncing[final.name] = self._thread.submit(_settle, torn, final)

    def derive(self, stored: StoredFile, replaced: Sequence[StoredFile], kept: pa.Array) -> None:
        """Write the segment of a rewritten file from those it replaces, if all are there."""
        old = [self._open(before) for before in replaced]
        parts = [t.filter(pc.is_in(t["article_id"], value_set=kept)) for t in old if t is not None]
        if len(parts) == len(replaced):
            self.write(stored, [pa.concat_tables(parts).sort_by("article_id")])

    def drop_dead(self, live: Sequence[StoredFile]) -> None:
        """Delete segments of files that no longer live, and unfinished ones."""
        self._syncing = {name: each for name, each in self._syncing.items() if not each.done()}
        names = {self._path(stored).name for stored in live}
        unsettled = {Path(name).with_suffix(UNSYNCED).name for name in self._syncing}
        for path in self._folder.iterdir():
            if path.name not in names | unsettled and _OWN_SEGMENT.fullmatch(path.name):
                path.unlink(missing_ok=True)
        self._mapped = {name: table for name, table in self._mapped.items() if name in names}
        self._maps = {name: mapped for name, mapped in self._maps.items() if name in names}

    def _path(self, stored: StoredFile) -> Path:
        return self._folder / f"{PurePosixPath(stored.path).stem}.arrow"

    def _open(self, stored: StoredFile) -> pa.Table | None:
        """Return the mapped segment; None when it is missing, torn or of another contract."""
        path = self._path(stored)
        if path.name in self._mapped:
            return self._mapped[path.name]
        try:
            with self._file(path) as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            table = pa.ipc.open_file(pa.py_buffer(mapped)).read_all()
            table.validate()
        except (OSError, ValueError):  # no file, an empty one, no Arrow file (ArrowInvalid)
            return None
        if table.num_rows != stored.n_rows or not table.schema.equals(KEYS.schema):
            return None
        self._mapped[path.name], self._maps[path.name] = table, mapped
        return table

    def _file(self, path: Path) -> BinaryIO:
        if path.name in self._syncing:
            with suppress(FileNotFoundError):  # it has its name by now
                return path.with_suffix(UNSYNCED).open("rb")
        return path.open("rb")

    def _rebuilt(self, gatherer: Gatherer, stored: StoredFile, rebuild: Rebuild) -> pa.Table:
        self.write(stored, _rebuild_slices(gatherer, stored, rebuild))
        table = self._open(stored)
        if table is None:
            raise ContractError("keys", [f"rebuilt segment of {stored.path} cannot be read"])
        return table


def _extents(table: pa.Table, base: int) -> Iterator[tuple[int, int]]:
    """Yield where the pages of the columns that are looked through begin and end in the file."""
    for name in _LOOKED_THROUGH:
        for chunk in table[name].chunks:
            for buffer in chunk.buffers():
                if buffer is not None and buffer.size >= mmap.PAGESIZE:
                    start = (buffer.address - base) // mmap.PAGESIZE * mmap.PAGESIZE
                    yield start, buffer.address - base + buffer.size


def _settle(torn: Path, final: Path) -> None:
    """Give a segment its name once it is on disk; what fails here is made again when asked for."""
    with suppress(OSError):
        sync(torn)
        torn.replace(final)


def _rebuild_slices(gatherer: Gatherer, stored: StoredFile, rebuild: Rebuild) -> Iterator[pa.Table]:
    signatures = gatherer.stored_rows(stored)
    for start in range(0, signatures.num_rows, _ROWS_PER_REBUILD):
        part = signatures.slice(start, _ROWS_PER_REBUILD)
        articles = gatherer.current_articles(part["article_id"])
        keys = conform(rebuild(articles, part), KEYS)
        if not keys["article_id"].equals(part["article_id"]):
            raise ContractError("keys", [f"not one row for each signature of {stored.path}"])
        yield keys
