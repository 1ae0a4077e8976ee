"""The sample news read for its own tests: records, their truth and plain measures of texts.

Nothing of the project is imported: the seeds are read with the standard library,
so that a fault in our readers cannot hide a fault in the seeds.
"""

import csv
import gzip
import io
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

SEEDS = Path(__file__).parents[2] / "seeds"
ARTICLES = SEEDS / "articles"

# Encodings that a file does not name itself; all others are UTF-8 without a mark.
ENCODINGS = {
    "ko-night-market-cp949.txt": "cp949",
    "ko-regional-cp949.csv": "cp949",
    "ko-observatory-utf16.txt": "utf-16",
    "es-portal-bom.csv": "utf-8-sig",
}
COLUMNS = {
    "native_id": ("id", "native_id"),
    "title": ("title", "headline"),
    "text": ("text", "body", "content", "maintext", "articleBody"),
    "source_id": ("source", "publisher", "outlet", "source_domain"),
    "byline": ("byline", "author", "authors"),
}


class Seed(NamedTuple):
    """A line of the truth beside the record that it speaks of."""

    truth: dict[str, Any]
    record: dict[str, Any]

    def value(self, field: str) -> Any:
        return next((self.record[c] for c in COLUMNS[field] if self.record.get(c)), None)

    @property
    def paragraphs(self) -> list[str]:
        return [line for line in self.value("text").splitlines() if line.strip()]

    def paragraph(self, number: int) -> str:
        return self.paragraphs[number - 1]

    def dropped(self, *reasons: str) -> list[int]:
        removals = self.truth["dropped"]
        return [r["paragraph"] for r in removals if not reasons or r["reason"] in reasons]

    @property
    def kept(self) -> list[str]:
        dropped = self.dropped()
        return [p for n, p in enumerate(self.paragraphs, 1) if n not in dropped]


def read_jsonl(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SEEDS / name).read_text("utf-8").splitlines()]


def decode(path: Path) -> str:
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    return raw.decode(ENCODINGS.get(path.name, "utf-8"))


def read_plain_text(text: str) -> dict[str, str]:
    first, blank, rest = text.partition("\n\n")
    return {"title": first, "text": rest} if blank and "\n" not in first else {"text": text}


def read_line(line: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads(line))
    except json.JSONDecodeError:
        return None


def read_records(path: Path) -> list[dict[str, Any] | None]:
    """Return the records of one file; a line that is no JSON is None."""
    text = decode(path)
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "txt":
        return [read_plain_text(text)]
    if kind in ("csv", "tsv"):
        delimiter = "\t" if kind == "tsv" else ","
        return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    if kind == "json":
        return list(json.loads(text))
    return [read_line(line) for line in text.split("\n") if line]


FILES = sorted(p.name for p in ARTICLES.iterdir())
RECORDS = {name: read_records(ARTICLES / name) for name in FILES}
TRUTH = read_jsonl("truth.jsonl")
PAIRS = read_jsonl("pairs.jsonl")


def file_name(truth: dict[str, Any]) -> str:
    return str(truth["file"]).removeprefix("articles/")


ALL = [
    Seed(t, RECORDS[file_name(t)][(t["line"] or 1) - 1] or {})
    for t in TRUTH
    if t["quarantine"] is None
]


def of_story(prefix: str) -> list[Seed]:
    return [s for s in ALL if s.truth["story"].startswith(prefix)]


def key(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")


def shingles(text: str, size: int) -> set[str]:
    compared = key(text)
    return {compared[i : i + size] for i in range(max(1, len(compared) - size + 1))}


def jaccard(left: set[str], right: set[str]) -> float:
    return len(left & right) / len(left | right)


def numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d+(?:[.,]\d+)*", unicodedata.normalize("NFKC", text)))
