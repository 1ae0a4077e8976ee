"""The catalogue: one SQLite file whose commit is the only commit point of the warehouse."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline.errors import WarehouseError
from pipeline.store.catalog_schema import FORMAT, SCHEMA, UPGRADES
from pipeline.store.durable import sync
from pipeline.store.model import (
    Landing,
    Run,
    RunRow,
    RunStatus,
    Snapshot,
    StoredFile,
    TakenFile,
    as_json,
    as_text,
)

_BUSY_SECONDS = 10.0

_FILE_COLUMNS = "path, table_name, level, month, n_rows, n_bytes, sha256, columns_json"


class Catalog:
    """Statements on the catalogue; those that write run inside `transaction()`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path, now: datetime) -> Catalog:
        """Open the catalogue for writing; a new one holds snapshot 0, the empty warehouse.

        Raises:
            WarehouseError: it was written by a newer unecho.
        """
        connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        catalog = cls(connection, path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            catalog._create(now)
            catalog._check_format()
            catalog._upgrade()
        except BaseException:
            connection.close()
            raise
        # The first commit is worth nothing while the directory does not name the file.
        sync(path.parent)
        return catalog

    @classmethod
    def open_for_reading(cls, path: Path) -> Catalog:
        """Open the catalogue without the writer's lock; every later call sees one state."""
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
        )
        catalog = cls(connection, path)
        try:
            catalog._check_format()
            connection.execute("BEGIN")
            catalog.edition()
        except BaseException:
            connection.close()
            raise
        return catalog

    def close(self) -> None:
        """Close the connection; what was not committed is gone."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside, or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _create(self, now: datetime) -> None:
        if self._value("PRAGMA user_version"):
            return
        with self.transaction():
            for statement in SCHEMA.split(";\n"):
                self._connection.execute(statement)
            self._connection.execute(
                "INSERT INTO snapshots VALUES (0, ?, NULL, '{}')", (as_text(now),)
            )
            self._connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _upgrade(self) -> None:
        """Bring the catalogue of an earlier unecho to this format."""
        found = self._value("PRAGMA user_version")
        if found == FORMAT:
            return
        with self.transaction():
            for number in range(found + 1, FORMAT + 1):
                self._connection.execute(UPGRADES[number])
            self.raise_edition()  # analysts are to see what is new
            self._connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _check_format(self) -> None:
        found = self._value("PRAGMA user_version")
        if found > FORMAT:
            raise WarehouseError(
                f"{self.path} has format {found}, this unecho knows {FORMAT}",
                next_step="use the newer unecho that wrote it",
            )

    def _value(self, sql: str, *parameters: object) -> int:
        row = self._connection.execute(sql, parameters).fetchone()
        return int(row[0])

    # Reading

    def integrity_problems(self) -> list[str]:
        """Return what SQLite's own integrity check finds; nothing when it is sound."""
        rows = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check")]
        return [] if rows == ["ok"] else rows

    def edition(self) -> int:
        """Return the number of changes so far that analysts can see."""
        return self._value("SELECT number FROM edition")

    def head(self) -> Snapshot:
        """Return the newest snapshot."""
        row = self._connection.execute(
            "SELECT id, published_at FROM snapshots ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return Snapshot(row[0], datetime.fromisoformat(row[1]))

    def snapshots_replaced_before(self, moment: datetime) -> set[int]:
        """Return the snapshots whose successor was published before `moment`."""
        rows = self._connection.execute(
            "SELECT s.id FROM snapshots s JOIN snapshots next ON next.id = s.id + 1"
            " WHERE next.published_at < ?",
            (as_text(moment),),
        )
        return {row[0] for row in rows}

    def live_files(self) -> dict[str, list[StoredFile]]:
        """Return the live files of each table that has any, by path."""
        rows = self._connection.execute(
            f"SELECT {_FILE_COLUMNS} FROM files WHERE removed_snapshot IS NULL"
            " ORDER BY table_name, path"
        )
        live: dict[str, list[StoredFile]] = {}
        for row in rows:
            stored = _stored_file(row)
            live.setdefault(stored.table, []).append(stored)
        return live

    def known_paths(self) -> set[str]:
        """Return every file that may lie in the tables' folders, live or not."""
        rows = self._connection.execute(
            "SELECT path FROM files UNION SELECT path FROM landings"
            " UNION SELECT path FROM purge_queue"
        )
        return {row[0] for row in rows}

    def open_landings(self) -> list[Landing]:
        """Return the landed files that no snapshot holds yet, oldest first."""
        rows = self._connection.execute(
            "SELECT path, 'documents', 'l0', month, n_rows, n_bytes, sha256, columns_json, run_id"
            " FROM landings WHERE state = 'landed' ORDER BY landed_at, path"
        )
        return [Landing(_stored_file(row[:8]), row[8]) for row in rows]

    def runs(self) -> list[RunRow]:
        """Return the run ledger, oldest first."""
        rows = self._connection.execute(
            "SELECT run_id, flow, sources_json, started_at, ended_at, status, counts_json,"
            " recorded_url FROM runs ORDER BY started_at, run_id"
        )
        return [
            RunRow(
                run_id=row[0],
                flow=row[1],
                sources=tuple(json.loads(row[2])),
                started_at=datetime.fromisoformat(row[3]),
                ended_at=datetime.fromisoformat(row[4]) if row[4] else None,
                status=row[5],
                counts=json.loads(row[6]),
                recorded_url=row[7],
            )
            for row in rows
        ]

    def parameters(self) -> dict[str, Any]:
        """Return the parameters, other than the defaults, that the tables were derived with."""
        if self._value("PRAGMA user_version") < 2:
            return {}  # read without the lock, before the first writer of this unecho came
        rows = self._connection.execute("SELECT name, value_json FROM parameters ORDER BY name")
        return {name: json.loads(value) for name, value in rows}

    def taken_files(self) -> set[TakenFile]:
        """Return the files of drop folders that were read, as they stood then."""
        rows = self._connection.execute(
            "SELECT path, n_bytes, changed_ns, inode, status_ns FROM taken_files"
        )
        return {TakenFile(*row) for row in rows}

    def purge_queue(self) -> list[str]:
        """Return the files that are to be deleted."""
        return [r[0] for r in self._connection.execute("SELECT path FROM purge_queue")]

    # Writing

    def raise_edition(self) -> None:
        """Count one more change that analysts can see."""
        self._connection.execute("UPDATE edition SET number = number + 1")

    def add_snapshot(self, snapshot: Snapshot, run_id: str, summary: Mapping[str, int]) -> None:
        """Record a snapshot."""
        self._connection.execute(
            "INSERT INTO snapshots VALUES (?, ?, ?, ?)",
            (snapshot.id, as_text(snapshot.published_at), run_id, json.dumps(summary)),
        )

    def add_files(self, files: Iterable[StoredFile], snapshot: int) -> None:
        """Make files live from `snapshot` on."""
        self._connection.executemany(
            f"INSERT INTO files ({_FILE_COLUMNS}, added_snapshot)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(f.path, f.table, f.level, f.month, f.n_rows, f.n_bytes, f.sha256),
                    json.dumps(f.columns),
                    snapshot,
                )
                for f in files
            ],
        )

    def remove_files(self, paths: Iterable[str], snapshot: Snapshot) -> None:
        """End the life of files with `snapshot`; they stay on disk for older sessions."""
        removed_at = as_text(snapshot.published_at)
        self._connection.executemany(
            "UPDATE files SET removed_snapshot = ?, removed_at = ? WHERE path = ?",
            [(snapshot.id, removed_at, path) for path in paths],
        )

    def add_landing(self, landing: Landing, landed_at: datetime) -> None:
        """Record raw documents that are safe on disk and belong to no snapshot yet."""
        stored = landing.file
        self._connection.execute(
            "INSERT INTO landings (path, state, month, n_rows, n_bytes, sha256, columns_json,"
            " run_id, landed_at) VALUES (?, 'landed', ?, ?, ?, ?, ?, ?, ?)",
            (
                *(stored.path, stored.month, stored.n_rows, stored.n_bytes, stored.sha256),
                *(json.dumps(stored.columns), landing.run_id, as_text(landed_at)),
            ),
        )

    def finish_landings(self, paths: Iterable[str]) -> None:
        """Mark landed files as worked off."""
        self._connection.executemany(
            "UPDATE landings SET state = 'done' WHERE path = ?", [(path,) for path in paths]
        )

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Record what the tables are derived with, in place of what stood there."""
        self._connection.execute("DELETE FROM parameters")
        self._connection.executemany(
            "INSERT INTO parameters VALUES (?, ?)",
            [(name, as_json(value)) for name, value in sorted(parameters.items())],
        )

    def mark_taken(self, files: Iterable[TakenFile]) -> None:
        """Record files of drop folders as read."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO taken_files VALUES (?, ?, ?, ?, ?)",
            [(f.path, f.n_bytes, f.changed_ns, f.inode, f.status_ns) for f in files],
        )

    def begin_run(self, run: Run) -> None:
        """Record a run as running."""
        self._connection.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, NULL, 'running', '{}', ?)",
            (
                *(run.run_id, run.flow, json.dumps(list(run.sources), ensure_ascii=False)),
                *(as_text(run.started_at), run.recorded_url),
            ),
        )

    def add_counts(self, run_id: str, counts: Mapping[str, int]) -> None:
        """Add to the counts of a run."""
        row = self._connection.execute(
            "SELECT counts_json FROM runs WHERE run_id = ?", (run_id,)
        ).fetchone()
        if row is None:
            return
        total: dict[str, int] = json.loads(row[0])
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
        self._set_counts(run_id, total)

    def end_run(
        self, run_id: str, status: RunStatus, counts: Mapping[str, int], ended_at: datetime
    ) -> None:
        """Record how a run ended; `counts` replace those gathered so far, name by name."""
        self._connection.execute(
            "UPDATE runs SET status = ?, ended_at = ? WHERE run_id = ?",
            (status, as_text(ended_at), run_id),
        )
        row = self._connection.execute(
            "SELECT counts_json FROM runs WHERE run_id = ?", (run_id,)
        ).fetchone()
        if row is not None:
            self._set_counts(run_id, {**json.loads(row[0]), **counts})

    def _set_counts(self, run_id: str, counts: Mapping[str, int]) -> None:
        self._connection.execute(
            "UPDATE runs SET counts_json = ? WHERE run_id = ?",
            (json.dumps(counts, sort_keys=True), run_id),
        )

    def crash_running(self, ended_at: datetime) -> int:
        """Mark runs left over as crashed and return how many: the lock is ours, so they died."""
        cursor = self._connection.execute(
            "UPDATE runs SET status = 'crashed', ended_at = ? WHERE status = 'running'",
            (as_text(ended_at),),
        )
        return cursor.rowcount

    def queue_superseded(self, before: datetime) -> None:
        """Queue the files that ended before `before` for deletion, and forget them."""
        expired = "removed_snapshot IS NOT NULL AND removed_at < ?"
        moment = (as_text(before),)
        self._connection.execute(
            f"INSERT OR IGNORE INTO purge_queue SELECT path FROM files WHERE {expired}", moment
        )
        self._connection.execute(
            f"DELETE FROM landings WHERE path IN (SELECT path FROM files WHERE {expired})", moment
        )
        self._connection.execute(f"DELETE FROM files WHERE {expired}", moment)

    def clear_purge_queue(self, paths: Iterable[str]) -> None:
        """Forget files that are deleted."""
        self._connection.executemany(
            "DELETE FROM purge_queue WHERE path = ?", [(path,) for path in paths]
        )


def _stored_file(row: tuple[str, str, str, str, int, int, str, str]) -> StoredFile:
    return StoredFile(*row[:7], columns=tuple(json.loads(row[7])))
