"""What the stages of one batch hand over, from `flows/ingest.py` to `flows/apply.py`."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from flows.components import Touched
from flows.gather import Fresh
from pipeline.dedup.bands import Candidates
from pipeline.dedup.clusters import Stories
from pipeline.dedup.learning import Learned
from pipeline.dedup.shared import Shared


@dataclass(frozen=True)
class Batch:
    """Documents as they came in, and the revisions among them that are new.

    Without documents where stored revisions are derived again.
    """

    documents: pa.Table
    unread: pa.Table
    fresh: Fresh


@dataclass(frozen=True)
class Cleaned:
    """What is left of the texts, and why."""

    spans: pa.Table
    lines: pa.Table
    standing: pa.Table
    """FURNITURE of the batch's sources before it."""
    learned: Learned
    clean: pa.Table
    paragraphs: pa.Table
    """CLEANED_PARAGRAPHS of every revision."""
    removals: pa.Table
    current: pa.Table
    """CLEAN rows of current revisions."""
    kept: pa.Table
    """CLEANED_PARAGRAPHS of current revisions."""
    keys: pa.Table
    """KEYS of current revisions."""


@dataclass(frozen=True)
class Matched:
    """What the current revisions have in common with all others."""

    keys: pa.Table
    found: Candidates
    edges: pa.Table
    common: pa.Table
    touched: Touched
    stories: Stories


@dataclass(frozen=True)
class Decided:
    """Everything that one batch decided."""

    batch: Batch
    cleaned: Cleaned
    matched: Matched
    shared: Shared
    compared: pa.Table
    params_id: str
