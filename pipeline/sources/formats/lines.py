"""Lines and whole files: JSONL, and plain text with one article a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pipeline.sources.decode import outline, unit_bytes
from pipeline.sources.formats.slices import Cutter, Limits, Run, Slice

_NEWLINE = 0x0A


def split_lines(chunks: Iterable[bytes], encoding: str, limits: Limits) -> Iterator[Slice]:
    """Yield every line of `split_runs` by itself."""
    for found in split_runs(chunks, encoding, limits):
        if isinstance(found, Run):
            yield from found.slices()
        else:
            yield found


def split_runs(chunks: Iterable[bytes], encoding: str, limits: Limits) -> Iterator[Slice | Run]:
    r"""Yield every line that is not blank, without its line end (`\n` or `\r\n`).

    A line ends at the encoded newline: in UTF-16 that is a code unit, and U+2028 is no line
    end. In all other encodings read here the byte 0x0A is nothing but a newline. Positions are
    1-based line numbers, blank lines counted. Lines that are documents as they stand, as nearly
    all are, come together: a third of the time of reading went with each by itself.
    """
    cutter = Cutter(limits, "line")
    cutter.start(1)
    is_bytewise = unit_bytes(encoding) == 1
    tail = bytearray()
    for chunk in _in_whole_units(chunks, unit_bytes(encoding)):
        if b"\n" not in chunk:
            tail += chunk
        else:
            lines = _cut_at_newlines(bytes(tail), chunk, encoding)
            tail = bytearray(lines.pop())
            if is_bytewise and not cutter.n_pieces:
                whole = [line.removesuffix(b"\r") for line in lines] if b"\r" in chunk else lines
                if _are_plain(whole, limits):
                    yield Run(cutter.position, whole)
                    cutter.start(cutter.position + len(whole))
                    lines = []
            for line in lines:
                if is_bytewise and _is_plain(line, cutter):
                    yield Slice(cutter.position, line)
                else:
                    yield from _finish(cutter, line, encoding)
                cutter.start(cutter.position + 1)
        yield from cutter.spill(tail)
    yield from _finish(cutter, bytes(tail), encoding, is_open=True)


def _are_plain(lines: list[bytes], limits: Limits) -> bool:
    """Tell whether all of some lines are documents as they stand."""
    sizes = list(map(len, lines))
    return (
        min(sizes) > 0
        and max(sizes) <= limits.document_bytes
        and not any(map(bytes.isspace, lines))
        and not any(line.endswith(b"\r") for line in lines)
    )


def _is_plain(line: bytes, cutter: Cutter) -> bool:
    """Tell whether a line is a document as it stands: nearly all are, and skip three calls."""
    is_whole = not cutter.n_pieces and 0 < len(line) <= cutter.limits.document_bytes
    return is_whole and not line.endswith(b"\r") and not line.isspace()


def _finish(
    cutter: Cutter, line: bytes, encoding: str, *, is_open: bool = False
) -> Iterator[Slice]:
    if b"\r" in line[-4:]:
        line = line.removesuffix("\r".encode(encoding))
    if (line and cutter.n_pieces) or not _is_blank(line, encoding):
        yield from cutter.whole(line, is_open=is_open)


def _is_blank(line: bytes, encoding: str) -> bool:
    width = unit_bytes(encoding)
    if width == 1:
        return not line or line.isspace()
    return not line or (len(line) % width == 0 and outline(line, encoding).isspace())


def _cut_at_newlines(tail: bytes, chunk: bytes, encoding: str) -> list[bytes]:
    """Return the lines of tail + chunk; the last one is unfinished (perhaps empty)."""
    # The tail holds no newline: only the chunk is searched.
    width = unit_bytes(encoding)
    if width == 1:
        lines = chunk.split(b"\n")
        lines[0] = tail + lines[0]
        return lines
    n_whole = len(chunk) - len(chunk) % width
    seen = np.frombuffer(outline(chunk[:n_whole], encoding), dtype=np.uint8)
    ends = (np.flatnonzero(seen == _NEWLINE) * width).tolist()
    starts = [0, *(end + width for end in ends)]
    lines = [chunk[a:b] for a, b in zip(starts, [*ends, len(chunk)], strict=True)]
    lines[0] = tail + lines[0]
    return lines


def _in_whole_units(chunks: Iterable[bytes], width: int) -> Iterator[bytes]:
    """Yield the same bytes so that no code unit is cut in two; half a one comes last."""
    if width == 1:
        yield from chunks
        return
    pending = b""
    for chunk in chunks:
        raw = pending + chunk
        n_whole = len(raw) - len(raw) % width
        pending = raw[n_whole:]
        yield raw[:n_whole]
    yield pending


def whole_file(chunks: Iterable[bytes], limits: Limits) -> Iterator[Slice]:
    """Yield one document: everything that the stream holds, byte order mark included."""
    cutter = Cutter(limits, "file")
    content = bytearray()
    for chunk in chunks:
        content += chunk
        yield from cutter.spill(content)
    yield from cutter.whole(bytes(content), is_open=True)
