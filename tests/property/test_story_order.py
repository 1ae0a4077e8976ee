"""Stories are a function of the set of articles: order and batches change nothing.

The articles are versions of some texts under marked headlines, parts of them and copies; the model
takes batches as the flow does, with edges that end when buckets grow.
"""

import hashlib
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import ID, TIME
from pipeline.dedup.bands import BandRules, search
from pipeline.dedup.bucket_pairs import CentreRule
from pipeline.dedup.clusters import CanonicalPolicy, derive_stories
from pipeline.dedup.relations import RelationRules
from pipeline.dedup.signatures import Recipe, sign
from pipeline.dedup.verify import verify
from pipeline.interim import HASHES, MEMBERS, VERIFIED

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).replace(tzinfo=None)
SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호"
SCHEMA = pa.schema(
    [
        ("article_id", ID),
        ("source_id", pa.string()),
        ("published_at", TIME),
        ("title", pa.string()),
        ("text", pa.large_string()),
    ]
)
TITLES = (
    "[속보] 강변 둔치 새 도서관 개관",
    "강변 둔치 새 도서관 개관",
    "강변 둔치 새 도서관 개관(종합)",
)
FAR = "남산 단풍 절정"
PASSAGE_CHARS = 60
TABLES = (
    "",
    "상승 412개 하락 398개 보합 31개 거래 5만주",
    "상승 377개 하락 401개 보합 31개 거래 7만주",
)
"""What is appended: articles with two different ones are of one series."""


def digest(name, size=16):
    return hashlib.blake2b(str(name).encode(), digest_size=size).digest()


def syllables(family, count):
    numbers = (int.from_bytes(digest(f"{family}/{i}", 4), "little") for i in range(count))
    return "".join(SYLLABLES[number % len(SYLLABLES)] for number in numbers)


def text_of(shape, n_edits, table):
    """Return a text: a line, a part, the whole, the whole with more, or another text."""
    whole = syllables("whole", 300)
    text = {
        "line": "강변 둔치 새 도서관",
        "part": whole[:120],
        "half": whole[:260] + syllables("half", 300),
        "whole": whole,
        "more": whole + syllables("more", 240),
        "other": syllables("other", 300),
    }[shape]
    characters = list(text + TABLES[table])
    for number in range(n_edits):
        place = int.from_bytes(digest(f"{n_edits}/{number}", 4), "little") % len(characters)
        characters[place] = "끝"
    return "".join(characters)


ARTICLES = st.lists(
    st.builds(
        dict,
        shape=st.sampled_from(["line", "part", "half", "whole", "whole", "more", "other"]),
        n_edits=st.sampled_from([0, 0, 1, 6, 10]),
        table=st.sampled_from([0, 0, 0, 1, 2]),
        hours=st.sampled_from([0, 1, 20, 60, None]),
        source=st.sampled_from(["daily", "daily", "wire"]),
        title=st.sampled_from([*TITLES, FAR]),
    ),
    min_size=4,
    max_size=14,
)
CENTRES = [CentreRule(), CentreRule(1, 1, 0), CentreRule(3, 1, 9)]
RULES = st.sampled_from([BandRules(centres=centres) for centres in CENTRES])


def keys_of_articles(articles):
    """Return KEYS and the titles of generated articles."""
    rows = [
        {
            "article_id": digest(f"id {number} {sorted(a.items(), key=str)}"),
            "source_id": a["source"],
            "published_at": None if a["hours"] is None else NOON + timedelta(hours=a["hours"]),
            "title": a["title"],
            "text": text_of(a["shape"], a["n_edits"], a["table"]),
        }
        for number, a in enumerate(articles)
    ]
    table = sign(pa.Table.from_pylist(rows, SCHEMA), Recipe())
    titles = {row["article_id"]: row["title"] for row in rows}
    passages = pa.array([passages_of(key) for key in table["key"].to_pylist()], HASHES)
    place = table.schema.get_field_index("passages")
    return table.set_column(place, table.schema.field(place), passages), titles


def passages_of(key):
    parts = {key[i : i + PASSAGE_CHARS] for i in range(0, len(key) - PASSAGE_CHARS + 1, 60)}
    return sorted(int.from_bytes(digest(part, 8), "little") for part in parts)


def ids_of(table):
    return table["article_id"].to_pylist()


def pairs_of(table):
    return set(zip(table["left_id"].to_pylist(), table["right_id"].to_pylist(), strict=True))


