"""A batch in parts: what workers make of each, and what is settled over all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.gather import Fresh
from flows.mapped import verify_mapped
from flows.prepared import (
    Known,
    KnownFurniture,
    Prepared,
    clean_part,
    outdated,
    prepare_documents,
    prepare_parsed,
    with_evidence,
)
from flows.rules import Rules
from flows.texts import CleanTexts, Inspected, Stage, clean_articles
from flows.workers import LEAST_BYTES, Workers
from pipeline.contracts import conform
from pipeline.dedup.relations import RelationRules
from pipeline.dedup.verify import READ, articles_of, parts_of
from pipeline.interim import KEYS, VERIFIED
from pipeline.store import spool
from pipeline.store.spool import Given, Handle

LEAST_PAIRS = 20_000
"""So many pairs repay workers that run already. With fewer the writing and reading of what they
need costs as much as the comparison, and while workers are at later batches, this process does
nearly all of the parts itself: of 6,000 articles with 1,000 pairs 270 ms in parts, 80 in one."""

PARTS_PER_WORKER = 2
"""More than one, so that a worker with short texts takes over from one with long ones."""


class Texts(Protocol):
    """The inspected texts of a batch, and the way to their clean form."""

    @property
    def inspected(self) -> Inspected:
        """The articles, each revision once."""

    @property
    def workers(self) -> Workers | None:
        """Who works on the batch beside this process."""

    def cleaned(self, fresh: Fresh, furniture: pa.Table, rules: Rules, stage: Stage) -> CleanTexts:
        """Return the clean texts of the fresh revisions."""


@dataclass(frozen=True)
class WholeTexts:
    """A batch that this process works on, stage by stage."""

    inspected: Inspected
    workers: None = None

    def cleaned(self, fresh: Fresh, furniture: pa.Table, rules: Rules, stage: Stage) -> CleanTexts:
        """Return the clean texts of the fresh revisions."""
        own = self.inspected
        if fresh.parsed.num_rows < own.parsed.num_rows:
            own = own.only(fresh.parsed["revision_id"].combine_chunks())
        return clean_articles(own, fresh.current_ids, furniture, rules, stage)


@dataclass(frozen=True)
class Part:
    """A prepared part of a batch, and where it lies in the spool for a worker to go on."""

    prepared: Prepared
    handle: Given

    @property
    def parsed(self) -> pa.Table:
        """The part's articles: PARSED."""
        return self.prepared.inspected.parsed


@dataclass(frozen=True)
class PartedTexts:
    """A batch that workers have prepared in parts."""

    inspected: Inspected
    parts: Sequence[Part]
    workers: Workers
    assumed: Known
    """The furniture known when the parts were cleaned."""
    known: KnownFurniture

    def cleaned(self, fresh: Fresh, furniture: pa.Table, rules: Rules, stage: Stage) -> CleanTexts:
        """Return the clean texts of the fresh revisions."""
        self.known.renew(fresh.parsed["source_id"], furniture)
        texts: CleanTexts = stage(clean_parts)(self, fresh, furniture, rules)
        return texts


class Inspection:
    """A batch on its way through workers: its documents are read while others are matched."""

    def __init__(
        self,
        rows: pa.Table,
        function: Callable[..., Prepared],
        rules: Rules,
        workers: Workers,
        known: KnownFurniture | None = None,
    ) -> None:
        """Hand the rows to the workers, in parts, for `function` to prepare.

        Args:
            rows: what is divided.
            function: makes a Prepared of a part, the rules and, where `known` is given, a Known.
            rules: the rules of the run.
            workers: who does it.
            known: the furniture in effect, as far as it is known.
        """
        self._workers = workers
        self._known = known or KnownFurniture()
        self._assumed = self._known.now
        furniture = [] if known is None else [workers.keep(self._assumed)]
        self._given: list[Handle] = [*furniture]
        self._futures: list[Future[Given]] = []
        for part in divided(rows, workers.n_workers * PARTS_PER_WORKER):
            given = workers.keep(part)
            self._given.append(given)
            self._futures.append(workers.submit(function, given, rules, *furniture))

    def texts(self) -> PartedTexts:
        """Wait for the workers and return what they found."""
        handles = self._workers.results(self._futures)
        for given in self._given:
            spool.drop(given)
        parts = [Part(spool.load(handle), handle) for handle in handles]
        inspected = joined([part.prepared.inspected for part in parts])
        return PartedTexts(inspected, parts, self._workers, self._assumed, self._known)


