"""Furniture: what reviewed patterns know, and the lines that a source was found to repeat.

Patterns stand first: rights notices, bylines and datelines. A paragraph that is nothing else goes;
from the head or tail of a body paragraph only the span of the furniture goes. A learned line goes
whole. What furniture says is lifted into the article's fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contracts import conform
from pipeline.dedup.furniture_cuts import FurnitureRules, PatternTable
from pipeline.dedup.furniture_pattern import FurniturePattern
from pipeline.dedup.furniture_readings import Action, Reading, Readings, is_picture
from pipeline.dedup.furniture_sieve import possible_rows
from pipeline.dedup.line_masks import reporter_of
from pipeline.dedup.lines import EDGE
from pipeline.dedup.patterns import PATTERNS
from pipeline.dedup.removals import Cuts, article_firsts
from pipeline.interim import LIFTED, SPANS
from pipeline.text.utf8 import whole

_MIN_BODY_CHARS = 60
"""A shorter paragraph beside captions is a headline, a credit or a label."""

_LEARNED_COLUMNS = [
    "line_hash",
    "reason",
    "n_documents",
    "n_source_documents",
    "n_days",
    "edge_ratio",
]

LEARNED_EVIDENCE = "learned: "
"""How the evidence of a learned line begins; no pattern's does."""


@dataclass
class _Fields:
    """Fields lifted out of one article, in the order of the text; dictionaries serve as sets."""

    rights: dict[str, None] = field(default_factory=dict)
    bylines: dict[str, None] = field(default_factory=dict)
    caption_bylines: dict[str, None] = field(default_factory=dict)
    of_text: dict[str, str] = field(default_factory=dict)
    of_pictures: dict[str, str] = field(default_factory=dict)
    has_body: bool = False
    """Whether any paragraph is more than a caption or furniture."""

    def take(self, reading: Reading, texts: pa.LargeStringArray, before: int | None) -> None:
        """Add what the furniture of a paragraph says; `before` is the row of the one before it."""
        for notice in reading.notices:
            self.rights[notice] = None
        for signed in reading.signed:
            is_of_picture = signed.is_of_picture
            if is_of_picture is None:
                is_of_picture = before is not None and is_picture(texts[before].as_py())
            # What a caption names is the picture's: a place or an agency counts only where there
            # is nothing but captions, a photographer where the text names no reporter.
            for name, value in signed.named:
                (self.of_pictures if is_of_picture else self.of_text).setdefault(name, value)
            if signed.byline:
                bylines = self.caption_bylines if is_of_picture else self.bylines
                bylines[signed.byline] = None

    def take_line(self, text: str, reason: str) -> None:
        """Add what a learned line says, where no pattern has."""
        if reason == "furniture_rights" and not any(text.find(r) >= 0 for r in self.rights):
            self.rights[text.strip()] = None
        elif reason == "furniture_byline" and not self.bylines and (name := reporter_of(text)):
            self.bylines[name] = None

    def row(self) -> tuple[str | None, str | None, str | None, str | None]:
        """Return byline, rights, dateline and agency as LIFTED has them."""
        bylines = self.bylines or self.caption_bylines
        named = self.of_text if self.has_body else self.of_pictures | self.of_text
        return (
            ", ".join(bylines) or None,
            "\n".join(self.rights) or None,
            named.get("dateline"),
            named.get("agency"),
        )


