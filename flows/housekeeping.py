"""What Prefect leaves behind and does not clear by itself: dead runs, their slots, a backlog.

Rejected: leaving it to Prefect. It has no catch-up policy (30 late runs start at once after six
minutes of downtime, issue 15886), runs of a killed runner stay Running for ever (16746), and the
slot of a dead run blocks its deployment when the server was killed as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed

_UNFINISHED = (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)
_PAGE = 200


def end_left_over(message: str) -> int:
    """Mark every run that counts as going on as crashed, and free its place; return how many.

    Only for a moment in which nothing can run: before the schedules start, after they ended.
    """
    n_ended = 0
    with get_client(sync_client=True) as client:
        while runs := client.read_flow_runs(flow_run_filter=_in_states(*_UNFINISHED), limit=_PAGE):
            for run in runs:
                client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            n_ended += len(runs)
        _free_places(client)
    return n_ended


def drop_missed() -> set[UUID]:
    """Delete the scheduled runs whose time has passed; return the deployments that had any."""
    with get_client(sync_client=True) as client:
        due = _due()
        missed = {d.id for d in client.read_deployments(flow_run_filter=due, limit=_PAGE)}
        _delete(client, due)
    return missed


def drop_overtaken() -> None:
    """Within a scheduled run: delete the older slots of its schedule that still wait.

    This run takes everything that is not taken yet, theirs too.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return
    due = _due()
    due.deployment_id = FlowRunFilterDeploymentId(any_=[context.flow_run.deployment_id])
    with get_client(sync_client=True) as client:
        _delete(client, due)


def run_once(deployments: Sequence[UUID]) -> None:
    """Start one run of each deployment now: what was missed is taken by one run."""
    with get_client(sync_client=True) as client:
        for deployment in deployments:
            client.create_flow_run_from_deployment(deployment)


def forget_other_deployments(kept: Sequence[UUID], flow_name: str) -> None:
    """Delete the deployments of the flow that are not in `kept`: sources that were taken out.

    Their schedules would go on making runs that nobody takes.
    """
    with get_client(sync_client=True) as client:
        for deployment in client.read_deployments(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[flow_name])), limit=_PAGE
        ):
            if deployment.id not in kept:
                client.delete_deployment(deployment.id)


def scheduled_among(deployments: Sequence[UUID]) -> set[UUID]:
    """Return those of the deployments that have a run waiting for its time."""
    with get_client(sync_client=True) as client:
        chosen = _in_states(StateType.SCHEDULED)
        found: set[UUID] = set()
        for deployment in deployments:
            chosen.deployment_id = FlowRunFilterDeploymentId(any_=[deployment])
            if client.read_flow_runs(flow_run_filter=chosen, limit=1):
                found.add(deployment)
        return found


def _due() -> FlowRunFilter:
    """Return what chooses the scheduled runs that should have started by now."""
    chosen = _in_states(StateType.SCHEDULED)
    chosen.expected_start_time = FlowRunFilterExpectedStartTime(
        before_=datetime.now(UTC)  # type: ignore[arg-type]  # Prefect's own subclass of datetime
    )
    return chosen


def _delete(client: SyncPrefectClient, chosen: FlowRunFilter) -> None:
    """Delete flow runs; the server takes 50 at once (one by one, 200 took longer than 18 s)."""
    body = {"flow_runs": chosen.model_dump(mode="json")}
    path: Any = "/flow_runs/bulk_delete"  # not in the client's list of routes (3.8.8)
    while client.request("POST", path, json=body).json()["deleted"]:
        pass


def _free_places(client: SyncPrefectClient) -> None:
    """Give back the places that dead runs hold: their leases died with the server's memory."""
    for limit in client.read_global_concurrency_limits(limit=_PAGE):
        if limit.active_slots:
            client.update_global_concurrency_limit(
                limit.name, GlobalConcurrencyLimitUpdate(active_slots=0)
            )


def _in_states(*types: StateType) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))))
