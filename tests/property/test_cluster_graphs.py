"""Stories of random graphs: a function of the edge set, whatever its order; nobody hangs."""

import hashlib
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup.clusters import CanonicalPolicy, derive_stories
from pipeline.interim import MEMBERS, VERIFIED

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).replace(tzinfo=None)
N_ARTICLES = 9
PAIRS = [(i, j) for i in range(N_ARTICLES) for j in range(i + 1, N_ARTICLES)]


def article_id(number):
    return hashlib.blake2b(str(number).encode(), digest_size=16).digest()


def edge(pair, jaccard):
    left, right = sorted(map(article_id, pair))
    return {
        "left_id": left,
        "right_id": right,
        "relation": "exact" if jaccard == 1 else "near",
        "is_duplicate": True,
        "jaccard": jaccard,
        "left_containment": jaccard,
        "right_containment": jaccard,
        "is_numbers_equal": True,
        "evidence": None,
        "rule_version": "test",
    }


def member(number, hour):
    return {
        "article_id": article_id(number),
        "source_id": f"s{number % 3}",
        "published_at": None if hour is None else NOON + timedelta(hours=hour),
        "n_chars": 100 + number % 4,
        "content_hash": article_id(f"c{number % 5}"),
        "story_id": None,
        "founded_snapshot": None,
    }


@st.composite
def graphs(draw):
    pairs = draw(st.lists(st.sampled_from(PAIRS), max_size=20, unique=True))
    edges = [edge(pair, draw(st.sampled_from([0.5, 0.6, 0.7, 0.9, 1.0]))) for pair in pairs]
    hours = st.sampled_from([0, 1, 2, 3, None])
    return edges, [member(number, draw(hours)) for number in range(N_ARTICLES)]


def derive(edges, members):
    return derive_stories(
        pa.Table.from_pylist(edges, VERIFIED.schema),
        pa.Table.from_pylist(members, MEMBERS.schema),
        CanonicalPolicy(),
        1,
    )


@settings(max_examples=150, deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(graph, random):
    edges, members = graph
    expected = derive(edges, members)
    random.shuffle(edges)
    random.shuffle(members)
    shuffled = derive(edges, members)
    assert shuffled.members.equals(expected.members)
    assert shuffled.stories.equals(expected.stories)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_every_member_verified_against_the_canonical_or_two_members(graph):
    edges, members = graph
    pairs = {(row["left_id"], row["right_id"]) for row in edges}
    rows = derive(edges, members).members.to_pylist()
    stories = {}
    for row in rows:
        stories.setdefault(row["story_id"], set()).add(row["article_id"])
    for row in rows:
        inside = stories[row["story_id"]] - {row["article_id"]}
        partners = {i for i in inside if tuple(sorted((i, row["article_id"]))) in pairs}
        if row["article_id"] != row["canonical_id"]:
            assert row["canonical_id"] in partners or len(partners) >= 2
    assert sum(map(len, stories.values())) == N_ARTICLES


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_no_two_stories_are_left_that_could_join_over_the_canonicals_alone(graph):
    edges, members = graph
    result = derive(edges, members)
    size = dict(
        zip(
            result.stories["story_id"].to_pylist(),
            result.stories["n_members"].to_pylist(),
            strict=True,
        )
    )
    story = {r["article_id"]: r["story_id"] for r in result.members.to_pylist()}
    for row in edges:
        one, other = story[row["left_id"]], story[row["right_id"]]
        assert one == other or size[one] + size[other] > 2


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_components_are_those_of_the_graph(graph):
    edges, members = graph
    label = {m["article_id"]: m["article_id"] for m in members}
    for _ in members:
        for row in edges:
            low = min(label[row["left_id"]], label[row["right_id"]])
            label[row["left_id"]] = label[row["right_id"]] = low
    rows = derive(edges, members).members.to_pylist()
    assert {r["article_id"]: r["component_id"] for r in rows} == label
