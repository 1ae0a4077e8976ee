"""A second derivation beside the one that stands: a draft, and what is different in it.

The draft is a whole warehouse below `staging`, with links to the raw archive. Nothing of it is
published: the rows in which it differs become one Change of the real warehouse, so that a rebuild
has no commit of its own and one that changes nothing writes nothing. What a killed rebuild left
goes with the rest of staging at the next opening.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.contracts import CONTRACTS, DOCUMENTS, ID, Contract, conform
from pipeline.interim import KEYS
from pipeline.store.duck import create_base_views
from pipeline.store.layout import DRAFT_PREFIX, Layout
from pipeline.store.parquet import with_bytes, with_uuids
from pipeline.store.warehouse import Warehouse, open_warehouse

STAMPS = frozenset(("run_id", "first_seen_at", "rule_version"))
"""Columns that say when and by whom a row was written: a row that differs in them alone stands."""

_DRAFT = "draft_"
_DERIVED = "derived_"
_NAMED = pa.schema([("draft_id", ID), ("story_id", ID), ("founded_snapshot", pa.int64())])

_WHOLE = """
    SELECT d.story_id AS draft_id, any_value(m.story_id) AS story_id
    FROM draft_story_members d
    LEFT JOIN story_members m ON m.article_id = d.article_id
    LEFT JOIN stories s ON s.story_id = m.story_id
    GROUP BY d.story_id
    HAVING count(m.story_id) = count(*) AND count(DISTINCT m.story_id) = 1
    AND any_value(s.n_members) = count(*)
"""
"""The draft's stories that are, member for member, a standing one."""

_DERIVATIONS = {
    # A revision was first seen when it was first seen.
    "articles": """
        SELECT n.* REPLACE (
            coalesce(o.first_seen_at, n.first_seen_at) AS first_seen_at,
            coalesce(o.run_id, n.run_id) AS run_id
        ) FROM draft_articles n
        LEFT JOIN articles o ON o.article_id = n.article_id AND o.revision_id = n.revision_id
    """,
    "stories": """
        SELECT n.* REPLACE (
            named.story_id AS story_id, named.founded_snapshot AS founded_snapshot
        ) FROM draft_stories n JOIN named ON named.draft_id = n.story_id
    """,
    "story_members": """
        SELECT n.* REPLACE (named.story_id AS story_id)
        FROM draft_story_members n JOIN named ON named.draft_id = n.story_id
    """,
    # Earlier redirects are led on to where they end; an id that stands again leads nowhere else.
    "story_redirects": """
        SELECT led.* FROM (
            SELECT r.story_id, coalesce(n.merged_into_id, r.merged_into_id) AS merged_into_id,
                   coalesce(n.run_id, r.run_id) AS run_id
            FROM story_redirects r LEFT JOIN redirected n ON n.story_id = r.merged_into_id
            UNION ALL SELECT story_id, merged_into_id, run_id FROM redirected
        ) led
        SEMI JOIN named ON named.story_id = led.merged_into_id
        ANTI JOIN named AS taken ON taken.story_id = led.story_id
    """,
    # A document that was refused and is refused again keeps its row: a replay may have found the
    # better reason, with options that the archive does not hold.
    "quarantine": """
        SELECT n.* FROM draft_quarantine n ANTI JOIN quarantine o USING (document_id)
        UNION ALL
        SELECT o.* FROM quarantine o SEMI JOIN draft_quarantine n USING (document_id)
    """,
}
"""What is to stand of a table, where it is not just what the draft has."""

_SAME_PARAGRAPH = "o.revision_id = n.revision_id AND o.paragraph_seq = n.paragraph_seq"
_SAME_SPAN = f"{_SAME_PARAGRAPH} AND o.start_char = n.start_char AND o.end_char = n.end_char"

