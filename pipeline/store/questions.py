"""What a flow asks of the warehouse: its live files answer, the index says which to open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from pipeline.errors import WarehouseError
from pipeline.store.durable import PUBLISHED_STAYS, storing
from pipeline.store.gather import Gatherer, Ids
from pipeline.store.history import History, Rebuild
from pipeline.store.layout import Layout


class Questions:
    """The reading half of a session; `warehouse.Warehouse` adds what it writes."""

    def __init__(self, layout: Layout, gatherer: Gatherer, history: History) -> None:
        self._layout = layout
        self._gatherer = gatherer
        self._history = history
        self._is_broken = False

    @property
    def root(self) -> Path:
        """The warehouse's folder, absolute."""
        return self._layout.root

    @property
    def gatherer(self) -> Gatherer:
        """The live files and the connection that reads them, for other modules of the store."""
        return self._gatherer

    def known_revisions(self, article_ids: Ids) -> pa.Table:
        """Return gather.REVISION_COLUMNS of every revision of these articles."""
        with self._guarded("looking up revisions"):
            return self._gatherer.known_revisions(article_ids)

    def history(self, rebuild: Rebuild) -> list[pa.Table]:
        """Return KEYS of all current articles as mapped tables, one per file of `signatures`.

        Args:
            rebuild: makes the KEYS of some articles again, where a segment is missing or torn.
        """
        with self._guarded("opening the cache of keys"):
            live = self._gatherer.files("signatures")
            return self._history.segments(self._gatherer, live, rebuild)

    def key_files(self) -> list[Path] | None:
        """Return the files of the tables of history(), see `segments.segment_at`; None without."""
        return self._history.files(self._gatherer.files("signatures"))

    def cached_keys(self) -> list[pa.Table]:
        """Return the KEYS that history() would map, without making missing ones again."""
        with self._guarded("opening the cache of keys"):
            return self._history.present(self._gatherer.files("signatures"))

    def components(self, article_ids: Ids) -> pa.Array:
        """Return the ids of all members of the components that these articles are in."""
        with self._guarded("looking up components"):
            return self._gatherer.components(article_ids)

    def members(self, article_ids: Ids) -> pa.Table:
        """Return MEMBERS: of these articles, those that the warehouse holds."""
        with self._guarded("looking up members"):
            return self._gatherer.members(article_ids)

    def edges(self, article_ids: Ids) -> pa.Table:
        """Return EDGES that are duplicates and have both ends among these articles."""
        with self._guarded("looking up edges"):
            return self._gatherer.edges(article_ids)

    def current_revisions(self, article_ids: Ids) -> dict[bytes, bytes]:
        """Return article_id → revision_id of the current revisions of these articles."""
        known = self.known_revisions(article_ids)
        current = known.filter(known["is_current"])
        columns = (current[name].to_pylist() for name in ("article_id", "revision_id"))
        return dict(zip(*columns, strict=True))

    def recipes(self) -> list[str]:
        """Return each recipe that stored signatures were made with."""
        with self._guarded("looking up recipes"):
            return self._gatherer.recipes()

    def furniture(self, sources: pa.Array) -> pa.Table:
        """Return FURNITURE: the rows of these sources."""
        with self._guarded("looking up furniture"):
            return self._gatherer.furniture(sources)

    def rows(self, table: str, column: str, ids: Ids) -> pa.Table:
        """Return the rows of a table whose `column` is among `ids`, with its contract's schema."""
        with self._guarded("looking up rows"):
            return self._gatherer.rows(table, column, ids)

    def columns(
        self, table: str, column: str, ids: Ids, names: Sequence[str], where: str = "true"
    ) -> pa.Table:
        """Return some columns of the rows whose `column` is among `ids`, in no order.

        Texts are most of what a file holds: who needs none of them reads a tenth. `where` is a
        condition of SQL on the rows.
        """
        with self._guarded("looking up rows"):
            return self._gatherer.columns(table, column, ids, names, where)

    def ask_in_all_cores(self) -> None:
        """Share each further question among the cores: for questions about all that is held."""
        with self._guarded("running a query"):
            self._gatherer.connection.execute("RESET threads")

    def select(self, sql: str, **tables: pa.Table) -> pa.Table:
        """Run one query over the tables of the warehouse and the given Arrow tables.

        Tables are named as their contracts; 16-byte ids go in and come out as bytes and are UUIDs
        within the query.
        """
        with self._guarded("running a query"):
            return self._gatherer.select(sql, tables)

    @contextmanager
    def _guarded(self, what: str, outcome: str = PUBLISHED_STAYS) -> Iterator[None]:
        if self._is_broken:
            raise WarehouseError(
                "this session broke off after its batch was committed",
                next_step="open the warehouse again: it publishes what was committed",
            )
        with storing(what, self.root, outcome):
            yield
