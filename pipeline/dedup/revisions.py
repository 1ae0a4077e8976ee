"""What each revision of an article changes of the one before it.

The rules of the classes are in `revision_classes.py`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from pipeline.contract import conform
from pipeline.dedup.correction_marks import correction_mark
from pipeline.dedup.furniture_cuts import FurnitureRules, PatternTable, find_cuts, is_all_cut
from pipeline.dedup.paragraph_diff import PassageDiff, compare_passages
from pipeline.dedup.patterns import PATTERNS
from pipeline.dedup.revision_classes import (
    RULE_VERSION,
    RevisionChange,
    RevisionRules,
    classify,
)
from pipeline.dedup.word_edits import Edit, word_edits
from pipeline.interim import COMPARED
from pipeline.text.normalise import make_key, make_keys
from pipeline.text.paragraphs import join_keys, keys_of, paragraph_spans
from pipeline.text.sentences import split_sentences
from pipeline.text.shingles import PARAGRAPH, STORY, containment, jaccard, shingle_hashes
from pipeline.text.titles import bare_title, title_version

COLUMNS = (
    *("article_id", "revision_id", "content_hash", "published_at", "updated_at"),
    *("title", "original_text", "url", "section", "language", "publisher"),
)
"""Of ARTICLES, what is read. Not the clean text and the byline: what is learned as furniture
changes them, and of a revision that is not current they stay as they were."""

_FIELDS = ("published_at", "updated_at", "section", "language", "publisher")
_MAX_LISTED_EDITS = 12
_EARLIEST = datetime.min  # noqa: DTZ901 - compared with naive UTC times only

Row = Mapping[str, Any]
Age = tuple[bool, datetime, bytes]


def revision_age(
    updated_at: datetime | None, published_at: datetime | None, content_hash: bytes
) -> Age:
    """Return by what the revisions of an article are ordered, the newest last.

    By `updated_at`, else `published_at`; one without a time is the oldest, ties go by content
    hash: a function of the set of revisions, never of their arrival.
    """
    moment = updated_at or published_at
    return (moment is not None, moment or _EARLIEST, content_hash)


def compare_revisions(revisions: pa.Table, rules: RevisionRules | None = None) -> pa.Table:
    """Return COMPARED: for each revision that has one before it, what it changes and its class.

    Args:
        revisions: all revisions of some articles, in any order; has COLUMNS of ARTICLES.
        rules: the numbers of the rules.
    """
    rules, table = rules or RevisionRules(), PatternTable(PATTERNS)
    rows = sorted(revisions.select(COLUMNS).to_pylist(), key=lambda r: (r["article_id"], _age(r)))
    compared = [
        _row(older, newer, rules)
        for _, own in groupby(rows, key=lambda r: r["article_id"])
        for older, newer in pairwise(_Content(row, table) for row in own)
    ]
    return conform(pa.Table.from_pylist(compared, COMPARED.schema), COMPARED)


def _age(row: Row) -> Age:
    return revision_age(row["updated_at"], row["published_at"], row["content_hash"])


class _Content:
    """One revision as it is compared: paragraphs with keys, furniture that patterns know apart."""

    def __init__(self, row: Row, table: PatternTable) -> None:
        self.row = row
        self.title: str = row["title"] or ""
        self.version = title_version(self.title)
        self.title_key = make_key(bare_title(self.title)) if self.title else ""
        body: str = row["original_text"]
        self.paragraphs = [body[start:end] for start, end in paragraph_spans(body)]
        bare = list(_without_furniture(self.paragraphs, table))
        keys = keys_of(bare)
        if not any(keys):  # a body of nothing else is compared as it stands
            bare, keys = self.paragraphs, keys_of(self.paragraphs)
        self.seqs = [seq for seq, key in enumerate(keys) if key]
        self.texts = [bare[seq] for seq in self.seqs]
        self.keys = [keys[seq] for seq in self.seqs]
        self.key = join_keys(self.keys)

    @cached_property
    def shingles(self) -> Any:
        """Return the STORY shingle set."""
        return shingle_hashes(self.key, STORY)


def _without_furniture(paragraphs: Sequence[str], table: PatternTable) -> Iterator[str]:
    """Yield each paragraph without the furniture that reviewed patterns find in it."""
    rules = FurnitureRules()
    for place, text in enumerate(paragraphs):
        cuts = find_cuts(text, place, len(paragraphs), rules, table)
        if cuts and is_all_cut(text, cuts):
            yield ""
            continue
        kept, at = "", 0
        for cut in cuts:
            kept += text[at : cut.start] + " "
            at = cut.end
        yield kept + text[at:]


@dataclass(frozen=True)
class _Sentences:
    """What became of the sentences of paragraphs that are not kept as they were."""

    added: list[str]
    removed: list[str]
    edits: list[Edit]
    is_too_long: bool
    """A sentence that changed is too long to be compared word by word."""


def _row(older: _Content, newer: _Content, rules: RevisionRules) -> dict[str, Any]:
    paragraphs = compare_passages(older.keys, newer.keys)
    sentences = _sentences(older, newer, paragraphs, rules)
    change = _change(older, newer, paragraphs, sentences)
    revision_class, rule = classify(change, rules)
    return {
        "article_id": newer.row["article_id"],
        "revision_id": newer.row["revision_id"],
        "previous_revision_id": older.row["revision_id"],
        "revision_class": revision_class,
        "n_added": len(paragraphs.added),
        "n_removed": len(paragraphs.removed),
        "n_changed": len(paragraphs.changed),
        "jaccard": 1.0 if older.key == newer.key else jaccard(older.shingles, newer.shingles),
        "diff": json.dumps(_diff(older, newer, paragraphs), ensure_ascii=False),
        "evidence": json.dumps(
            _evidence(older.row, newer.row, change, rule), ensure_ascii=False, sort_keys=True
        ),
        "rule_version": RULE_VERSION,
    }


def _change(
    older: _Content, newer: _Content, paragraphs: PassageDiff, sentences: _Sentences
) -> RevisionChange:
    """Return what the rules look at."""
    is_other_headline, title_edits = _headline(older, newer)
    is_equal = older.key == newer.key
    return RevisionChange(
        is_key_equal=is_equal and older.title_key == newer.title_key,
        n_older=older.shingles.size,
        n_newer=newer.shingles.size,
        containment=1.0 if is_equal else containment(older.shingles, newer.shingles),
        containment_back=1.0 if is_equal else containment(newer.shingles, older.shingles),
        older_version=older.version,
        newer_version=newer.version,
        is_other_headline=is_other_headline,
        title_edits=title_edits,
        sentence_edits=sentences.edits,
        n_sentences_added=len(sentences.added),
        n_sentences_removed=len(sentences.removed),
        is_too_long=sentences.is_too_long,
        n_moved=len(paragraphs.moved),
        correction_mark=_new_correction_mark(older, newer, sentences),
    )


def _new_correction_mark(older: _Content, newer: _Content, sentences: _Sentences) -> str:
    """Return by what the newer revision says that it corrects; empty where the older said it."""
    new_words = [*sentences.added, *(edit.present for edit in sentences.edits)]
    marks = map(correction_mark, [newer.title, *new_words])
    mark = next(filter(None, marks), "")
    stood = mark and mark in (older.title + "\n" + older.row["original_text"])
    return "" if stood else mark


def _headline(older: _Content, newer: _Content) -> tuple[bool, list[Edit]]:
    """Return whether the headline is another one, else what was edited in it; marks are none."""
    if older.title_key == newer.title_key:
        return False, []
    if not compare_passages(
        *([c.title_key] if c.title_key else [] for c in (older, newer))
    ).changed:
        return True, []
    edits = word_edits(bare_title(older.title), bare_title(newer.title)) or []
    return False, edits


def _sentences(
    older: _Content, newer: _Content, paragraphs: PassageDiff, rules: RevisionRules
) -> _Sentences:
    """Return what became of the sentences of paragraphs that were changed, added or removed."""
    touched = (
        sorted([*(i for i, _ in paragraphs.changed), *paragraphs.removed]),
        sorted([*(j for _, j in paragraphs.changed), *paragraphs.added]),
    )
    sides = [_split(content, own) for content, own in zip((older, newer), touched, strict=True)]
    (old_texts, old_keys, old_owners), (new_texts, new_keys, new_owners) = sides
    diff = compare_passages(old_keys, new_keys)
    edits = [word_edits(old_texts[i], new_texts[j]) for i, j in diff.changed]
    gone = {i: old_owners[i] for i in diff.removed}
    come = {j: new_owners[j] for j in diff.added}
    for i, j in _facing(gone, come, dict(paragraphs.changed)):
        own = word_edits(old_texts[i], new_texts[j])
        if own is not None and all(edit.kind != "word" for edit in own):
            edits.append(own)
            del gone[i], come[j]
    left, right = list(gone), list(come)
    removed = _not_held([old_keys[i] for i in left], new_keys, rules)
    added = _not_held([new_keys[j] for j in right], old_keys, rules)
    return _Sentences(
        added=[new_texts[right[n]] for n in added],
        removed=[old_texts[left[n]] for n in removed],
        edits=[edit for own_edits in edits for edit in own_edits or ()],
        is_too_long=None in edits,
    )


def _split(content: _Content, places: Sequence[int]) -> tuple[list[str], list[str], list[int]]:
    """Return the sentences of paragraphs: text, key, and the paragraph each stands in."""
    owned = [
        (text[a:b], place)
        for place in places
        for text in [content.texts[place]]
        for a, b in split_sentences(text)
    ]
    keys = make_keys([text for text, _ in owned])
    kept = [(text, key, place) for (text, place), key in zip(owned, keys, strict=True) if key]
    return [t for t, _, _ in kept], [k for _, k, _ in kept], [p for _, _, p in kept]


def _facing(
    gone: Mapping[int, int], come: Mapping[int, int], changed: Mapping[int, int]
) -> list[tuple[int, int]]:
    """Return the sentences left over at the same places of two states of a paragraph.

    A short one that lost a figure has too few shingles left to be known by them.
    """
    old, new = _by_owner(gone), _by_owner(come)
    pairs: list[tuple[int, int]] = []
    for i_paragraph, j_paragraph in changed.items():
        left, right = old.get(i_paragraph, []), new.get(j_paragraph, [])
        if len(left) == len(right):
            pairs += zip(left, right, strict=True)
    return pairs


def _by_owner(owners: Mapping[int, int]) -> dict[int, list[int]]:
    own: dict[int, list[int]] = {}
    for place, owner in owners.items():
        own.setdefault(owner, []).append(place)
    return own


def _not_held(sentences: Sequence[str], others: Sequence[str], rules: RevisionRules) -> list[int]:
    """Return which sentences (keys) the other side's touched text does not hold."""
    if not sentences:
        return []
    whole = join_keys(others)
    shingles = shingle_hashes(whole, PARAGRAPH)
    return [
        place
        for place, key in enumerate(sentences)
        if key not in whole
        and containment(shingle_hashes(key, PARAGRAPH), shingles) < rules.held_containment
    ]


