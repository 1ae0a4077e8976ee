"""Take documents out of quarantine: read them again from the raw archive, with other options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows import tally
from flows.ingest import finish, ingest_isolated, recorded_run, utc_now
from flows.intake import options_of
from flows.rules import Rules, rules_in
from flows.texts import Stage, direct
from pipeline.contracts import ID, QUARANTINE
from pipeline.errors import WarehouseError
from pipeline.interim import READ
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.sources.files import ReadOptions
from pipeline.sources.parse import parse
from pipeline.sources.reread import reread
from pipeline.store.archive import without_landing
from pipeline.store.layout import Layout
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

    What an interrupted run landed is worked off first. What can be taken now leaves the
    quarantine. What cannot stays there with its new reason, and nothing of it is landed: a
    mistyped encoding leaves no second copy in the archive.

    Raises:
        UnechoError: there is no warehouse, or the run failed; nothing left the quarantine that
            was not taken.
    """
    _require_warehouse(settings.warehouse)
    options = options_of(
        settings, source_id=source_id, column_map=column_map or {}, encoding=encoding
    )

    def work(warehouse: Warehouse, summary: RunSummary) -> None:
        rules = rules_in(warehouse, settings)
        # As in an ingest: what an interrupted run landed would count as known here, and wait.
        for pending in warehouse.pending():
            summary.n_recovered_documents += pending.num_rows
            ingest_isolated(pending, warehouse, rules, summary, stage)
        for ids in _batches(warehouse, document_ids, options):
            standing = warehouse.rows("quarantine", "document_id", ids).to_pylist()
            _replay_batch(standing, options, warehouse, rules, summary, stage)
        finish(warehouse, rules, summary, stage)

    return recorded_run(
        work, settings, run_id, ["quarantine"], flow_name="replay", recorded_url=None
    )


def _require_warehouse(root: Path) -> None:
    """Check that there is a warehouse: opening it would make one.

    Raises:
        WarehouseError: there is none.
    """
    layout = Layout.at(root)
    if not (layout.catalog.is_file() or layout.database.is_file()):
        raise WarehouseError(
            f"there is no warehouse at {layout.root} yet",
            next_step="make one with: unecho ingest FILE, or name yours with --warehouse DIR",
        )


def _batches(
    warehouse: Warehouse, document_ids: Sequence[bytes] | None, options: ReadOptions
) -> Iterator[pa.Array]:
    """Yield the ids of what is in quarantine, oldest first; documents without bytes stay.

    An unreadable or empty file left nothing to read again: it must be ingested anew.
    """
    rows = warehouse.select(
        "SELECT document_id, n_bytes FROM quarantine WHERE n_bytes > 0"
        " ORDER BY quarantined_at, document_id"
    )
    if document_ids is not None:
        rows = rows.filter(pc.is_in(rows["document_id"], pa.array(list(document_ids), ID)))
    ids: list[bytes] = []
    n_bytes = 0
    for row in rows.to_pylist():
        ids.append(row["document_id"])
        n_bytes += row["n_bytes"]
        if len(ids) >= options.batch_documents or n_bytes >= options.batch_bytes:
            yield pa.array(ids, ID)
            ids, n_bytes = [], 0
    if ids:
        yield pa.array(ids, ID)


def _replay_batch(
    standing: list[dict[str, Any]],
    options: ReadOptions,
    warehouse: Warehouse,
    rules: Rules,
    summary: RunSummary,
    stage: Stage,
) -> None:
    """Take what parses now of these QUARANTINE rows, and give the others their new reason.

    A document is taken as soon as one of its successors parses: those that do not are landed
    with it and stand in quarantine for themselves.
    """
    ids = pa.array([row["document_id"] for row in standing], ID)
    documents = warehouse.rows("documents", "document_id", ids).to_pylist()
    tables = {d["document_id"]: _read_again(d, options) for d in documents}
    unread = parse(_joined(tables.values()))[1].to_pylist()
    refused = {row["document_id"]: row for row in unread}
    successors = {id: table["document_id"].to_pylist() for id, table in tables.items()}
    taken = [id for id, after in successors.items() if any(s not in refused for s in after)]
    read = _joined(tables[id] for id in taken)
    _ingest_again(read, warehouse, rules, summary, stage)
    # A row that is among the successors, perhaps its own, was settled by the ingest.
    settled = set(read["document_id"].to_pylist())
    gone = [id for id in taken if id not in settled]
    staying = [r for r in standing if r["document_id"] not in settled.union(taken)]
    renewed = []
    for row in staying:
        reasons = [refused[s] for s in successors.get(row["document_id"], ())]
        now = {**row, **{k: reasons[0][k] for k in ("reason", "message") if reasons}}
        _count_refused(summary, now)
        if now != row:
            renewed.append({**now, "quarantined_at": utc_now(), "run_id": summary.run_id})
    keys = pa.array([*gone, *(row["document_id"] for row in renewed)], ID)
    added = {"quarantine": pa.Table.from_pylist(renewed, schema=QUARANTINE.schema)}
    change = Change(added=added if renewed else {}, removed={"quarantine": keys})
    stage(warehouse.publish)(change, summary.run_id, utc_now())


def _read_again(document: Mapping[str, Any], options: ReadOptions) -> pa.Table:
    """Return READ rows of a document; none where reading it fails, for it stays as it is then."""
    try:
        return reread(document, options)
    except (OSError, MemoryError):
        raise
    except Exception:
        return READ.schema.empty_table()


def _ingest_again(
    read: pa.Table, warehouse: Warehouse, rules: Rules, summary: RunSummary, stage: Stage
) -> None:
    """Land and ingest READ rows; those that the archive holds are tried if in quarantine."""
    if not read.num_rows:
        return
    landed = stage(warehouse.land)(read, summary.run_id, utc_now())
    is_landed = pc.is_in(read["document_id"], landed["document_id"].combine_chunks())
    known = read["document_id"].filter(pc.invert(is_landed)).combine_chunks()
    waiting = warehouse.rows("quarantine", "document_id", known)["document_id"].combine_chunks()
    n_again = sum(pc.is_in(known, waiting).to_pylist())
    tally.count_read(summary, read, landed, n_again=n_again)
    again = without_landing(warehouse.rows("documents", "document_id", waiting))
    ingest_isolated(again, warehouse, rules, summary, stage)
    ingest_isolated(landed, warehouse, rules, summary, stage)


def _joined(tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([READ.schema.empty_table(), *tables])


def _count_refused(summary: RunSummary, row: Mapping[str, Any]) -> None:
    summary.n_documents += 1
    summary.quarantined[row["reason"]] += 1
    summary.of_source(row["source_id"]).n_quarantined += 1
