"""Which story id each cluster bears: the one it had, the oldest of several, else a new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contract import ID
from pipeline.dedup.mapped import id_words, ids_of, place_of, sorted_ids

Numbers = NDArray[np.int64]

REDIRECTS = pa.schema([("story_id", ID), ("merged_into_id", ID)])
"""Story ids that a merge ended, and the one that took their members."""


@dataclass(frozen=True)
class Founding:
    """A story id and the snapshot in which it first stood."""

    story_id: bytes
    snapshot: int


def founded_on(article_id: bytes) -> bytes:
    """Return the story id that an article founds."""
    return blake2b(b"story" + article_id, digest_size=16).digest()


@dataclass(frozen=True)
class Foundings:
    """The story id that each cluster bears, and since when."""

    story_ids: pa.Array
    snapshots: Numbers


def name_clusters(cluster: Numbers, members: pa.Table, snapshot: int) -> tuple[Foundings, pa.Table]:
    """Return the founding of each cluster, and where the story ids went that no cluster bears.

    An earlier id goes to the cluster that holds the article it was founded on, else to the one
    with most of its members (ties: smallest id). A cluster that gets several keeps the oldest and
    the others are redirected to it; one that gets none is founded on its smallest article.

    Args:
        cluster: number of each member's cluster, int64 [n].
        members: article_id (ascending), and story_id and founded_snapshot of the story that each
            stood in, NULL where it stood in none.
        snapshot: founding snapshot of new stories.

    Returns:
        One founding a cluster; story_id, merged_into_id, sorted.
    """
    n_clusters = int(cluster.max(initial=-1)) + 1
    earlier = _Earlier.of(members)
    heirs = _heirs(cluster, earlier, members)
    # Of the stories that a cluster inherits, the oldest first.
    order = np.lexsort((np.arange(heirs.size), earlier.snapshots, heirs))
    is_kept = np.append(True, heirs[order][1:] != heirs[order][:-1])[: order.size]
    kept = np.full(n_clusters, -1)
    kept[heirs[order[is_kept]]] = order[is_kept]
    new = np.flatnonzero(kept < 0)
    taken = set(earlier.story_ids.to_pylist())
    founded = _founded(new, cluster, members["article_id"].combine_chunks(), taken)
    place = kept.copy()
    place[new] = heirs.size + np.arange(new.size)
    story_ids = pa.concat_arrays([earlier.story_ids, founded]).take(pa.array(place))
    snapshots = np.append(earlier.snapshots, np.full(new.size, snapshot))[place]
    lost = np.sort(order[~is_kept])
    redirects = {
        "story_id": earlier.story_ids.take(pa.array(lost)),
        "merged_into_id": earlier.story_ids.take(pa.array(kept[heirs[lost]])),
    }
    return Foundings(story_ids, snapshots), pa.table(redirects, REDIRECTS).sort_by("story_id")


def led_on(redirects: pa.Table, earlier: pa.Table, standing: pa.ChunkedArray) -> pa.Table:
    """Return the new redirects, and earlier ones as they lead on to where they end now.

    Args:
        redirects: story_id, merged_into_id: the new ones, each to a story that stands.
        earlier: of stored redirects to a story that one of `redirects` ends: their story_id and
            the merged_into_id of that one.
        standing: ids of the stories that stand. A cluster that is founded on an article whose
            first story a merge had ended bears that id again: it leads nowhere any more.
    """
    again = pa.chunked_array([*standing.chunks, *redirects["story_id"].chunks], ID)
    leads = pc.invert(pc.is_in(earlier["story_id"], again.combine_chunks()))
    return pa.concat_tables([redirects, earlier.filter(leads)])


@dataclass(frozen=True)
class _Earlier:
    """The stories that members stood in, sorted by id."""

    story_ids: pa.Array
    snapshots: Numbers
    members: Numbers
    """Those that stood in one."""
    story: Numbers
    """Which one."""

    @classmethod
    def of(cls, members: pa.Table) -> _Earlier:
        stood = np.flatnonzero(np.asarray(members["story_id"].is_valid()))
        rows = members.select(["story_id", "founded_snapshot"]).take(pa.array(stood))
        ids = id_words(rows["story_id"])
        distinct = sorted_ids(ids)
        story = place_of(ids, distinct)
        snapshots = np.zeros(len(distinct), np.int64)
        snapshots[story] = rows["founded_snapshot"].to_numpy()
        return cls(ids_of(distinct), snapshots, stood, story)


def _heirs(cluster: Numbers, earlier: _Earlier, members: pa.Table) -> Numbers:
    """Return the cluster that each earlier story id goes to."""
    n_clusters = int(cluster.max(initial=-1)) + 1
    smallest = np.full(n_clusters, cluster.size)
    np.minimum.at(smallest, cluster, np.arange(cluster.size))
    held, counts = np.unique(
        earlier.story * n_clusters + cluster[earlier.members], return_counts=True
    )
    story, heir = np.divmod(held, max(n_clusters, 1))
    order = np.lexsort((smallest[heir], -counts, story))
    is_first = np.append(True, story[order][1:] != story[order][:-1])[: order.size]
    heirs: Numbers = heir[order[is_first]]
    # Where a story has come apart, the article that it was founded on decides.
    is_split = np.bincount(story, minlength=heirs.size)[earlier.story] > 1
    for number, member in _founders(earlier, is_split, members):
        heirs[number] = cluster[member]
    return heirs


def _founders(
    earlier: _Earlier, is_asked: NDArray[np.bool_], members: pa.Table
) -> Iterator[tuple[int, int]]:
    """Yield the earlier stories of the members asked for with the member each was founded on.

    Smallest articles first: a story is founded on the smallest of those that it then has.
    """
    asked = earlier.members[is_asked]
    articles = members["article_id"].take(pa.array(asked)).to_pylist()
    stories = earlier.story[is_asked].tolist()
    open_ids = dict(enumerate(earlier.story_ids.to_pylist()))
    for member, number, article in zip(asked.tolist(), stories, articles, strict=True):
        if number in open_ids and founded_on(article) == open_ids[number]:
            del open_ids[number]
            yield number, member


def _founded(new: Numbers, cluster: Numbers, ids: pa.Array, taken: set[bytes]) -> pa.Array:
    """Return a story id for each cluster `new` (ascending): founded on its first free member."""
    first = np.empty(int(cluster.max(initial=-1)) + 1, np.int64)
    # Of the members of a cluster the first, which is the smallest, is written last.
    first[cluster[::-1]] = np.arange(cluster.size - 1, -1, -1)
    smallest = ids.take(pa.array(first[new])).to_pylist()
    founded = [founded_on(article) for article in smallest]
    if taken.isdisjoint(founded) and len(set(founded)) == len(founded):
        return pa.array(founded, ID)
    for place, number in enumerate(new.tolist()):
        if founded[place] in taken:
            own = ids.take(pa.array(np.flatnonzero(cluster == number))).to_pylist()
            founded[place] = next(i for i in _proposals(own) if i not in taken)
        taken.add(founded[place])
    return pa.array(founded, ID)


def name_stories(
    clusters: Sequence[Sequence[bytes]], previous: Mapping[bytes, Founding], snapshot: int
) -> tuple[list[Founding], dict[bytes, bytes]]:
    """Return what `name_clusters` returns, for clusters given as article ids.

    Args:
        clusters: article ids of each cluster.
        previous: the story that each article stood in, where it stood in one.
        snapshot: founding snapshot of new stories.
    """
    articles = sorted((a, number) for number, members in enumerate(clusters) for a in members)
    ids = [article for article, _ in articles]
    stood = [previous.get(article) for article in ids]
    members = pa.table(
        {
            "article_id": pa.array(ids, ID),
            "story_id": pa.array([f and f.story_id for f in stood], ID),
            "founded_snapshot": pa.array([f and f.snapshot for f in stood], pa.int64()),
        }
    )
    cluster = np.array([number for _, number in articles], np.int64)
    named, redirects = name_clusters(cluster, members, snapshot)
    foundings = map(Founding, named.story_ids.to_pylist(), named.snapshots.tolist())
    ended = zip(*(redirects[name].to_pylist() for name in REDIRECTS.names), strict=True)
    return list(foundings), dict(ended)


def _proposals(cluster: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the ids that the members found, then, without end, ids founded on those."""
    proposals = [founded_on(article) for article in sorted(cluster)]
    while True:
        yield from proposals
        proposals = [founded_on(story_id) for story_id in proposals]
