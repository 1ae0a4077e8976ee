"""The pairs of an explained article: the numbers of each, and the rule that decided in words."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.report.explain import Explained, Row, read_json
from pipeline.report.tables import Column, text_table
from pipeline.report.terminal import cut, printable, wrap

SHOWN_PAIRS = 10
_SHOWN_NUMBERS = 6

_RULES = {
    "same_key": "the texts are equal but for spacing and punctuation",
    "stub": "texts this short say little, and the headlines do not fit",
    "near_long": "long texts that share most of what they say",
    "near_short": "short texts that are nearly equal",
    "near_late": "days apart, yet nearly equal",
    "below_near_long": "not alike enough for one story",
    "below_near_short": "not alike enough for one story: short texts have to be nearly equal",
    "below_near_late": "not alike enough for one story: published days apart",
    "numbers_conflict": "one template with other numbers",
    "numbers_differ_short": "short texts alike, but their numbers are not all the same",
    "numbers_differ_late": "days apart and alike, but their numbers are not all the same",
    "numbers_exchanged": "one template: numbers at the same places differ",
    "numbers_changed": "the same article with a few numbers changed",
    "dates_apart": "they speak of different days",
    "marked_version": "one headline, marked as different versions",
    "same_headline": "one source, one headline, within a day",
    "numbers_raised": "one source, one headline, hours apart, other numbers",
    "flash": "a flash and the article that tells it",
    "contained": "the shorter stands in the longer",
    "shared_part": "a part of the shorter stands in the longer",
}


def pair_lines(explained: Explained, width: int) -> Iterator[str]:
    """Yield the table of verified pairs, each with a line that says why it is what it is."""
    if not explained.pairs:
        return
    legend = "Compared with (J Jaccard, C share of this one that the other holds, and back)"
    yield from wrap(legend, width)
    columns = [
        Column("relation", is_whole=True),
        Column("J", is_number=True),
        Column("C", is_number=True),
        Column("back", is_number=True),
        Column("numbers", is_whole=True),
        Column("source"),
        Column("title"),
    ]
    shown = explained.pairs[:SHOWN_PAIRS]
    rows = [
        (
            p["relation"],
            *(f"{p[name]:.2f}" for name in ("jaccard", "containment", "other_containment")),
            _numbers(p),
            p["other_source_id"],
            cut(printable(p["other_title"] or "(no title)"), 60),
        )
        for p in shown
    ]
    table = list(text_table(columns, rows, width))
    head, lines = table[: -len(rows)], table[-len(rows) :]
    is_upright = len(head) == 2
    yield from head if is_upright else table
    for number, pair in enumerate(shown, start=1):
        if is_upright:
            yield lines[number - 1]
        sign = "  └ " if is_upright else f"  row {number}: "
        for at, part in enumerate(wrap(reason(pair), width - len(sign))):
            yield (sign if not at else " " * len(sign)) + part
    if len(explained.pairs) > SHOWN_PAIRS:
        yield f"  … and {len(explained.pairs) - SHOWN_PAIRS} more"
    yield ""


def reason(pair: Row) -> str:
    """Return the rule that decided a pair and what it saw, in words."""
    evidence = read_json(pair["evidence"]) or {}
    rule = str(evidence.get("rule", ""))
    said = _RULES.get(rule, rule.replace("_", " "))
    parts = [f"{said} ({rule})" if rule in _RULES else said]
    changed, equal = evidence.get("n_changed_slots"), evidence.get("n_equal_slots")
    if changed:
        parts.append(f"{changed} of {changed + (equal or 0)} numbers at equal places differ")
    for where, name in (("here", "numbers_only"), ("there", "other_numbers_only")):
        if pair[name]:
            more = "…" if len(pair[name]) > _SHOWN_NUMBERS else ""
            parts.append(f"only {where} {' '.join(pair[name][:_SHOWN_NUMBERS])}{more}")
    if pair["n_passages"]:
        chars = f"{pair['n_passage_chars']:,} characters"
        parts.append(f"{pair['n_passages']} passages in common, {chars}")
    return printable("; ".join(p for p in parts if p) or "no evidence is stored")


def _numbers(pair: Row) -> str:
    """Return whether the numbers of a pair agree and how many it shares."""
    verdict = "agree" if pair["is_numbers_equal"] else "differ"
    evidence = read_json(pair["evidence"])
    n_shared = evidence.get("n_shared_numbers") if isinstance(evidence, dict) else None
    if n_shared is None:
        return verdict
    return f"{verdict}, {n_shared} shared" if n_shared or verdict == "differ" else "none"
