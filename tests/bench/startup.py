"""What a short command costs from the shell: whole processes, medians, against their targets.

    python -m tests.bench.startup --repeats 5

The recorded ingests run against a Prefect server that the bench starts on loopback and ends; the
last ones start their own. CPU seconds are those of the command and of what it started. Python may
keep what it compiles, as it does unless the environment forbids it (`make setup` compiles ours).
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flows.server import HOST, announced, local_server
from pipeline.settings import Settings
from tests.bench.corpus import write_corpus

N_ARTICLES = 20
LEAST_REPEATS = 5
TARGET_SECONDS = {
    "help": 0.3,
    "sql": 0.6,
    "ingest direct": 1.5,
    "ingest recorded": 4.0,
    "ingest starts a server": 15.0,
}


_NOT_OURS = ("PREFECT_", "UNECHO_", "PYTHONDONTWRITEBYTECODE")


class Cost(NamedTuple):
    """What one command took, medians in seconds."""

    wall: float
    cpu: float


def measure(repeats: int = LEAST_REPEATS) -> dict[str, dict[str, float]]:
    """Return wall and CPU seconds and the target of each command, medians of `repeats` processes.

    Each ingest takes in a file of N_ARTICLES new articles.
    """
    with tempfile.TemporaryDirectory(prefix="unecho-startup-") as folder:
        costs = measured_in(Path(folder), repeats)
    return {
        name: {"wall_seconds": cost.wall, "cpu_seconds": cost.cpu, "target_seconds": target}
        for (name, target), cost in zip(TARGET_SECONDS.items(), costs, strict=True)
    }


def measured_in(folder: Path, repeats: int) -> list[Cost]:
    """Return the costs in the order of TARGET_SECONDS; the first process of each warms the disk."""
    files = [folder / f"{n}.jsonl" for n in range(3 * (repeats + 1))]
    for number, file in enumerate(files):
        write_corpus(file, N_ARTICLES, seed=number, first=number * N_ARTICLES)
    root = folder / "warehouse"
    direct, recorded, starting = (files[n::3] for n in range(3))
    ingest = ["--warehouse", str(root), "ingest"]
    costs = [median_of([["--help"]] * (repeats + 1))]
    taken = median_of([[*ingest, "--direct", str(f)] for f in direct])
    asked = median_of([["--warehouse", str(root), "sql", "select 1"]] * (repeats + 1))
    costs += [asked, taken]
    settings = Settings(warehouse=root)
    port = free_port()
    with local_server(settings, port), announced(root, port):
        costs.append(median_of([[*ingest, str(f)] for f in recorded]))
    return [*costs, median_of([[*ingest, "--prefect", str(f)] for f in starting])]


def median_of(commands: Sequence[Sequence[str]]) -> Cost:
    """Return the median cost of the commands but the first, which is not counted."""
    costs = [cost_of(arguments) for arguments in commands][1:]
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs))


def cost_of(arguments: Sequence[str]) -> Cost:
    """Run unecho with the arguments as a process of its own and return what it took.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={k: v for k, v in os.environ.items() if not k.startswith(_NOT_OURS)},
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=LEAST_REPEATS)
    found = measure(max(LEAST_REPEATS, parser.parse_args().repeats))
    sys.stdout.write(f"{'command':24}{'wall s':>8}{'CPU s':>8}{'target s':>10}\n")
    for name, cost in found.items():
        cells = cost["wall_seconds"], cost["cpu_seconds"], cost["target_seconds"]
        sys.stdout.write(f"{name:24}{cells[0]:8.2f}{cells[1]:8.2f}{cells[2]:10.1f}\n")


if __name__ == "__main__":
    main()
