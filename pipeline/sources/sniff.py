"""What a file is: its extension says, its first bytes confirm or correct."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Literal

import orjson

from pipeline.sources.decode import ascii_outline, control_share

Format = Literal["text", "html", "jsonl", "json", "csv", "tsv", "parquet"]

FORMATS: dict[str, Format] = {
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
COMPRESSIONS = (".gz", ".zst")

# What people drop into a folder of articles by mistake, by its first bytes.
_BINARY_MAGICS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive (or docx, xlsx, hwpx)"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office or HWP document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"BZh91AY&SY", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x1f\x8b\x08", "an archive in an archive"),
    (b"\x28\xb5\x2f\xfd", "an archive in an archive"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"ARROW1\0\0", "an Arrow IPC file"),
)
_PARQUET_MAGIC = b"PAR1"

# Text has no control characters, random bytes have 10 %. A record with a NUL in it must not
# condemn the file it is in, even a short one.
_BINARY_CONTROL_SHARE = {"text": 0.01, "records": 0.05}

_LINES_LOOKED_AT = 20


def extension_format(path: PurePath) -> Format | None:
    """Return the format that a file name promises, compression taken off; None for others."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return FORMATS.get(suffixes[-1]) if suffixes else None


def promises_compression(path: PurePath) -> bool:
    """Tell whether a file name ends as a compressed file's does."""
    return path.suffix.lower() in COMPRESSIONS


def name_binary(prefix: bytes, encoding: str, promised: Format | None) -> str | None:
    """Return what kind of binary file begins like this, None for text and Parquet."""
    if is_parquet(prefix, promised):
        return None
    for magic, kind in _BINARY_MAGICS:
        if prefix.startswith(magic):
            return kind
    if prefix[257:262] == b"ustar":
        return "a tar archive"
    # The units of UTF-16 and UTF-32 are checked when the encoding is detected.
    is_wide = encoding.startswith(("utf-16", "utf-32"))
    is_one_text = promised in ("text", "html", None)
    limit = _BINARY_CONTROL_SHARE["text" if is_one_text else "records"]
    if not is_wide and control_share(prefix) > limit:
        return "a file full of control characters"
    return None


def is_parquet(prefix: bytes, promised: Format | None) -> bool:
    """Tell whether a file is to be read as Parquet, by its first bytes or by its name."""
    return prefix.startswith(_PARQUET_MAGIC) or promised == "parquet"


def choose_format(prefix: bytes, encoding: str, promised: Format | None) -> Format:
    """Return how a file is read: what its name promises, unless its beginning shows otherwise."""
    if is_parquet(prefix, promised):
        return "parquet"
    if promised in ("text", "html"):
        return promised
    seen = ascii_outline(prefix, encoding).lstrip(b" \t\r\n\x1e")
    if promised in ("jsonl", "json"):
        return _json_shape(seen, promised)
    if re.match(rb'\{\s*"|\[\s*\{', seen):
        return _json_shape(seen, "jsonl")
    return promised or "text"


def _json_shape(seen: bytes, promised: Literal["jsonl", "json"]) -> Literal["jsonl", "json"]:
    """Tell lines of JSON from a JSON text that goes over lines."""
    lines = [
        line for line in seen.split(b"\n", _LINES_LOOKED_AT)[:_LINES_LOOKED_AT] if line.strip()
    ]
    if not lines:
        return promised
    is_record = [line.startswith(b"{") and _is_complete(line) for line in lines]
    if seen.startswith(b"["):
        # One list a line is no record, but the lines after it may be.
        return "jsonl" if _is_complete(lines[0]) and any(is_record[1:]) else "json"
    if is_record[0]:
        return "jsonl" if len(lines) > 1 else promised
    # The first line is broken. A JSON text laid out over lines may have one such line, too.
    if sum(is_record) >= (1 if promised == "jsonl" else 2):
        return "jsonl"
    return "json" if lines[0].strip() == b"{" else promised


def _is_complete(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
