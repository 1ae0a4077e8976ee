"""Files as a source: what the user names becomes batches of READ documents in bounded memory.

A document is a whole text file or HTML page, a line of JSONL, an element of a JSON array, a row of
CSV or TSV, a row of Parquet; `.gz` and `.zst` are taken off first. Whatever cannot be read is a
document too, with its problem: nothing that came in is lost, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from pipeline.sources.documents import ReadBatch
from pipeline.sources.formats.slices import Run, Slice
from pipeline.sources.options import Progress, ReadOptions
from pipeline.sources.paths import Container, expand
from pipeline.sources.reading import ContainerReader

__all__ = ["Container", "Progress", "ReadOptions", "expand", "read_batches"]


def read_batches(
    containers: Iterable[Container],
    options: ReadOptions,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[pa.Table]:
    """Yield READ tables of at most `batch_documents` rows, full at `batch_bytes` of content.

    Containers are read in the given order and share batches; the same bytes given twice are two
    rows with one document_id. `progress` is called about once a MiB and at a container's end.
    Memory holds one batch (twice while it is handed over) and one document.

    Nothing raises for one container's sake: what cannot be opened or read to its end becomes a
    row with `problem` and no content, or with the bytes that could be read.
    """
    batch = ReadBatch(options.batch_documents, options.batch_bytes)
    for container in containers:
        for envelope, found in ContainerReader(container, options, progress).documents():
            left: Slice | Run | None = found
            while left is not None:
                left = batch.add(envelope, left)
                if batch.is_full:
                    yield batch.take()
    if len(batch):
        yield batch.take()
