"""The rules of every stage, composed from the settings of the shell."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.dedup.bands import BandRules
from pipeline.dedup.clusters import CanonicalPolicy
from pipeline.dedup.furniture_cuts import FurnitureRules
from pipeline.dedup.relations import RelationRules
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.dedup.signatures import Recipe
from pipeline.settings import Settings


@dataclass(frozen=True)
class Rules:
    """One frozen set of rules for a whole run."""

    repeats: RepeatRules
    furniture: FurnitureRules
    recipe: Recipe
    bands: BandRules
    relations: RelationRules
    canonical: CanonicalPolicy


def rules_of(settings: Settings) -> Rules:
    """Return the stages' own defaults with what the settings override."""
    relations = RelationRules()
    if settings.near_jaccard is not None:
        relations = replace(relations, near_jaccard=settings.near_jaccard)
    if settings.near_jaccard_short is not None:
        relations = replace(relations, near_jaccard_short=settings.near_jaccard_short)
    return Rules(
        repeats=RepeatRules(),
        furniture=FurnitureRules(),
        recipe=Recipe(),
        bands=BandRules(),
        relations=relations,
        canonical=CanonicalPolicy(source_priority=settings.source_priority),
    )
