"""Why a document is not taken, as the row of quarantine says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.errors import DocumentError
from pipeline.sources.columns import COLUMN_TABLE
from pipeline.sources.document_rows import DocumentRow
from pipeline.sources.records import Reading

_UNITS = {"jsonl": "line", "json": "element", "csv": "row", "parquet": "row"}
_MAX_COLUMNS_SHOWN = 20

NEXT_STEPS = {
    "unreadable": "check the path and its permissions and ingest it again",
    "empty_file": "write the file again, or leave it out with .unechoignore",
    "binary": "export it as text, or leave it out with .unechoignore",
    "broken_archive": "get the file again and ingest it: what was whole in it is already taken",
    "too_large": "cut it, or raise max_document_bytes and ingest it again",
    "broken_csv": 'put fields that hold quotes into quotes (") and double them inside',
    "broken_parquet": "write the file anew and ingest it again",
}


class Unread(NamedTuple):
    """One row of UNREAD."""

    document_id: bytes
    source_id: str
    container: str
    position: int
    reason: str
    message: str
    n_bytes: int


def missing_text(record: Mapping[str, Any], reading: Reading) -> DocumentError:
    """Return that no column of a record holds a text."""
    mapped = dict(reading.column_map).get("text")
    looked_in = ", ".join(COLUMN_TABLE["text"] if mapped is None else [mapped])
    shown = [str(name)[:40] for name in record][:_MAX_COLUMNS_SHOWN]
    columns = ", ".join(shown) + (", ..." if len(record) > len(shown) else "")
    return DocumentError(
        "missing_text",
        f"no text in {looked_in}; columns found: {columns or 'none'}",
        next_step="name the column with --map text=COLUMN",
    )


def control_characters(what: str) -> DocumentError:
    """Return that a field holds what no text has."""
    return DocumentError(
        "control_characters",
        what,
        next_step="take them out at the source and ingest it again",
    )


def refuse(document: DocumentRow, error: Exception) -> Unread:
    """Return the UNREAD row of a document: what was wrong, where; next step."""
    if isinstance(error, UnicodeEncodeError):
        error = DocumentError(
            "lone_surrogate",
            "a field holds half of a surrogate pair",
            next_step="correct the text at its source and ingest it again",
        )
    if not isinstance(error, DocumentError):
        error = DocumentError(
            "fault",
            f"{type(error).__name__}: {error}",
            next_step="this is a fault in unecho: report it with the document",
        )
    place = document.container
    if document.position:
        place = f"{place}, {_UNITS.get(document.media, 'document')} {document.position}"
    message = " ".join(f"{error.message} ({place}); {error.next_step}".split())
    return Unread(
        document.document_id,
        document.source_id,
        document.container,
        document.position,
        error.reason,
        message.encode("utf-8", "replace").decode("utf-8"),
        document.n_bytes,
    )
