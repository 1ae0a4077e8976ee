"""The way of an article, from source to published Parquet: read from `ingest_batch` downwards.

sources ▶ land (raw bytes safe) ▶ parse ▶ paragraphs ▶ furniture, captions, repeats ▶ clean text
        ▶ keys and signatures ▶ candidate pairs ▶ verified edges ▶ stories
        ▶ shared paragraphs, changes of revisions ▶ one atomic publish

What is furniture depends on all articles of a source: `finish` derives earlier articles again that
a run made stale, and applies the policy for shared paragraphs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from flows import gather, tally
from flows.ahead import ReadAhead
from flows.apply import change_of, fault_of, texts_of
from flows.components import keep, touched_components
from flows.decided import Batch, Cleaned, Decided, Matched
from flows.furnish import furniture_in_effect, standing_furniture
from flows.gather import Fresh
from flows.intake import Request, documents_of
from flows.parts import (
    LEAST_PAIRS,
    Inspection,
    Texts,
    WholeTexts,
    inspect_parts,
    inspection_of_articles,
    verify_parts,
)
from flows.rederive import stale_revisions
from flows.rules import Rules, rules_in
from flows.share import shared_changes
from flows.texts import Stage, direct, inspect_articles, inspect_documents
from flows.workers import Workers, workers_of
from pipeline.contracts import DOCUMENTS
from pipeline.dedup.bands import search
from pipeline.dedup.clusters import derive_stories
from pipeline.dedup.containment import find_spans
from pipeline.dedup.learning import learn
from pipeline.dedup.revisions import compare_revisions
from pipeline.dedup.shared import find_shared, find_sightings
from pipeline.dedup.verify import verify
from pipeline.errors import UnechoError
from pipeline.interim import UNREAD
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.sources.files import Progress
from pipeline.store.archive import without_landing
from pipeline.store.model import Run
from pipeline.store.warehouse import Warehouse, open_warehouse
from pipeline.text.engine import choose_engine

STALE_BATCH = 5000
"""Articles that are derived again in one commit."""

LEAST_AGAIN = 1500
"""So many of them repay workers."""

QUERY_THREADS = 1
"""The questions of a batch are small: to share each among threads, which return their memory after
it, took 6 % of the CPU of this process and a fifth of its page faults, and saved no time."""

MAX_FAULTS = 8
"""Documents that a fault of ours may send to quarantine in one run before the run fails."""


def ingest_batch(
    documents: pa.Table,
    warehouse: Warehouse,
    rules: Rules,
    summary: RunSummary,
    stage: Stage,
    inspection: Inspection | None = None,
) -> None:
    """Take one batch of landed documents all the way to a new snapshot."""
    texts: Texts
    if inspection is None:
        texts = WholeTexts(inspect_documents(documents, rules, stage))
    else:
        texts = stage(inspect_parts)(inspection)
    fresh = gather.fresh_revisions(warehouse, texts.inspected.parsed)
    derive(Batch(documents, texts.inspected.unread, fresh), texts, warehouse, rules, summary, stage)


def derive(
    batch: Batch,
    texts: Texts,
    warehouse: Warehouse,
    rules: Rules,
    summary: RunSummary,
    stage: Stage,
) -> None:
    """Take revisions, fresh ones or stored ones that are stale, from their text to a snapshot."""
    run_id, now = summary.run_id, utc_now()
    history = gather.history(warehouse, rules)
    cleaned = clean(batch.fresh, texts, history, warehouse, rules, stage)
    shown = texts_of(batch.fresh, cleaned, warehouse, run_id, now)
    matched = match(batch.fresh, cleaned, history, warehouse, rules, stage, texts.workers)
    met = matched.found.passages
    sightings = stage(find_sightings)(matched.keys, history, gather.NOBODY, rules.shared, met)
    sighted = gather.sighted(warehouse, sightings.article_ids, cleaned.kept)
    shared = stage(find_shared)(sightings, *sighted)
    revisions = gather.revisions(warehouse, batch.fresh, cleaned.clean)
    compared = stage(compare_revisions)(revisions, rules.revisions)
    decided = Decided(batch, cleaned, matched, shared, compared, rules.recipe.params_id)
    change = change_of(decided, shown, warehouse, run_id, now)
    stage(warehouse.publish)(change, run_id, now)
    keep(warehouse, matched.touched, matched.stories, batch.fresh)
    tally.count(summary, decided, change)


def clean(
    fresh: Fresh,
    texts: Texts,
    history: list[pa.Table],
    warehouse: Warehouse,
    rules: Rules,
    stage: Stage,
) -> Cleaned:
    """Take out what repeats inside each text and what its source prints everywhere."""
    inspected = texts.inspected
    lined = gather.current_of(inspected.lined, fresh).drop_columns("revision_id")
    standing = standing_furniture(warehouse, fresh.parsed)
    learned = stage(learn)(lined.sort_by("article_id"), history, standing, rules=rules.learning)
    known = furniture_in_effect(learned, standing)
    cleaned = texts.cleaned(fresh, known, rules, stage)
    current, kept = (gather.current_of(t, fresh) for t in (cleaned.clean, cleaned.paragraphs))
    return Cleaned(
        inspected.spans,
        inspected.lines,
        standing,
        learned,
        cleaned.clean,
        cleaned.paragraphs,
        cleaned.removals,
        current,
        kept,
        cleaned.keys,
    )


def match(
    fresh: Fresh,
    cleaned: Cleaned,
    history: list[pa.Table],
    warehouse: Warehouse,
    rules: Rules,
    stage: Stage,
    workers: Workers | None = None,
) -> Matched:
    """Compare the clean texts with each other and with the history, and derive their stories."""
    keys = cleaned.keys
    found = stage(search)(keys, history, rules.bands)
    if workers is None or found.pairs.num_rows < LEAST_PAIRS:
        edges = stage(verify)(found.pairs, keys, history, rules.relations)
    else:
        edges = stage(verify_parts)(
            found.pairs, keys, history, rules.relations, workers, warehouse.key_files()
        )
    ends = gather.ends_of(edges, rules.spans.relations)
    paragraphs = gather.paragraphs_of(warehouse, ends, cleaned.kept)
    common = stage(find_spans)(edges, paragraphs, rules.spans)
    touched = touched_components(warehouse, cleaned.current, fresh, edges, found.lapsed)
    stories = stage(derive_stories)(
        touched.edges, touched.members, rules.canonical, touched.snapshot, touched.known
    )
    return Matched(keys, found, edges, common, touched, stories)


def finish(
    warehouse: Warehouse,
    rules: Rules,
    summary: RunSummary,
    stage: Stage,
    workers: Workers | None = None,
) -> None:
    """Bring up to date what depends on all articles: stale ones, and what the policy shows."""
    derive_stale(warehouse, rules, summary, stage, workers)
    run_id, now = summary.run_id, utc_now()
    change = shared_changes(warehouse, rules, run_id, now)
    if not change.is_empty():
        stage(warehouse.publish)(change, run_id, now)


def derive_stale(
    warehouse: Warehouse,
    rules: Rules,
    summary: RunSummary,
    stage: Stage,
    workers: Workers | None = None,
) -> None:
    """Derive every article again that learned furniture has made stale, until none is left."""
    nothing = DOCUMENTS.schema.empty_table(), UNREAD.schema.empty_table()
    while (fresh := stale_revisions(warehouse, STALE_BATCH)) is not None:
        texts: Texts
        if workers is None or fresh.parsed.num_rows < LEAST_AGAIN:
            texts = WholeTexts(inspect_articles(fresh.parsed, nothing[1], rules, stage))
        else:
            texts = stage(inspect_parts)(inspection_of_articles(fresh.parsed, rules, workers))
        derive(Batch(*nothing, fresh), texts, warehouse, rules, summary, stage)


def run_ingest(
    requests: Sequence[Request],
    settings: Settings,
    run_id: str,
    *,
    stage: Stage = direct,
    flow_name: str = "ingest",
    recorded_url: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> RunSummary:
    """Ingest every request, batch by batch, each batch one atomic commit.

    Documents that an interrupted run landed are worked off first.

    Raises:
        UnechoError: the run failed; what was published before stays, a retry is safe.
    """
    names = [r.source_id or ", ".join(r.specs) for r in requests]

    def work(warehouse: Warehouse, summary: RunSummary) -> None:
        rules = rules_in(warehouse, settings)
        for pending in warehouse.pending():
            summary.n_recovered_documents += pending.num_rows
            ingest_isolated(pending, warehouse, rules, summary, stage)
        with workers_of(settings.workers, warehouse.scratch) as workers:
            ahead = ReadAhead(rules, workers)
            for request in requests:
                for arrived in documents_of(
                    request, settings, warehouse, summary, on_progress, ahead
                ):
                    documents = stage(warehouse.land)(arrived.read, run_id, utc_now())
                    if arrived.is_once:
                        warehouse.settle()
                    tally.count_read(summary, arrived.read, documents)
                    inspection = ahead.inspection(documents, arrived)
                    ingest_isolated(documents, warehouse, rules, summary, stage, inspection)
            finish(warehouse, rules, summary, stage, workers)

    return recorded_run(
        work, settings, run_id, names, flow_name=flow_name, recorded_url=recorded_url
    )


def recorded_run(
    work: Callable[[Warehouse, RunSummary], None],
    settings: Settings,
    run_id: str,
    names: list[str],
    *,
    flow_name: str,
    recorded_url: str | None,
) -> RunSummary:
    """Do `work` under the writer lock, with a row in the run ledger that tells how it ended."""
    choose_engine(settings.engine)
    started, began = utc_now(), time.monotonic()
    summary = RunSummary(run_id=run_id, started_at=started, sources=names)
    with open_warehouse(
        settings.warehouse,
        lock_wait_seconds=settings.lock_wait_seconds,
        retention_days=settings.retention_days,
        n_query_threads=QUERY_THREADS,
    ) as warehouse:
        warehouse.begin_run(Run(run_id, flow_name, tuple(names), started, recorded_url))
        try:
            work(warehouse, summary)
        except BaseException:
            warehouse.end_run(run_id, "failed", summary.counts())
            raise
        summary.elapsed_seconds = time.monotonic() - began
        warehouse.ask_in_all_cores()
        tally.totals(summary, warehouse)
        warehouse.end_run(run_id, "completed", summary.counts())
    return summary


def ingest_isolated(
    documents: pa.Table,
    warehouse: Warehouse,
    rules: Rules,
    summary: RunSummary,
    stage: Stage,
    inspection: Inspection | None = None,
) -> None:
    """Ingest a batch; when a stage fails on it, find the document at fault and quarantine it.

    A fault of ours must not keep the rest of a batch, or every later run, from being taken: the
    batch is halved until the faulty document stands alone. A stage that fails on document after
    document is broken altogether: then the run fails, and what was landed waits for the next.
    """
    if not documents.num_rows:
        return
    try:
        ingest_batch(documents, warehouse, rules, summary, stage, inspection)
    except (UnechoError, OSError, MemoryError):
        raise
    except Exception as error:
        if summary.quarantined["fault"] >= MAX_FAULTS:
            raise
        if documents.num_rows == 1 and inspection is None:
            change = fault_of(documents, error, summary.run_id, utc_now())
            warehouse.publish(change, summary.run_id, utc_now())
            tally.count_fault(summary, documents)
            return
        half = documents.num_rows // 2
        # Only the last part names the landed file: until it is in, a crash leaves all pending.
        ingest_isolated(without_landing(documents.slice(0, half)), warehouse, rules, summary, stage)
        ingest_isolated(documents.slice(half), warehouse, rules, summary, stage)


def utc_now() -> datetime:
    """Return the time now, naive, in UTC: the form in which the warehouse stores times."""
    return datetime.now(UTC).replace(tzinfo=None)
