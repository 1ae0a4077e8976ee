"""Derive everything again from the raw archive, with other parameters and without the network.

archived documents ▶ the way of an article, into a draft ▶ stories under their lasting ids
                   ▶ the rows in which the draft differs ▶ one atomic publish
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows import gather
from flows.ingest import finish, ingest_isolated, utc_now
from flows.rebuild_changes import describe
from flows.rebuild_rows import lasting_names, rebuilt_decisions
from flows.rules import (
    PARAMETERS,
    Rules,
    explicit_parameters,
    rules_from,
    shown,
    value_in,
    without_defaults,
)
from flows.texts import Stage, direct
from pipeline.contracts import CONTRACTS
from pipeline.errors import WarehouseError
from pipeline.report.rebuild_report import ParameterChange, RebuildSummary
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.sources.files import Progress
from pipeline.store.archive import landing_paths, without_landing
from pipeline.store.layout import Layout
from pipeline.store.model import Change, Run, Step, no_step
from pipeline.store.rebuild import Comparison, archived_bytes, archived_documents, open_draft
from pipeline.store.warehouse import Warehouse, open_warehouse

FLOW_NAME = "rebuild"

OnProgress = Callable[[Progress], None]
"""Told how much of the archive is derived, batch by batch."""


def run_rebuild(
    settings: Settings,
    run_id: str,
    *,
    given: Mapping[str, Any] | None = None,
    is_dry_run: bool = False,
    stage: Stage = direct,
    recorded_url: str | None = None,
    on_progress: OnProgress | None = None,
    step: Step = no_step,
) -> RebuildSummary:
    """Derive the whole warehouse again and publish what comes out different, as one snapshot.

    What an interrupted run landed is derived with the rest. Readers see the published snapshot
    until the end.

    Args:
        settings: parameters that they set explicitly come after `given`.
        run_id: the run.
        given: parameters by name; None brings one back to its default. Those named nowhere stay
            as the warehouse remembers them.
        is_dry_run: say what would change, and change nothing.
        stage: makes the stages.
        recorded_url: the run's page where it is recorded.
        on_progress: told how far it is.
        step: called at each step of the commit (commit.STEPS).

    Raises:
        WarehouseError: there is no warehouse or nothing in it, or the run failed: everything
            stands as before.
    """
    summary, began = RebuildSummary(run_id, utc_now(), is_dry_run), time.monotonic()
    _require_warehouse(settings)
    with open_warehouse(
        settings.warehouse,
        lock_wait_seconds=settings.lock_wait_seconds,
        retention_days=settings.retention_days,
        step=step,
    ) as warehouse:
        remembered = _remembered(warehouse)
        parameters = chosen_parameters(settings, remembered, given or {})
        summary.parameters = _parameter_changes(remembered, parameters)
        with _in_ledger(warehouse, summary, recorded_url):
            change = _derive(warehouse, settings, parameters, summary, stage, on_progress)
            if not is_dry_run:
                stage(warehouse.publish)(change, run_id, utc_now())
        summary.snapshot_id = warehouse.snapshot_id
    summary.elapsed_seconds = time.monotonic() - began
    return summary


def chosen_parameters(
    settings: Settings, remembered: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what to derive with: given, else set explicitly, else remembered, else default."""
    chosen = {**remembered, **explicit_parameters(settings), **given}
    return without_defaults({n: value for n, value in chosen.items() if value is not None})


def _derive(
    warehouse: Warehouse,
    settings: Settings,
    parameters: Mapping[str, Any],
    summary: RebuildSummary,
    stage: Stage,
    on_progress: OnProgress | None,
) -> Change:
    """Derive everything into a draft; return what makes the warehouse equal to it."""
    rules = rules_from(parameters)
    with open_draft(warehouse) as draft:
        landings = _fill(draft, warehouse, settings, rules, summary, stage, on_progress)
        keys = gather.history(draft, rules)
        with closing(Comparison(warehouse, draft)) as comparison:
            change: Change = stage(compare)(
                comparison,
                warehouse,
                keys,
                Change(landings=landings, parameters=parameters if summary.parameters else None),
                summary,
            )
            return change


