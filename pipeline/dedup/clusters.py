"""Stories: clusters of verified duplicates with one canonical each, without blind chaining.

A function of the edge set (`cluster_graph`). The policy picks a member; where the pick has other
versions, tied to it by `update` edges, the newest of them stands for the story.

Example: a~b (0.9) and b~c (0.6), a is the earliest. a and b join, a is canonical. c has verified
against b alone, which is not the pick: it stays a story of its own. Had c verified against a as
well, or against a third member, or were b a version of a (or c of b), it would have joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import TIME, conform
from pipeline.contracts import RELATIONS, ROLES, STORIES, STORY_MEMBERS
from pipeline.dedup.cluster_graph import Flags, Graph, Numbers, components, picks_of
from pipeline.dedup.mapped import Words, id_words
from pipeline.dedup.story_edges import (
    ENDS,
    KnownEdges,
    NumberedEdges,
    only,
    pairs_of_series,
    refuse_strays,
    taken_in_order,
)
from pipeline.dedup.story_ids import Foundings, name_clusters
from pipeline.interim import MEMBERS
from pipeline.text.titles import title_version

ORDERS = ("source_priority", "earliest", "longest", "smallest_id")
_FIRST = datetime.min  # noqa: DTZ901 - compared with naive UTC times only
_UNDATED = np.iinfo(np.int64).max
_SECOND = 1_000_000

_RELATION = {relation: rank for rank, relation in enumerate(RELATIONS)}
_ROLE = {role: number for number, role in enumerate(ROLES)}


@dataclass(frozen=True)
class CanonicalPolicy:
    """Which member a story picks: the first criterion of `order` that tells two apart."""

    source_priority: tuple[str, ...] = ()
    """Sources in falling rank; those not named rank last together."""
    order: tuple[str, ...] = ORDERS

    def __post_init__(self) -> None:
        if unknown := set(self.order) - set(ORDERS):
            raise ValueError(f"no canonical criterion: {', '.join(sorted(unknown))}")

    def ranks(self, members: pa.Table) -> Numbers:
        """Return the place of each MEMBERS row, ascending by id, in this order; 0 is the pick.

        "Earliest" is `published_at`, NULL last, ties by content hash; never arrival.
        """
        n = members.num_rows
        places = {source_id: place for place, source_id in enumerate(self.source_priority)}
        sources = members["source_id"].combine_chunks().dictionary_encode()
        names = sources.dictionary.to_pylist()
        of_source = np.array([places.get(name, len(places)) for name in names], np.int64)
        hashes = id_words(members["content_hash"])
        criteria: dict[str, tuple[Numbers | Words, ...]] = {
            "source_priority": (of_source[sources.indices.to_numpy()] if n else np.arange(0),),
            "earliest": (_micros(members), hashes[:, 0], hashes[:, 1]),
            "longest": (-members["n_chars"].to_numpy().astype(np.int64),),
            "smallest_id": (np.arange(n),),
        }
        keys = [part for name in self.order for part in criteria[name]]
        ranks = np.empty(n, np.int64)
        ranks[np.lexsort((np.arange(n), *reversed(keys)))] = np.arange(n)
        return ranks


@dataclass(frozen=True)
class Stories:
    """The stories of the touched components."""

    members: pa.Table
    """STORY_MEMBERS."""
    stories: pa.Table
    """STORIES."""
    redirects: pa.Table
    """story_id, merged_into_id of the ids that a merge ended."""
    edges: KnownEdges
    """What makes duplicates among the members, numbered as they stand in `members`."""


def derive_stories(
    edges: pa.Table,
    members: pa.Table,
    policy: CanonicalPolicy,
    snapshot: int,
    known: Sequence[KnownEdges] = (),
) -> Stories:
    """Return the stories of `members`, derived anew from all edges among them.

    Args:
        edges: PLACING_COLUMNS of VERIFIED or EDGES rows: every one among the members that makes
            duplicates and is not among the `known`, every `contained` one that a member has with
            anything, and every `series` one among the members; others are passed over.
        members: MEMBERS: every article of the touched components, once.
        policy: how the canonical is chosen.
        snapshot: founding snapshot of new stories.
        known: edges among some of the members that make duplicates, numbered already.

    Raises:
        LookupError: an edge that makes duplicates names an article that is no member.
    """
    members = conform(members.select(MEMBERS.schema.names), MEMBERS)
    ids = id_words(members["article_id"])
    table = edges.filter(edges["is_duplicate"])
    unnumbered = NumberedEdges.of(table, ids)
    refuse_strays(table, unnumbered)
    duplicates = taken_in_order([part.among(ids) for part in known], unnumbered, members.num_rows)
    placing = edges.filter(pc.invert(edges["is_duplicate"]))
    grouped = _Grouped.of(duplicates, pairs_of_series(placing, ids), members, policy)
    foundings, redirects = name_clusters(grouped.cluster, members, snapshot)
    stories = _stories(grouped, foundings, members)
    matches = _matches(grouped, duplicates, _Contained.of(only(placing, "contained"), ids), members)
    return Stories(
        conform(_members(grouped, foundings, matches, members), STORY_MEMBERS),
        conform(stories, STORIES),
        redirects,
        KnownEdges(ids, duplicates),
    )


def _micros(members: pa.Table) -> Numbers:
    """Return when each was published, `_UNDATED` for NULL."""
    times = members["published_at"].cast(pa.int64()).fill_null(_UNDATED)
    return np.asarray(times).astype(np.int64)


@dataclass(frozen=True)
class _Grouped:
    """The members by number: which cluster each is in, and which of them stands for it."""

    cluster: Numbers
    """Clusters are numbered by their smallest pick upwards."""
    canonical: Numbers
    """One a cluster."""
    sizes: Numbers
    """One a cluster."""
    component: Numbers
    """Smallest article of its connected component."""
    is_version: Flags
    """Earlier versions of their canonical."""

    @classmethod
    def of(
        cls, edges: NumberedEdges, series: Numbers, members: pa.Table, policy: CanonicalPolicy
    ) -> _Grouped:
        """Group the members over their edges (strongest first); pairs of a series stay apart."""
        n = members.num_rows
        is_update = edges.relation == _RELATION["update"]
        ranks = policy.ranks(members)
        pick = picks_of(Graph(n, edges.left, edges.right, is_update, series, ranks))
        component = components(edges.left, edges.right, n)
        picks, cluster = np.unique(pick, return_inverse=True)
        canonical, is_version = picks.copy(), np.zeros(n, np.bool_)
        inside = is_update & (cluster[edges.left] == cluster[edges.right])
        updates = np.stack((edges.left[inside], edges.right[inside]), axis=1)
        for chain in _chains(updates, picks, cluster):
            newest = _newest(chain, members)
            canonical[cluster[newest]] = newest
            is_version[chain] = True
            is_version[newest] = False
        return cls(cluster, canonical, np.bincount(cluster), component, is_version)


def _chains(updates: Numbers, picks: Numbers, cluster: Numbers) -> list[list[int]]:
    """Return each pick that a version is tied to with all that a chain of updates ties to it.

    Args:
        updates: `update` edges inside clusters, [n, 2].
        picks: pick of each cluster.
        cluster: cluster of each article.
    """
    partners: dict[int, list[int]] = {}
    for one, other in updates.tolist():
        partners.setdefault(one, []).append(other)
        partners.setdefault(other, []).append(one)
    found = []
    for pick in np.unique(picks[cluster[updates[:, 0]]]).tolist():
        chain, reached = [pick], {pick}
        for version in chain:
            further = [p for p in partners.get(version, ()) if p not in reached]
            reached.update(further)
            chain += further
        if len(chain) > 1:
            found.append(sorted(chain))
    return found


def _newest(chain: list[int], members: pa.Table) -> int:
    """Return the newest version.

    By `published_at` (NULL is oldest), then by what the headline claims, ties by content hash.
    """
    rows = members.take(pa.array(chain)).to_pylist()

    def age(at: int) -> tuple[Any, ...]:
        row = rows[at]
        time, version = row["published_at"], title_version(row["title"] or "")
        return time is not None, time or _FIRST, version, row["content_hash"], row["article_id"]

    return chain[max(range(len(chain)), key=age)]


@dataclass(frozen=True)
class _Matches:
    """The evidence of each member: the edge that says why it stands where it does."""

    rows: pa.Table
    """One an article that has any, in the order of `articles`: relation, matched_id, jaccard,
    containment."""
    articles: Numbers
    """Ascending."""
    is_contained: Flags
    """Members that stand alone, and another article contains them."""


@dataclass(frozen=True)
class _Contained:
    """Edges of the relation `contained`, of which an end may be no member."""

    ends: tuple[pa.Array, pa.Array]
    """left_id, right_id."""
    edges: NumberedEdges

    @classmethod
    def of(cls, table: pa.Table, ids: Words) -> _Contained:
        left, right = (table[end].combine_chunks() for end in ENDS)
        return cls((left, right), NumberedEdges.of(table, ids))

    def closest(self, is_single: Flags) -> Numbers:
        """Return for each article that stands alone its closest edge to what holds it, or -1."""
        own = self.edges.left_containment > self.edges.right_containment
        inner = np.where(own, self.edges.left, self.edges.right)
        rows = np.flatnonzero((inner >= 0) & is_single[inner])
        by_ids = [w[rows, part] for w in map(id_words, reversed(self.ends)) for part in (1, 0)]
        order = np.lexsort([*by_ids, -self.edges.jaccard[rows]])
        rows = rows[order[::-1]]
        closest = np.full(is_single.size, -1)
        closest[inner[rows]] = rows
        return closest


def _matches(
    grouped: _Grouped, duplicates: NumberedEdges, contained: _Contained, members: pa.Table
) -> _Matches:
    """Return the evidence of duplicates and of contained articles.

    Of a duplicate that is the edge to its canonical, else its strongest one inside the cluster; of
    one that stands alone and is contained in another the closest edge to such a one.
    """
    best = _closest_inside(grouped, duplicates)
    closest = contained.closest(grouped.sizes[grouped.cluster] == 1)
    is_contained = closest >= 0
    of_best, of_closest = (np.flatnonzero(at >= 0) for at in (best, closest))
    ids = members["article_id"].combine_chunks()
    ends = tuple(ids.take(pa.array(n[best[of_best]])) for n in (duplicates.left, duplicates.right))
    outer = tuple(end.take(pa.array(closest[of_closest])) for end in contained.ends)
    evidence = [
        _evidence(duplicates.taken(best[of_best]), ends, of_best),
        _evidence(contained.edges.taken(closest[of_closest]), outer, of_closest),
    ]
    articles = np.flatnonzero((best >= 0) | is_contained)
    rows = pa.concat_tables(evidence)
    if of_closest.size:
        rows = rows.take(pa.array(np.argsort(np.concatenate((of_best, of_closest)))))
    return _Matches(rows, articles, is_contained)


def _closest_inside(grouped: _Grouped, edges: NumberedEdges) -> Numbers:
    """Return for each duplicate its edge to the canonical, else its strongest; -1 for others."""
    best = edges.closest(grouped.cluster, grouped.canonical)
    best[grouped.canonical] = -1
    return best


def _evidence(edges: NumberedEdges, ends: tuple[pa.Array, ...], articles: Numbers) -> pa.Table:
    """Return for each of `articles` its edge, with the ids of its ends, as evidence of that end."""
    is_left = edges.left == articles
    containment = np.where(is_left, edges.left_containment, edges.right_containment)
    columns = {
        "relation": pa.array(RELATIONS, pa.string()).take(pa.array(edges.relation)),
        "matched_id": pc.if_else(pa.array(is_left), ends[1], ends[0]),
        "jaccard": pa.array(edges.jaccard),
        "containment": pa.array(containment),
    }
    return pa.table(columns)


def _members(
    grouped: _Grouped, foundings: Foundings, matches: _Matches, members: pa.Table
) -> pa.Table:
    """Return the STORY_MEMBERS rows."""
    n, ids = members.num_rows, members["article_id"].combine_chunks()
    roles = np.full(n, _ROLE["duplicate"])
    roles[grouped.is_version] = _ROLE["update"]
    is_alone = grouped.sizes == 1
    roles[grouped.canonical] = np.where(is_alone, _ROLE["single"], _ROLE["canonical"])
    roles[matches.is_contained] = _ROLE["contained"]
    place = np.zeros(n, np.int64)
    place[matches.articles] = np.arange(matches.articles.size)
    has_none = np.ones(n, np.bool_)
    has_none[matches.articles] = False
    evidence = matches.rows.take(pa.array(place, mask=has_none))
    columns = {
        "article_id": ids,
        "story_id": foundings.story_ids.take(pa.array(grouped.cluster)),
        "component_id": ids.take(pa.array(grouped.component)),
        "canonical_id": ids.take(pa.array(grouped.canonical[grouped.cluster])),
        "role": pa.array(ROLES).take(pa.array(roles)),
    }
    return pa.table(columns | {name: evidence[name] for name in evidence.column_names})


def _stories(grouped: _Grouped, foundings: Foundings, members: pa.Table) -> pa.Table:
    """Return the STORIES rows."""
    times, n_clusters = _micros(members), grouped.sizes.size
    first, last = np.full(n_clusters, _UNDATED), np.full(n_clusters, -1 - _UNDATED)
    np.minimum.at(first, grouped.cluster, times)
    is_dated = times != _UNDATED
    np.maximum.at(last, grouped.cluster[is_dated], times[is_dated])
    sources = members["source_id"].combine_chunks().dictionary_encode()
    n_codes = len(sources.dictionary)
    held = np.unique(grouped.cluster * n_codes + sources.indices.to_numpy())
    has_none = first == _UNDATED
    last[has_none] = first[has_none]
    columns = {
        "story_id": foundings.story_ids,
        "canonical_id": members["article_id"].combine_chunks().take(pa.array(grouped.canonical)),
        "n_members": pa.array(grouped.sizes),
        "n_sources": pa.array(np.bincount(held // max(n_codes, 1), minlength=n_clusters)),
        "first_published_at": pa.array(first, mask=has_none).cast(TIME),
        "last_published_at": pa.array(last, mask=has_none).cast(TIME),
        "spread_seconds": pa.array((last - first) // _SECOND, mask=has_none),
        "founded_snapshot": pa.array(foundings.snapshots),
    }
    return pa.table(columns)
