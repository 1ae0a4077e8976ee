"""Cleaning ahead: workers clean a batch before it is known what its own articles teach.

What a source prints everywhere is learned from all articles up to a batch and with it, so batches
wait for each other here. But a batch seldom teaches what changes a text: workers clean with the
furniture known when the batch is read, and the few articles that hold a line which has changed
since are cleaned again. Articles of sources that nothing is known of yet are not cleaned ahead: a
third of them would be cleaned twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.rule_set import Rules
from flows.texts import CleanTexts, Inspected, clean_articles, inspect_documents, inspect_parsed
from pipeline.dedup.furniture import LEARNED_EVIDENCE, evidence_of
from pipeline.dedup.lines import EDGE
from pipeline.dedup.mapped import Words
from pipeline.interim import LEARNED


@dataclass(frozen=True)
class Prepared:
    """What a worker makes of a part of a batch before its turn comes."""

    inspected: Inspected
    cleaned: CleanTexts | None
    """The articles of sources known then; None where there are none, or only inspecting was asked.

    Its keys are of revisions that are the only ones of their articles in the part.
    """


@dataclass(frozen=True)
class Known:
    """The furniture in effect of some sources."""

    sources: pa.Array
    """Of type string, each once: of those without a row there is none."""
    furniture: pa.Table
    """LEARNED."""


def prepare_documents(documents: pa.Table, rules: Rules, known: Known) -> Prepared:
    """Read DOCUMENTS (or READ), take their texts apart and clean those of known sources.

    Args:
        documents: a part of a batch.
        rules: the rules of the run.
        known: the furniture of sources met so far.
    """
    inspected = inspect_documents(documents, rules)
    parsed = inspected.parsed
    revisions = parsed["revision_id"]
    is_known = pc.is_in(parsed["source_id"], known.sources)
    if not pc.any(is_known).as_py():
        return Prepared(inspected, None)
    if not pc.all(is_known).as_py():
        inspected_known = inspected.only(revisions.filter(is_known).combine_chunks())
    else:
        inspected_known = inspected
    single = pc.invert(pc.is_in(parsed["article_id"], repeated(parsed["article_id"])))
    current = revisions.filter(single).combine_chunks()
    return Prepared(inspected, clean_articles(inspected_known, current, known.furniture, rules))


def prepare_parsed(parsed: pa.Table, rules: Rules) -> Prepared:
    """Take PARSED articles apart."""
    return Prepared(inspect_parsed(parsed, rules), None)


def clean_part(
    prepared: Prepared,
    revisions: pa.Array | None,
    current: pa.Array,
    furniture: pa.Table,
    rules: Rules,
) -> CleanTexts:
    """Do `clean_articles` for some revisions of a part, or for all: what a worker is asked."""
    inspected = prepared.inspected
    own = inspected if revisions is None else inspected.only(revisions)
    return clean_articles(own, current, furniture, rules)


def repeated(ids: pa.ChunkedArray) -> pa.Array:
    """Return the ids that stand more than once."""
    counted = pc.value_counts(ids)
    values, counts = (counted.field(name) for name in ("values", "counts"))
    return values.filter(pc.greater(counts, 1))


class KnownFurniture:
    """The furniture in effect of the sources that a run has met.

    One thread renews it while another reads `now`: it is only ever replaced as a whole.
    """

    def __init__(self) -> None:
        """Begin with none: what is stored becomes known with the first batch of its source."""
        self.now = Known(pa.array([], pa.string()), LEARNED.schema.empty_table())

    def renew(self, sources: pa.ChunkedArray, furniture: pa.Table) -> None:
        """Take LEARNED rows as all that is in effect of these sources."""
        renewed = pc.unique(sources)
        rows = self.now.furniture
        others = rows.filter(pc.invert(pc.is_in(rows["source_id"], renewed)))
        met = pa.concat_arrays([self.now.sources, renewed]).unique()
        self.now = Known(met, pa.concat_tables([others, furniture]))


def outdated(parts: Sequence[Prepared], assumed: Known, furniture: pa.Table) -> pa.Array:
    """Return the revisions of prepared parts that are not cleaned, or whose cleaning does not hold.

    Args:
        parts: parts of a batch.
        assumed: with what they were cleaned.
        furniture: LEARNED rows of the batch's sources, as they are in effect now.
    """
    parsed = pa.concat_tables(
        [part.inspected.parsed.select(["article_id", "revision_id", "source_id"]) for part in parts]
    )
    sources = pc.unique(parsed["source_id"])
    before = assumed.furniture
    changed = _changed_lines(before.filter(pc.is_in(before["source_id"], sources)), furniture)
    held = [_holding(part.inspected.lines, changed) for part in parts] if changed.size else []
    # Keys go by articles: those of one revision must not take another's passages.
    is_again = pc.or_(
        pc.is_in(parsed["article_id"], repeated(parsed["article_id"])),
        pc.invert(pc.is_in(parsed["source_id"], assumed.sources)),
    )
    again = parsed["revision_id"].filter(is_again).combine_chunks()
    return pa.concat_arrays([again, *held]).unique()


def _changed_lines(before: pa.Table, after: pa.Table) -> Words:
    """Return the hashes of lines that are furniture in one table, and not for that reason in both.

    How often a line was printed changes with each batch, and only the evidence says it.
    """
    rows = [
        set(zip(*(table[name].to_pylist() for name in ("line_hash", "reason")), strict=True))
        for table in (before, after)
    ]
    return np.array(sorted({line for line, _ in rows[0] ^ rows[1]}), np.uint64)


def _holding(lines: pa.Table, hashes: Words) -> pa.Array:
    """Return the revisions that print one of these lines."""
    is_held = np.isin(lines["line_hash"].to_numpy() & ~EDGE, hashes)
    return lines["revision_id"].filter(pa.array(is_held)).combine_chunks()


def with_evidence(removals: pa.Table, lines: pa.Table, furniture: pa.Table) -> pa.Table:
    """Return REMOVALS of prepared texts with the evidence of learned lines as it is now.

    Args:
        removals: REMOVALS, made with furniture of the same lines.
        lines: LINES of the same revisions.
        furniture: LEARNED rows in effect.
    """
    is_learned = pc.starts_with(removals["evidence"], LEARNED_EVIDENCE)
    is_learned = pc.fill_null(is_learned, fill_value=False)
    if not pc.any(is_learned).as_py():
        return removals
    evidence = {row["line_hash"]: evidence_of(row) for row in furniture.to_pylist()}
    places = removals.select(["revision_id", "paragraph_seq"]).filter(is_learned)
    own = lines.filter(pc.is_in(lines["revision_id"], pc.unique(places["revision_id"])))
    hashes = (own["line_hash"].to_numpy() & ~EDGE).tolist()
    printed = zip(own["revision_id"].to_pylist(), own["seq"].to_pylist(), strict=True)
    line_at = dict(zip(printed, hashes, strict=True))
    at = zip(*(places[name].to_pylist() for name in places.column_names), strict=True)
    renewed = pa.array([evidence[line_at[place]] for place in at], pa.string())
    place = removals.column_names.index("evidence")
    said, mask = (column.combine_chunks() for column in (removals["evidence"], is_learned))
    whole = pc.replace_with_mask(said, mask, renewed)
    return removals.set_column(place, removals.schema.field(place), whole)