def find_furniture(
    spans: pa.Table,
    rules: FurnitureRules | None = None,
    patterns: Iterable[FurniturePattern] = PATTERNS,
    lines: pa.Table | None = None,
    learned: pa.Table | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return REMOVALS and LIFTED: the furniture of SPANS and the fields it names.

    Action `drop_paragraph` where nothing else is left of a paragraph, else `drop_span`.

    Args:
        spans: the paragraphs of a revision stand together, `seq` ascending, as SPANS is sorted.
        rules: where furniture is looked for.
        patterns: reviewed patterns.
        lines: LINES of the same paragraphs; None where nothing is learned.
        learned: FURNITURE or LEARNED rows of the sources; None where nothing is learned.
    """
    rules = rules or FurnitureRules()
    table = _table_of(patterns) if isinstance(patterns, tuple) else PatternTable(patterns)
    texts = whole(spans.column("text"))
    firsts = article_firsts(spans)
    bounds = firsts.tolist()
    held = _repeated_lines(spans, lines, learned)
    revision_ids = spans.column("revision_id").take(pa.array(firsts[:-1])).to_pylist()
    removals = Cuts(spans)
    lifted: dict[bytes, _Fields] = {}
    readings = Readings(rules, table)
    possible = _possible_paragraphs(texts, firsts, held, rules, table)
    for owner, group in groupby(possible, attrgetter("owner")):
        first, last = bounds[owner], bounds[owner + 1]
        fields = _Fields()
        dropped: set[int] = set()
        for row, _, text, may in group:
            line = held.get(row)
            reading = readings.of(text, row - first, last - 1 - row, may)
            if line is None and not reading.actions:
                continue
            fields.take(reading, texts, row - 1 if row > first else None)
            actions = reading.actions
            if line is not None and not reading.is_whole:
                actions = (_learned_line(text, line, fields),)
            for action, reason, start, end, evidence in actions:
                removals.add(row, action, reason, start, end, evidence)
                dropped |= {row} if action == "drop_paragraph" else set()
            lifted[revision_ids[owner]] = fields
        if fields.of_pictures:
            own = (row for row in range(first, last) if row not in dropped)
            fields.has_body = _has_body(texts[row].as_py() for row in own)
    return removals.table(), _lifted_table(lifted)


@cache
def _table_of(patterns: tuple[FurniturePattern, ...]) -> PatternTable:
    """Return the table of these patterns, made once."""
    return PatternTable(patterns)


class _Possible(NamedTuple):
    """A paragraph that may be furniture: its row, the number of its article, its text."""

    row: int
    owner: int
    text: str
    may_hold_rights: bool


def _possible_paragraphs(
    texts: pa.LargeStringArray,
    bounds: NDArray[np.int64],
    held: Iterable[int],
    rules: FurnitureRules,
    table: PatternTable,
) -> Iterator[_Possible]:
    """Yield the paragraphs in which a pattern may match, or that are learned lines, in order."""
    firsts, lasts = bounds[:-1], bounds[1:]
    owners = np.repeat(np.arange(firsts.size), lasts - firsts)
    every = np.arange(len(texts))
    index, from_end = every - firsts[owners], lasts[owners] - 1 - every
    possible, may_hold_rights = possible_rows(texts, index, from_end, rules, table)
    rows = np.union1d(possible, np.array([*held], np.int64))
    columns = (rows, owners[rows], texts.take(pa.array(rows)), may_hold_rights[rows])
    return map(_Possible._make, zip(*(column.tolist() for column in columns), strict=True))


def _has_body(paragraphs: Iterable[str]) -> bool:
    """Return whether any paragraph is more than a caption."""
    return any(len(text) > _MIN_BODY_CHARS and not is_picture(text) for text in paragraphs)


def _repeated_lines(
    spans: pa.Table, lines: pa.Table | None, learned: pa.Table | None
) -> dict[int, tuple[str, str]]:
    """Return reason and evidence of each learned line, by its row in SPANS."""
    if lines is None or learned is None or not learned.num_rows:
        return {}
    known = {
        row["line_hash"]: (row["reason"], evidence_of(row))
        for row in learned.select(_LEARNED_COLUMNS).to_pylist()
    }
    stood = lines["line_hash"].to_numpy()
    hashes, is_edge = stood & ~EDGE, stood & EDGE != 0
    # In the middle of an article the same words are its body.
    is_known = np.isin(hashes, np.fromiter(known, np.uint64, len(known)))
    held = np.flatnonzero(is_known & is_edge)
    # LINES are SPANS rows in the order of their contracts, which is the same.
    order = pc.sort_indices(spans, [(name, "ascending") for name in SPANS.key]).to_numpy()
    found = zip(order[held].tolist(), hashes[held].tolist(), strict=True)
    return {row: known[line] for row, line in found}


def evidence_of(row: Mapping[str, Any]) -> str:
    """Return the evidence of a removal by a FURNITURE or LEARNED row."""
    days = f" on {row['n_days']} days" if row["n_days"] else ""
    return (
        f"{LEARNED_EVIDENCE}{row['n_documents']} of {row['n_source_documents']} documents{days},"
        f" {row['edge_ratio']:.0%} at the edge"
    )


def _learned_line(text: str, line: tuple[str, str], fields: _Fields) -> Action:
    """Return what is done with a learned line, and add what it says to the fields."""
    reason, evidence = line
    fields.take_line(text, reason)
    return "drop_paragraph", reason, 0, len(text), evidence


def _lifted_table(lifted: Mapping[bytes, _Fields]) -> pa.Table:
    """Return LIFTED."""
    rows = {revision: row for revision, fields in lifted.items() if any(row := fields.row())}
    names = ("byline", "rights", "dateline", "source_agency")
    columns: dict[str, list[bytes] | list[str | None]] = {"revision_id": list(rows)}
    columns |= {name: [row[at] for row in rows.values()] for at, name in enumerate(names)}
    return conform(pa.table(columns, schema=LIFTED.schema), LIFTED)
