"""Progress of an ingest on stderr: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PLAIN_SECONDS = 5.0
"""At most one plain line in that time: a log of an hour stays readable."""

DOING = {
    "land": "making raw bytes safe",
    "parse": "parsing",
    "inspect_parts": "reading and parsing in all cores",
    "split_paragraphs": "splitting paragraphs",
    "find_lines": "looking at every line",
    "learn": "learning furniture",
    "find_repeats": "finding repeats inside articles",
    "find_captions": "finding captions",
    "find_furniture": "finding furniture",
    "clean_parts": "cleaning and signing in all cores",
    "clean_text": "cleaning text",
    "find_passages": "finding passages",
    "sign": "signing",
    "search": "finding candidate pairs",
    "verify": "verifying pairs",
    "verify_parts": "verifying pairs in all cores",
    "derive_stories": "deriving stories",
    "find_spans": "finding what pairs share",
    "find_sightings": "looking for shared paragraphs",
    "find_shared": "dating shared paragraphs",
    "compare_revisions": "comparing revisions",
    "publish": "publishing",
}


class HowFar(Protocol):
    """How far a container has been read (pipeline.sources.options.Progress)."""

    @property
    def container(self) -> str:
        """Its name."""

    @property
    def bytes_read(self) -> int:
        """Bytes read of it so far."""

    @property
    def documents(self) -> int:
        """Documents found in it so far."""


class IngestProgress:
    """Shows how far an ingest is; `bytes_total` is None where nobody knows."""

    def __init__(self, bytes_total: int | None) -> None:
        """Choose the bar for a terminal, lines for everything else."""
        self._bytes_total = bytes_total
        self._read: dict[str, tuple[int, int]] = {}
        self._bar = _bar() if sys.stderr.isatty() else None
        self._task: TaskID | None = None
        if self._bar is not None:
            self._task = self._bar.add_task("reading", total=bytes_total, documents=0)
        self._began = self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def update(self, progress: HowFar) -> None:
        """Take in how far a container has been read; called for every batch and in between."""
        self._read[progress.container] = (progress.bytes_read, progress.documents)
        n_bytes = sum(pair[0] for pair in self._read.values())
        n_documents = sum(pair[1] for pair in self._read.values())
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task, completed=n_bytes, documents=n_documents, description="reading"
            )
            return
        now = time.monotonic()
        if now - self._last_line >= PLAIN_SECONDS:
            self._last_line = now
            sys.stderr.write(f"unecho: {self._line(n_bytes, n_documents, now - self._began)}\n")
            sys.stderr.flush()

    def _line(self, n_bytes: int, n_documents: int, seconds: float) -> str:
        share = f" ({n_bytes / self._bytes_total:.0%})" if self._bytes_total else ""
        return f"{n_documents:,} documents, {n_bytes / 1e6:,.1f} MB read{share}, {seconds:.0f} s"

    def stage(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the stage function, saying on the bar that it runs."""
        bar, task = self._bar, self._task
        if bar is None or task is None:
            return function

        @wraps(function)
        def shown(*arguments: Any, **named: Any) -> Any:
            bar.update(task, description=DOING.get(function.__name__, function.__name__))
            return function(*arguments, **named)

        return shown


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description:<31}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[documents]:,} documents"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
