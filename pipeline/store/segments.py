"""A file of KEYS as a worker maps it: what it reads there need not be copied for it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

UNSYNCED = ".writing"
"""Suffix of a segment until it is on disk."""


def segment_at(path: Path) -> pa.Table:
    """Map a segment that the writer has found sound: KEYS, for a worker beside it.

    Until it is synced it has its other name, and that may end at any moment.
    """
    try:
        with pa.memory_map(str(path.with_suffix(UNSYNCED))) as file:
            return pa.ipc.open_file(file).read_all()
    except FileNotFoundError:
        with pa.memory_map(str(path)) as file:
            return pa.ipc.open_file(file).read_all()
