"""The revisions of an explained article: class, rule in words, and what became of paragraphs.

Exchanged words stand in one line, [-as they were-]{+as they are+}; in colour without the marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.report.explain import Explained, Row, differences
from pipeline.report.terminal import cut, printable

SHOWN_REVISIONS, SHOWN_CHANGES = 10, 8
SHOWN_CHARS = 160
"""Of a paragraph that came or went: it is there to be recognised, not read."""
CONTEXT_CHARS = 24
"""Shown of unchanged text on each side of an exchanged passage."""

_GONE, _NEW, _LABEL, _SOFT = "red strike", "green", "cyan", "dim"
_LABEL_WIDTH = 6

_RULES = {
    "keys_equal": "words and numbers are the same",
    "notation": "a number is written in another way",
    "slips": "slips of the hand",
    "correction_mark": "the newsroom says so",
    "number_exchanged": "a number was exchanged",
    "date_exchanged": "a date was exchanged",
    "name_exchanged": "a name was exchanged",
    "word_exchanged": "words were exchanged",
    "flash_filled_in": "a flash was filled in",
    "newsroom_mark": "marked as a later version",
    "figures_moved": "figures moved on",
    "headline": "another headline",
    "paragraphs_moved": "paragraphs moved",
    "reworded": "many words changed",
    "replaced": "most of the text is another",
    "sentences_added": "sentences were added",
    "sentences_removed": "sentences were taken out",
}


def revision_lines(explained: Explained, width: int, *, has_colour: bool) -> Iterator[str]:
    """Yield the revisions, the newest first, each with what it changed of the one before."""
    revisions = explained.revisions
    if len(revisions) < 2:
        return
    yield f"{len(revisions)} revisions, the newest first; ▸ is the current one"
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=_LABEL_WIDTH, justify="right")
    table.add_column(width=width - _LABEL_WIDTH - 2, overflow="fold")
    for number, revision in enumerate(revisions[:SHOWN_REVISIONS]):
        for label, line in _revision(revision, len(revisions) - number, has_colour):
            table.add_row(label, line)
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(table)
    yield from (line.rstrip() for line in captured.get().splitlines())
    if len(revisions) > SHOWN_REVISIONS:
        yield f"  … and {len(revisions) - SHOWN_REVISIONS} earlier ones"
    yield ""


def _revision(revision: Row, place: int, has_colour: bool) -> Iterator[tuple[Text, Text]]:
    """Yield the lines of one revision, each with the label that stands left of it."""
    moment = revision["updated_at"] or revision["published_at"]
    line = Text(f"{moment:%Y-%m-%d %H:%M}" if moment else "undated")
    if revision.get("revision_class"):
        line.append(f"  {revision['revision_class']}", style="bold")
        line.append(f": {what_changed(revision)}")
    else:
        line.append("  the first" if place == 1 else "  not compared yet", style=_SOFT)
    yield Text(f"{'▸ ' if revision['is_current'] else ''}{place}"), line
    evidence = revision.get("evidence") or {}
    if evidence.get("previous_title"):
        title = _exchange(evidence["previous_title"], revision["title"] or "", has_colour)
        yield Text("title", style=_LABEL), title
    changes = revision.get("diff") or []
    for change in changes[:SHOWN_CHANGES]:
        yield _change(change, has_colour)
    if len(changes) > SHOWN_CHANGES:
        yield Text("…"), Text(f"and {len(changes) - SHOWN_CHANGES} more paragraphs")


def what_changed(revision: Row) -> str:
    """Return the rule that gave the class, in words, and what else changed."""
    evidence: dict[str, Any] = revision.get("evidence") or {}
    rule = str(evidence.get("rule", ""))
    said = _RULES.get(rule, rule.replace("_", " "))
    if evidence.get("correction_mark"):
        said += f" (“{cut(evidence['correction_mark'], 40)}”)"
    counts = [
        f"{revision[f'n_{what}']} {what}"
        for what in ("added", "removed", "changed")
        if revision[f"n_{what}"]
    ]
    parts = [said]
    if counts:
        parts.append(f"paragraphs: {', '.join(counts)}")
    fields = [f for f in evidence.get("fields", []) if f != "updated_at"]
    if fields:
        parts.append(f"fields: {', '.join(fields)}")
    return printable("; ".join(parts))


def _change(change: Row, has_colour: bool) -> tuple[Text, Text]:
    """Return one line of a diff with its label: a sign and the paragraph's number."""
    op, text = change["op"], change.get("text", "")
    sign = {"changed": "~", "moved": ">", "added": "+", "removed": "-"}[op]
    seq = change["previous_seq" if op == "removed" else "seq"] + 1
    if op == "changed":
        shown = _exchange(change["previous_text"], text, has_colour)
    elif op == "moved":
        moved = f"was {change['previous_seq'] + 1}: {cut(printable(text), SHOWN_CHARS // 2)}"
        shown = Text(moved)
    else:
        came, style = (text, _NEW) if op == "added" else (change["previous_text"], _GONE)
        shown = Text(cut(printable(came), SHOWN_CHARS), style=style if has_colour else "")
    return Text(f"{sign}{seq}", style=_LABEL), shown


def _exchange(previous: str, present: str, has_colour: bool) -> Text:
    """Return the present text with what was exchanged, and of the rest what stands beside it."""
    line = Text()
    old_spans, new_spans = differences(previous, present)
    pieces = _pieces(previous, present, old_spans, new_spans)
    for number, (kept, gone, new) in enumerate(pieces):
        line.append(_context(kept, is_first=number == 0, is_last=number == len(pieces) - 1))
        if gone:
            line.append(printable(gone) if has_colour else f"[-{printable(gone)}-]", style=_GONE)
        if new:
            line.append(printable(new) if has_colour else f"{{+{printable(new)}+}}", style=_NEW)
    return line


def _pieces(
    previous: str,
    present: str,
    old_spans: Sequence[tuple[int, int]],
    new_spans: Sequence[tuple[int, int]],
) -> list[tuple[str, str, str]]:
    """Return the text as (kept, gone, new) pieces; the last has kept text alone."""
    pieces: list[tuple[str, str, str]] = []
    old_at = new_at = 0
    old, new = list(old_spans), list(new_spans)
    while old or new:
        # What is kept is equal on both sides: the nearer change comes first.
        gap_old = old[0][0] - old_at if old else len(previous)
        gap_new = new[0][0] - new_at if new else len(present)
        gap = min(gap_old, gap_new)
        kept = present[new_at : new_at + gap]
        old_at, new_at = old_at + gap, new_at + gap
        gone = added = ""
        if old and old[0][0] == old_at:
            start, old_at = old.pop(0)
            gone = previous[start:old_at]
        if new and new[0][0] == new_at:
            start, new_at = new.pop(0)
            added = present[start:new_at]
        pieces.append((kept, gone, added))
    return [*pieces, (present[new_at:], "", "")]


def _context(kept: str, *, is_first: bool, is_last: bool) -> str:
    """Return of unchanged text what stands beside a change."""
    if is_first and is_last:
        return cut(printable(kept), SHOWN_CHARS)
    head = "" if is_first else kept[:CONTEXT_CHARS]
    tail = "" if is_last else kept[-CONTEXT_CHARS:]
    if len(kept) <= len(head) + len(tail) + 1:
        return printable(kept)
    return printable(f"{head}…{tail}")
