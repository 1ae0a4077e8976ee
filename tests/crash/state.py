"""What a warehouse holds, without what may differ between two ways to it (runs, times, files)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb

from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload

QUERIES = {
    "articles": "SELECT article_id, revision_id, is_current, text FROM _articles",
    "documents": "SELECT document_id, content FROM _documents",
    "paragraphs": "SELECT * FROM paragraphs",
    "decisions": "SELECT revision_id, action, reason, paragraph_seq FROM decisions",
    "signatures": "SELECT * FROM _signatures",
    "edges": "SELECT * EXCLUDE (run_id) FROM edges",
    "story_members": "SELECT * FROM _story_members",
    "stories": "SELECT * FROM stories",
}


def published_state(root: Path) -> dict[str, Any]:
    connection = connect_published(root)
    try:
        return {name: sorted(connection.sql(q).fetchall(), key=repr) for name, q in QUERIES.items()}
    finally:
        connection.close()


def undisturbed_state(root: Path, n_batches: int) -> dict[str, Any]:
    """The state after batches that nothing interrupted."""
    with open_warehouse(root) as warehouse:
        for batch in range(n_batches):
            workload.ingest(warehouse, batch)
    return published_state(root)


def copy_to(built: Path, root: Path) -> Path:
    """Copy a closed warehouse and publish it for its new place."""
    shutil.copytree(built, root)
    with open_warehouse(root):
        pass
    return root


def torn(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What is inconsistent between the tables that one session sees."""
    checks = {
        "stories and members": "SELECT (SELECT coalesce(sum(n_members), 0) FROM stories)"
        " - (SELECT count(*) FROM story_members)",
        "articles and members": "SELECT (SELECT count(*) FROM articles_all)"
        " - (SELECT count(*) FROM story_members)",
        "articles and paragraphs": "SELECT (SELECT coalesce(sum(n_paragraphs +"
        " n_dropped_paragraphs), 0) FROM articles_all) - (SELECT count(*) FROM paragraphs)",
        "revisions and documents": "SELECT (SELECT count(*) FROM revisions)"
        " - (SELECT count(*) FROM _documents)",
        "articles and signatures": "SELECT (SELECT count(*) FROM articles_all)"
        " - (SELECT count(*) FROM _signatures)",
        "clean records and stories": "SELECT (SELECT count(*) FROM articles)"
        " - (SELECT count(*) FROM stories)",
    }
    found = {name: connection.sql(query).fetchall()[0][0] for name, query in checks.items()}
    return [f"{name} differ by {gap}" for name, gap in found.items() if gap]
