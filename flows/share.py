"""The policy for shared paragraphs, brought up to date at the end of a run.

The tables that deduplication reads stay as they are: what leaves a clean record is a cut that the
views apply, so the policy changes no key and no story.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from flows.rows import as_contract, decision_rows, difference, stamped
from flows.rules import Rules
from pipeline.contracts import ID, SHARED_PARAGRAPHS
from pipeline.dedup.shared_policy import CUTS, cut_changes, cut_shared, shorten
from pipeline.store.model import Change
from pipeline.store.warehouse import Warehouse

_RECORDS = """
    SELECT a.article_id, a.source_id, a.published_at, count(*)::INT AS n_long_paragraphs
    FROM articles a JOIN story_members m USING (article_id) JOIN paragraphs p USING (article_id)
    SEMI JOIN shared_paragraphs s ON s.article_id = a.article_id
    WHERE a.is_current AND m.canonical_id = a.article_id
      AND p.status = 'kept' AND p.n_chars >= 40 GROUP BY ALL
"""


def shared_changes(warehouse: Warehouse, rules: Rules, run_id: str, now: datetime) -> Change:
    """Return what the policy cuts now and did not before, and what comes back; often nothing."""
    policy = rules.shared.policy
    standing = warehouse.select("SELECT * FROM shared_cuts")
    if policy == "annotate":
        if not standing.num_rows:
            return Change()
        cuts = CUTS.empty_table()
    else:
        shared = warehouse.select("SELECT * FROM shared_paragraphs")
        records = warehouse.select(_RECORDS)
        cuts = cut_shared(shared.select(SHARED_PARAGRAPHS.schema.names), records, rules.shared)
    ids = pa.concat_arrays([_ids(cuts), _ids(standing)]).unique()
    articles = warehouse.rows("articles", "article_id", ids)
    articles = articles.filter(articles["is_current"])
    paragraphs = warehouse.rows("paragraphs", "article_id", ids)
    spans = paragraphs.join(articles.select(["article_id", "revision_id"]), "article_id")
    changes = cut_changes(cuts, standing, spans)
    shortened = shorten(cuts, articles, paragraphs, policy)
    stood = warehouse.select("SELECT * FROM shortened_texts")
    texts, gone = difference(shortened, stood, "article_id")
    added = {
        "shared_cuts": stamped(changes.added, run_id=run_id),
        "shortened_texts": stamped(texts, run_id=run_id),
        "decisions": decision_rows(changes.removals, run_id, now),
    }
    removed = {"shared_cuts": changes.removed, "shortened_texts": gone}
    return Change(
        added={name: as_contract(name, [rows]) for name, rows in added.items() if rows.num_rows},
        removed={name: keys for name, keys in removed.items() if len(keys)},
    )


def _ids(table: pa.Table) -> pa.Array:
    column = table["article_id"].combine_chunks()
    return pc.cast(column, ID)
