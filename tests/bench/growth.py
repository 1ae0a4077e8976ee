"""Growth: articles a second of ingests of different sizes, and of a template filled in."""

from __future__ import annotations

import math
import os
from typing import Any

from tests.bench.ingests import corpus, fresh, ingest, scratch

SIZES = tuple(map(int, os.environ.get("BENCH_GROWTH", "20000,100000").split(",")))
N_TEMPLATE = int(os.environ.get("BENCH_TEMPLATE", "20000"))


def measure() -> dict[str, Any]:
    """Return a section of RESULTS.md."""
    rows, cpu = [], []
    with scratch() as folder:
        for size in SIZES:
            run = ingest(corpus(folder, size), fresh(folder / "growth"))
            cpu.append(run.cpu_seconds)
            rows.append(_row(f"{size:,}", run))
        template = corpus(folder, N_TEMPLATE, "-template", n_template=N_TEMPLATE)
        rows.append(
            _row(f"{N_TEMPLATE:,}, one template", ingest(template, fresh(folder / "growth")))
        )
        fresh(folder / "growth")
    exponent = math.log(cpu[-1] / cpu[0]) / math.log(SIZES[-1] / SIZES[0])
    return {
        "title": "Growth",
        "columns": ["articles", "articles/s", "CPU seconds", "µs of CPU an article", "peak GB"],
        "rows": rows,
        "notes": [
            f"CPU seconds grow with the number of articles to the power {exponent:.2f} (first to"
            " last size; the start of the workers is in all). The bar is 1.05, also for a bucket"
            " of 100,000 articles of one template."
        ],
    }


def _row(name: str, run: Any) -> list[str]:
    return [
        name,
        f"{run.articles_per_second:,.0f}",
        f"{run.cpu_seconds:.1f}",
        f"{run.cpu_seconds / run.told['n_documents'] * 1e6:.0f}",
        f"{run.peak_bytes / 1e9:.2f}",
    ]
