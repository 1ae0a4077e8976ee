"""What a rebuild changes, asked of the standing tables and of those derived anew."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipeline.dedup.story_decisions import DROPPED_ROLES
from pipeline.report.rebuild_report import RebuildSummary
from pipeline.store.rebuild import Comparison

N_EXAMPLES = 5

_DROPPED = f"role IN ({', '.join(repr(role) for role in DROPPED_ROLES)})"
_TITLE = "coalesce(a.title, left(a.text, 60))"

_TOTALS = """
    SELECT (SELECT count(*) FROM articles WHERE is_current) AS n_articles_before,
           (SELECT count(*) FROM derived_articles WHERE is_current) AS n_articles,
           (SELECT count(*) FROM stories) AS n_stories_before,
           (SELECT count(*) FROM derived_stories) AS n_stories,
           (SELECT count(*) FROM redirected) AS n_merged,
           (SELECT count(*) FROM quarantine ANTI JOIN derived_quarantine USING (document_id))
               AS n_taken,
           (SELECT count(*) FROM derived_quarantine ANTI JOIN quarantine USING (document_id))
               AS n_refused
"""

_MOVES = """
    SELECT o.story_id AS before_id, n.story_id AS after_id, count(*) AS n
    FROM story_members o JOIN derived_story_members n USING (article_id) GROUP BY ALL
"""
_SPLIT = f"""
    SELECT before_id, count(*) AS n_stories, sum(n) AS n_members FROM ({_MOVES})
    GROUP BY before_id HAVING count(*) > 1
"""
_MERGED = f"""
    SELECT after_id, count(*) AS n_stories, sum(n) AS n_members,
           list(before_id::VARCHAR ORDER BY before_id) AS before_ids FROM ({_MOVES})
    GROUP BY after_id HAVING count(*) > 1
"""
_SPLIT_EXAMPLES = f"""
    SELECT p.before_id::VARCHAR AS story_id, {_TITLE} AS title, p.n_stories, p.n_members
    FROM ({_SPLIT}) p JOIN stories s ON s.story_id = p.before_id
    JOIN articles a ON a.article_id = s.canonical_id AND a.is_current
    ORDER BY p.n_members DESC, p.n_stories DESC, 1
"""
_MERGED_EXAMPLES = f"""
    SELECT m.after_id::VARCHAR AS story_id, {_TITLE} AS title, m.n_stories, m.n_members,
           m.before_ids
    FROM ({_MERGED}) m JOIN derived_stories s ON s.story_id = m.after_id
    JOIN derived_articles a ON a.article_id = s.canonical_id AND a.is_current
    ORDER BY m.n_members DESC, m.n_stories DESC, 1
"""

_ARTICLES = f"""
    SELECT n.article_id, {{reason}}.relation AS reason, {_TITLE} AS title
    FROM story_members o JOIN derived_story_members n USING (article_id)
    JOIN derived_articles a ON a.article_id = n.article_id AND a.is_current
    WHERE (o.{_DROPPED}) = {{was}} AND (n.{_DROPPED}) <> {{was}}
"""
_SHOWN = """(
    SELECT p.article_id, p.seq, p.text, if(c.seq IS NULL, p.reason, 'shared') AS reason
    FROM {0}paragraphs p LEFT JOIN {0}shared_cuts c ON c.article_id = p.article_id AND c.seq = p.seq
)"""
"""Paragraphs as the view of that name shows them."""
_PARAGRAPHS = f"""
    SELECT n.article_id, {{reason}}.reason, n.seq, left(n.text, 200) AS text, {_TITLE} AS title
    FROM {_SHOWN.format("")} o JOIN {_SHOWN.format("derived_")} n USING (article_id, seq)
    JOIN derived_articles a ON a.article_id = n.article_id AND a.is_current
    WHERE (o.reason IS NOT NULL) = {{was}} AND (n.reason IS NOT NULL) <> {{was}}
"""

# What was dropped and comes back, and what stood and is dropped now: whose reason, and which.
_BACK = {"reason": "o", "was": "true"}
_GONE = {"reason": "n", "was": "false"}
_QUESTIONS = {
    "articles_back": _ARTICLES.format(**_BACK),
    "articles_dropped": _ARTICLES.format(**_GONE),
    "paragraphs_back": _PARAGRAPHS.format(**_BACK),
    "paragraphs_dropped": _PARAGRAPHS.format(**_GONE),
}


def describe(comparison: Comparison, summary: RebuildSummary) -> None:
    """Count what changes for analysts and pick examples, the same at every call."""
    for name, value in _rows(comparison, _TOTALS)[0].items():
        setattr(summary, name, value)
    summary.n_split = _rows(comparison, f"SELECT count(*) AS n FROM ({_SPLIT})")[0]["n"]
    for kind, query in (("merged", _MERGED_EXAMPLES), ("split", _SPLIT_EXAMPLES)):
        summary.examples[kind] = _rows(comparison, f"{query} LIMIT {N_EXAMPLES}")
    for name, query in _QUESTIONS.items():
        counted = _rows(comparison, f"SELECT reason, count(*) AS n FROM ({query}) GROUP BY reason")
        setattr(summary, name, Counter({row["reason"]: row["n"] for row in counted}))
        ordered = f"SELECT * REPLACE (article_id::VARCHAR AS article_id) FROM ({query})"
        summary.examples[name] = _rows(comparison, f"{ordered} ORDER BY ALL LIMIT {N_EXAMPLES}")


def _rows(comparison: Comparison, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = comparison.select(query).to_pylist()
    return rows
