"""What a compared pair is: every rule and every number of it in one place.

The first rule that holds decides; a text is short below 250 shingles of the smaller side.

- `exact`: equal key hash; texts too short to be a story also need titles that fit.
- `near`: Jaccard >= 0.5 (short, or more than 36 hours apart: 0.85) and numbers that agree.
- `update`: one source within a day, one headline but for marks of a version, and either enough in
  common for a version (marked 0.2 or half of the smaller, unmarked 0.4 or 0.6 of it), or a flash
  whose headline the follow-up tells; also `near` with a few numbers changed.
- `series`: Jaccard as for `near`, but numbers at the same places or dates differ: one template.
- `contained`: 0.9 of the smaller text stands in one at least a quarter longer.
- `related`: Jaccard >= 0.3 or 0.6 of the smaller; kept as an edge, with the rule that refused.

`exact`, `near` and `update` make one story (`duplicate_relations`). Titles and times alone are no
reason: they only choose the floor that the texts have to reach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pipeline.contracts import DUPLICATE_RELATIONS
from pipeline.text.number_slots import SlotEvidence
from pipeline.text.numbers import NumberEvidence, extract_numbers
from pipeline.text.shingles import PARAGRAPH, shingles

RULE_VERSION = "relations-3"
"""Raised whenever a rule or a default number changes; stands in every edge."""


@dataclass(frozen=True)
class RelationRules:
    """The numbers of the rules.

    Sources: one day of 61 Korean outlets (42 pairs of it read, 14 revisions that a newsroom named,
    630 pairs of one outlet and headline) and 710 English wire stories with 271 same-headline pairs
    within a day and 117 templates of another day; exact Jaccard of STORY shingles throughout.
    """

    near_jaccard: float = 0.5
    """All 15 long pairs read as copies reach 0.55; all 20 read as partly shared, contained or
    another event stay below 0.5."""
    near_jaccard_short: float = 0.85
    """Pairs read as different reach 0.67 by their footers, two pictures of one scene 0.64."""
    near_jaccard_late: float = 0.85
    """Of 7 templates that pass the number rules, 6 stay below; one is an identical text."""
    short_shingles: int = 250
    """Below this size, of the smaller side, lie photo captions and brokers' tables."""
    late_hours: float = 36.0
    """A day between two dates and a half: copies of the wire set lie within 24 hours, yesterday's
    rainfall with fewer numbers 48 hours apart, its other templates three days and more."""
    stub_shingles: int = 75
    """Alike texts below this size need titles that fit: the body of a flash is often no more than
    the desk's name or a line that asks for tips (191 pairs of equal texts in a day)."""
    update_hours: float = 24.0
    unmarked_hours: float = 20.0
    """The same where no headline claims a version: the column of every morning keeps its headline
    and half of its text, and is another day's after 24 hours."""
    raised_jaccard: float = 0.9
    """One source, one headline, hours apart, and nearly nothing but numbers differs: a toll was
    raised, a price moved on. Templates of other days do not come under this rule."""
    update_jaccard: float = 0.4
    update_containment: float = 0.6
    """Of 56 pairs of one headline within a day below Jaccard 0.5, all 34 with agreeing numbers that
    reach one of these two were read as versions; of the 22 others 12 are lists or quarterly
    results under one headline."""
    marked_jaccard: float = 0.2
    marked_containment: float = 0.5
    """Under headlines that claim different versions; the least alike of 12 named revisions with a
    full text on both sides has 0.31 and 0.53."""
    flash_title_chars: int = 10
    """Headline keys below this length name a topic, not an event."""
    flash_told_ratio: float = 0.3
    """Share of the headline's 3-character shingles that the follow-up has to contain, unless it
    has all of two and more numbers of the headline. Of 2,000 other articles 5 in 1,000 reach it."""
    flash_headline_ratio: float = 0.8
    """Share of a flash's text that its headline holds where it says nothing more: then the
    follow-up tells it by its equal headline."""
    contained_containment: float = 0.9
    contained_size_ratio: float = 0.8
    contained_shingles: int = 40
    """Smaller texts are lines, not articles: a paragraph of 40 characters is what is looked up."""
    related_jaccard: float = 0.3
    related_containment: float = 0.6
    min_changed_slots: int = 2
    """One slot (a number in equal surroundings) alone that differs is a correction or a slip."""
    max_changed_ratio: float = 0.4
    """Share of the slots that may differ within two days: of 77 wire repeats two exceed it, prices
    of another hour and of another day; of 44 templates with Jaccard 0.45 and more, 27."""
    max_changed_ratio_strict: float = 0.1
    """The same when a time is unknown: no revision and no copy of the Korean day exceeds it; 5 more
    templates of the wire do, and 5 repeats, price tables of another hour most of them."""
    max_changed_ratio_marked: float = 0.6
    """The same under headlines that claim versions: the noon and the closing price of a share,
    which a newsroom named as versions, have 4 of 7."""
    min_agreeing_slots: int = 4
    """So many equal slots and hardly a changed one overrule numbers that stand elsewhere: the 7
    long Korean pairs whose numbers conflict as sets are all copies, a paragraph more or less."""
    max_overruled_conflict: float = 0.5
    duplicate_relations: frozenset[str] = frozenset(DUPLICATE_RELATIONS)
    """Relations that put both articles into one story."""


