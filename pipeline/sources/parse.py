"""Parse: documents become articles, or go to quarantine with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import in_order
from pipeline.contracts import Contract, conform
from pipeline.errors import DocumentError
from pipeline.interim import PARSED, UNREAD
from pipeline.sources import identity
from pipeline.sources.columns import Mapped, map_record
from pipeline.sources.dates import Moment, read_date
from pipeline.sources.decode import unify_line_ends
from pipeline.sources.document_rows import DocumentRow, document_rows
from pipeline.sources.json_columns import read_columns
from pipeline.sources.pages import page_record
from pipeline.sources.parsed_columns import parsed_columns
from pipeline.sources.records import Reading, exact_id, extra_json, read_record, reading_of
from pipeline.sources.refusals import (
    NEXT_STEPS,
    Unread,
    control_characters,
    missing_text,
    refuse,
)

# Every stage holds a text several times over; what is read from files is limited before.
MAX_TEXT_CHARS = 64 * 1024 * 1024

# Control characters that no editor writes. A stray one (the ETX that ended a Reuters story) does
# no harm and stays; a text full of them is no text. NUL alone is always a fault.
_CONTROLS = bytes((*range(0x01, 0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F))
_MAX_CONTROLS = 8
_MAX_CONTROL_SHARE = 0.01


class _Article(NamedTuple):
    article_id: bytes
    revision_id: bytes
    document_id: bytes
    native_id: str | None
    url: str | None
    source_id: str
    publisher: str | None
    title: str | None
    byline: str | None
    published_at: datetime | None
    updated_at: datetime | None
    published_precision: str | None
    language: str | None
    section: str | None
    original_text: bytes
    extra: str | None
    content_hash: bytes


def parse(documents: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return (PARSED, UNREAD) of DOCUMENTS (or READ): a pure function of the rows.

    Every document is in one of the two, except that of several documents with the same article
    and content the one with the smallest id stands for all. Nothing raises for one document's
    sake: what is unexpected becomes an UNREAD row with reason `fault`.
    """
    together, left = _read_together(documents)
    parts = [(table, UNREAD.schema.empty_table()) for table in together]
    if left.num_rows:
        parts.append(_read_one_by_one(left))
    return join_parsed(parts)


def _read_together(documents: pa.Table) -> tuple[list[pa.Table], pa.Table]:
    """Return PARSED of the documents that can be read column by column, and the other documents."""
    tables: list[pa.Table] = []
    is_left = np.ones(documents.num_rows, np.bool_)
    try:
        for columns in read_columns(documents, MAX_TEXT_CHARS):
            is_left[columns.rows] = False
            ids = documents["document_id"].combine_chunks().take(pa.array(columns.rows, pa.int64()))
            tables.append(parsed_columns(ids, columns))
    except Exception:
        # One by one, the document that is at fault is named, and the others are read.
        return [], documents
    return tables, documents if is_left.all() else documents.filter(pa.array(is_left))


