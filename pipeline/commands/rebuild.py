"""`unecho rebuild`: derive everything again, with other parameters."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from pipeline.commands.interrupts import ended_as_by_ctrl_c, ended_at_once
from pipeline.commands.options import call_of, settings_of

if TYPE_CHECKING:
    from pipeline.report.rebuild_report import RebuildSummary
    from pipeline.settings import Settings


def rebuild(
    context: typer.Context,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A parameter to derive with, as near_jaccard=0.6; KEY=default for its default; "
            "may be repeated. Others stay as the warehouse remembers them.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Do not record the run even if a server is there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Derive everything again from the raw archive.

    No source is read and no network used. What comes out different replaces what stands in one
    step; readers see the old snapshot until then. Story ids stay, ids that are merged away lead
    on. The warehouse remembers the parameters, and later runs of ingest use them.
    """
    with ended_at_once():
        from flows.rules import parse_parameter

        settings = settings_of(context)
        given = dict(parse_parameter(assignment) for assignment in sets or ())
    with ended_as_by_ctrl_c():
        summary, url = _run(settings, given, is_dry_run=dry_run, may_record=not direct)
    _warn(settings, given)
    if json:
        from pipeline.report.answers import as_json

        sys.stdout.buffer.write(as_json(summary.as_json() | {"recorded_url": url}) + b"\n")
        return
    from pipeline.report.rebuild_report import rebuild_report
    from pipeline.report.terminal import terminal_width

    for line in rebuild_report(summary, call_of(context), terminal_width()):
        sys.stdout.write(line + "\n")
    if url:
        sys.stdout.write(f"The run: {url}\n")


def _run(
    settings: Settings, given: dict[str, Any], *, is_dry_run: bool, may_record: bool
) -> tuple[RebuildSummary, str | None]:
    """Run the flow, recorded where a server answers; return its page, too."""
    from pipeline.report.progress import IngestProgress

    api = None
    if may_record and not is_dry_run:
        from flows.server import find_server

        api = find_server(settings)
    with IngestProgress(None) as progress:
        if api is not None:
            from flows.rebuild_recorded import record_rebuild

            return record_rebuild(settings, api, given=given, on_progress=progress.update)
        from flows.rebuild import run_rebuild

        summary = run_rebuild(
            settings,
            str(uuid4()),
            given=given,
            is_dry_run=is_dry_run,
            stage=progress.stage,
            on_progress=progress.update,
        )
    return summary, None


def _warn(settings: Settings, given: dict[str, Any]) -> None:
    """Say on stderr where a setting contradicts what was given: the next ingest is refused."""
    from flows.rules import explicit_parameters

    for name, value in explicit_parameters(settings).items():
        if name in given and given[name] != value:
            typer.echo(
                f"unecho: {name} is also set in the environment or unecho.toml, to another value: "
                "take it out there, or the next ingest is refused",
                err=True,
            )
