"""Files of what is made once a machine: beside the sources, else where the user keeps such things.

Whoever comes first writes them; where nothing can be written they are made anew by every process.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def places(module: str, file: str) -> list[Path]:
    """Return where a file that belongs to a module may lie, the best place first."""
    own = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    user = Path(own) if own else Path.home() / ".cache"
    return [ROOT / Path(*module.split(".")[:-1]) / "__pycache__" / file, user / "unecho" / file]


def read_each(paths: Sequence[Path]) -> Iterator[bytes]:
    """Yield the files that can be read."""
    for path in paths:
        try:
            yield path.read_bytes()
        except OSError:
            continue


def keep(paths: Sequence[Path], written: bytes) -> None:
    """Write a file whole, at the first place that can be written to."""
    for path in paths:
        unfinished = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(written)
            unfinished.replace(path)
        except OSError:
            continue
        return


def digest(of: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(of).hexdigest()
