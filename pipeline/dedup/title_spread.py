"""Whether documents are about different things, by their headlines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.text.mixing import mix64
from pipeline.text.shingles import ShingleProfile, shingle_sets

PIECES = ShingleProfile("title", hangul=3, han_kana=2, alphabetic=7, unspaced=4)
"""Pieces of a headline: about a word. With 5 Latin letters " the " is in every third headline."""

_MAY_SHARE = 3
"""So many titles of a few may share a piece: among 5 unrelated ones 3 do one time in ten."""

_MIN_ENDING_CHARS = 3


def is_spread(
    titles: Sequence[str],
    owners: NDArray[np.int64],
    n_owners: int,
    max_share: float,
    min_titles: int,
) -> NDArray[np.bool_]:
    """Return for each owner whether its documents are about different things, bool [n_owners].

    No piece stands in more than `max_share` of the titles. What all titles end in (the name of the
    paper) does not count.

    Args:
        titles: title keys; empty ones are left out.
        owners: whose title each is, int64 [n].
        n_owners: how many owners there are.
        max_share: largest share of titles that may have one piece.
        min_titles: fewer titles say nothing.
    """
    titled = np.fromiter(map(bool, titles), np.bool_, len(titles))
    own = owners[titled]
    keys = [title for title in titles if title]
    spread = _no_piece_in_most(keys, own, n_owners, max_share)
    by_owner: dict[int, list[str]] = {}
    for row in np.flatnonzero(~spread[own]).tolist():
        by_owner.setdefault(int(own[row]), []).append(keys[row])
    for owner, own_keys in by_owner.items():
        ending = _common_ending(own_keys)
        rest = [key[:-ending] for key in own_keys if len(key) > ending]
        if ending >= _MIN_ENDING_CHARS and len(rest) == len(own_keys):
            alone = np.zeros(len(rest), np.int64)
            spread[owner] = _no_piece_in_most(rest, alone, 1, max_share)[0]
    counts: NDArray[np.int64] = np.bincount(own, minlength=n_owners)
    return spread & (counts >= min_titles)


def _no_piece_in_most(
    keys: Sequence[str], owners: NDArray[np.int64], n_owners: int, max_share: float
) -> NDArray[np.bool_]:
    """Return for each owner whether no piece stands in more of its titles than may share one."""
    hashes, offsets = shingle_sets(keys, PIECES)
    of_piece = np.repeat(owners, np.diff(offsets))
    pieces = hashes ^ mix64(of_piece.astype(np.uint64))
    _, firsts, counts = np.unique(pieces, return_index=True, return_counts=True)
    most = np.zeros(n_owners, np.int64)
    np.maximum.at(most, of_piece[firsts], counts)
    limit = np.maximum(np.bincount(owners, minlength=n_owners) * max_share, _MAY_SHARE)
    spread: NDArray[np.bool_] = most <= limit
    return spread


def _common_ending(keys: Sequence[str]) -> int:
    """Return how many characters all keys end in."""
    first, last = min(k[::-1] for k in keys), max(k[::-1] for k in keys)
    pairs = enumerate(zip(first, last, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(last)))
