"""`unecho doctor`: is the warehouse whole?"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline.commands.options import warehouse_of


def doctor(
    context: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every file and compare its checksum, too.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Check the warehouse; exit 1 on any finding.

    Nothing is changed.
    """
    from pipeline.report.answers import as_json
    from pipeline.store.doctor import examine

    root = warehouse_of(context)
    done = examine(root, deep=deep)
    findings = done.findings
    if json:
        answer = {
            "is_sound": not findings,
            "checked": done.checked,
            "findings": [vars(finding) for finding in findings],
        }
        sys.stdout.buffer.write(as_json(answer) + b"\n")
    else:
        for finding in findings:
            typer.echo(f"{finding.check}: {finding.message}; {finding.next_step}")
        typer.echo(f"Checked {root.absolute()}:", err=True)
        for line in done.checked:
            typer.echo(f"  {line}", err=True)
        typer.echo(f"{len(findings)} findings." if findings else "Nothing found: all is sound.")
    if findings:
        raise typer.Exit(1)
