"""`unecho sql`: read-only DuckDB on the published snapshot."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import UsageError, warehouse_of

if TYPE_CHECKING:
    import duckdb

SHOWN_ROWS = 200
"""Rows a terminal shows: what one still scrolls back through; a pipe gets all."""


class Format(StrEnum):
    """How an answer is written."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def sql(
    context: typer.Context,
    query: Annotated[
        str | None,
        typer.Argument(
            metavar="QUERY",
            help="SQL; '-' reads it from stdin; without it, a prompt on a terminal.",
            show_default=False,
        ),
    ] = None,
    answer_format: Annotated[
        Format,
        typer.Option(
            "--format",
            "-f",
            help="csv as DuckDB's COPY writes it; json is one array of objects, ids as text, "
            "times in ISO 8601 (UTC); parquet needs a file or pipe.",
        ),
    ] = Format.table,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    max_rows: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help=f"Rows of a table at the most, 0 is all; {SHOWN_ROWS} on a terminal, else all.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Ask the published snapshot with SQL, read-only.

    Views: articles, articles_all, stories, story_members, paragraphs, decisions, edges,
    revisions, sources, runs, quarantine. DESCRIBE articles lists the columns.
    """
    from pipeline.report.published import open_published
    from pipeline.report.terminal import terminal_width

    answer_format = Format.json if json else answer_format
    text = _text_of(query)
    if text is not None and answer_format is Format.parquet and sys.stdout.isatty():
        raise UsageError(
            "parquet is no text for a terminal",
            "send it to a file: unecho sql … --format parquet > answer.parquet",
        )
    with open_published(warehouse_of(context)) as connection:
        if text is None:
            from pipeline.report.prompt import run_prompt

            run_prompt(
                connection, answer_format.value, SHOWN_ROWS if max_rows is None else max_rows
            )
            return
        if max_rows is None:
            max_rows = SHOWN_ROWS if terminal_width() else 0
        _answer(connection, text, answer_format, max_rows)


def _text_of(query: str | None) -> str | None:
    """Return the SQL to run; None asks for a prompt."""
    if query is not None and query != "-":
        return query
    if query is None and sys.stdin.isatty():
        if sys.stdout.isatty():
            return None
        raise UsageError("no query given", 'write one: unecho sql "SELECT …" > file')
    return sys.stdin.read()


def _answer(
    connection: duckdb.DuckDBPyConnection, text: str, answer_format: Format, max_rows: int
) -> None:
    """Run all statements and write the answer of the last."""
    from pipeline.report.answers import execute, split_statements, write_answer
    from pipeline.report.published import cancellable, check_reads
    from pipeline.report.terminal import terminal_width

    complete, rest = split_statements(text)
    statements = [*complete, rest] if rest else complete
    if not statements:
        raise UsageError("no query given", 'write one: unecho sql "SELECT …"')
    for statement in statements:
        check_reads(connection, statement)
    with cancellable(connection):
        for statement in statements[:-1]:
            execute(connection, statement)
        n_rows, has_more = write_answer(
            connection,
            statements[-1],
            answer_format.value,
            sys.stdout.buffer,
            terminal_width(),
            max_rows,
        )
    sys.stdout.buffer.flush()
    if has_more:
        typer.echo(f"{n_rows:,} rows shown, there are more: --max-rows 0 shows all", err=True)
    elif not n_rows and sys.stdout.isatty():
        typer.echo("no rows", err=True)
