"""Stories on columns are those of the plain definition, and so are compiled clusters."""

import hashlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup.cluster_graph import ClusterGrowth, Graph
from pipeline.dedup.clusters import CanonicalPolicy, derive_stories
from pipeline.dedup.story_ids import founded_on
from pipeline.interim import MEMBERS, VERIFIED
from tests.reference import plain_stories

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).replace(tzinfo=None)
N_ARTICLES = 8
PAIRS = [(i, j) for i in range(N_ARTICLES) for j in range(i + 1, N_ARTICLES)]
RATIOS = st.sampled_from([0.5, 0.75, 0.875, 1.0])
RELATIONS = ("exact", "near", "update", "contained", "series", "related")


def article_id(name):
    return hashlib.blake2b(str(name).encode(), digest_size=16).digest()


@st.composite
def edges(draw):
    pairs = draw(st.lists(st.sampled_from(PAIRS), max_size=18, unique=True))
    rows = []
    for pair in pairs:
        relation = draw(st.sampled_from(RELATIONS))
        left, right = sorted(map(article_id, pair))
        rows.append(
            {
                "left_id": left,
                "right_id": right,
                "relation": relation,
                "is_duplicate": relation in RELATIONS[:3],
                "jaccard": draw(RATIOS),
                "left_containment": draw(RATIOS),
                "right_containment": draw(RATIOS),
                "is_numbers_equal": True,
                "evidence": None,
                "rule_version": "test",
            }
        )
    if draw(st.booleans()):
        stranger = {"relation": "contained", "is_duplicate": False, "jaccard": 0.25}
        left, right = sorted((article_id(0), article_id("stranger")))
        ends = {"left_id": left, "right_id": right}
        is_left = left == article_id(0)
        held = {"left_containment": 1.0 if is_left else 0.5, "right_containment": 0.75}
        filled = {"is_numbers_equal": True, "evidence": None, "rule_version": "test"}
        rows.append(stranger | ends | held | filled)
    return rows


@st.composite
def members(draw):
    # The story on which an article was founded may be borne by others, or by nobody.
    stories = st.none() | st.integers(0, N_ARTICLES)
    rows = []
    for number in range(N_ARTICLES):
        earlier, hour = draw(stories), draw(st.none() | st.integers(0, 2))
        rows.append(
            {
                "article_id": article_id(number),
                "source_id": f"s{draw(st.integers(0, 2))}",
                "published_at": None if hour is None else NOON + timedelta(hours=hour),
                "title": draw(st.sampled_from([None, "", "[속보] 다리 개통", "다리 개통(종합)"])),
                "n_chars": draw(st.integers(100, 102)),
                "content_hash": article_id(f"c{draw(st.integers(0, 3))}"),
                "story_id": None if earlier is None else founded_on(article_id(earlier)),
                "founded_snapshot": None if earlier is None else 1 + earlier % 3,
            }
        )
    return rows


POLICIES = st.builds(
    CanonicalPolicy,
    source_priority=st.sampled_from([(), ("s1",), ("s2", "s0")]),
    order=st.permutations(["source_priority", "earliest", "longest", "smallest_id"]).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(edges(), members(), POLICIES)
def test_columns_give_what_rows_give(edges, members, policy):
    derived = derive_stories(
        pa.Table.from_pylist(edges, VERIFIED.schema),
        pa.Table.from_pylist(members, MEMBERS.schema),
        policy,
        7,
    )
    rows, stories, redirects = plain_stories.derive(edges, members, policy, 7)

    def filled(row, names):
        return {name: row.get(name) for name in names}

    names = derived.members.column_names
    expected = [filled(rows[article], names) for article in sorted(rows)]
    assert derived.members.to_pylist() == expected
    assert derived.stories.to_pylist() == [stories[story_id] for story_id in sorted(stories)]
    ended = derived.redirects.to_pylist()
    assert {row["story_id"]: row["merged_into_id"] for row in ended} == redirects


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 12))
    numbers = st.integers(0, n - 1)
    pair = st.tuples(numbers, numbers).filter(lambda ends: ends[0] < ends[1])
    ends = draw(st.lists(pair, max_size=30, unique=True)) if n > 1 else []
    rivals = draw(st.lists(pair, max_size=3, unique=True)) if n > 1 else []
    left, right = np.array(ends, np.int64).reshape(-1, 2).T.copy()
    flags = draw(st.lists(st.booleans(), min_size=len(ends), max_size=len(ends)))
    return Graph(
        n,
        left,
        right,
        np.array(flags, np.bool_),
        np.array(rivals, np.int64).reshape(-1, 2),
        np.array(draw(st.permutations(range(n))), np.int64),
    )


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_compiled_clusters_are_the_plain_ones(graph):
    pytest.importorskip("numba")
    from pipeline.dedup.cluster_growth import grown

    assert grown(graph).tolist() == ClusterGrowth(graph).picks()


@pytest.mark.parametrize("seed", range(12))
def test_compiled_clusters_of_a_template_are_the_plain_ones(seed):
    """Many refusals between the same two clusters, which the compiled growth keeps in mind."""
    pytest.importorskip("numba")
    from pipeline.dedup.cluster_growth import grown

    rng = np.random.default_rng(seed)
    n, n_centres = 400, int(rng.integers(2, 30))
    hubs = rng.choice(n, n_centres, replace=False)
    ends = np.concatenate(
        (
            np.stack((rng.choice(hubs, 1500), rng.integers(0, n, 1500)), axis=1),
            rng.integers(0, n, (600, 2)),
        )
    )
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    apart, is_apart = ends, rng.random(len(ends)) < 0.03
    ends = rng.permutation(ends[~is_apart])
    left, right = ends.T.copy()
    flags = rng.random(left.size) < 0.02
    graph = Graph(n, left, right, flags, apart[is_apart], rng.permutation(n))
    assert grown(graph).tolist() == ClusterGrowth(graph).picks()
