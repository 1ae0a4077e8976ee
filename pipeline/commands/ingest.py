"""`unecho ingest`: take articles in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from pipeline.commands.interrupts import ended_as_by_ctrl_c, ended_at_once
from pipeline.commands.options import (
    ENCODING_OPTION,
    MAP_OPTION,
    SOURCE_OPTION,
    UsageError,
    call_of,
    column_map,
    settings_of,
    tell_alarms,
)

if TYPE_CHECKING:
    from flows.intake import Request
    from pipeline.report.summary import RunSummary
    from pipeline.settings import Settings


def ingest(
    context: typer.Context,
    places: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="A file, folder or glob; - for JSONL on stdin; a source of unecho.toml by its id "
            "(./id for a file of that name). None: every enabled source of unecho.toml.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[str | None, SOURCE_OPTION] = None,
    columns: Annotated[list[str] | None, MAP_OPTION] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Where dates without an offset belong, as Asia/Seoul; default UTC.",
            show_default=False,
        ),
    ] = None,
    encoding: Annotated[str | None, ENCODING_OPTION] = None,
    prefect: Annotated[
        bool,
        typer.Option("--prefect", help="Record the run even if that means to start a server."),
    ] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Do not record the run even if a server is there.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="The counts of the run as one object on stdout.")
    ] = False,
    batch_documents: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Documents a batch, one commit each.", show_default=False
        ),
    ] = None,
) -> None:
    """Take articles in, from files, folders or stdin.

    Plain text, HTML, JSONL, JSON, CSV, TSV and Parquet are read, .gz and .zst too. What came in
    before is known again and adds nothing. What cannot be taken goes to quarantine whole, and the
    rest goes on. Recorded by Prefect where a server answers (unecho serve of this warehouse, or
    PREFECT_API_URL), else run directly.
    """
    if prefect and direct:
        raise UsageError("--prefect and --direct exclude each other", "leave one out")
    if not all(place.strip() for place in places or ()):
        raise UsageError("an empty SOURCE names nothing", "name a file or folder, . is this one")
    with ended_at_once():
        from pipeline.commands.requests import Overrides, requests_for

        settings = settings_of(context, batch_documents=batch_documents, timezone=timezone)
        overrides = Overrides(source, column_map(columns), timezone, encoding)
        requests = requests_for(places or [], settings, overrides)
        import flows.ingest  # noqa: F401
    with ended_as_by_ctrl_c():
        summary, url = _run(requests, settings, may_start_server=prefect, may_record=not direct)
    if json:
        from pipeline.report.answers import as_json

        sys.stdout.buffer.write(as_json(summary.as_json() | {"recorded_url": url}) + b"\n")
    else:
        from pipeline.report.run_report import run_report
        from pipeline.report.terminal import terminal_width

        for line in run_report(summary, call_of(context), url, terminal_width()):
            sys.stdout.write(line + "\n")
    tell_alarms(summary.alarms)
    _fail_if_nothing_could_be_taken(summary, call_of(context))


def _fail_if_nothing_could_be_taken(summary: RunSummary, call: str) -> None:
    """Say on stderr what could not be read, and exit 1 for it or when all went to quarantine."""
    for problem in summary.source_errors:
        typer.echo(f"unecho: {problem}", err=True)
    if summary.is_all_quarantined:
        typer.echo(
            f"unecho: every document went to quarantine; see: {call} quarantine list", err=True
        )
    if summary.is_all_quarantined or summary.source_errors:
        raise typer.Exit(1)


def _run(
    requests: Sequence[Request], settings: Settings, *, may_start_server: bool, may_record: bool
) -> tuple[RunSummary, str | None]:
    """Run the flow, recorded where that is asked for or a server answers; return its page, too."""
    from pipeline.commands.requests import bytes_of
    from pipeline.report.progress import IngestProgress

    api = _server(settings) if may_record else None
    if api is None and may_start_server:
        typer.echo("unecho: starting a Prefect server for this run, 10 to 20 s …", err=True)
    elif api is None and may_record:
        typer.echo(
            "unecho: no Prefect server, nothing is recorded (--prefect starts one)", err=True
        )
    with IngestProgress(bytes_of(requests)) as progress:
        if api is not None:
            from flows.recording import record_ingest

            return record_ingest(requests, settings, api, on_progress=progress.update)
        if may_start_server:
            from flows.recording import record_with_own_server

            return record_with_own_server(requests, settings, on_progress=progress.update)
        from flows.ingest import run_ingest

        summary = run_ingest(
            requests,
            settings,
            str(uuid4()),
            stage=progress.stage,
            on_progress=progress.update,
        )
    return summary, None


def _server(settings: Settings) -> str | None:
    from flows.server import find_server

    return find_server(settings)
