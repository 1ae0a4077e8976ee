"""The flow that a schedule runs: everything of one source that is not taken yet."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run as this_run
from prefect.states import Failed

from flows.children import end_with_parent
from flows.housekeeping import drop_overtaken
from flows.intake import requests_of
from flows.recorded import FLOW_NAME, Outcome, record_body, run_name
from pipeline.errors import UnechoError
from pipeline.settings import load_settings

# Nobody waits for a scheduled run, so it is patient: a long ingest from the command line must
# not turn every run that it meets red.
_LOCK_WAIT_SECONDS = 900.0

if "PREFECT__FLOW_RUN_ID" in os.environ:
    # This is the process of a flow run; importing this module is the first act that is ours.
    end_with_parent()


def _run_name() -> str:
    start = this_run.scheduled_start_time or datetime.now(UTC)
    return run_name([str(this_run.parameters["source"])], start.astimezone(UTC))


@flow(
    name=FLOW_NAME,
    flow_run_name=_run_name,
    persist_result=False,
    description="Takes everything new of a source: lands it, drops what repeats, publishes.",
)
def ingest_flow(source: str, warehouse: str, config: str | None = None) -> State[Any]:
    """Take everything new of a source: land it, drop what repeats, publish.

    Files that were taken before are not read again, so a run that was missed costs nothing.

    Args:
        source: Name of the [[source]] in unecho.toml.
        warehouse: Root folder of the warehouse.
        config: Path of unecho.toml; without one the environment says which.
    """
    drop_overtaken()
    if config:
        os.environ["UNECHO_CONFIG"] = config
    outcome = Outcome()
    try:
        settings = load_settings(warehouse=Path(warehouse))
        patient = max(settings.lock_wait_seconds, _LOCK_WAIT_SECONDS)
        settings = settings.model_copy(update={"lock_wait_seconds": patient})
        requests = requests_of(settings, (source,))
    except UnechoError as error:
        return Failed(message=str(error))
    state = record_body(outcome, requests, settings, os.environ["PREFECT_API_URL"])
    if state.is_failed() or (outcome.summary is not None and outcome.summary.n_documents):
        # Prefect passes it on to the terminal of `unecho serve`.
        alarms = outcome.summary.alarms if outcome.summary is not None else []
        for line in (str(state.message), *(f"alarm: {a}" for a in alarms)):
            sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {source}: {line}\n")
    return state
