"""Numbers of a text, normalised, so that 1만2천, 12,000 and 12000 compare equal.

Digits are kept in the key and compared here on their own, because a template (market close,
weather, scores) differs from yesterday's in nothing but its numbers: two KOSPI closing stories
reach a character 5-gram Jaccard of 1.00 once their digits are masked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pipeline.text.dates import are_dates_apart, find_date
from pipeline.text.lazy_pattern import lazy
from pipeline.text.quantities import (
    NUMBER,
    han_numbers,
    hangul_numbers,
    read_quantity,
    spelled_numbers,
)

MAX_CONFLICT_RATIO = 0.2
"""Numbers conflict when, of those of the side with fewer of its own, more than this share is not
in the other side.

Measured on pairs of English wire stories with the same headline and of one day of Korean news, all
with a character Jaccard of at least 0.5; how many conflict:

| at | other-day templates (37) | repeats within 24 h (215) | revisions (10) | judged copies (17) |
|---|---|---|---|---|
| 0.0 | 32 | 9 | 1 | 1 |
| 0.1 | 31 | 7 | 1 | 0 |
| 0.2 | 29 | 3 | 1 | 0 |
| 0.34 | 28 | 2 | 1 | 0 |
| 0.5 | 21 | 1 | 1 | 0 |

Of the 8 templates left at 0.2 two are identical texts and three have no number of their own on one
side; of the 3 repeats two are templates; the revision is a share price at two times of the day.
"""

_ADDRESS = lazy(r"(?:https?://|www\.)[^\s<>\"'()]+|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_PHONE = lazy(
    r"0\d{1,2}[-). ]{1,2}\d{3,4}[-. ]\d{4}(?!\d)"  # 02-123-4567
    r"|1[5-9]\d\d-\d{4}(?!\d)"  # Korean service numbers
    r"|\d{3}\)? ?[-. ]?\d{3}[-.]\d{4}(?!\d)"  # (212) 555-0100
    r"|(?<=\+)\d{1,3}[- ]\(?\d[\d ().-]{6,}\d"
)
_LIST_MARK = lazy(r"\d{1,2}(?:\)(?!\w)|\.[ \t])")
_FOOTNOTE = lazy(r"(?<=\[)\d{1,2}\]")
_DISEASE = lazy(r"(?:코로나\s?|covid-)$", re.IGNORECASE)
_DECIMAL_COMMA = lazy(r"(?<![\d.,])\d+,\d{1,2}(?![\d,])")
_DECIMAL_POINT = lazy(r"(?<![\d.,])\d+\.\d{1,2}(?![\d.])")
_UNSPACED_SCRIPT = lazy("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_VALUE = lazy(r"-?[\d.]+")
DIGITS = lazy(r"\d")


def extract_numbers(text: str) -> tuple[str, ...]:
    """Return the numbers of a display text, normalised, sorted, as often as they occur.

    Quantities are plain decimals with their unit (`12000KRW`, `3.5%`), dates and times are
    `d:…` and `t:…`. E-mail and web addresses, phone numbers, list and footnote marks, numbers
    inside names (F-16, 코로나19) are no numbers of the text.

    >>> extract_numbers("1만2천명, 12,000명; 3억5000만 원은 9.50퍼센트")
    ('12000persons', '12000persons', '350000000KRW', '9.5%')
    """
    text = bare_text(text)
    found = [
        *_digit_numbers(text),
        *spelled_numbers(text),
        *han_numbers(text),
        *hangul_numbers(text),
    ]
    return tuple(sorted(found))


def extract_numbers_of(texts: Sequence[str]) -> list[list[str]]:
    """Return what `extract_numbers` returns of each text, a tenth as costly for many."""
    from pipeline.text import number_batches  # it is built on this module

    return number_batches.extract_numbers_of(texts)


def bare_text(text: str) -> str:
    """Return a text as numbers are read from it: composed, and without addresses."""
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if "@" in text or "://" in text or "www." in text:
        text = _ADDRESS.sub(" ", text)
    return text


@dataclass(frozen=True)
class NumberEvidence:
    """What the numbers of two texts say about each other; dates count on their own."""

    is_compatible: bool
    """One side's numbers are nearly inside the other's, and no dates stand apart."""
    n_shared: int
    """Distinct quantities that both hold."""
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]
    conflict_ratio: float
    """min(left only, right only) / (that + shared); 0 when one side is inside the other."""
    is_dates_apart: bool
    """Both name days, and none lies within one day of the other's."""


def numbers_conflict(
    left: Iterable[str], right: Iterable[str], max_conflict_ratio: float = MAX_CONFLICT_RATIO
) -> NumberEvidence:
    """Compare the numbers of two texts that look alike, as `extract_numbers` returns them.

    An update adds numbers and a cut removes some: that is compatible. A template has other
    numbers on both sides. Swapping the sides swaps `only_left` and `only_right` alone.

    >>> numbers_conflict(["3persons", "2021"], ["3persons"]).is_compatible
    True
    >>> numbers_conflict(["2999.55", "0.3%"], ["3012.43", "0.9%"]).is_compatible
    False
    """
    return compare_numbers(part_numbers(left), part_numbers(right), max_conflict_ratio)


