"""The published views over no files, made once and kept beside the other caches of a warehouse.

Making them takes DuckDB 0.15 s, as long as all other work of publishing a small batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb

from pipeline import contract, contracts
from pipeline.store import duck, model, views
from pipeline.store.durable import replace_durably

_PREFIX, _SUFFIX = "views-", ".duckdb"


def kept_template(folder: Path, make: Callable[[], bytes], maker: Path) -> bytes:
    """Return what `make` returns, from `folder` where it was kept; `maker` is its source file.

    The name of the kept file says what it was made from and what it holds: one of another unecho,
    another DuckDB or a torn one is not used.
    """
    made_from = _digest([maker, *_sources()], duckdb.__version__)
    for kept in folder.glob(f"{_PREFIX}{made_from}-*{_SUFFIX}"):
        with suppress(OSError):
            held = kept.read_bytes()
            if kept.name == _name(made_from, held):
                return held
    made = make()
    # Derived: what cannot be kept is made again.
    with suppress(OSError):
        for other in folder.glob(f"{_PREFIX}*{_SUFFIX}*"):
            other.unlink(missing_ok=True)
        final = folder / _name(made_from, made)
        written = final.with_name(final.name + ".new")
        written.write_bytes(made)
        replace_durably(written, final)
    return made


def _sources() -> list[Path]:
    """Return the files that say what the views are."""
    modules = (duck, model, views, contract, contracts)
    return [
        *(Path(m.__file__) for m in modules if m.__file__),
        *sorted(views.VIEWS_FOLDER.glob("*.sql")),
    ]


def _digest(paths: list[Path], version: str) -> str:
    digest = hashlib.blake2b(version.encode(), digest_size=8)
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _name(made_from: str, held: bytes) -> str:
    return f"{_PREFIX}{made_from}-{hashlib.blake2b(held, digest_size=8).hexdigest()}{_SUFFIX}"
