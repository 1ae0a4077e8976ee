"""The pairs of a meeting, collected by a kernel article by article, are the plain ones."""

import numpy as np
import pytest

from pipeline.dedup import meeting as meetings
from pipeline.dedup.bucket_pairs import CentreRule, Needed, grouped
from pipeline.dedup.entries import KINDS, BandRules
from pipeline.dedup.meeting import Meeting

RULES = BandRules(centres=CentreRule(most=4, fewest=2, pairs=24))


def met_by_chance(rng):
    """Return a meeting of random entries: buckets of one article to most of them."""
    n_articles, n_buckets, n_bits = 60, 25, 6
    is_new = rng.random(n_articles) < 0.4
    meeting = Meeting.__new__(Meeting)
    meeting.rules = RULES
    meeting.ids = np.zeros((n_articles, 2), np.uint64)
    meeting._place = rng.permutation(n_articles)
    meeting._kinds = tuple(
        rng.integers(0, len(KINDS), n_buckets).astype(np.uint8) for _ in range(2)
    )
    groups = []
    for _ in range(2):
        share = rng.random(n_buckets) ** 3
        held = rng.random((n_buckets, n_articles)) < share[:, None]
        buckets, articles = np.nonzero(held)
        codes = rng.permutation(buckets << n_bits | articles)
        sizes, stored = held.sum(axis=1), held[:, ~is_new].sum(axis=1)
        groups.append(grouped(Needed(codes, n_bits, sizes, stored), is_new))
    meeting.by_bucket, meeting.by_numbers = groups
    return meeting


@pytest.mark.parametrize("seed", range(40))
def test_collected_pairs_are_the_plain_ones(seed, monkeypatch):
    pytest.importorskip("numba")
    meeting = met_by_chance(np.random.default_rng(seed))
    monkeypatch.setattr(meetings, "use_compiled", lambda _: False)
    plain = meeting.pairs()
    monkeypatch.setattr(meetings, "use_compiled", lambda _: True)
    assert meeting.pairs().tolist() == plain.tolist()
