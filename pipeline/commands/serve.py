"""`unecho serve`: server, UI and schedules."""

from __future__ import annotations

import typer

from pipeline.commands.options import settings_of


def serve(context: typer.Context) -> None:
    """Run the schedules of unecho.toml and the UI.

    The Prefect server, its UI and the schedules run until Ctrl-C. All of it listens on 127.0.0.1
    and ends together, children too. Only new files of a source are read, and runs of one source
    never overlap.
    """
    from flows.serve import serve as serve_schedules

    raise typer.Exit(serve_schedules(settings_of(context)))
