"""`unecho quarantine`: documents that could not be taken, and how to take them after all."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.options import (
    ENCODING_OPTION,
    MAP_OPTION,
    SOURCE_OPTION,
    UsageError,
    call_of,
    column_map,
    settings_of,
    tell_alarms,
    warehouse_of,
)
from pipeline.errors import WarehouseError

if TYPE_CHECKING:
    from pipeline.store.archive import Document

_SHOWN_LINES = 20
_SHOWN_BYTES = 4000
"""Of a document on a terminal: enough to recognise it and its encoding."""

quarantine = typer.Typer(help="What could not be taken: list, show, replay.", no_args_is_help=True)

_LIST = """
    SELECT document_id, source_id, container, position, reason, message, n_bytes, quarantined_at,
           run_id
    FROM quarantine
    ORDER BY max(quarantined_at) OVER (PARTITION BY run_id) DESC, run_id, container, position
"""
# On a terminal: of the id what `show` and `replay` need to know it by, of the place the file.
_LIST_SHORT = f"""
    SELECT left(document_id::VARCHAR, 8) AS id, reason, source_id AS source,
           parse_filename(container) || CASE WHEN position > 0 THEN ':' || position ELSE '' END
           AS place, message
    FROM ({_LIST})
"""


@quarantine.command("list")
def list_documents(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One array of objects on stdout.")] = False,
) -> None:
    """List what could not be taken, newest first."""
    from pipeline.report import published
    from pipeline.report.answers import write_answer
    from pipeline.report.terminal import terminal_width

    width = terminal_width()
    shown = _LIST if width is None else _LIST_SHORT
    with published.open_published(warehouse_of(context)) as connection:
        if json:
            write_answer(connection, _LIST, "json", sys.stdout.buffer)
            return
        n_rows, _ = write_answer(connection, shown, "table", sys.stdout.buffer, width)
    sys.stdout.buffer.flush()
    typer.echo(
        f"{n_rows:,} documents; see one whole: {call_of(context)} quarantine show DOCUMENT_ID"
        if n_rows
        else "nothing is in quarantine",
        err=True,
    )


@quarantine.command("show")
def show_document(
    context: typer.Context,
    document: Annotated[str, typer.Argument(metavar="DOCUMENT_ID", show_default=False)],
    raw: Annotated[
        bool, typer.Option("--raw", help="Only the document's bytes, unchanged.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Show one document and why it is there."""
    from pipeline.report.answers import as_json
    from pipeline.store.archive import fetch_document

    root = warehouse_of(context)
    row = _refused(root, document)
    found = fetch_document(root, row["document_id"])
    if found is None:
        raise WarehouseError(
            f"the bytes of {document} are not in the archive", next_step="run: unecho doctor"
        )
    if raw:
        sys.stdout.buffer.write(found.content)
        return
    row |= {"media": found.media, "encoding": found.encoding, "parse_options": found.parse_options}
    if json:
        sys.stdout.buffer.write(as_json(row | {"beginning": _beginning(found)}) + b"\n")
        return
    for name, value in row.items():
        typer.echo(f"{name:<15}  {value}")
    typer.echo("")
    typer.echo(_beginning(found))
    call = call_of(context)
    typer.echo(f"all of it: {call} quarantine show {row['document_id']} --raw", err=True)
    typer.echo(
        f"take it after all: {call} quarantine replay {row['document_id']} --encoding … --map …",
        err=True,
    )


def _refused(root: Path, document: str) -> dict[str, Any]:
    """Return the row of a quarantined document, named by its id or its beginning."""
    from pipeline.report import published

    query = f"SELECT * FROM ({_LIST}) WHERE document_id::VARCHAR LIKE ? || '%' LIMIT 2"
    with published.open_published(root) as connection:
        found = published.rows(connection, query, [document.strip().lower()])
    if len(found) != 1:
        many = "more than one document begins with" if found else "no document in quarantine has"
        raise WarehouseError(f"{many} the id {document}", next_step="see: unecho quarantine list")
    return found[0]


def _beginning(found: Document) -> str:
    """Return the first lines of a document as text, what is no text as escapes."""
    from pipeline.report.terminal import printable

    start = found.content[:_SHOWN_BYTES]
    try:
        text = start.decode(found.encoding or "utf-8", errors="backslashreplace")
    except LookupError:
        text = start.decode("utf-8", errors="backslashreplace")
    lines = [printable(line) for line in text.splitlines()[:_SHOWN_LINES]]
    is_all = len(start) == len(found.content) and len(text.splitlines()) <= _SHOWN_LINES
    return "\n".join(lines if is_all else [*lines, "…"])


@quarantine.command("replay")
def replay_documents(
    context: typer.Context,
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="DOCUMENT_ID", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is in quarantine.")] = False,
    columns: Annotated[list[str] | None, MAP_OPTION] = None,
    encoding: Annotated[str | None, ENCODING_OPTION] = None,
    source: Annotated[str | None, SOURCE_OPTION] = None,
    json: Annotated[
        bool, typer.Option("--json", help="The counts of the run as one object on stdout.")
    ] = False,
) -> None:
    """Take documents after all, with other options.

    They are read again from the raw archive and ingested. What can be taken now leaves the
    quarantine; what cannot stays there with its new reason.
    """
    if bool(documents) == everything:
        raise UsageError("name the documents to replay, or --all", "see: unecho quarantine list")
    from uuid import UUID, uuid4

    from flows.replay import run_replay
    from pipeline.report.answers import as_json
    from pipeline.report.run_report import run_report
    from pipeline.report.terminal import terminal_width

    settings = settings_of(context)
    ids = [UUID(_refused(settings.warehouse, d)["document_id"]).bytes for d in documents or ()]
    summary = run_replay(
        ids or None,
        settings,
        str(uuid4()),
        column_map=column_map(columns),
        encoding=encoding,
        source_id=source,
    )
    if json:
        sys.stdout.buffer.write(as_json(summary.as_json()) + b"\n")
    else:
        for line in run_report(summary, call_of(context), None, terminal_width()):
            typer.echo(line)
    tell_alarms(summary.alarms)
    if summary.is_all_quarantined:
        raise typer.Exit(1)
