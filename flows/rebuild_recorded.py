"""A rebuild as a flow run that Prefect records; imports Prefect only when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows.rebuild import FLOW_NAME, OnProgress, run_rebuild
from flows.recording import prepare
from flows.server import run_page
from pipeline.errors import UnechoError, WarehouseError
from pipeline.report.rebuild_report import RebuildSummary, rebuild_report
from pipeline.report.terminal import PIPED_WIDTH
from pipeline.settings import Settings

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

REPORT_KEY = "rebuild-report"


def record_rebuild(
    settings: Settings,
    api: str,
    *,
    given: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[RebuildSummary, str]:
    """Rebuild as a flow run of the server whose API is `api`; return its page, too.

    Raises:
        UnechoError: the run failed (the flow run is Failed with the same line), or the server
            did not take it and nothing was done.
    """
    prepare(settings, api)
    from prefect import flow, get_run_logger
    from prefect.artifacts import create_markdown_artifact
    from prefect.runtime import flow_run as this_run
    from prefect.states import Completed, Failed

    from flows.recorded import Recorder

    done: list[tuple[RebuildSummary, str]] = []
    failed: list[Exception] = []

    @flow(
        name=FLOW_NAME,
        flow_run_name=f"rebuild {datetime.now(UTC):%Y-%m-%d %H:%M}",
        persist_result=False,
        validate_parameters=False,
    )
    def rebuild() -> State[None]:
        """Derive everything again from the raw archive."""
        run_id = str(this_run.id)
        page = run_page(api, run_id)
        try:
            summary = run_rebuild(
                settings,
                run_id,
                given=given,
                stage=Recorder().stage,
                recorded_url=page,
                on_progress=on_progress,
            )
        except UnechoError as error:
            failed.append(error)
            return Failed(message=str(error))
        except Exception as error:
            failed.append(error)
            raise
        done.append((summary, page))
        get_run_logger().info(summary.headline())
        with suppress(Exception):  # published already: the record is not worth failing for
            create_markdown_artifact(_markdown(summary), key=REPORT_KEY)
        return Completed(message=summary.headline())

    try:
        rebuild(return_state=True)
    except Exception as error:
        # The warehouse is the truth, the record is not: what was published counts.
        if not (done or failed):
            raise WarehouseError(
                f"the Prefect server did not record the run: {error}",
                next_step="run again with --direct, or look at the server",
            ) from error
    if failed:
        raise failed[0]
    return done[0]


def _markdown(summary: RebuildSummary) -> str:
    """Return the report as a block of plain text, which no headline can break out of."""
    lines = [line.replace("`", "'") for line in rebuild_report(summary, "unecho", PIPED_WIDTH)]
    return "\n".join(["```text", *lines, "```"])
