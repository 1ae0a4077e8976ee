"""Planted pairs by kind of edit and language, and what `unecho ingest` makes of them.

Every kind of edit is ingested into a warehouse of its own: all articles of its languages with
their edited copies, so that each pair stands for itself and every other article is in the way.
Kinds that cannot help each other share one: forms of the same characters, and the templates.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from flows.ingest import run_ingest
from flows.intake import Request
from pipeline.settings import load_settings
from tests.quality.corpus import LANGUAGES, Article, articles
from tests.quality.edits import CONTAINED, EXACT, FOUND, LANGUAGES_OF, STORY, stranger_of
from tests.quality.negatives import APART, template_pairs

EXPECTATIONS = {
    "exact": "one story, relation `exact`",
    "story": "one story",
    "found": "one story, or two with an edge `contained`",
    "contained": "two stories with an edge `contained`",
    "apart": "two stories",
}

_COPY_SOURCE, _COPY_HOURS = "second.example", 2.0


@dataclass(frozen=True)
class Kind:
    """All planted pairs of one kind of edit."""

    name: str
    expected: str
    pairs: tuple[tuple[Article, Article], ...]
    warehouse: str
    """Kinds with the same one are ingested together."""


@dataclass
class Outcome:
    """What became of the pairs of one kind in one language."""

    kind: str
    expected: str
    language: str
    n_pairs: int = 0
    n_met: int = 0
    missed: list[dict[str, Any]] = field(default_factory=list)
    """Pairs that were not met: both ids, is_one_story, and the edge: relation, jaccard, rule."""


@dataclass(frozen=True)
class Measured:
    """Everything that was measured; `strangers` are merges of articles that no edit connects."""

    outcomes: list[Outcome]
    strangers: list[tuple[str, str, str]]


@cache
def kinds() -> tuple[Kind, ...]:
    """Return every kind with its pairs; what an edit leaves as it was is no pair."""
    edits = [
        (name, expected, edit)
        for expected, group in (
            ("exact", EXACT),
            ("story", STORY),
            ("found", FOUND),
            ("contained", CONTAINED),
            ("apart", APART),
        )
        for name, edit in group.items()
    ]
    planted = [
        Kind(name, expected, tuple(_pairs(name, edit)), "exact" if expected == "exact" else name)
        for name, expected, edit in edits
    ]
    templates = template_pairs().items()
    told = [Kind(name, "apart", tuple(pairs), "templates") for name, pairs in templates]
    return (*planted, *told)


def _pairs(name: str, edit: Any) -> Iterator[tuple[Article, Article]]:
    for language, originals in articles().items():
        if language not in LANGUAGES_OF.get(name, LANGUAGES):
            continue
        strangers = stranger_of(originals)
        for original in originals:
            copy = replace(original, source=_COPY_SOURCE, hours=_COPY_HOURS)
            edited = edit(copy, strangers[original.native_id])
            if (edited.title, edited.text) != (original.title, original.text):
                yield original, replace(edited, native_id=f"{original.native_id}~{name}")


def corpus_digest() -> str:
    """Return a digest of every planted pair: of the articles, the templates and the edits."""
    digest = hashlib.blake2b(digest_size=8)
    for kind in kinds():
        for pair in kind.pairs:
            records = [json.dumps(a.record(), ensure_ascii=False) for a in pair]
            digest.update("\0".join([kind.name, kind.expected, *records]).encode())
    return digest.hexdigest()


def measure(folder: Path) -> Measured:
    """Ingest every kind into a warehouse below `folder` and return what became of its pairs."""
    outcomes: list[Outcome] = []
    strangers: list[tuple[str, str, str]] = []
    for warehouse, together in groupby(kinds(), key=lambda kind: kind.warehouse):
        group = list(together)
        found = _ingested(group, folder / warehouse)
        for kind in group:
            outcomes += _outcomes(kind, found)
        strangers += _merged_strangers(group, found)
    return Measured(outcomes, strangers)


@dataclass(frozen=True)
class _Found:
    story_of: dict[tuple[str, str], str]
    id_of: dict[tuple[str, str], str]
    edges: dict[frozenset[str], dict[str, Any]]


def _ingested(group: Sequence[Kind], folder: Path) -> _Found:
    folder.mkdir(parents=True)
    records = [*_others(group), *(a for kind in group for pair in kind.pairs for a in pair)]
    lines = {_key(a): json.dumps(a.record(), ensure_ascii=False) for a in records}
    path = folder / "articles.jsonl"
    path.write_text("\n".join(lines.values()) + "\n", "utf-8")
    settings = load_settings(warehouse=folder / "warehouse")
    run_ingest([Request(specs=(str(path),))], settings, folder.name)
    database = str(folder / "warehouse" / "public" / "news.duckdb")
    with duckdb.connect(database, read_only=True) as con:
        rows = con.sql(
            "SELECT source_id, native_id, article_id, story_id FROM articles_all"
        ).fetchall()
        edges = con.sql(
            "SELECT left_id, right_id, relation, jaccard, evidence->>'rule' FROM edges"
        ).fetchall()
    assert len(rows) == len(lines)
    return _Found(
        story_of={(s, n): str(story) for s, n, _, story in rows},
        id_of={(s, n): str(i) for s, n, i, _ in rows},
        edges={frozenset(map(str, e[:2])): _edge(*e[2:]) for e in edges},
    )


def _edge(relation: str, jaccard: float, rule: str) -> dict[str, Any]:
    return {"relation": relation, "jaccard": round(jaccard, 2), "rule": rule}


def _others(group: Sequence[Kind]) -> list[Article]:
    """Return every article of the languages of the kinds, to be in the way of the edited ones."""
    languages = {pair[0].language for kind in group for pair in kind.pairs}
    return [a for language in LANGUAGES if language in languages for a in articles()[language]]


def _key(article: Article) -> tuple[str, str]:
    return article.source, article.native_id


def _outcomes(kind: Kind, found: _Found) -> list[Outcome]:
    by_language: dict[str, Outcome] = {}
    for left, right in kind.pairs:
        outcome = by_language.setdefault(
            left.language, Outcome(kind.name, kind.expected, left.language)
        )
        is_one = found.story_of[_key(left)] == found.story_of[_key(right)]
        ends = frozenset((found.id_of[_key(left)], found.id_of[_key(right)]))
        edge = found.edges.get(ends, {"relation": None, "jaccard": None, "rule": None})
        outcome.n_pairs += 1
        if _is_met(kind.expected, is_one, edge["relation"]):
            outcome.n_met += 1
        else:
            ids = {"left": left.native_id, "right": right.native_id}
            outcome.missed.append(ids | {"is_one_story": is_one} | edge)
    return list(by_language.values())


def _is_met(expected: str, is_one_story: bool, relation: str | None) -> bool:
    if expected == "contained":
        return relation == "contained" and not is_one_story
    if expected == "apart":
        return not is_one_story
    if expected == "found":
        return is_one_story or relation == "contained"
    return is_one_story and (expected == "story" or relation == "exact")


def _merged_strangers(group: Sequence[Kind], found: _Found) -> Iterator[tuple[str, str, str]]:
    """Yield articles of the corpus that stand in one story: every two of them are strangers."""
    first: dict[str, Article] = {}
    for article in _others(group):
        other = first.setdefault(found.story_of[_key(article)], article)
        if other is not article:
            yield group[0].warehouse, other.native_id, article.native_id
