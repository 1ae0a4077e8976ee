"""The tables of the catalogue, and what an older catalogue lacks of them."""

from __future__ import annotations

FORMAT = 4
"""Raised with each change of the schema below; a newer one is refused."""

SCHEMA = """
CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY, published_at TEXT NOT NULL, run_id TEXT, summary_json TEXT NOT NULL
) STRICT;
CREATE TABLE files (
    path TEXT PRIMARY KEY, table_name TEXT NOT NULL, level TEXT NOT NULL, month TEXT NOT NULL,
    n_rows INTEGER NOT NULL, n_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
    columns_json TEXT NOT NULL, added_snapshot INTEGER NOT NULL REFERENCES snapshots (id),
    removed_snapshot INTEGER REFERENCES snapshots (id), removed_at TEXT
) STRICT;
CREATE INDEX live_files ON files (table_name, path) WHERE removed_snapshot IS NULL;
CREATE INDEX removed_files ON files (removed_at) WHERE removed_snapshot IS NOT NULL;
CREATE TABLE landings (
    path TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('landed', 'done')),
    month TEXT NOT NULL, n_rows INTEGER NOT NULL, n_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
    columns_json TEXT NOT NULL, run_id TEXT NOT NULL, landed_at TEXT NOT NULL
) STRICT;
CREATE INDEX open_landings ON landings (landed_at, path) WHERE state = 'landed';
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, flow TEXT NOT NULL, sources_json TEXT NOT NULL,
    started_at TEXT NOT NULL, ended_at TEXT,
    status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'crashed')),
    counts_json TEXT NOT NULL, recorded_url TEXT
) STRICT;
CREATE TABLE taken_files (
    path TEXT PRIMARY KEY, n_bytes INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL DEFAULT 0, status_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE purge_queue (path TEXT PRIMARY KEY) STRICT;
CREATE TABLE parameters (name TEXT PRIMARY KEY, value_json TEXT NOT NULL) STRICT;
-- Counts every change that analysts can see; the published database carries the same number.
CREATE TABLE edition (number INTEGER NOT NULL) STRICT;
INSERT INTO edition VALUES (0);
"""

UPGRADES = {
    # 2: what the tables were derived with; nothing stood there before, so the defaults did.
    2: "CREATE TABLE parameters (name TEXT PRIMARY KEY, value_json TEXT NOT NULL) STRICT",
    # 3 and 4: which file was taken. What was taken before is read once more, and known again.
    3: "ALTER TABLE taken_files ADD COLUMN inode INTEGER NOT NULL DEFAULT 0",
    4: "ALTER TABLE taken_files ADD COLUMN status_ns INTEGER NOT NULL DEFAULT 0",
}
"""What makes a catalogue of the format before it one of this format."""