class NumberSets(NamedTuple):
    """The distinct numbers of a text by what they are; clock times are none."""

    dates: frozenset[str]
    quantities: frozenset[str]


def part_numbers(numbers: Iterable[str]) -> NumberSets:
    """Return the numbers of a text as `compare_numbers` wants them."""
    distinct = set(numbers)
    dates = frozenset(number for number in distinct if number.startswith("d:"))
    quantities = (number for number in distinct - dates if not number.startswith("t:"))
    return NumberSets(dates, frozenset(quantities))


def compare_numbers(
    left: NumberSets, right: NumberSets, max_conflict_ratio: float = MAX_CONFLICT_RATIO
) -> NumberEvidence:
    """Do what `numbers_conflict` does with numbers that were parted once for many comparisons."""
    only_left, only_right = left.quantities - right.quantities, right.quantities - left.quantities
    n_shared = len(left.quantities) - len(only_left)
    if only_left and only_right:
        only_left, only_right, n_unitless = _without_unit_pairs(only_left, only_right)
        n_shared += n_unitless
    n_conflicts = min(len(only_left), len(only_right))
    ratio = n_conflicts / (n_conflicts + n_shared) if n_conflicts else 0.0
    is_apart = are_dates_apart(left.dates, right.dates)
    return NumberEvidence(
        is_compatible=ratio <= max_conflict_ratio and not is_apart,
        n_shared=n_shared,
        only_left=tuple(sorted(only_left)),
        only_right=tuple(sorted(only_right)),
        conflict_ratio=ratio,
        is_dates_apart=is_apart,
    )


def _without_unit_pairs(
    only_left: frozenset[str], only_right: frozenset[str]
) -> tuple[frozenset[str], frozenset[str], int]:
    """Return both sets without equal values of which one has no unit, and how many pairs went."""
    sides, pairs = [only_left, only_right], 0
    for bare, other in ((0, 1), (1, 0)):
        candidates = [n for n in sorted(sides[bare]) if _value(n) == n]
        if not candidates:
            continue
        by_value = {_value(n): n for n in sorted(sides[other]) if _value(n) != n}
        found = [n for n in candidates if n in by_value]
        sides[bare] -= set(found)
        sides[other] -= {by_value[n] for n in found}
        pairs += len(found)
    return sides[0], sides[1], pairs


@lru_cache(maxsize=1 << 16)
def _value(number: str) -> str:
    """Return a quantity without its unit."""
    value = _VALUE.match(number)
    return value[0] if value else number


def _digit_numbers(text: str) -> Iterator[str]:
    """Yield every number that is written with decimal digits."""
    is_decimal_comma = has_decimal_comma(text)
    at = 0
    while digit := DIGITS.search(text, at):
        tokens, at = read_number(text, digit.start(), is_decimal_comma)
        yield from tokens


def read_number(text: str, at: int, is_decimal_comma: bool) -> tuple[Sequence[str], int]:
    """Return the numbers that are read from the digit at `at` on, and where they end."""
    if end := _skip_end(text, at):
        return (), end
    if date := find_date(text, at):
        return date[:1], date[1]
    return read_quantity(text, at, is_decimal_comma)


def read_digits(text: str, at: int, end: int, is_decimal_comma: bool, numbers: list[str]) -> int:
    """Add the numbers that are read from the digits in at:end; return where the last one ends."""
    while at < end and (digit := DIGITS.search(text, at, end)):
        tokens, at = read_number(text, digit.start(), is_decimal_comma)
        numbers += tokens
    return max(at, end)


def has_decimal_comma(text: str) -> bool:
    """Return whether the text writes 3,5 rather than 3.5; scripts with myriads never do."""
    if _UNSPACED_SCRIPT.search(text):
        return False
    commas = _DECIMAL_COMMA.findall(text)
    return bool(commas) and len(commas) > len(_DECIMAL_POINT.findall(text))


def _skip_end(text: str, at: int) -> int:
    """Return where digits end that are no number of the text; 0 when they are one."""
    before = text[at - 1] if at else "\n"
    if before.isascii() and before.isalpha():
        return NUMBER.match(text, at).end()  # type: ignore[union-attr]
    if before == "-" and at > 1 and text[at - 2].isascii() and text[at - 2].isalpha():
        return NUMBER.match(text, at).end()  # type: ignore[union-attr]
    if phone := _PHONE.match(text, at):
        return phone.end()
    if before == "[" and (note := _FOOTNOTE.match(text, at)):
        return note.end()
    if before in "\n (" and (mark := _LIST_MARK.match(text, at)):
        is_line_start = before == "\n" or (before == "(" and at > 1 and text[at - 2].isspace())
        if mark[0].endswith(")") or (is_line_start and not find_date(text, at)):
            return mark.end()
    if text.startswith("19", at) and _DISEASE.search(text[max(0, at - 6) : at]):
        return at + 2
    return 0
