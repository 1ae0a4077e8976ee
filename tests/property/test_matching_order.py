"""Candidates and stories are functions of the set of articles, not of how they arrived."""

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
from pipeline.interim import MEMBERS, VERIFIED

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).replace(tzinfo=None)
SCHEMA = pa.schema(
    [
        ("article_id", ID),
        ("source_id", pa.string()),
        ("published_at", TIME),
        ("title", pa.string()),
        ("text", pa.large_string()),
    ]
)
SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호"


def digest(name, size=16):
    return hashlib.blake2b(str(name).encode(), digest_size=size).digest()


def text_of(family, length, n_edits, edit):
    """Return a text of a family with some of its characters replaced."""
    numbers = [digest(f"{family}/{i}", 4) for i in range(length)]
    characters = [SYLLABLES[int.from_bytes(n, "little") % len(SYLLABLES)] for n in numbers]
    for number in range(n_edits):
        place = int.from_bytes(digest(f"{family}/{edit}/{number}", 4), "little") % length
        characters[place] = "끝"
    return "".join(characters)


ARTICLES = st.lists(
    st.builds(
        dict,
        family=st.sampled_from([0, 0, 0, 1]),
        length=st.sampled_from([12, 40, 300, 300, 300, 300]),
        # Ten edits of 300 characters leave Jaccard 0.7 with the original, 0.55 with each other.
        n_edits=st.sampled_from([0, 1, 6, 10, 12]),
        edit=st.integers(0, 9),
        hours=st.sampled_from([0, 1, 20, 60, None]),
        source=st.sampled_from(["daily", "wire"]),
        title=st.sampled_from(["요금", "예산", None]),
    ),
    min_size=6,
    max_size=20,
)
# Few centres, so that a handful of articles displaces some and their pairs lapse.
FEW_CENTRES = [CentreRule(), CentreRule(1, 1, 0), CentreRule(3, 1, 9)]
RULES = st.sampled_from([BandRules(centres=centres) for centres in FEW_CENTRES])


def keys_of_articles(articles):
    rows = [
        {
            "article_id": digest(f"id {number} {sorted(a.items(), key=str)}"),
            "source_id": a["source"],
            "published_at": None if a["hours"] is None else NOON + timedelta(hours=a["hours"]),
            "title": a["title"],
            "text": text_of(a["family"], a["length"], a["n_edits"], a["edit"]),
        }
        for number, a in enumerate(articles)
    ]
    return sign(pa.Table.from_pylist(rows, SCHEMA), Recipe())


