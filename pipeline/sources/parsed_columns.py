"""Columns of documents become PARSED rows: ids and hashes of a whole column at a time."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.interim import PARSED
from pipeline.sources import identity
from pipeline.sources.dates import Moment
from pipeline.sources.json_columns import ReadColumns
from pipeline.sources.urls import url_key

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
    published, updated = (columns.dates.get(name) for name in ("published_at", "updated_at"))
    parts = {name: identity.nfc_array(column) for name, column in fields.items()}
    parts["url"] = _url_keys(fields["url"])
    articles = identity.article_ids(
        parts["source_id"], parts["native_id"], parts["url"], parts["title"], composed
    )
    contents = identity.content_hashes(
        [
            *(parts["title"], composed, parts["url"], parts["byline"]),
            *(_written(published, n), _written(updated, n)),
            *(parts["section"], parts["language"], parts["publisher"]),
        ]
    )
    rows = {
        **fields,
        "article_id": articles,
        "revision_id": identity.revision_ids(articles, contents),
        "document_id": document_ids,
        "published_at": _times(published, n),
        "updated_at": _times(updated, n),
        "published_precision": _strings(
            [moment.precision for moment in published] if published else [None] * n
        ),
        "original_text": columns.texts,
        "extra": pa.array(columns.extras, PARSED.schema.field("extra").type),
        "content_hash": contents,
    }
    return pa.Table.from_arrays([rows[name] for name in PARSED.schema.names], schema=PARSED.schema)


def _strings(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def _url_keys(urls: pa.Array) -> pa.Array:
    """Return the key of each address in NFC."""
    keys = [url_key(url) if url else None for url in urls.to_pylist()]
    return identity.nfc_array(_strings(keys))


def _times(moments: Sequence[Moment] | None, n: int) -> pa.Array:
    times = [moment.at for moment in moments] if moments else [None] * n
    return pa.array(times, PARSED.schema.field("published_at").type)


def _written(moments: Sequence[Moment] | None, n: int) -> pa.Array:
    """Return times as they are hashed."""
    if not moments:
        return pa.nulls(n, pa.string())
    return _strings([moment.at.isoformat() if moment.at else None for moment in moments])
