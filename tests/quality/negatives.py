"""Pairs that look alike and are two stories: templates filled twice, and what shares a passage."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

from tests.quality.corpus import HERE, Article
from tests.quality.edits import words_replaced

Pair = tuple[Article, Article]

_MIN_NUMBERS = 4
"""Numbers an article must have to be taken for the report of another day when they change."""


def _other_numbers(article: Article, _: Article) -> Article:
    """Count every number up, as the same report on the next day would."""
    if len(set(article.numbers)) < _MIN_NUMBERS:
        return article

    def counted(text: str) -> str:
        return re.sub(r"\d+", lambda m: str(int(m[0]) + 3).zfill(len(m[0])), text)

    title, text = counted(article.title), counted(article.text)
    return replace(article, title=title, text=text, source="first.example", hours=24.0)


def _half_replaced(article: Article, stranger: Article) -> Article:
    return words_replaced(article, stranger, 2)


def _same_headline(article: Article, stranger: Article) -> Article:
    return replace(stranger, title=article.title, source="first.example")


def _shared_quote(article: Article, stranger: Article) -> Article:
    """Put the second paragraph of the article, mostly a quotation, into another story."""
    first, *rest = stranger.paragraphs
    return replace(stranger, text="\n\n".join([first, article.paragraphs[1], *rest]))


APART: dict[str, Callable[[Article, Article], Article]] = {
    "other_numbers": _other_numbers,
    "half_of_the_words": _half_replaced,
    "same_headline": _same_headline,
    "shared_quote": _shared_quote,
}
"""Edits after which both are two stories."""


def template_pairs() -> dict[str, list[Pair]]:
    """Return by kind all pairs of articles that one template gives for several days or places."""
    found: dict[str, list[Pair]] = {}
    for line in (HERE / "templates.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        told = [
            Article(
                native_id=f"{row['kind']}-{row['language']}-{n}",
                language=row["language"],
                title=row["title"].format(**values),
                text=row["text"].format(**values),
                hours=n * row["hours"],
            )
            for n, values in enumerate(row["values"])
        ]
        found.setdefault(row["kind"], []).extend(combinations(told, 2))
    return found
