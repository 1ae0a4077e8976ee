"""What is left of an article: removals take effect, the clean text is put together.

Furniture goes before photo credits, these before repeats, and exact repeats before near ones. An
article is never emptied: where nothing would be left, nothing goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import PARAGRAPHS, Contract, conform, contract
from pipeline.dedup.removals import article_ranges, id_array
from pipeline.interim import CLEAN, REMOVALS, SPANS
from pipeline.text.normalise import key_hash
from pipeline.text.paragraphs import join_keys, keys_of

CLEANED_PARAGRAPHS: Contract = contract(
    "cleaned_paragraphs",
    "Paragraphs of parsed revisions, kept or dropped.",
    ("article_id", "revision_id", "seq"),
    *PARAGRAPHS.schema,
    SPANS.schema.field("revision_id"),
)

_PRECEDENCE = (
    "furniture_rights",
    "furniture_byline",
    "furniture_source",
    "furniture_caption",
    "repeat_block",
    "repeat_blob",
    "repeat_single",
    "repeat_near",
)
_RANK = {reason: rank for rank, reason in enumerate(_PRECEDENCE)}
_GIVEN_UP = "kept: nothing else would be left of the article"
_WORD = re.compile(r"\w")


@dataclass(frozen=True)
class _Removals:
    """The columns of REMOVALS that decide, as lists, and the rows of each revision."""

    table: pa.Table
    actions: list[str]
    reasons: list[str]
    seqs: list[int]
    starts: list[int]
    ends: list[int]
    rows_of: dict[bytes, list[int]]


@dataclass(frozen=True)
class _Outcome:
    """What is left of one revision; rows are those of the removals."""

    texts: Sequence[str]
    keys: Sequence[str | None]
    """Key of each text; None where a span was cut and the paragraph's key no longer holds."""
    dropped: Mapping[int, str] = field(default_factory=dict)
    """Reason by index of the paragraph."""
    in_effect: Sequence[int] = ()
    """Rows that took effect, and notes on what stays."""
    given_up: Sequence[int] = ()
    """Rows that would have emptied the article."""
    is_given_up: bool = False
    """Whether all of them were: what they name is not lifted out of the text."""


