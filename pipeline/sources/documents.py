"""READ rows: every document with its identity and all that parsing needs beside its bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import conform
from pipeline.interim import READ
from pipeline.sources.formats.slices import Run, Slice
from pipeline.text.digests import digests
from pipeline.text.utf8 import Utf8

_PURPOSE = b"unecho.document"


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
    def identity_head(self) -> bytes:
        """Return everything in the identity but the content, each part with its length.

        The 16-byte identity of a document says how it is read and holds its bytes, never its path.
        """
        options = self.parse_options.encode()
        parts = self.header, self.media.encode(), self.encoding.encode(), options
        return b"".join([len(part).to_bytes(8, "little") + part for part in parts])

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


class _Gathered(NamedTuple):
    """Documents as they were found, of which the whole batch is made at once."""

    contents: list[bytes]
    positions: list[int]
    origins: list[_Origin]
    heads: list[bytes]
    """What the ids of each origin's documents begin with."""
    sizes: list[int]
    """How many documents in a row each origin has."""

    def content_array(self) -> tuple[pa.LargeBinaryArray, pa.FixedSizeBinaryArray]:
        """Return the contents and their identities; the list of contents is empty afterwards.

        Each stands behind the head of its origin: together they are what its id is the hash of.
        """
        pieces: list[bytes] = [b""] * (2 * len(self.contents))
        pieces[1::2] = self.contents
        pieces[::2] = [
            head for head, n in zip(self.heads, self.sizes, strict=True) for _ in range(n)
        ]
        self.contents.clear()
        bounds = np.zeros(len(pieces) + 1, np.int64)
        np.cumsum(list(map(len, pieces)), out=bounds[1:])
        joined = np.frombuffer(b"".join(pieces), np.uint8)
        every = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(pieces), [None, pa.py_buffer(bounds), pa.py_buffer(joined)]
        )
        return every, digests(Utf8(joined, np.ascontiguousarray(bounds[::2])), _PURPOSE)


class ReadBatch:
    """READ rows that are being gathered."""

    def __init__(self, max_documents: int, max_bytes: int) -> None:
        """Name the size at which the batch is full."""
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._begin()

    def _begin(self) -> None:
        self._found = _Gathered([], [], [], [], [])
        self._n_bytes = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._found.positions)

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
        self._found.contents.append(found.content)
        self._found.positions.append(found.position)
        self._add_origin(envelope, 1, found.problem, found.message)
        return None

    def _add_run(self, envelope: Envelope, run: Run) -> Run | None:
        reached = self._n_bytes + np.cumsum(list(map(len, run.contents)))
        # The document that reaches the limit is the last one.
        n_fit = int(np.searchsorted(reached, self._max_bytes)) + 1
        n_added = min(self._max_documents - len(self), n_fit, reached.size)
        self._n_bytes = int(reached[n_added - 1])
        self._found.contents.extend(run.contents[:n_added])
        self._found.positions.extend(range(run.position, run.position + n_added))
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
        if self._found.origins and self._found.origins[-1] == origin:
            self._found.sizes[-1] += n_documents
        else:
            self._found.origins.append(origin)
            self._found.heads.append(envelope.identity_head)
            self._found.sizes.append(n_documents)

    def take(self) -> pa.Table:
        """Return READ, sorted by its key, and begin anew."""
        found = self._found
        self._begin()
        if not found.positions:
            return READ.schema.empty_table()
        pieces, ids = found.content_array()
        words = np.frombuffer(ids.buffers()[1], ">u8").reshape(-1, 2)
        order = np.lexsort((words[:, 1], words[:, 0]))
        contents = pieces.take(pa.array(2 * order + 1))
        of_origin = pa.array(np.repeat(np.arange(len(found.origins)), found.sizes)[order])
        columns = {
            "document_id": ids.take(pa.array(order)),
            "position": pa.array(np.array(found.positions, np.int64)[order]),
            "content": contents,
            "n_bytes": pc.binary_length(contents),
        }
        for name, values in zip(_Origin._fields, zip(*found.origins, strict=True), strict=True):
            columns[name] = pa.array(values, READ.schema.field(name).type).take(of_origin)
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
