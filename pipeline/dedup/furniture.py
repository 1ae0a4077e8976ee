"""First furniture pass: rights notices, bylines and datelines that reviewed patterns know.

A paragraph that is nothing else goes; from the head or tail of a body paragraph only the span of
the furniture goes. What furniture says is lifted into the article's fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pipeline.contracts import conform
from pipeline.dedup.furniture_cuts import (
    Cut,
    FurnitureRules,
    PatternTable,
    find_cuts,
    is_all_cut,
)
from pipeline.dedup.furniture_pattern import FurniturePattern
from pipeline.dedup.line_kinds import is_caption
from pipeline.dedup.patterns import PATTERNS
from pipeline.dedup.removals import Removal, article_ranges, id_array, removals_table
from pipeline.interim import LIFTED

_AGENCY_NAMES = {"reuter": "Reuters", "reuters": "Reuters"}


@dataclass
class _Fields:
    """Fields lifted out of one article, in the order of the text; dictionaries serve as sets."""

    rights: dict[str, None] = field(default_factory=dict)
    bylines: dict[str, None] = field(default_factory=dict)
    caption_bylines: dict[str, None] = field(default_factory=dict)
    of_text: dict[str, str] = field(default_factory=dict)
    of_pictures: dict[str, str] = field(default_factory=dict)

    def take(self, text: str, cuts: Sequence[Cut]) -> None:
        """Add what the cuts of a paragraph say; notices that touch are one."""
        notices: list[list[int]] = []
        for cut in cuts:
            if cut.pattern.kind != "rights":
                self._take_byline(text, cut)
            elif notices and notices[-1][1] == cut.start:
                notices[-1][1] = cut.end
            else:
                notices.append([cut.start, cut.end])
        for start, end in notices:
            self.rights[text[start:end].strip()] = None

    def _take_byline(self, text: str, cut: Cut) -> None:
        """Add what a byline, dateline or sign-off names."""
        # What a caption names is the picture's: it counts where the text names nothing.
        is_of_picture = is_caption(text[cut.end :])
        for name in ("dateline", "agency"):
            if value := cut.fields.get(name):
                value = _AGENCY_NAMES.get(value.lower(), value)
                (self.of_pictures if is_of_picture else self.of_text).setdefault(name, value)
        if byline := cut.fields.get("byline"):
            (self.caption_bylines if is_of_picture else self.bylines)[byline] = None

    def row(self) -> tuple[str | None, str | None, str | None, str | None]:
        """Return byline, rights, dateline and agency as LIFTED has them."""
        bylines = self.bylines or self.caption_bylines
        named = self.of_pictures | self.of_text
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
) -> tuple[pa.Table, pa.Table]:
    """Return REMOVALS and LIFTED: the furniture of SPANS, by patterns, and the fields it names.

    Action `drop_paragraph` where nothing else is left of a paragraph, else `drop_span`. The
    paragraphs of a revision stand together, `seq` ascending, as SPANS is sorted.
    """
    rules, table = rules or FurnitureRules(), PatternTable(patterns)
    texts = spans.column("text").to_pylist()
    article_ids = id_array(spans.column("article_id")).tolist()
    revision_ids = id_array(spans.column("revision_id")).tolist()
    seqs, starts = spans.column("seq").to_pylist(), spans.column("start_char").to_pylist()
    removals: list[Removal] = []
    lifted: dict[bytes, _Fields] = {}
    for first, last in article_ranges(spans):
        for row in range(first, last):
            text = texts[row]
            cuts = find_cuts(text, row - first, last - first, rules, table)
            if not cuts:
                continue
            fields = lifted.setdefault(revision_ids[row], _Fields())
            fields.take(text, cuts)
            for action, reason, start, end, name in _actions(text, cuts):
                removals.append(
                    Removal(
                        article_id=article_ids[row],
                        revision_id=revision_ids[row],
                        action=action,
                        reason=reason,
                        paragraph_seq=seqs[row],
                        start_char=starts[row] + start,
                        end_char=starts[row] + end,
                        evidence=f"pattern {name}",
                    )
                )
    return removals_table(removals), _lifted_table(lifted)


def _actions(text: str, cuts: Sequence[Cut]) -> Iterator[tuple[str, str, int, int, str]]:
    """Yield action, reason, span and pattern names: one paragraph, or its spans."""
    if is_all_cut(text, cuts):
        kinds = {cut.pattern.kind for cut in cuts}
        kind = "rights" if "rights" in kinds else cuts[0].pattern.kind
        names = ", ".join(cut.pattern.name for cut in cuts)
        yield "drop_paragraph", f"furniture_{kind}", 0, len(text), names
        return
    for cut in cuts:
        yield "drop_span", f"furniture_{cut.pattern.kind}", cut.start, cut.end, cut.pattern.name


def _lifted_table(lifted: Mapping[bytes, _Fields]) -> pa.Table:
    """Return LIFTED."""
    rows = {revision: row for revision, fields in lifted.items() if any(row := fields.row())}
    names = ("byline", "rights", "dateline", "source_agency")
    columns: dict[str, list[bytes] | list[str | None]] = {"revision_id": list(rows)}
    columns |= {name: [row[at] for row in rows.values()] for at, name in enumerate(names)}
    return conform(pa.table(columns, schema=LIFTED.schema), LIFTED)
