"""Take documents out of quarantine: read them again from the raw archive, with other options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows import tally
from flows.ingest import Stage, direct, ingest_isolated, recorded_run, utc_now
from flows.intake import options_of
from flows.rules import rules_of
from pipeline.contracts import ID
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.sources.reread import reread
from pipeline.store.archive import without_landing
from pipeline.store.model import Change
from pipeline.store.warehouse import Warehouse


def run_replay(
    document_ids: Sequence[bytes] | None,
    settings: Settings,
    run_id: str,
    *,
    column_map: Mapping[str, str] | None = None,
    encoding: str | None = None,
    source_id: str | None = None,
    stage: Stage = direct,
) -> RunSummary:
    """Ingest quarantined documents once more; None means all of them.

    What can be taken now leaves the quarantine; what cannot stays there with its new reason.

    Raises:
        UnechoError: the run failed; nothing left the quarantine that was not taken.
    """
    options = options_of(
        settings, source_id=source_id, column_map=column_map or {}, encoding=encoding
    )

    def work(warehouse: Warehouse, summary: RunSummary) -> None:
        rules = rules_of(settings)
        for document in _quarantined(warehouse, document_ids):
            read = reread(document, options)
            landed = stage(warehouse.land)(read, run_id, utc_now())
            own = pa.array([document["document_id"]], ID)
            is_same = pc.is_in(read["document_id"], own).to_pylist()
            tally.count_read(summary, read, landed, n_again=sum(is_same))
            if any(is_same):  # read as before: the archive holds it, its rows are tried again
                again = without_landing(warehouse.rows("documents", "document_id", own))
                ingest_isolated(again, warehouse, rules, summary, stage)
            ingest_isolated(landed, warehouse, rules, summary, stage)
            if not any(is_same):  # its successors stand for it, taken or refused
                warehouse.publish(Change(removed={"quarantine": own}), run_id, utc_now())

    return recorded_run(
        work, settings, run_id, ["quarantine"], flow_name="replay", recorded_url=None
    )


def _quarantined(
    warehouse: Warehouse, document_ids: Sequence[bytes] | None
) -> list[dict[str, Any]]:
    """Return the DOCUMENTS rows of what is in quarantine, oldest first; those without bytes stay.

    An unreadable or empty file left nothing to read again: it must be ingested anew.
    """
    rows = warehouse.select("SELECT document_id FROM quarantine ORDER BY quarantined_at")
    ids = rows["document_id"].combine_chunks()
    if document_ids is not None:
        ids = ids.filter(pc.is_in(ids, pa.array(list(document_ids), ID)))
    documents = warehouse.rows("documents", "document_id", ids).to_pylist()
    return [d for d in documents if d["n_bytes"]]