def _diff(older: _Content, newer: _Content, diff: PassageDiff) -> list[dict[str, Any]]:
    """Return the paragraphs that are not kept, by their place in the newer text, removed last."""
    rows: list[dict[str, Any]] = []
    pairs = [("changed", i, j) for i, j in diff.changed] + [("moved", i, j) for i, j in diff.moved]
    for op, i, j in pairs:
        old_seq, seq = older.seqs[i], newer.seqs[j]
        row = {"op": op, "seq": seq, "previous_seq": old_seq, "text": newer.paragraphs[seq]}
        rows.append(row | {"previous_text": older.paragraphs[old_seq]} if op == "changed" else row)
    for j in diff.added:
        seq = newer.seqs[j]
        rows.append({"op": "added", "seq": seq, "text": newer.paragraphs[seq]})
    rows.sort(key=lambda row: row["seq"])
    for i in diff.removed:
        seq = older.seqs[i]
        rows.append({"op": "removed", "previous_seq": seq, "previous_text": older.paragraphs[seq]})
    return rows


def _evidence(older: Row, newer: Row, change: RevisionChange, rule: str) -> dict[str, Any]:
    """Return what decided, and what else changed."""
    evidence: dict[str, Any] = {
        "rule": rule,
        "containment": round(change.containment, 4),
        "containment_back": round(change.containment_back, 4),
        "n_sentences_added": change.n_sentences_added,
        "n_sentences_removed": change.n_sentences_removed,
    }
    if edits := change.edits:
        evidence["edits"] = [[e.kind, e.previous, e.present] for e in edits[:_MAX_LISTED_EDITS]]
        evidence["n_edits"] = len(edits)
    if _composed(older["title"]) != _composed(newer["title"]):
        evidence["previous_title"] = _composed(older["title"])
    fields = [name for name in _FIELDS if _composed(older[name]) != _composed(newer[name])]
    if _address(older["url"]) != _address(newer["url"]):
        fields.append("url")
    if fields:
        evidence["fields"] = fields
    if change.correction_mark:
        evidence["correction_mark"] = change.correction_mark
    return evidence


def _composed(value: Any) -> Any:
    """Return a text in NFC, in which two documents with equal content are equal."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _address(url: str | None) -> str:
    """Return host and path: equal for two documents with equal content, whatever tracks them."""
    if url is None:
        return ""
    bare = re.sub(r"^https?://(?:[^/@]*@)?(?:www\.)?|[?#].*", "", url.strip(), flags=re.IGNORECASE)
    return unquote(bare).casefold().rstrip("/")
