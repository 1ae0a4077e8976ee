"""The rules of all stages of a run, one frozen value that workers take along."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.dedup.bands import BandRules
from pipeline.dedup.captions import CaptionRules
from pipeline.dedup.clusters import CanonicalPolicy
from pipeline.dedup.containment import SpanRules
from pipeline.dedup.furniture_cuts import FurnitureRules
from pipeline.dedup.learning import LearningRules
from pipeline.dedup.passages import PassageRules
from pipeline.dedup.relations import RelationRules
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.dedup.revision_classes import RevisionRules
from pipeline.dedup.shared import SharedRules
from pipeline.dedup.signatures import Recipe


@dataclass(frozen=True)
class Rules:
    """One frozen set of rules for a whole run."""

    repeats: RepeatRules = field(default_factory=RepeatRules)
    furniture: FurnitureRules = field(default_factory=FurnitureRules)
    recipe: Recipe = field(default_factory=Recipe)
    bands: BandRules = field(default_factory=BandRules)
    relations: RelationRules = field(default_factory=RelationRules)
    canonical: CanonicalPolicy = field(default_factory=CanonicalPolicy)
    learning: LearningRules = field(default_factory=LearningRules)
    captions: CaptionRules = field(default_factory=CaptionRules)
    passages: PassageRules = field(default_factory=PassageRules)
    spans: SpanRules = field(default_factory=SpanRules)
    shared: SharedRules = field(default_factory=SharedRules)
    revisions: RevisionRules = field(default_factory=RevisionRules)
