"""A whole ingest of generated JSONL: articles a second, memory, and where each second goes."""

from __future__ import annotations

import os
import statistics
from typing import Any

from tests.bench.ingests import Ingested, corpus, fresh, ingest, scratch

N_ARTICLES = int(os.environ.get("BENCH_INGEST_ARTICLES", "100000"))
N_ALONE = int(os.environ.get("BENCH_INGEST_ALONE", "20000"))
ROUNDS = int(os.environ.get("BENCH_INGEST_ROUNDS", "5"))


def measure() -> dict[str, Any]:
    """Return a section of RESULTS.md."""
    with scratch() as folder:
        path = corpus(folder, N_ARTICLES)
        runs = [ingest(path, fresh(folder / "ingested")) for _ in range(ROUNDS)]
        alone = ingest(corpus(folder, N_ALONE), fresh(folder / "alone"), workers=1)
        fresh(folder / "ingested")
        fresh(folder / "alone")
    rate = statistics.median(run.articles_per_second for run in runs)
    cpu = statistics.median(run.cpu_seconds for run in runs) / N_ARTICLES * 1e6
    peak = statistics.median(run.peak_bytes for run in runs) / 1e9
    middle = sorted(runs, key=lambda run: run.articles_per_second)[len(runs) // 2]
    return {
        "title": f"Whole ingest of {N_ARTICLES:,} articles of 1,500 characters",
        "columns": [
            "stage",
            "wall seconds, all cores",
            "CPU of the flow's process, µs an article",
            f"alone: CPU, µs an article of {N_ALONE:,}",
        ],
        "rows": _rows(middle, alone),
        "notes": [
            f"{rate:,.0f} articles/s, {cpu:,.0f} µs of CPU an article in all processes, peak"
            f" {peak:.2f} GB (proportional set size of all processes); medians of {ROUNDS} runs."
            " The bar is 6,000 articles/s and 1.5 GB.",
            "`alone` is a run without workers (`workers = 1`): there the stages that workers do"
            " are seen one by one; the loading of kernels is in them.",
        ],
    }


def _rows(whole: Ingested, alone: Ingested) -> list[list[str]]:
    names = {*whole.told["stages"], *alone.told["stages"]}

    def seconds(run: Ingested, name: str, which: int) -> float:
        return float(run.told["stages"].get(name, (0.0, 0.0))[which])

    ordered = sorted(names, key=lambda n: (-seconds(whole, n, 0), -seconds(alone, n, 1)))
    rows = []
    for name in ordered:
        rows.append(
            [
                f"`{name}`",
                f"{seconds(whole, name, 0):.2f}",
                f"{seconds(whole, name, 1) / whole.told['n_documents'] * 1e6:.0f}",
                f"{seconds(alone, name, 1) / alone.told['n_documents'] * 1e6:.0f}",
            ]
        )
    stages = [sum(s[i] for s in whole.told["stages"].values()) for i in (0, 1)]
    rest = (whole.told["wall"] - stages[0], whole.told["cpu"] - stages[1])
    left = alone.told["cpu"] - sum(s[1] for s in alone.told["stages"].values())
    n_whole, n_alone = whole.told["n_documents"], alone.told["n_documents"]
    rows.append(
        [
            "outside of stages",
            f"{rest[0]:.2f}",
            f"{rest[1] / n_whole * 1e6:.0f}",
            f"{left / n_alone * 1e6:.0f}",
        ]
    )
    workers = whole.told["cpu_workers"] / n_whole * 1e6
    rows.append(["workers, all stages", "", f"{workers:.0f}", ""])
    return rows
