"""Parse: documents become articles, or go to quarantine with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.contracts import Contract, conform
from pipeline.errors import DocumentError
from pipeline.interim import PARSED, UNREAD
from pipeline.sources import identity
from pipeline.sources.columns import COLUMN_TABLE, Mapped, map_record
from pipeline.sources.dates import Moment, read_date
from pipeline.sources.decode import unify_line_ends
from pipeline.sources.records import Reading, exact_id, extra_json, read_record, reading_of

# Every stage holds a text several times over; what is read from files is limited before.
MAX_TEXT_CHARS = 64 * 1024 * 1024

# Control characters that no editor writes. A stray one (the ETX that ended a Reuters story) does
# no harm and stays; a text full of them is no text. NUL alone is always a fault.
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROLS = 8
_MAX_CONTROL_SHARE = 0.01

_UNITS = {"jsonl": "line", "json": "element", "csv": "row", "parquet": "row"}
_MAX_COLUMNS_SHOWN = 20

_NEXT_STEPS = {
    "unreadable": "check the path and its permissions and ingest it again",
    "empty_file": "write the file again, or leave it out with .unechoignore",
    "binary": "export it as text, or leave it out with .unechoignore",
    "broken_archive": "get the file again and ingest it: what was whole in it is already taken",
    "too_large": "cut it, or raise max_document_bytes and ingest it again",
    "broken_csv": 'put fields that hold quotes into quotes (") and double them inside',
    "broken_parquet": "write the file anew and ingest it again",
}


class _Document(NamedTuple):
    document_id: bytes
    source_id: str
    container: str
    position: int
    media: str
    encoding: str
    parse_options: str
    header: bytes
    content: bytes
    n_bytes: int
    problem: str | None
    problem_message: str | None


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
    original_text: str
    extra: str | None
    content_hash: bytes


class _Unread(NamedTuple):
    document_id: bytes
    source_id: str
    container: str
    position: int
    reason: str
    message: str
    n_bytes: int


def parse(documents: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return (PARSED, UNREAD) of DOCUMENTS (or READ): a pure function of the rows.

    Every document is in one of the two, except that of several documents with the same article
    and content the one with the smallest id stands for all. Nothing raises for one document's
    sake: what is unexpected becomes an UNREAD row with reason `fault`.
    """
    articles: dict[bytes, _Article] = {}
    unread: dict[bytes, _Unread] = {}
    for document in _rows(documents):
        try:
            article = _parse_one(document)
        except Exception as error:
            unread[document.document_id] = _refuse(document, error)
            continue
        # The revision id is a hash of the article id too.
        known = articles.get(article.revision_id)
        if known is None or article.document_id < known.document_id:
            articles[article.revision_id] = article
    return _table(articles.values(), _Article._fields, PARSED), _table(
        unread.values(), _Unread._fields, UNREAD
    )


def _rows(documents: pa.Table) -> Iterator[_Document]:
    columns = [documents.column(name).to_pylist() for name in _Document._fields]
    return map(_Document._make, zip(*columns, strict=True))


def _table(rows: Iterable[tuple[Any, ...]], names: Sequence[str], contract: Contract) -> pa.Table:
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = {
        name: pa.array(column, type=contract.schema.field(name).type)
        for name, column in zip(names, columns, strict=True)
    }
    table = pa.Table.from_arrays(
        [arrays[name] for name in contract.schema.names], schema=contract.schema
    )
    return conform(table, contract)


def _parse_one(document: _Document) -> _Article:
    """Return the article of one document.

    Raises:
        DocumentError: it cannot be taken, with the reason.
        UnicodeEncodeError: a field holds half of a surrogate pair.
    """
    if document.problem is not None:
        raise DocumentError(
            document.problem,
            document.problem_message or document.problem,
            next_step=_NEXT_STEPS.get(document.problem, "correct it and ingest it again"),
        )
    reading = reading_of(document.parse_options)
    record = read_record(
        document.media, document.encoding, document.content, document.header, reading.delimiter
    )
    mapped = map_record(record, reading.column_map)
    _check_text(mapped, record, reading)
    _check_controls(mapped)
    column = mapped.columns.get("native_id")
    if column is not None and type(record[column]) is float:
        exact = exact_id(document.media, document.encoding, document.content, column)
        mapped.fields["native_id"] = exact or mapped.fields["native_id"]
    return _article(document.document_id, mapped, reading)


def _article(document_id: bytes, mapped: Mapped, reading: Reading) -> _Article:
    get = mapped.fields.get
    native_id, url, title, publisher = get("native_id"), get("url"), get("title"), get("publisher")
    byline, language, section = get("byline"), get("language"), get("section")
    source_id = get("source_id") or reading.source_id
    text = unify_line_ends(mapped.fields["text"]).removeprefix("\ufeff")
    published = _date("published_at", mapped, reading)
    updated = _date("updated_at", mapped, reading)
    article_id = identity.article_id(source_id, native_id, url, title, text)
    content_hash = identity.content_hash(
        title, text, url, byline, published.at, updated.at, section, language, publisher
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
        text,
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
        raise _missing_text(record, reading)
    if len(text) > MAX_TEXT_CHARS:
        raise DocumentError(
            "too_large",
            f"the text has {len(text):,} characters, more than the limit of {MAX_TEXT_CHARS:,}",
            next_step="cut it and ingest it again",
        )


def _check_controls(mapped: Mapped) -> None:
    """Check that all fields are made of characters.

    Raises:
        DocumentError: `control_characters`.
    """
    for field, value in mapped.fields.items():
        if isinstance(value, str) and "\0" in value:
            raise _control_characters(f"a NUL character in {mapped.columns[field]!r}")
    text = mapped.fields["text"]
    n_controls = sum(1 for _ in _CONTROLS.finditer(text))
    if n_controls > max(_MAX_CONTROLS, _MAX_CONTROL_SHARE * len(text)):
        raise _control_characters(f"{n_controls:,} control characters in the text")


def _missing_text(record: Mapping[str, Any], reading: Reading) -> DocumentError:
    mapped = dict(reading.column_map).get("text")
    looked_in = ", ".join(COLUMN_TABLE["text"] if mapped is None else [mapped])
    shown = [str(name)[:40] for name in record][:_MAX_COLUMNS_SHOWN]
    columns = ", ".join(shown) + (", ..." if len(record) > len(shown) else "")
    return DocumentError(
        "missing_text",
        f"no text in {looked_in}; columns found: {columns or 'none'}",
        next_step="name the column with --map text=COLUMN",
    )


def _control_characters(what: str) -> DocumentError:
    return DocumentError(
        "control_characters",
        what,
        next_step="take them out at the source and ingest it again",
    )


def _refuse(document: _Document, error: Exception) -> _Unread:
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
    return _Unread(
        document.document_id,
        document.source_id,
        document.container,
        document.position,
        error.reason,
        message.encode("utf-8", "replace").decode("utf-8"),
        document.n_bytes,
    )
