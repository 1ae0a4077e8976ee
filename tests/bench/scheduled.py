"""A scheduled run: some hundred new articles against a long history, whole process."""

from __future__ import annotations

import statistics
import time
from typing import Any

from tests.bench.corpus import N_CHARACTERS
from tests.bench.ingests import N_HISTORY, corpus, history, ingest, scratch

N_NEW = 500
ROUNDS = 5
DEDUPLICATION = (
    *("learn", "search", "verify", "find_spans", "derive_stories"),
    *("find_sightings", "find_shared", "compare_revisions"),
)


def measure() -> dict[str, Any]:
    """Return a section of RESULTS.md; the history is made once and grows by each run."""
    with scratch() as folder:
        warehouse, _ = history(folder)
        # A history that is kept must not know the articles from an earlier measurement.
        runs, since = [], int(time.time())
        for n in range(ROUNDS + 1):
            first = N_HISTORY + since % 100_000_000 + n * N_NEW
            path = corpus(folder, N_NEW, f"-new-{n}", seed=since + n, first=first)
            runs.append(ingest(path, warehouse))
            path.unlink()
    runs = runs[1:]  # the first reads the files of the history into memory
    median = statistics.median
    stages = {
        name: median(run.told["stages"].get(name, (0.0, 0.0))[0] for run in runs)
        for name in {name for run in runs for name in run.told["stages"]}
    }
    rows = [["whole process", f"{median(run.wall_seconds for run in runs):.2f}"]]
    rows.append(["deduplication", f"{sum(stages.get(name, 0.0) for name in DEDUPLICATION):.2f}"])
    ordered = sorted(stages, key=lambda name: -stages[name])
    rows += [[f"`{name}`", f"{stages[name]:.2f}"] for name in ordered if stages[name] >= 0.01]
    return {
        "title": f"{N_NEW} new articles against {N_HISTORY:,} of {N_CHARACTERS:,} characters",
        "columns": ["what", "wall seconds"],
        "rows": rows,
        "notes": [
            f"Medians of {ROUNDS} runs; peak {max(r.peak_bytes for r in runs) / 1e9:.2f} GB."
            " The bar at a million is 5 s, of which deduplication 1 s; at five million 8 s."
            f" `deduplication` is the sum of {', '.join(DEDUPLICATION)}."
        ],
    }
