"""Read a document of the raw archive once more, with other options: the source of a replay."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts import conform
from pipeline.interim import READ
from pipeline.sources.files import ReadOptions, read_batches

_SUFFIXES = {"text": ".txt", "jsonl": ".jsonl", "json": ".json", "csv": ".csv"}
_OUTER = (".gz", ".zst")


def reread(document: Mapping[str, Any], options: ReadOptions) -> pa.Table:
    """Return READ rows of one DOCUMENTS row, read again as `options` say.

    What `options` leave open (source, column map, encoding) is taken as it was. The bytes go
    through the same connector as any file, so a replayed document has the identity that its file
    would have given it; container and position stay those of the first reading.
    """
    before = json.loads(document["parse_options"])
    encoding = document["encoding"] if document["encoding"] != "unknown" else None
    merged = replace(
        options,
        source_id=options.source_id or before["source_id"],
        column_map=options.column_map or before["map"],
        timezone=before["timezone"],
        encoding=options.encoding or encoding,
    )
    with tempfile.TemporaryDirectory(prefix="unecho-replay-") as folder:
        path = Path(folder) / f"document{_suffix(document)}"
        _write(document, path)
        tables = list(read_batches([path], merged))
    rows = pa.concat_tables(tables)
    for name in ("container", "position"):
        field = READ.schema.field(name)
        column = pa.array([document[name]] * rows.num_rows, field.type)
        rows = rows.set_column(rows.schema.get_field_index(name), field, column)
    return conform(rows, READ)


def _suffix(document: Mapping[str, Any]) -> str:
    """Return the file name's ending that tells the connector how to split the bytes."""
    if document["media"] == "parquet" and not document["problem"]:
        return ".parquet"
    known = _SUFFIXES.get(document["media"])
    if known == ".csv" and json.loads(document["parse_options"]).get("delimiter") == "\t":
        return ".tsv"
    if known:
        return known
    suffixes = PurePath(document["container"]).suffixes
    # Outer compression was taken off before the document was landed.
    return next((s for s in reversed(suffixes) if s not in _OUTER), ".txt")


def _write(document: Mapping[str, Any], path: Path) -> None:
    if path.suffix == ".parquet":
        with pa.ipc.open_stream(document["content"]) as stream:
            pq.write_table(stream.read_all(), path)
        return
    before, after = document["header"], b""
    if before:
        before += "\n".encode(document["encoding"])
    elif document["media"] == "json":  # an element: alone it might be taken for a wrapper
        before, after = (sign.encode(document["encoding"]) for sign in "[]")
    path.write_bytes(before + document["content"] + after)
