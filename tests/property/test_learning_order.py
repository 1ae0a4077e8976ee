"""What is learned is a function of the set of articles, and no article is left behind."""

import hashlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract import HASH, ID, TIME
from pipeline.dedup.learning import LearningRules, learn
from pipeline.interim import LEARNED

START = datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)
SCHEMA = pa.schema(
    [
        ("article_id", ID),
        ("source_id", pa.string()),
        ("published_at", TIME),
        ("title_key", pa.string()),
        ("lines", pa.list_(HASH)),
    ]
)
# Small numbers, so that twenty articles reach every threshold from both sides.
RULES = LearningRules(
    window_days=4, min_documents=3, min_share=0.5, min_days=2, many_documents=6, n_titles=4
)
TITLES = [
    "",
    "달빛도서관개관",
    "등대축제개막",
    "항구새단장",
    "등대축제폐막",
    "시장선거",
    "요금인하",
    "야구우승",
]


def line(source, number, is_edge):
    """Return the hash of a line; every third one is prose."""
    digest = hashlib.blake2b(f"{source}/{number}".encode(), digest_size=8).digest()
    clear = int.from_bytes(digest, "little") & ~15
    return clear | (8 if number % 3 == 0 else 0) | is_edge


ARTICLE = st.builds(
    dict,
    number=st.integers(0, 24),
    source=st.sampled_from(["daily", "daily", "daily", "wire"]),
    day=st.sampled_from([None, 0, 1, 2, 3, 4, 9]),
    title=st.sampled_from(TITLES),
    lines=st.dictionaries(
        st.sampled_from([0, 1, 1, 2, 2, 3, 4, 5]),
        st.sampled_from([True, True, True, True, False]),
        min_size=1,
        max_size=5,
    ),
)


def row(article):
    source = article["source"]
    name = f"{source}/{article['number']}"
    day = article["day"]
    return {
        "article_id": hashlib.blake2b(name.encode(), digest_size=16).digest(),
        "source_id": source,
        "published_at": None if day is None else START + timedelta(days=day, hours=5),
        "title_key": article["title"],
        "lines": sorted(line(source, n, edge) for n, edge in article["lines"].items()),
    }


def table(rows):
    return pa.Table.from_pylist(sorted(rows, key=lambda r: r["article_id"]), SCHEMA)


class Warehouse:
    """The current article of each id, what stands as furniture, and with what each was derived."""

    def __init__(self, rules=RULES):
        self.rules, self.articles, self.derived = rules, {}, {}
        self.standing = LEARNED.schema.empty_table()

    def take(self, batch, gone=(), n_segments=1):
        rows = sorted(self.articles.values(), key=lambda r: r["article_id"])
        history = [table(rows[start::n_segments]) for start in range(n_segments)]
        found = learn(table(batch), history, self.standing, gone, self.rules)
        others = pc.invert(pc.is_in(self.standing["source_id"], pa.array(found.sources)))
        self.standing = pa.concat_tables([self.standing.filter(others), found.furniture])
        for identifier in gone:
            del self.articles[identifier], self.derived[identifier]
        self.articles |= {r["article_id"]: r for r in batch}
        fresh = {r["article_id"] for r in batch}
        stale = set(found.stale.to_pylist())
        assert stale <= set(self.articles) - fresh
        for identifier in stale | fresh:
            self.derived[identifier] = self.furniture_in(identifier)

    def furniture_in(self, identifier):
        return self.known() & {n & ~1 for n in self.articles[identifier]["lines"]}

    def known(self):
        return set(self.standing["line_hash"].to_pylist())

    def outcome(self):
        return sorted(self.standing.to_pylist(), key=lambda r: r["line_hash"])


@st.composite
def arrivals(draw):
    """Return batches, articles by id, and whether some are forgotten: later replace earlier."""
    articles = draw(st.lists(ARTICLE, min_size=8, max_size=40))
    cuts = sorted(draw(st.sets(st.integers(1, len(articles)), max_size=5)) | {len(articles)})
    batches = [articles[a:b] for a, b in zip([0, *cuts], cuts, strict=False) if a < b]
    return [
        ({row(a)["article_id"]: row(a) for a in batch}, draw(st.booleans())) for batch in batches
    ]


