"""Stories one article at a time: what `clusters.derive_stories` and `story_ids` compute on columns.

Dictionaries of rows, in the order in which the rules are told; slow, and read in one go.
"""

from collections import Counter
from datetime import datetime, timedelta

import numpy as np

from pipeline.contracts import RELATIONS
from pipeline.dedup.cluster_graph import ClusterGrowth, Graph
from pipeline.dedup.story_ids import founded_on
from pipeline.text.titles import title_version

RANK = {relation: rank for rank, relation in enumerate(RELATIONS)}
LAST, FIRST = datetime.max, datetime.min  # noqa: DTZ901


def derive(edges, members, policy, snapshot):
    """Return STORY_MEMBERS and STORIES rows by id, and the redirects, of lists of rows."""
    articles = {row["article_id"]: row for row in members}
    duplicates = sorted((row for row in edges if row["is_duplicate"]), key=strength)
    pairs = {(row["left_id"], row["right_id"]): row for row in duplicates}
    placing = [row for row in edges if not row["is_duplicate"]]
    apart = [(r["left_id"], r["right_id"]) for r in placing if r["relation"] == "series"]
    clusters = [
        with_versions(cluster, pairs, articles) for cluster in grown(pairs, apart, articles, policy)
    ]
    containers = {}
    for row in sorted((r for r in placing if r["relation"] == "contained"), key=strength):
        is_left = row["left_containment"] > row["right_containment"]
        containers.setdefault(row["left_id" if is_left else "right_id"], row)
    foundings, redirects = named([c for c, _ in clusters], articles, snapshot)
    component = components(pairs, articles)
    member_rows, story_rows = {}, {}
    for (cluster, versions), (story_id, founded) in zip(clusters, foundings, strict=True):
        story_rows[story_id] = story(cluster, story_id, founded, articles)
        for article in cluster:
            row = member(article, cluster, versions, pairs, containers)
            row |= {"story_id": story_id, "component_id": component[article]}
            member_rows[article] = row
    return member_rows, story_rows, redirects


def strength(edge):
    return RANK[edge["relation"]], -edge["jaccard"], edge["left_id"], edge["right_id"]


def rank(row, policy):
    source, at = row["source_id"], row["published_at"]
    places = {source_id: place for place, source_id in enumerate(policy.source_priority)}
    criteria = {
        "source_priority": (places.get(source, len(places)),),
        "earliest": (at is None, at or LAST, row["content_hash"]),
        "longest": (-row["n_chars"],),
        "smallest_id": (row["article_id"],),
    }
    return (*(part for name in policy.order for part in criteria[name]), row["article_id"])


def grown(pairs, apart, articles, policy):
    """Return the members of each cluster, the pick first."""
    ids = sorted(articles)
    number = {article: n for n, article in enumerate(ids)}
    by_rank = sorted(ids, key=lambda article: rank(articles[article], policy))
    ranks = {article: place for place, article in enumerate(by_rank)}
    ends = np.array([(number[one], number[other]) for one, other in pairs], np.int64)
    rivals = [(number[a], number[b]) for a, b in apart if a in number and b in number]
    graph = Graph(
        len(ids),
        *ends.reshape(-1, 2).T,
        np.array([row["relation"] == "update" for row in pairs.values()], np.bool_),
        np.array(rivals, np.int64).reshape(-1, 2),
        np.array([ranks[article] for article in ids], np.int64),
    )
    clusters = {}
    for article, pick in zip(ids, ClusterGrowth(graph).picks(), strict=True):
        clusters.setdefault(ids[pick], []).append(article)
    return [[pick, *(m for m in own if m != pick)] for pick, own in clusters.items()]


def edge_between(pairs, one, other):
    return pairs.get((min(one, other), max(one, other)))


def with_versions(cluster, pairs, articles):
    """Return the members, the newest version of the pick first, and the earlier versions."""
    waiting, chain = set(cluster[1:]), [cluster[0]]
    for version in chain:
        for other in sorted(waiting):
            edge = edge_between(pairs, version, other)
            if edge is not None and edge["relation"] == "update":
                chain.append(other)
                waiting.discard(other)

    def age(article):
        row = articles[article]
        at, version = row["published_at"], title_version(row["title"] or "")
        return at is not None, at or FIRST, version, row["content_hash"], article

    newest = max(chain, key=age)
    return [newest, *(m for m in cluster if m != newest)], set(chain) - {newest}


def components(pairs, articles):
    """Return the smallest article of the connected component of each."""
    smallest = {article: article for article in articles}
    for _ in articles:
        for one, other in pairs:
            low = min(smallest[one], smallest[other])
            smallest[one] = smallest[other] = low
    return smallest


def member(article, cluster, versions, pairs, containers):
    canonical = cluster[0]
    row = {"article_id": article, "canonical_id": canonical}
    if article != canonical:
        row["role"] = "update" if article in versions else "duplicate"
        inside = [e for o in cluster if (e := edge_between(pairs, article, o)) is not None]
        edge = edge_between(pairs, article, canonical) or min(inside, key=strength)
    elif len(cluster) > 1:
        return row | {"role": "canonical"}
    elif (edge := containers.get(article)) is not None:
        row["role"] = "contained"
    else:
        return row | {"role": "single"}
    is_left = edge["left_id"] == article
    return row | {
        "relation": edge["relation"],
        "matched_id": edge["right_id"] if is_left else edge["left_id"],
        "jaccard": edge["jaccard"],
        "containment": edge["left_containment" if is_left else "right_containment"],
    }


def story(cluster, story_id, founded, articles):
    rows = [articles[article] for article in cluster]
    times = [row["published_at"] for row in rows if row["published_at"] is not None]
    first, last = (min(times), max(times)) if times else (None, None)
    return {
        "story_id": story_id,
        "canonical_id": cluster[0],
        "n_members": len(cluster),
        "n_sources": len({row["source_id"] for row in rows}),
        "first_published_at": first,
        "last_published_at": last,
        "spread_seconds": (last - first) // timedelta(seconds=1) if times else None,
        "founded_snapshot": founded,
    }


def named(clusters, articles, snapshot):
    """Return story id and founding snapshot of each cluster, and the ids that a merge ended."""
    held, founders = {}, {}
    for number, cluster in enumerate(clusters):
        for article in cluster:
            earlier = articles[article]["story_id"]
            if earlier is not None:
                founding = (articles[article]["founded_snapshot"], earlier)
                held.setdefault(founding, Counter())[number] += 1
                if founded_on(article) == earlier:
                    founders[founding] = number
    heirs = {}
    for founding, counts in held.items():
        most = min(counts, key=lambda n: (-counts[n], min(clusters[n])))
        heirs.setdefault(founders.get(founding, most), []).append(founding)
    taken = {story_id for _, story_id in held}
    foundings, redirects = [], {}
    for number, cluster in enumerate(clusters):
        if number in heirs:
            (founded, story_id), *lost = sorted(heirs[number])
            redirects |= {other: story_id for _, other in lost}
        else:
            free = (p for p in proposals(sorted(cluster)) if p not in taken)
            founded, story_id = snapshot, next(free)
            taken.add(story_id)
        foundings.append((story_id, founded))
    return foundings, redirects


def proposals(cluster):
    """Yield the ids that the members found, then, without end, ids founded on those."""
    while True:
        cluster = [founded_on(founder) for founder in cluster]
        yield from cluster
