"""Thresholds of the rules for repeats inside one article, each with its origin."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RepeatRules:
    """When a paragraph repeats another of the same article; lengths are key characters.

    Lengths and Jaccard values are those of the project's design (measured there on 21,092 Korean
    bodies, 348 of which repeat a line); what was added since says so.
    """

    min_single_chars: int = 12
    """Shorter paragraphs go only with a repeated run."""

    min_near_chars: int = 30
    """Shorter paragraphs repeat by equal keys alone."""

    min_long_chars: int = 60
    """From here on the looser Jaccard, and containment, hold."""

    near_jaccard: float = 0.92
    """From `min_near_chars` on, with equal numbers."""

    long_jaccard: float = 0.85
    """From `min_long_chars` on, with equal numbers."""

    long_containment: float = 0.95
    """A later paragraph that an earlier, longer one holds to this share, numbers included."""

    caption_jaccard: float = 0.97
    """Between two captions. Added: 16 of the 20 pairs of captions from 0.85 to 0.97 in one day of
    Korean news (4,497 articles) belong to different pictures of one event ("speaks", "listens")."""

    blob_coverage: float = 0.95
    blob_length_ratio: float = 1.5
    """A blob is this many times longer than its longest piece."""

    blob_piece_containment: float = 0.9
    """Share of a piece that the blob holds. Added: the design leaves open what a piece is."""

    min_block_chars: int = 12
    """All short sentences of a repeated run together: as long as a single repeat must be."""

    max_removed_share: float = 0.6
    """When more of the article would go by other rules than exact runs, all of that stays."""

    max_near_paragraphs: int = 400
    """Articles with more long paragraphs are compared by equal keys alone (time is quadratic in
    it; the largest of 4,497 articles has 143 paragraphs)."""
