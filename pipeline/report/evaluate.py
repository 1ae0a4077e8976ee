"""How well articles were put together, counted on labelled pairs: by kind, and by threshold."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from pipeline.report.evaluate_pairs import KnownPair, KnownPairs, left_out_rows

ALL = "all"
"""The kind under which the sum over all kinds stands."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Score:
    """Counts over labelled pairs, and the ratios that follow; None where nothing is divided.

    Attributes:
        n_pairs: labelled pairs.
        n_same: of these, labelled as one story.
        n_found: of n_same, put together.
        n_false_merges: labelled as two stories, and put together all the same.
    """

    kind: str
    n_pairs: int
    n_same: int
    n_found: int
    n_false_merges: int

    @property
    def n_missed(self) -> int:
        """Return how many pairs of one story were not put together."""
        return self.n_same - self.n_found

    @property
    def precision(self) -> float | None:
        """Return the share of what was put together that belongs together."""
        return _ratio(self.n_found, self.n_found + self.n_false_merges)

    @property
    def recall(self) -> float | None:
        """Return the share of what belongs together that was put together."""
        return _ratio(self.n_found, self.n_same)

    @property
    def f1(self) -> float | None:
        """Return the harmonic mean of both; None without a pair that belongs together."""
        if not self.n_same:
            return None
        return _ratio(2 * self.n_found, self.n_same + self.n_found + self.n_false_merges)

    def as_row(self) -> Row:
        """Return counts and ratios as a mapping."""
        names = ("n_found", "n_missed", "n_false_merges", "precision", "recall", "f1")
        counts = {"kind": self.kind, "n_pairs": self.n_pairs, "n_same": self.n_same}
        return counts | {name: getattr(self, name) for name in names}


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def scores(pairs: Iterable[KnownPair], is_joined: Callable[[KnownPair], bool]) -> list[Score]:
    """Return a score a kind, sorted by name, and at the end the one of all pairs."""
    by_kind: dict[str, list[KnownPair]] = {}
    everything = list(pairs)
    for pair in everything:
        by_kind.setdefault(pair.pair.kind, []).append(pair)
    groups = [*sorted(by_kind.items()), (ALL, everything)]
    return [
        Score(
            kind,
            len(group),
            sum(p.is_same for p in group),
            sum(p.is_same and is_joined(p) for p in group),
            sum(not p.is_same and is_joined(p) for p in group),
        )
        for kind, group in groups
    ]


@dataclass(frozen=True)
class CurvePoint:
    """What the rules say of every pair with one threshold changed; `is_set`: as in effect."""

    setting: str
    threshold: float
    is_set: bool
    scores: list[Score]

    @property
    def total(self) -> Score:
        """Return the score of all kinds together."""
        return self.scores[-1]


@dataclass(frozen=True)
class Evaluation:
    """Everything that `unecho evaluate` tells.

    Attributes:
        pairs: what was labelled and looked up.
        stories: by kind, whether both articles stand in one story of the warehouse.
        curve: by setting and threshold, whether the rules make the pair a duplicate edge, compared
            on its own: without the search for candidates before and the stories after.
        wrong: the pairs that the stories get wrong, false merges first, with their evidence.
        rule_version: version of the rules of the curve.
    """

    pairs: KnownPairs
    stories: list[Score]
    curve: list[CurvePoint]
    wrong: list[Row]
    rule_version: str

    def as_json(self) -> Row:
        """Return everything as a JSON-ready mapping."""
        return {
            "n_pairs": len(self.pairs.known),
            "n_left_out": sum(map(len, self.pairs.left_out.values())),
            "left_out": {reason: len(p) for reason, p in self.pairs.left_out.items()},
            "left_out_pairs": list(left_out_rows(self.pairs)),
            "unknown_ids": self.pairs.unknown,
            "stories": {score.kind: score.as_row() for score in self.stories},
            "wrong": self.wrong,
            "curve": list(curve_rows(self.curve)),
            "rule_version": self.rule_version,
        }


def wrong_pairs(pairs: Iterable[KnownPair], judged: dict[tuple[str, str], Row]) -> list[Row]:
    """Return the pairs whose stories contradict the label, false merges first, then by line.

    Args:
        pairs: labelled pairs with what the warehouse made of them.
        judged: by both ids, what the rules say of the pair: relation, is_duplicate, jaccard,
            rule, evidence; and `is_compared`, whether the warehouse has an edge for it.
    """
    wrong = [p for p in pairs if p.is_same != p.is_one_story]
    wrong.sort(key=lambda p: (p.is_same, p.pair.line))
    nothing = dict.fromkeys(("relation", "is_duplicate", "jaccard", "rule", "evidence"))
    return [
        {
            "line": p.pair.line,
            "kind": p.pair.kind,
            "label": "same" if p.is_same else "different",
            "left": str(p.pair.left),
            "right": str(p.pair.right),
            "left_id": p.left_id,
            "right_id": p.right_id,
            **judged.get(p.ends, nothing | {"is_compared": False}),
        }
        for p in wrong
    ]


def has_effect(points: Sequence[CurvePoint]) -> bool:
    """Return whether the threshold changes anything on these pairs."""
    return len({(p.total.n_found, p.total.n_false_merges) for p in points}) > 1


def by_setting(curve: Iterable[CurvePoint]) -> dict[str, list[CurvePoint]]:
    """Return the points of each setting, in order of the threshold."""
    grouped: dict[str, list[CurvePoint]] = {}
    for point in curve:
        grouped.setdefault(point.setting, []).append(point)
    return {name: sorted(points, key=lambda p: p.threshold) for name, points in grouped.items()}


def curve_rows(curve: Iterable[CurvePoint]) -> Iterator[Row]:
    """Yield the curve as rows: one a setting, threshold and kind, `all` among the kinds."""
    for point in curve:
        start = {"setting": point.setting, "threshold": point.threshold, "is_set": point.is_set}
        for score in point.scores:
            yield start | score.as_row()


def write_curve_table(curve: Iterable[CurvePoint], stream: TextIO) -> None:
    """Write the curve as CSV with the columns of `curve_rows`; what is undefined is empty."""
    rows = list(curve_rows(curve))
    if not rows:
        return
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row | {"is_set": "true" if row["is_set"] else "false"})
