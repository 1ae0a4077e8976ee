"""A corpus of generated Korean articles, of any size, the same for the same seed.

The words are drawn by chance from syllables: it is nobody's text. It has what costs time in real
news: titles, times, numbers, source footers, copies under other mastheads with scattered edits,
articles that print their own second half again, and, where asked for, one template that a source
fills in again and again.

    python -m tests.bench.corpus 100000 articles.jsonl
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

N_CHARACTERS = int(os.environ.get("BENCH_CHARACTERS", "1500"))
COPY_SHARE = 0.15
REPEAT_SHARE = 0.05
NUMBER_SHARE = 0.04
TEMPLATE_SLOT_SHARE = 0.02
WORDS_PER_SENTENCE = 14
SENTENCES_PER_PARAGRAPH = 3
N_WORDS = 40_000
N_SOURCES = 60
RECENT_WINDOW = 4_096
FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
ARTICLES_PER_DAY = 3_000
UNITS = ("명", "원", "건", "억 원", "%", "곳", "kg", "개")


def write_corpus(
    path: Path, n_articles: int, *, seed: int = 1, n_template: int = 0, first: int = 0
) -> None:
    """Write `n_articles` as JSONL; the first `n_template` of them are one template filled in."""
    with path.open("w", encoding="utf-8") as file:
        for article in articles(n_articles, seed=seed, n_template=n_template, first=first):
            file.write(json.dumps(article, ensure_ascii=False) + "\n")


def articles(
    n_articles: int, *, seed: int = 1, n_template: int = 0, first: int = 0
) -> Iterator[dict[str, str]]:
    """Yield `n_articles` records with `id`, `title`, `text`, `published_at`, `url`, `source`.

    Args:
        n_articles: how many.
        seed: the articles are a function of it and of the other arguments.
        n_template: so many of them, first of all, are one text in which one word in fifty differs.
        first: number of the first article: a second corpus with another seed and a `first` beyond
            the first corpus's end has other ids and later times.
    """
    rng = np.random.default_rng(seed)
    words = vocabulary(np.random.default_rng(0))
    template = fresh_text(rng, words)
    recent: list[list[list[str]]] = []
    for i in range(n_articles):
        if i < n_template:
            text = edited(rng, words, template, TEMPLATE_SLOT_SHARE)
        elif recent and rng.random() < COPY_SHARE:
            text = edited(rng, words, recent[rng.integers(len(recent))], rng.uniform(0.0, 0.2))
        else:
            text = fresh_text(rng, words)
            if len(recent) < RECENT_WINDOW:
                recent.append(text)
            else:
                recent[rng.integers(RECENT_WINDOW)] = text
        yield record(rng, words, text, first + i)


def record(
    rng: np.random.Generator, words: np.ndarray, text: list[list[str]], number: int
) -> dict[str, str]:
    """Dress a text, paragraphs of words, as a record."""
    source = int(rng.integers(N_SOURCES))
    paragraphs = [" ".join(paragraph) for paragraph in text]
    if rng.random() < REPEAT_SHARE:
        paragraphs += paragraphs[len(paragraphs) // 2 :]
    if source % 3 == 0:
        paragraphs.append(f"저작권자 ⓒ 가나신문{source:02d}, 무단 전재 및 재배포 금지")
    published = FIRST_DAY + timedelta(
        days=number // ARTICLES_PER_DAY, seconds=int(rng.integers(86_400))
    )
    return {
        "id": f"bench-{number:09d}",
        "title": " ".join(words[rng.integers(N_WORDS, size=7)]),
        "text": "\n".join(paragraphs),
        "published_at": published.isoformat(),
        "url": f"https://news{source:02d}.example/a/{number}",
        "source": f"news{source:02d}",
    }


def vocabulary(rng: np.random.Generator) -> np.ndarray:
    """Return `N_WORDS` Hangul words of one to four syllables."""
    lengths = rng.choice([1, 2, 3, 4], size=N_WORDS, p=[0.1, 0.4, 0.35, 0.15])
    syllables = rng.integers(0xAC00, 0xD7A4, size=(N_WORDS, 4))
    return np.array(
        ["".join(map(chr, row[:n])) for row, n in zip(syllables, lengths, strict=True)],
        dtype=object,
    )


def fresh_text(rng: np.random.Generator, words: np.ndarray) -> list[list[str]]:
    """Return paragraphs of words, `N_CHARACTERS` characters in all, half the words common ones."""
    n = N_CHARACTERS // 3
    common = rng.integers(N_WORDS // 10, size=n)
    rare = rng.integers(N_WORDS, size=n)
    drawn = words[np.where(rng.random(n) < 0.4, common, rare)]
    numbers = rng.random(n) < NUMBER_SHARE
    text: list[list[str]] = [[]]
    length = sentence = 0
    for word, is_number in zip(drawn.tolist(), numbers.tolist(), strict=True):
        if is_number:
            word = f"{int(rng.integers(2, 99_999)):,}{UNITS[rng.integers(len(UNITS))]}"
        sentence += 1
        ends = sentence % WORDS_PER_SENTENCE == 0
        text[-1].append(word + "다." if ends else word)
        length += len(text[-1][-1]) + 1
        if length >= N_CHARACTERS:
            break
        if sentence == WORDS_PER_SENTENCE * SENTENCES_PER_PARAGRAPH:
            text.append([])
            sentence = 0
    return [paragraph for paragraph in text if paragraph]


def edited(
    rng: np.random.Generator, words: np.ndarray, text: list[list[str]], share: float
) -> list[list[str]]:
    """Return the text with `share` of its words, scattered, exchanged for others."""
    return [
        [str(words[rng.integers(N_WORDS)]) if rng.random() < share else word for word in paragraph]
        for paragraph in text
    ]


def digest(path: Path) -> str:
    """Return the SHA-256 of a corpus, twelve hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def main() -> None:
    """Write a corpus from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n_articles", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--template", type=int, default=0, metavar="N")
    parser.add_argument("--first", type=int, default=0)
    args = parser.parse_args()
    write_corpus(
        args.path, args.n_articles, seed=args.seed, n_template=args.template, first=args.first
    )
    sys.stdout.write(f"{args.path}: {args.n_articles} articles, digest {digest(args.path)}\n")


if __name__ == "__main__":
    main()
