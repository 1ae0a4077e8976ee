"""What a rebuild changed: its counts and examples, as lines of text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.report.run_report import REASONS
from pipeline.report.tables import Column, text_table
from pipeline.report.terminal import PIPED_WIDTH, cut, printable, width_of

HEADINGS = {
    "merged": "Stories that became one",
    "split": "Stories that came apart",
    "articles_back": "Articles that stand again",
    "articles_dropped": "Articles dropped now",
    "paragraphs_back": "Paragraphs that are back",
    "paragraphs_dropped": "Paragraphs dropped now",
}
"""Kinds of examples, in the order in which they are shown."""


@dataclass(frozen=True)
class ParameterChange:
    """A parameter that a rebuild changes: the values before and after, as `--set` takes them."""

    name: str
    before: str
    after: str


@dataclass
class RebuildSummary:
    """What one rebuild did, or with `is_dry_run` would do."""

    run_id: str
    started_at: datetime
    is_dry_run: bool = False
    elapsed_seconds: float = 0.0
    snapshot_id: int = 0
    parameters: list[ParameterChange] = field(default_factory=list)
    n_documents: int = 0
    n_batches: int = 0
    n_pending: int = 0
    """Documents of an interrupted run that a dry run leaves aside."""
    n_articles_before: int = 0
    n_articles: int = 0
    n_stories_before: int = 0
    n_stories: int = 0
    n_merged: int = 0
    """Story ids that lead to another story now."""
    n_split: int = 0
    """Stories whose members stand in several now."""
    articles_back: Counter[str] = field(default_factory=Counter)
    articles_dropped: Counter[str] = field(default_factory=Counter)
    paragraphs_back: Counter[str] = field(default_factory=Counter)
    paragraphs_dropped: Counter[str] = field(default_factory=Counter)
    n_taken: int = 0
    """Documents that leave the quarantine."""
    n_refused: int = 0
    """Documents that go to quarantine now."""
    rows: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Rows added and removed, by table that has any."""
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Some of what changed, by a key of HEADINGS; each has a `title`."""

    @property
    def is_unchanged(self) -> bool:
        """Whether every table stands as it did."""
        return not self.rows

    def headline(self) -> str:
        """Return the one sentence that says what the rebuild did."""
        held = f"{self.n_articles:,} articles in {self.n_stories:,} stories"
        if self.is_unchanged:
            would = "would change" if self.is_dry_run else "changed"
            return f"Nothing {would}: {held} stand as they did."
        parts = [
            _number(self.n_merged, "story id merged", "story ids merged"),
            _number(self.n_split, "story split", "stories split"),
            _number(self.articles_back.total(), "article back", "articles back"),
            _number(self.articles_dropped.total(), "article dropped", "articles dropped"),
            _number(self.paragraphs_back.total(), "paragraph back", "paragraphs back"),
            _number(self.paragraphs_dropped.total(), "paragraph dropped", "paragraphs dropped"),
        ]
        what = ", ".join(filter(None, parts)) or "Nothing but evidence changed"
        return f"{'It would be: ' if self.is_dry_run else ''}{what}; {held} now."

    def counts(self) -> dict[str, int]:
        """Return the counts that the run ledger keeps."""
        return {
            "n_read": self.n_documents,
            "n_stories": self.n_stories,
            "n_merged_stories": self.n_merged,
            "n_split_stories": self.n_split,
            "n_articles_back": self.articles_back.total(),
            "n_articles_dropped": self.articles_dropped.total(),
            "n_paragraphs_back": self.paragraphs_back.total(),
            "n_paragraphs_dropped": self.paragraphs_dropped.total(),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the summary as a JSON-ready mapping (times in ISO 8601, UTC)."""
        values = dict(vars(self))
        values["started_at"] = self.started_at.isoformat() + "Z"
        values["parameters"] = [vars(change) for change in self.parameters]
        for name, value in values.items():
            if isinstance(value, Counter):
                values[name] = dict(sorted(value.items()))
        values["rows"] = {
            name: {"added": added, "removed": removed}
            for name, (added, removed) in sorted(self.rows.items())
        }
        values["is_unchanged"] = self.is_unchanged
        values["headline"] = self.headline()
        return values


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}" if count else ""


