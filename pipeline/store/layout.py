"""Where everything lies under the warehouse's root."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import CONTRACTS
from pipeline.errors import WarehouseError
from pipeline.store.durable import make_folder

IGNORE_FILE = ".unechoignore"

BATCH_PREFIX = "batch-"
PUBLISH_PREFIX = "publish-"
DRAFT_PREFIX = "draft-"
SPILL = "spill"

# What mkdtemp() puts after a prefix.
_PREFIXES = "|".join((BATCH_PREFIX, PUBLISH_PREFIX, DRAFT_PREFIX))
_OWN_STAGED = re.compile(rf"(?:{_PREFIXES})[a-z0-9_]{{8}}|{SPILL}")
_OWN_FILE = re.compile(rf"(?:{'|'.join(CONTRACTS)})/\d{{4}}-\d{{2}}/l\d-[0-9a-f]{{32}}\.parquet")

_IGNORE = """\
# Written by unecho: an ingest of this folder or one above does not read the warehouse itself.
/data/
/staging/
/public/
/cache/
/prefect/
/catalog.sqlite*
/writer.lock
"""


@dataclass(frozen=True)
class Layout:
    """Paths of a warehouse; `root` is absolute."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Layout:
        """Return the layout under `root`, made absolute but not resolved: links stay links."""
        return cls(root.expanduser().absolute())

    @property
    def catalog(self) -> Path:
        """The SQLite file whose commit is the only commit point."""
        return self.root / "catalog.sqlite"

    @property
    def lock(self) -> Path:
        """The file whose flock makes a process the writer."""
        return self.root / "writer.lock"

    @property
    def staging(self) -> Path:
        """Uncommitted files; the next opening deletes those that are ours."""
        return self.root / "staging"

    @property
    def tables(self) -> Path:
        """Immutable Parquet files, `<table>/<yyyy-mm of ingest>/<level>-<uuid>.parquet`."""
        return self.root / "data"

    @property
    def cache(self) -> Path:
        """Derived indexes; may be deleted at any time."""
        return self.root / "cache" / "keys"

    @property
    def ids(self) -> Path:
        """The index of ids; made by its first pack, may be deleted at any time."""
        return self.root / "cache" / "ids"

    @property
    def public(self) -> Path:
        """What analysts open; written by the writer alone."""
        return self.root / "public"

    @property
    def snapshots(self) -> Path:
        """Earlier published databases, kept as long as the files they name."""
        return self.public / "snapshots"

    @property
    def places(self) -> Path:
        """Which file holds which article, for the published macro; made by its first file."""
        return self.public / "places"

    @property
    def database(self) -> Path:
        """The published DuckDB file."""
        return self.public / "news.duckdb"

    @property
    def listing(self) -> Path:
        """The published list of files for any other Parquet reader."""
        return self.public / "current.json"

    @property
    def opening(self) -> Path:
        """SQL that attaches the published database."""
        return self.public / "news.sql"

    def snapshot_database(self, snapshot: int) -> Path:
        """Return where the database of an earlier snapshot is kept."""
        return self.snapshots / f"news-{snapshot}.duckdb"

    def files_of_tables(self) -> Iterator[tuple[str, bool]]:
        """Yield what lies in the tables' folders: its path from the root, and whether it is ours.

        Ours is what is named as parquet.new_path() names files. Folders are not yielded, links to
        some are. Strings: a warehouse of millions of articles has thousands of files.
        """
        tables = self.tables.relative_to(self.root).as_posix()
        for folder, folders, files in os.walk(self.tables):
            within = folder[len(str(self.tables)) + 1 :].replace(os.sep, "/")
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for name in (*files, *links):
                path = f"{within}/{name}" if within else name
                yield f"{tables}/{path}", _OWN_FILE.fullmatch(path) is not None

    def names_staged(self, path: Path) -> bool:
        """Return whether `path`, right below `staging`, is a folder that only we would make."""
        is_folder = path.is_dir() and not path.is_symlink()
        return is_folder and _OWN_STAGED.fullmatch(path.name) is not None

    def foreign_before_creation(self) -> Path | None:
        """Return something in our folders that a creation, even one that was killed, did not make.

        Until there is a catalogue a creation makes nothing but empty folders.
        """
        own = {self.cache, self.snapshots}
        for folder in (self.tables, self.staging, self.public, self.cache.parent):
            if not folder.is_dir():
                if folder.exists() or folder.is_symlink():
                    return folder
                continue
            for path in sorted(folder.rglob("*")):
                if path not in own or not path.is_dir():
                    return path
        return None

    def create(self) -> None:
        """Make every folder that is not there yet, and keep ingests of folders above out.

        Raises:
            WarehouseError: DuckDB cannot write below such a path.
        """
        if "?" in str(self.root):
            # DuckDB 2.0 takes what follows for a query: it puts `.wal` before the question mark.
            raise WarehouseError(
                f"the path {self.root} has a question mark in it",
                next_step="choose a folder without one",
            )
        for folder in (self.staging, self.tables, self.cache, self.snapshots):
            make_folder(folder)
        with suppress(FileExistsError), (self.root / IGNORE_FILE).open("x") as written:
            written.write(_IGNORE)
        # Analysts read here and must not write: a foreign write-ahead log beside the published
        # database would be replayed into it.
        self.public.chmod(0o755)
