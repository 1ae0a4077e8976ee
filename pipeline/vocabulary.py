"""The closed lists: every word that a column of reasons, relations, roles or classes may hold."""

from __future__ import annotations

PARAGRAPH_REASONS = (
    "repeat_block",
    "repeat_single",
    "repeat_near",
    "repeat_blob",
    "furniture_rights",
    "furniture_byline",
    "furniture_source",
    "furniture_caption",
    "shared",
)
"""Why a paragraph is dropped; `status` is `dropped` exactly when a reason is set."""

RELATIONS = ("exact", "near", "update", "contained", "series", "related")
"""What a verified pair is, in the order in which edges are considered."""

DUPLICATE_RELATIONS = ("exact", "near", "update")
"""The relations that put two articles into one story."""

REVISION_CLASSES = ("cosmetic", "typo", "correction", "update", "rewrite")
"""What a revision does to the one before it, from the least to the most."""

ROLES = ("canonical", "duplicate", "update", "contained", "single")

ACTIONS = ("drop_paragraph", "keep_paragraph", "drop_span", "drop_article", "keep_article")

QUARANTINE_REASONS = (
    "unreadable",
    "empty_file",
    "binary",
    "broken_encoding",
    "broken_json",
    "broken_csv",
    "broken_parquet",
    "broken_archive",
    "not_a_record",
    "missing_text",
    "control_characters",
    "lone_surrogate",
    "too_large",
    "too_slow",
    "missing_extra",
    "fault",
)
"""Why a document could not be taken. `fault` is an error of ours, kept with its message."""
