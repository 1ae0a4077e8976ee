"""`unecho restore`: the original bytes of a document."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline.commands.options import warehouse_of
from pipeline.errors import WarehouseError


def restore(
    context: typer.Context,
    document: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="An article_id, or the document_id of a document (quarantined ones too).",
            show_default=False,
        ),
    ],
    header: Annotated[
        bool,
        typer.Option(
            "--header", help="Write the header line of a CSV row before it, as it was in the file."
        ),
    ] = False,
) -> None:
    """Write a document's original bytes to stdout.

    A document is a file (plain text), a line without its newline (JSONL), an element's bytes (JSON
    array), a row's bytes (CSV) or a one-row Arrow IPC stream (Parquet), after outer compression.
    """
    from pipeline.store.archive import fetch_document

    found = fetch_document(warehouse_of(context), document)
    if found is None:
        raise WarehouseError(
            f"no article or document has the id {document}",
            next_step='look ids up: unecho sql "SELECT article_id, title FROM articles_all"',
        )
    if header:
        if found.header:
            sys.stdout.buffer.write(found.header + "\n".encode(found.encoding))
    elif found.header:
        typer.echo("a CSV row; --header writes its header line before it", err=True)
    sys.stdout.buffer.write(found.content)
    sys.stdout.buffer.flush()
