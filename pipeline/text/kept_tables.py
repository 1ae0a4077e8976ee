"""Arrays that every process would build alike at its start, kept by whoever built them first.

Building the folding tables asks unicodedata for 60,000 characters, 0.15 s of CPU in every worker.
The file is mapped: a process reads the pages it uses, and shares them with others.
"""

from __future__ import annotations

import json
import mmap
import sys
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.text.kept_files import ROOT, digest, keep, places

_ENDING = ".tables"
_ALIGNMENT = 64

Arrays = tuple[NDArray[Any], ...]


def kept_tables(
    name: str, sources: Sequence[str], build: Callable[[], Arrays], given: str = ""
) -> Arrays:
    """Return what `build` returns: one-dimensional arrays, not to be written to.

    Args:
        name: of the tables, unlike any other.
        sources: modules that decide what is built; what other sources made is not found.
        build: called where nothing is kept.
        given: what else decides it.
    """
    files = places(__name__, f"{__name__}.{name}{_ENDING}")
    made_of = digest(json.dumps([sys.version, unicodedata.unidata_version, given]).encode())
    try:
        made_of += "".join(digest(_path(module).read_bytes()) for module in sources)
    except OSError:  # they lie in no folder
        return build()
    made_of = digest(made_of.encode())
    for path in files:
        if (found := _read(path, made_of)) is not None:
            return found
    arrays = build()
    keep(files, _written(arrays, made_of))
    return arrays


def _path(module: str) -> Path:
    return ROOT / Path(*module.split(".")).with_suffix(".py")


def _written(arrays: Arrays, made_of: str) -> bytes:
    """Return a file: a line of JSON, filled up, and the arrays, each at a multiple of 64 bytes."""
    bodies = [_filled(np.ascontiguousarray(array).tobytes()) for array in arrays]
    told = {
        "made_of": made_of,
        "arrays": [(array.dtype.str, array.size) for array in arrays],
        "n_bytes": sum(map(len, bodies)),
    }
    return b"".join([_filled(json.dumps(told).encode() + b"\n"), *bodies])


def _filled(body: bytes) -> bytes:
    return body + b" " * (-len(body) % _ALIGNMENT)


def _read(path: Path, made_of: str) -> Arrays | None:
    """Return the arrays of a file, None where it is missing, broken or made of something else."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        head = mapped.readline()
        told = json.loads(head)
        at = len(head) + -len(head) % _ALIGNMENT
        if told["made_of"] != made_of or at + told["n_bytes"] != len(mapped):
            return None
        arrays = []
        for dtype, size in told["arrays"]:
            arrays.append(np.frombuffer(mapped, dtype, size, at))
            at += arrays[-1].nbytes + -arrays[-1].nbytes % _ALIGNMENT
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return tuple(arrays)
