"""The raw archive: every document as it came, safe on disk before anything made of it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import DOCUMENTS, conform
from pipeline.store.duck import fetch, fixed_paths, open_memory
from pipeline.store.model import naive_utc
from pipeline.store.snapshot import read_snapshot

GROUP_BYTES = 1 << 20
GROUP_ROWS = 256
"""A row group of the archive ends at the first of the two: one document is fetched by reading at
most that much (a bloom filter and the sorted ids find the group)."""

_LANDING = b"unecho_landing"


@dataclass(frozen=True)
class Document:
    """A raw document with what is needed to read it; the fields are those of DOCUMENTS."""

    document_id: bytes
    source_id: str
    container: str
    position: int
    media: str
    encoding: str
    parse_options: str
    header: bytes
    content: bytes
    n_bytes: int
    problem: str | None
    problem_message: str | None
    landed_at: datetime
    run_id: str


def unknown_documents(read: pa.Table, known: pa.Array) -> pa.Table:
    """Return the rows of READ whose id is not among `known`, one row an id."""
    ids = read["document_id"].combine_chunks()
    _, first = np.unique(ids.dictionary_encode().indices.to_numpy(), return_index=True)
    # Most batches are all news, and their bytes need not be moved to say so.
    once = read if len(first) == len(ids) else read.take(pa.array(np.sort(first)))
    if not len(known):
        return once
    return once.filter(pc.invert(pc.is_in(once["document_id"], value_set=known)))


def as_documents(read: pa.Table, run_id: str, now: datetime) -> pa.Table:
    """Return conformed READ as DOCUMENTS landed by this run."""
    n_rows = read.num_rows
    landed_at = pa.array([naive_utc(now)] * n_rows, DOCUMENTS.schema.field("landed_at").type)
    stamped = read.append_column("landed_at", landed_at)
    return conform(stamped.append_column("run_id", pa.array([run_id] * n_rows)), DOCUMENTS)


def row_groups(documents: pa.Table) -> list[int]:
    """Return how many rows each row group takes, see GROUP_BYTES."""
    sizes: list[int] = []
    rows = weight = 0
    for n_bytes in documents["n_bytes"].to_pylist():
        rows, weight = rows + 1, weight + n_bytes
        if rows >= GROUP_ROWS or weight >= GROUP_BYTES:
            sizes.append(rows)
            rows = weight = 0
    return [*sizes, rows] if rows else sizes


def with_landing(documents: pa.Table, path: str) -> pa.Table:
    """Return DOCUMENTS that know, in their schema's metadata, the file they landed in."""
    return documents.replace_schema_metadata({_LANDING: path.encode()})


def without_landing(documents: pa.Table) -> pa.Table:
    """Return DOCUMENTS that name no landed file: a part of it, while the rest is worked on."""
    return documents.replace_schema_metadata(None)


def landing_paths(documents: pa.Table) -> list[str]:
    """Return the landed file of a table that land() or pending() returned, for Change.landings.

    Empty for a table without rows: nothing was landed then.
    """
    path = (documents.schema.metadata or {}).get(_LANDING)
    return [path.decode()] if path else []


def fetch_document(root: Path, id: UUID | bytes | str) -> Document | None:
    """Return the raw document of a published article or of a document id, without any lock.

    Args:
        root: the warehouse.
        id: an article_id (its current revision's document) or a document_id.

    Raises:
        WarehouseError: there is no published warehouse at `root`.
    """
    wanted = _as_uuid(id)
    if wanted is None:
        return None
    snapshot = read_snapshot(root)
    connection = open_memory()
    try:
        articles = _find(
            connection,
            fixed_paths(snapshot.root, snapshot.tables["articles"]),
            "document_id",
            f"article_id = '{wanted}'::UUID AND is_current",
        )
        document_id = UUID(bytes=articles[0]["document_id"]) if articles else wanted
        documents = _find(
            connection,
            fixed_paths(snapshot.root, snapshot.tables["documents"]),
            ", ".join(DOCUMENTS.schema.names),
            f"document_id = '{document_id}'::UUID",
        )
    finally:
        connection.close()
    return Document(**documents[0]) if documents else None


def _as_uuid(id: UUID | bytes | str) -> UUID | None:
    try:
        if isinstance(id, UUID):
            return id
        return UUID(bytes=id) if isinstance(id, bytes) else UUID(id.strip())
    except ValueError:
        return None


def _find(
    connection: duckdb.DuckDBPyConnection, listed: str, columns: str, condition: str
) -> list[dict[str, Any]]:
    if listed == "[]":
        return []
    query = f"SELECT {columns} FROM read_parquet({listed}, hive_partitioning = false)"
    rows: list[dict[str, Any]] = fetch(connection, f"{query} WHERE {condition} LIMIT 1").to_pylist()
    return rows
