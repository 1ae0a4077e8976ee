"""What a compared pair is: every rule and every number of it in one place.

- `exact`: equal key hash; texts too short to be a story also need titles that fit. One story.
- `near`: long texts Jaccard >= 0.5 and compatible numbers; short texts, and texts more than two
  days apart, >= 0.85 and equal numbers. One story.
- `related`: Jaccard >= 0.3 and none of the above. Kept as an edge, with the rule that refused.

A pair below that is not kept.

Where the numbers come from (one day of 61 Korean outlets, 42 pairs of it read; 710 English wire
stories with same-headline pairs; exact Jaccard on the STORY shingles of the raw texts):

- 0.5: all 15 long pairs read as copies reach 0.55, all 20 read as partly shared, contained or
  another event stay below 0.5; 10 of 12 revisions that a newsroom named reach it, 9 reach 0.6.
- 250 shingles, 0.85: below that size lie photo captions and brokers' tables; pairs read as
  different reach 0.67 by their footers, and two pictures of one scene 0.64.
- numbers: without them 36 of 108 long wire templates of another day reach 0.5, with them 7.
- two days: copies of the wire set lie within 24 hours, its templates three days apart or more; of
  those 7, 6 are below 0.85 and one is an identical text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipeline.contracts import DUPLICATE_RELATIONS
from pipeline.text.numbers import NumberEvidence
from pipeline.text.shingles import PARAGRAPH, shingles

RULE_VERSION = "relations-1"
"""Raised whenever a rule or a default number changes; stands in every edge."""

_MAX_LISTED_NUMBERS = 8


@dataclass(frozen=True)
class RelationRules:
    """The numbers of the rules."""

    near_jaccard: float = 0.5
    near_jaccard_short: float = 0.85
    near_jaccard_late: float = 0.85
    short_shingles: int = 250
    """Below this size, of the smaller side, a text is short."""
    late_hours: float = 48.0
    """Published further apart, texts are another day's until they prove equal."""
    related_jaccard: float = 0.3
    stub_shingles: int = 75
    """Alike texts below this size need titles that fit: the body of a flash is often no more than
    the desk's name or a line that asks for tips (measured: 191 pairs of equal texts in a day)."""


@dataclass(frozen=True)
class PairEvidence:
    """What was measured on a pair."""

    is_same_key: bool
    are_titles_fitting: bool
    """See `are_titles_fitting`; asked of short texts only."""
    hours_apart: float
    """0 when a time is not known."""
    n_left: int
    n_right: int
    n_shared: int
    numbers: NumberEvidence

    @property
    def jaccard(self) -> float:
        """Return |A∩B| / |A∪B|."""
        union = self.n_left + self.n_right - self.n_shared
        return self.n_shared / union if union else 0.0


@dataclass(frozen=True)
class Judgement:
    """A relation and the rule that found it."""

    relation: str
    rule: str

    @property
    def is_duplicate(self) -> bool:
        """Return whether the relation puts both into one story."""
        return self.relation in DUPLICATE_RELATIONS


def judge(pair: PairEvidence, rules: RelationRules) -> Judgement | None:
    """Return what a pair is, None when it is nothing worth keeping."""
    if pair.jaccard < rules.related_jaccard and not pair.is_same_key:
        return None
    kind, near, needs_equal_numbers = _near_rule(pair, rules)
    if not pair.is_same_key and pair.jaccard < near:
        return Judgement("related", f"below_near_{kind}")
    if min(pair.n_left, pair.n_right) < rules.stub_shingles and not pair.are_titles_fitting:
        return Judgement("related", "stub")
    if pair.is_same_key:
        return Judgement("exact", "same_key")
    numbers = pair.numbers
    if not numbers.is_compatible:
        return Judgement("related", "numbers_conflict")
    if needs_equal_numbers and (numbers.only_left or numbers.only_right):
        return Judgement("related", f"numbers_differ_{kind}")
    return Judgement("near", f"near_{kind}")


def _near_rule(pair: PairEvidence, rules: RelationRules) -> tuple[str, float, bool]:
    """Return which rule of `near` applies, its Jaccard, and whether numbers must be equal."""
    if min(pair.n_left, pair.n_right) < rules.short_shingles:
        return "short", rules.near_jaccard_short, True
    if pair.hours_apart > rules.late_hours:
        return "late", rules.near_jaccard_late, True
    return "long", rules.near_jaccard, False


def are_titles_fitting(left_title: str, left_key: str, right_title: str, right_key: str) -> bool:
    """Return whether the titles (keys) of two articles with alike short texts allow one story.

    Equal titles do, and a missing one. Different ones do when each has a few characters in common
    with its text, as those of two pictures under one caption have.
    """
    if left_title == right_title or not left_title or not right_title:
        return True
    return all(
        any(part in key for part in shingles(title, PARAGRAPH))
        for title, key in ((left_title, left_key), (right_title, right_key))
    )


def evidence_json(pair: PairEvidence, judgement: Judgement) -> str:
    """Return the rule and the numbers it looked at as JSON."""
    numbers = pair.numbers
    evidence: dict[str, object] = {"rule": judgement.rule, "n_shared_numbers": numbers.n_shared}
    for side, values in (("left", numbers.only_left), ("right", numbers.only_right)):
        if values:
            evidence[f"numbers_only_{side}"] = list(values[:_MAX_LISTED_NUMBERS])
            if len(values) > _MAX_LISTED_NUMBERS:
                evidence[f"n_numbers_only_{side}"] = len(values)
    return json.dumps(evidence, ensure_ascii=False, sort_keys=True)