@st.composite
def arrivals(draw):
    """Return some articles and a way in which they arrive, in batches."""
    articles = draw(ARTICLES)
    order = draw(st.permutations(range(len(articles))))
    cuts = sorted(draw(st.sets(st.integers(1, len(articles)), max_size=4)) | {len(articles)})
    batches = [order[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    keys, titles = keys_of_articles(articles)
    return keys, titles, [batch for batch in batches if batch]


class Model:
    """The warehouse as far as stories go: all edges, and the story of each article."""

    def __init__(self, rules, titles):
        self.rules, self.titles = rules, titles
        self.history, self.edges, self.members, self.founded = [], {}, {}, {}

    def take(self, batch, snapshot):
        found = search(batch, self.history, self.rules)
        fresh = verify(found.pairs, batch, self.history, RelationRules()).to_pylist()
        lapsed = pairs_of(found.lapsed)
        placing = [
            row
            for row in fresh
            if row["is_duplicate"] or row["relation"] in ("contained", "series")
        ]
        seeds = set(ids_of(batch)) | {i for row in placing for i in ends_of(row)}
        seeds |= {i for pair in lapsed & self.edges.keys() for i in pair}
        stood = [pair for pair, row in self.edges.items() if row["is_duplicate"]]
        self.edges |= {ends_of(row): row for row in fresh}
        now = [pair for pair, row in self.edges.items() if row["is_duplicate"]]
        ids = connected(seeds, [*stood, *now])
        self.edges = {pair: row for pair, row in self.edges.items() if pair not in lapsed}
        self.history.append(batch)
        self.derive(ids, snapshot)

    def derive(self, ids, snapshot):
        keys = pa.concat_tables(self.history)
        keys = keys.filter(pc.is_in(keys["article_id"], pa.array(sorted(ids), ID)))
        edges = [
            row
            for pair, row in self.edges.items()
            if ((row["is_duplicate"] or row["relation"] == "series") and ids.issuperset(pair))
            or (row["relation"] == "contained" and ids & set(pair))
        ]
        stories = derive_stories(
            pa.Table.from_pylist(edges, VERIFIED.schema),
            self.members_of(keys),
            CanonicalPolicy(),
            snapshot,
        )
        before = {self.members[i]["story_id"] for i in ids if i in self.members}
        self.members |= {r["article_id"]: r for r in stories.members.to_pylist()}
        self.founded |= {r["story_id"]: r["founded_snapshot"] for r in stories.stories.to_pylist()}
        redirects = dict(zip(*stories.redirects.to_pydict().values(), strict=True))
        living = {r["story_id"] for r in self.members.values()}
        assert before - living == set(redirects)
        assert set(redirects.values()) <= living

    def members_of(self, keys):
        """Return MEMBERS of articles with the story each stands in."""
        rows = []
        for key in keys.to_pylist():
            story = self.members.get(key["article_id"], {}).get("story_id")
            own = {
                "title": self.titles[key["article_id"]],
                "n_chars": len(key["key"]),
                "content_hash": key["key_hash"],
                "story_id": story,
                "founded_snapshot": self.founded.get(story),
            }
            same = {name: key[name] for name in ("article_id", "source_id", "published_at")}
            rows.append(same | own)
        return pa.Table.from_pylist(rows, MEMBERS.schema)

    def outcome(self):
        """Return all that must not depend on arrival: everything but the names of stories."""
        names = {}
        for article, row in sorted(self.members.items()):
            names.setdefault(row["story_id"], article)
        return {
            article: row | {"story_id": names[row["story_id"]]}
            for article, row in self.members.items()
        }


def ends_of(row):
    return row["left_id"], row["right_id"]


def connected(article_ids, pairs):
    """Return all articles connected with some."""
    reached, grown = set(), set(article_ids)
    while grown != reached:
        reached = set(grown)
        for left, right in pairs:
            if left in reached or right in reached:
                grown |= {left, right}
    return reached


def taken(arrival, rules):
    """Return the models of all articles at once and in batches."""
    keys, titles, batches = arrival
    whole, parts = Model(rules, titles), Model(rules, titles)
    whole.take(keys, 1)
    for snapshot, batch in enumerate(batches, start=1):
        parts.take(keys.take(pa.array(batch)), snapshot)
    return whole, parts


@settings(max_examples=80, deadline=None)
@given(arrivals(), RULES)
def test_stories_do_not_depend_on_the_batches(arrival, rules):
    whole, parts = taken(arrival, rules)
    assert parts.edges == whole.edges
    assert parts.outcome() == whole.outcome()


@settings(max_examples=80, deadline=None)
@given(arrivals(), RULES)
def test_every_member_stands_and_has_the_role_that_its_edges_give(arrival, rules):
    _, model = taken(arrival, rules)
    stories = {}
    for row in model.members.values():
        stories.setdefault(row["story_id"], []).append(row)
    for pair, edge in model.edges.items():
        if edge["relation"] == "series":
            assert len({model.members[i]["story_id"] for i in pair}) == 2
    for rows in stories.values():
        (canonical,) = {row["canonical_id"] for row in rows}
        roles = {row["article_id"]: row["role"] for row in rows}
        if len(rows) == 1:
            assert roles[canonical] in ("single", "contained")
        else:
            assert [i for i, role in roles.items() if role == "canonical"] == [canonical]
            assert set(roles.values()) <= {"canonical", "update", "duplicate"}
        for row in rows:
            check_match(row, set(roles), model)


def check_match(row, inside, model):
    """Assert that a member names the edge that its role rests on."""
    article, role = row["article_id"], row["role"]
    if role in ("single", "canonical"):
        assert row["matched_id"] is row["relation"] is row["jaccard"] is None
        return
    edge = model.edges[tuple(sorted((article, row["matched_id"])))]
    assert (edge["relation"], edge["jaccard"]) == (row["relation"], row["jaccard"])
    if role == "contained":
        is_left = edge["left_id"] == article
        own, other = edge["left_containment"], edge["right_containment"]
        assert (row["relation"], own > other) == ("contained", is_left)
        return
    partners = {
        i
        for i in inside
        if (p := tuple(sorted((i, article)))) in model.edges and model.edges[p]["is_duplicate"]
    }
    assert row["matched_id"] in partners
    assert (row["matched_id"] == row["canonical_id"]) == (row["canonical_id"] in partners)


@settings(max_examples=60, deadline=None)
@given(arrivals())
def test_the_newest_of_a_chain_stands_for_it(arrival):
    model, _ = taken(arrival, BandRules())
    times = {r["article_id"]: r["published_at"] for r in model.history[0].to_pylist()}
    for article, row in model.members.items():
        if row["role"] == "update" and times[row["canonical_id"]] is not None:
            assert times[article] is None or times[article] <= times[row["canonical_id"]]