def clean_text(
    parsed: pa.Table,
    spans: pa.Table,
    repeats: pa.Table,
    furniture: pa.Table,
    lifted: pa.Table,
    captions: pa.Table | None = None,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return CLEAN, CLEANED_PARAGRAPHS and the REMOVALS that took effect.

    PARSED and SPANS are of the same revisions; REMOVALS of repeats, of furniture and of captions
    and LIFTED were made from these SPANS. Kept paragraphs are joined by a blank line, in order; a
    paragraph that loses a span stays, without the span.
    """
    captions = REMOVALS.schema.empty_table() if captions is None else captions
    removals = _read(pa.concat_tables([furniture, captions, repeats]))
    revision_ids = id_array(spans.column("revision_id")).tolist()
    texts, keys = spans.column("text").to_pylist(), spans.column("key").to_pylist()
    starts = spans.column("start_char").to_pylist()
    reasons: list[str | None] = [None] * len(texts)
    outcomes: dict[bytes, _Outcome] = {}
    for first, last in article_ranges(spans):
        part = slice(first, last)
        outcome = _Outcome(texts[part], keys[part])
        if rows := removals.rows_of.get(revision_ids[first]):
            outcome = _decide(outcome, starts[part], rows, removals)
        outcomes[revision_ids[first]] = outcome
        for index, reason in outcome.dropped.items():
            reasons[first + index] = reason
    return (
        _clean(parsed, outcomes, lifted),
        _paragraphs(spans, keys, reasons),
        _in_effect(removals.table, outcomes.values()),
    )


def _read(table: pa.Table) -> _Removals:
    """Return the removals by revision."""
    rows_of: dict[bytes, list[int]] = {}
    for row, revision in enumerate(id_array(table.column("revision_id")).tolist()):
        rows_of.setdefault(revision, []).append(row)
    names = ("action", "reason", "paragraph_seq", "start_char", "end_char")
    actions, reasons, seqs, starts, ends = (table.column(name).to_pylist() for name in names)
    return _Removals(table, actions, reasons, seqs, starts, ends, rows_of)


def _decide(
    whole: _Outcome, starts: Sequence[int], rows: Sequence[int], removals: _Removals
) -> _Outcome:
    """Return what the removals of one revision leave of it.

    Where nothing would be left, the credits stay; where that is not enough, everything does.
    """
    outcome = _left(whole, starts, rows, removals)
    if outcome is not None:
        return outcome
    credits = [r for r in rows if removals.reasons[r] == "furniture_caption"]
    others = [r for r in rows if removals.reasons[r] != "furniture_caption"]
    outcome = _left(whole, starts, others, removals) if credits and others else None
    if outcome is None:
        return replace(whole, given_up=sorted(rows), is_given_up=True)
    return replace(outcome, given_up=credits)


def _left(
    whole: _Outcome, starts: Sequence[int], rows: Sequence[int], removals: _Removals
) -> _Outcome | None:
    """Return what these removals leave, or None where no word would be left."""
    drops: dict[int, int] = {}
    cuts: dict[int, list[int]] = {}
    for row in sorted(rows, key=lambda r: _RANK[removals.reasons[r]]):
        index = removals.seqs[row]
        if removals.actions[row] == "drop_paragraph":
            drops.setdefault(index, row)
        elif removals.actions[row] == "drop_span" and not _is_inside(row, cuts, removals):
            cuts.setdefault(index, []).append(row)
    texts: list[str] = []
    keys: list[str | None] = []
    dropped = {index: removals.reasons[row] for index, row in drops.items()}
    for index, text in enumerate(whole.texts):
        if index in drops:
            continue
        left = _without(text, starts[index], cuts.get(index, ()), removals)
        if left:
            texts.append(left)
            keys.append(None if index in cuts else whole.keys[index])
        else:
            dropped[index] = removals.reasons[cuts[index][0]]
    if not any(map(_WORD.search, texts)):
        return None
    in_effect = set(drops.values())
    for index in cuts.keys() - drops.keys():
        in_effect.update(cuts[index])
    in_effect.update(
        row
        for row in rows
        if removals.actions[row] == "keep_paragraph" and removals.seqs[row] not in dropped
    )
    return _Outcome(texts, keys, dropped, sorted(in_effect))


def _is_inside(row: int, cuts: Mapping[int, Sequence[int]], removals: _Removals) -> bool:
    """Return whether a span lies within one that goes already."""
    return any(
        removals.starts[other] <= removals.starts[row]
        and removals.ends[row] <= removals.ends[other]
        for other in cuts.get(removals.seqs[row], ())
    )


def _without(text: str, start: int, cuts: Sequence[int], removals: _Removals) -> str:
    """Return a paragraph that starts at `start` without the spans that these rows cut.

    One space takes the place of a span that had white space beside it.
    """
    left, at = "", 0
    for begin, end in sorted(
        (removals.starts[row] - start, removals.ends[row] - start) for row in cuts
    ):
        piece = text[at : max(at, begin)]
        left = _joined(left, piece)
        at = max(at, end)
        if left and text[at - 1 : at].isspace():
            left += " "
    return _joined(left, text[at:]).strip()


def _joined(left: str, right: str) -> str:
    """Return two pieces with at most one space between them."""
    if left and (left[-1].isspace() or right[:1].isspace()):
        return f"{left.rstrip()} {right.lstrip()}"
    return left + right


def _clean(parsed: pa.Table, outcomes: Mapping[bytes, _Outcome], lifted: pa.Table) -> pa.Table:
    """Return CLEAN: PARSED with the clean text and the fields lifted out of it."""
    revision_ids = id_array(parsed.column("revision_id")).tolist()
    nothing = _Outcome((), ())
    left = [outcomes.get(revision, nothing) for revision in revision_ids]
    texts = ["\n\n".join(outcome.texts) for outcome in left]
    fields = {row["revision_id"]: row for row in lifted.to_pylist()}
    taken = [
        {} if outcome.is_given_up else fields.get(revision, {})
        for revision, outcome in zip(revision_ids, left, strict=True)
    ]
    columns = {name: parsed.column(name) for name in parsed.column_names}
    for name in ("byline", "rights", "dateline", "source_agency"):
        columns[name] = pa.array([row.get(name) for row in taken], pa.string())
    columns["byline"] = pc.coalesce(parsed.column("byline"), columns["byline"])
    columns["text"] = pa.array(texts, pa.large_string())
    columns["key_hash"] = pa.array([key_hash(key) for key in _joined_keys(left)], pa.binary(16))
    columns["n_chars"] = pa.array(map(len, texts), pa.int32(), size=len(texts))
    columns["n_paragraphs"] = pa.array([len(o.texts) for o in left], pa.int32())
    columns["n_dropped_paragraphs"] = pa.array([len(o.dropped) for o in left], pa.int32())
    return conform(pa.table({name: columns[name] for name in CLEAN.schema.names}), CLEAN)


def _joined_keys(outcomes: Sequence[_Outcome]) -> list[str]:
    """Return the key of each clean text; only paragraphs that lost a span are folded again."""
    cut = (
        text
        for outcome in outcomes
        for text, key in zip(outcome.texts, outcome.keys, strict=True)
        if key is None
    )
    fresh = iter(keys_of(list(cut)))
    return [
        join_keys(next(fresh) if key is None else key for key in outcome.keys)
        for outcome in outcomes
    ]


def _paragraphs(spans: pa.Table, keys: Sequence[str], reasons: Sequence[str | None]) -> pa.Table:
    """Return CLEANED_PARAGRAPHS: SPANS with what became of each paragraph."""
    columns = {name: spans.column(name) for name in ("article_id", "revision_id", "seq", "text")}
    columns |= {name: spans.column(name) for name in ("start_char", "end_char")}
    columns["n_chars"] = pc.subtract(spans.column("end_char"), spans.column("start_char"))
    columns["key_hash"] = pa.array([key_hash(key) for key in keys], pa.binary(16))
    columns["reason"] = pa.array(reasons, pa.string())
    columns["status"] = pc.if_else(pc.is_null(columns["reason"]), "kept", "dropped")
    return conform(pa.table(columns), CLEANED_PARAGRAPHS)


def _in_effect(table: pa.Table, outcomes: Iterable[_Outcome]) -> pa.Table:
    """Return the removals that took effect, and those given up as `keep_paragraph`."""
    rows: list[int] = []
    given_up: list[int] = []
    for outcome in outcomes:
        rows += outcome.in_effect
        given_up += outcome.given_up
    kept = table.take(pa.array(given_up, pa.int64()))
    evidence = pc.binary_join_element_wise(kept.column("evidence"), _GIVEN_UP, "; ")
    kept = kept.set_column(
        kept.schema.get_field_index("action"),
        REMOVALS.schema.field("action"),
        pa.array(["keep_paragraph"] * len(given_up), pa.string()),
    ).set_column(
        kept.schema.get_field_index("evidence"), REMOVALS.schema.field("evidence"), evidence
    )
    return conform(pa.concat_tables([table.take(pa.array(rows, pa.int64())), kept]), REMOVALS)
