"""`unecho ingest` as a flow run that Prefect records; imports Prefect only when it is called."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from flows.intake import Request
from flows.server import api_url, is_temporary, local_server, run_page, use_server
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.sources.files import Progress


def record_ingest(
    requests: Sequence[Request],
    settings: Settings,
    api: str,
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[RunSummary, str]:
    """Ingest the requests as a flow run of the server whose API is `api`.

    Returns the counts of the run and the address of its page. A server of `local_server` ends
    soon: the page is then that of `unecho serve`, which shows the same history, and the call
    returns when the server has written everything down.

    Raises:
        UnechoError: the run failed (the flow run is Failed with the same line), or the server
            did not take it and nothing was ingested.
    """
    prepare(settings, api)
    from flows.recorded import run_recorded, wait_until_recorded

    is_ending = is_temporary(settings.warehouse, api)
    page_api = api_url(settings.server_port) if is_ending else api
    try:
        outcome = run_recorded(requests, settings, page_api, on_progress)
    finally:
        if is_ending:
            wait_until_recorded()
    assert outcome.summary is not None
    return outcome.summary, run_page(page_api, outcome.flow_run_id)


def record_with_own_server(
    requests: Sequence[Request],
    settings: Settings,
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[RunSummary, str]:
    """Do as `record_ingest` with a server that runs for the time of this run."""
    with local_server(settings, while_starting=lambda api: prepare(settings, api)) as api:
        from flows.housekeeping import end_left_over

        with contextlib.suppress(Exception):  # tidying is not worth failing an ingest
            end_left_over("This run was left over: its process was killed.")
        return record_ingest(requests, settings, api, on_progress=on_progress)


def prepare(settings: Settings, api: str) -> None:
    """Set this process up to record with `api` and import Prefect (1-2 s, once)."""
    use_server(settings.warehouse, api)
    import flows.recorded  # noqa: F401
