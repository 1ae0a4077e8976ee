"""Clusters of a corpus by this project and by other libraries, side by side in one run.

Every program reads the same Parquet file and writes a label for each article. The rounds are
interleaved, so that a slow minute of the machine meets all of them; medians count. Who needs long
has fewer rounds.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.bench import peer_corpus, truth
from tests.bench.peer_envs import PINS, installed, pins
from tests.bench.watched import Cost, Ended, run

ROOT = Path(__file__).parents[2]
CORPORA = Path(__file__).parent / ".corpora"

OURS = "unecho"
PEERS = {
    "daft": "daft",
    "gaoya": "gaoya",
    "rensa, index": "rensa",
    "rensa, streaming": "rensa",
    "datasketch": "datasketch",
    "datatrove": "datatrove",
    "text-dedup": "text-dedup",
}
"""The library behind each competitor."""
SCRIPTS = {"rensa, index": "with_rensa_lsh.py", "rensa, streaming": "with_rensa.py"}
THRESHOLDS = (0.7, 0.8)
NEVER_VERIFIES = ("datatrove",)

ROUNDS, SLOW_SECONDS = 5, 30.0
ROUNDS_OF_SLOW, ROUNDS_OF_LARGE = 1, 3
SLOW = ("datatrove", "text-dedup")
"""Who takes a minute at 20,000 articles, and five times as long at the size above."""
LARGE_WITHOUT = ("text-dedup",)
"""Who would take a third of the time of the large tables, and is 77 times slower at 20,000."""
ONCE_ENOUGH_SECONDS = 35.0
"""Who takes longer is not run a second time for the other threshold."""
N_LARGE = int(os.environ.get("BENCH_PEERS_LARGE", "100000"))
WARM_ARTICLES = 3_000
LIMIT_BYTES = 12 << 30
LIMIT_SECONDS_AN_ARTICLE, LEAST_LIMIT_SECONDS = 0.02, 300.0

COLUMNS = (
    "library",
    "CPU s",
    "of it start",
    "articles / CPU s",
    "without start",
    "ours ×",
    "without start ×",
    "wall s",
    "peak MB",
    "F1 J ≥ .7",
    "F1 J ≥ .8",
    "rounds",
)
NOTES = (
    "CPU seconds are user and system time of the whole process tree by `os.wait4`, the reading of"
    " Parquet and the writing of labels included. The start is what a process has used when all is"
    " imported and nothing is read; for unecho its compiled kernels are loaded then. All end"
    " without taking apart what they loaded, once the labels are written.",
    "`ours ×`: how many articles a CPU second unecho takes for one of theirs. The bar is 2 for"
    " daft, 6 for gaoya and rensa, 30 for datatrove and text-dedup, and F1 .99 for unecho.",
    f"Medians of so many rounds as the last column says: {' and '.join(SLOW)}, and who takes more"
    f" than {SLOW_SECONDS:.0f} s of wall time, have fewer; who takes more than"
    f" {ONCE_ENOUGH_SECONDS:.0f} s is not run for J ≥ .8. {' and '.join(LARGE_WITHOUT)} is not run"
    f" on {N_LARGE:,} articles.",
    "Peak MB is the largest single process of the tree (`ru_maxrss`).",
    "F1 is pairwise, against the components of all pairs at or above that exact Jaccard of word"
    " 3-grams (`tests/bench/truth.py`: no hash, no signature). Time is that of J ≥ .7.",
    "The texts are normalised beforehand; shingles are word 3-grams everywhere, 128 permutations;"
    " 16 bands of 8 rows for the peers, 32 of 4 for unecho, which verifies every edge exactly."
    " Guards of numbers and rules against chains are off.",
    "daft signs; bands, estimated Jaccard and components behind it are numpy of ours. datatrove is"
    " given words split at spaces in place of its spaCy tokeniser, and never verifies: its labels"
    " are the same for every threshold. text-dedup runs with its verification on, two processes.",
    "unecho, daft, gaoya, rensa, text-dedup use both cores as they see fit: the CPU counts, not"
    " the wall.",
)


@dataclass
class Runs:
    """What was measured of one competitor."""

    script: Path
    python: Path | None
    why_not: str
    costs: list[Cost] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    f1: dict[float, float] = field(default_factory=dict)

    def took(self, seconds: float) -> bool:
        """Return whether the first round took longer."""
        return bool(self.costs) and self.costs[0].wall_seconds > seconds


def measure(
    n_articles: int, rounds: int = ROUNDS, slow_rounds: int = ROUNDS_OF_SLOW
) -> Iterator[dict[str, object]]:
    """Yield the section after each corpus, with one more table: a table takes many minutes.

    Who takes long runs `slow_rounds` times, all others `rounds` times.
    """
    competitors = dict(competing())
    say(f"peers: {'; '.join(competitors)}")
    versions = [pins(library)[0] for library in sorted(set(PEERS.values()))]
    tables: list[dict[str, object]] = []
    for kind in peer_corpus.KINDS:
        tables.append(table_of(kind, n_articles, rounds, slow_rounds, competitors))
        yield section_of(tables, versions)
    if n_articles >= N_LARGE:
        return
    fewer = {name: of for name, of in competitors.items() if name not in LARGE_WITHOUT}
    for kind in peer_corpus.KINDS:
        tables.append(table_of(kind, N_LARGE, min(rounds, ROUNDS_OF_LARGE), slow_rounds, fewer))
        yield section_of(tables, versions)


def section_of(tables: list[dict[str, object]], versions: list[str]) -> dict[str, object]:
    """Return the section with the tables that are measured so far."""
    return {
        "title": "Clusters of a corpus, against other libraries",
        "tables": tables,
        "notes": [
            *NOTES,
            f"Versions: {', '.join(versions)} (`tests/bench/{PINS.name}/*.txt`).",
        ],
    }


def competing() -> Iterator[tuple[str, tuple[Path, Path | None, str]]]:
    """Yield each competitor with its script and interpreter; environments are made on the way."""
    yield OURS, (PINS / "unecho.py", Path(sys.executable), "")
    for name, library in PEERS.items():
        script = SCRIPTS.get(name, f"with_{library.replace('-', '_')}.py")
        say(f"environment of {library}")
        yield name, (PINS / script, *installed(library))


def table_of(
    kind: str,
    n_articles: int,
    rounds: int,
    slow_rounds: int,
    competitors: dict[str, tuple[Path, Path | None, str]],
) -> dict[str, object]:
    """Run all on one corpus, in rounds; return the table."""
    corpus, small = corpus_of(kind, n_articles), corpus_of(kind, WARM_ARTICLES)
    true = {least: truth.true_clusters(corpus, least) for least in THRESHOLDS}
    found = {name: Runs(*competitor) for name, competitor in competitors.items()}
    for name, runs in found.items():
        once(name, runs, small, THRESHOLDS[0])  # compiles and caches what a first run does
    for number in range(rounds):
        for name, runs in found.items():
            if number < slow_rounds or not (name in SLOW or runs.took(SLOW_SECONDS)):
                once(name, runs, corpus, THRESHOLDS[0], true)
    for name, runs in found.items():
        if not runs.took(ONCE_ENOUGH_SECONDS):
            once(name, runs, corpus, THRESHOLDS[1], true)
    texts_digest = peer_corpus.digest(corpus)
    return {
        "caption": f"{kind}, {n_articles:,} articles, {characters(corpus):,.0f} characters each,"
        f" digest {texts_digest}",
        "columns": list(COLUMNS),
        "rows": [row_of(name, runs, n_articles, found[OURS]) for name, runs in found.items()],
    }


def corpus_of(kind: str, n_articles: int) -> Path:
    """Return the file of a corpus, written where missing."""
    CORPORA.mkdir(exist_ok=True)
    path = CORPORA / f"{kind}-{n_articles}.parquet"
    if not path.exists():
        say(f"corpus {path.name}")
        peer_corpus.write(path, kind, n_articles)
    return path


def characters(corpus: Path) -> float:
    """Return the mean length of the texts."""
    return float(pc.mean(pc.utf8_length(pq.read_table(corpus, columns=["text"])["text"])).as_py())


def once(
    name: str,
    runs: Runs,
    corpus: Path,
    threshold: float,
    true: dict[float, np.ndarray] | None = None,
) -> None:
    """Run a competitor once and keep what it cost at the first threshold, and how well it did.

    Without `true` nothing is kept. Whoever fails does not run again.
    """
    if runs.python is None:
        return
    if true and name in NEVER_VERIFIES and threshold in runs.f1:
        return
    n_articles = pq.read_metadata(corpus).num_rows
    with tempfile.TemporaryDirectory(prefix="unecho-bench-") as folder:
        labels = Path(folder) / "labels.parquet"
        command = [runs.python, runs.script, corpus, labels, threshold]
        try:
            cost = run(
                list(map(str, command)),
                environment_of(name, Path(folder)),
                limit_seconds=max(LEAST_LIMIT_SECONDS, n_articles * LIMIT_SECONDS_AN_ARTICLE),
                limit_bytes=LIMIT_BYTES,
            )
        except Ended as ended:
            runs.python, runs.why_not = None, str(ended)
            say(f"{name}: {ended}")
            return
        if not true:
            return
        say(f"{name}, {corpus.stem}, {threshold}: {cost.cpu_seconds:.2f} CPU s")
        if threshold == THRESHOLDS[0]:
            runs.costs.append(cost)
            runs.starts.append(float(Path(f"{labels}.start").read_text()))
        compare = true if name in NEVER_VERIFIES else {threshold: true[threshold]}
        found = pq.read_table(labels)["cluster_id"].combine_chunks().dictionary_encode().indices
        for least, clusters in compare.items():
            runs.f1[least] = truth.scores(found.to_numpy(), clusters)[2]


def environment_of(name: str, folder: Path) -> dict[str, str]:
    """Return the environment of a competitor: nothing is sent anywhere, caches end with the run."""
    left = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    quiet = {"DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
    # Nobody multiplies matrices: threads of BLAS would start with numpy, and spin, for nothing.
    quiet["OPENBLAS_NUM_THREADS"] = "1"
    # Arrow keeps memory for a second before it gives it back: our command line says so, and who
    # else reads with Arrow gains as much.
    quiet["MIMALLOC_PURGE_DELAY"] = "1000"
    own = {"PYTHONPATH": str(ROOT)} if name == OURS else {}
    return {**left, **quiet, **own, "HF_HOME": str(folder / "hub"), "TMPDIR": str(folder)}


def row_of(name: str, runs: Runs, n_articles: int, ours: Runs) -> list[str]:
    """Return the cells of one competitor."""
    if not runs.costs:
        return [name, runs.why_not or "not run", *[""] * (len(COLUMNS) - 2)]
    cpu, start = median_cpu(runs)
    our_cpu, our_start = median_cpu(ours)
    cells = [
        f"{cpu:.2f}",
        f"{start:.2f}",
        f"{n_articles / cpu:,.0f}",
        f"{n_articles / (cpu - start):,.0f}",
        f"{cpu / our_cpu:.1f}",
        f"{(cpu - start) / (our_cpu - our_start):.1f}",
        f"{statistics.median(cost.wall_seconds for cost in runs.costs):.1f}",
        f"{statistics.median(cost.peak_rss_bytes for cost in runs.costs) / 1e6:,.0f}",
    ]
    f1 = [f"{runs.f1[least]:.4f}" if least in runs.f1 else "–" for least in THRESHOLDS]
    return [name, *cells, *f1, str(len(runs.costs))]


def median_cpu(runs: Runs) -> tuple[float, float]:
    """Return the medians of CPU seconds and of those up to the end of the start."""
    cpu = statistics.median(cost.cpu_seconds for cost in runs.costs)
    return cpu, statistics.median(runs.starts)


def say(line: str) -> None:
    """Tell on the terminal what is being done."""
    sys.stderr.write(f"bench {time.strftime('%H:%M:%S')}: {line}\n")
