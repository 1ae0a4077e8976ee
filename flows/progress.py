"""How far a long run is, as one progress artifact in the Prefect UI."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from uuid import UUID

from pipeline.sources.files import Progress

# A short run needs no bar: it would stand at 100 % before anyone looks.
PATIENCE_SECONDS = 10.0
UPDATE_SECONDS = 2.0

Write = Callable[[UUID | None, float, str], UUID]
"""Writes percent and description of an artifact (None: a new one) and returns its id."""


class ProgressArtifact:
    """A bar that appears when a run of known size takes longer, moves, and ends at 100 %.

    Args:
        write: writes the bar.
        warn: told what went wrong with it; the record is not worth failing a run for.
        clock: seconds that only go forward.
    """

    def __init__(
        self, write: Write, warn: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write, self._warn, self._clock = write, warn, clock
        self._due = clock() + PATIENCE_SECONDS
        self._artifact: UUID | None = None

    def __enter__(self) -> ProgressArtifact:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._artifact is not None and error is None:
            self._show(100.0, "everything is read and published")

    def update(self, progress: Progress) -> None:
        """Move the bar to how much of the current file is read, at most every two seconds."""
        if not progress.bytes_total or self._clock() < self._due:
            return
        self._due = self._clock() + UPDATE_SECONDS
        read = min(100.0, 100.0 * progress.bytes_read / progress.bytes_total)
        name = Path(progress.container).name
        self._show(read, f"{name}: {progress.documents:,} documents read")

    def _show(self, percent: float, description: str) -> None:
        try:
            self._artifact = self._write(self._artifact, percent, description)
        except Exception as error:
            self._warn(f"the progress was not written: {error}")
