"""The progress bar of a recorded run: when it appears, how often it moves, how it ends."""

from __future__ import annotations

from uuid import UUID

import pytest

from flows.progress import PATIENCE_SECONDS, UPDATE_SECONDS, ProgressArtifact
from pipeline.sources.files import Progress

BAR = UUID(int=7)


class Recorded:
    """Stands for the server: keeps what was written, or refuses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.written: list[tuple[UUID | None, float, str]] = []
        self.warnings: list[str] = []
        self.is_down = False

    def write(self, artifact: UUID | None, percent: float, description: str) -> UUID:
        if self.is_down:
            raise ConnectionError("gone")
        self.written.append((artifact, percent, description))
        return BAR

    def bar(self) -> ProgressArtifact:
        return ProgressArtifact(self.write, self.warnings.append, lambda: self.now)


def read(n_bytes: int, total: int | None = 1000) -> Progress:
    return Progress("/drop/대형.jsonl", n_bytes, total, n_bytes * 2)


def test_a_long_run_has_one_bar_that_moves_and_ends_full() -> None:
    server = Recorded()
    with server.bar() as bar:
        bar.update(read(100))
        server.now = PATIENCE_SECONDS
        bar.update(read(500))
        server.now += UPDATE_SECONDS / 2
        bar.update(read(550))  # too soon
        server.now += UPDATE_SECONDS / 2
        bar.update(read(1001))  # the file grew while it was read
    assert server.written == [
        (None, 50.0, "대형.jsonl: 1,000 documents read"),
        (BAR, 100.0, "대형.jsonl: 2,002 documents read"),
        (BAR, 100.0, "everything is read and published"),
    ]


def test_short_runs_and_unknown_sizes_have_no_bar() -> None:
    server = Recorded()
    with server.bar() as bar:
        bar.update(read(900))
        server.now = PATIENCE_SECONDS * 2
        bar.update(read(900, total=None))
    assert server.written == []


def test_a_run_that_fails_does_not_end_full() -> None:
    server = Recorded()

    def fail() -> None:
        with server.bar() as bar:
            server.now = PATIENCE_SECONDS
            bar.update(read(500))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert [percent for _, percent, _ in server.written] == [50.0]


def test_a_server_that_is_down_only_warns() -> None:
    server = Recorded()
    server.is_down = True
    with server.bar() as bar:
        server.now = PATIENCE_SECONDS
        bar.update(read(500))
    assert server.warnings == ["the progress was not written: gone"]