_STANDING = """
    {name}_latest AS (
        SELECT * FROM {decisions} WHERE action IN ('drop_paragraph', 'keep_paragraph')
        AND paragraph_seq IS NOT NULL
        QUALIFY row_number() OVER (
            PARTITION BY revision_id, paragraph_seq ORDER BY decided_at DESC, action, decision_id
        ) = 1
    ),
    {name}_paragraphs AS (SELECT * FROM {name}_latest WHERE action = 'drop_paragraph'),
    {name}_spans AS (
        SELECT * FROM {decisions} WHERE action = 'drop_span' OR (
            action = 'keep_paragraph' AND reason = 'rebuilt'
        )
        QUALIFY row_number() OVER (
            PARTITION BY revision_id, paragraph_seq, start_char, end_char
            ORDER BY decided_at DESC, action, decision_id
        ) = 1 AND action = 'drop_span'
    )
"""
"""The paragraphs and spans that are dropped, by the newest decision on each."""

_DECIDED = f"""
    WITH {_STANDING.format(name="old", decisions="decisions")},
    {_STANDING.format(name="new", decisions="draft_decisions")},
    -- A span of a paragraph that is dropped as a whole is of no account.
    old_cuts AS (FROM old_spans n ANTI JOIN old_paragraphs o ON {_SAME_PARAGRAPH}),
    new_cuts AS (FROM new_spans n ANTI JOIN new_paragraphs o ON {_SAME_PARAGRAPH})
"""

_NEWLY_DECIDED = f"""{_DECIDED}
    SELECT n.* FROM new_paragraphs n LEFT JOIN old_paragraphs o ON {_SAME_PARAGRAPH}
    WHERE o.action IS NULL OR o.reason <> n.reason
    OR o.matched_article_id IS DISTINCT FROM n.matched_article_id
    OR o.matched_paragraph_seq IS DISTINCT FROM n.matched_paragraph_seq
    UNION ALL
    SELECT n.* FROM new_cuts n LEFT JOIN old_cuts o ON {_SAME_SPAN}
    WHERE o.action IS NULL OR o.reason <> n.reason
    UNION ALL
    -- Of a known revision a note on what is left in says nothing new.
    SELECT n.* FROM draft_decisions n ANTI JOIN articles a ON a.revision_id = n.revision_id
    WHERE n.action = 'keep_paragraph'
"""

_TAKEN_BACK = f"""{_DECIDED}
    SELECT o.article_id, o.revision_id, o.reason, o.paragraph_seq, o.start_char, o.end_char
    FROM (
        SELECT o.* FROM old_paragraphs o ANTI JOIN new_paragraphs n ON {_SAME_PARAGRAPH}
        UNION ALL
        SELECT o.* FROM old_cuts o ANTI JOIN new_cuts n ON {_SAME_SPAN}
        ANTI JOIN new_paragraphs AS whole
        ON whole.revision_id = o.revision_id AND whole.paragraph_seq = o.paragraph_seq
    ) o SEMI JOIN draft_articles a ON a.revision_id = o.revision_id
"""


