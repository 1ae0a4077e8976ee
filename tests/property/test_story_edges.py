"""Edges of large components: in order though only new ones are sorted, and compiled as plain."""

import numpy as np
import pytest

from pipeline.dedup import cluster_graph
from pipeline.dedup.cluster_graph import components
from pipeline.dedup.story_edges import NumberedEdges, taken_in_order

N_ARTICLES = 40


def edges_of(pairs, rng):
    left, right = np.sort(pairs, axis=1).T.copy()
    ratios = rng.choice(np.array([0.5, 0.75, 1], np.float32), (3, left.size))
    return NumberedEdges(left, right, rng.integers(0, 4, left.size).astype(np.int8), *ratios)


def random_edges(rng):
    ends = np.stack(np.triu_indices(N_ARTICLES, 1), axis=1)
    return edges_of(rng.permutation(ends)[: rng.integers(1, 300)], rng)


def columns_of(edges):
    return [column.tolist() for column in edges._columns()]


@pytest.fixture
def _compiled(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(cluster_graph, "are_many", lambda _: True)
    monkeypatch.setattr("pipeline.dedup.story_edges.are_many", lambda _: True)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("share_pairs", [False, True])
@pytest.mark.usefixtures("_compiled")
def test_sorted_runs_are_merged_with_new_edges(seed, share_pairs):
    rng = np.random.default_rng(seed)
    edges = random_edges(rng)
    # New articles have the highest numbers; the runs are of components of their own.
    run_of = np.where(edges.right >= N_ARTICLES - 8, 2, (edges.left + edges.right) % 2)
    runs = [edges.taken(run_of == number).strongest_first(N_ARTICLES) for number in (0, 1)]
    more = edges.taken((run_of == 2) | (share_pairs & (edges.left % 3 == 0)))
    expected = NumberedEdges.joined([*runs, more]).strongest_first(N_ARTICLES)
    assert columns_of(taken_in_order(runs, more, N_ARTICLES)) == columns_of(expected)


@pytest.mark.parametrize("seed", range(30))
def test_the_closest_edge_is_the_one_to_the_canonical_else_the_first(seed):
    rng = np.random.default_rng(seed)
    edges = random_edges(rng).strongest_first(N_ARTICLES)
    cluster = rng.permutation(np.append(rng.integers(0, 6, N_ARTICLES - 6), np.arange(6)))
    canonical = np.array([rng.choice(np.flatnonzero(cluster == number)) for number in range(6)])
    expected = np.full(N_ARTICLES, -1)
    for place, (left, right) in enumerate(zip(edges.left, edges.right, strict=True)):
        for own, other in ((left, right), (right, left)):
            if cluster[own] == cluster[other]:
                is_first = expected[own] < 0
                if is_first or canonical[cluster[own]] == other:
                    expected[own] = place
    found = edges.closest(cluster, canonical)
    others = np.setdiff1d(np.arange(N_ARTICLES), canonical)
    assert found[others].tolist() == expected[others].tolist()


@pytest.mark.usefixtures("_compiled")
@pytest.mark.parametrize("seed", range(10))
def test_compiled_closest_edges_are_the_plain_ones(seed):
    test_the_closest_edge_is_the_one_to_the_canonical_else_the_first(seed)


@pytest.mark.parametrize("seed", range(30))
def test_compiled_components_are_the_plain_ones(seed):
    pytest.importorskip("numba")
    from pipeline.dedup.cluster_growth import connected

    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, N_ARTICLES, (rng.integers(0, 60), 2))
    edges = edges_of(pairs[pairs[:, 0] != pairs[:, 1]], rng)
    expected = components(edges.left, edges.right, N_ARTICLES)
    assert connected(edges.left, edges.right, N_ARTICLES).tolist() == expected.tolist()
