"""Which articles a derivation dropped or brought back, with the evidence, as decision rows."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contracts import DECISIONS, ID
from pipeline.dedup.mapped import Words, id_words, ids_of, place_of, sorted_ids

DROPPED_ROLES = ("duplicate", "update")
"""The roles of articles that do not stand in the clean records."""

_ENDS = ("left_id", "right_id")
EVIDENCE = (
    *_ENDS,
    *("is_numbers_equal", "left_containment", "right_containment", "evidence"),
)
"""What of an edge tells why an article is dropped."""
_STAMPED = ("decision_id", "rule_version", "decided_at", "run_id")
UNSTAMPED = pa.schema([f for f in DECISIONS.schema if f.name not in _STAMPED])
"""A decision before the run is known."""


def story_decisions(
    members: pa.Table,
    previous: pa.Table,
    edges: pa.Table,
    revisions: pa.Table,
    revised: Set[bytes],
) -> pa.Table:
    """Return one row for each article that `members` drops or brings back against `previous`.

    Args:
        members: STORY_MEMBERS as derived now.
        previous: STORY_MEMBERS of the same articles as they stood; none for new articles.
        edges: EVIDENCE columns of the edges among them.
        revisions: article_id, revision_id: the current revision of each article; of several rows
            of an article the first counts.
        revised: articles whose current revision is a new one, so that any drop is a new one.

    Returns:
        UNSTAMPED rows: `drop_article` with the relation and the match, or `keep_article` with
        reason `story_changed` for an article that was dropped and stands again.

    Raises:
        LookupError: a dropped article has no edge to its match, or an article has no revision.
    """
    members = news_of(members, previous, revised)
    is_dropped = _are_dropped(members["role"])
    return pa.concat_tables(
        [
            _drops(members.filter(is_dropped), edges, revisions),
            _returns(members.filter(pc.invert(is_dropped)), revisions),
        ]
    )


def news_of(members: pa.Table, previous: pa.Table, revised: Set[bytes]) -> pa.Table:
    """Return the STORY_MEMBERS rows that are dropped or brought back, and were not before.

    Arguments as in `story_decisions`. Of a large story that grows most members stay as they were.
    """
    is_dropped = _are_dropped(members["role"])
    before = previous.select(["article_id", "role", "matched_id"]).take(
        pc.index_in(members["article_id"], previous["article_id"].combine_chunks())
    )
    was_dropped = _are_dropped(before["role"])
    is_same = pc.fill_null(pc.equal(before["matched_id"], members["matched_id"]), False)
    is_revised = pc.is_in(members["article_id"], pa.array(list(revised), ID))
    stays = pc.and_(pc.and_(was_dropped, is_same), pc.invert(is_revised))
    is_news = pc.or_(
        pc.and_(is_dropped, pc.invert(stays)), pc.and_(was_dropped, pc.invert(is_dropped))
    )
    return members.filter(is_news)


def matched_pairs(members: pa.Table) -> pa.Table:
    """Return left_id, right_id of what each STORY_MEMBERS row with a match was compared with."""
    pairs = members.filter(members["matched_id"].is_valid())
    own, match = (id_words(pairs[name]) for name in ("article_id", "matched_id"))
    is_left = _are_before(own, match)[:, None]
    ends = np.where(is_left, own, match), np.where(is_left, match, own)
    return pa.table([ids_of(words) for words in ends], names=_ENDS)


def edges_of(pairs: pa.Table, edges: pa.Table) -> NDArray[np.int64]:
    """Return the row of `edges` that has the ends of each pair, -1 where none does; int64 [n]."""
    sought = [id_words(pairs[end]) for end in _ENDS]
    ids = sorted_ids(np.concatenate(sought))
    rows, found = np.arange(edges.num_rows), np.zeros(edges.num_rows, np.int64)
    for end in _ENDS:
        place = place_of(id_words(edges[end])[rows], ids)
        rows, place = rows[place >= 0], place[place >= 0]
        found[rows] = found[rows] * len(ids) + place
    wanted = place_of(sought[0], ids) * len(ids) + place_of(sought[1], ids)
    order = np.argsort(found[rows], kind="stable")
    rows, pair = rows[order], found[rows][order]
    # Of two rows of one pair the last counts.
    last = np.searchsorted(pair, wanted, side="right") - 1
    is_found = last >= 0
    is_found[is_found] = pair[last[is_found]] == wanted[is_found]
    return np.where(is_found, rows[last] if rows.size else -1, -1)


def _are_dropped(role: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(role, pa.array(DROPPED_ROLES, pa.string()))


def _are_before(own: Words, other: Words) -> NDArray[np.bool_]:
    """Return which ids come before the others, by words [n, 2]."""
    is_tied = own[:, 0] == other[:, 0]
    is_before: NDArray[np.bool_] = np.where(
        is_tied, own[:, 1] < other[:, 1], own[:, 0] < other[:, 0]
    )
    return is_before


def _drops(members: pa.Table, edges: pa.Table, revisions: pa.Table) -> pa.Table:
    """Return the UNSTAMPED rows of STORY_MEMBERS that are dropped."""
    rows = edges_of(matched_pairs(members), edges)
    if rows.size < members.num_rows or (rows < 0).any():
        raise LookupError("an article is dropped for a match that no edge ties it to")
    own = edges.select(EVIDENCE).take(pa.array(rows))
    is_left = _are_before(*(id_words(members[n]) for n in ("article_id", "matched_id")))
    return _unstamped(
        members.num_rows,
        article_id=members["article_id"],
        revision_id=_revisions_of(members, revisions),
        action="drop_article",
        reason=members["relation"],
        matched_article_id=members["matched_id"],
        jaccard=members["jaccard"],
        containment=members["containment"],
        matched_containment=pc.if_else(
            pa.array(is_left), own["right_containment"], own["left_containment"]
        ),
        is_numbers_equal=own["is_numbers_equal"],
        evidence=own["evidence"],
    )


def _returns(members: pa.Table, revisions: pa.Table) -> pa.Table:
    """Return the UNSTAMPED rows of STORY_MEMBERS that stand again."""
    return _unstamped(
        members.num_rows,
        article_id=members["article_id"],
        revision_id=_revisions_of(members, revisions),
        action="keep_article",
        reason="story_changed",
        evidence=pc.binary_join_element_wise("stands again as", members["role"], " "),
    )


def _revisions_of(members: pa.Table, revisions: pa.Table) -> pa.ChunkedArray:
    """Return the current revision of each member."""
    places = pc.index_in(members["article_id"], revisions["article_id"].combine_chunks())
    if places.null_count:
        raise LookupError(f"{places.null_count} articles have no current revision")
    return revisions["revision_id"].take(places)


def _unstamped(n_rows: int, **columns: Any) -> pa.Table:
    """Return UNSTAMPED of columns and of texts that are the same in each row, else NULL."""

    def column(field: pa.Field) -> Any:
        value = columns.get(field.name)
        if value is None:
            return pa.nulls(n_rows, field.type)
        if isinstance(value, str):
            return pa.repeat(value, n_rows)
        return value if value.type == field.type else value.cast(field.type)

    return pa.table([column(field) for field in UNSTAMPED], schema=UNSTAMPED)
