"""How far a long run is, as one progress artifact in the Prefect UI."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from pipeline.sources.files import Progress

# A short run needs no bar: it would stand at 100 % before anyone looks.
_PATIENCE_SECONDS = 10.0
_UPDATE_SECONDS = 2.0


class ProgressArtifact:
    """A bar that appears when a run of known size takes longer, moves, and ends at 100 %."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._updated = 0.0
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
        now = time.monotonic()
        is_early = now - self._began < _PATIENCE_SECONDS or now - self._updated < _UPDATE_SECONDS
        if is_early or not progress.bytes_total:
            return
        self._updated = now
        read = min(100.0, 100.0 * progress.bytes_read / progress.bytes_total)
        name = Path(progress.container).name
        self._show(read, f"{name}: {progress.documents:,} documents read")

    def _show(self, percent: float, description: str) -> None:
        """Write the bar; the record is not worth failing a run for."""
        try:
            if self._artifact is None:
                created = create_progress_artifact(percent, description=description)
                assert isinstance(created, UUID)  # a coroutine only where a loop runs
                self._artifact = created
            else:
                update_progress_artifact(self._artifact, percent, description=description)
        except Exception as error:
            get_run_logger().warning("the progress was not written: %s", error)
