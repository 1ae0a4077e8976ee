"""READ rows: every document with its identity and all that parsing needs beside its bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.contracts import ID, conform
from pipeline.interim import READ
from pipeline.sources.formats.slices import Run, Slice


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


def document_ids(seed: Any, contents: Iterable[bytes]) -> list[bytes]:
    """Return the identity of each document, as `document_id` does."""
    copy = seed.copy
    ids: list[bytes] = []
    for content in contents:
        identity = copy()
        identity.update(content)
        ids.append(identity.digest())
    return ids


def document_id(seed: Any, content: bytes) -> bytes:
    """Return the 16-byte identity of a document: how it is read and its bytes, never its path."""
    identity = seed.copy()
    identity.update(content)
    return bytes(identity.digest())


class _Origin(NamedTuple):
    """The columns of READ that documents of one container have in common."""

    source_id: str
    container: str
    media: str
    encoding: str
    parse_options: str
    header: bytes
    problem: str | None
    problem_message: str | None


class ReadBatch:
    """READ rows that are being gathered."""

    def __init__(self, max_documents: int, max_bytes: int) -> None:
        """Name the size at which the batch is full."""
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._begin()

    def _begin(self) -> None:
        self._ids: list[bytes] = []
        self._contents: list[bytes] = []
        self._positions: list[int] = []
        self._origins: list[_Origin] = []
        self._sizes: list[int] = []
        """How many documents in a row each origin has."""
        self._n_bytes = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._ids)

    @property
    def is_full(self) -> bool:
        """Tell whether the batch has reached one of its limits."""
        return len(self) >= self._max_documents or self._n_bytes >= self._max_bytes

    def add(self, envelope: Envelope, found: Slice | Run) -> Run | None:
        """Add documents until the batch is full; return those that are left, None for none."""
        if isinstance(found, Run):
            return self._add_run(envelope, found)
        if found.problem is not None:
            envelope = _with_problem(envelope, found)
        self._n_bytes += len(found.content)
        self._ids.append(document_id(envelope.seed, found.content))
        self._contents.append(found.content)
        self._positions.append(found.position)
        self._add_origin(envelope, 1, found.problem, found.message)
        return None

    def _add_run(self, envelope: Envelope, run: Run) -> Run | None:
        reached = self._n_bytes + np.cumsum([len(content) for content in run.contents])
        # The document that reaches the limit is the last one.
        n_fit = int(np.searchsorted(reached, self._max_bytes)) + 1
        n_added = min(self._max_documents - len(self), n_fit, reached.size)
        added = run.contents[:n_added]
        self._n_bytes = int(reached[n_added - 1])
        self._ids += document_ids(envelope.seed, added)
        self._contents += added
        self._positions += range(run.position, run.position + n_added)
        self._add_origin(envelope, n_added, None, None)
        left = run.contents[n_added:]
        return Run(run.position + n_added, left) if left else None

    def _add_origin(
        self, envelope: Envelope, n_documents: int, problem: str | None, message: str | None
    ) -> None:
        origin = _Origin(
            envelope.source_id,
            envelope.container,
            envelope.media,
            envelope.encoding,
            envelope.parse_options,
            envelope.header,
            problem,
            message,
        )
        if self._origins and self._origins[-1] == origin:
            self._sizes[-1] += n_documents
        else:
            self._origins.append(origin)
            self._sizes.append(n_documents)

    def take(self) -> pa.Table:
        """Return READ, sorted by its key, and begin anew."""
        ids = np.frombuffer(b"".join(self._ids), ">u8").reshape(-1, 2)
        order = np.lexsort((ids[:, 1], ids[:, 0]))
        contents = [self._contents[at] for at in order.tolist()]
        bounds = np.append(0, np.cumsum([len(content) for content in contents], dtype=np.int64))
        columns = {
            "document_id": pa.FixedSizeBinaryArray.from_buffers(
                ID, order.size, [None, pa.py_buffer(np.ascontiguousarray(ids[order]))]
            ),
            "position": pa.array(np.array(self._positions, np.int64)[order]),
            "content": pa.LargeBinaryArray.from_buffers(
                pa.large_binary(),
                order.size,
                [None, pa.py_buffer(bounds), pa.py_buffer(b"".join(contents))],
            ),
            "n_bytes": pa.array(np.diff(bounds)),
        }
        if not order.size:
            return READ.schema.empty_table()
        of_origin = pa.array(np.repeat(np.arange(len(self._origins)), self._sizes)[order])
        for name, values in zip(_Origin._fields, zip(*self._origins, strict=True), strict=False):
            columns[name] = pa.array(values, READ.schema.field(name).type).take(of_origin)
        self._begin()
        return conform(pa.table(columns), READ)


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
