"""Growth: articles a second of ingests of different sizes, and of a template filled in.

The largest size is that of the warehouse that other sections ask (`ingests.history`).
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.ingests import N_HISTORY, Ingested, corpus, fresh, history, ingest, scratch

SIZES = tuple(map(int, os.environ.get("BENCH_GROWTH", "20000,100000").split(",")))
N_TEMPLATE = int(os.environ.get("BENCH_TEMPLATE", "100000"))
ROUNDS = 3
"""Of the sizes below the largest, of which one ingest takes minutes."""


def measure() -> dict[str, Any]:
    """Return a section of RESULTS.md."""
    with scratch() as folder:
        runs = {size: _middle(corpus(folder, size), folder / "growth") for size in SIZES}
        of_template = {size: _template(folder, size) for size in (N_TEMPLATE // 10, N_TEMPLATE)}
        runs[N_HISTORY] = history(folder)[1]
    cpu, wall = (
        _exponent(list(runs), [seconds(run) for run in runs.values()])
        for seconds in (lambda run: run.cpu_seconds, lambda run: run.told["wall"])
    )
    template = _exponent(list(of_template), [run.cpu_seconds for run in of_template.values()])
    ratio = of_template[N_TEMPLATE].cpu_seconds / N_TEMPLATE / runs[SIZES[-1]].cpu_seconds
    rows = [_row(f"{size:,}", run) for size, run in runs.items()]
    rows += [_row(f"{size:,}, one template", run) for size, run in of_template.items()]
    return {
        "title": "Growth",
        "columns": ["articles", "articles/s", "CPU seconds", "µs of CPU an article", "peak GB"],
        "rows": rows,
        "notes": [
            f"CPU seconds grow with the number of articles to the power {cpu:.3f}, wall seconds to"
            f" {wall:.3f} (line through the logarithms of all sizes; the start of the workers is in"
            " all). The bar is 1.05.",
            f"Articles that are all one template: to the power {template:.3f}; each of"
            f" {N_TEMPLATE:,} takes {ratio * SIZES[-1]:.2f} times the CPU of one of {SIZES[-1]:,}"
            " others.",
            f"Middle runs of {ROUNDS} by CPU seconds; one run of {N_HISTORY:,} and of templates."
            " Peak is the proportional set size of all processes.",
        ],
    }


def _template(folder: Path, n_articles: int) -> Ingested:
    source = corpus(folder, n_articles, "-template", n_template=n_articles)
    run = _middle(source, folder / "growth", rounds=1)
    fresh(folder / "growth")
    return run


def _middle(source: Path, warehouse: Path, rounds: int = ROUNDS) -> Ingested:
    """Return the run of median CPU seconds."""
    runs = [ingest(source, fresh(warehouse)) for _ in range(rounds)]
    middle = statistics.median_low(run.cpu_seconds for run in runs)
    return next(run for run in runs if run.cpu_seconds == middle)


def _exponent(sizes: list[int], seconds: list[float]) -> float:
    """Return the slope of the line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _row(name: str, run: Ingested) -> list[str]:
    return [
        name,
        f"{run.articles_per_second:,.0f}",
        f"{run.cpu_seconds:.1f}",
        f"{run.cpu_seconds / run.told['n_documents'] * 1e6:.0f}",
        f"{run.peak_bytes / 1e9:.2f}",
    ]
