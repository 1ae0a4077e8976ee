"""What the scripts of the peers share: candidate pairs to clusters, the file of labels, the start.

Written for speed, so that no peer is charged for slow glue: sorted bands and label propagation in
numpy, which no peer's own index beats.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SOURCE, TARGET, THRESHOLD = sys.argv[1], sys.argv[2], float(sys.argv[3])
N_SLOTS, BANDS, ROWS = 128, 16, 8
SHINGLE_WORDS = 3


def started() -> None:
    """Note the CPU seconds up to here: everything is imported, nothing is read."""
    Path(f"{TARGET}.start").write_text(str(time.process_time()))


def texts() -> list[str]:
    return pq.read_table(SOURCE, columns=["text"])["text"].to_pylist()


def shingles(text: str) -> set[str]:
    """The word 3-grams of a text, as a user of a library that takes tokens makes them."""
    words = text.split()
    return set(map(" ".join, zip(words, words[1:], words[2:], strict=False))) or {text}


def write(labels: np.ndarray) -> None:
    """Write the labels and leave."""
    pq.write_table(pa.table({"cluster_id": np.asarray(labels)}), TARGET)
    leave()


def leave() -> None:
    """End the process as our command line does: nobody pays for taking apart what was loaded."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(0)


def components(n: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The smallest member of each node's component."""
    parents = np.arange(n)
    while left.size:
        left, right = parents[left], parents[right]
        differ = left != right
        left, right = left[differ], right[differ]
        np.minimum.at(parents, np.maximum(left, right), np.minimum(left, right))
        while not np.array_equal(above := parents[parents], parents):
            parents = above
    return parents


def clusters_of_signatures(signatures: np.ndarray) -> np.ndarray:
    """Clusters of a signature matrix uint32 [n, 128]: equal bands, then the estimated Jaccard.

    Every member of a bucket is compared with the bucket's first.
    """
    n = len(signatures)
    found = []
    for band in range(BANDS):
        hashed = np.zeros(n, np.uint64)
        for row in range(ROWS):
            hashed = (hashed ^ signatures[:, band * ROWS + row]) * np.uint64(0x9E3779B97F4A7C15)
            hashed ^= hashed >> np.uint64(31)
        order = np.argsort(hashed, kind="stable")
        hashed = hashed[order]
        is_first = np.append(True, hashed[1:] != hashed[:-1])
        first = order[np.flatnonzero(is_first)[np.cumsum(is_first) - 1]]
        found.append(np.stack((first[~is_first], order[~is_first])))
    left, right = np.unique(np.concatenate(found, axis=1), axis=1)
    agree = np.concatenate(
        [
            (signatures[left[i : i + 50_000]] == signatures[right[i : i + 50_000]]).mean(axis=1)
            for i in range(0, left.size, 50_000)
        ]
        or [np.empty(0)]
    )
    near = agree >= THRESHOLD
    return components(n, left[near], right[near])


def clusters_of_lists(n: int, lists: list[tuple[int, list[int]]]) -> np.ndarray:
    """Clusters of what an index answers: articles, each with the numbers it found."""
    left = [i for i, found in lists for _ in found]
    right = [j for _, found in lists for j in found]
    return components(n, np.array(left, np.int64), np.array(right, np.int64))
