"""Reading one container: what it is, how it is cut, and what is said when it cannot be read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import DocumentError
from pipeline.sources.columns import has_text_column, resolve_map
from pipeline.sources.containers import (
    STANDARD_INPUT,
    ContainerStream,
    Fault,
    describe,
    display_name,
    open_container,
)
from pipeline.sources.decode import ascii_outline, detect_encoding, unit_bytes, without_mark
from pipeline.sources.documents import Envelope
from pipeline.sources.formats.csv_rows import find_delimiter, find_line_end, split_rows
from pipeline.sources.formats.json_values import split_json
from pipeline.sources.formats.lines import split_runs, whole_file
from pipeline.sources.formats.parquet_rows import split_parquet
from pipeline.sources.formats.slices import MEBIBYTE, Run, Slice
from pipeline.sources.options import Progress, ReadOptions
from pipeline.sources.page_encoding import page_encoding
from pipeline.sources.paths import Container
from pipeline.sources.records import header_names
from pipeline.sources.sniff import (
    Format,
    choose_format,
    extension_format,
    name_binary,
    promises_compression,
)

# The encoding is judged by the first MiB, or by more while nothing but ASCII has come.
_PREFIX_BYTES = MEBIBYTE
_MAX_PREFIX_BYTES = 8 * MEBIBYTE

Read = Iterator[tuple[Envelope, Slice | Run]]


class ContainerReader:
    """Reads the documents of one container and tells how far it is."""

    def __init__(
        self,
        container: Container,
        options: ReadOptions,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        """Prepare to read; nothing is opened yet."""
        self.container = container
        self.options = options
        self._progress = progress
        self._n_documents = 0
        self._path = Path(container)
        self._name = display_name(container)
        self._promised: Format | None = (
            "jsonl" if container == STANDARD_INPUT else extension_format(self._path)
        )

    def documents(self) -> Read:
        """Yield every document with its envelope; a container that fails is a document too."""
        with ExitStack() as stack:
            try:
                stream = stack.enter_context(open_container(self.container))
            except OSError as error:
                yield self._fault(Fault("unreadable", f"it cannot be opened: {describe(error)}"))
                return
            for envelope, found in self._read(stream):
                self._n_documents += len(found.contents) if isinstance(found, Run) else 1
                yield envelope, found
            self._tell(stream)

    def _tell(self, stream: ContainerStream) -> None:
        if self._progress:
            total = stream.bytes_total
            self._progress(Progress(self._name, stream.bytes_read, total, self._n_documents))

    def _envelope(self, media: str, encoding: str, header: bytes = b"", **more: object) -> Envelope:
        options = self.options
        return Envelope(
            self._name,
            options.effective_source_id,
            media,
            encoding,
            (*options.for_parsing(), *more.items()),
            header,
        )

    def _envelopes(
        self, media: str, encoding: str, header: bytes = b"", **more: object
    ) -> tuple[Envelope, Envelope]:
        """Return the envelope of documents that need their encoding, and of those in ASCII.

        A document of ASCII is the same document whatever the rest of its file is written in.
        """
        envelope = self._envelope(media, encoding, header, **more)
        if encoding == "utf-8" or unit_bytes(encoding) > 1 or not header.isascii():
            return envelope, envelope
        return envelope, self._envelope(media, "utf-8", header, **more)

    def _fault(self, fault: Fault, position: int = 0) -> tuple[Envelope, Slice]:
        return (
            self._envelope("unknown", "unknown"),
            Slice(position, b"", fault.reason, fault.message),
        )

    def _read(self, stream: ContainerStream) -> Read:
        """Yield the documents; where the stream broke off, the last one is the broken one."""
        is_told = False
        position = 0
        for envelope, found in self._split(stream):
            if isinstance(found, Run):
                position = found.position + len(found.contents) - 1
                yield envelope, found
                continue
            position = found.position
            if found.is_open and stream.fault:
                is_told = True
                found = found._replace(problem=stream.fault.reason, message=stream.fault.message)
            yield envelope, found
        if stream.fault and not is_told:
            yield self._fault(stream.fault, position)

    def _split(self, stream: ContainerStream) -> Read:
        chunks = self._told_chunks(stream)
        held, is_whole = _read_prefix(chunks)
        prefix = b"".join(held)
        if not prefix:
            # An empty file is a fault of whoever wrote it; an empty pipe had nothing to say.
            if not stream.fault and self.container != STANDARD_INPUT:
                yield self._fault(Fault("empty_file", "the file is empty"))
            return
        encoding = detect_encoding(prefix, is_whole=is_whole, label=self.options.label)
        every = chain(held, chunks)
        del held
        binary = self._name_binary(prefix, encoding, stream)
        if binary:
            envelope = self._envelope("unknown", "unknown")
            for found in whole_file(every, self.options.limits):
                yield envelope, found._replace(problem=binary.reason, message=binary.message)
            return
        seen = without_mark(prefix, encoding)
        kind = choose_format(seen, encoding, self._promised)
        if kind == "parquet":
            yield from self._parquet(stream, every)
        elif kind in ("text", "html"):
            if kind == "html":
                label = self.options.label
                encoding = page_encoding(prefix, is_whole=is_whole, label=label, detected=encoding)
            envelope = self._envelope(kind, encoding)
            for found in whole_file(every, self.options.limits):
                yield envelope, found._replace(position=0)
        else:
            yield from self._records(kind, _without_first_mark(every, encoding), encoding, seen)

    def _told_chunks(self, stream: ContainerStream) -> Iterator[bytes]:
        for chunk in stream.chunks():
            yield chunk
            self._tell(stream)

    def _name_binary(self, prefix: bytes, encoding: str, stream: ContainerStream) -> Fault | None:
        kind = name_binary(prefix, encoding, self._promised)
        if kind is None:
            return None
        if promises_compression(self._path) and not stream.compression:
            return Fault("broken_archive", f"the name says archive, the bytes say {kind}")
        return Fault("binary", f"{kind}, no text")

    def _records(self, kind: Format, chunks: Iterator[bytes], encoding: str, seen: bytes) -> Read:
        """Yield the documents of a file that holds many."""
        limits = self.options.limits
        if kind in ("csv", "tsv"):
            yield from self._rows("\t" if kind == "tsv" else ",", chunks, encoding, seen)
            return
        envelopes = self._envelopes(kind, encoding)
        if kind == "jsonl":
            yield from self._lines(split_runs(chunks, encoding, limits), envelopes)
            return
        column_map = resolve_map(self.options.column_map)
        for found in split_json(
            chunks, encoding, limits, lambda record: has_text_column(record, column_map)
        ):
            yield envelopes[found.content.isascii()], found

    def _lines(self, lines: Iterator[Slice | Run], envelopes: tuple[Envelope, Envelope]) -> Read:
        """Yield lines, a run of them at once where they all have one envelope."""
        for found in lines:
            if isinstance(found, Slice):
                yield envelopes[found.content.isascii()], found
            elif envelopes[0] is envelopes[1]:
                yield envelopes[0], found
            else:
                for line in found.slices():
                    yield envelopes[line.content.isascii()], line

    def _rows(self, delimiter: str, chunks: Iterator[bytes], encoding: str, seen: bytes) -> Read:
        outline = ascii_outline(seen, encoding).lstrip()
        line_end = find_line_end(outline)
        delimiter = find_delimiter(outline.partition(line_end.encode())[0], delimiter)
        envelopes = self._envelopes("csv", encoding, delimiter=delimiter)
        header: Slice | None = None
        n_rows = 0
        for found in split_rows(chunks, encoding, delimiter, self.options.limits, line_end):
            if header is None and found.problem is None:
                header = found
                envelopes = self._envelopes("csv", encoding, header.content, delimiter=delimiter)
            else:
                n_rows += 1
                yield envelopes[found.content.isascii()], found
        if header and not n_rows and not self._names_a_text(header.content, encoding, delimiter):
            message = "the only row was read as the header, and it names no column for the text"
            envelope = self._envelope("csv", encoding, delimiter=delimiter)
            yield envelope, header._replace(problem="broken_csv", message=message)

    def _names_a_text(self, header: bytes, encoding: str, delimiter: str) -> bool:
        try:
            names = header_names(header, encoding, delimiter)
        except DocumentError:
            return False
        return has_text_column(dict.fromkeys(names), resolve_map(self.options.column_map))

    def _parquet(self, stream: ContainerStream, chunks: Iterator[bytes]) -> Read:
        """Yield the rows of a Parquet file, which is read from its end: a pipe is spooled."""
        envelope = self._envelope("parquet", "utf-8")
        with ExitStack() as stack:
            file: BinaryIO = stream.file
            if stream.compression or not file.seekable():
                try:
                    file = stack.enter_context(_spool(chunks))
                except OSError as error:
                    yield self._fault(Fault("unreadable", f"not unpacked: {describe(error)}"))
                    return
            for n, found in enumerate(split_parquet(file, self.options.limits)):
                yield envelope, found
                if n % 512 == 0 and file is stream.file:
                    stream.bytes_read = max(stream.bytes_read, file.tell())
                    self._tell(stream)
            stream.bytes_read = stream.bytes_total or stream.bytes_read


@contextmanager
def _spool(chunks: Iterator[bytes]) -> Iterator[BinaryIO]:
    """Write a stream to a temporary file and give it to read."""
    with tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        yield file


def _read_prefix(chunks: Iterator[bytes]) -> tuple[list[bytes], bool]:
    """Return the first chunks, and whether they are all there is."""
    held: list[bytes] = []
    n_bytes, is_ascii = 0, True
    while n_bytes < (_MAX_PREFIX_BYTES if is_ascii else _PREFIX_BYTES):
        chunk = next(chunks, None)
        if chunk is None:
            return held, True
        held.append(chunk)
        n_bytes += len(chunk)
        is_ascii = is_ascii and chunk.isascii()
    return held, False


def _without_first_mark(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    first = next(chunks, b"")
    while len(first) < 4 and (more := next(chunks, None)) is not None:
        first += more
    return chain([without_mark(first, encoding)], chunks)
