"""The sections of RESULTS.md beside that of the peers, each as a table."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from tests.bench.ingests import N_HISTORY, fresh, history, scratch
from tests.bench.results import Section

ORDER = (
    *("end_to_end", "pages", "peers", "signatures", "growth", "queries", "scheduled", "startup"),
)
"""The large warehouse is made by `growth`, asked by `queries` and grown by `scheduled`."""


def measured(name: str) -> Section:
    """Return a section: of an adapter below, or what the module of its name measures."""
    adapters: dict[str, Callable[[], Section]] = {
        "signatures": signatures,
        "queries": queries,
        "startup": startup,
    }
    measure = adapters.get(name) or import_module(f"tests.bench.{name}").measure
    section: Section = measure()
    return section


def signatures() -> Section:
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
            " datasketch's (`update`, `bulk`) with its shingles given as bytes."
            " The bar is 200 × and 30 × for the compiled engine.",
            *threads,
        ],
    }


def times(found: dict[str, float], name: str, peer: str) -> str:
    """Return how many times as fast an engine of ours is."""
    ratio = found.get(f"{name}_times_{peer}")
    return "" if ratio is None else f"{ratio:,.0f}"


def queries() -> Section:
    """Return the times of queries on the large warehouse, and on a compacted copy of it."""
    from tests.bench.queries import LEAST_RUNS, LIMITS_MS, MOST_MS, compacted, measure

    with scratch() as folder:
        warehouse, _ = history(folder)
        loose, copy = measure(warehouse), compacted(warehouse)
        sorted_ = measure(copy)
        fresh(copy)
    rows = [
        [
            name,
            *(f"{ms:.1f}" for found in (loose, sorted_) for ms in found[name]),
            f"{LIMITS_MS[name]:.0f}" if name in LIMITS_MS else "",
        ]
        for name in loose
    ]
    return {
        "title": f"Queries on {N_HISTORY:,} articles",
        "columns": [
            *("query", "after the ingest: first, ms", "median, ms"),
            *("compacted: first, ms", "median, ms", "bar at a million, ms"),
        ],
        "rows": rows,
        "notes": [
            f"One session; the first asking opens files, medians are of {LEAST_RUNS} after it (of"
            f" fewer where all take more than {MOST_MS / 1000:.0f} s). The first five are"
            " everyday's."
        ],
    }


def startup() -> Section:
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
