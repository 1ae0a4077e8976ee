"""Which revision is current and which document it shows: functions of the set of documents."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.gather import RESTATED_COLUMNS, fresh_revisions, replaced_rows
from pipeline.contracts import ARTICLES, ID
from pipeline.interim import PARSED
from pipeline.sources.identity import content_hash, revision_id
from pipeline.store.gather import REVISION_COLUMNS
from tests.unit.articles_factory import NOON, article_id

HOURS = (None, 1, 1, 2)
"""Of the update that made each content: one without a time, two at the same time."""


class FakeWarehouse:
    """ARTICLES in memory, with the two questions that are asked of them."""

    def __init__(self) -> None:
        self.articles = ARTICLES.schema.empty_table()

    def known_revisions(self, article_ids: pa.Array) -> pa.Table:
        return self.rows("articles", "article_id", article_ids).select(list(REVISION_COLUMNS))

    def rows(self, table: str, column: str, ids: pa.Array) -> pa.Table:
        assert table == "articles"
        return self.articles.filter(pc.is_in(self.articles[column], ids.cast(ID)))

    def take(self, parsed: pa.Table, batch: int) -> int:
        """Store one batch as a publish does; return how many revisions were new."""
        fresh = fresh_revisions(self, parsed)  # type: ignore[arg-type]
        replaced = replaced_rows(self, fresh)  # type: ignore[arg-type]
        gone = pc.is_in(self.articles["revision_id"], replaced["revision_id"].combine_chunks())
        new = [
            dict.fromkeys(ARTICLES.schema.names)
            | row
            | {"is_current": row["revision_id"] in fresh.current}
            | {"first_seen_at": NOON + timedelta(days=batch)}
            for row in fresh.parsed.to_pylist()
        ]
        kept = [self.articles.filter(pc.invert(gone)), replaced]
        self.articles = pa.concat_tables([*kept, pa.Table.from_pylist(new, ARTICLES.schema)])
        return fresh.parsed.num_rows


def document(article: int, content: int, number: int) -> dict[str, Any]:
    hours = HOURS[content]
    fields: dict[str, Any] = {
        "title": "title",
        "original_text": f"text {content}",
        "url": f"https://a.example/{article}?utm_source={number}",
        "byline": None,
        "published_at": None,
        "updated_at": None if hours is None else NOON + timedelta(hours=hours),
        "section": None,
        "language": None,
        "publisher": None,
    }
    own = article_id(f"article {article}")
    hashed = content_hash(**fields)
    return dict.fromkeys(PARSED.schema.names) | {
        **fields,
        "article_id": own,
        "revision_id": revision_id(own, hashed),
        "content_hash": hashed,
        "source_id": "a.example",
        "extra": f'{{"fetched": {number}}}',
        "document_id": hashlib.blake2b(f"{article} {number}".encode(), digest_size=16).digest(),
    }


DOCUMENTS = [
    document(article, content, 4 * copy + content)
    for article in range(2)
    for content in range(len(HOURS))
    for copy in range(3)
]


def parsed_of(documents: list[dict[str, Any]]) -> pa.Table:
    """Return PARSED as `parse` does: of equal contents in a batch the smallest document."""
    ordered = sorted(documents, key=lambda d: (d["revision_id"], d["document_id"]))
    first = [next(own) for _, own in groupby(ordered, key=lambda d: d["revision_id"])]
    return pa.Table.from_pylist(first, PARSED.schema)


@settings(max_examples=40, deadline=None)
@given(st.permutations(DOCUMENTS), st.sets(st.integers(1, len(DOCUMENTS) - 1)))
def test_any_order_and_batches_store_the_same(
    documents: list[dict[str, Any]], cuts: set[int]
) -> None:
    warehouse, n_new = FakeWarehouse(), 0
    bounds = [0, *sorted(cuts), len(documents)]
    for number, (start, stop) in enumerate(pairwise(bounds)):
        n_new += warehouse.take(parsed_of(documents[start:stop]), number)
    found = warehouse.articles.sort_by("revision_id").to_pylist()
    smallest = {d["revision_id"]: d for d in parsed_of(DOCUMENTS).to_pylist()}
    assert n_new == len(found) == len(smallest)
    for row in found:
        wanted = smallest[row["revision_id"]]
        assert [row[n] for n in RESTATED_COLUMNS] == [wanted[n] for n in RESTATED_COLUMNS]
        first = next(
            at
            for at, (start, stop) in enumerate(pairwise(bounds))
            if row["revision_id"] in {d["revision_id"] for d in documents[start:stop]}
        )
        assert row["first_seen_at"] == NOON + timedelta(days=first)
    current = [row for row in found if row["is_current"]]
    newest = {row["article_id"]: HOURS.index(2) for row in found}
    assert {r["article_id"]: int(r["original_text"].split()[1]) for r in current} == newest
    assert len(current) == len(newest)


def test_the_same_documents_again_store_nothing() -> None:
    warehouse = FakeWarehouse()
    warehouse.take(parsed_of(DOCUMENTS), 0)
    before = warehouse.articles
    fresh = fresh_revisions(warehouse, parsed_of(DOCUMENTS))  # type: ignore[arg-type]
    assert fresh.parsed.num_rows == replaced_rows(warehouse, fresh).num_rows == 0  # type: ignore[arg-type]
    assert fresh.n_unchanged == before.num_rows


def test_of_contents_with_one_time_the_greater_hash_is_current() -> None:
    """Contents 1 and 2 have one time; a tie goes by content hash, whichever came first."""
    tied = [d for d in DOCUMENTS if d["original_text"] in ("text 0", "text 1", "text 2")]
    for documents in (tied, tied[::-1]):
        warehouse = FakeWarehouse()
        for number, own in enumerate(documents):
            warehouse.take(parsed_of([own]), number)
        for row in warehouse.articles.filter(warehouse.articles["is_current"]).to_pylist():
            rivals = [d for d in tied if d["article_id"] == row["article_id"] and d["updated_at"]]
            assert row["content_hash"] == max(d["content_hash"] for d in rivals)


def test_a_text_in_another_unicode_form_stays_as_it_came() -> None:
    """Spans of paragraphs and decisions point into the stored text."""
    one, other = sorted(
        (document(0, 1, number) for number in (1, 5)), key=lambda d: d["document_id"]
    )
    warehouse = FakeWarehouse()
    warehouse.take(parsed_of([other | {"original_text": "cafe\u0301"}]), 0)
    warehouse.take(parsed_of([one | {"original_text": "café"}]), 1)
    [row] = warehouse.articles.to_pylist()
    assert (row["original_text"], row["document_id"]) == ("cafe\u0301", other["document_id"])
