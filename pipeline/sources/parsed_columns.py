"""Columns of documents become PARSED rows: ids and hashes of a whole column at a time."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import TIME
from pipeline.interim import PARSED
from pipeline.sources import identity
from pipeline.sources.iso_times import Times
from pipeline.sources.json_columns import ReadColumns
from pipeline.sources.urls import url_keys

_NAMES = (
    *("source_id", "native_id", "url", "title", "publisher", "byline", "language", "section"),
)
"""Short fields."""


def parsed_columns(document_ids: pa.Array, columns: ReadColumns) -> pa.Table:
    """Return PARSED rows of the documents with these ids, in their order.

    What the columns mean for one article is said by `parse._article`.
    """
    n = len(document_ids)
    nothing = pa.nulls(n, pa.string())
    fields = {name: columns.names.get(name, nothing) for name in _NAMES}
    fields["source_id"] = pc.fill_null(fields["source_id"], columns.reading.source_id)
    composed = columns.composed
    never = Times(pa.nulls(n, TIME), nothing, nothing)
    published, updated = (columns.dates.get(name, never) for name in ("published_at", "updated_at"))
    may_change = columns.may_combine | (not columns.reading.source_id.isascii())
    parts = {name: identity.nfc_array(column, may_change) for name, column in fields.items()}
    parts["url"] = identity.nfc_array(url_keys(fields["url"]))
    articles = identity.article_ids(
        parts["source_id"], parts["native_id"], parts["url"], parts["title"], composed
    )
    contents = identity.content_hashes(
        [
            *(parts["title"], composed, parts["url"], parts["byline"]),
            *(published.written, updated.written),
            *(parts["section"], parts["language"], parts["publisher"]),
        ]
    )
    rows = {
        **fields,
        "article_id": articles,
        "revision_id": identity.revision_ids(articles, contents),
        "document_id": document_ids,
        "published_at": published.at,
        "updated_at": updated.at,
        "published_precision": published.precision,
        "original_text": columns.texts,
        "extra": pa.array(columns.extras, PARSED.schema.field("extra").type),
        "content_hash": contents,
    }
    return pa.Table.from_arrays([rows[name] for name in PARSED.schema.names], schema=PARSED.schema)
