"""What a splitter hands over, and how a document that is too long is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MEBIBYTE = 1024 * 1024


class Slice(NamedTuple):
    """One document cut out of a container.

    `is_open` says that the container ended before the document did (no line end, no closing
    bracket); whether that is a fault depends on the container. `piece` counts from 1 when a
    document is so long that it is kept in pieces, and is 0 for a whole document.
    """

    position: int
    content: bytes
    problem: str | None = None
    message: str | None = None
    piece: int = 0
    is_open: bool = False


class Run(NamedTuple):
    """Whole documents that stand one after the other, with nothing to say of any of them."""

    position: int
    """The position of the first; those of the others follow."""
    contents: list[bytes]

    def slices(self) -> Iterator[Slice]:
        """Yield the documents one by one."""
        for position, content in enumerate(self.contents, start=self.position):
            yield Slice(position, content)


@dataclass(frozen=True)
class Limits:
    """How long a document may be.

    A document above `document_bytes` is not parsed: it goes to quarantine as `too_large`, whole.
    Above `piece_bytes` it does so in consecutive pieces of exactly that size, so that memory
    stays bounded and still no byte is lost: the pieces, joined, are the document.
    """

    document_bytes: int = 16 * MEBIBYTE
    piece_bytes: int = 64 * MEBIBYTE


class Cutter:
    """Turns the bytes of documents into slices, in pieces where one is too long."""

    def __init__(self, limits: Limits, unit: str) -> None:
        """Name the documents of this container in messages: `line`, `element`, `row`, `file`."""
        self.limits = limits
        self.unit = unit
        self.position = 0
        self.n_pieces = 0

    def whole(self, content: bytes, *, is_open: bool = False) -> Iterator[Slice]:
        """Yield the slice of a document, or the rest of one that was spilled."""
        if self.n_pieces == 0 and len(content) <= self.limits.document_bytes:
            yield Slice(self.position, content, is_open=is_open)
            return
        if len(content) > self.limits.piece_bytes:
            buffer = bytearray(content)
            yield from self.spill(buffer)
            content = bytes(buffer)
        if self.n_pieces:
            yield self._piece(content, is_open=is_open)
            return
        message = (
            f"{self._name} has {len(content):,} bytes, more than the limit of "
            f"{self.limits.document_bytes:,}"
        )
        yield Slice(self.position, content, "too_large", message, is_open=is_open)

    def broken(self, content: bytes, reason: str, message: str) -> Slice:
        """Return the slice of a document that cannot be parsed, with the reason."""
        return Slice(self.position, content, reason, message)

    def spill(self, buffer: bytearray) -> Iterator[Slice]:
        """Take full pieces off the front of the bytes of an unfinished document."""
        while len(buffer) > self.limits.piece_bytes:
            yield self._piece(bytes(buffer[: self.limits.piece_bytes]))
            del buffer[: self.limits.piece_bytes]

    def _piece(self, content: bytes, *, is_open: bool = False) -> Slice:
        self.n_pieces += 1
        message = (
            f"piece {self.n_pieces} of {self._name}, which is longer than "
            f"{self.limits.piece_bytes:,} bytes"
        )
        return Slice(self.position, content, "too_large", message, self.n_pieces, is_open)

    @property
    def _name(self) -> str:
        return f"{self.unit} {self.position}" if self.position else f"the {self.unit}"

    def start(self, position: int) -> None:
        """Begin the document at this position."""
        self.position = position
        self.n_pieces = 0
