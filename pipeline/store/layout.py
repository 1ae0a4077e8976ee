"""Where everything lies under the warehouse's root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import WarehouseError
from pipeline.store.durable import make_folder


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
        """Uncommitted files; emptied at the next opening."""
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
    def public(self) -> Path:
        """What analysts open; written by the writer alone."""
        return self.root / "public"

    @property
    def snapshots(self) -> Path:
        """Earlier published databases, kept as long as the files they name."""
        return self.public / "snapshots"

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

    def create(self) -> None:
        """Make every folder that is not there yet.

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
        # Analysts read here and must not write: a foreign write-ahead log beside the published
        # database would be replayed into it.
        self.public.chmod(0o755)
