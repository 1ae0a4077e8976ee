"""Containers: a file or standard input as a stream of decompressed bytes."""

from __future__ import annotations

import itertools
import os
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from pipeline.sources.formats.slices import MEBIBYTE

STANDARD_INPUT: Literal["-"] = "-"

_GZIP_MAGIC = b"\x1f\x8b\x08"
# A frame, or one of the sixteen skippable frames with which pzstd begins (RFC 8878, 3.1.2).
_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes((n, 0x2A, 0x4D, 0x18)) for n in range(0x50, 0x60)))
_GZIP_WINDOW_BITS = 31
# `zstd --long=31` needs a window of 2 GiB; the library refuses more than 128 MiB unless told.
_ZSTD_MAX_WINDOW_BYTES = 2**31
# The zstd binding has no output limit: 1 KiB can hold at most 256 blocks of 128 KiB (RFC 8878).
_ZSTD_FEED_BYTES = 1024


class Fault(NamedTuple):
    """Why a stream ended before its file did: a quarantine reason and a one-line message."""

    reason: str
    message: str


class ContainerStream:
    """The bytes of one container after outer compression; ends quietly and says why in `fault`."""

    def __init__(self, file: BinaryIO, bytes_total: int | None) -> None:
        """Read from `file`, which stays the caller's to close."""
        self.file = file
        self.bytes_total = bytes_total
        self.bytes_read = 0
        self.compression: str | None = None
        self.fault: Fault | None = None

    def chunks(self) -> Iterator[bytes]:
        """Yield what the container holds, at most about 1 MiB at a time."""
        raw = self._raw_chunks()
        first = next(raw, b"")
        every = itertools.chain([first], raw) if first else raw
        if first.startswith(_GZIP_MAGIC):
            self.compression = "gzip"
            return self._gunzip(every)
        if first.startswith(_ZSTD_MAGICS):
            self.compression = "zstd"
            return self._unzstd(every)
        return every

    def _raw_chunks(self) -> Iterator[bytes]:
        while True:
            try:
                chunk = self.file.read(MEBIBYTE)
            except OSError as error:
                self.fault = Fault("unreadable", f"reading stopped: {describe(error)}")
                return
            if not chunk:
                return
            self.bytes_read += len(chunk)
            yield chunk

    def _gunzip(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        member = zlib.decompressobj(_GZIP_WINDOW_BITS)
        is_inside = False
        for chunk in chunks:
            # Members may follow each other; zeros between them are padding (gzip(1)).
            rest = chunk if is_inside else chunk.lstrip(b"\0")
            while rest:
                is_inside = True
                try:
                    yield from _inflate(member, rest)
                except zlib.error as error:
                    self._break(str(error))
                    return
                rest = member.unused_data.lstrip(b"\0")
                if member.eof:
                    member, is_inside = zlib.decompressobj(_GZIP_WINDOW_BITS), False
        if is_inside:
            self._break("it ends in the middle")

    def _unzstd(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        import zstandard

        context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_MAX_WINDOW_BYTES)
        frame = context.decompressobj()
        is_inside = False
        for chunk in chunks:
            for start in range(0, len(chunk), _ZSTD_FEED_BYTES):
                rest = chunk[start : start + _ZSTD_FEED_BYTES]
                while rest:
                    is_inside = True
                    try:
                        out = frame.decompress(rest)
                    except zstandard.ZstdError as error:
                        self._break(str(error))
                        return
                    if out:
                        yield out
                    rest = frame.unused_data
                    if frame.eof:
                        frame, is_inside = context.decompressobj(), False
        if is_inside:
            self._break("it ends in the middle")

    def _break(self, detail: str) -> None:
        if self.fault is None:
            message = f"the {self.compression} archive is damaged: {detail}"
            self.fault = Fault("broken_archive", " ".join(message.split()))


def _inflate(member: zlib._Decompress, raw: bytes) -> Iterator[bytes]:
    """Yield at most 1 MiB at a time: a small archive may hold a great deal.

    Raises:
        zlib.error: the archive is damaged; everything before the damage was yielded.
    """
    while True:
        before = member.copy()
        try:
            out = member.decompress(raw, MEBIBYTE)
        except zlib.error:
            yield from _salvage(before, raw)
            raise
        if out:
            yield out
        raw = member.unconsumed_tail
        if member.eof or (not raw and len(out) < MEBIBYTE):
            return


def _salvage(member: zlib._Decompress, raw: bytes) -> Iterator[bytes]:
    """Yield what comes out before the damage: in steps, then byte by byte."""
    for step in (4096, 1):
        for start in range(0, len(raw), step):
            before = member.copy()
            try:
                out = member.decompress(raw[start : start + step])
            except zlib.error:
                member, raw = before, raw[start : start + step]
                break
            if out:
                yield out


@contextmanager
def open_container(container: Path | Literal["-"]) -> Iterator[ContainerStream]:
    """Open a file, or standard input for `-`.

    Raises:
        OSError: it cannot be opened.
    """
    if container == STANDARD_INPUT:
        yield ContainerStream(sys.stdin.buffer, None)
        return
    with Path(container).open("rb") as file:
        status = os.fstat(file.fileno())
        yield ContainerStream(file, status.st_size if stat.S_ISREG(status.st_mode) else None)


def display_name(container: Path | str) -> str:
    """Return a path as text that can be stored: bytes of no encoding are written as escapes."""
    return str(container).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def describe(error: OSError) -> str:
    """Return the operating system's words for an error, without the path."""
    return error.strerror or type(error).__name__
