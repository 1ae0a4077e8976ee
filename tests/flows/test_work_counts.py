"""What an ingest does, counted: calls, queries, files and pairs, which no noisy machine changes.

Each bound is what was counted when it was written and a fifth more. A change that needs more work
an article fails here; one that needs much less should lower the bound.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid4

import pytest

from flows import ingest as ingest_module
from flows.ingest import Request, run_ingest
from flows.rule_set import Rules
from pipeline.dedup import judging, number_pairs, signatures, verify
from pipeline.dedup.bands import BandRules
from pipeline.dedup.bucket_pairs import CentreRule
from pipeline.settings import Settings
from pipeline.store import gather
from tests.bench.corpus import write_corpus

BATCH = 150

CALLS_PER_ARTICLE = 1100
"""Python functions called and built-in ones, in all stages, of a batch of 150 generated articles;
one in six is called for the batch, however many they are."""

PAIRS_PER_TEMPLATE_ARTICLE = 43
CLASSES_PER_BATCH = 36
READ_AGAIN = 4.3
"""Of a template, with an eighth of the centres, in batches of 300: pairs to compare, pairs that the
rules are asked about, texts read for the numbers in their slots."""

QUERIES_PER_BATCH = 36
"""Queries of the warehouse by a batch of which some copy stored articles."""


def ingest(root: Path, path: Path, **values: Any) -> Any:
    settings = Settings(warehouse=root, engine="numpy", workers=1, **values)
    return run_ingest([Request(specs=(str(path),))], settings, str(uuid4()))


def corpus(folder: Path, n_articles: int, **values: Any) -> Path:
    path = folder / f"{uuid4()}.jsonl"
    write_corpus(path, n_articles, **values)
    return path


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """Count calls of Python functions and of built-in ones."""
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        counted[event] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield counted
    finally:
        sys.setprofile(before)


def counting(
    patch: pytest.MonkeyPatch, module: Any, name: str, size: Callable[..., int]
) -> list[int]:
    """Replace a function by one that notes the size of each call."""
    whole, sizes = getattr(module, name), []

    def counted(*arguments: Any, **named: Any) -> Any:
        sizes.append(size(*arguments))
        return whole(*arguments, **named)

    patch.setattr(module, name, counted)
    return sizes


def n_calls(root: Path, path: Path) -> int:
    with calls() as counted:
        ingest(root, path)
    return counted["call"] + counted["c_call"]


def test_calls_an_article(tmp_path: Path) -> None:
    few, many = corpus(tmp_path, BATCH), corpus(tmp_path, 2 * BATCH)
    n_calls(tmp_path / "warm", few)  # tables and patterns are made once a process
    first = n_calls(tmp_path / "few", few)
    second = n_calls(tmp_path / "many", many)
    assert first <= CALLS_PER_ARTICLE * BATCH
    # Twice the articles cost no more than twice the calls.
    assert second <= 2.1 * first


def test_each_text_is_signed_once_and_each_pair_verified_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = counting(monkeypatch, signatures, "sign_array", lambda keys, *_: len(keys))
    verified = counting(monkeypatch, verify, "_judged", lambda ends, *_: len(ends))
    searched: list[int] = []
    search = ingest_module.search

    def noted(*arguments: Any) -> Any:
        found = search(*arguments)
        searched.append(found.pairs.num_rows)
        return found

    monkeypatch.setattr(ingest_module, "search", noted)
    summary = ingest(tmp_path / "w", corpus(tmp_path, 3 * BATCH), batch_documents=BATCH)
    assert summary.n_batches == 3
    assert sum(signed) == summary.n_articles == 3 * BATCH
    assert sum(verified) == sum(searched)
    # Generated articles are strangers but for copies: a pair is looked at for little else.
    assert 0 < sum(verified) <= 1.2 * summary.n_edges


def test_queries_and_files_of_a_batch_do_not_grow_with_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "w"
    ingest(root, corpus(tmp_path, 6 * BATCH), batch_documents=BATCH)
    strangers = [corpus(tmp_path, BATCH, seed=50 + n, first=(10 + n) * BATCH) for n in range(2)]
    queries = counting(monkeypatch, gather, "fetch", lambda *_: 1)
    holding, opened = gather.Gatherer._holding, []

    def noted(self: Any, table: str, *rest: Any) -> Any:
        files = holding(self, table, *rest)
        opened.append(len(files))
        return files

    monkeypatch.setattr(gather.Gatherer, "_holding", noted)
    ingest(root, strangers[0])
    before = (len(queries), sum(opened))
    for n in range(6):
        ingest(root, corpus(tmp_path, BATCH, seed=90 + n, first=(20 + n) * BATCH))
    queries.clear()
    opened.clear()
    ingest(root, strangers[1])
    after = (len(queries), sum(opened))
    assert after[0] <= QUERIES_PER_BATCH
    assert after[0] <= before[0] + 1, "a batch asks as often whatever stands already"
    # An article that nobody knows is looked up without opening a file of texts.
    assert after[1] <= before[1] + 2


def test_pairs_of_a_template_grow_with_its_articles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a bucket's centres each further article meets no more of them than one before it.

    With an eighth of the centres: a thousand articles are as many as 10,000 are with all.
    """
    few = BandRules(centres=CentreRule(most=4, fewest=1, pairs=64))
    monkeypatch.setattr(ingest_module, "rules_in", lambda *_: Rules(bands=few))
    searched: list[int] = []
    search = ingest_module.search

    def noted(*arguments: Any) -> Any:
        found = search(*arguments)
        searched.append(found.pairs.num_rows)
        return found

    monkeypatch.setattr(ingest_module, "search", noted)
    judged = counting(monkeypatch, judging, "judge", lambda *_: 1)
    slotted = counting(monkeypatch, number_pairs, "count_slots", lambda keys, _: len(keys))
    sizes = (1200, 2400)
    counts = []
    for size in sizes:
        for counted in (searched, judged, slotted):
            counted.clear()
        path = corpus(tmp_path, size, n_template=size)
        ingest(tmp_path / str(size), path, batch_documents=300)
        counts.append([sum(counted) for counted in (searched, judged, slotted)])
    few_counts, many_counts = counts
    assert all(many <= 2.5 * few for few, many in zip(few_counts, many_counts, strict=True))
    assert many_counts[0] <= 2.3 * few_counts[0]
    for (n_pairs, n_judged, n_slotted), size in zip(counts, sizes, strict=True):
        assert n_pairs <= PAIRS_PER_TEMPLATE_ARTICLE * size
        # Pairs that compare alike are judged once a batch, and an article is read once a batch.
        assert n_judged <= CLASSES_PER_BATCH * size / 300
        assert n_slotted <= READ_AGAIN * size
