"""Read a document of the raw archive once more, with other options: the source of a replay."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import conform
from pipeline.interim import READ
from pipeline.sources.decode import detect_encoding, unit_bytes
from pipeline.sources.documents import Envelope, ReadBatch
from pipeline.sources.files import ReadOptions, read_batches
from pipeline.sources.formats.slices import Slice
from pipeline.sources.page_encoding import page_encoding

_SUFFIXES = {"text": ".txt", "html": ".html", "jsonl": ".jsonl", "json": ".json", "csv": ".csv"}
_RECORDS = {*_SUFFIXES, "parquet"}
_OUTER = (".gz", ".zst")


def reread(document: Mapping[str, Any], options: ReadOptions) -> pa.Table:
    """Return READ rows of one DOCUMENTS row, read again as `options` say; none if it cannot be.

    What `options` leave open (source, column map, encoding) is taken as it was. A replayed
    document has the identity that its file, read with these options, would have given it;
    container and position stay those of the first reading.
    """
    before = json.loads(document["parse_options"])
    is_too_large = document["problem"] == "too_large"
    if "piece" in before or (is_too_large and document["n_bytes"] > options.max_document_bytes):
        return READ.schema.empty_table()  # part of an article would pass for one
    merged = replace(
        options,
        source_id=options.source_id or before["source_id"],
        column_map=options.column_map or before["map"],
        timezone=before["timezone"],
    )
    if document["media"] in _RECORDS and (is_too_large or not document["problem"]):
        return _one_record(document, merged, before.get("delimiter"))
    return _split_again(document, merged)


def _one_record(
    document: Mapping[str, Any], options: ReadOptions, delimiter: str | None
) -> pa.Table:
    """Return the one READ row of a document that was cut out whole: it is not cut again.

    Where it ends was found in the file's own encoding; another one might find a line end or a
    quote inside it.
    """
    more = (("delimiter", delimiter),) if delimiter else ()
    envelope = Envelope(
        document["container"],
        options.effective_source_id,
        document["media"],
        _encoding(document, options.label),
        (*options.for_parsing(), *more),
        document["header"],
    )
    batch = ReadBatch(1, 1)
    batch.add(envelope, Slice(document["position"], document["content"]))
    return batch.take()


def _encoding(document: Mapping[str, Any], wanted: str | None) -> str:
    """Return the encoding of a record as ContainerReader would name it."""
    content: bytes = document["content"]
    label = wanted or document["encoding"]
    if document["media"] == "html":
        return page_encoding(content, is_whole=True, label=wanted) if wanted else label
    if document["media"] == "parquet":
        return "utf-8"
    if document["media"] == "text":
        return detect_encoding(content, is_whole=True, label=label)
    is_ascii = content.isascii() and document["header"].isascii()
    return "utf-8" if is_ascii and unit_bytes(label) == 1 else label


def _split_again(document: Mapping[str, Any], options: ReadOptions) -> pa.Table:
    """Return the READ rows of a file, or of a damaged part of one, by way of a file."""
    if options.encoding is None and document["encoding"] != "unknown":
        options = replace(options, encoding=document["encoding"])
    with tempfile.TemporaryDirectory(prefix="unecho-replay-") as folder:
        path = Path(folder) / f"document{_suffix(document)}"
        before, after = _wrapper(document, options.label or "utf-8")
        path.write_bytes(before + document["content"] + after)
        tables = list(read_batches([path], options))
    rows = pa.concat_tables([READ.schema.empty_table(), *tables])
    rows = rows.filter(pc.greater(rows["n_bytes"], 0))  # a fault of the temporary file alone
    for name in ("container", "position"):
        field = READ.schema.field(name)
        column = pa.array([document[name]] * rows.num_rows, field.type)
        rows = rows.set_column(rows.schema.get_field_index(name), field, column)
    return conform(rows, READ)


def _suffix(document: Mapping[str, Any]) -> str:
    """Return the file name's ending that tells the connector how to split the bytes."""
    known = _SUFFIXES.get(document["media"])
    if known == ".csv" and json.loads(document["parse_options"]).get("delimiter") == "\t":
        return ".tsv"
    if known:
        return known
    suffixes = PurePath(document["container"]).suffixes
    # Outer compression was taken off before the document was landed.
    return next((s for s in reversed(suffixes) if s not in _OUTER), ".txt")


def _wrapper(document: Mapping[str, Any], encoding: str) -> tuple[bytes, bytes]:
    """Return what stood around the bytes in their file, in the encoding they are read in now."""
    if document["header"]:
        return document["header"] + "\n".encode(encoding), b""
    if document["media"] == "json":  # an element: alone it might be taken for a wrapper
        return "[".encode(encoding), "]".encode(encoding)
    return b"", b""
