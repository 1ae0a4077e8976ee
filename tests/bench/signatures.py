"""Signatures of this project's two engines against datasketch's own, on the same shingles.

    python -m tests.bench.signatures

Ours are measured from keys in Arrow to signatures, shingling included; datasketch's with the
shingles given as bytes and with its own hash, which is its fastest: both choices favour it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pyarrow as pa
from datasketch import MinHash

from pipeline.dedup.signatures import Recipe, sign_array
from pipeline.text.engine import Engine, choose_engine, chosen_engine
from pipeline.text.normalise import key_array
from pipeline.text.shingles import STORY, shingles
from tests.bench.corpus import articles

N_REPEATS = 5
N_ARTICLES = 2_000
N_FOR_BULK, N_FOR_UPDATE = 40, 4
"""datasketch needs 1 ms and 10 ms an article."""

Measured = dict[str, float]


def measure(n_articles: int = N_ARTICLES) -> Measured:
    """Return nanoseconds of CPU per shingle, and the ratios to datasketch, medians of repeats.

    `threads_1` and `threads_2` are articles a second of wall time, by so many threads.
    """
    keys = key_array(pa.array([a["text"] for a in articles(n_articles)], pa.large_string()))
    few = keys.slice(0, N_FOR_BULK).to_pylist()
    sets = [[shingle.encode() for shingle in shingles(key, STORY)] for key in few]
    found = {
        "update": _nanoseconds(lambda: _update(sets[:N_FOR_UPDATE]), sets[:N_FOR_UPDATE]),
        "bulk": _nanoseconds(lambda: MinHash.bulk(sets, num_perm=128), sets),
    }
    n_shingles = sum(len(shingles(key, STORY)) for key in keys.to_pylist())
    before = chosen_engine()
    for engine in _engines():
        choose_engine(engine)
        sign_array(keys, Recipe())  # loads the kernel, fills the tables
        found[engine] = _median(lambda: sign_array(keys, Recipe())) / n_shingles * 1e9
        for peer in ("update", "bulk"):
            found[f"{engine}_times_{peer}"] = found[peer] / found[engine]
    for n_threads in (1, 2) if "compiled" in found else ():
        seconds = _median(lambda n=n_threads: _in_threads(keys, n), time.perf_counter)
        found[f"threads_{n_threads}"] = len(keys) / seconds
    choose_engine(before)
    return found


def _engines() -> list[Engine]:
    return ["numpy", "compiled"] if find_spec("numba") else ["numpy"]


def _update(sets: list[list[bytes]]) -> None:
    for own in sets:
        minhash = MinHash(num_perm=128)
        for shingle in own:
            minhash.update(shingle)


def _in_threads(keys: pa.LargeStringArray, n_threads: int) -> None:
    size = -(-len(keys) // (8 * n_threads))
    slices = [keys.slice(start, size) for start in range(0, len(keys), size)]
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(lambda part: sign_array(part, Recipe()), slices))


def _nanoseconds(call: Callable[[], object], sets: list[list[bytes]]) -> float:
    """Return the median CPU time of a call per shingle."""
    return _median(call) / sum(map(len, sets)) * 1e9


def _median(call: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    seconds = []
    for _ in range(N_REPEATS):
        start = clock()
        call()
        seconds.append(clock() - start)
    return statistics.median(seconds)


def main() -> None:
    """Print the measurements as a table."""
    found = measure()
    print(f"{'':10} {'ns/shingle':>11} {'× update':>9} {'× bulk':>8}")  # noqa: T201
    for name in ("update", "bulk", "numpy", "compiled"):
        if name in found:
            ratios = [found.get(f"{name}_times_{peer}", 0.0) for peer in ("update", "bulk")]
            print(f"{name:10} {found[name]:11.2f} {ratios[0]:9.0f} {ratios[1]:8.1f}")  # noqa: T201
    for name in ("threads_1", "threads_2"):
        if name in found:
            print(f"{name:10} {found[name]:11,.0f} articles/s")  # noqa: T201


if __name__ == "__main__":
    main()
