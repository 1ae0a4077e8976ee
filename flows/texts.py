"""The stages that look at one article at a time: from documents to clean texts and their keys.

They run in this process, or on parts of a batch in workers: what they give is the same for any
division of a batch, but for the order of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.rule_set import Rules
from pipeline.contracts import conform
from pipeline.dedup.captions import find_captions
from pipeline.dedup.decide import clean_text
from pipeline.dedup.furniture import find_furniture
from pipeline.dedup.lines import find_lines, lines_column
from pipeline.dedup.passages import find_passages
from pipeline.dedup.repeats import find_repeats
from pipeline.dedup.signatures import sign
from pipeline.interim import ARTICLE_HASHES, HASHES, UNREAD
from pipeline.sources.parse import parse
from pipeline.text.paragraphs import split_paragraphs
from pipeline.text.titles import title_columns
from pipeline.text.utf8 import whole

Stage = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Makes a stage of a plain function: the function itself, or a recorded Prefect task."""


def direct(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function itself: the stage runs, nothing is recorded."""
    return function


@dataclass(frozen=True)
class Inspected:
    """What the texts of some documents hold, before anything is known of other articles."""

    parsed: pa.Table
    unread: pa.Table
    spans: pa.Table
    lines: pa.Table
    captions: pa.Table
    """REMOVALS."""
    repeats: pa.Table
    """REMOVALS."""
    lined: pa.Table
    """revision_id and what learning reads of KEYS, one row a revision."""

    def only(self, revisions: pa.Array) -> Inspected:
        """Return what is of these revisions."""
        tables = {
            f.name: table.filter(pc.is_in(table["revision_id"], revisions))
            for f in fields(self)
            if f.name != "unread" and (table := getattr(self, f.name)).num_rows
        }
        return replace(self, **tables)


@dataclass(frozen=True)
class CleanTexts:
    """What is left of the texts, and why."""

    clean: pa.Table
    paragraphs: pa.Table
    """CLEANED_PARAGRAPHS of every revision."""
    removals: pa.Table
    """REMOVALS that took effect."""
    keys: pa.Table
    """KEYS of current revisions."""

    def only(self, revisions: pa.Array | None, current: pa.Array) -> CleanTexts:
        """Return what is of these revisions (None: of all), with keys of those that are current."""
        clean, paragraphs, removals = self.clean, self.paragraphs, self.removals
        if revisions is not None:
            clean, paragraphs, removals = (
                table.filter(pc.is_in(table["revision_id"], revisions))
                for table in (clean, paragraphs, removals)
            )
        articles = current_rows(clean, current)["article_id"]
        is_own = pc.is_in(self.keys["article_id"], pc.unique(articles))
        keys = self.keys if pc.all(is_own).as_py() is not False else self.keys.filter(is_own)
        return CleanTexts(clean, paragraphs, removals, keys)


def inspect_documents(documents: pa.Table, rules: Rules, stage: Stage = direct) -> Inspected:
    """Read DOCUMENTS (or READ) and take their texts apart."""
    parsed, unread = stage(parse)(documents)
    return inspect_articles(parsed, unread, rules, stage)


def inspect_articles(
    parsed: pa.Table, unread: pa.Table, rules: Rules, stage: Stage = direct
) -> Inspected:
    """Take the texts of PARSED articles apart; UNREAD is handed on."""
    spans = stage(split_paragraphs)(parsed)
    lines = stage(find_lines)(spans, parsed)
    captions = stage(find_captions)(spans, rules.captions)
    repeats = stage(find_repeats)(spans, rules.repeats)
    lined = lined_articles(parsed, lines)
    return Inspected(parsed, unread, spans, lines, captions, repeats, lined)


def inspect_parsed(parsed: pa.Table, rules: Rules) -> Inspected:
    """Take PARSED articles apart."""
    return inspect_articles(parsed, UNREAD.schema.empty_table(), rules)


def clean_articles(
    inspected: Inspected,
    current: pa.Array,
    furniture: pa.Table,
    rules: Rules,
    stage: Stage = direct,
) -> CleanTexts:
    """Take out what repeats inside each text and what its source prints everywhere, and sign it.

    Args:
        inspected: the articles.
        current: revision_id of revisions that are current, of these articles and others.
        furniture: LEARNED or FURNITURE rows of the sources.
        rules: the rules of the run.
        stage: makes the stages.
    """
    spans = inspected.spans
    found, lifted = stage(find_furniture)(
        spans, rules.furniture, lines=inspected.lines, learned=furniture
    )
    clean, paragraphs, removals = stage(clean_text)(
        inspected.parsed, spans, inspected.repeats, found, lifted, captions=inspected.captions
    )
    signed, kept, lined = (
        current_rows(table, current) for table in (clean, paragraphs, inspected.lined)
    )
    passages = stage(find_passages)(kept, rules.passages)
    looked_up = article_hashes(lined, whole(lined["lines"]), passages)
    keys = stage(sign)(signed, rules.recipe, looked_up)
    clean, paragraphs = (table.drop_columns("key") for table in (clean, paragraphs))
    return CleanTexts(clean, paragraphs, removals, keys)


def current_rows(table: pa.Table, current: pa.Array) -> pa.Table:
    """Return the rows whose revision is among `current`; the table itself where all are."""
    is_current = pc.is_in(table["revision_id"], current)
    return table if pc.all(is_current).as_py() is not False else table.filter(is_current)


def lined_articles(parsed: pa.Table, lines: pa.Table) -> pa.Table:
    """Return what learning reads of KEYS, and revision_id, of PARSED articles and their LINES."""
    names = ("revision_id", "article_id", "source_id", "published_at")
    columns = {name: parsed[name] for name in names}
    columns["title_key"] = title_columns(parsed["title"])[0].cast(pa.string())
    columns["lines"] = lines_column(lines, parsed, "revision_id")
    return pa.table(columns)


def article_hashes(articles: pa.Table, lines: pa.Array, passages: pa.Table) -> pa.Table:
    """Return ARTICLE_HASHES of articles, from their lines, row by row, and what has passages."""
    places = pc.index_in(articles["article_id"], whole(passages["article_id"]))
    held = whole(passages["passages"]).take(whole(places))
    columns = {
        "article_id": articles["article_id"],
        "lines": lines,
        "passages": pc.coalesce(held, pa.scalar([], HASHES)),
    }
    return conform(pa.table(columns), ARTICLE_HASHES)