@dataclass(frozen=True)
class PairEvidence:
    """What was measured on a pair."""

    is_same_key: bool
    are_titles_fitting: bool
    """See `are_titles_fitting`; asked of short texts only."""
    is_same_source: bool
    shared_title_chars: int
    """Length of the title key when both have the same; 0 otherwise."""
    versions: tuple[int, int]
    """What the headlines claim, see `pipeline.text.titles.title_version`."""
    is_title_told: bool
    """Whether the follow-up tells what the flash says; asked of flashes only."""
    hours_apart: float | None
    """None when a time is not known."""
    n_left: int
    n_right: int
    n_shared: int
    numbers: NumberEvidence
    slots: SlotEvidence

    @property
    def jaccard(self) -> float:
        """Return |A∩B| / |A∪B|."""
        union = self.n_left + self.n_right - self.n_shared
        return self.n_shared / union if union else 0.0

    @property
    def containment(self) -> float:
        """Return the share of the smaller text's shingles that the larger holds."""
        smaller = min(self.n_left, self.n_right)
        return self.n_shared / smaller if smaller else 0.0

    @property
    def is_marked(self) -> bool:
        """Return whether both headlines are the same but claim different versions."""
        return self.shared_title_chars > 0 and self.versions[0] != self.versions[1]


@dataclass(frozen=True)
class Judgement:
    """A relation, the rule that found it, and whether it puts both into one story."""

    relation: str
    rule: str
    is_duplicate: bool


def judge(pair: PairEvidence, rules: RelationRules) -> Judgement | None:
    """Return what a pair is, None when it is nothing worth keeping."""
    found = _update(pair, rules) or _copy(pair, rules) or _part(pair, rules)
    if found is None:
        return None
    return Judgement(*found, is_duplicate=found[0] in rules.duplicate_relations)


def _update(pair: PairEvidence, rules: RelationRules) -> tuple[str, str] | None:
    """Return `update` for two versions of one source's article, None for anything else."""
    hours = pair.hours_apart
    if pair.is_same_key or not pair.is_same_source or not pair.shared_title_chars:
        return None
    if hours is not None and hours > rules.update_hours:
        return None
    if pair.is_marked:
        if _is_flash(pair, rules):
            return "update", "flash"
        is_alike = (
            pair.jaccard >= rules.marked_jaccard or pair.containment >= rules.marked_containment
        )
        is_version = is_alike and not pair.numbers.is_dates_apart
        if is_version and (
            hours is not None
            or not _are_numbers_exchanged(pair, rules.max_changed_ratio_marked, rules)
        ):
            return "update", "marked_version"
        return None
    if hours is None or hours > rules.unmarked_hours:
        return None
    if min(pair.n_left, pair.n_right) < rules.short_shingles:
        return None
    if pair.jaccard >= rules.raised_jaccard and not pair.numbers.is_dates_apart:
        return "update", "numbers_raised" if _number_conflict(pair, rules) else "same_headline"
    is_alike = pair.jaccard >= rules.update_jaccard or pair.containment >= rules.update_containment
    if is_alike and not _number_conflict(pair, rules):
        return "update", "same_headline"
    return None


def _is_flash(pair: PairEvidence, rules: RelationRules) -> bool:
    """Return whether a line with a flash's headline stands beside what tells that headline."""
    is_short = min(pair.n_left, pair.n_right) < rules.short_shingles
    is_event = pair.shared_title_chars >= rules.flash_title_chars
    return min(pair.versions) < 0 and is_short and is_event and pair.is_title_told


def _are_numbers_exchanged(pair: PairEvidence, max_ratio: float, rules: RelationRules) -> bool:
    """Return whether more than this share of the numbers at the same places differ."""
    slots = pair.slots
    return slots.n_changed >= rules.min_changed_slots and slots.changed_ratio > max_ratio


