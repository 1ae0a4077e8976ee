"""Which articles a derivation dropped or brought back, with the evidence, as decision rows."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import DECISIONS, ID

DROPPED_ROLES = ("duplicate", "update")
"""The roles of articles that do not stand in the clean records."""

_EVIDENCE = ["is_numbers_equal", "left_containment", "right_containment", "evidence"]
_STAMPED = ("decision_id", "rule_version", "decided_at", "run_id")
UNSTAMPED = pa.schema([f for f in DECISIONS.schema if f.name not in _STAMPED])
"""A decision before the run is known."""


def story_decisions(
    members: pa.Table,
    previous: pa.Table,
    edges: pa.Table,
    revisions: Mapping[bytes, bytes],
    revised: Set[bytes],
) -> pa.Table:
    """Return one row for each article that `members` drops or brings back against `previous`.

    Args:
        members: STORY_MEMBERS as derived now.
        previous: STORY_MEMBERS of the same articles as they stood; none for new articles.
        edges: VERIFIED or EDGES rows among them, the evidence.
        revisions: current revision_id of each article.
        revised: articles whose current revision is a new one, so that any drop is a new one.

    Returns:
        UNSTAMPED rows: `drop_article` with the relation and the match, or `keep_article` with
        reason `story_changed` for an article that was dropped and stands again.
    """
    members = news_of(members, previous, revised)
    stood = pc.is_in(previous["article_id"], members["article_id"].combine_chunks())
    before = {r["article_id"]: r for r in previous.filter(stood).to_pylist()}
    evidence = _evidence_of(members, edges)
    rows: list[dict[str, Any]] = []
    for member in members.to_pylist():
        is_dropped = member["role"] in DROPPED_ROLES
        old = before.get(member["article_id"])
        dropped_for = old["matched_id"] if old and old["role"] in DROPPED_ROLES else None
        is_revised = member["article_id"] in revised
        if is_dropped and (is_revised or dropped_for != member["matched_id"]):
            rows.append(_drop(member, evidence, revisions))
        elif dropped_for and not is_dropped:
            rows.append(_keep(member, revisions))
    return pa.Table.from_pylist(rows, UNSTAMPED)


def news_of(members: pa.Table, previous: pa.Table, revised: Set[bytes]) -> pa.Table:
    """Return the STORY_MEMBERS rows that are dropped or brought back, and were not before.

    Arguments as in `story_decisions`. Of a large story that grows most members stay as they were.
    """
    dropped = pa.array(DROPPED_ROLES, pa.string())
    is_dropped = pc.is_in(members["role"], dropped)
    before = previous.select(["article_id", "role", "matched_id"]).take(
        pc.index_in(members["article_id"], previous["article_id"].combine_chunks())
    )
    was_dropped = pc.is_in(before["role"], dropped)
    is_same = pc.fill_null(pc.equal(before["matched_id"], members["matched_id"]), False)
    is_revised = pc.is_in(members["article_id"], pa.array(list(revised), ID))
    stays = pc.and_(pc.and_(was_dropped, is_same), pc.invert(is_revised))
    is_news = pc.or_(
        pc.and_(is_dropped, pc.invert(stays)), pc.and_(was_dropped, pc.invert(is_dropped))
    )
    return members.filter(is_news)


def _evidence_of(members: pa.Table, edges: pa.Table) -> dict[tuple[bytes, bytes], dict[str, Any]]:
    """Return the evidence of the edges between members and what they match, by their ends."""
    own, match = (members[name].to_pylist() for name in ("article_id", "matched_id"))
    wanted = {(min(pair), max(pair)) for pair in zip(own, match, strict=True) if pair[1]}
    lefts = pa.array([left for left, _ in wanted], ID)
    some = edges.select(["left_id", "right_id", *_EVIDENCE])
    for name, ends in (("left_id", lefts), ("right_id", pa.array([r for _, r in wanted], ID))):
        some = some.filter(pc.is_in(some[name], ends))
    return {(r["left_id"], r["right_id"]): r for r in some.to_pylist()}


def _drop(
    member: Mapping[str, Any],
    evidence: Mapping[tuple[bytes, bytes], Mapping[str, Any]],
    revisions: Mapping[bytes, bytes],
) -> dict[str, Any]:
    article, match = member["article_id"], member["matched_id"]
    edge = evidence[min(article, match), max(article, match)]
    match_side = "right_containment" if article < match else "left_containment"
    return {
        "article_id": article,
        "revision_id": revisions[article],
        "action": "drop_article",
        "reason": member["relation"],
        "matched_article_id": match,
        "jaccard": member["jaccard"],
        "containment": member["containment"],
        "matched_containment": edge[match_side],
        "is_numbers_equal": edge["is_numbers_equal"],
        "evidence": edge["evidence"],
    }


def _keep(member: Mapping[str, Any], revisions: Mapping[bytes, bytes]) -> dict[str, Any]:
    return {
        "article_id": member["article_id"],
        "revision_id": revisions[member["article_id"]],
        "action": "keep_article",
        "reason": "story_changed",
        "evidence": f"stands again as {member['role']}",
    }
