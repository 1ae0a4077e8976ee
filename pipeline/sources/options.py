"""How sources are read: the settings of one reading, checked before the first byte."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pipeline.errors import SettingsError
from pipeline.sources.columns import DEFAULT_SOURCE_ID, resolve_map
from pipeline.sources.decode import resolve_label
from pipeline.sources.formats.slices import MEBIBYTE, Limits


@dataclass(frozen=True)
class ReadOptions:
    """The settings of one reading.

    `column_map` takes fields (or any name of `columns.COLUMN_TABLE`) to columns as the user
    names them; `timezone` is where dates without an offset belong; `encoding` is a label for
    all files, None to detect it; a batch ends at `batch_documents` or `batch_bytes`; a document
    above `max_document_bytes` goes to quarantine unparsed.

    Raises:
        SettingsError: an unknown field, time zone or encoding, or a size below 1.
    """

    source_id: str | None = None
    column_map: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timezone: str = "UTC"
    encoding: str | None = None
    batch_documents: int = 8_000
    batch_bytes: int = 64 * MEBIBYTE
    max_document_bytes: int = 16 * MEBIBYTE

    def __post_init__(self) -> None:
        """Check everything that can be checked without a file."""
        resolve_map(self.column_map)
        if self.encoding is not None:
            resolve_label(self.encoding)
        check_timezone(self.timezone)
        for key in ("batch_documents", "batch_bytes", "max_document_bytes"):
            if getattr(self, key) < 1:
                raise SettingsError(key, "must be at least 1")

    @property
    def label(self) -> str | None:
        """Return the codec that `encoding` names."""
        return None if self.encoding is None else resolve_label(self.encoding)

    @property
    def effective_source_id(self) -> str:
        """Return the source of records that name none."""
        return (self.source_id or "").strip() or DEFAULT_SOURCE_ID

    @property
    def limits(self) -> Limits:
        """Return the lengths at which a document is too large, and is kept in pieces."""
        piece_bytes = max(Limits.piece_bytes, self.max_document_bytes)
        return Limits(self.max_document_bytes, piece_bytes + -piece_bytes % 4)

    def for_parsing(self) -> tuple[tuple[str, Any], ...]:
        """Return what `parse` needs to know, to be kept with every document."""
        return (
            ("source_id", self.effective_source_id),
            ("map", dict(resolve_map(self.column_map))),
            ("timezone", self.timezone),
        )


def check_timezone(name: str) -> None:
    """Check that a time zone is known.

    Raises:
        SettingsError: it is not.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(
            "timezone",
            f"{name!r} is no time zone",
            next_step="use a name of the IANA database such as Asia/Seoul",
        ) from error


@dataclass(frozen=True)
class Progress:
    """How far a container has been read; `bytes_total` is None where nobody knows (a pipe)."""

    container: str
    bytes_read: int
    bytes_total: int | None
    documents: int
