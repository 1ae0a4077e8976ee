"""Stories: clusters of verified duplicates with one canonical each, without blind chaining.

A function of the edge set. Edges of a connected component are taken by relation, falling Jaccard
and ids; two clusters join over an edge when afterwards every member has verified against the
canonical or against two members; the edges are gone through again until nothing joins.

Example: a~b (0.9) and b~c (0.6), a is the earliest. a and b join, a is canonical. c has verified
against b alone, which is not the canonical: it stays a story of its own. Had c verified against a
as well, or against a third member, it would have joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from pipeline.contracts import ID, RELATIONS, STORIES, STORY_MEMBERS, conform
from pipeline.dedup.story_ids import Founding, name_stories

ORDERS = ("source_priority", "earliest", "longest", "smallest_id")
_LAST = datetime.max  # noqa: DTZ901 - compared with naive UTC times only
_RANK = {relation: rank for rank, relation in enumerate(RELATIONS)}

_ENDS = ("left_id", "right_id")
_EDGE_COLUMNS = [*_ENDS, "relation", "jaccard", "left_containment", "right_containment"]

Row = dict[str, Any]
Rank = tuple[Any, ...]
Pair = tuple[bytes, bytes]


@dataclass(frozen=True)
class CanonicalPolicy:
    """Which member stands for a story: the first criterion of `order` that tells two apart."""

    source_priority: tuple[str, ...] = ()
    """Sources in falling rank; those not named rank last together."""
    order: tuple[str, ...] = ORDERS

    def __post_init__(self) -> None:
        if unknown := set(self.order) - set(ORDERS):
            raise ValueError(f"no canonical criterion: {', '.join(sorted(unknown))}")

    def rank(self, member: Row) -> Rank:
        """Return the sort key of a MEMBERS row; the smallest is canonical.

        "Earliest" is `published_at`, NULL last, ties by content hash; never arrival.
        """
        source, at = member["source_id"], member["published_at"]
        places = {source_id: place for place, source_id in enumerate(self.source_priority)}
        criteria: dict[str, Rank] = {
            "source_priority": (places.get(source, len(places)),),
            "earliest": (at is None, at or _LAST, member["content_hash"]),
            "longest": (-member["n_chars"],),
            "smallest_id": (member["article_id"],),
        }
        return (*(part for name in self.order for part in criteria[name]), member["article_id"])


@dataclass(frozen=True)
class Stories:
    """The stories of the touched components."""

    members: pa.Table
    """STORY_MEMBERS."""
    stories: pa.Table
    """STORIES."""
    redirects: pa.Table
    """story_id, merged_into_id of the ids that a merge ended."""


def derive_stories(
    edges: pa.Table, members: pa.Table, policy: CanonicalPolicy, snapshot: int
) -> Stories:
    """Return the stories of `members`, derived anew from all edges among them.

    Args:
        edges: VERIFIED or EDGES rows; those that are no duplicates are passed over.
        members: MEMBERS: every article of the touched components, once.
        policy: how the canonical is chosen.
        snapshot: founding snapshot of new stories.

    Raises:
        LookupError: an edge names an article that is no member.
    """
    articles = {row["article_id"]: row for row in members.to_pylist()}
    duplicates = edges.filter(edges["is_duplicate"]).select(_EDGE_COLUMNS).to_pylist()
    duplicates.sort(key=_strength)
    if stray := {row[end] for row in duplicates for end in _ENDS} - articles.keys():
        raise LookupError(f"{len(stray)} edges name no member, one is {min(stray).hex()}")
    graph = _Graph(duplicates, {i: policy.rank(articles[i]) for i in _ends_of(duplicates)})
    clusters = [*graph.clusters(), *([i] for i in articles if i not in graph.ranks)]
    return _tables(clusters, graph, articles, snapshot)


class _Graph:
    """The verified edges of some components, and the clusters that grow on them."""

    def __init__(self, duplicates: Sequence[Row], ranks: Mapping[bytes, Rank]) -> None:
        """Start with every article as a cluster of its own; `duplicates` by falling strength."""
        self.ranks = ranks
        self.edges: dict[Pair, Row] = {(r["left_id"], r["right_id"]): r for r in duplicates}
        self.partners: dict[bytes, list[bytes]] = {article: [] for article in ranks}
        for left, right in self.edges:
            self.partners[left].append(right)
            self.partners[right].append(left)
        self.components = _components(self.edges)
        self._cluster_of = {article: number for number, article in enumerate(ranks)}
        self._members = [[article] for article in ranks]
        self._canonical = list(ranks)
        self._n_edges_inside = dict.fromkeys(ranks, 0)
        # Members that stand on the canonical alone: they have one edge inside their cluster.
        self._weak: list[set[bytes]] = [set() for _ in ranks]

    def edge(self, one: bytes, other: bytes) -> Row | None:
        """Return the edge between two articles, None when they did not verify."""
        return self.edges.get((min(one, other), max(one, other)))

    def clusters(self) -> list[list[bytes]]:
        """Return the members of each cluster once nothing joins any more, canonical first."""
        waiting, joined = list(self.edges), True
        while joined and waiting:
            joined, apart = False, []
            for pair in waiting:
                one, other = self._cluster_of[pair[0]], self._cluster_of[pair[1]]
                if one == other:
                    continue
                if self._may_join(one, other):
                    self._join(one, other)
                    joined = True
                else:
                    apart.append(pair)
            waiting = apart
        return [
            [canonical, *(m for m in members if m != canonical)]
            for canonical, members in zip(self._canonical, self._members, strict=True)
            if members
        ]

    def _may_join(self, one: int, other: int) -> bool:
        """Return whether every member would verify against the canonical or two members.

        Only members of the cluster that loses its canonical can be left without: those that
        stood on it alone, and itself.
        """
        winner, loser = sorted((one, other), key=lambda c: self.ranks[self._canonical[c]])
        beaten = self._canonical[loser]
        if not (self.edge(beaten, self._canonical[winner]) or self._stands(beaten, winner)):
            return False
        return all(self._stands(member, winner) for member in self._weak[loser])

    def _stands(self, member: bytes, joining: int) -> bool:
        """Return whether a member has two edges in its cluster and the joining one."""
        needed = 2 - self._n_edges_inside[member]
        for partner in self.partners[member]:
            if needed <= 0:
                break
            needed -= self._cluster_of[partner] == joining
        return needed <= 0

    def _join(self, one: int, other: int) -> None:
        small, large = sorted((one, other), key=lambda c: (len(self._members[c]), c))
        touched = set(self._members[small])
        for member in self._members[small]:
            for partner in self.partners[member]:
                if self._cluster_of[partner] == large:
                    touched.add(partner)
                    self._n_edges_inside[member] += 1
                    self._n_edges_inside[partner] += 1
        for member in self._members[small]:
            self._cluster_of[member] = large
        self._members[large] += self._members[small]
        self._members[small] = []
        rivals = sorted((self._canonical[one], self._canonical[other]), key=self.ranks.__getitem__)
        self._canonical[large] = rivals[0]
        weak = self._weak[large]
        weak |= self._weak[small] | {rivals[1]}
        weak -= {m for m in touched | {*rivals} if self._n_edges_inside[m] > 1 or m == rivals[0]}


def _strength(edge: Row) -> tuple[int, float, bytes, bytes]:
    """Return the place of an edge in the order in which edges are taken."""
    return (_RANK[edge["relation"]], -edge["jaccard"], edge["left_id"], edge["right_id"])


def _ends_of(edges: Iterable[Row]) -> list[bytes]:
    """Return the articles that have an edge, sorted."""
    return sorted({edge[end] for edge in edges for end in _ENDS})


def _components(pairs: Iterable[Pair]) -> dict[bytes, bytes]:
    """Return the smallest article of the connected component of each article that has an edge."""
    parent: dict[bytes, bytes] = {}

    def root(article: bytes) -> bytes:
        while (above := parent.setdefault(article, article)) != article:
            parent[article] = parent[above]
            article = above
        return article

    for left, right in pairs:
        first, second = sorted((root(left), root(right)))
        parent[second] = first
    return {article: root(article) for article in parent}


def _tables(
    clusters: Sequence[Sequence[bytes]], graph: _Graph, articles: Mapping[bytes, Row], snapshot: int
) -> Stories:
    """Return members, stories and redirects of clusters that begin with their canonical."""
    previous = {
        article: Founding(row["story_id"], row["founded_snapshot"])
        for article, row in articles.items()
        if row["story_id"] is not None
    }
    foundings, redirects = name_stories(clusters, previous, snapshot)
    member_rows: list[Row] = []
    story_rows: list[Row] = []
    for cluster, founding in zip(clusters, foundings, strict=True):
        story_rows.append(_story(cluster, founding, articles))
        member_rows += _members(cluster, founding.story_id, graph)
    merged = {"story_id": list(redirects), "merged_into_id": list(redirects.values())}
    return Stories(
        conform(pa.Table.from_pylist(member_rows, STORY_MEMBERS.schema), STORY_MEMBERS),
        conform(pa.Table.from_pylist(story_rows, STORIES.schema), STORIES),
        pa.table(merged, pa.schema([("story_id", ID), ("merged_into_id", ID)])).sort_by("story_id"),
    )


def _members(cluster: Sequence[bytes], story_id: bytes, graph: _Graph) -> Iterator[Row]:
    """Yield the STORY_MEMBERS rows of a cluster that begins with its canonical."""
    canonical, inside = cluster[0], set(cluster)
    for article in cluster:
        row: Row = {
            "article_id": article,
            "story_id": story_id,
            "component_id": graph.components.get(article, article),
            "canonical_id": canonical,
            "role": "single" if len(cluster) == 1 else "canonical",
        }
        if article != canonical:
            row |= {"role": "duplicate"} | _match(article, canonical, inside, graph)
        yield row


def _match(article: bytes, canonical: bytes, inside: set[bytes], graph: _Graph) -> Row:
    """Return the evidence of a member: its edge to the canonical, else its strongest one inside."""
    edge = graph.edge(article, canonical) or min(
        (
            graph.edges[min(article, p), max(article, p)]
            for p in graph.partners[article]
            if p in inside
        ),
        key=_strength,
    )
    is_left = edge["left_id"] == article
    return {
        "relation": edge["relation"],
        "matched_id": edge["right_id"] if is_left else edge["left_id"],
        "jaccard": edge["jaccard"],
        "containment": edge["left_containment" if is_left else "right_containment"],
    }


def _story(cluster: Sequence[bytes], founding: Founding, articles: Mapping[bytes, Row]) -> Row:
    """Return the STORIES row of a cluster that begins with its canonical."""
    members = [articles[article] for article in cluster]
    times = [m["published_at"] for m in members if m["published_at"] is not None]
    first, last = (min(times), max(times)) if times else (None, None)
    return {
        "story_id": founding.story_id,
        "canonical_id": cluster[0],
        "n_members": len(cluster),
        "n_sources": len({member["source_id"] for member in members}),
        "first_published_at": first,
        "last_published_at": last,
        "spread_seconds": (last - first) // timedelta(seconds=1) if first and last else None,
        "founded_snapshot": founding.snapshot,
    }
