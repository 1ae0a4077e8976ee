"""The table of reviewed furniture patterns.

What a source prints everywhere and no pattern here knows is learned per source (`learning`).
"""

from __future__ import annotations

from pipeline.dedup.byline_patterns import BYLINES
from pipeline.dedup.furniture_pattern import FurniturePattern
from pipeline.dedup.rights_patterns import RIGHTS

PATTERNS: tuple[FurniturePattern, ...] = RIGHTS + BYLINES
