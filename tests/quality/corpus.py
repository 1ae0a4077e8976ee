"""The articles that edits are planted into: ours from seeds/ and from articles.jsonl beside this.

Three or four a language, each of at least 350 shingles, so that the rules for long texts hold.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.sources.files import ReadOptions, expand, read_batches
from pipeline.sources.parse import parse

HERE = Path(__file__).parent
SEEDS = HERE.parents[1] / "seeds"

LANGUAGES = ("ko", "en", "es", "fr", "ru", "el", "ar", "he", "hi", "th", "ja", "zh", "mixed")
UNSPACED = ("ja", "zh", "th")
MIN_SHINGLES = 350

FROM_SEEDS = {
    "ko": ("HB20260304-0117", "hb-0309-12", "sb-77502", "onsaemi-3306", "mk260304"),
    "en": ("lv-207", "lv-211", "lv-216", "eq-4466"),
    "es": ("gr-1501", "gr-1517", "gr-1529"),
    "ar": ("mf-2214", "nk-701", "nk-722"),
    "ja": ("hk-26030917", "mn-20260311-05", "mn-20260318-01"),
    "zh": ("jl-2026-0304-a3", "yd-30811"),
}

FIRST_PUBLISHED = datetime(2026, 3, 10, 8)  # noqa: DTZ001 - written out with its zone

_END = re.compile(r"(?<=[.!?؟।])\s+|(?<=[。！？])(?![」』”’])")


@dataclass(frozen=True)
class Article:
    """What is written into a record that unecho ingests."""

    native_id: str
    language: str
    title: str
    text: str
    source: str = "first.example"
    hours: float = 0.0
    """After FIRST_PUBLISHED."""

    @property
    def paragraphs(self) -> list[str]:
        """Return the paragraphs of the text."""
        return self.text.split("\n\n")

    @property
    def sentences(self) -> list[list[str]]:
        """Return the sentences of each paragraph; Thai ends them with a space like any phrase."""
        if self.language == "th":
            return [p.split(" ") for p in self.paragraphs]
        return [[s for s in _END.split(p) if s] for p in self.paragraphs]

    @property
    def numbers(self) -> list[str]:
        """Return the runs of digits."""
        return re.findall(r"\d+", self.text)

    def record(self) -> dict[str, Any]:
        """Return the article as a JSONL record."""
        published = FIRST_PUBLISHED + timedelta(hours=self.hours)
        return {
            "id": self.native_id,
            "source": self.source,
            "title": self.title,
            "text": self.text,
            "published_at": f"{published.isoformat()}Z",
        }


def joined(sentences: list[list[str]], language: str) -> str:
    """Return sentences by paragraph as a text again."""
    space = "" if language in ("ja", "zh") else " "
    return "\n\n".join(space.join(p) for p in sentences if p)


@cache
def articles() -> dict[str, list[Article]]:
    """Return the articles by language, in the order of LANGUAGES."""
    lines = (HERE / "articles.jsonl").read_text("utf-8").splitlines()
    own = [Article(**json.loads(line)) for line in lines]
    seeds = _seeds()
    return {
        language: [seeds[native_id] for native_id in FROM_SEEDS.get(language, ())]
        + [article for article in own if article.language == language]
        for language in LANGUAGES
    }


def _seeds() -> dict[str, Article]:
    """Return the chosen seed articles without what seeds/truth.jsonl says must be dropped."""
    truth = map(json.loads, (SEEDS / "truth.jsonl").read_text("utf-8").splitlines())
    dropped = {row["native_id"]: {d["paragraph"] for d in row["dropped"] or ()} for row in truth}
    language_of = {i: language for language, ids in FROM_SEEDS.items() for i in ids}
    found = {}
    for documents in read_batches(expand([str(SEEDS)]), ReadOptions()):
        for row in parse(documents)[0].to_pylist():
            native_id = row["native_id"]
            if native_id in language_of:
                lines = [line.strip() for line in row["original_text"].splitlines()]
                kept = [
                    line
                    for number, line in enumerate(filter(None, lines), start=1)
                    if number not in dropped[native_id]
                ]
                language = language_of[native_id]
                found[native_id] = Article(native_id, language, row["title"], "\n\n".join(kept))
    return found
