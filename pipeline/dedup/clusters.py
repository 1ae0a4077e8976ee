"""Stories: clusters of verified duplicates with one canonical each, without blind chaining.

A function of the edge set (`cluster_graph`). The policy picks a member; where the pick has other
versions, tied to it by `update` edges, the newest of them stands for the story.

Example: a~b (0.9) and b~c (0.6), a is the earliest. a and b join, a is canonical. c has verified
against b alone, which is not the pick: it stays a story of its own. Had c verified against a as
well, or against a third member, or were b a version of a (or c of b), it would have joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import ID, conform
from pipeline.contracts import STORIES, STORY_MEMBERS
from pipeline.dedup.cluster_graph import ClusterGraph, Rank, Row, strength
from pipeline.dedup.story_ids import Founding, name_stories
from pipeline.text.titles import title_version

ORDERS = ("source_priority", "earliest", "longest", "smallest_id")
_LAST = datetime.max  # noqa: DTZ901 - compared with naive UTC times only
_FIRST = datetime.min  # noqa: DTZ901

_ENDS = ("left_id", "right_id")
_EDGE_COLUMNS = [*_ENDS, "relation", "jaccard", "left_containment", "right_containment"]


@dataclass(frozen=True)
class CanonicalPolicy:
    """Which member a story picks: the first criterion of `order` that tells two apart."""

    source_priority: tuple[str, ...] = ()
    """Sources in falling rank; those not named rank last together."""
    order: tuple[str, ...] = ORDERS

    def __post_init__(self) -> None:
        if unknown := set(self.order) - set(ORDERS):
            raise ValueError(f"no canonical criterion: {', '.join(sorted(unknown))}")

    def rank(self, member: Row) -> Rank:
        """Return the sort key of a MEMBERS row; the smallest is the pick.

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
        edges: VERIFIED or EDGES rows: every one among the members that makes duplicates, and every
            `contained` one that a member has with anything, every `series` one among the members;
            others are passed over.
        members: MEMBERS: every article of the touched components, once.
        policy: how the canonical is chosen.
        snapshot: founding snapshot of new stories.

    Raises:
        LookupError: an edge that makes duplicates names an article that is no member.
    """
    articles = {row["article_id"]: row for row in members.to_pylist()}
    duplicates = edges.filter(edges["is_duplicate"]).select(_EDGE_COLUMNS).to_pylist()
    if stray := {row[end] for row in duplicates for end in _ENDS} - articles.keys():
        raise LookupError(f"{len(stray)} edges name no member, one is {min(stray).hex()}")
    ranks = {i: policy.rank(articles[i]) for i in _ends_of(duplicates)}
    graph = ClusterGraph(duplicates, _series(edges), ranks)
    clusters = [_Cluster.of(members, graph, articles) for members in graph.clusters()]
    clusters += [_Cluster([i], frozenset()) for i in articles if i not in graph.ranks]
    return _tables(clusters, graph, articles, _containers(edges), snapshot)


@dataclass(frozen=True)
class _Cluster:
    """The members of a story, its canonical first."""

    members: Sequence[bytes]
    versions: frozenset[bytes]
    """Earlier versions of the canonical."""

    @classmethod
    def of(
        cls, members: Sequence[bytes], graph: ClusterGraph, articles: Mapping[bytes, Row]
    ) -> _Cluster:
        """Return the cluster of members that begin with the policy's pick."""
        chain = [members[0], *graph.versions_of(members[0], members)]
        newest = max(chain, key=lambda article: _age(articles[article]))
        others = [article for article in members if article != newest]
        return cls([newest, *others], frozenset(chain) - {newest})


def _age(member: Row) -> Rank:
    """Return the sort key of a version; the largest is the newest.

    By `published_at` (NULL is oldest), then by what the headline claims, ties by content hash.
    """
    at, version = member["published_at"], title_version(member["title"] or "")
    return (at is not None, at or _FIRST, version, member["content_hash"], member["article_id"])


def _series(edges: pa.Table) -> list[tuple[bytes, bytes]]:
    """Return the pairs that are of one series and make no story."""
    found = edges.filter(_is_open(edges, "series"))
    return list(zip(*(found[end].to_pylist() for end in _ENDS), strict=True))


def _is_open(edges: pa.Table, relation: str) -> pa.ChunkedArray:
    """Return which edges have this relation and make no story."""
    return pc.and_(pc.equal(edges["relation"], relation), pc.invert(edges["is_duplicate"]))


def _containers(edges: pa.Table) -> dict[bytes, Row]:
    """Return for each article that another contains the closest edge to such a one."""
    closest: dict[bytes, Row] = {}
    rows = edges.filter(_is_open(edges, "contained")).select(_EDGE_COLUMNS).to_pylist()
    for row in sorted(rows, key=strength):
        is_left = row["left_containment"] > row["right_containment"]
        closest.setdefault(row["left_id" if is_left else "right_id"], row)
    return closest


def _ends_of(edges: Iterable[Row]) -> list[bytes]:
    """Return the articles that have an edge, sorted."""
    return sorted({edge[end] for edge in edges for end in _ENDS})


def _tables(
    clusters: Sequence[_Cluster],
    graph: ClusterGraph,
    articles: Mapping[bytes, Row],
    containers: Mapping[bytes, Row],
    snapshot: int,
) -> Stories:
    """Return members, stories and redirects of clusters."""
    previous = {
        article: Founding(row["story_id"], row["founded_snapshot"])
        for article, row in articles.items()
        if row["story_id"] is not None
    }
    foundings, redirects = name_stories([c.members for c in clusters], previous, snapshot)
    member_rows: list[Row] = []
    story_rows: list[Row] = []
    for cluster, founding in zip(clusters, foundings, strict=True):
        story_rows.append(_story(cluster.members, founding, articles))
        member_rows += _members(cluster, founding.story_id, graph, containers)
    merged = {"story_id": list(redirects), "merged_into_id": list(redirects.values())}
    return Stories(
        conform(pa.Table.from_pylist(member_rows, STORY_MEMBERS.schema), STORY_MEMBERS),
        conform(pa.Table.from_pylist(story_rows, STORIES.schema), STORIES),
        pa.table(merged, pa.schema([("story_id", ID), ("merged_into_id", ID)])).sort_by("story_id"),
    )


def _members(
    cluster: _Cluster, story_id: bytes, graph: ClusterGraph, containers: Mapping[bytes, Row]
) -> Iterator[Row]:
    """Yield the STORY_MEMBERS rows of a cluster."""
    canonical, inside = cluster.members[0], set(cluster.members)
    for article in cluster.members:
        row: Row = {
            "article_id": article,
            "story_id": story_id,
            "component_id": graph.components.get(article, article),
            "canonical_id": canonical,
        }
        if article != canonical:
            row["role"] = "update" if article in cluster.versions else "duplicate"
            row |= _match(article, _closest(article, canonical, inside, graph))
        elif len(inside) > 1:
            row["role"] = "canonical"
        elif container := containers.get(article):
            row |= {"role": "contained"} | _match(article, container)
        else:
            row["role"] = "single"
        yield row


def _closest(article: bytes, canonical: bytes, inside: set[bytes], graph: ClusterGraph) -> Row:
    """Return the edge of a member to the canonical, else its strongest one inside."""
    return graph.edge(article, canonical) or min(
        (
            graph.edges[min(article, p), max(article, p)]
            for p in graph.partners[article]
            if p in inside
        ),
        key=strength,
    )


def _match(article: bytes, edge: Row) -> Row:
    """Return an edge as the evidence of one of its ends."""
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
