"""Which spans of one paragraph are furniture, by a table of patterns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.dedup.furniture_pattern import FurniturePattern

_WORD = re.compile(r"[\wⓒ©Ⓒ]")
_JOINS_PREVIOUS = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff]")
"""Conjoining vowels and finals: with the leading consonant before them they are one syllable."""

_OPENERS = frozenset("[(【（［")

# A paragraph whose end has none of these, in small letters, holds no rights notice: this search
# costs a microsecond or two, the patterns sixty.
_RIGHTS_WORD = re.compile(
    "|".join(
        re.escape(word)
        for word in (
            "ⓒ",
            "©",
            "(c)",
            "（c）",
            "무단",
            "재배포",
            "재판매",
            "저작권",
            "copyright",
            "reserved",
            "reproduc",
            "redistribut",
            "republication",
            "broadcast",
            "転載",
            "無断",
            "複製",
            "版权",
            "版權",
            "转载",
            "轉載",
            "derechos",
            "prohibida",
            "direitos",
            "proibida",
            "droits",
            "interdite",
            "vorbehalten",
            "nachdruck",
            "riservat",
            "الحقوق",
            "حقوق",
            "права",
            "перепечатке",
            "цитировании",
            "सर्वाधिकार",
            "hakları",
            "quyền",
            "สงวน",
            "hak",
            "זכויות",
            "επιφύλαξη",
            "voorbehouden",
            "zastrzeżone",
        )
    )
)


@dataclass(frozen=True)
class FurnitureRules:
    """Where furniture is looked for; lengths in code points."""

    max_rights_chars: int = 200
    """Longer paragraphs lose only the notice at their end (design: furniture ≤ 200)."""

    max_byline_chars: int = 80
    """Longest whole byline; the longest of one day of Korean news has 57 characters."""

    head_paragraphs: int = 3
    tail_paragraphs: int = 4
    """Bylines stand among the first or last so many (design: first 2, last 4; a caption or a
    subheading before the byline makes it 3)."""

    span_paragraphs: int = 2
    """A byline after the last sentence stands in one of the last so many paragraphs."""

    tail_chars: int = 260
    """A notice at the end of a paragraph is looked for in so many characters."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One span of a paragraph that a pattern claims, with the fields that it names."""

    start: int
    end: int
    pattern: FurniturePattern
    fields: dict[str, str]


class PatternTable:
    """Patterns by kind and place, so that a paragraph meets only those that can match it."""

    def __init__(self, patterns: Iterable[FurniturePattern]) -> None:
        """Take reviewed patterns, and whatever has been learned in the same form."""
        of: dict[tuple[str, str], list[FurniturePattern]] = {}
        for pattern in patterns:
            of.setdefault((pattern.kind, pattern.place), []).append(pattern)
        self.learned_lines = of.get(("source", "line"), []) + of.get(("caption", "line"), [])
        self.heads = of.get(("byline", "head"), [])
        self.lines = of.get(("byline", "line"), [])
        self.last_lines = of.get(("byline", "last"), []) + self.lines
        self.byline_tails = of.get(("byline", "tail"), [])
        self.rights_tails = of.get(("rights", "tail"), []) + of.get(("rights", "end"), [])
        self.rights_lines = of.get(("rights", "line"), []) + self.rights_tails


def find_cuts(
    text: str, index: int, n_paragraphs: int, rules: FurnitureRules, table: PatternTable
) -> list[Cut]:
    """Return the furniture of a paragraph, ascending and disjoint; offsets into `text`.

    `index` is its place among the `n_paragraphs` of the article.
    """
    composed, places = _composed(text)
    is_inner = rules.head_paragraphs <= index < n_paragraphs - rules.tail_paragraphs
    for pattern in table.learned_lines:
        if found := pattern.regex.match(composed):
            return [Cut(0, len(text), pattern, _cut(found, pattern).fields)]
    if is_inner and composed[:1] not in _OPENERS and not _may_hold_rights(composed, rules):
        return []
    cuts = _cuts(composed, index, n_paragraphs - 1 - index, rules, table)
    if places is None:
        return cuts
    return [Cut(places[c.start], places[c.end], c.pattern, c.fields) for c in cuts]