def rebuild_report(summary: RebuildSummary, call: str, width: int | None) -> Iterator[str]:
    """Yield the lines of the report.

    Args:
        summary: what was counted.
        call: how to call unecho for this warehouse.
        width: cells of the terminal; None is none.
    """
    yield from _filled(summary.headline(), width)
    yield from _parameters(summary, width)
    yield from _totals(summary, width)
    yield from _by_reason(summary, width)
    for kind, heading in HEADINGS.items():
        yield from _examples(heading, summary.examples.get(kind, ()), width)
    yield ""
    read = f"{summary.n_documents:,} documents of the archive were derived again"
    yield from _filled(f"{read} in {summary.elapsed_seconds:.1f} s.", width)
    if summary.n_pending:
        waiting = f"{summary.n_pending:,} documents of an interrupted run wait and are not counted."
        yield from _filled(waiting, width)
    if summary.is_dry_run:
        sets = "".join(f" --set {p.name}={p.after}" for p in summary.parameters)
        yield "Nothing was written. To do it:"
        yield f"  {call} rebuild{sets}"


def _filled(text: str, width: int | None) -> Iterator[str]:
    from pipeline.report.terminal import wrap

    yield from wrap(text, width) if width else [text]


def _parameters(summary: RebuildSummary, width: int | None) -> Iterator[str]:
    if summary.parameters:
        columns = [Column("parameter", is_whole=True), Column("before"), Column("now")]
        rows = [(p.name, p.before or "none", p.after or "none") for p in summary.parameters]
        yield ""
        yield from text_table(columns, rows, width)


def _totals(summary: RebuildSummary, width: int | None) -> Iterator[str]:
    if summary.is_unchanged:
        return
    rows = [
        ("articles", summary.n_articles_before, summary.n_articles),
        ("stories", summary.n_stories_before, summary.n_stories),
    ]
    columns = [Column(""), Column("before", True), Column("now", True)]
    yield ""
    yield from text_table(columns, rows, width)
    if summary.n_taken or summary.n_refused:
        moved = f"{summary.n_taken:,} left the quarantine, {summary.n_refused:,} went there"
        yield from _filled(f"Documents: {moved}.", width)


def _by_reason(summary: RebuildSummary, width: int | None) -> Iterator[str]:
    pairs = {
        "articles": (summary.articles_back, summary.articles_dropped),
        "paragraphs": (summary.paragraphs_back, summary.paragraphs_dropped),
    }
    rows = [
        (what, reason, back[reason] or "", dropped[reason] or "", REASONS.get(reason, ""))
        for what, (back, dropped) in pairs.items()
        for reason in sorted({*back, *dropped}, key=lambda r: (-back[r] - dropped[r], r))
    ]
    if rows:
        columns = [Column("what"), Column("because"), Column("back", True)]
        columns += [Column("dropped now", True), Column("in words")]
        yield ""
        yield from text_table(columns, rows, width)


def _examples(
    heading: str, examples: list[dict[str, Any]] | tuple[()], width: int | None
) -> Iterator[str]:
    if not examples:
        return
    yield ""
    yield f"{heading}, for example:"
    for example in examples:
        note = _note(example)
        room = (width or PIPED_WIDTH) - 4
        title = cut(printable(example["title"]), max(20, room - width_of(note)))
        yield cut(f"  {title}  {note}", width or PIPED_WIDTH)


def _note(example: Mapping[str, Any]) -> str:
    """Return what stands behind the title of an example."""
    if "n_stories" in example:
        return f"{example['n_stories']} stories, {example['n_members']} articles"
    return f"{example['reason']}, {str(example['article_id'])[:8]}"
