"""An explained article on a terminal: the article left, beside it what its passages repeat.

Colour where the terminal has it; marks everywhere else: angle quotes around what was dropped,
double ones around words that differ.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.report.explain import Explained, Row, differences
from pipeline.report.explain_pairs import pair_lines
from pipeline.report.explain_revisions import revision_lines
from pipeline.report.tables import Column, text_table
from pipeline.report.terminal import cut, printable, terminal_width, wrap

SHOWN_MEMBERS = 20
PIPED_WIDTH = 80
"""Two columns of more are no easier to read in a mail or a file."""

SHOWN_EQUAL_CHARS, SHOWN_MATCH_CHARS = 100, 600
"""Of a passage on the right at the most, where it is equal and where it differs: it is there to
be recognised, not read."""

DROPPED_MARKS, DIFFERS_MARKS = "\u2039\u203a", "\u00ab\u00bb"
_DROPPED, _DIFFERS, _SOFT, _LABEL = "red strike", "bold yellow", "dim", "cyan"


def print_explained(explained: Explained, call: str) -> None:
    """Print the article, its story and the evidence to stdout."""
    width = terminal_width() or PIPED_WIDTH
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    has_colour = console.color_system is not None
    with console.capture() as captured:
        for line in _heading(explained):
            console.print(line)
        console.print(Text("─" * width, style=_SOFT))
        console.print(_passages(explained, has_colour, width))
        console.print(Text("─" * width, style=_SOFT))
    for shown in captured.get().splitlines():
        sys.stdout.write(shown.rstrip() + "\n")
    for part in (
        _story(explained, width),
        pair_lines(explained, width),
        revision_lines(explained, width, has_colour=has_colour),
        _further(explained, call, width),
    ):
        for shown in part:
            sys.stdout.write(shown + "\n")


def _heading(explained: Explained) -> Iterator[Text]:
    article = explained.article
    yield Text(printable(article["title"] or "(no title)"), style="bold")
    known = [
        article["source_id"],
        _time(article["published_at"]),
        article["language"],
        article["byline"],
    ]
    yield Text(" · ".join(printable(str(k)) for k in known if k), style=_SOFT)
    if article["url"]:
        yield Text(printable(article["url"]), style=_SOFT)
    yield Text(f"article {article['article_id']}", style=_SOFT)
    yield Text("")
    yield Text(verdict(explained))
    yield Text(removed(explained))


def verdict(explained: Explained) -> str:
    """Return the sentence that says how the article stands."""
    article = explained.article
    n_others = len(explained.members) - 1
    match = explained.match
    other = f"“{_short(match['title'])}” ({match['source_id']})" if match else "another article"
    numbers = f"Jaccard {_ratio(article['jaccard'])}, containment {_ratio(article['containment'])}"
    sentences = {
        "single": "Kept: it stands in articles; no other article tells this story.",
        "canonical": f"Kept: it stands in articles for a story of {n_others + 1} articles.",
        "duplicate": f"Dropped: {article['relation']} copy of {other}; {numbers}.",
        "update": f"Dropped: an earlier state of {other}; {numbers}.",
        "contained": f"Kept, and its text stands inside {other}; {numbers}.",
    }
    return sentences.get(article["role"], "Its story is not derived yet.")


def removed(explained: Explained) -> str:
    """Return the sentence that says which paragraphs were dropped."""
    reasons = Counter(p["reason"] for p in explained.paragraphs if p["status"] == "dropped")
    if not reasons:
        return f"All {len(explained.paragraphs)} paragraphs kept."
    listed = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
    return f"{reasons.total()} of {len(explained.paragraphs)} paragraphs dropped: {listed}."


def _passages(explained: Explained, has_colour: bool, width: int) -> Table:
    """Return two columns: the paragraphs, and beside each what it repeats and why it went."""
    number_width = len(str(len(explained.paragraphs))) + 1
    rest = width - number_width - 4
    left_width = rest - rest * 9 // 20
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=number_width, justify="right", style=_SOFT)
    table.add_column(width=left_width, overflow="fold")
    table.add_column(width=rest - left_width, overflow="fold")
    heads = ("The article as it came", "What it repeats, and why it was dropped")
    table.add_row("", *(Text(head, style=_SOFT) for head in heads))
    for paragraph in explained.paragraphs:
        mark = "-" if paragraph["status"] == "dropped" else ""
        left = _left(paragraph, has_colour)
        right = _right(explained, paragraph, has_colour)
        table.add_row(f"{mark}{paragraph['seq'] + 1}", left, right)
    return table


def _left(paragraph: Row, has_colour: bool) -> Text:
    text = paragraph["text"]
    if paragraph["status"] == "dropped":
        return _marked(text, [(0, len(text))], _DROPPED, DROPPED_MARKS, has_colour)
    cut_out = sorted(
        (d["start_char"] - paragraph["start_char"], d["end_char"] - paragraph["start_char"])
        for d in paragraph["decisions"]
        if d["action"] == "drop_span"
    )
    if cut_out:
        return _marked(text, cut_out, _DROPPED, DROPPED_MARKS, has_colour)
    counterpart = paragraph["counterpart"]
    if counterpart is None:
        return Text(printable(text))
    spans, _ = differences(text, counterpart["text"])
    return _marked(text, spans, _DIFFERS, DIFFERS_MARKS, has_colour)


def _right(explained: Explained, paragraph: Row, has_colour: bool) -> Text:
    """Return why the paragraph was dropped and the passage that it repeats or is told again in."""
    match, counterpart = paragraph["match"], paragraph["counterpart"]
    parts: list[Text] = []
    for decision in paragraph["decisions"]:
        where = ""
        if match is not None and decision is paragraph["decisions"][0]:
            is_own = match["article_id"] == explained.article["article_id"]
            where = f", repeats {match['seq'] + 1}"
            where += "" if is_own else f" of {match['article_id']}"
        kept = "kept, " if decision["action"] == "keep_paragraph" else ""
        label = f"{kept}{decision['reason']}{where}: {_evidence(decision)}"
        parts.append(Text(label, style=_LABEL))
    if match is not None:
        parts.append(_excerpt(paragraph["text"], match["text"], has_colour))
    elif counterpart is not None:
        sign = "=" if counterpart["jaccard"] >= 1 else "≈"
        place = f"{sign} {counterpart['seq'] + 1} of the match, J {_ratio(counterpart['jaccard'])}"
        parts.append(Text(place, style=_LABEL))
        if counterpart["jaccard"] < 1:
            parts.append(_excerpt(paragraph["text"], counterpart["text"], has_colour))
    return Text("\n").join(parts)


def _excerpt(own: str, other: str, has_colour: bool) -> Text:
    """Return the beginning of the other passage, with what this one does not say marked."""
    shown = other[: SHOWN_EQUAL_CHARS if own == other else SHOWN_MATCH_CHARS]
    spans = [(a, min(b, len(shown))) for a, b in differences(own, other)[1] if a < len(shown)]
    marked = _marked(shown, spans, _DIFFERS, DIFFERS_MARKS, has_colour)
    return marked.append("…") if len(shown) < len(other) else marked


def _marked(
    text: str, spans: list[tuple[int, int]], style: str, marks: str, has_colour: bool
) -> Text:
    """Return the text with the spans coloured, or between the two marks without colour."""
    result, at = Text(), 0
    for start, end in spans:
        result.append(printable(text[at:start]))
        passage = printable(text[start:end])
        result.append(passage if has_colour else f"{marks[0]}{passage}{marks[1]}", style=style)
        at = end
    return result.append(printable(text[at:]))


def _evidence(decision: Row) -> str:
    """Return what a decision rests on, in one line."""
    words = []
    if decision["jaccard"] is not None:
        words.append(f"J {_ratio(decision['jaccard'])}")
    if decision["containment"] is not None:
        other = decision["matched_containment"]
        words.append(f"C {_ratio(decision['containment'])}/{_ratio(other)}")
    if decision["is_numbers_equal"] is not None:
        words.append("numbers agree" if decision["is_numbers_equal"] else "numbers differ")
    if decision["evidence"]:
        words.append(printable(str(decision["evidence"])))
    return ", ".join(words)


def _story(explained: Explained, width: int) -> Iterator[str]:
    story = explained.story
    if story is None or len(explained.members) < 2:
        return
    spread = story["spread_seconds"]
    hours = f", {spread / 3600:.1f} hours from first to last" if spread else ""
    told = f"A story of {story['n_members']} articles from {story['n_sources']} sources{hours}"
    yield from wrap(told, width)
    yield f"story {story['story_id']}"
    columns = [
        Column("kept as", is_whole=True),
        Column("source"),
        Column("published (UTC)", is_whole=True),
        Column("J", is_number=True),
        Column("C", is_number=True),
        Column("title"),
    ]
    rows = [
        (
            ("▸ " if m["article_id"] == explained.article["article_id"] else "  ")
            + (m["relation"] or m["role"]),
            m["source_id"],
            _time(m["published_at"]),
            _ratio(m["jaccard"]),
            _ratio(m["containment"]),
            _short(m["title"]),
        )
        for m in explained.members[:SHOWN_MEMBERS]
    ]
    yield from text_table(columns, rows, width)
    if len(explained.members) > SHOWN_MEMBERS:
        yield f"  … and {len(explained.members) - SHOWN_MEMBERS} more"
    yield ""


def _further(explained: Explained, call: str, width: int) -> Iterator[str]:
    article = explained.article
    if article["rights"]:
        yield from wrap(f"rights: {printable(article['rights'])}", width)
    yield f"original bytes: {call} restore {article['article_id']}"


def _short(text: str | None) -> str:
    return cut(printable(text or "(no title)"), 60)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _time(moment: Any) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else ""
