"""What becomes of shared paragraphs in the clean records: annotate, collapse or drop.

`annotate` leaves every text as it is. The two others take a shared paragraph out of each clean
record but the one that printed it first: `drop` without a trace, `collapse` leaves one "[…]" for
each run of paragraphs taken out.

Only articles that stand for a story count, for "shared" and for "first": a copy is dropped as a
whole already, and a paragraph must not leave a record because a copy that nobody sees printed it
a minute earlier. Every paragraph stays where it was first, and a record of which only short lines
would be left keeps all, so no text is lost and no article emptied. Keys and signatures come from
the text before, so the policy changes no story.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import ID, INT, LONG_TEXT, conform
from pipeline.dedup.shared import Policy, SharedRules
from pipeline.interim import REMOVALS

COLLAPSED = "[…]"
_LATEST = datetime.max  # noqa: DTZ901 - compared with naive UTC times only

CUTS = pa.schema(
    [
        ("article_id", ID),
        ("seq", INT),
        ("matched_article_id", ID),
        ("matched_paragraph_seq", INT),
    ]
)
"""Paragraphs that leave the text of a clean record, and where each was first."""

SHORTENED = pa.schema(
    [
        ("article_id", ID),
        ("text", LONG_TEXT),
        ("n_chars", INT),
        ("n_paragraphs", INT),
        ("n_dropped_paragraphs", INT),
    ]
)
"""What the clean records show in place of the same columns of `articles`."""


@dataclass(frozen=True)
class CutChanges:
    """What a derivation of the cuts changes against the standing ones."""

    added: pa.Table
    """CUTS that are new or match another place."""
    removed: pa.Table
    """article_id and seq of CUTS that go or change."""
    removals: pa.Table
    """REMOVALS to be written as decisions: `drop_paragraph`, and `keep_paragraph` for a return."""


@dataclass(frozen=True, order=True)
class _Sighting:
    published_at: datetime
    article_id: bytes
    seq: int
    source: tuple[str, bytes]


def cut_shared(shared: pa.Table, records: pa.Table, rules: SharedRules) -> pa.Table:
    """Return the CUTS of the clean records, sorted by article and paragraph.

    Args:
        shared: SHARED_PARAGRAPHS rows: all of a paragraph or none of it.
        records: article_id, source_id, published_at, n_long_paragraphs (kept ones of 40 characters
            and more) of the articles that stand for their story; rows of `shared` of other
            articles do not count.
        rules: which sources are unknown.
    """
    standing = {row["article_id"]: row for row in records.to_pylist()}
    sightings: dict[bytes, list[_Sighting]] = defaultdict(list)
    columns = [shared[name].to_pylist() for name in ("article_id", "seq", "key_hash")]
    for article, seq, key_hash in zip(*columns, strict=True):
        if record := standing.get(article):
            source = record["source_id"]
            own = article if source in rules.unknown_sources else b""
            time = record["published_at"] or _LATEST
            sightings[key_hash].append(_Sighting(time, article, seq, (source, own)))
    cuts: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
    for seen in sightings.values():
        if len({sighting.source for sighting in seen}) > 1:
            for cut in _cuts(seen):
                cuts[cut["article_id"]].append(cut)
    rows = [
        cut
        for article, own in sorted(cuts.items())
        if len(own) < standing[article]["n_long_paragraphs"]
        for cut in sorted(own, key=lambda c: c["seq"])
    ]
    return pa.Table.from_pylist(rows, CUTS)


def shorten(cuts: pa.Table, articles: pa.Table, paragraphs: pa.Table, policy: Policy) -> pa.Table:
    """Return SHORTENED: what is left of the text of each article that has CUTS.

    Args:
        cuts: CUTS.
        articles: article_id, text, n_dropped_paragraphs of those articles.
        paragraphs: article_id, seq, status of those articles.
        policy: collapse or drop; with annotate nothing is shortened.
    """
    if policy == "annotate":
        return SHORTENED.empty_table()
    taken: dict[bytes, set[int]] = defaultdict(set)
    for cut in cuts.select(["article_id", "seq"]).to_pylist():
        taken[cut["article_id"]].add(cut["seq"])
    kept: dict[bytes, list[int]] = defaultdict(list)
    rows = paragraphs.filter(pc.equal(paragraphs["status"], "kept"))
    for row in rows.select(["article_id", "seq"]).sort_by("seq").to_pylist():
        kept[row["article_id"]].append(row["seq"])
    shortened = [
        _shortened(article, kept[article["article_id"]], taken[article["article_id"]], policy)
        for article in articles.to_pylist()
        if article["article_id"] in taken
    ]
    return pa.Table.from_pylist(shortened, SHORTENED).sort_by("article_id")


def cut_changes(cuts: pa.Table, standing: pa.Table, paragraphs: pa.Table) -> CutChanges:
    """Return what must change so that `cuts` stand in place of `standing` (both CUTS).

    Args:
        cuts: as derived now.
        standing: as they stood; other columns are ignored.
        paragraphs: article_id, revision_id, seq, start_char, end_char of the current revision of
            every article that either names; a standing cut of a paragraph that is no more needs
            no decision.
    """
    now = {(r["article_id"], r["seq"]): r for r in cuts.to_pylist()}
    before = {(r["article_id"], r["seq"]): r for r in standing.select(CUTS.names).to_pylist()}
    names = ("article_id", "revision_id", "seq", "start_char", "end_char")
    spans = {(r["article_id"], r["seq"]): r for r in paragraphs.select(names).to_pylist()}
    added = [row for place, row in now.items() if before.get(place) != row]
    removed = [row for place, row in before.items() if now.get(place) != row]
    returned = [place for place in before if place not in now and place in spans]
    removals = [_removal(spans[r["article_id"], r["seq"]], r) for r in added]
    removals += [_removal(spans[place], None) for place in returned]
    return CutChanges(
        added=pa.Table.from_pylist(added, CUTS),
        removed=pa.Table.from_pylist(removed, CUTS).select(["article_id", "seq"]),
        removals=conform(pa.Table.from_pylist(removals, REMOVALS.schema), REMOVALS),
    )


def _removal(span: dict[str, Any], cut: dict[str, Any] | None) -> dict[str, Any]:
    """Return the REMOVALS row of a paragraph that is cut, or comes back."""
    row = {name: span[name] for name in ("article_id", "revision_id", "start_char", "end_char")}
    row |= {"paragraph_seq": span["seq"], "reason": "shared"}
    if cut is None:
        return row | {"action": "keep_paragraph", "evidence": "no earlier record prints it"}
    return row | {
        "action": "drop_paragraph",
        "matched_article_id": cut["matched_article_id"],
        "matched_paragraph_seq": cut["matched_paragraph_seq"],
        "jaccard": 1.0,
        "evidence": "equal keys; printed there first",
    }


def _cuts(seen: Sequence[_Sighting]) -> list[dict[str, Any]]:
    """Return the cuts of one paragraph: in every article but the one that had it first."""
    first = min(seen)
    return [
        {
            "article_id": sighting.article_id,
            "seq": sighting.seq,
            "matched_article_id": first.article_id,
            "matched_paragraph_seq": first.seq,
        }
        for sighting in seen
        if sighting.article_id != first.article_id
    ]


def _shortened(
    article: dict[str, Any], kept: Sequence[int], taken: set[int], policy: Policy
) -> dict[str, Any]:
    """Return the SHORTENED row of an article whose text is its paragraphs `kept`, in order.

    Raises:
        ValueError: the text has other paragraphs than the table says.
    """
    paragraphs = article["text"].split("\n\n")
    if len(paragraphs) != len(kept):
        raise ValueError(
            f"article {article['article_id'].hex()} has {len(paragraphs)} paragraphs in its text"
            f" and {len(kept)} rows"
        )
    left: list[str] = []
    for seq, text in zip(kept, paragraphs, strict=True):
        if seq not in taken:
            left.append(text)
        elif policy == "collapse" and (not left or left[-1] is not COLLAPSED):
            left.append(COLLAPSED)
    text = "\n\n".join(left)
    return {
        "article_id": article["article_id"],
        "text": text,
        "n_chars": len(text),
        "n_paragraphs": len(kept) - len(taken),
        "n_dropped_paragraphs": article["n_dropped_paragraphs"] + len(taken),
    }