@st.composite
def arrivals(draw):
    """Return the keys of some articles and a way in which they arrive, in batches."""
    articles = draw(ARTICLES)
    order = draw(st.permutations(range(len(articles))))
    cuts = sorted(draw(st.sets(st.integers(1, len(articles)), max_size=4)) | {len(articles)})
    batches = [order[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    return keys_of_articles(articles), [batch for batch in batches if batch]


def pairs_of(table):
    return set(zip(table["left_id"].to_pylist(), table["right_id"].to_pylist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(arrivals(), RULES)
def test_candidates_do_not_depend_on_the_batches(arrival, rules):
    keys, batches = arrival
    standing, history = set(), []
    for batch in batches:
        rows = keys.take(pa.array(batch))
        found = search(rows, history, rules)
        standing = (standing | pairs_of(found.pairs)) - pairs_of(found.lapsed)
        history.append(rows)
    assert standing == pairs_of(search(keys, [], rules).pairs)


@settings(max_examples=30, deadline=None)
@given(arrivals(), RULES)
def test_what_is_given_again_changes_nothing(arrival, rules):
    keys, batches = arrival
    again = keys.take(pa.array(batches[0]))
    found = search(again, [keys], rules)
    everything = pairs_of(search(keys, [], rules).pairs)
    assert pairs_of(found.pairs) <= everything
    assert not pairs_of(found.lapsed) & everything
    assert all(left < right for left, right in pairs_of(found.pairs))


def members_of(keys, stories=None):
    """Return MEMBERS of articles with the story each stands in."""
    stood = {} if stories is None else {r["article_id"]: r for r in stories}
    rows = [
        {
            "article_id": r["article_id"],
            "source_id": r["source_id"],
            "published_at": r["published_at"],
            "n_chars": len(r["key"]),
            "content_hash": r["key_hash"],
            "story_id": stood.get(r["article_id"], {}).get("story_id"),
            "founded_snapshot": stood.get(r["article_id"], {}).get("founded_snapshot"),
        }
        for r in keys.to_pylist()
    ]
    return pa.Table.from_pylist(rows, MEMBERS.schema)


def touched(article_ids, edges):
    """Return all articles connected with some."""
    reached, grown = set(), set(article_ids)
    while grown != reached:
        reached = set(grown)
        for left, right in edges:
            if left in reached or right in reached:
                grown |= {left, right}
    return reached


class Model:
    """The warehouse as far as stories go: all edges, and the story of each article."""

    def __init__(self, rules):
        self.rules, self.history, self.edges, self.members, self.founded = rules, [], {}, {}, {}
        self.redirects = {}

    def take(self, batch, snapshot):
        found = search(batch, self.history, self.rules)
        fresh = verify(found.pairs, batch, self.history, RelationRules()).to_pylist()
        lapsed = pairs_of(found.lapsed)
        duplicates = {pair for pair, row in self.edges.items() if row["is_duplicate"]}
        seeds = set(batch["article_id"].to_pylist())
        seeds |= {i for row in fresh for i in (row["left_id"], row["right_id"])}
        seeds |= {i for pair in lapsed & set(self.edges) for i in pair}
        self.edges |= {(row["left_id"], row["right_id"]): row for row in fresh}
        ids = touched(
            seeds, duplicates | {p for p, row in self.edges.items() if row["is_duplicate"]}
        )
        self.edges = {pair: row for pair, row in self.edges.items() if pair not in lapsed}
        self.history.append(batch)
        self.derive(ids, snapshot)

    def derive(self, ids, snapshot):
        keys = pa.concat_tables(self.history)
        keys = keys.filter(pc.is_in(keys["article_id"], pa.array(sorted(ids), ID)))
        inside = [row for pair, row in self.edges.items() if set(pair) <= ids]
        stood = [
            self.members[i] | {"founded_snapshot": self.founded[self.members[i]["story_id"]]}
            for i in ids
            if i in self.members
        ]
        stories = derive_stories(
            pa.Table.from_pylist(inside, VERIFIED.schema),
            members_of(keys, stood),
            CanonicalPolicy(),
            snapshot,
        )
        before = {self.members[i]["story_id"] for i in ids if i in self.members}
        self.members |= {r["article_id"]: r for r in stories.members.to_pylist()}
        self.founded |= {r["story_id"]: r["founded_snapshot"] for r in stories.stories.to_pylist()}
        self.redirects = dict(zip(*stories.redirects.to_pydict().values(), strict=True))
        living = {r["story_id"] for r in self.members.values()}
        assert before - living == set(self.redirects)
        assert set(self.redirects.values()) <= living

    def outcome(self):
        """Return all that must not depend on arrival: everything but the names of stories."""
        names = {}
        for article, row in sorted(self.members.items()):
            names.setdefault(row["story_id"], article)
        return {
            article: row | {"story_id": names[row["story_id"]]}
            for article, row in self.members.items()
        }


@settings(max_examples=60, deadline=None)
@given(arrivals(), RULES)
def test_stories_do_not_depend_on_the_batches(arrival, rules):
    keys, batches = arrival
    whole, parts = Model(rules), Model(rules)
    whole.take(keys, 1)
    for snapshot, batch in enumerate(batches, start=1):
        parts.take(keys.take(pa.array(batch)), snapshot)
    assert parts.outcome() == whole.outcome()
    assert parts.edges == whole.edges


@settings(max_examples=40, deadline=None)
@given(arrivals(), RULES)
def test_every_member_stands_on_an_edge_and_every_story_has_one_canonical(arrival, rules):
    keys, batches = arrival
    model = Model(rules)
    for snapshot, batch in enumerate(batches, start=1):
        model.take(keys.take(pa.array(batch)), snapshot)
    stories = {}
    for row in model.members.values():
        stories.setdefault(row["story_id"], []).append(row)
    for rows in stories.values():
        roles = sorted(row["role"] for row in rows)
        assert roles == (
            ["single"] if len(rows) == 1 else ["canonical"] + ["duplicate"] * (len(rows) - 1)
        )
        ids = {row["article_id"] for row in rows}
        for row in rows:
            partners = {
                i
                for pair, e in model.edges.items()
                if row["article_id"] in pair and e["is_duplicate"]
                for i in pair
            } & ids - {row["article_id"]}
            if row["role"] != "duplicate":
                assert row["matched_id"] is row["relation"] is row["jaccard"] is None
                continue
            assert row["canonical_id"] in partners or len(partners) >= 2
            edge = model.edges[tuple(sorted((row["article_id"], row["matched_id"])))]
            assert edge["relation"] == row["relation"]
            assert edge["jaccard"] == row["jaccard"]
            assert row["matched_id"] in partners
            assert (row["matched_id"] == row["canonical_id"]) == (row["canonical_id"] in partners)
