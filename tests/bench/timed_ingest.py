"""One ingest, timed from within: `python -m tests.bench.timed_ingest FILE WAREHOUSE [--workers N]`.

Prints JSON: documents, seconds of the run and of each stage (wall, and CPU of this process), CPU of
this process and of its workers.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from pipeline.cli import start_light


class Stages:
    """Times the stages of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def stage(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def timed(*arguments: Any, **named: Any) -> Any:
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                spent = self.seconds[function.__name__]
                spent[0] += time.perf_counter() - wall
                spent[1] += time.process_time() - cpu

        return timed


def main() -> None:
    """Ingest what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path")
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--workers", type=int)
    arguments = parser.parse_args()
    start_light()  # as the command line does, before Arrow and numpy are loaded
    from flows.ingest import run_ingest
    from flows.intake import Request
    from pipeline.settings import Settings

    settings = Settings(warehouse=arguments.warehouse, workers=arguments.workers)
    stages = Stages()
    wall, cpu = time.perf_counter(), time.process_time()
    summary = run_ingest(
        [Request(specs=(arguments.path,))], settings, str(uuid4()), stage=stages.stage
    )
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "n_documents": summary.n_documents,
        "n_articles": summary.n_articles,
        "n_edges": summary.n_edges,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "cpu_workers": workers.ru_utime + workers.ru_stime,
        "stages": stages.seconds,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
