"""READ rows: every document with its identity and all that parsing needs beside its bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import pyarrow as pa

from pipeline.contracts import conform
from pipeline.interim import READ
from pipeline.sources.formats.slices import Slice


@dataclass(frozen=True)
class Envelope:
    """What the documents of one container have in common."""

    container: str
    source_id: str
    media: str
    encoding: str
    options: tuple[tuple[str, Any], ...]
    header: bytes = b""

    @cached_property
    def parse_options(self) -> str:
        """Return the options as canonical JSON."""
        return canonical_json(dict(self.options))

    @cached_property
    def seed(self) -> Any:
        """Return the hash of everything in the identity but the content."""
        return start_hash(self.header, self.media, self.encoding, self.parse_options)

    def with_options(self, **more: object) -> Envelope:
        """Return the envelope of a document that needs further options."""
        return Envelope(
            self.container,
            self.source_id,
            self.media,
            self.encoding,
            (*self.options, *more.items()),
            self.header,
        )


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys and no white space: equal values give equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def start_hash(header: bytes, media: str, encoding: str, parse_options: str) -> Any:
    """Return a hash object that has taken in how a document is read, each part with its length."""
    seed = hashlib.blake2b(digest_size=16, person=b"unecho.document")
    for part in (header, media.encode(), encoding.encode(), parse_options.encode()):
        seed.update(len(part).to_bytes(8, "little"))
        seed.update(part)
    return seed


def document_id(seed: Any, content: bytes) -> bytes:
    """Return the 16-byte identity of a document: how it is read and its bytes, never its path."""
    identity = seed.copy()
    identity.update(content)
    return bytes(identity.digest())


class ReadBatch:
    """READ rows that are being gathered."""

    def __init__(self, max_documents: int, max_bytes: int) -> None:
        """Name the size at which the batch is full."""
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._rows: list[tuple[Any, ...]] = []
        self._n_bytes = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    @property
    def is_full(self) -> bool:
        """Tell whether the batch has reached one of its limits."""
        return len(self._rows) >= self._max_documents or self._n_bytes >= self._max_bytes

    def add(self, envelope: Envelope, found: Slice) -> None:
        """Add one document."""
        if found.problem is not None:
            envelope = _with_problem(envelope, found)
        self._n_bytes += len(found.content)
        self._rows.append(
            (
                document_id(envelope.seed, found.content),
                envelope.source_id,
                envelope.container,
                found.position,
                envelope.media,
                envelope.encoding,
                envelope.parse_options,
                envelope.header,
                found.content,
                len(found.content),
                found.problem,
                found.message,
            )
        )

    def take(self) -> pa.Table:
        """Return READ and begin anew."""
        # Sorted as rows, by the id that they begin with: `conform` has no content to move then.
        rows = sorted(self._rows, key=itemgetter(0))
        columns = list(zip(*rows, strict=True)) or [()] * len(READ.schema)
        self._rows, self._n_bytes = [], 0
        arrays = [
            pa.array(column, type=f.type) for column, f in zip(columns, READ.schema, strict=True)
        ]
        return conform(pa.Table.from_arrays(arrays, schema=READ.schema), READ)


def _with_problem(envelope: Envelope, found: Slice) -> Envelope:
    """Return the envelope of a document that could not be read as its neighbours were.

    The problem is part of the identity: the same bytes are another document, to be tried
    again, once a limit was raised or an archive is whole.
    """
    more: dict[str, object] = {"problem": found.problem}
    if found.piece:
        more["piece"] = found.piece
    if not found.content:
        # No bytes tell one such fault from another: here the place is the identity.
        more["container"] = envelope.container
    return envelope.with_options(**more)