def inspect_parts(inspection: Inspection) -> PartedTexts:
    """Wait for what workers found in a batch: a stage."""
    return inspection.texts()


def inspection_of_documents(
    documents: pa.Table, rules: Rules, workers: Workers, known: KnownFurniture
) -> Inspection:
    """Begin to read DOCUMENTS (or READ) in workers, and to clean them with what is known."""
    return Inspection(documents, prepare_documents, rules, workers, known)


def inspection_of_articles(parsed: pa.Table, rules: Rules, workers: Workers) -> Inspection:
    """Begin to take PARSED articles apart in workers."""
    return Inspection(parsed, prepare_parsed, rules, workers)


def repays_workers(documents: pa.Table) -> bool:
    """Return whether a batch is large enough for workers."""
    return (pc.sum(documents["n_bytes"]).as_py() or 0) >= LEAST_BYTES


def divided(rows: pa.Table, n_parts: int) -> list[pa.Table]:
    """Return the rows in up to `n_parts` runs, of about equal bytes where they say how many."""
    sizes = rows["n_bytes"] if "n_bytes" in rows.column_names else pa.array([1] * rows.num_rows)
    n_bytes = np.cumsum(sizes.to_numpy())
    targets = np.arange(1, n_parts) * (int(n_bytes[-1]) / n_parts if n_bytes.size else 0)
    cuts = np.unique(np.concatenate(([0], np.searchsorted(n_bytes, targets), [n_bytes.size])))
    return [rows.slice(start, end - start) for start, end in pairwise(cuts.tolist())]


def joined(parts: Sequence[Inspected]) -> Inspected:
    """Return the parts as one; of revisions that several have, only the one that stands for all.

    As in `parse`, that is the one of the document with the smallest id.
    """
    whole = _concatenated(parts)
    stands = _stands(whole.parsed)
    if stands.all():
        return whole
    kept: list[Inspected] = []
    start = 0
    for part in parts:
        own = stands[start : start + part.parsed.num_rows]
        kept.append(part.only(part.parsed["revision_id"].combine_chunks().filter(pa.array(own))))
        start += part.parsed.num_rows
    return _concatenated(kept)


def _concatenated(parts: Sequence[Inspected]) -> Inspected:
    names = ("parsed", "unread", "spans", "lines", "captions", "repeats", "lined")
    return Inspected(*(pa.concat_tables([getattr(p, name) for p in parts]) for name in names))


def _stands(parsed: pa.Table) -> NDArray[np.bool_]:
    """Return which PARSED rows stand: of each revision the one of the smallest document."""
    numbered = parsed.select(["revision_id", "document_id"]).append_column(
        "row", pa.array(np.arange(parsed.num_rows))
    )
    stands = np.ones(parsed.num_rows, np.bool_)
    if pc.count_distinct(parsed["revision_id"]).as_py() < parsed.num_rows:
        keys = [(name, "ascending") for name in ("revision_id", "document_id", "row")]
        ordered = numbered.sort_by(keys)
        revisions = ordered["revision_id"].combine_chunks()
        is_later = pc.equal(revisions[1:], revisions[:-1]).to_numpy(zero_copy_only=False)
        stands[ordered["row"].to_numpy()[1:][is_later]] = False
    return stands


