"""Whole ingests of generated articles as processes of their own, with their memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.corpus import write_corpus

ROOT = Path(__file__).parents[2]
N_HISTORY = int(os.environ.get("BENCH_HISTORY", "1000000"))
"""Articles of the large warehouse that several sections measure."""

_LOOK_SECONDS = 0.25
_ARTICLES_A_PART = 100_000
_MOST_A_RUN = 1_000_000
"""A longer history comes in several runs, each corpus deleted before the next is made."""
_SCRATCH = "BENCH_SCRATCH"


@dataclass(frozen=True)
class Ingested:
    """What one ingest cost."""

    told: dict[str, Any]
    """What `timed_ingest` prints."""
    wall_seconds: float
    """Of the whole process, its start included."""
    peak_bytes: int
    """The largest sum over its processes of memory of their own and their part of what they share
    (the proportional set size of the system's account): mapped files count while they are in."""

    @property
    def articles_per_second(self) -> float:
        """Documents of the run by its wall time, without the start of Python."""
        return float(self.told["n_documents"] / self.told["wall"])

    @property
    def cpu_seconds(self) -> float:
        """Of the run and its workers."""
        return float(self.told["cpu"] + self.told["cpu_workers"])


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder for corpora and warehouses: BENCH_SCRATCH (kept), else a temporary one.

    Whoever asks within it is given the same: sections share corpora and the large warehouse.
    """
    named = os.environ.get(_SCRATCH)
    if named:
        Path(named).mkdir(parents=True, exist_ok=True)
        yield Path(named)
        return
    with tempfile.TemporaryDirectory(prefix="unecho-bench-") as folder:
        os.environ[_SCRATCH] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ[_SCRATCH]


def corpus(folder: Path, n_articles: int, name: str = "", **how: int) -> Path:
    """Return a generated corpus, made where it is missing."""
    path = folder / f"corpus-{n_articles}{name}.jsonl"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        write_corpus(unfinished, n_articles, **how)
        unfinished.rename(path)
    return path


def large_corpus(folder: Path, first: int, n_articles: int) -> Path:
    """Return a folder of files of 100,000 generated articles, each of its own seed."""
    path = folder / f"corpus-{first}-{n_articles}"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(_write_part, *zip(*_parts(unfinished, first, n_articles), strict=True)))
        unfinished.rename(path)
    return path


def _parts(folder: Path, start: int, n_articles: int) -> Iterator[tuple[Path, int, int]]:
    end = start + n_articles
    for first in range(start, end, _ARTICLES_A_PART):
        yield folder / f"{first:09d}.jsonl", min(_ARTICLES_A_PART, end - first), first


def _write_part(path: Path, n_articles: int, first: int) -> None:
    write_corpus(path, n_articles, seed=1 + first // _ARTICLES_A_PART, first=first)


def history(folder: Path) -> tuple[Path, Ingested]:
    """Return the warehouse of N_HISTORY articles and what its ingest cost, made where missing."""
    warehouse, told = folder / f"history-{N_HISTORY}", folder / f"history-{N_HISTORY}.json"
    if not told.exists():
        fresh(warehouse)
        costs = []
        for first in range(0, N_HISTORY, _MOST_A_RUN):
            source = large_corpus(folder, first, min(_MOST_A_RUN, N_HISTORY - first))
            costs.append(ingest(source, warehouse))
            shutil.rmtree(source)
        cost = together(costs)
        told.write_text(json.dumps(asdict(cost)), encoding="utf-8")
    return warehouse, Ingested(**json.loads(told.read_text(encoding="utf-8")))


def together(costs: Sequence[Ingested]) -> Ingested:
    """Return what several ingests, one after the other, cost in all; stages are left out."""
    if len(costs) == 1:
        return costs[0]
    names = ("n_documents", "wall", "cpu", "cpu_workers")
    told = {name: sum(cost.told[name] for cost in costs) for name in names}
    wall_seconds = sum(cost.wall_seconds for cost in costs)
    return Ingested(told, wall_seconds, max(cost.peak_bytes for cost in costs))


def ingest(path: Path, warehouse: Path, workers: int | None = None) -> Ingested:
    """Run an ingest to its end and return what it cost."""
    command = [sys.executable, "-m", "tests.bench.timed_ingest", str(path), str(warehouse)]
    command += ["--workers", str(workers)] if workers else []
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        memory = _Memory(process.pid)
        output, _ = process.communicate()
        memory.stop()
    if process.returncode:
        raise RuntimeError(f"the ingest of {path.name} ended with {process.returncode}")
    return Ingested(json.loads(output), time.perf_counter() - began, memory.peak)


def fresh(warehouse: Path) -> Path:
    """Return the path of a warehouse after deleting what is there."""
    shutil.rmtree(warehouse, ignore_errors=True)
    return warehouse


class _Memory:
    """Looks at the memory of a process and all that it started, until it is stopped."""

    def __init__(self, process: int) -> None:
        self.peak = 0
        self._process = process
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            self.peak = max(self.peak, sum(map(_proportional, _family(self._process))))


def _family(process: int) -> list[int]:
    """Return a process and its descendants."""
    found, at = [process], 0
    while at < len(found):
        for tasks in Path(f"/proc/{found[at]}/task").glob("*/children"):
            try:
                found += map(int, tasks.read_text().split())
            except OSError:
                continue
        at += 1
    return found


def _proportional(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)
