"""Apply: turn what the stages of a batch decided into one change of the warehouse."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from flows.components import evidence_of
from flows.decided import Cleaned, Decided
from flows.furnish import furniture_changes, stale_articles
from flows.gather import Fresh, replaced_rows
from flows.rederive import changed_removals
from flows.rows import as_contract, decision_rows, difference, filled, stamped
from pipeline.contracts import CONTRACTS, ID
from pipeline.dedup.clusters import Stories
from pipeline.dedup.story_decisions import news_of, story_decisions
from pipeline.dedup.story_ids import led_on
from pipeline.store.archive import landing_paths
from pipeline.store.model import Change
from pipeline.store.warehouse import Warehouse

Added = dict[str, list[pa.Table]]
Removed = dict[str, pa.Array | pa.Table]


def texts_of(
    fresh: Fresh, cleaned: Cleaned, warehouse: Warehouse, run_id: str, now: datetime
) -> Change:
    """Return what becomes of articles and their paragraphs; the warehouse begins to write it."""
    added, removed = _articles(fresh, cleaned, warehouse, run_id, now)
    texts = Change({name: as_contract(name, tables) for name, tables in added.items()}, removed)
    warehouse.stage_ahead(texts.added, run_id, now)
    return texts


def change_of(
    decided: Decided, texts: Change, warehouse: Warehouse, run_id: str, now: datetime
) -> Change:
    """Return the one change that publishes a batch: rows to add and keys to remove, by table.

    Args:
        decided: what was decided.
        texts: what becomes of its articles and paragraphs, see texts_of().
        warehouse: where it is to stand.
        run_id: of the run.
        now: when it was decided.
    """
    parts = (
        _decisions_of(decided, warehouse, run_id, now),
        _matching(decided, warehouse, run_id),
        _stories(decided, warehouse, run_id),
        _furniture(decided, warehouse, run_id),
        _shared(decided, run_id),
        _revision_changes(decided, warehouse, run_id),
        _quarantine(decided, run_id, now),
    )
    added = {name: tables for part, _ in parts for name, tables in part.items()}
    removed = {**texts.removed}
    removed |= {name: keys for _, part in parts for name, keys in part.items()}
    return Change(
        added={**texts.added, **{name: as_contract(name, t) for name, t in added.items()}},
        removed={name: keys for name, keys in removed.items() if len(keys)},
        keys=decided.matched.keys,
        landings=landing_paths(decided.batch.documents),
    )


def _articles(
    fresh: Fresh, cleaned: Cleaned, warehouse: Warehouse, run_id: str, now: datetime
) -> tuple[Added, Removed]:
    """Return what becomes of articles and their paragraphs."""
    clean = cleaned.clean
    is_current = pc.is_in(clean["revision_id"], fresh.current_ids)
    rows = clean.append_column("is_current", is_current)
    if fresh.again is None:
        changed = replaced_rows(warehouse, fresh)
        articles, gone = [stamped(rows, first_seen_at=now, run_id=run_id), changed], changed
    else:
        first = fresh.again.select(["revision_id", "first_seen_at", "run_id"])
        articles, gone = [rows.join(first, "revision_id")], fresh.again
    return (
        {"articles": articles, "paragraphs": [cleaned.kept]},
        {
            "articles": gone.select(["article_id", "revision_id"]),
            "paragraphs": pa.array(sorted(fresh.replaced), ID),
        },
    )


def _decisions_of(
    decided: Decided, warehouse: Warehouse, run_id: str, now: datetime
) -> tuple[Added, Removed]:
    """Return the decisions of a batch; what is derived again has only those that are news."""
    removals = decided.cleaned.removals
    if decided.batch.fresh.again is not None:
        ids = pa.array(sorted(decided.batch.fresh.replaced), ID)
        stood = warehouse.rows("paragraphs", "article_id", ids)
        removals = changed_removals(removals, stood, decided.cleaned.paragraphs)
    decisions = [
        decision_rows(removals, run_id, now),
        decision_rows(_story_decisions(decided, warehouse), run_id, now),
    ]
    return {"decisions": decisions}, {}


def _matching(decided: Decided, warehouse: Warehouse, run_id: str) -> tuple[Added, Removed]:
    """Return what becomes of signatures and edges, and of the spans of these."""
    replaced = pa.array(sorted(decided.batch.fresh.replaced), ID)
    ended = _ended(warehouse, replaced, decided.matched.found.lapsed)
    return (
        {
            "signatures": [stamped(decided.matched.keys, params_id=decided.params_id)],
            "edges": [stamped(decided.matched.edges, run_id=run_id)],
            "shared_spans": [stamped(decided.matched.common, run_id=run_id)],
        },
        {"signatures": replaced, "edges": ended, "shared_spans": ended},
    )


def _stories(decided: Decided, warehouse: Warehouse, run_id: str) -> tuple[Added, Removed]:
    """Return what becomes of stories, their members and redirects."""
    touched, stories = decided.matched.touched, decided.matched.stories
    members, stale_members = difference(stories.members, touched.previous, "article_id")
    story_rows, stale_stories = difference(stories.stories, touched.previous_stories, "story_id")
    redirects = _redirects(warehouse, stories)
    # A split may bring an id back that a merge had ended: it leads nowhere else any more.
    ids = [column for rows in (redirects, story_rows) for column in rows["story_id"].chunks]
    led_elsewhere = pa.chunked_array(ids, ID)
    return (
        {
            "story_members": [members],
            "stories": [story_rows],
            "story_redirects": [stamped(redirects, run_id=run_id)],
        },
        {
            "story_members": stale_members,
            "stories": stale_stories,
            "story_redirects": led_elsewhere,
        },
    )


def _furniture(decided: Decided, warehouse: Warehouse, run_id: str) -> tuple[Added, Removed]:
    """Return what becomes of learned furniture, and the articles it makes stale."""
    rows, gone = furniture_changes(
        warehouse,
        decided.cleaned.learned,
        decided.cleaned.standing,
        decided.cleaned.spans,
        decided.cleaned.lines,
        run_id,
    )
    cleaned, fresh = decided.cleaned, decided.batch.fresh
    stale = stale_articles(warehouse, cleaned.learned, cleaned.standing, fresh, run_id)
    derived = pa.array(sorted(decided.batch.fresh.replaced), ID)
    listed = pa.concat_arrays([derived, stale["article_id"].combine_chunks()])
    return (
        {"furniture": [rows], "stale_articles": [stale]},
        {"furniture": gone, "stale_articles": listed},
    )


def _shared(decided: Decided, run_id: str) -> tuple[Added, Removed]:
    """Return what becomes of shared paragraphs."""
    shared = decided.shared
    # What the policy shows of a text that is replaced is decided anew at the end of the run.
    replaced = pa.array(sorted(decided.batch.fresh.replaced), ID)
    return (
        {"shared_paragraphs": [stamped(shared.added, run_id=run_id)]},
        {
            "shared_paragraphs": shared.removed,
            "shared_cuts": replaced,
            "shortened_texts": replaced,
        },
    )


def _revision_changes(decided: Decided, warehouse: Warehouse, run_id: str) -> tuple[Added, Removed]:
    """Return what becomes of the comparison of revisions."""
    articles = pc.unique(decided.compared["article_id"])
    standing = warehouse.rows("revision_changes", "article_id", articles)
    rows, stale = difference(decided.compared, standing, "revision_id")
    return {"revision_changes": [stamped(rows, run_id=run_id)]}, {"revision_changes": stale}


def _quarantine(decided: Decided, run_id: str, now: datetime) -> tuple[Added, Removed]:
    """Return what becomes of refused documents."""
    rows = stamped(decided.batch.unread, quarantined_at=now, run_id=run_id)
    # A document that is tried again (replay, a run killed half way) leaves its earlier row.
    return {"quarantine": [rows]}, {"quarantine": decided.batch.documents["document_id"]}


def fault_of(documents: pa.Table, error: Exception, run_id: str, now: datetime) -> Change:
    """Return the change that quarantines documents on which a stage of ours failed."""
    message = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    rows = documents.select(["document_id", "source_id", "container", "position", "n_bytes"])
    next_step = "this is a fault in unecho, report it; replay the document after an update"
    rows = stamped(
        rows,
        reason="fault",
        message=f"{message}; {next_step}",
        quarantined_at=now,
        run_id=run_id,
    )
    return Change(
        added={"quarantine": as_contract("quarantine", [rows])},
        removed={"quarantine": documents["document_id"]},
        landings=landing_paths(documents),
    )


def _ended(warehouse: Warehouse, replaced: pa.Array, lapsed: pa.Table) -> pa.Table:
    """Return the keys of edges of replaced revisions, at either end, and of lapsed pairs."""
    ends = pa.schema([CONTRACTS["edges"].schema.field(side) for side in ("left_id", "right_id")])
    touching = [warehouse.rows("edges", side, replaced) for side in ends.names]
    ended = pa.concat_tables([filled(t, ends) for t in (*touching, lapsed)])
    return ended.group_by(ends.names).aggregate([])


def _redirects(warehouse: Warehouse, stories: Stories) -> pa.Table:
    """Return the new redirects, and earlier ones led on to where they end."""
    redirects = stories.redirects
    if not redirects.num_rows:
        return led_on(redirects, redirects, stories.stories["story_id"])
    earlier = warehouse.select(
        "SELECT r.story_id, n.merged_into_id FROM story_redirects r"
        " JOIN redirects n ON r.merged_into_id = n.story_id",
        redirects=redirects,
    )
    return led_on(redirects, filled(earlier, redirects.schema), stories.stories["story_id"])


def _story_decisions(decided: Decided, warehouse: Warehouse) -> pa.Table:
    touched, fresh = decided.matched.touched, decided.batch.fresh
    # What is derived again has the content it had: its drop is news only if its match is another.
    revised = fresh.replaced.keys() if fresh.again is None else frozenset()
    members = news_of(decided.matched.stories.members, touched.previous, revised)
    evidence = evidence_of(warehouse, members, decided.matched.edges)
    columns = ["article_id", "revision_id"]
    current = decided.cleaned.current.select(columns)
    is_stored = pc.invert(pc.is_in(members["article_id"], current["article_id"].combine_chunks()))
    others = members["article_id"].filter(is_stored)
    stored = warehouse.columns("articles", "article_id", others, columns, "is_current")
    revisions = pa.concat_tables([current, stored])
    return story_decisions(members, touched.previous, evidence, revisions, revised)
