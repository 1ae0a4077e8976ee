"""Furniture: what reviewed patterns know, and the lines that a source was found to repeat.

Patterns stand first: rights notices, bylines and datelines. A paragraph that is nothing else goes;
from the head or tail of a body paragraph only the span of the furniture goes. A learned line goes
whole. What furniture says is lifted into the article's fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from pipeline.dedup.furniture_cuts import (
    Cut,
    FurnitureRules,
    PatternTable,
    find_cuts,
    is_all_cut,
)
from pipeline.dedup.furniture_pattern import FurniturePattern
from pipeline.dedup.furniture_sieve import possible_rows
from pipeline.dedup.line_kinds import is_caption
from pipeline.dedup.line_masks import reporter_of
from pipeline.dedup.lines import EDGE
from pipeline.dedup.patterns import PATTERNS
from pipeline.dedup.removals import Cuts, article_ranges
from pipeline.interim import LIFTED, SPANS

_AGENCY_NAMES = {"reuter": "Reuters", "reuters": "Reuters", "news1": "뉴스1"}

_MIN_BODY_CHARS = 60
"""A shorter paragraph beside captions is a headline, a credit or a label."""

_SHOWS = re.compile(r"(?:고 있다|[는은된한] 모습|장면|전경|모습이다)\W*$")
"""How Korean captions end, with or without a mark: "... is doing", "a view of ..."."""

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

    def take(self, text: str, cuts: Sequence[Cut], previous: str) -> None:
        """Add what the cuts of a paragraph say; notices that touch are one."""
        notices: list[list[int]] = []
        for cut in cuts:
            if cut.pattern.kind != "rights":
                self._take_byline(text, cut, previous)
            elif notices and notices[-1][1] == cut.start:
                notices[-1][1] = cut.end
            else:
                notices.append([cut.start, cut.end])
        for start, end in notices:
            self.rights[text[start:end].strip()] = None

    def _take_byline(self, text: str, cut: Cut, previous: str) -> None:
        """Add what a byline, dateline or sign-off names."""
        if not cut.fields:
            return
        # What a caption names is the picture's: a place or an agency counts only where there is
        # nothing but captions, a photographer where the text names no reporter.
        signed = text[: cut.start] or (previous if cut.pattern.place == "last" else "")
        is_of_picture = is_caption(text[cut.end :]) or _is_picture(signed)
        for name in ("dateline", "agency"):
            if value := cut.fields.get(name):
                value = _AGENCY_NAMES.get(value.lower(), value)
                (self.of_pictures if is_of_picture else self.of_text).setdefault(name, value)
        if byline := cut.fields.get("byline"):
            (self.caption_bylines if is_of_picture else self.bylines)[byline] = None

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


def _is_picture(text: str) -> bool:
    """Return whether a paragraph tells what a picture shows."""
    return bool(text) and (is_caption(text) or _SHOWS.search(text) is not None)


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
    texts = spans.column("text").combine_chunks()
    ranges = np.array(article_ranges(spans), np.int64).reshape(-1, 2)
    held = _repeated_lines(spans, lines, learned)
    revision_ids = spans.column("revision_id").take(pa.array(ranges[:, 0])).to_pylist()
    removals = Cuts(spans)
    lifted: dict[bytes, _Fields] = {}
    possible = _possible_paragraphs(texts, ranges, held, rules, table)
    for owner, group in groupby(possible, attrgetter("owner")):
        first, last = ranges[owner].tolist()
        fields = _Fields()
        whole: set[int] = set()
        for row, _, text, may in group:
            line = held.get(row)
            cuts = find_cuts(text, row - first, last - first, rules, table, may_hold_rights=may)
            if not cuts and line is None:
                continue
            fields.take(text, cuts, texts[row - 1].as_py() if row > first else "")
            for action, reason, start, end, evidence in _actions(text, cuts, line, fields):
                removals.add(row, action, reason, start, end, evidence)
                whole |= {row} if action == "drop_paragraph" else set()
            lifted[revision_ids[owner]] = fields
        if fields.of_pictures:
            own = enumerate(texts.slice(first, last - first).to_pylist(), first)
            fields.has_body = _has_body(text for row, text in own if row not in whole)
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
    ranges: NDArray[np.int64],
    held: Iterable[int],
    rules: FurnitureRules,
    table: PatternTable,
) -> Iterator[_Possible]:
    """Yield the paragraphs in which a pattern may match, or that are learned lines, in order."""
    firsts, lasts = ranges[:, 0], ranges[:, 1]
    owners = np.repeat(np.arange(len(ranges)), lasts - firsts)
    every = np.arange(len(texts))
    index, from_end = every - firsts[owners], lasts[owners] - 1 - every
    possible, may_hold_rights = possible_rows(texts, index, from_end, rules, table)
    rows = np.union1d(possible, np.array([*held], np.int64))
    columns = (rows, owners[rows], texts.take(pa.array(rows)), may_hold_rights[rows])
    return map(_Possible._make, zip(*(column.tolist() for column in columns), strict=True))


def _has_body(paragraphs: Iterable[str]) -> bool:
    """Return whether any paragraph is more than a caption."""
    return any(len(text) > _MIN_BODY_CHARS and not _is_picture(text) for text in paragraphs)


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


def _actions(
    text: str, cuts: Sequence[Cut], line: tuple[str, str] | None, fields: _Fields
) -> Iterator[tuple[str, str, int, int, str]]:
    """Yield action, reason, span and evidence: one paragraph, or its spans."""
    if cuts and is_all_cut(text, cuts):
        kinds = {cut.pattern.kind for cut in cuts}
        kind = "rights" if "rights" in kinds else cuts[0].pattern.kind
        names = ", ".join(cut.pattern.name for cut in cuts)
        yield "drop_paragraph", f"furniture_{kind}", 0, len(text), f"pattern {names}"
        return
    if line is not None:
        reason, evidence = line
        fields.take_line(text, reason)
        yield "drop_paragraph", reason, 0, len(text), evidence
        return
    for cut in cuts:
        reason, name = f"furniture_{cut.pattern.kind}", cut.pattern.name
        yield "drop_span", reason, cut.start, cut.end, f"pattern {name}"


def _lifted_table(lifted: Mapping[bytes, _Fields]) -> pa.Table:
    """Return LIFTED."""
    rows = {revision: row for revision, fields in lifted.items() if any(row := fields.row())}
    names = ("byline", "rights", "dateline", "source_agency")
    columns: dict[str, list[bytes] | list[str | None]] = {"revision_id": list(rows)}
    columns |= {name: [row[at] for row in rows.values()] for at, name in enumerate(names)}
    return conform(pa.table(columns, schema=LIFTED.schema), LIFTED)