def _copy(pair: PairEvidence, rules: RelationRules) -> tuple[str, str] | None:
    """Return what a pair as alike as copies is, None for one that is less alike."""
    is_stub = min(pair.n_left, pair.n_right) < rules.stub_shingles
    if pair.is_same_key:
        fits = pair.are_titles_fitting or not is_stub
        return ("exact", "same_key") if fits else ("related", "stub")
    kind, near, needs_equal_numbers = _near_rule(pair, rules)
    is_long = min(pair.n_left, pair.n_right) >= rules.short_shingles
    conflict = _number_conflict(pair, rules)
    if is_long and pair.jaccard >= rules.near_jaccard and conflict:
        return "series", conflict
    if pair.jaccard < near:
        return None
    if is_stub and not pair.are_titles_fitting:
        return "related", "stub"
    if conflict:
        return "series", conflict
    if needs_equal_numbers and (pair.numbers.only_left or pair.numbers.only_right):
        return "series", f"numbers_differ_{kind}"
    if _has_changed_numbers(pair, rules):
        return "update", "numbers_changed"
    return "near", f"near_{kind}"


def _near_rule(pair: PairEvidence, rules: RelationRules) -> tuple[str, float, bool]:
    """Return which rule of `near` applies, its Jaccard, and whether numbers must be equal."""
    if min(pair.n_left, pair.n_right) < rules.short_shingles:
        return "short", rules.near_jaccard_short, True
    if pair.hours_apart is not None and pair.hours_apart > rules.late_hours:
        return "late", rules.near_jaccard_late, True
    return "long", rules.near_jaccard, False


def _has_changed_numbers(pair: PairEvidence, rules: RelationRules) -> bool:
    """Return whether one source exchanged a few numbers within a day."""
    hours = pair.hours_apart
    is_soon = pair.is_same_source and hours is not None and hours <= rules.update_hours
    return is_soon and pair.slots.n_changed > 0


def _number_conflict(pair: PairEvidence, rules: RelationRules) -> str:
    """Return which rule says that the numbers are another event's, empty when none does."""
    numbers, slots = pair.numbers, pair.slots
    if numbers.is_dates_apart:
        return "dates_apart"
    strict = rules.max_changed_ratio_strict
    limit = strict if pair.hours_apart is None else rules.max_changed_ratio
    if _are_numbers_exchanged(pair, limit, rules):
        return "numbers_exchanged"
    agrees = slots.n_equal >= rules.min_agreeing_slots and slots.changed_ratio <= strict
    if numbers.is_compatible or (agrees and numbers.conflict_ratio <= rules.max_overruled_conflict):
        return ""
    return "numbers_conflict"


def _part(pair: PairEvidence, rules: RelationRules) -> tuple[str, str] | None:
    """Return what a pair less alike than copies is, None when it is nothing worth keeping."""
    small, large = sorted((pair.n_left, pair.n_right))
    is_text = small >= rules.contained_shingles
    if (
        is_text
        and pair.containment >= rules.contained_containment
        and small <= rules.contained_size_ratio * large
        and not _are_numbers_exchanged(pair, rules.max_changed_ratio_marked, rules)
    ):
        return "contained", "contained"
    if pair.jaccard >= rules.related_jaccard:
        return "related", f"below_near_{_near_rule(pair, rules)[0]}"
    if is_text and pair.containment >= rules.related_containment:
        return "related", "shared_part"
    return None


def are_titles_fitting(left_title: str, left_key: str, right_title: str, right_key: str) -> bool:
    """Return whether the titles (keys) of two articles with alike short texts allow one story.

    Equal titles do, and a missing one. Different ones do when each has a few characters in common
    with its text, as those of two pictures under one caption have.
    """
    if left_title == right_title or not left_title or not right_title:
        return True
    return is_title_of(left_title, left_key) and is_title_of(right_title, right_key)


def is_title_of(title: str, key: str) -> bool:
    """Return whether a title (key) has a few characters in common with its text (key)."""
    return any(part in key for part in _title_parts(title))


@lru_cache(maxsize=1 << 12)
def _title_parts(title_key: str) -> tuple[str, ...]:
    """Return the shingles of a title; one that heads many short texts is asked for often."""
    return tuple(shingles(title_key, PARAGRAPH))


def is_title_told(title_key: str, key: str, numbers: Iterable[str], rules: RelationRules) -> bool:
    """Return whether a text (its key and numbers) tells what a headline (its key) says."""
    parts = shingles(title_key, PARAGRAPH)
    if sum(part in key for part in parts) >= rules.flash_told_ratio * len(parts):
        return True
    named = set(extract_numbers(title_key))
    return len(named) > 1 and named <= set(numbers)


def is_headline_alone(title_key: str, key: str, rules: RelationRules) -> bool:
    """Return whether a text (its key) says no more than its headline (its key)."""
    parts = shingles(key, PARAGRAPH)
    return sum(part in title_key for part in parts) >= rules.flash_headline_ratio * len(parts)
