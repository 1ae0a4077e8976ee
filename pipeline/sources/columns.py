"""Columns: which column of a record fills which field of an article.

Names are compared without regard to case, white space around them and Unicode form. The first
column of a field's list that is not empty wins; columns that no field takes go to `extra`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from pipeline.errors import SettingsError

COLUMN_TABLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "native_id": ("id", "native_id"),
        "url": ("url",),
        "title": ("title", "headline"),
        "text": ("text", "body", "content", "maintext", "articleBody"),
        "published_at": ("published_at", "published", "date", "datePublished", "date_publish"),
        "updated_at": ("updated_at", "modified", "date_modify", "dateModified"),
        "source_id": ("source_id", "source", "publisher", "outlet", "source_domain"),
        "publisher": ("publisher",),
        "byline": ("byline", "author", "authors"),
        "language": ("language", "lang"),
        "section": ("section", "category", "sections"),
    }
)
"""Field of an article -> names of columns that fill it, in the order in which they are tried."""

DEFAULT_SOURCE_ID = "local"
"""The source of records that name none, when the user names none either."""

FIELDS = tuple(COLUMN_TABLE)

# White space and the invisible characters that editors leave in fields that are empty.
_INVISIBLE = (
    "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
    + "\u00ad\u200b\u200c\u200d\u2060\ufeff"
)

BLANKS = frozenset(_INVISIBLE)
"""A name that neither begins nor ends with one of these is stored as it is."""

ColumnMap = tuple[tuple[str, str], ...]


def fold_name(name: str) -> str:
    """Return the form in which column names are compared."""
    return unicodedata.normalize("NFC", str(name)).strip().casefold()


def resolve_map(column_map: Mapping[str, str]) -> ColumnMap:
    """Return the user's column map as sorted (field, column) pairs.

    The left side may be a field or any name of its list (`body=본문` is `text=본문`).

    Raises:
        SettingsError: a left side that is no field, an empty column, a field named twice.
    """
    resolved: dict[str, str] = {}
    for name, column in column_map.items():
        target = _field_of(name)
        if target is None:
            raise SettingsError(
                "map",
                f"{name!r} is no field of an article",
                next_step=f"use FIELD=COLUMN with one of {', '.join(FIELDS)}",
            )
        if not column.strip():
            raise SettingsError(
                "map", f"no column is named for {name}", next_step="use FIELD=COLUMN"
            )
        if target in resolved:
            raise SettingsError(
                "map", f"{target} is mapped twice", next_step="name one column for it"
            )
        resolved[target] = column
    return tuple(sorted(resolved.items()))


def _field_of(name: str) -> str | None:
    folded = fold_name(name)
    if folded in COLUMN_TABLE:
        return folded
    for target, names in COLUMN_TABLE.items():
        if folded in map(fold_name, names):
            return target
    return None


@lru_cache(maxsize=64)
def _wanted(column_map: ColumnMap) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return (field, folded column names in order) under the user's map.

    A mapped column takes the place of the field's whole list, and `publisher` is replaced in
    the list of `source_id` too: whoever maps it has said where the outlet's name stands.
    """
    mapped = dict(column_map)
    wanted = []
    for target, names in COLUMN_TABLE.items():
        if target in mapped:
            columns: Iterable[str] = (mapped[target],)
        else:
            columns = (mapped.get("publisher", n) if n == "publisher" else n for n in names)
        wanted.append((target, tuple(map(fold_name, columns))))
    return tuple(wanted)


class Plan(NamedTuple):
    """What the columns of a record are for: candidates of each field in order, and the rest."""

    fields: tuple[tuple[str, Callable[[object], Any], tuple[str, ...]], ...]
    rest: tuple[str, ...]


@lru_cache(maxsize=4096)
def plan_columns(columns: tuple[str, ...], column_map: ColumnMap) -> Plan:
    """Return the plan for records with these columns."""
    by_name: dict[str, list[str]] = {}
    for column in columns:
        by_name.setdefault(fold_name(column), []).append(column)
    fields = []
    for target, names in _wanted(column_map):
        present = tuple(column for name in names for column in by_name.get(name, ()))
        if present:
            fields.append((target, _READERS.get(target, as_name), present))
    candidates = {column for _, _, present in fields for column in present}
    return Plan(tuple(fields), tuple(c for c in columns if c not in candidates))


def has_text_column(record: Mapping[str, Any], column_map: ColumnMap) -> bool:
    """Tell whether a record has a column for the text, empty or not."""
    return any(target == "text" for target, _, _ in plan_columns(tuple(record), column_map).fields)


class Mapped(NamedTuple):
    """The fields of a record, the columns they came from, and what no field took."""

    fields: dict[str, Any]
    columns: dict[str, str]
    extra: dict[str, Any]


def map_record(record: Mapping[str, Any], column_map: ColumnMap) -> Mapped:
    """Return the first value that a field can use, for each field, and the rest as extra.

    A value that holds more than the field takes (an author with a mail address) stays in extra,
    too.
    """
    plan = plan_columns(tuple(record), column_map)
    fields: dict[str, Any] = {}
    columns: dict[str, str] = {}
    taken: set[str] = set()
    for target, read, candidates in plan.fields:
        for column in candidates:
            value = record[column]
            usable = read(value)
            if usable is not None:
                fields[target], columns[target] = usable, column
                if type(value) is str or not _is_structured(value):
                    taken.add(column)
                break
    rest = {column: record[column] for column in plan.rest}
    if len(rest) + len(taken) < len(record):
        rest |= {c: v for c, v in record.items() if c not in rest and c not in taken}
    return Mapped(fields, columns, {c: v for c, v in rest.items() if not is_empty(v)})


def _is_structured(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(part, (dict, list)) for part in value)
    )


def is_empty(value: object) -> bool:
    """Tell whether a value says nothing: None, NaN, invisible characters, an empty list."""
    if isinstance(value, str):
        return not value.strip(_INVISIBLE)
    if isinstance(value, (list, dict)):
        return not value
    # NaN alone differs from itself.
    return value is None or value != value


def as_name(value: object) -> str | None:
    """Return a short field as text, None when empty: numbers as digits, lists joined by `, `.

    schema.org and news APIs give an author or publisher as an object with a `name`.
    """
    if isinstance(value, str):
        return value.strip() if value.strip(_INVISIBLE) else None
    if isinstance(value, float) and value.is_integer():
        # A column of ids with a gap in it is one of floats after pandas.
        return str(int(value))
    if isinstance(value, (int, float, Decimal)):
        return None if isinstance(value, bool) or value != value else str(value)
    if isinstance(value, dict):
        return as_name(value.get("name"))
    if isinstance(value, list):
        return ", ".join(name for name in map(as_name, value) if name) or None
    return None


def as_text(value: object) -> str | None:
    """Return a body as text, untouched, None when empty: paragraphs in a list become lines."""
    if isinstance(value, str):
        return value if value.strip(_INVISIBLE) else None
    if isinstance(value, list):
        is_text = all(isinstance(part, str) for part in value)
        return as_text("\n".join(value)) if is_text else None
    return None if isinstance(value, dict) else as_name(value)


def as_date(value: object) -> object | None:
    """Return a value that may be read as a date, None when empty."""
    if type(value) is str:
        return value if value.strip(_INVISIBLE) else None
    is_date = isinstance(value, (str, int, float, date)) and not isinstance(value, bool)
    return value if is_date and not is_empty(value) else None


_READERS: Mapping[str, Callable[[object], Any]] = MappingProxyType(
    {"text": as_text, "published_at": as_date, "updated_at": as_date}
)
