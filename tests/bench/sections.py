"""The sections of RESULTS.md beside that of the peers, each as a table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tests.bench import corpus
from tests.bench.peer_rounds import CORPORA, ROOT, say
from tests.bench.results import Section

ORDER = (
    *("end_to_end", "pages", "peers", "signatures", "scheduled", "growth", "queries", "startup"),
)


def measured(name: str, n_articles: int) -> Section:
    """Return a section: of an adapter below, or what the module of its name measures."""
    adapters: dict[str, Callable[[int], Section]] = {
        "signatures": signatures,
        "queries": queries,
        "startup": startup,
    }
    if name in adapters:
        return adapters[name](n_articles)
    module = f"tests.bench.{name}"
    if find_spec(module) is None:
        return {"title": name.replace("_", " "), "columns": ["not measured yet"], "rows": []}
    section: Section = import_module(module).measure()
    return section


def signatures(n_articles: int) -> Section:
    """Return the times of signing, by engine, beside datasketch's."""
    from tests.bench.signatures import N_ARTICLES, measure

    found = measure()
    rows = [
        [name, f"{found[name]:.2f}", *(times(found, name, peer) for peer in ("update", "bulk"))]
        for name in ("update", "bulk", "numpy", "compiled")
        if name in found
    ]
    threads = [
        f"{name[-1]} thread{'s' * (name[-1] != '1')}: {found[name]:,.0f} articles/s of wall time"
        for name in ("threads_1", "threads_2")
        if name in found
    ]
    return {
        "title": "Signatures: this project's engines against datasketch",
        "columns": ["engine", "ns of CPU a shingle", "× `update()`", "× `bulk()`"],
        "rows": rows,
        "notes": [
            f"{N_ARTICLES:,} articles. Ours from keys to signatures, shingling included;"
            " datasketch's (`update`, `bulk`) with its shingles given as bytes.",
            *threads,
        ],
    }


def times(found: dict[str, float], name: str, peer: str) -> str:
    """Return how many times as fast an engine of ours is."""
    ratio = found.get(f"{name}_times_{peer}")
    return "" if ratio is None else f"{ratio:,.0f}"


def queries(n_articles: int) -> Section:
    """Return the times of queries, on a warehouse of so many generated articles."""
    from tests.bench.queries import LIMITS_MS, compacted, measure

    warehouse = warehouse_of(n_articles)
    loose, sorted_ = measure(warehouse), measure(compacted(warehouse))
    rows = [
        [
            name,
            *(f"{ms:.1f}" for found in (loose, sorted_) for ms in found[name]),
            f"{LIMITS_MS[name]:.0f}" if name in LIMITS_MS else "",
        ]
        for name in loose
    ]
    return {
        "title": f"Queries on {n_articles:,} articles",
        "columns": [
            *("query", "after the ingest: first, ms", "median, ms"),
            *("compacted: first, ms", "median, ms", "limit at a million, ms"),
        ],
        "rows": rows,
        "notes": ["One session; the first asking opens files. The first four are everyday's."],
    }


def warehouse_of(n_articles: int) -> Path:
    """Return a warehouse of the generated corpus, made where missing."""
    warehouse, file = CORPORA / f"warehouse-{n_articles}", CORPORA / f"{n_articles}.jsonl"
    if not warehouse.exists():
        CORPORA.mkdir(exist_ok=True)
        say(f"warehouse of {n_articles:,} articles")
        corpus.write_corpus(file, n_articles)
        unfinished = warehouse.with_suffix(".part")
        ingest = ["--warehouse", str(unfinished), "ingest", "--direct", str(file)]
        subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *ingest],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        unfinished.rename(warehouse)
        file.unlink()
    return warehouse


def startup(n_articles: int) -> Section:
    """Return what short commands cost from the shell."""
    from tests.bench.startup import LEAST_REPEATS, N_ARTICLES, measure

    found = measure()
    rows = [
        [name, *(f"{cost[f'{of}_seconds']:.2f}" for of in ("wall", "cpu", "target"))]
        for name, cost in found.items()
    ]
    return {
        "title": "Short commands, whole processes",
        "columns": ["command", "wall s", "CPU s", "target, wall s"],
        "rows": rows,
        "notes": [
            f"Medians of {LEAST_REPEATS} processes; an ingest takes in {N_ARTICLES} new articles."
        ],
    }
