"""Every parameter of derivation changes what is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.ingest import Request, run_ingest
from flows.rules import PARAMETERS
from pipeline.settings import Settings

SEEDS = Path(__file__).parents[2] / "seeds"

OTHER: dict[str, Any] = {
    "near_jaccard": 0.9,
    "near_jaccard_short": 0.99,
    "update_jaccard": 0.95,
    "related_jaccard": 0.45,
    "contained_containment": 0.99,
    "duplicate_relations": ["exact"],
    "furniture_min_documents": 3,
    "furniture_min_share": 0.9,
    "source_priority": ["zzz.example"],
    "shared_policy": "drop",
}
