"""What workers do beside the mapped history; they import no more than it takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from pipeline.dedup.relations import RelationRules
from pipeline.dedup.verify import verify
from pipeline.store.segments import segment_at


def verify_mapped(
    pairs: pa.Table, articles: pa.Table, files: Sequence[Path], rules: RelationRules
) -> pa.Table:
    """Return what `verify` does of PAIRS, articles that are in memory, and segments in files."""
    return verify(pairs, articles, [segment_at(path) for path in files], rules)