@settings(max_examples=150, deadline=None)
@given(arrivals(), st.randoms(use_true_random=False))
def test_what_stands_does_not_depend_on_batches_revisions_and_what_was_forgotten(batches, chance):
    parts = Warehouse()
    for number, (batch, forgets) in enumerate(batches):
        leaving = sorted(set(parts.articles) - set(batch))
        gone = chance.sample(leaving, len(leaving) // 3) if forgets else []
        parts.take(list(batch.values()), gone, n_segments=1 + number % 3)
    whole = Warehouse()
    whole.take(list(parts.articles.values()))
    assert parts.outcome() == whole.outcome()
    assert parts.derived == {i: parts.furniture_in(i) for i in parts.articles}
    assert parts.derived == whole.derived


@settings(max_examples=60, deadline=None)
@given(arrivals(), st.randoms(use_true_random=False))
def test_orders_of_the_same_articles_learn_the_same(batches, chance):
    articles = {i: r for batch, _ in batches for i, r in batch.items()}
    outcomes = []
    for _ in range(2):
        order = sorted(articles)
        chance.shuffle(order)
        warehouse = Warehouse()
        size = chance.randint(1, len(order))
        for start in range(0, len(order), size):
            warehouse.take([articles[i] for i in order[start : start + size]])
        outcomes.append(warehouse.outcome())
    assert outcomes[0] == outcomes[1]


def test_the_articles_of_these_tests_teach_and_unlearn():
    """Guard: a strategy whose articles never teach anything would prove nothing."""
    generator = np.random.default_rng(3)
    warehouse, n_learned, n_unlearned = Warehouse(), 0, 0
    for number in range(60):
        before = warehouse.known()
        day = int(generator.integers(0, 5))
        lines = {int(n): bool(generator.random() < 0.9) for n in generator.integers(0, 6, 3)}
        title = TITLES[generator.integers(1, len(TITLES))]
        own = {"number": number % 25, "source": "daily", "title": title}
        warehouse.take([row(own | {"day": day, "lines": lines})])
        n_learned += len(warehouse.known() - before)
        n_unlearned += len(before - warehouse.known())
    assert n_learned > 5
    assert n_unlearned > 5


def a_month():
    """Return thirty days of three sources: footers, one that changes, a template, body lines."""
    generator = np.random.default_rng(5)
    rows = []
    for number in range(900):
        source = ["daily", "daily", "wire", "local"][number % 4]
        day = int(generator.integers(0, 30)) if source != "local" else None
        footers = {0: True, (1 if day is None or day < 12 else 2): True}
        footers |= {4: True} if generator.random() < 0.1 else {}
        footers |= {5: bool(generator.random() < 0.6)} if generator.random() < 0.2 else {}
        footers |= {int(n): True for n in generator.integers(10, 10_000, 4)}
        syllables = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호"
        title = "".join(syllables[n] for n in generator.integers(0, len(syllables), 12))
        own = {"number": number, "source": source, "day": day, "title": title, "lines": footers}
        rows.append(row(own))
    return rows


def test_a_month_of_three_sources_in_any_order():
    articles = a_month()
    whole = Warehouse(LearningRules())
    whole.take(articles)
    by_source = {s: {line(s, n, False): n for n in range(6)} for s in ("daily", "wire", "local")}
    found = {(r["source_id"], by_source[r["source_id"]][r["line_hash"]]) for r in whole.outcome()}
    assert found == {(s, n) for s in ("daily", "wire") for n in (0, 1, 2, 4)} | {
        ("local", 0),
        ("local", 1),
        ("local", 4),
    }
    generator = np.random.default_rng(6)
    for n_batches in (4, 25):
        parts = Warehouse(LearningRules())
        order = generator.permutation(len(articles))
        for batch in np.array_split(order, n_batches):
            parts.take([articles[i] for i in batch], n_segments=3)
        assert parts.outcome() == whole.outcome()
        assert parts.derived == whole.derived
