"""What the catalogue says beside its files: snapshots, parameters, runs, files that were taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.store.catalog import Catalog
from pipeline.store.gather import Gatherer
from pipeline.store.history import History
from pipeline.store.layout import Layout
from pipeline.store.model import Run, Snapshot, TakenFile
from pipeline.store.questions import Questions


class Ledger(Questions):
    """A session that knows its catalogue; `warehouse.Warehouse` adds what changes tables."""

    def __init__(
        self, layout: Layout, gatherer: Gatherer, history: History, catalog: Catalog
    ) -> None:
        super().__init__(layout, gatherer, history)
        self._catalog = catalog

    @property
    def head(self) -> Snapshot:
        """The newest snapshot."""
        return self._catalog.head()

    @property
    def snapshot_id(self) -> int:
        """Its id."""
        return self.head.id

    @property
    def next_snapshot(self) -> int:
        """The id of the snapshot that the next publish() makes."""
        return self.head.id + 1

    def parameters(self) -> dict[str, Any] | None:
        """Return the parameters that differ from the defaults; None while nothing was derived."""
        with self._guarded("looking up parameters"):
            return self._catalog.parameters() if self.head.id else None

    def remember(self, parameters: Mapping[str, Any]) -> None:
        """Record the parameters of a warehouse in which nothing was derived yet.

        They bind from the first snapshot on; later only a Change sets others.
        """
        assert not self.head.id, "what stands was derived with other parameters"
        with self._guarded("recording parameters"), self._catalog.transaction():
            self._catalog.set_parameters(parameters)

    def begin_run(self, run: Run) -> None:
        """Enter a run into the ledger."""
        with self._guarded("recording the run"), self._catalog.transaction():
            self._catalog.begin_run(run)

    def taken_files(self) -> set[TakenFile]:
        """Return the files of drop folders that were read, as they stood then."""
        with self._guarded("looking up files"):
            return self._catalog.taken_files()
