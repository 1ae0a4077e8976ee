"""Large buckets that are thinned give the pairs of whole ones."""

from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup import thinning
from pipeline.dedup.bucket_pairs import (
    CentreRule,
    Needed,
    displaced_pairs,
    grouped,
    new_pairs,
    promoted,
)
from pipeline.dedup.thinning import inside, needed_entries
from pipeline.text.engine import choose_engine, chosen_engine

N_BUCKETS = 5
ENGINES = st.sampled_from(["numpy", "compiled"] if find_spec("numba") else ["numpy"])
RULES = [CentreRule(), CentreRule(1, 1, 0), CentreRule(3, 1, 9), CentreRule(4, 2, 40)]


@contextmanager
def engine_of(name):
    before = chosen_engine()
    choose_engine(name)
    yield
    choose_engine(before)


@st.composite
def meetings(draw):
    """Return ranks of new articles, and for each bucket which articles stand in it."""
    n_articles = draw(st.integers(2, 60))
    is_new = draw(st.lists(st.booleans(), min_size=n_articles, max_size=n_articles))
    shares = draw(st.lists(st.integers(0, 4), min_size=N_BUCKETS, max_size=N_BUCKETS))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    stands = rng.integers(0, 4, (N_BUCKETS, n_articles)) < np.array(shares)[:, None]
    return np.array(is_new), stands


def parts_of(is_new, stands, n_parts):
    """Return the entries of new articles and those of stored ones in parts."""
    buckets, ranks = np.nonzero(stands)
    buckets, ranks = buckets.astype(np.int32), ranks.astype(np.int32)
    own = buckets[is_new[ranks]], ranks[is_new[ranks]]
    # A bucket without a new article is never looked at.
    is_met = np.isin(buckets, own[0]) & ~is_new[ranks]
    stored = [
        (buckets[here], ranks[here])
        for part in range(n_parts)
        if (here := np.flatnonzero(is_met & (ranks % n_parts == part))).size
    ]
    return own, stored


def whole(own, stored, n_articles):
    """Return every entry."""
    n_bits = int(n_articles).bit_length()
    codes = [np.asarray(b, np.int64) << n_bits | r for b, r in [own, *stored]]
    stored_sizes = sum(np.bincount(b, minlength=N_BUCKETS) for b, _ in stored)
    stored_sizes = stored_sizes + np.zeros(N_BUCKETS, np.int64)
    sizes = stored_sizes + np.bincount(own[0], minlength=N_BUCKETS)
    return Needed(np.concatenate(codes), n_bits, sizes, stored_sizes)


def told(needed, is_new, rule):
    """Return all that a meeting asks of its buckets."""
    group = grouped(needed, is_new)
    pairs = [
        sorted(
            (int(group.buckets[a]), *sorted((int(group.articles[a]), int(group.articles[b]))))
            for one, other in found(group, rule)
            for a, b in zip(one.tolist(), other.tolist(), strict=True)
        )
        for found in (new_pairs, displaced_pairs)
    ]
    hot = np.flatnonzero((group.rank == 0) & (group.sizes > 1))
    firsts = zip(group.buckets[hot].tolist(), group.articles[hot].tolist(), strict=True)
    return *pairs, promoted(group, rule).tolist(), list(firsts), needed.sizes.tolist()


@settings(max_examples=400, deadline=None)
@given(meetings(), st.sampled_from(RULES), st.sampled_from([0.3, 1, 1.5, 3]), ENGINES)
def test_thinned_buckets_give_the_pairs_of_whole_ones(meeting, rule, share, engine):
    is_new, stands = meeting
    own, stored = parts_of(is_new, stands, 3)
    with pytest.MonkeyPatch.context() as patched, engine_of(engine):
        patched.setattr(thinning, "_LARGE", 1)
        patched.setattr(thinning, "_expected", lambda n_centres: n_centres * share)
        thin = needed_entries(own, stored, N_BUCKETS, is_new.size, rule)
    every = whole(own, stored, is_new.size)
    assert set(thin.codes.tolist()) <= set(every.codes.tolist())
    assert told(thin, is_new, rule) == told(every, is_new, rule)


@settings(max_examples=100, deadline=None)
@given(meetings(), st.integers(0, 2**N_BUCKETS - 1), ENGINES)
def test_entries_inside_large_buckets_are_told_by_bucket_and_numbers(meeting, large, engine):
    _, stands = meeting
    buckets, ranks = (part.astype(np.int32) for part in np.nonzero(stands))
    is_large = np.array([bool(large >> bucket & 1) for bucket in range(N_BUCKETS)])
    numbers = np.arange(stands.shape[1]) % 4 - 1
    with engine_of(engine):
        codes, articles = inside((buckets, ranks), is_large, numbers, 7)
    assert list(zip(codes.tolist(), articles.tolist(), strict=True)) == [
        (bucket * 7 + int(numbers[rank]), rank)
        for bucket, rank in zip(buckets.tolist(), ranks.tolist(), strict=True)
        if is_large[bucket] and numbers[rank] >= 0
    ]


def test_a_hot_bucket_leaves_little_behind():
    n_articles, n_new = 100_000, 1_000
    is_new = np.zeros(n_articles, np.bool_)
    is_new[-n_new:] = True
    ranks = np.arange(n_articles, dtype=np.int32)
    own = np.zeros(n_new, np.int32), ranks[is_new]
    stored = [(np.zeros(n_articles - n_new, np.int32), ranks[~is_new])]
    needed = needed_entries(own, stored, 1, n_articles, CentreRule())
    assert needed.codes.size == n_new + CentreRule().fewest
    assert needed.sizes.tolist() == [n_articles]
    group = grouped(needed, is_new)
    ((new, centres),) = [
        (group.articles[one], group.articles[other])
        for one, other in new_pairs(group, CentreRule())
        if one.size
    ]
    assert sorted(zip(new.tolist(), centres.tolist(), strict=True)) == [
        (article, centre) for article in ranks[is_new].tolist() for centre in (0, 1)
    ]
