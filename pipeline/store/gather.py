"""The questions a flow asks of the warehouse, answered from its live files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.contracts import CONTRACTS, EDGES, FURNITURE, ID, conform
from pipeline.interim import MEMBERS
from pipeline.store.duck import create_base_views, fetch, fixed_paths, open_memory
from pipeline.store.ids import INDEXED, IdIndex
from pipeline.store.model import StoredFile
from pipeline.store.parquet import read_file
from pipeline.store.rows import Found, Keys, find_rows, key_tables

Ids: TypeAlias = pa.Array | pa.ChunkedArray

REVISION_COLUMNS = (
    "article_id",
    "revision_id",
    "is_current",
    "published_at",
    "updated_at",
    "content_hash",
    "document_id",
)

_WORD = re.compile(r"\w+")


class Gatherer:
    """Queries over the live files of one snapshot; `renew` moves on to the next one."""

    def __init__(self, root: Path, spill: Path, ids: IdIndex, n_threads: int | None = None) -> None:
        self._root = root
        self.ids = ids
        self._spill = spill
        self.connection = open_memory(spill, n_threads)
        self._live: dict[str, list[StoredFile]] = {}
        self._behind: set[str] = set()
        self._looked_at: dict[str, pa.Table] = {}
        """Rows of live files that every batch asks for, by path."""

    def close(self) -> None:
        """Close the connection and delete what it spilled."""
        self.connection.close()
        self.ids.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def renew(self, live: Mapping[str, Sequence[StoredFile]]) -> None:
        """Answer from these files from now on."""
        self._live = {name: list(files) for name, files in live.items()}
        self._behind = set(CONTRACTS)
        paths = set(self.paths())
        self._looked_at = {path: rows for path, rows in self._looked_at.items() if path in paths}

    def files(self, table: str) -> list[StoredFile]:
        """Return the live files of a table."""
        return self._live.get(table, [])

    def paths(self) -> list[str]:
        """Return the paths of all live files."""
        return [stored.path for files in self._live.values() for stored in files]

    def recipes(self) -> list[str]:
        """Return each recipe that signatures were made with; a file is asked once."""
        for stored in self.files("signatures"):
            if stored.path not in self._looked_at:
                self._looked_at[stored.path] = _recipes_in(self._root / stored.path)
        named = [self._looked_at[stored.path] for stored in self.files("signatures")]
        return sorted({recipe for rows in named for recipe in rows["params_id"].to_pylist()})

    def furniture(self, sources: pa.Array) -> pa.Table:
        """Return FURNITURE: the rows of these sources. A file, they are small, is read once."""
        for stored in self.files(FURNITURE.name):
            if stored.path not in self._looked_at:
                self._looked_at[stored.path] = self.stored_rows(stored)
        held = [self._looked_at[stored.path] for stored in self.files(FURNITURE.name)]
        rows = pa.concat_tables([FURNITURE.schema.empty_table(), *held])
        return conform(rows.filter(pc.is_in(rows["source_id"], sources)), FURNITURE)

    def select(self, sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
        """Run one query over the tables of the warehouse and the given Arrow tables."""
        self.make_views(_WORD.findall(sql))
        return fetch(self.connection, sql, tables)

    def make_views(self, names: Iterable[str]) -> None:
        """Bring the base views among these names up to date; each opens a file of its table."""
        named = self._behind.intersection(names)
        create_base_views(self.connection, self._live, self._root, names=sorted(named))
        self._behind -= named

    def rows(self, table: str, column: str, ids: Ids) -> pa.Table:
        """Return the rows of a table whose `column` is among `ids`, with its contract's schema."""
        contract = CONTRACTS[table]
        return conform(self._narrowed(table, column, ids, contract.schema.names), contract)

    def columns(
        self, table: str, column: str, ids: Ids, names: Sequence[str], where: str = "true"
    ) -> pa.Table:
        """Return some columns of the rows whose `column` is among `ids`, in no order."""
        return self._narrowed(table, column, ids, names, where)

    def _narrowed(
        self, table: str, column: str, ids: Ids, columns: Sequence[str], where: str = "true"
    ) -> pa.Table:
        """Return columns of the rows whose `column` is among `ids` and of which `where` is true.

        Only the files are opened that hold any of them: most articles of a batch are new, and
        nothing is read of ten million others.
        """
        schema = pa.schema([CONTRACTS[table].schema.field(name) for name in columns])
        files = self._holding(table, column, ids)
        if not files:
            return schema.empty_table()
        listed = fixed_paths(self._root, (f.path for f in files))
        return fetch(
            self.connection,
            f"SELECT {', '.join(columns)} FROM read_parquet({listed}, hive_partitioning = false)"
            f" SEMI JOIN wanted USING ({column}) WHERE {where}",
            {"wanted": pa.table({column: ids.cast(ID)})},
        ).cast(schema)

    def matching(self, table: str, keys: Keys) -> Found:
        """Return which rows of which files match any of the keys, see rows.key_tables()."""
        wanted = key_tables(CONTRACTS[table], keys)
        indexed = INDEXED.get(table, ())
        files = self.files(table)
        holding: set[StoredFile] = set()
        for each in wanted:
            column = next((name for name in each.column_names if name in indexed), None)
            asked = files if column is None else self._holding(table, column, each[column])
            holding.update(asked)
        held = [stored for stored in files if stored in holding]
        return find_rows(self.connection, self._root, held, wanted)

    def _holding(self, table: str, column: str, ids: Ids) -> list[StoredFile]:
        return self.ids.holding(table, column, ids, self.files(table))

    def known_revisions(self, article_ids: Ids) -> pa.Table:
        """Return REVISION_COLUMNS of every revision of these articles."""
        known = self._narrowed("articles", "article_id", article_ids, REVISION_COLUMNS)
        return known.sort_by([("article_id", "ascending"), ("revision_id", "ascending")])

    def components(self, article_ids: Ids) -> pa.Array:
        """Return the sorted ids of all members of the components that these articles are in."""
        own = self._narrowed("story_members", "article_id", article_ids, ["component_id"])
        components = own["component_id"].unique()
        members = self._narrowed("story_members", "component_id", components, ["article_id"])
        return members["article_id"].unique().sort()

    def members(self, article_ids: Ids) -> pa.Table:
        """Return MEMBERS: of these articles, those that the warehouse holds."""
        columns = ["article_id", "source_id", "published_at", "title", "n_chars", "content_hash"]
        articles = self._narrowed("articles", "article_id", article_ids, [*columns, "is_current"])
        stories = self._narrowed(
            "story_members", "article_id", article_ids, ["article_id", "story_id"]
        )
        founded = self._narrowed(
            "stories", "story_id", stories["story_id"].unique(), ["story_id", "founded_snapshot"]
        )
        if not articles.num_rows:
            return MEMBERS.schema.empty_table()
        joined = fetch(
            self.connection,
            f"SELECT {', '.join(columns)}, story_id, founded_snapshot FROM found"
            " LEFT JOIN placed USING (article_id) LEFT JOIN founded USING (story_id)"
            " WHERE is_current",
            {"found": articles, "placed": stories, "founded": founded},
        )
        return conform(joined, MEMBERS)

    def edges(self, article_ids: Ids) -> pa.Table:
        """Return EDGES that are duplicates and have both ends among these articles."""
        edges = self._narrowed("edges", "left_id", article_ids, EDGES.schema.names)
        is_within = pc.is_in(edges["right_id"], _one_array(article_ids))
        return conform(edges.filter(pc.and_(is_within, edges["is_duplicate"])), EDGES)

    def current_articles(self, article_ids: Ids) -> pa.Table:
        """Return ARTICLES: the current revisions of these articles."""
        articles = self.rows("articles", "article_id", article_ids)
        return articles.filter(articles["is_current"])

    def stored_rows(self, stored: StoredFile) -> pa.Table:
        """Return all rows of one live file with the schema of its contract."""
        return read_file(self._root, stored)

    def known_documents(self, document_ids: Ids, files: Sequence[StoredFile]) -> pa.Array:
        """Return those of the ids that `files` of documents hold."""
        return self.ids.known("documents", "document_id", document_ids, files)


def _recipes_in(path: Path) -> pa.Table:
    """Return `params_id` of a file of signatures, each once: its footer tells where it is one."""
    with pq.ParquetFile(path) as parquet:
        place = parquet.metadata.schema.names.index("params_id")
        groups = map(parquet.metadata.row_group, range(parquet.metadata.num_row_groups))
        told = [group.column(place).statistics for group in groups]
        if all(stats is not None and stats.has_min_max for stats in told):
            named = {value for stats in told for value in (stats.min, stats.max)}
            if len(named) == 1:
                return pa.table({"params_id": pa.array([*named], pa.string())})
        rows = parquet.read(columns=["params_id"])
    return rows.group_by("params_id").aggregate([])


def _one_array(ids: Ids) -> pa.Array:
    plain = ids.cast(ID)
    return plain.combine_chunks() if isinstance(plain, pa.ChunkedArray) else plain