def _read_one_by_one(documents: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return (PARSED, UNREAD) of documents, each read by itself: what parsing means."""
    articles: dict[bytes, _Article] = {}
    unread: dict[bytes, Unread] = {}
    for document in document_rows(documents):
        try:
            article = _parse_one(document)
        except Exception as error:
            unread[document.document_id] = refuse(document, error)
            continue
        # The revision id is a hash of the article id too.
        known = articles.setdefault(article.revision_id, article)
        if article.document_id < known.document_id:
            articles[article.revision_id] = article
    return (
        _table(articles.values(), _Article._fields, PARSED),
        _table(unread.values(), Unread._fields, UNREAD),
    )


def join_parsed(parts: Sequence[tuple[pa.Table, pa.Table]]) -> tuple[pa.Table, pa.Table]:
    """Return the (PARSED, UNREAD) that `parse` gives for all documents, from those of its parts.

    Any split of a batch gives the same: an article of several parts is that of the smallest
    document id, as within one part, and of documents refused twice the last one speaks.
    """
    by_document = [(name, "ascending") for name in (*PARSED.key, "document_id")]
    parsed, unread = (
        tables[0]
        if len(tables) == 1
        else pa.concat_tables([contract.schema.empty_table(), *tables])
        for tables, contract in (
            ([p for p, _ in parts if p.num_rows], PARSED),
            ([u for _, u in parts if u.num_rows], UNREAD),
        )
    )
    parsed = in_order(parsed, by_document)
    # Sorting is stable: of equal ids the last is that of the last part.
    unread = in_order(unread, [("document_id", "ascending")])
    begins = _is_new(parsed["revision_id"].combine_chunks())
    ends = _is_new(unread["document_id"].combine_chunks()[::-1])[::-1]
    return conform(_only(parsed, begins), PARSED), conform(_only(unread, ends), UNREAD)


def _only(table: pa.Table, is_chosen: pa.Array) -> pa.Table:
    """Return the chosen rows; the table itself where these are all."""
    return table if pc.all(is_chosen).as_py() is not False else table.filter(is_chosen)


def _is_new(ids: pa.Array) -> pa.Array:
    """Return which values of a sorted column differ from the one before."""
    if not len(ids):
        return pa.array([], pa.bool_())
    changed = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
    return pa.concat_arrays([pa.array([True]), changed])


def _table(rows: Iterable[tuple[Any, ...]], names: Sequence[str], contract: Contract) -> pa.Table:
    """Return a table of rows that begin with the contract's key.

    They are sorted here, where a row is a pointer: `conform` has no text to move then.
    """
    key = itemgetter(*range(len(contract.key)))
    columns: Sequence[Sequence[Any]] = list(zip(*sorted(rows, key=key), strict=True))
    schema = contract.schema
    arrays = {
        name: _column(column, schema.field(name).type)
        for name, column in zip(names, columns or [()] * len(names), strict=True)
    }
    return conform(
        pa.Table.from_arrays([arrays[name] for name in schema.names], schema=schema), contract
    )


def _column(values: Sequence[Any], dtype: pa.DataType) -> pa.Array:
    """Return a column; long texts come as the UTF-8 that we made, which is not checked again."""
    if pa.types.is_large_string(dtype):
        return pa.array(values, pa.large_binary()).view(dtype)
    return pa.array(values, dtype)


def _parse_one(document: DocumentRow) -> _Article:
    """Return the article of one document.

    Raises:
        DocumentError: it cannot be taken, with the reason.
        UnicodeEncodeError: a field holds half of a surrogate pair.
    """
    if document.problem is not None:
        raise DocumentError(
            document.problem,
            document.problem_message or document.problem,
            next_step=NEXT_STEPS.get(document.problem, "correct it and ingest it again"),
        )
    reading = reading_of(document.parse_options)
    record: Mapping[str, Any]
    if document.media == "html":
        record = page_record(document.content, document.encoding, reading.timezone)
    else:
        record = read_record(
            document.media, document.encoding, document.content, document.header, reading.delimiter
        )
    mapped = map_record(record, reading.column_map)
    _check_text(mapped, record, reading)
    text, encoded = _text_of(mapped)
    column = mapped.columns.get("native_id")
    if column is not None and type(record[column]) is float:
        exact = exact_id(document.media, document.encoding, document.content, column)
        mapped.fields["native_id"] = exact or mapped.fields["native_id"]
    return _article(document.document_id, mapped, text, encoded, reading)


def _article(
    document_id: bytes, mapped: Mapped, text: str, encoded: bytes, reading: Reading
) -> _Article:
    get = mapped.fields.get
    published = _date("published_at", mapped, reading)
    updated = _date("updated_at", mapped, reading)
    composed = identity.in_nfc(text)
    hashed = encoded if composed is text else composed.encode()
    source_id = get("source_id") or reading.source_id
    native_id, url, title = get("native_id"), get("url"), get("title")
    byline, publisher = get("byline"), get("publisher")
    language, section = get("language"), get("section")
    article_id = identity.article_id(source_id, native_id, url, title, hashed)
    content_hash = identity.content_hash(
        title, hashed, url, byline, published.at, updated.at, section, language, publisher
    )
    return _Article(
        article_id,
        identity.revision_id(article_id, content_hash),
        document_id,
        native_id,
        url,
        source_id,
        publisher,
        title,
        byline,
        published.at,
        updated.at,
        published.precision,
        language,
        section,
        encoded,
        extra_json(mapped.extra),
        content_hash,
    )


def _date(field: str, mapped: Mapped, reading: Reading) -> Moment:
    """Return the date of a field; the words of one that is no date stay in extra."""
    value = mapped.fields.get(field)
    moment = read_date(value, reading.timezone)
    if moment.precision == "unparsed":
        mapped.extra[mapped.columns[field]] = value
    return moment


def _check_text(mapped: Mapped, record: Mapping[str, Any], reading: Reading) -> None:
    """Check that there is a text.

    Raises:
        DocumentError: `missing_text` or `too_large`.
    """
    text = mapped.fields.get("text")
    if text is None:
        raise missing_text(record, reading)
    if len(text) > MAX_TEXT_CHARS:
        raise DocumentError(
            "too_large",
            f"the text has {len(text):,} characters, more than the limit of {MAX_TEXT_CHARS:,}",
            next_step="cut it and ingest it again",
        )


def _text_of(mapped: Mapped) -> tuple[str, bytes]:
    """Return the text with its line ends unified, and its UTF-8: its hash and column need it.

    Raises:
        DocumentError: `control_characters`.
        UnicodeEncodeError: it holds half of a surrogate pair.
    """
    text = unify_line_ends(mapped.fields["text"]).removeprefix("\ufeff")
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        _check_controls(mapped, text.encode("utf-8", "surrogatepass"))
        raise
    _check_controls(mapped, encoded)
    return text, encoded


def _check_controls(mapped: Mapped, encoded: bytes) -> None:
    """Check that all fields are made of characters.

    The text is looked at in UTF-8: NULs are found there ten times and controls three times as
    fast as in characters of two bytes.

    Raises:
        DocumentError: `control_characters`.
    """
    for field, value in mapped.fields.items():
        if type(value) is str and (b"\0" in encoded if field == "text" else "\0" in value):
            raise control_characters(f"a NUL character in {mapped.columns[field]!r}")
    n_controls = len(encoded) - len(encoded.translate(None, _CONTROLS))
    if n_controls > max(_MAX_CONTROLS, _MAX_CONTROL_SHARE * len(mapped.fields["text"])):
        raise control_characters(f"{n_controls:,} control characters in the text")
