"""Shared paragraphs are a function of the set of articles: any order, batches and revisions."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import ID, TIME
from pipeline.dedup.bands import BandRules, search
from pipeline.dedup.decide import CLEANED_PARAGRAPHS
from pipeline.dedup.passages import PassageRules, find_passages
from pipeline.dedup.shared import SharedRules, find_shared, find_sightings
from pipeline.interim import KEYS, SHARED
from pipeline.text.normalise import key_hash, make_key
from tests.unit.articles_factory import article_id

NOON = datetime(2026, 3, 5, 12)  # noqa: DTZ001 - the warehouse keeps naive UTC
POOL = [
    f"Paragraph {word} is long enough to be one that two outlets could have in common."
    for word in ("one", "two")
] + ["Too short to share."]
KEYS_COLUMNS = pa.schema(
    [
        ("article_id", ID),
        ("source_id", pa.string()),
        ("published_at", TIME),
        ("passages", pa.list_(pa.uint64())),
    ]
)
PARAGRAPH_COLUMNS = pa.schema(
    [CLEANED_PARAGRAPHS.schema.field(n) for n in ("article_id", "seq", "text", "key_hash")]
    + [pa.field("status", pa.string())]
)

one_article = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["daily", "wire", "local"]),
        "minutes": st.none() | st.integers(0, 3),
        "paragraphs": st.lists(
            st.tuples(st.integers(0, len(POOL) - 1), st.booleans()), min_size=1, max_size=3
        ),
    }
)
articles = st.dictionaries(st.integers(0, 4), one_article, min_size=1)


def paragraph_rows(number, article):
    return [
        {
            "article_id": article_id(number),
            "seq": seq,
            "text": POOL[at],
            "key_hash": key_hash(make_key(POOL[at])),
            "status": "kept" if is_kept else "dropped",
        }
        for seq, (at, is_kept) in enumerate(article["paragraphs"])
    ]


def published(article):
    minutes = article["minutes"]
    return None if minutes is None else NOON + timedelta(minutes=minutes)


def as_keys(narrow):
    """Return KEYS of articles that meet by their passages alone."""
    empty = {"title_key": "", "title_version": 0, "key": "", "key_hash": bytes(16)}
    empty |= {
        "numbers": [],
        "numbers_hash": 0,
        "n_shingles": 0,
        "signature": None,
        "bands": None,
        "lines": [],
    }
    rows = [empty | row for row in narrow.to_pylist()]
    return pa.Table.from_pylist(rows, KEYS.schema)


def keys_and_paragraphs(wanted):
    rows = [row for number, a in sorted(wanted.items()) for row in paragraph_rows(number, a)]
    paragraphs = pa.Table.from_pylist(rows, PARAGRAPH_COLUMNS)
    found = find_passages(paragraphs, PassageRules()).to_pylist()
    passages = {row["article_id"]: row["passages"] for row in found}
    keys = [
        {
            "article_id": article_id(number),
            "source_id": article["source"],
            "published_at": published(article),
            "passages": passages.get(article_id(number), []),
        }
        for number, article in wanted.items()
    ]
    return pa.Table.from_pylist(keys, KEYS_COLUMNS), paragraphs


def by_definition(wanted):
    """Return the rows of `shared_paragraphs`, straight from what is said of them."""
    sightings = {}
    for number, article in wanted.items():
        for row in paragraph_rows(number, article):
            if row["status"] == "kept" and len(make_key(row["text"])) >= 40:
                time = published(article) or datetime.max  # noqa: DTZ901
                source = article["source"] + (str(number) if article["source"] == "local" else "")
                place = (time, row["article_id"], row["seq"], source)
                sightings.setdefault(row["key_hash"], []).append(place)
    return {
        (article, seq): (key, min(seen)[1], min(seen)[2])
        for key, seen in sightings.items()
        if len({source for *_, source in seen}) > 1
        for _, article, seq, _ in seen
    }


class Store:
    """The tables as a warehouse would hold them, with stale rows until a batch is published."""

    def __init__(self):
        self.current, self.segments, self.rows = {}, [], {}

    def take(self, batch, gone):
        keys, _ = keys_and_paragraphs(batch)
        gone_ids = pa.array([article_id(number) for number in gone], ID)
        sightings = find_sightings(keys, self.segments, gone_ids, SharedRules())
        met = search(as_keys(keys), [as_keys(s) for s in self.segments], BandRules()).passages
        again = find_sightings(keys, self.segments, gone_ids, SharedRules(), met)
        assert again.article_ids.equals(sightings.article_ids)
        assert again.shared.equals(sightings.shared)
        assert again.changed.tolist() == sightings.changed.tolist()
        for number in gone:
            del self.current[number]
        self.current |= batch
        asked = set(sightings.article_ids.to_pylist())
        _, paragraphs = keys_and_paragraphs(self.current)
        read = [row for row in paragraphs.to_pylist() if row["article_id"] in asked]
        standing = [
            {
                "article_id": place[0],
                "seq": place[1],
                "key_hash": row[0],
                "first_article_id": row[1],
                "first_seq": row[2],
            }
            for place, row in self.rows.items()
            if place[0] in asked
        ]
        shared = find_shared(
            sightings,
            pa.Table.from_pylist(read, PARAGRAPH_COLUMNS),
            pa.Table.from_pylist(standing, SHARED.schema),
        )
        for row in shared.removed.to_pylist():
            del self.rows[row["article_id"], row["seq"]]
        for row in shared.added.to_pylist():
            place = (row["article_id"], row["seq"])
            assert place not in self.rows, "a row is removed before its key is written again"
            self.rows[place] = (row["key_hash"], row["first_article_id"], row["first_seq"])
        dead = {article_id(number) for number in (*batch, *gone)}
        self.segments = [
            pa.Table.from_pylist(
                [r for r in segment.to_pylist() if r["article_id"] not in dead], KEYS_COLUMNS
            )
            for segment in self.segments
        ] + [keys]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(articles, st.sets(st.integers(0, 4))), min_size=1, max_size=5))
def test_rows_are_those_of_the_set_after_any_batches(steps):
    store = Store()
    for batch, leaving in steps:
        gone = [n for n in sorted(leaving) if n in store.current and n not in batch]
        store.take(batch, gone)
        assert store.rows == by_definition(store.current)


@settings(max_examples=60, deadline=None)
@given(articles, st.data())
def test_order_and_batches_do_not_matter(wanted, data):
    order = data.draw(st.permutations(sorted(wanted)))
    cut = data.draw(st.integers(0, len(order)))
    store, whole = Store(), Store()
    for part in (order[:cut], order[cut:]):
        store.take({number: wanted[number] for number in part}, [])
    whole.take(wanted, [])
    assert store.rows == whole.rows