def is_all_cut(text: str, cuts: Iterable[Cut]) -> bool:
    """Return whether no word is left beside the cuts."""
    rest, at = "", 0
    for cut in cuts:
        rest += text[at : cut.start]
        at = cut.end
    return not _WORD.search(unicodedata.normalize("NFKC", rest + text[at:]))


def _cuts(
    text: str, index: int, from_end: int, rules: FurnitureRules, table: PatternTable
) -> list[Cut]:
    """Return head cuts, then tail cuts from the left, of a composed text."""
    is_edge = index < rules.head_paragraphs or from_end < rules.tail_paragraphs
    if is_edge and len(text) <= rules.max_byline_chars:
        is_last = from_end < rules.span_paragraphs
        for pattern in table.last_lines if is_last else table.lines:
            if found := pattern.regex.match(text):
                return [_cut(found, pattern)]
    heads = _heads(text, index, rules, table)
    first = heads[-1].end if heads else 0
    body = text[first:]
    has_rights = _may_hold_rights(body, rules)
    is_near_end = from_end < rules.span_paragraphs
    tails: list[Cut] = []
    while _WORD.search(body):
        is_short = len(body) <= rules.max_rights_chars
        tail = _tail(body, has_rights, is_short, is_near_end, rules, table)
        if tail is None:
            break
        tails.append(Cut(first + tail.start, first + tail.end, tail.pattern, tail.fields))
        body = body[: tail.start]
    return heads + tails[::-1]


def _heads(text: str, index: int, rules: FurnitureRules, table: PatternTable) -> list[Cut]:
    """Return the dateline that opens a paragraph, if any."""
    is_bracket = text[:1] in _OPENERS
    if not is_bracket and index >= rules.head_paragraphs:
        return []
    for pattern in table.heads:
        found = pattern.regex.match(text)
        if found and found.end() > 0:
            return [_cut(found, pattern)]
    return []


def _tail(
    text: str,
    has_rights: bool,
    is_short: bool,
    is_near_end: bool,
    rules: FurnitureRules,
    table: PatternTable,
) -> Cut | None:
    """Return the furniture that ends a text, if any."""
    patterns: list[FurniturePattern] = []
    if has_rights:
        patterns += table.rights_lines if is_short else table.rights_tails
    end = text[-rules.max_byline_chars :]
    if is_near_end and ("@" in end or "기자" in end or "특파원" in end):
        patterns += table.byline_tails
    start = max(0, len(text) - rules.tail_chars)
    for pattern in patterns:
        found = pattern.regex.search(text, start)
        if found and _WORD.search(found[0]):
            return _cut(found, pattern)
    return None


def _may_hold_rights(text: str, rules: FurnitureRules) -> bool:
    """Return whether the end of a paragraph has any word of a rights notice."""
    return _RIGHTS_WORD.search(text[-rules.tail_chars :].lower()) is not None


def _composed(text: str) -> tuple[str, list[int] | None]:
    """Return NFC, in which patterns are written, and for each of its positions that in `text`.

    The positions are None where the text is composed already.
    """
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text, None
    starts = [
        at
        for at, character in enumerate(text)
        if not unicodedata.combining(character) and not _JOINS_PREVIOUS.match(character)
    ]
    starts = [0, *(at for at in starts if at)]
    composed, places = [], []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        syllable = unicodedata.normalize("NFC", text[start:end])
        composed.append(syllable)
        places += [start] * len(syllable)
    return "".join(composed), [*places, len(text)]


def _cut(found: re.Match[str], pattern: FurniturePattern) -> Cut:
    """Return the cut of a match with its named fields."""
    fields = {
        name.partition("_")[0]: value.strip() for name, value in found.groupdict().items() if value
    }
    return Cut(found.start(), found.end(), pattern, fields)
