"""Reading and parsing in one step, for the tests of bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.contracts import QUARANTINE_REASONS
from pipeline.sources.files import ReadOptions, read_batches
from pipeline.sources.parse import parse

GOOD = b'{"id": "1", "text": "good"}\n'
MORE = b'{"id": "2", "text": "more"}\n'


def take(*paths: Path, **options: Any) -> tuple[list[str], dict[str, tuple[bytes, str]]]:
    """Return the texts taken and, by reason, the bytes and message of what was not."""
    documents = pa.concat_tables(read_batches(paths, ReadOptions(**options)))
    parsed, unread = parse(documents)
    content = dict(
        zip(documents["document_id"].to_pylist(), documents["content"].to_pylist(), strict=True)
    )
    refused = {}
    for row in unread.to_pylist():
        assert row["reason"] in QUARANTINE_REASONS
        assert "\n" not in row["message"]
        assert "; " in row["message"]
        assert row["container"] in row["message"]
        assert row["reason"] not in refused
        assert row["n_bytes"] == len(content[row["document_id"]])
        refused[row["reason"]] = (content[row["document_id"]], row["message"])
    assert len(parsed) + len(unread) == len(documents)
    return sorted(parsed["original_text"].to_pylist()), refused


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
