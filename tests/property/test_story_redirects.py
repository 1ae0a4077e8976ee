"""Story ids that merges ended: where each leads, through any merges and splits that follow."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract import ID
from pipeline.dedup.story_ids import REDIRECTS, Founding, led_on, name_stories

ARTICLES = [bytes([n]) * 16 for n in range(8)]
LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=len(ARTICLES))


@given(st.lists(LABELS, min_size=2, max_size=12))
def test_an_id_leads_to_one_standing_story_or_stands_itself(batches: list[list[int]]) -> None:
    """Each batch groups the articles anew: clusters merge, come apart and come together again."""
    stood: dict[bytes, Founding] = {}
    stored: dict[bytes, bytes] = {}
    for snapshot, labels in enumerate(batches):
        n_articles = max(len(labels), len(stood))
        labels = (labels * n_articles)[:n_articles]
        clusters = [
            [a for a, own in zip(ARTICLES, labels, strict=False) if own == label]
            for label in sorted(set(labels))
        ]
        foundings, ended = name_stories(clusters, stood, snapshot)
        rows = written(stored, ended, foundings)
        stored = {s: to for s, to in stored.items() if s not in dict(rows)} | dict(rows)
        standing = {founding.story_id for founding in foundings}
        stored = {s: to for s, to in stored.items() if s not in standing}
        assert len(dict(rows)) == len(rows)
        assert not standing & set(dict(rows))
        assert set(stored.values()) <= standing
        before = {founding.story_id for founding in stood.values()}
        assert before <= standing | set(stored)
        stood = {a: f for c, f in zip(clusters, foundings, strict=True) for a in c}


def written(
    stored: dict[bytes, bytes], ended: dict[bytes, bytes], foundings: list[Founding]
) -> list[tuple[bytes, bytes]]:
    """Return the redirects that a batch writes."""
    earlier = {s: ended[to] for s, to in stored.items() if to in ended}
    standing = pa.chunked_array([pa.array([f.story_id for f in foundings], ID)])
    led = led_on(table(ended), table(earlier), standing)
    return list(zip(*(led[name].to_pylist() for name in REDIRECTS.names), strict=True))


def table(redirects: dict[bytes, bytes]) -> pa.Table:
    columns = [list(redirects), list(redirects.values())]
    return pa.table([pa.array(c, ID) for c in columns], schema=REDIRECTS)