def _fill(
    draft: Warehouse,
    warehouse: Warehouse,
    settings: Settings,
    rules: Rules,
    summary: RebuildSummary,
    stage: Stage,
    on_progress: OnProgress | None,
) -> list[str]:
    """Take every document on the way of an article, into the draft; return pending landings."""
    run = RunSummary(run_id=summary.run_id, started_at=summary.started_at)
    landings: list[str] = []
    bytes_read, bytes_total = 0, archived_bytes(warehouse)
    for documents in _documents(warehouse, settings, landings):
        ingest_isolated(documents, draft, rules, run, stage)
        summary.n_documents += documents.num_rows
        bytes_read += pc.sum(documents["n_bytes"]).as_py()
        if on_progress is not None:
            on_progress(Progress("the archive", bytes_read, bytes_total, summary.n_documents))
    finish(draft, rules, run, stage)
    summary.n_batches = run.n_batches
    return landings


def _documents(warehouse: Warehouse, settings: Settings, landings: list[str]) -> Iterator[pa.Table]:
    """Yield all documents in batches; what an interrupted run landed goes into `landings`."""
    yield from archived_documents(warehouse, settings.batch_documents, settings.batch_bytes)
    for pending in warehouse.pending():
        landings += landing_paths(pending)
        yield without_landing(pending)


def compare(
    comparison: Comparison,
    warehouse: Warehouse,
    keys: list[pa.Table],
    base: Change,
    summary: RebuildSummary,
) -> Change:
    """Return `base` with the rows in which the draft differs, and count them."""
    run_id, now = summary.run_id, utc_now()
    comparison.name_stories(*lasting_names(comparison, warehouse.next_snapshot, run_id))
    added: dict[str, pa.Table] = {}
    removed: dict[str, pa.Table] = {}
    for name in CONTRACTS:
        if name not in ("documents", "decisions", "signatures"):
            added[name], removed[name] = comparison.difference(name)
    added["signatures"], removed["signatures"], signed = comparison.signed_anew(
        warehouse.cached_keys(), keys
    )
    changes = ", ".join(f"{p.name} {p.before} → {p.after}" for p in summary.parameters)
    added["decisions"] = rebuilt_decisions(
        comparison, added["story_members"], changes or "derived again", run_id, now
    )
    summary.rows = {
        name: (rows.num_rows, removed[name].num_rows if name in removed else 0)
        for name, rows in added.items()
        if rows.num_rows or (name in removed and removed[name].num_rows)
    }
    describe(comparison, summary)
    return Change(
        added={name: rows for name, rows in added.items() if rows.num_rows},
        removed={name: rows for name, rows in removed.items() if rows.num_rows},
        keys=signed,
        landings=base.landings,
        parameters=base.parameters,
    )


def _require_warehouse(settings: Settings) -> None:
    """Check that there is a warehouse: opening it would make one.

    Raises:
        WarehouseError: there is none.
    """
    layout = Layout.at(settings.warehouse)
    if not (layout.catalog.is_file() or layout.database.is_file()):
        raise WarehouseError(
            f"there is no warehouse at {layout.root} yet",
            next_step="make one with: unecho ingest FILE, or name yours with --warehouse DIR",
        )


def _remembered(warehouse: Warehouse) -> dict[str, Any]:
    """Return what the warehouse was derived with.

    Raises:
        WarehouseError: nothing was derived yet.
    """
    remembered = warehouse.parameters()
    if remembered is None:
        raise WarehouseError(
            f"the warehouse at {warehouse.root} holds nothing to derive again",
            next_step="take articles in first: unecho ingest FILE",
        )
    return remembered


def _parameter_changes(
    remembered: Mapping[str, Any], parameters: Mapping[str, Any]
) -> list[ParameterChange]:
    """Return the parameters that change; one that this unecho lacks changes to `none`."""
    before, after = rules_from(without_defaults(remembered)), rules_from(parameters)
    changes = [
        ParameterChange(name, shown(value_in(before, name)), shown(value_in(after, name)))
        for name in PARAMETERS
        if value_in(before, name) != value_in(after, name)
    ]
    unknown = [name for name in remembered if name not in PARAMETERS]
    return [*changes, *(ParameterChange(n, shown(remembered[n]), "") for n in unknown)]


@contextmanager
def _in_ledger(
    warehouse: Warehouse, summary: RebuildSummary, recorded_url: str | None
) -> Iterator[None]:
    """Enter the run into the ledger and how it ended; a dry run leaves no trace."""
    if summary.is_dry_run:
        yield
        return
    run = Run(summary.run_id, FLOW_NAME, ("archive",), summary.started_at, recorded_url)
    warehouse.begin_run(run)
    try:
        yield
    except BaseException:
        warehouse.end_run(summary.run_id, "failed", summary.counts())
        raise
    warehouse.end_run(summary.run_id, "completed", summary.counts())
