"""An evaluation on a terminal or in a pipe: stories by kind, what is wrong, the curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.report.evaluate import ALL, CurvePoint, Evaluation, Score, by_setting, has_effect
from pipeline.report.tables import Column, text_table
from pipeline.report.terminal import PIPED_WIDTH, wrap

SHOWN_WRONG = 20
"""Wrong pairs that are listed; --json has all."""

_RATIOS = ("precision", "recall", "F1")


def evaluation_lines(evaluation: Evaluation, place: str, width: int | None) -> Iterator[str]:
    """Yield the lines that stand on stdout; `width` is that of the terminal, None is none."""
    wrapped = width or PIPED_WIDTH
    n_pairs = len(evaluation.pairs.known)
    yield from wrap(
        f"Stories: {n_pairs} labelled pairs; found and false merges are pairs that stand in one "
        f"story of {place}",
        wrapped,
    )
    yield ""
    yield from _by_kind(evaluation.stories, width)
    yield ""
    yield from _wrong(evaluation.wrong, width)
    yield from wrap(
        "Pairs: what the rules say of each pair compared on its own, by threshold, everything "
        "else as set. Whether a pair is found to be compared, and how stories join, is not in it.",
        wrapped,
    )
    for setting, points in by_setting(evaluation.curve).items():
        yield ""
        yield from _curve(setting, points, width)


def _by_kind(found: Sequence[Score], width: int | None) -> Iterator[str]:
    columns = [
        Column("kind"),
        *(Column(name, True) for name in ("pairs", "same", "found", "missed", "false merges")),
        *(Column(name, True) for name in _RATIOS),
    ]
    cells = [
        (s.kind, s.n_pairs, s.n_same, s.n_found, s.n_missed, s.n_false_merges, *_ratios(s))
        for s in found
    ]
    lines = list(text_table(columns, cells, width))
    if found[-1].kind == ALL and len(lines) == len(found) + 2:
        lines.insert(-1, lines[1])
    yield from lines


def _wrong(wrong: Sequence[dict[str, Any]], width: int | None) -> Iterator[str]:
    if not wrong:
        yield "No pair is wrong."
        yield ""
        return
    n_false = sum(row["label"] == "different" for row in wrong)
    yield f"Wrong: {n_false} false merges, {len(wrong) - n_false} missed"
    yield ""
    columns = [
        Column("line", True),
        Column("wrong", is_whole=True),
        Column("left"),
        Column("right"),
        Column("J", True),
        Column("rules say"),
    ]
    cells = [
        (
            row["line"],
            "merged" if row["label"] == "different" else "missed",
            row["left"],
            row["right"],
            _ratio(row["jaccard"]),
            _verdict(row),
        )
        for row in wrong[:SHOWN_WRONG]
    ]
    yield from text_table(columns, cells, width)
    if len(wrong) > SHOWN_WRONG:
        yield f"… and {len(wrong) - SHOWN_WRONG} more, all in --json"
    yield ""


def _verdict(row: dict[str, Any]) -> str:
    """Return what the rules say of a pair and, where its stories say otherwise, why they can."""
    said = f"{row['relation']}: {row['rule']}" if row["relation"] else "too little shared"
    if row["label"] == "different":
        return said if row["is_duplicate"] else f"{said} (joined through others)"
    if not row["is_compared"]:
        return f"{said} (not compared)"
    return f"{said} (its story is another)" if row["is_duplicate"] else said


def _curve(setting: str, points: Sequence[CurvePoint], width: int | None) -> Iterator[str]:
    if not has_effect(points):
        yield f"{setting}: no labelled pair depends on it"
        return
    columns = [
        Column(setting, True),
        *(Column(name, True) for name in ("found", "missed", "false merges")),
        *(Column(name, True) for name in _RATIOS),
    ]
    cells = [
        (
            f"{'▸ ' if p.is_set else ''}{p.threshold:.2f}",
            p.total.n_found,
            p.total.n_missed,
            p.total.n_false_merges,
            *_ratios(p.total),
        )
        for p in points
    ]
    yield from text_table(columns, cells, width)


def _ratios(score: Score) -> tuple[str, str, str]:
    return _ratio(score.precision), _ratio(score.recall), _ratio(score.f1)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
