"""From a document's bytes to the record they hold."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from pipeline.errors import DocumentError
from pipeline.sources.columns import ColumnMap
from pipeline.sources.decode import decode_text, unify_line_ends
from pipeline.sources.json_text import load_exact, load_json

# The longest of 5,207 headlines measured (Korean and English) has 67 characters.
_MAX_TITLE_CHARS = 200
# A first line that ends like a sentence is a paragraph: 10 of those headlines (0.2 %) end in a
# full stop. Three dots are none.
_SENTENCE_END = re.compile(r"(?:(?<!\.)\.|[。．｡])[\"'”’」』)\]]?$")

_WHOLE_FLOAT = re.compile(r"^(-?\d+)\.0+$")

# The csv module refuses fields above 128 KiB; documents are limited before they come here.
csv.field_size_limit(2**31 - 1)


class Reading(NamedTuple):
    """What parsing needs to know beside the bytes: the parse_options of a document."""

    source_id: str
    column_map: ColumnMap
    timezone: str
    delimiter: str


@lru_cache(maxsize=256)
def reading_of(parse_options: str) -> Reading:
    """Return the parse_options JSON of a document as a value."""
    options = json.loads(parse_options)
    return Reading(
        options["source_id"],
        tuple(sorted(options["map"].items())),
        options["timezone"],
        options.get("delimiter", ","),
    )


def read_record(
    media: str, encoding: str, content: bytes, header: bytes, delimiter: str
) -> Mapping[str, Any]:
    """Return the record that a document holds, column by column.

    Raises:
        DocumentError: with the reason why there is none.
    """
    if media in ("jsonl", "json"):
        value = load_json(content, encoding)
        if not isinstance(value, dict):
            raise DocumentError(
                "not_a_record",
                f"the JSON value is {_kind(value)}, not an object",
                next_step='write each article as one object such as {"title": ..., "text": ...}',
            )
        return value
    if media == "csv":
        return _csv_record(content, encoding, header, delimiter)
    if media == "parquet":
        return _parquet_record(content)
    if media == "text":
        return _text_record(decode_text(content, encoding))
    raise DocumentError(
        "fault",
        f"documents of the kind {media!r} cannot be parsed",
        next_step="this is a fault in unecho: report it",
    )


def exact_id(media: str, encoding: str, content: bytes, column: str) -> str | None:
    """Return an id with the digits that the document has, where a float would lose some."""
    if media not in ("jsonl", "json"):
        return None
    value = load_exact(content, encoding).get(column)
    # A column of ids with a gap in it is one of floats after pandas: 1.0 is the article 1.
    return _WHOLE_FLOAT.sub(r"\1", value) if isinstance(value, str) else None


def _kind(value: object) -> str:
    names = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _text_record(text: str) -> dict[str, Any]:
    """Return title and text of a plain text article.

    The first line is the title only when a blank line and more text follow it, and when it does
    not read as a paragraph (a sentence with its full stop, or very long).
    """
    text = unify_line_ends(text)
    first, _, rest = text.lstrip("\n").partition("\n")
    blank, _, body = rest.partition("\n")
    is_title = (
        first.strip()
        and not blank.strip()
        and body.strip()
        and len(first) <= _MAX_TITLE_CHARS
        and not _SENTENCE_END.search(first.rstrip())
    )
    return {"title": first, "text": body.lstrip("\n")} if is_title else {"text": text}


def _csv_record(content: bytes, encoding: str, header: bytes, delimiter: str) -> dict[str, str]:
    names = header_names(header, encoding, delimiter)
    values = _csv_fields(decode_text(content, encoding), delimiter)
    if len(values) > len(names) and not any(v.strip() for v in values[len(names) :]):
        del values[len(names) :]
    if len(values) != len(names):
        raise DocumentError(
            "broken_csv",
            f"the row has {len(values)} fields, the header {len(names)}",
            next_step='put fields that hold delimiters or line ends into quotes (")',
        )
    return dict(zip(names, values, strict=True))


@lru_cache(maxsize=256)
def header_names(header: bytes, encoding: str, delimiter: str) -> tuple[str, ...]:
    """Return the column names of a CSV header.

    Raises:
        DocumentError: the header is no row in this encoding.
    """
    return tuple(_unique(_csv_fields(decode_text(header, encoding), delimiter)))


def _unique(names: Iterable[str]) -> list[str]:
    """Return names that are all there and different: by their number where they are not."""
    unique: list[str] = []
    for number, name in enumerate(names, start=1):
        wanted = name.strip() or f"column_{number}"
        unique.append(wanted if wanted not in unique else f"{wanted}_{number}")
    return unique


def _csv_fields(row: str, delimiter: str) -> list[str]:
    try:
        # newline="" semantics: the row goes in whole, so that quoted line ends stay as they are.
        rows = list(csv.reader([row], delimiter=delimiter))
    except csv.Error as error:
        raise DocumentError(
            "broken_csv", f"no CSV row: {error}", next_step="correct it and ingest it again"
        ) from error
    if len(rows) != 1:
        raise DocumentError(
            "broken_csv",
            f"{len(rows)} rows where one was expected",
            next_step="correct the quotes and ingest it again",
        )
    return rows[0]


def _parquet_record(content: bytes) -> dict[str, Any]:
    try:
        table = pa.ipc.open_stream(content).read_all()
        columns = [
            column.cast(_without_nanoseconds(column.type), safe=False) for column in table.columns
        ]
        return {
            name: _plain(column[0].as_py())
            for name, column in zip(_unique(table.column_names), columns, strict=True)
        }
    except UnicodeDecodeError as error:
        raise DocumentError(
            "broken_encoding",
            f"a string column is no UTF-8: {error.reason} at byte {error.start}",
            next_step="write the column as UTF-8 and ingest the file again",
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise DocumentError(
            "broken_parquet", f"no Arrow row: {error}", next_step="write the file anew"
        ) from error


def _without_nanoseconds(dtype: pa.DataType) -> pa.DataType:
    """Return the type with times that Python can hold."""
    if pa.types.is_timestamp(dtype) and dtype.unit == "ns":
        return pa.timestamp("us", dtype.tz)
    if pa.types.is_duration(dtype) and dtype.unit == "ns":
        return pa.duration("us")
    if pa.types.is_time64(dtype):
        return pa.time64("us")
    if pa.types.is_list(dtype):
        return pa.list_(_without_nanoseconds(dtype.value_type))
    if pa.types.is_struct(dtype):
        return pa.struct([f.with_type(_without_nanoseconds(f.type)) for f in dtype])
    return dtype


def _plain(value: Any) -> Any:
    """Return a value of Arrow as one that JSON knows, but for dates, which are read as such."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return base64.b64encode(value).decode("ascii")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return value


def extra_json(extra: Mapping[str, Any]) -> str | None:
    """Return the columns that no field took as a JSON object with sorted keys, None for none."""
    if not extra:
        return None
    try:
        return orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode("utf-8")
    except (TypeError, UnicodeEncodeError):
        text = json.dumps(extra, ensure_ascii=False, sort_keys=True, default=_text_of)
        # Half of a surrogate pair cannot be stored; the document has it as it came.
        return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _text_of(value: object) -> str:
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)
