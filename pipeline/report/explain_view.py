"""An explained article on a terminal: the article left, beside it what its passages repeat.

Colour where the terminal has it; marks everywhere else: angle quotes around what was dropped,
double ones around words that differ.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.report.explain import Explained, Row, differences
from pipeline.report.run_report import REASONS
from pipeline.report.tables import Column, text_table
from pipeline.report.terminal import PIPED_WIDTH, cut, printable, terminal_width

SHOWN_MEMBERS = 20
SHOWN_PAIRS = 10
SHOWN_MATCH_CHARS = 600
"""Of a passage on the right at the most: it is there to be recognised, not read."""

DROPPED_MARKS, DIFFERS_MARKS = "\u2039\u203a", "\u00ab\u00bb"
_DROPPED, _DIFFERS, _SOFT, _LABEL = "red strike", "bold yellow", "dim", "cyan"


def print_explained(explained: Explained, call: str) -> None:
    """Print the article, its story and the evidence to stdout."""
    width = terminal_width() or PIPED_WIDTH
    console = Console(width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
    has_colour = console.color_system is not None
    for line in _heading(explained):
        console.print(line)
    console.print(Text("─" * width, style=_SOFT))
    console.print(_passages(explained, has_colour, width))
    console.print(Text("─" * width, style=_SOFT))
    for text in [*_story(explained, width), *_pairs(explained, width), *_further(explained, call)]:
        console.print(Text(text), no_wrap=True, overflow="ignore", crop=False)


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
    table.add_column(width=left_width)
    table.add_column(width=rest - left_width)
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
    parts: list[Text] = []
    for decision in paragraph["decisions"]:
        parts.append(Text(_evidence(decision), style=_LABEL if has_colour else ""))
    match, counterpart = paragraph["match"], paragraph["counterpart"]
    if match is not None:
        is_own = match["article_id"] == explained.article["article_id"]
        place = f"= {match['seq'] + 1}" + ("" if is_own else f" of {match['article_id']}")
        spans = differences(paragraph["text"], match["text"])[1]
        parts += [Text(place, style=_SOFT), _excerpt(match["text"], spans, has_colour)]
    elif counterpart is not None:
        equal = counterpart["jaccard"] >= 1
        place = f"{'=' if equal else '≈'} {counterpart['seq'] + 1} of the match"
        parts.append(Text(f"{place}, Jaccard {_ratio(counterpart['jaccard'])}", style=_LABEL))
        if not equal:
            spans = differences(paragraph["text"], counterpart["text"])[1]
            parts.append(_excerpt(counterpart["text"], spans, has_colour))
    return Text("\n").join(parts)


def _excerpt(text: str, spans: list[tuple[int, int]], has_colour: bool) -> Text:
    shown = text[:SHOWN_MATCH_CHARS]
    within = [(a, min(b, len(shown))) for a, b in spans if a < len(shown)]
    marked = _marked(shown, within, _DIFFERS, DIFFERS_MARKS, has_colour)
    return marked.append("…") if len(shown) < len(text) else marked


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
    reason = decision["reason"]
    words = [reason] if reason not in REASONS else [f"{reason}: {REASONS[reason]}"]
    if decision["jaccard"] is not None:
        words.append(f"Jaccard {_ratio(decision['jaccard'])}")
    if decision["containment"] is not None:
        other = decision["matched_containment"]
        words.append(f"containment {_ratio(decision['containment'])}/{_ratio(other)}")
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
    yield f"Story {story['story_id']}: {story['n_members']} articles from "
    yield f"  {story['n_sources']} sources{hours}."
    columns = [
        Column("role"),
        Column("source"),
        Column("published (UTC)"),
        Column("relation"),
        Column("J", True),
        Column("C", True),
        Column("title"),
    ]
    rows = [
        (
            ("▸ " if m["article_id"] == explained.article["article_id"] else "  ") + m["role"],
            m["source_id"],
            _time(m["published_at"]),
            m["relation"] or "",
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


def _pairs(explained: Explained, width: int) -> Iterator[str]:
    if not explained.pairs:
        return
    yield "Compared with (J Jaccard, C containment of this one in the other and back):"
    columns = [
        Column("relation"),
        Column("J", True),
        Column("C", True),
        Column("C back", True),
        Column("numbers"),
        Column("source"),
        Column("title"),
        Column("evidence"),
    ]
    rows = [
        (
            p["relation"],
            _ratio(p["jaccard"]),
            _ratio(p["containment"]),
            _ratio(p["other_containment"]),
            "agree" if p["is_numbers_equal"] else "differ",
            p["other_source_id"],
            _short(p["other_title"]),
            _compact(p["evidence"]),
        )
        for p in explained.pairs[:SHOWN_PAIRS]
    ]
    yield from text_table(columns, rows, width)
    if len(explained.pairs) > SHOWN_PAIRS:
        yield f"  … and {len(explained.pairs) - SHOWN_PAIRS} more"
    yield ""


def _further(explained: Explained, call: str) -> Iterator[str]:
    article = explained.article
    if article["rights"]:
        yield f"rights: {_short(article['rights'])}"
    if article["n_revisions"] > 1:
        yield f"{article['n_revisions']} revisions; this is the current one"
    yield f"original bytes: {call} restore {article['article_id']}"


def _compact(evidence: str | None) -> str:
    """Return a pair's evidence on a line: `rule: same_key` for {"rule": "same_key"}."""
    if not evidence:
        return ""
    try:
        known: Any = json.loads(evidence)
    except ValueError:
        return printable(evidence)
    if not isinstance(known, dict):
        return printable(evidence)
    told = (f"{k}: {v}" for k, v in known.items() if v not in (None, [], {}, ""))
    return printable(", ".join(told))


def _short(text: str | None) -> str:
    return cut(printable(text or "(no title)"), 60)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _time(moment: Any) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else ""
