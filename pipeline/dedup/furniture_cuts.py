"""Which spans of one paragraph are furniture, by a table of patterns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pipeline.dedup.furniture_pattern import FurniturePattern
from pipeline.text.lazy_pattern import lazy

_WORD = lazy(r"[\wⓒ©Ⓒ]")
_JOINS_PREVIOUS = lazy("[\u1160-\u11ff\ud7b0-\ud7ff]")
"""Conjoining vowels and finals: with the leading consonant before them they are one syllable."""

OPENERS = "[(【（［"

_REMEMBERED_CHARS = 200
"""Longer paragraphs are bodies, that hardly repeat."""

# A paragraph whose end has none of these holds no rights notice: this search costs a microsecond,
# the patterns sixty. Three cases of each word are cheaper than small letters made first.
_RIGHTS_WORDS = (
    "ⓒ|Ⓒ|©|(c)|(C)|（c）|무단|재배포|재판매|저작권|copyright|reserved|reproduc|redistribut|republication"
    "|broadcast|転載|無断|複製|版权|版權|转载|轉載|derechos|prohibida|direitos|proibida|droits|interdite"
    "|vorbehalten|nachdruck|riservat|الحقوق|حقوق|права|перепечатке|цитировании|सर्वाधिकार|hakları"
    "|quyền|สงวน|hak|זכויות|επιφύλαξη|voorbehouden|zastrzeżone"
)
RIGHTS_WORDS = [
    form
    for word in _RIGHTS_WORDS.split("|")
    for form in dict.fromkeys((word, word.capitalize(), word.upper()))
]
RIGHTS_SIGNS = "|".join(map(re.escape, RIGHTS_WORDS))
BYLINE_SIGNS = (
    "@|기자|특파원|디자이너|위원|통신원|리포터|칼럼니스트|연합뉴스|뉴시스|뉴스1|News1|뉴스핌|[Rr]euter|REUTER"
    r"|\bAF?P\b|\bUPI\b"
)
_RIGHTS_WORD, _BYLINE_SIGN = lazy(RIGHTS_SIGNS), lazy(BYLINE_SIGNS)


@dataclass(frozen=True)
class FurnitureRules:
    """Where furniture is looked for; lengths in code points."""

    max_rights_chars: int = 200
    """Longer paragraphs lose only the notice at their end (design: furniture ≤ 200)."""

    max_byline_chars: int = 80
    """Longest whole byline; the longest of one day of Korean news has 35 characters."""

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


class PatternGroup:
    """Patterns that are tried at the same place, in order."""

    def __init__(self, *patterns: FurniturePattern) -> None:
        """Join the patterns to one that tells whether any of them matches."""
        self.patterns = patterns
        unnamed = (re.sub(r"\(\?P<\w+>", "(?:", p.regex.pattern) for p in patterns)
        flags = patterns[0].regex.flags & re.IGNORECASE if patterns else 0
        self._any = lazy("|".join(f"(?:{p})" for p in unnamed), flags) if patterns else None

    @property
    def sieve(self) -> str:
        """What every text that one of them matches holds, for RE2; "" where one does not say."""
        sieves = [pattern.sieve for pattern in self.patterns]
        return "|".join(dict.fromkeys(sieves)) if all(sieves) else ""

    def match(self, text: str) -> Cut | None:
        """Return the cut of the first pattern that matches from the beginning."""
        if self._any is None or not self._any.match(text):
            return None
        for pattern in self.patterns:
            if found := pattern.regex.match(text):
                return _cut(found, pattern) if found.end() else None
        return None


class Tail(NamedTuple):
    """A pattern of the end of a text, and what stands wherever it matches."""

    pattern: FurniturePattern
    sign: re.Pattern[str]


def _tails_of(patterns: Iterable[FurniturePattern]) -> list[Tail]:
    """Return the patterns with their signs, in the same letter case."""
    return [Tail(p, lazy(p.sieve, p.regex.flags & re.IGNORECASE)) for p in patterns]


class PatternTable:
    """Patterns by kind and place, so that a paragraph meets only those that can match it."""

    def __init__(self, patterns: Iterable[FurniturePattern]) -> None:
        """Take reviewed patterns, in the order in which they are tried."""
        of: dict[tuple[str, str], list[FurniturePattern]] = {}
        for pattern in patterns:
            of.setdefault((pattern.kind, pattern.place), []).append(pattern)
        lines = of.get(("byline", "line"), [])
        self.of_source = PatternGroup(
            *of.get(("source", "line"), []), *of.get(("caption", "line"), [])
        )
        self.heads = PatternGroup(*of.get(("byline", "head"), []))
        self.lines = PatternGroup(*lines)
        self.last_lines = PatternGroup(*of.get(("byline", "last"), []), *lines)
        self.byline_tails = _tails_of(of.get(("byline", "tail"), []))
        self.rights_tails = _tails_of(
            of.get(("rights", "tail"), []) + of.get(("rights", "end"), [])
        )
        self.rights_lines = _tails_of(of.get(("rights", "line"), [])) + self.rights_tails


def find_cuts(
    text: str,
    index: int,
    n_paragraphs: int,
    rules: FurnitureRules,
    table: PatternTable,
    *,
    may_hold_rights: bool = True,
) -> list[Cut]:
    """Return the furniture of a paragraph, ascending and disjoint; offsets into `text`.

    `index` is its place among the `n_paragraphs` of the article; without `may_hold_rights` no
    notice is looked for.
    """
    index, from_end = place_of(index, n_paragraphs - 1 - index, rules)
    n_paragraphs = index + 1 + from_end
    find = _remembered_cuts if len(text) <= _REMEMBERED_CHARS else _cuts_of
    return list(find(text, index, n_paragraphs, rules, table, may_hold_rights))


def place_of(index: int, from_end: int, rules: FurnitureRules) -> tuple[int, int]:
    """Return a place in an article, counted from both ends, that the rules do not tell from it.

    A place counts as at the head, the tail or the end only: there are as few as there are rules.
    """
    index = rules.head_paragraphs if index >= rules.head_paragraphs else 0
    behind_span = rules.span_paragraphs if from_end >= rules.span_paragraphs else 0
    behind_tail = rules.tail_paragraphs if from_end >= rules.tail_paragraphs else 0
    return index, max(behind_span, behind_tail)


def _cuts_of(
    text: str,
    index: int,
    n_paragraphs: int,
    rules: FurnitureRules,
    table: PatternTable,
    may_hold_rights: bool,
) -> list[Cut]:
    """Return what `find_cuts` returns."""
    composed, places = _composed(text)
    if whole := table.of_source.match(composed):
        return [Cut(0, len(text), whole.pattern, whole.fields)]
    has_rights = may_hold_rights and _may_hold_rights(composed, rules)
    is_inner = rules.head_paragraphs <= index < n_paragraphs - rules.tail_paragraphs
    if is_inner and not has_rights and composed[:1] not in OPENERS:
        return []
    from_end = n_paragraphs - 1 - index
    cuts = _cuts(composed, index, from_end, has_rights, rules, table)
    if places is None:
        return cuts
    return [Cut(places[c.start], places[c.end], c.pattern, c.fields) for c in cuts]


# Footers and bylines are printed again and again: half of what a day's news has, nearly all of
# what one source has.
_remembered_cuts = lru_cache(1 << 13)(_cuts_of)


def is_all_cut(text: str, cuts: Iterable[Cut]) -> bool:
    """Return whether no word is left beside the cuts."""
    rest, at = "", 0
    for cut in cuts:
        rest += text[at : cut.start]
        at = cut.end
    return not _WORD.search(unicodedata.normalize("NFKC", rest + text[at:]))


def _cuts(
    text: str,
    index: int,
    from_end: int,
    has_rights: bool,
    rules: FurnitureRules,
    table: PatternTable,
) -> list[Cut]:
    """Return head cuts, then tail cuts from the left, of a composed text."""
    is_head = index < rules.head_paragraphs
    is_last = from_end < rules.span_paragraphs
    if (is_head or from_end < rules.tail_paragraphs) and len(text) <= rules.max_byline_chars:
        lines = table.last_lines if is_last else table.lines
        if line := lines.match(text):
            return [line]
    head = table.heads.match(text) if is_head or text[:1] in OPENERS else None
    first = head.end if head else 0
    has_byline = is_last and _BYLINE_SIGN.search(text, max(0, len(text) - rules.max_byline_chars))
    cuts = [head] if head else []
    if has_rights or has_byline:
        byline_tails = table.byline_tails if has_byline else []
        cuts += _tails(text[first:], first, has_rights, byline_tails, rules, table)
    return cuts


def _tails(
    body: str,
    first: int,
    has_rights: bool,
    byline_tails: Sequence[Tail],
    rules: FurnitureRules,
    table: PatternTable,
) -> list[Cut]:
    """Return what furniture ends a text, from the left; `first` is where the text begins."""
    tails: list[Cut] = []
    while _WORD.search(body):
        possible: list[Tail] = []
        if has_rights:
            is_short = len(body) <= rules.max_rights_chars
            possible += table.rights_lines if is_short else table.rights_tails
        start = max(0, len(body) - rules.tail_chars)
        for pattern, sign in (*possible, *byline_tails):
            # Cheaper than the pattern, which is tried at each white space (half of the time).
            if not sign.search(body, start):
                continue
            found = pattern.regex.search(body, start)
            if found and _WORD.search(found[0]):
                break
        else:
            break
        tail = _cut(found, pattern)
        tails.append(Cut(first + tail.start, first + tail.end, pattern, tail.fields))
        body = body[: tail.start]
    return tails[::-1]


def _may_hold_rights(text: str, rules: FurnitureRules) -> bool:
    """Return whether the end of a paragraph has any word of a rights notice."""
    return _RIGHTS_WORD.search(text, max(0, len(text) - rules.tail_chars)) is not None


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
