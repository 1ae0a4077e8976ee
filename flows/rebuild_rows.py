"""The rows of a rebuild that a difference alone does not give: story names and decisions."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

import pyarrow as pa

from flows.rows import decision_rows
from pipeline.contracts import ID
from pipeline.dedup.story_decisions import DROPPED_ROLES, UNSTAMPED, story_decisions
from pipeline.dedup.story_ids import Founding, founded_on, name_stories
from pipeline.store.rebuild import Comparison

REASON = "rebuilt"
"""The reason of decisions that bring back what was dropped with other parameters."""

_PREVIOUS = "SELECT o.* FROM story_members o SEMI JOIN members USING (article_id)"
_REVISIONS = """
    SELECT article_id, revision_id FROM derived_articles SEMI JOIN members USING (article_id)
    WHERE is_current
"""
_MATCHED = """
    SELECT e.* FROM draft_edges e SEMI JOIN (
        SELECT article_id AS one, matched_id AS other FROM members
        UNION ALL SELECT matched_id, article_id FROM members
    ) m ON m.one = e.left_id AND m.other = e.right_id
"""


def lasting_names(comparison: Comparison, snapshot: int, run_id: str) -> tuple[pa.Table, pa.Table]:
    """Return the ids of the draft's stories that no standing one equals, and the redirects.

    Args:
        comparison: the standing stories and those of the draft.
        snapshot: founding snapshot of new stories.
        run_id: stamps the redirects.

    Returns:
        draft_id, story_id, founded_snapshot; and story_id, merged_into_id, run_id.
    """
    rows = comparison.regrouped().to_pylist()
    draft_ids, clusters = _grouped(rows, "draft_id")
    proposed = pa.array(sorted({founded_on(row["article_id"]) for row in rows}), ID)
    # Stories that stay as they are, but bear an id that an article here would found anew.
    standing = comparison.standing_stories(proposed).to_pylist()
    _, others = _grouped(standing, "story_id")
    previous = {
        row["article_id"]: Founding(row["story_id"], row["founded_snapshot"])
        for row in [*rows, *standing]
        if row["story_id"] is not None
    }
    foundings, redirects = name_stories([*clusters, *others], previous, snapshot)
    named = {
        "draft_id": pa.array(draft_ids, ID),
        "story_id": pa.array([f.story_id for f in foundings[: len(clusters)]], ID),
        "founded_snapshot": pa.array([f.snapshot for f in foundings[: len(clusters)]], pa.int64()),
    }
    gone = {
        "story_id": pa.array(list(redirects), ID),
        "merged_into_id": pa.array(list(redirects.values()), ID),
        "run_id": pa.array([run_id] * len(redirects), pa.string()),
    }
    return pa.table(named), pa.table(gone)


def _grouped(rows: list[dict[str, Any]], key: str) -> tuple[list[bytes], list[list[bytes]]]:
    """Return the values of `key` and the article ids of each; rows are ordered by it."""
    groups = [(k, [r["article_id"] for r in g]) for k, g in groupby(rows, lambda row: row[key])]
    return [k for k, _ in groups], [articles for _, articles in groups]


def rebuilt_decisions(
    comparison: Comparison, members: pa.Table, changes: str, run_id: str, now: datetime
) -> pa.Table:
    """Return the DECISIONS to append: where what is decided differs from what stands.

    Args:
        comparison: with its `derived_` views.
        members: STORY_MEMBERS rows that do not stand as they are.
        changes: the parameters that changed, in words; the evidence of what comes back.
        run_id: the run.
        now: when.
    """
    back = [
        {
            **place,
            "action": "keep_paragraph",
            "reason": REASON,
            "evidence": f"no longer {place['reason']}; {changes}",
        }
        for place in comparison.taken_back().to_pylist()
    ]
    unstamped = [
        comparison.newly_decided().select(UNSTAMPED.names),
        pa.Table.from_pylist(back, UNSTAMPED),
        _on_articles(comparison, members, changes),
    ]
    return decision_rows(pa.concat_tables(unstamped), run_id, now)


def _on_articles(comparison: Comparison, members: pa.Table, changes: str) -> pa.Table:
    """Return UNSTAMPED rows of articles that are dropped for something else or stand again."""
    previous = comparison.select(_PREVIOUS, members=members)
    revisions = comparison.select(_REVISIONS, members=members)
    edges = comparison.select(_MATCHED, members=members.filter(members["matched_id"].is_valid()))
    before = {r["article_id"]: r["relation"] for r in previous.to_pylist()}
    other_relation = {
        r["article_id"]
        for r in members.to_pylist()
        if r["role"] in DROPPED_ROLES and r["relation"] != before.get(r["article_id"])
    }
    rows = story_decisions(members, previous, edges, revisions, other_relation).to_pylist()
    for row in rows:
        if row["action"] == "keep_article":
            row |= {"reason": REASON, "evidence": f"{row['evidence']}; {changes}"}
    return pa.Table.from_pylist(rows, UNSTAMPED)
