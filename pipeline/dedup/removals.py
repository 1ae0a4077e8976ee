"""Rows of REMOVALS, as the stages that look inside an article write them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contracts import conform
from pipeline.interim import REMOVALS


@dataclass(frozen=True, slots=True)
class Removal:
    """One row of REMOVALS; None where nothing was compared."""

    article_id: bytes
    revision_id: bytes
    action: str
    reason: str
    paragraph_seq: int
    start_char: int
    end_char: int
    matched_paragraph_seq: int | None = None
    jaccard: float | None = None
    containment: float | None = None
    matched_containment: float | None = None
    is_numbers_equal: bool | None = None
    evidence: str | None = None

    @property
    def matched_article_id(self) -> bytes | None:
        """What repeats inside an article matches the article itself."""
        return None if self.matched_paragraph_seq is None else self.article_id


def removals_table(removals: Iterable[Removal]) -> pa.Table:
    """Return REMOVALS of these rows."""
    rows = list(removals)
    if not rows:
        return REMOVALS.schema.empty_table()
    columns = zip(*map(attrgetter(*REMOVALS.schema.names), rows), strict=True)
    arrays = [pa.array(column, f.type) for column, f in zip(columns, REMOVALS.schema, strict=True)]
    return conform(pa.Table.from_arrays(arrays, schema=REMOVALS.schema), REMOVALS)


class Cuts:
    """What a stage takes out of paragraphs, or keeps, without comparing them with others."""

    def __init__(self, spans: pa.Table) -> None:
        """Take the SPANS whose rows are named."""
        self._spans = spans
        self._found: list[tuple[int, str, str, int, int, str]] = []

    def add(self, row: int, action: str, reason: str, start: int, end: int, evidence: str) -> None:
        """Add a span of the paragraph in a row of SPANS; offsets into its text."""
        self._found.append((row, action, reason, start, end, evidence))

    def table(self) -> pa.Table:
        """Return REMOVALS."""
        if not self._found:
            return REMOVALS.schema.empty_table()
        rows, actions, reasons, starts, ends, evidence = zip(*self._found, strict=True)
        names = ["article_id", "revision_id", "seq", "start_char"]
        own = self._spans.select(names).take(pa.array(rows, pa.int64()))
        first = own["start_char"].to_numpy()
        columns = {
            "article_id": own["article_id"],
            "revision_id": own["revision_id"],
            "action": actions,
            "reason": reasons,
            "paragraph_seq": own["seq"],
            "start_char": first + np.array(starts, np.int32),
            "end_char": first + np.array(ends, np.int32),
            "evidence": evidence,
        }
        for field in REMOVALS.schema:
            if field.name not in columns:
                columns[field.name] = pa.nulls(len(rows), field.type)
        return conform(pa.table(columns), REMOVALS)


def id_array(column: pa.ChunkedArray) -> NDArray[np.void]:
    """Return a column of 16-byte identifiers without nulls as one numpy array of V16."""
    parts = []
    for chunk in column.chunks:
        values = np.frombuffer(chunk.buffers()[1], "V16") if len(chunk) else np.empty(0, "V16")
        parts.append(values[chunk.offset : chunk.offset + len(chunk)])
    return np.concatenate(parts) if parts else np.empty(0, "V16")


def article_firsts(spans: pa.Table) -> NDArray[np.int64]:
    """Return the first row of each revision in SPANS, in order, and the number of rows."""
    if not spans.num_rows:
        return np.zeros(1, np.int64)
    ids = id_array(spans.column("revision_id")).view("<u8").reshape(-1, 2)
    starts = np.flatnonzero((ids[1:] != ids[:-1]).any(axis=1)) + 1
    return np.concatenate(([0], starts, [spans.num_rows]))


def article_ranges(spans: pa.Table) -> list[tuple[int, int]]:
    """Return the row range of each revision in SPANS, in order."""
    return list(pairwise(article_firsts(spans).tolist()))