@contextmanager
def open_draft(warehouse: Warehouse) -> Iterator[Warehouse]:
    """Open a warehouse below the staging folder of `warehouse`, with its archive and nothing else.

    It is deleted at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix=DRAFT_PREFIX, dir=Layout.at(warehouse.root).staging))
    try:
        with open_warehouse(folder, retention_days=0) as draft:
            draft.borrow_archive(warehouse)
            yield draft
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_ARCHIVED = "SELECT document_id FROM articles UNION SELECT document_id FROM quarantine"


def archived_bytes(warehouse: Warehouse) -> int:
    """Return the bytes of the documents that archived_documents() yields."""
    found = warehouse.select(
        "SELECT coalesce(sum(n_bytes), 0) AS n_bytes FROM documents"
        f" SEMI JOIN ({_ARCHIVED}) USING (document_id)"
    )
    n_bytes: int = found["n_bytes"][0].as_py()
    return n_bytes


def archived_documents(
    warehouse: Warehouse, batch_documents: int, batch_bytes: int
) -> Iterator[pa.Table]:
    """Yield the DOCUMENTS that articles and quarantine name, in batches and a fixed order.

    Others say nothing of their own: another document holds the same revision, or a replay read
    the same bytes in another way, and that reading is in the archive as well.
    """
    parts: list[pa.Table] = []
    n_rows = n_bytes = 0
    for stored in warehouse.gatherer.files(DOCUMENTS.name):
        with pq.ParquetFile(warehouse.root / stored.path) as parquet:
            for group in range(parquet.num_row_groups):
                named = _named(warehouse, with_bytes(parquet.read_row_group(group), DOCUMENTS))
                parts.append(named)
                n_rows += named.num_rows
                n_bytes += pc.sum(named["n_bytes"]).as_py() or 0
                if n_rows >= batch_documents or n_bytes >= batch_bytes:
                    yield conform(pa.concat_tables(parts), DOCUMENTS)
                    parts, n_rows, n_bytes = [], 0, 0
    if n_rows:
        yield conform(pa.concat_tables(parts), DOCUMENTS)


def _named(warehouse: Warehouse, documents: pa.Table) -> pa.Table:
    found = warehouse.select(
        f"SELECT document_id FROM given SEMI JOIN ({_ARCHIVED}) USING (document_id)",
        given=documents.select(["document_id"]),
    )
    ids = found["document_id"].combine_chunks()
    return documents.filter(pc.is_in(documents["document_id"], value_set=ids))


class Comparison:
    """The tables of a warehouse beside those of a draft, as `draft_<table>` in the same SQL.

    Once the stories of the draft have their names, `derived_<table>` is what is to stand.
    """

    def __init__(self, warehouse: Warehouse, draft: Warehouse) -> None:
        """Look at both as they are now; close() before either changes."""
        self._warehouse = warehouse
        self._connection = warehouse.gatherer.connection
        warehouse.gatherer.make_views(CONTRACTS)
        live = {name: draft.gatherer.files(name) for name in CONTRACTS}
        create_base_views(self._connection, live, draft.root, prefix=_DRAFT)

    def close(self) -> None:
        """Forget the draft."""
        for name in CONTRACTS:
            self._connection.execute(f"DROP VIEW IF EXISTS {_DERIVED}{name}")
            self._connection.execute(f"DROP VIEW IF EXISTS {_DRAFT}{name}")
        self._connection.execute("DROP TABLE IF EXISTS named")
        self._connection.execute("DROP TABLE IF EXISTS redirected")

    def select(self, sql: str, **tables: pa.Table) -> pa.Table:
        """Run one query over both sets of tables and the given ones."""
        return self._warehouse.select(sql, **tables)

    def regrouped(self) -> pa.Table:
        """Return the members of those stories of the draft that no standing one equals.

        Columns: draft_id (the draft's story), article_id, and story_id and founded_snapshot of
        where it stands, NULL for an article that stands nowhere.
        """
        return self.select(
            f"WITH whole AS ({_WHOLE})"
            " SELECT d.story_id AS draft_id, d.article_id, m.story_id, s.founded_snapshot"
            " FROM draft_story_members d ANTI JOIN whole ON whole.draft_id = d.story_id"
            " LEFT JOIN story_members m ON m.article_id = d.article_id"
            " LEFT JOIN stories s ON s.story_id = m.story_id"
            " ORDER BY d.story_id, d.article_id"
        )

    def standing_stories(self, story_ids: pa.Array) -> pa.Table:
        """Return article_id, story_id, founded_snapshot: those of these stories that stay whole."""
        return self.select(
            f"WITH whole AS ({_WHOLE})"
            " SELECT m.article_id, m.story_id, s.founded_snapshot FROM whole"
            " JOIN given ON given.story_id = whole.story_id"
            " JOIN story_members m ON m.story_id = whole.story_id"
            " JOIN stories s ON s.story_id = whole.story_id ORDER BY m.story_id, m.article_id",
            given=pa.table({"story_id": story_ids.cast(ID)}),
        )

    def name_stories(self, named: pa.Table, redirects: pa.Table) -> None:
        """Make the `derived_` views: stories under their lasting ids, rows with their history.

        Args:
            named: draft_id, story_id, founded_snapshot of every regrouped story.
            redirects: story_id, merged_into_id, run_id of the standing ids that no story bears.
        """
        whole = self.select(
            f"WITH whole AS ({_WHOLE}) SELECT draft_id, story_id, founded_snapshot"
            " FROM whole JOIN stories USING (story_id)"
        )
        self._keep("named", pa.concat_tables([whole.cast(_NAMED), named.cast(_NAMED)]))
        self._keep("redirected", redirects)
        for name, contract in CONTRACTS.items():
            query = _DERIVATIONS.get(name, f"SELECT * FROM {_DRAFT}{name}")
            columns = ", ".join(contract.schema.names)
            self._connection.execute(
                f"CREATE OR REPLACE VIEW {_DERIVED}{name} AS SELECT {columns} FROM ({query})"
            )

    def _keep(self, name: str, rows: pa.Table) -> None:
        """Keep rows as a table: a view cannot name what a query was given."""
        cursor = self._connection.cursor()
        try:
            cursor.register("given", with_uuids(rows))
            cursor.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given")
        finally:
            cursor.close()

    def difference(self, table: str) -> tuple[pa.Table, pa.Table]:
        """Return the derived rows that do not stand, and the keys of those that go."""
        contract = CONTRACTS[table]
        changed = _differs(contract)
        on = " AND ".join(f"o.{key} = n.{key}" for key in contract.key)
        columns = ", ".join(f"n.{name}" for name in contract.schema.names)
        keys = ", ".join(f"o.{key}" for key in contract.key)
        joined = f"LEFT JOIN {{}} ON {on} WHERE {{}}.{contract.key[0]} IS NULL OR {changed}"
        added = self.select(
            f"SELECT {columns} FROM {_DERIVED}{table} n {joined.format(f'{table} o', 'o')}"
        )
        removed = self.select(
            f"SELECT {keys} FROM {table} o {joined.format(f'{_DERIVED}{table} n', 'n')}"
        )
        return conform(added, contract), removed

    def signed_anew(
        self, standing: Sequence[pa.Table], drafted: Sequence[pa.Table]
    ) -> tuple[pa.Table, pa.Table, pa.Table]:
        """Return the SIGNATURES to add, the keys of those to remove, and the KEYS of the added.

        A signature whose article is compared by other KEYS is written anew with them, even where
        it is the same itself: the cache of keys goes by the files of signatures.

        Args:
            standing: the cached KEYS of the warehouse.
            drafted: the KEYS of the draft, of every article.
        """
        _, gone = self.difference("signatures")
        before = pa.concat_tables([KEYS.schema.empty_table(), *standing])
        after = pa.concat_tables([KEYS.schema.empty_table(), *drafted])
        recut = self.select(
            "SELECT article_id FROM after_keys n JOIN before_keys o USING (article_id)"
            f" WHERE {_differs(KEYS)}",
            before_keys=before,
            after_keys=after,
        )
        removed = pa.concat_tables([gone, recut]).group_by("article_id").aggregate([])
        added = self.select(
            "SELECT n.* FROM derived_signatures n ANTI JOIN (FROM signatures ANTI JOIN removed"
            " USING (article_id)) AS stays USING (article_id)",
            removed=removed,
        )
        signed = conform(added, CONTRACTS["signatures"])
        ids = signed["article_id"].combine_chunks()
        keys = after.filter(pc.is_in(after["article_id"], value_set=ids))
        return signed, removed, conform(keys, KEYS)

    def newly_decided(self) -> pa.Table:
        """Return the draft's DECISIONS on paragraphs that say something else than what stands."""
        return conform(self.select(_NEWLY_DECIDED), CONTRACTS["decisions"])

    def taken_back(self) -> pa.Table:
        """Return the places (article_id to end_char, and reason) of removals that end."""
        return self.select(_TAKEN_BACK)


def _differs(contract: Contract) -> str:
    """Return SQL: whether rows `o` and `n` of one key say something different."""
    compared = set(contract.schema.names) - STAMPS - set(contract.key)
    return " OR ".join(f"o.{c} IS DISTINCT FROM n.{c}" for c in sorted(compared)) or "false"
