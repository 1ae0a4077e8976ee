"""Which story id each cluster bears: the one it had, the oldest of several, else a new one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Founding:
    """A story id and the snapshot in which it first stood."""

    story_id: bytes
    snapshot: int


def founded_on(article_id: bytes) -> bytes:
    """Return the story id that an article founds."""
    return hashlib.blake2b(b"story" + article_id, digest_size=16).digest()


def name_stories(
    clusters: Sequence[Sequence[bytes]], previous: Mapping[bytes, Founding], snapshot: int
) -> tuple[list[Founding], dict[bytes, bytes]]:
    """Return the founding of each cluster, and where the story ids went that no cluster bears.

    An earlier id goes to the cluster that holds the article it was founded on, else to the one
    with most of its members (ties: smallest id). A cluster that gets several keeps the oldest and
    the others are redirected to it; one that gets none is founded on its smallest article.

    Args:
        clusters: article ids of each cluster.
        previous: the story that each article stood in, where it stood in one.
        snapshot: founding snapshot of new stories.
    """
    heirs = _heirs(clusters, previous)
    foundings: list[Founding | None] = [None] * len(clusters)
    redirects: dict[bytes, bytes] = {}
    by_cluster: dict[int, list[Founding]] = {}
    for founding, cluster in heirs.items():
        by_cluster.setdefault(cluster, []).append(founding)
    for cluster, inherited in by_cluster.items():
        inherited.sort(key=lambda f: (f.snapshot, f.story_id))
        foundings[cluster] = inherited[0]
        redirects |= {f.story_id: inherited[0].story_id for f in inherited[1:]}
    taken = {f.story_id for f in heirs}
    return list(_with_new(foundings, clusters, taken, snapshot)), redirects


def _heirs(
    clusters: Sequence[Sequence[bytes]], previous: Mapping[bytes, Founding]
) -> dict[Founding, int]:
    """Return the cluster that each earlier story id goes to."""
    founders: dict[Founding, int] = {}
    members: dict[Founding, Counter[int]] = {}
    smallest = [min(cluster) for cluster in clusters]
    for number, cluster in enumerate(clusters):
        for article in cluster:
            if (founding := previous.get(article)) is None:
                continue
            members.setdefault(founding, Counter())[number] += 1
            if founded_on(article) == founding.story_id:
                founders[founding] = number
    return {
        founding: founders.get(founding, min(counts, key=lambda n: (-counts[n], smallest[n])))
        for founding, counts in members.items()
    }


def _with_new(
    foundings: Sequence[Founding | None],
    clusters: Sequence[Sequence[bytes]],
    taken: set[bytes],
    snapshot: int,
) -> Iterator[Founding]:
    """Yield the inherited foundings, and for the others one on the first member that is free."""
    for founding, cluster in zip(foundings, clusters, strict=True):
        if founding is None:
            free = (story_id for story_id in _proposals(cluster) if story_id not in taken)
            founding = Founding(next(free), snapshot)
            taken.add(founding.story_id)
        yield founding


def _proposals(cluster: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the ids that the members found, then, without end, ids founded on those."""
    proposals = [founded_on(article) for article in sorted(cluster)]
    while True:
        yield from proposals
        proposals = [founded_on(story_id) for story_id in proposals]
