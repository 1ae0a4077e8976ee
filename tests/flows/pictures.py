"""What must not depend on the way the articles took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "public" / "news.duckdb"), read_only=True) as con:
        return con.sql(sql).fetchall()


def picture(root: Path) -> dict[str, Any]:
    """What must not depend on the way the articles arrived."""
    members = rows(
        root,
        "SELECT a.article_id::VARCHAR, a.story_id, a.role, a.canonical_id::VARCHAR, m.relation,"
        " a.text, a.rights, a.byline, a.n_members"
        " FROM articles_all a JOIN story_members m USING (article_id) ORDER BY 1",
    )
    stories: dict[Any, list[str]] = {}
    for article, story, *_ in members:
        stories.setdefault(story, []).append(article)
    return {
        "stories": sorted(stories.values()),
        "members": [(m[0], *m[2:]) for m in members],
        "paragraphs": rows(
            root, "SELECT article_id::VARCHAR, seq, status, reason FROM paragraphs ORDER BY ALL"
        ),
        "edges": rows(
            root, "SELECT left_id::VARCHAR, right_id::VARCHAR, relation FROM edges ORDER BY ALL"
        ),
    }
