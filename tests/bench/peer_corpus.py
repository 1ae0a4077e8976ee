"""The corpora of the comparison with other libraries: one normalised text an article, in Parquet.

All are given the same words, so the texts are normalised before anyone's clock runs: NFC, small
letters, everything but letters, marks and digits a space, single spaces.

`korean` is the generated news of `corpus`: copies with up to a fifth of the words exchanged, so
that the Jaccard of word 3-grams spreads from .34 to 1. `english` draws words by Zipf's law, so that
unrelated articles share shingles, and copies copies: words exchanged, paragraphs cut, added, moved.

    python -m tests.bench.peer_corpus english 20000 articles.parquet
"""

from __future__ import annotations

import hashlib
import sys
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench import corpus

SCHEMA = pa.schema([("article_id", pa.string()), ("text", pa.string())])
ROWS_A_GROUP = 10_000

N_WORDS = 30_000
COPY_SHARE = 0.25
LETTERS = np.array(list("aaabcdeeeefghiiijklmnnooopqrrsssttuuvwxyz"))


def korean(n_articles: int, seed: int = 1) -> Iterator[str]:
    """Yield the raw texts of `corpus.articles`."""
    return (article["text"] for article in corpus.articles(n_articles, seed=seed))


def english(n_articles: int, seed: int = 1) -> Iterator[str]:
    """Yield texts of Latin words whose frequencies follow Zipf's law."""
    rng = np.random.default_rng(seed)
    words = np.array(
        ["".join(rng.choice(LETTERS, size=n)) for n in 1 + rng.poisson(4.5, N_WORDS)], object
    )
    shares = np.cumsum(1 / np.arange(1, N_WORDS + 1))
    recent: list[np.ndarray] = []
    for _ in range(n_articles):
        if recent and rng.random() < COPY_SHARE:
            text = copied(rng, recent[rng.integers(len(recent))], shares)
        else:
            text = drawn(rng, int(np.clip(rng.lognormal(5.5, 0.4), 60, 1200)), shares)
        if len(recent) < corpus.RECENT_WINDOW:
            recent.append(text)
        else:
            recent[rng.integers(len(recent))] = text
        yield " ".join(words[text])


def drawn(rng: np.random.Generator, n_words: int, shares: np.ndarray) -> np.ndarray:
    """Return numbers of words, frequent ones often."""
    return np.searchsorted(shares, rng.random(n_words) * shares[-1])


def copied(rng: np.random.Generator, text: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the text edited in one of four ways, lightly or strongly."""
    kind, strength = rng.integers(4), rng.random()
    n = text.size
    if kind == 0:
        at = np.flatnonzero(rng.random(n) < 0.15 * strength)
        text = text.copy()
        text[at] = drawn(rng, at.size, shares)
        return text
    if kind == 1:
        return text[: n - int(0.45 * strength * n)]
    if kind == 2:
        return np.concatenate((text, drawn(rng, int(0.7 * strength * n), shares)))
    cut = int(rng.integers(n))
    return np.concatenate((text[cut:], text[:cut]))


def normalised(text: str) -> str:
    """Return the text as all libraries are given it."""
    folded = unicodedata.normalize("NFC", text).lower()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


KINDS: dict[str, Callable[[int, int], Iterator[str]]] = {"korean": korean, "english": english}


def write(path: Path, kind: str, n_articles: int, seed: int = 1) -> None:
    """Write a corpus, in row groups of 10,000 articles."""
    texts = map(normalised, KINDS[kind](n_articles, seed))
    unfinished = path.with_suffix(".part")
    with pq.ParquetWriter(unfinished, SCHEMA, use_dictionary=False) as writer:
        for first in range(0, n_articles, ROWS_A_GROUP):
            group = list(islice(texts, ROWS_A_GROUP))
            ids = [f"{kind}-{first + i:08d}" for i in range(len(group))]
            writer.write_table(pa.table([ids, group], SCHEMA))
    unfinished.rename(path)


def digest(path: Path) -> str:
    """Return the SHA-256 of the texts, a line each, twelve hexadecimal digits.

    Of the texts, not of the file: Parquet names the version that wrote it.
    """
    hashed = hashlib.sha256()
    for batch in pq.ParquetFile(path).iter_batches(ROWS_A_GROUP, columns=["text"]):
        hashed.update("".join(f"{text}\n" for text in batch["text"].to_pylist()).encode())
    return hashed.hexdigest()[:12]


if __name__ == "__main__":
    write(Path(sys.argv[3]), sys.argv[1], int(sys.argv[2]))
