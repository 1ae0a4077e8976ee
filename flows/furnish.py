"""Learned furniture in a flow: what stands, what a batch changes, which articles it makes stale.

A line that proves to be furniture late is taken out of earlier articles too: in the commit that
learns it they are listed as stale, and derived again before the run ends (`flows/rederive.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.gather import Fresh
from pipeline.contract import HASH
from pipeline.contracts import FURNITURE, ID, STALE_ARTICLES
from pipeline.dedup.learning import Learned
from pipeline.dedup.lines import EDGE, find_lines, template_key
from pipeline.interim import LEARNED
from pipeline.store.warehouse import Warehouse

_KEY = ["source_id", "line_hash"]


def standing_furniture(warehouse: Warehouse, parsed: pa.Table) -> pa.Table:
    """Return the FURNITURE rows of the sources of PARSED, as they stand."""
    return warehouse.furniture(pc.unique(parsed["source_id"]))


def furniture_in_effect(learned: Learned, standing: pa.Table) -> pa.Table:
    """Return LEARNED rows: as learned now, and as they stand for sources that teach nothing new."""
    others = standing.filter(pc.invert(_is_of(standing, learned)))
    return pa.concat_tables([learned.furniture, others.select(LEARNED.schema.names)])


def _is_of(standing: pa.Table, learned: Learned) -> pa.ChunkedArray:
    """Return which FURNITURE rows are of sources that were learned anew."""
    return pc.is_in(standing["source_id"], pa.array(learned.sources, pa.string()))


def furniture_changes(
    warehouse: Warehouse,
    learned: Learned,
    standing: pa.Table,
    spans: pa.Table,
    lines: pa.Table,
    run_id: str,
) -> tuple[pa.Table, pa.Table]:
    """Return the FURNITURE rows to add and the keys of those to remove.

    Args:
        warehouse: where the example of a line is looked up that no article of the batch prints.
        learned: what the articles prove now.
        standing: FURNITURE of the batch's sources; of those not learned anew nothing changes.
        spans: SPANS of the batch.
        lines: LINES of the same paragraphs.
        run_id: the run.
    """
    standing = standing.filter(_is_of(standing, learned))
    compared = [n for n in learned.furniture.schema.names if n != "rule_version"]
    before = {(r["source_id"], r["line_hash"]): r for r in standing.to_pylist()}
    rows = learned.furniture.to_pylist()
    changed = []
    for row in rows:
        old = before.pop((row["source_id"], row["line_hash"]), None)
        if old is None or any(_differs(old[n], row[n]) for n in compared):
            changed.append((row, old))
    unknown = [row for row, old in changed if not _has_example(row, old)]
    texts = _examples(warehouse, unknown, spans, lines)
    added = [row | _texts(row, old, texts) | {"run_id": run_id} for row, old in changed]
    gone = [*before.values(), *(old for _, old in changed if old is not None)]
    keys = pa.schema([FURNITURE.schema.field(name) for name in _KEY])
    return (
        pa.Table.from_pylist(added, FURNITURE.schema),
        pa.Table.from_pylist([{n: row[n] for n in _KEY} for row in gone], keys),
    )


def _differs(old: Any, new: Any) -> bool:
    """Return whether two values differ by more than the rounding of a stored float."""
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) > 1e-6
    return bool(old != new)


def _has_example(row: dict[str, Any], old: dict[str, Any] | None) -> bool:
    return old is not None and old["example_article_id"] == row["example_article_id"]


def _texts(
    row: dict[str, Any], old: dict[str, Any] | None, texts: dict[tuple[bytes, int], str]
) -> dict[str, str]:
    if old is not None and _has_example(row, old):
        return {"template": old["template"], "example": old["example"]}
    text = texts[row["example_article_id"], row["line_hash"]]
    # The hash of a line is that of its template.
    template = template_key(text) if old is None else old["template"]
    return {"template": template, "example": text}


def _examples(
    warehouse: Warehouse, rows: list[dict[str, Any]], spans: pa.Table, lines: pa.Table
) -> dict[tuple[bytes, int], str]:
    """Return the text of each line as its example article prints it, where it does so first."""
    if not rows:
        return {}
    source_of = {r["example_article_id"]: r["source_id"] for r in rows}
    ids = pa.array(sorted(source_of), ID)
    stored = warehouse.rows("paragraphs", "article_id", ids)
    stored = stored.append_column("revision_id", stored["article_id"])
    articles = {"revision_id": ids, "source_id": [source_of[i] for i in sorted(source_of)]}
    stored_lines = find_lines(stored, pa.table(articles))
    is_asked = pc.is_in(spans["article_id"], ids)
    # Of a stored and a fresh revision the fresh one counts, of two equal lines the first.
    found: dict[tuple[bytes, int], str] = {}
    for paragraphs, own in (
        (spans.filter(is_asked), lines.filter(is_asked)),
        (stored, stored_lines),
    ):
        hashes = (own["line_hash"].to_numpy() & ~EDGE).tolist()
        columns = [paragraphs[name].to_pylist() for name in ("article_id", "text")]
        for article, text, line in zip(*columns, hashes, strict=True):
            found.setdefault((article, line), text)
    return found


def stale_articles(
    warehouse: Warehouse, learned: Learned, standing: pa.Table, fresh: Fresh, run_id: str
) -> pa.Table:
    """Return the STALE_ARTICLES rows of what a batch taught; its own articles are derived now.

    Only current revisions are searched for the lines. Earlier ones have texts too: of a source
    whose furniture changes, every article with several revisions is derived again.
    """
    changed = pa.array(np.concatenate((learned.learned, learned.unlearned)), HASH)
    rows = [t.filter(pc.is_in(t["line_hash"], changed)) for t in (learned.furniture, standing)]
    sources = pc.unique(pa.concat_tables([t.select(["source_id"]) for t in rows])["source_id"])
    if not len(sources) and not len(learned.stale):
        return STALE_ARTICLES.schema.empty_table()  # most batches teach nothing
    revised = warehouse.select(
        "SELECT DISTINCT article_id FROM articles SEMI JOIN s USING (source_id)"
        " WHERE NOT is_current",
        s=pa.table({"source_id": sources}),
    )
    ids = pa.concat_arrays([learned.stale, _ids(revised)]).unique()
    taken = pa.array(sorted(fresh.replaced), ID)
    ids = ids.filter(pc.invert(pc.is_in(ids, taken)))
    table = {"article_id": ids, "run_id": pa.array([run_id] * len(ids), pa.string())}
    return pa.table(table, STALE_ARTICLES.schema)


def _ids(table: pa.Table) -> pa.Array:
    return table["article_id"].combine_chunks().cast(ID)
