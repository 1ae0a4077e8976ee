"""The compiled twin of `meeting.Meeting.pairs`: each pair once, before anything is sorted."""

from __future__ import annotations

import numba
import numpy as np

from pipeline.text.utf8_compiled import PLACES

_FLAGS = numba.types.Array(numba.bool_, 1, "C", readonly=True)
_KINDS = numba.types.Array(numba.uint8, 1, "C", readonly=True)
_KIND_BITS = np.uint64(3)


@numba.njit(
    numba.int64(
        *(PLACES, _FLAGS, PLACES, PLACES, PLACES, PLACES, _KINDS),
        *(PLACES, numba.int64, numba.uint64[::1]),
    ),
    nogil=True,
    boundscheck=False,
)
def collect(articles, is_new, own, first, stop, later_stop, kinds, place, n_ids, codes):  # type: ignore[no-untyped-def]
    """Write the codes of the pairs that new articles have, each once; return how many.

    A pair is always met by the same article: by the new one, of two new ones by the later in rank.
    So the articles are gone through one by one, with a mark at each whom one has met.

    Args:
        articles: rank of the article at each place of all groups.
        is_new: of each place, whether its article is.
        own: places of new articles.
        first: of each of `own`, where the centres before it begin, and
        stop: end.
        later_stop: where the stored articles end that it meets as a centre; they begin behind it.
        kinds: of the bucket of each of `own`.
        place: of each article by rank, its place by id.
        n_ids: above all those.
        codes: has room for the pairs of all buckets.
    """
    n_articles = place.size
    starts = np.zeros(n_articles + 1, np.int64)
    for at in own:
        starts[articles[at] + 1] += 1
    for article in range(n_articles):
        starts[article + 1] += starts[article]
    turns, free = np.empty(own.size, np.int64), starts.copy()
    for turn in range(own.size):
        article = articles[own[turn]]
        turns[free[article]] = turn
        free[article] += 1
    met_by, found_at = np.full(n_articles, -1), np.zeros(n_articles, np.int64)
    n = np.int64(0)
    for article in range(n_articles):
        one = place[article]
        for by_article in range(starts[article], starts[article + 1]):
            turn = turns[by_article]
            kind = np.uint64(kinds[turn])
            for part in range(2):
                begin, end = first[turn], stop[turn]
                if part:
                    begin, end = own[turn] + 1, later_stop[turn]
                for at in range(begin, end):
                    if part and is_new[at]:
                        continue
                    other = articles[at]
                    if met_by[other] != article:
                        met_by[other], found_at[other] = article, n
                        low, high = min(one, place[other]), max(one, place[other])
                        codes[n] = np.uint64(low * n_ids + high) << _KIND_BITS | kind
                        n += 1
                    elif codes[found_at[other]] & np.uint64(7) > kind:
                        pair = codes[found_at[other]] >> _KIND_BITS
                        codes[found_at[other]] = pair << _KIND_BITS | kind
    return n
