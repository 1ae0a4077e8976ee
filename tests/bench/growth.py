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
        template = corpus(folder, N_TEMPLATE, "-template", n_template=N_TEMPLATE)
        filled_in = _middle(template, folder / "growth", rounds=1)
        fresh(folder / "growth")
        runs[N_HISTORY] = history(folder)[1]
    cpu, wall = (
        _exponent(list(runs), [seconds(run) for run in runs.values()])
        for seconds in (lambda run: run.cpu_seconds, lambda run: run.told["wall"])
    )
    # On the line of the sizes at the template's number.
    ratio = filled_in.cpu_seconds / N_TEMPLATE / (runs[SIZES[-1]].cpu_seconds / SIZES[-1])
    rows = [_row(f"{size:,}", run) for size, run in runs.items()]
    return {
        "title": "Growth",
        "columns": ["articles", "articles/s", "CPU seconds", "µs of CPU an article", "peak GB"],
        "rows": [*rows, _row(f"{N_TEMPLATE:,}, one template", filled_in)],
        "notes": [
            f"CPU seconds grow with the number of articles to the power {cpu:.3f}, wall seconds to"
            f" {wall:.3f} (line through the logarithms of all sizes; the start of the workers is in"
            " all). The bar is 1.05.",
            f"An article of the template bucket costs {ratio:.2f} times the CPU of one among"
            f" {SIZES[-1]:,} others.",
            f"Middle runs of {ROUNDS} by CPU seconds; one run of {N_HISTORY:,} and of the template."
            " Peak is the proportional set size of all processes.",
        ],
    }


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
