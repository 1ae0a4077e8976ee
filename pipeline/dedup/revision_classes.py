"""Of what class a change between two revisions is: every rule and every number in one place.

The first rule that applies decides; it stands in the evidence.

- `cosmetic`: headline and body have equal keys: spacing, punctuation, typography, furniture,
  paragraph breaks, or fields alone (`keys_equal`); a number written in another way (`notation`).
- `rewrite`: neither text holds half of the other's shingles (`replaced`).
- `correction`: the newsroom says so (`correction_mark`).
- `update`: a flash is filled in (`flash_filled_in`); sentences came or went; a mark as (종합) or
  "UPDATE 2-" is new and the text differs (`newsroom_mark`); figures moved on a running story,
  with the clock, or many at once (`figures_moved`); the headline is another (`headline`);
  paragraphs moved; more words changed than a correction changes (`reworded`).
- `correction`: a few numbers, dates, names or words were exchanged in otherwise equal sentences.
- `typo`: slips of the hand alone.

Where the numbers come from: no public set of labelled corrections was at hand, so the limits of
`typo` and `correction` are chosen on written examples, not tuned. The limit of `rewrite` is
measured: see RevisionRules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.dedup.word_edits import FACTS, Edit
from pipeline.text.numbers import extract_numbers
from pipeline.text.titles import UNMARKED

RULE_VERSION = "revisions-1"
"""Raised whenever a rule or a default number changes; stands in every row."""


@dataclass(frozen=True)
class RevisionRules:
    """The numbers of the rules."""

    rewrite_containment: float = 0.5
    """Where neither text holds this share of the other's STORY shingles, it was told anew. Of 12
    revisions that a newsroom named itself, flashes aside, the larger containment is 0.53 at the
    least; of 4 pairs read as one event in its own words 0.47 at the most."""
    flash_shingles: int = 75
    """A smaller text is a flash: it is filled in, not rewritten (`stub_shingles` of relations)."""
    flash_growth: float = 2.0
    """A text under a mark as [1보] that grows so far is a flash whatever its size."""
    flash_containment: float = 0.1
    """Under another headline a flash has to be told so far. Of 400 pairs of different articles none
    is taken for a flash and its story so, 23 without it."""
    held_containment: float = 0.9
    """A sentence that the rest of the other text holds so far is neither new nor gone: it was
    joined with its neighbour, or split."""
    max_facts: int = 2
    """Distinct numbers, dates and names that a correction exchanges; more have moved on."""
    max_words: int = 6
    """Words that a correction exchanges beside them."""
    max_passage_words: int = 4
    """An exchanged passage of more words is new text."""
    max_slips: int = 8
    """Distinct slips of the hand that make a typo revision; more are another edition."""


@dataclass(frozen=True)
class RevisionChange:
    """What was measured on two revisions of an article that follow each other."""

    is_key_equal: bool
    """Headline, its marks aside, and body have equal keys."""
    n_older: int
    """Size of the older text's STORY shingle set."""
    n_newer: int
    containment: float
    """Share of the older text's shingles that the newer one holds."""
    containment_back: float
    older_version: int
    """Place in the chain of versions that the headline claims (`titles.title_version`)."""
    newer_version: int
    is_other_headline: bool
    """Headlines that are not two states of one."""
    title_edits: Sequence[Edit]
    sentence_edits: Sequence[Edit]
    n_sentences_added: int
    n_sentences_removed: int
    is_too_long: bool
    """A sentence that changed is too long to be compared word by word."""
    n_moved: int
    """Paragraphs out of their order."""
    correction_mark: str
    """By what the newer one alone says that something was corrected; empty without."""

    @cached_property
    def edits(self) -> list[Edit]:
        """Return every edit of headline and body once."""
        return list(dict.fromkeys([*self.title_edits, *self.sentence_edits]))


def classify(change: RevisionChange, rules: RevisionRules) -> tuple[str, str]:
    """Return the class of a change and the rule that decided."""
    n_sentences = change.n_sentences_added + change.n_sentences_removed
    is_flash = _is_flash(change, rules)
    if change.is_key_equal:
        is_marked = bool(change.correction_mark)
        return ("correction", "correction_mark") if is_marked else ("cosmetic", "keys_equal")
    if not is_flash and _is_replaced(change, rules):
        return "rewrite", "replaced"
    if change.correction_mark:
        return "correction", "correction_mark"
    if is_flash and change.n_sentences_added:
        return "update", "flash_filled_in"
    if n_sentences:
        return "update", "sentences_added" if change.n_sentences_added else "sentences_removed"
    if change.newer_version > change.older_version and (change.edits or change.is_too_long):
        return "update", "newsroom_mark"
    if change.is_other_headline:
        return "update", "headline"
    return _class_of_edits(change, rules)


def _is_flash(change: RevisionChange, rules: RevisionRules) -> bool:
    """Return whether the older text, by size or mark, opens a story that the newer one tells."""
    if change.is_other_headline and change.containment < rules.flash_containment:
        return False
    if change.n_older < rules.flash_shingles:
        return change.n_newer >= rules.flash_shingles
    has_grown = change.n_newer >= rules.flash_growth * change.n_older
    return change.older_version != UNMARKED and has_grown


def _is_replaced(change: RevisionChange, rules: RevisionRules) -> bool:
    """Return whether most of the text is another.

    In a flash one exchanged figure takes half of the shingles: there a sentence must be gone.
    """
    is_small = max(change.n_older, change.n_newer) < rules.flash_shingles
    if is_small and not change.n_sentences_removed:
        return False
    return max(change.containment, change.containment_back) < rules.rewrite_containment


def _class_of_edits(change: RevisionChange, rules: RevisionRules) -> tuple[str, str]:
    """Return class and rule where sentences are the same but for single words."""
    kinds = Counter(edit.kind for edit in change.edits)
    words = [edit.n_words for edit in change.edits if edit.kind == "word"]
    n_facts = sum(kinds[kind] for kind in FACTS)
    if n_facts > rules.max_facts or (kinds["number"] and _is_running(change)):
        return "update", "figures_moved"
    has_passage = any(n > rules.max_passage_words for n in words)
    has_many = sum(words) > rules.max_words or kinds["small"] > rules.max_slips
    if change.is_too_long or has_passage or has_many:
        return "update", "reworded"
    if n_facts or words:
        first = next(kind for kind in (*FACTS, "word") if kinds[kind])
        return "correction", f"{first}_exchanged"
    if kinds["small"]:
        return "typo", "slips"
    if change.n_moved:
        return "update", "paragraphs_moved"
    return "cosmetic", "notation" if kinds["notation"] else "keys_equal"


def _is_running(change: RevisionChange) -> bool:
    """Return whether the story goes on: a headline says so, or the time of day moved as well."""
    if change.older_version != UNMARKED or change.newer_version != UNMARKED:
        return True
    return any(edit.kind == "date" and _is_clock(edit) for edit in change.edits)


def _is_clock(edit: Edit) -> bool:
    """Return whether one time of day was exchanged for another."""
    sides = (extract_numbers(edit.previous), extract_numbers(edit.present))
    return all(any(number.startswith("t:") for number in side) for side in sides)