def clean_parts(texts: PartedTexts, fresh: Fresh, furniture: pa.Table, rules: Rules) -> CleanTexts:
    """Take what workers cleaned of the fresh revisions, and have them clean the rest."""
    parts, workers = texts.parts, texts.workers
    current = fresh.current_ids
    # The current ones are some of the fresh ones; an article has at most one.
    n_articles = sum(part.parsed.num_rows for part in parts)
    is_plain = n_articles == fresh.parsed.num_rows == len(current)
    again = outdated([part.prepared for part in parts], texts.assumed, furniture)
    cleaned: list[CleanTexts] = []
    futures = []
    for part, revisions in zip(parts, _revisions_by_part(parts, fresh.parsed), strict=True):
        if part.prepared.cleaned is not None:
            holding, revisions = _divided_by(part, revisions, again)
            asked = None if is_plain and holding is None else current
            cleaned.append(_renewed(part.prepared, holding, asked, furniture))
            if not len(revisions):
                continue
        arguments = (revisions, current, furniture, rules)
        futures.append(workers.submit(clean_part, part.handle, *arguments, is_urgent=True))
    handles = workers.results(futures)
    cleaned += [spool.load(handle) for handle in handles]
    for handle in (*handles, *(part.handle for part in parts)):
        spool.drop(handle)
    names = ("clean", "paragraphs", "removals", "keys")
    whole = [pa.concat_tables([getattr(c, name) for c in cleaned]) for name in names]
    # What follows reads the keys often, and the cache keeps them in this order.
    clean, paragraphs, removals, keys = whole
    return CleanTexts(clean, paragraphs, removals, conform(keys, KEYS))


def _renewed(
    prepared: Prepared, revisions: pa.Array | None, current: pa.Array | None, furniture: pa.Table
) -> CleanTexts:
    """Return what was cleaned of these revisions, its evidence as it is now.

    None for all of the part, and where all are current.
    """
    assert prepared.cleaned is not None
    own = prepared.cleaned if current is None else prepared.cleaned.only(revisions, current)
    removals = with_evidence(own.removals, prepared.inspected.lines, furniture)
    return replace(own, removals=removals)


def _divided_by(
    part: Part, wanted: pa.Array | None, again: pa.Array
) -> tuple[pa.Array | None, pa.Array]:
    """Return which of the wanted revisions are clean (None: all of the part), which to clean."""
    if wanted is None and not len(again):
        return None, again
    own = part.parsed["revision_id"].combine_chunks() if wanted is None else wanted
    is_again = pc.is_in(own, again)
    if wanted is None and not pc.any(is_again).as_py():
        return None, own[:0]
    return own.filter(pc.invert(is_again)), own.filter(is_again)


def verify_parts(
    pairs: pa.Table,
    keys: pa.Table,
    history: Sequence[pa.Table],
    rules: RelationRules,
    workers: Workers,
    files: Sequence[Path] | None = None,
) -> pa.Table:
    """Have workers verify PAIRS: what `verify` returns.

    Args:
        pairs: PAIRS.
        keys: KEYS of the batch.
        history: KEYS segments.
        rules: the numbers of the relations.
        workers: who does it.
        files: where the segments lie, if they do: workers map them too, and nothing is copied.
    """
    own = keys.select(READ) if files is not None else articles_of(pairs, keys, history)
    articles = workers.keep(own)
    parts = parts_of(pairs, workers.n_workers * PARTS_PER_WORKER)
    given = [workers.keep(part) for part in parts]
    futures = [
        workers.submit(verify_mapped, part, articles, files or [], rules, is_urgent=True)
        for part in given
    ]
    handles = workers.results(futures)
    verified = pa.concat_tables([spool.load(handle) for handle in handles])
    for handle in (articles, *given, *handles):
        spool.drop(handle)
    return conform(verified, VERIFIED)


def _revisions_by_part(parts: Sequence[Part], fresh: pa.Table) -> list[pa.Array | None]:
    """Return which revisions each part is to clean; None for all of them."""
    ends = ["revision_id", "document_id"]
    numbers = [np.full(part.parsed.num_rows, n) for n, part in enumerate(parts)]
    own = pa.concat_tables([part.parsed.select(ends) for part in parts])
    if own.num_rows == fresh.num_rows:
        return [None] * len(parts)
    # The same document may stand in two parts: the first cleans it.
    numbered = own.append_column("part", pa.array(np.concatenate(numbers)))
    wanted = numbered.join(fresh.select(ends), ends, join_type="left semi")
    first = wanted.group_by(ends).aggregate([("part", "min")])
    return [
        first.filter(pc.equal(first["part_min"], n))["revision_id"].combine_chunks()
        for n in range(len(parts))
    ]
