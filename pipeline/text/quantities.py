"""Quantities: digits with separators, myriad units, multipliers and units, and numbers in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.text.dates import bare_year
from pipeline.text.lazy_pattern import lazy
from pipeline.text.number_words import (
    CURRENCY_SIGNS,
    HAN_DIGITS,
    HANGUL_DIGITS,
    MULTIPLIERS,
    MYRIAD_UNITS,
    SPELLED,
    UNITS,
    alternatives,
)

_MAX_DIGITS = 24
"""Longer digit strings are identifiers: kept as they stand, never added up."""
_GROUPING = "'’\u00a0\u202f\u2009"
NUMBER = lazy(rf"\d+(?:[.,٫٬{_GROUPING}]\d+)*")
_GROUPED_BY_SPACE = lazy(rf"\d{{1,3}}(?:[{_GROUPING}]\d{{3}})+(?:[.,]\d+)?")
_ANGLO = lazy(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?")
_EUROPEAN = lazy(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}")
_ONE_COMMA = lazy(r"\d+,\d*")
_ONE_POINT = lazy(r"\d+\.")
_MIXED = lazy(r"(\d{1,4})[- ](\d{1,2})/(2|3|4|8|16|32|64)(?!\d)")
_BEFORE_FRACTIONS = frozenset("- ")
_FRACTION = lazy(r"(\d{1,2})/(\d{1,2})(?![\d/])")
_SECTION = 10_000
_SMALL = "십백천十百千仟"
_LARGE = "만억조万萬億亿兆"
_MYRIAD = lazy(rf"[여余餘多]?([{_SMALL}{_LARGE}])")
_UP_TO_LARGE = lazy(rf"(?:[여余餘多]?[{_SMALL}]\d{{0,3}})*[여余餘多]?([{_LARGE}])")
_NEXT_PART = lazy(r"[여余餘多]?(\d[\d,]*(?:\.\d+)?)")
# "3조 5,000억", "3만 2000명", but not "3만 2021년": the part after a space must lead on to a unit.
_NEXT_PART_SPACED = lazy(
    r"[여余餘]? (\d{1,4}(?:,\d{3})?)"
    r"(?=\s?(?:[십백천만억百千万億여]|원|달러|명|엔|위안|톤|개|건|대|가구|円|元|人))"
)
# "4천 154만", "8천 800만": after a small unit the part has to end in a large one.
_NEXT_PART_SMALL_SPACED = lazy(r"[여余餘]? (\d{1,3})(?=[만억조万億亿])")
_HAN = "".join(HAN_DIGITS)
HAN_NUMERAL = lazy(
    rf"(?<![\d第])(?:[{_HAN}十百千][{_HAN}十百千万萬億亿]+|[{_HAN}十](?=月))(?=([年月日號号])?)"
)
_MULTIPLIER = lazy(rf"\s{{0,2}}({alternatives(MULTIPLIERS)})(?![^\W\d_])\.?", re.IGNORECASE)
# 만이천 명, 삼천만 원: Hangul numerals are read only as a whole word before a counter, for 이천 and
# 사천 are towns, 만이 is a particle and 조사 an inquiry.
HANGUL_NUMERAL = lazy(
    rf"(?<![가-힣\d])[{''.join(HANGUL_DIGITS)}십백천만][{''.join(HANGUL_DIGITS)}십백천만억조]{{1,11}}"
    r"(?=\s?(?:원|달러|명|엔|위안|유로|톤|건|가구|여\s?(?:원|명|달러)))"
)
_HAN_DATES = {"年": "d:{}", "月": "d:--{:02d}"} | dict.fromkeys("日號号", "d:---{:02d}")
_AFTER_CURRENCY = {"k": 10**3, "m": 10**6, "b": 10**9, "bn": 10**9, "tn": 10**12}
_SHORT_MULTIPLIER = lazy(r"(?:bn|tn|[kmb])(?![a-z])", re.IGNORECASE)
_LATIN_UNIT = lazy(
    rf"[\s-]{{0,2}}({alternatives({u: c for u, c in UNITS.items() if u[0].isascii()})})(?![a-z])",
    re.IGNORECASE,
)
_OTHER_UNIT = lazy(rf"\s?({alternatives({u: c for u, c in UNITS.items() if not u[0].isascii()})})")
_LETTERS = lazy(r"[a-z]{1,3}(?![a-z])", re.IGNORECASE)
_RATIO = Decimal("0.0001")
_ORDINAL = lazy(r"(?:st|nd|rd|th)\b|(?:번째|번 째)", re.IGNORECASE)
_ABOUT = lazy(r"\s?[여余餘多]\s?")
# Spelled out in three cases: with IGNORECASE the search cannot skip to a first letter (8 times
# slower on Korean text).
_CASES = {form: n for w, n in SPELLED.items() for form in (w, w.capitalize(), w.upper())}
SPELLED_NUMBER = lazy(
    rf"({alternatives(_CASES)})(?![a-zA-Z])(?:-({alternatives(_CASES)})(?![a-zA-Z]))?"
    r"(\s{1,2}(?i:hundred|thousand|million|mln|billion|billon|bln|trillion|pct|percent)\b)?"
)


def read_quantity(text: str, at: int, is_decimal_comma: bool) -> tuple[list[str], int]:
    """Read the number at `at` with sign, myriad units, multiplier and unit."""
    currency = CURRENCY_SIGNS.get(text[at - 1], "") if at else ""
    values, end = _values(text, at, is_decimal_comma)
    tokens = [_plain(v) for v in values[:-1]]
    value = values[-1]
    first_end = end
    if _MYRIAD.match(text, end):
        value, end = _myriads(text, end, value)
    if _is_hangul(text, end):
        pass  # no multiplier of `MULTIPLIERS` is
    elif multiplier := _MULTIPLIER.match(text, end):
        value *= MULTIPLIERS[multiplier[1].lower()]
        end = multiplier.end()
    elif currency and (short := _SHORT_MULTIPLIER.match(text, end)):
        value *= _AFTER_CURRENCY[short[0].lower()]
        end = short.end()
    unit, end = _unit(text, end)
    unit = currency or unit
    if _is_negative(text, at):
        value = -value
    elif not unit and end == first_end and len(values) == 1 and (year := bare_year(text, at)):
        return [year[0]], year[1]
    return [*tokens, _plain(value) + unit], end


def _is_negative(text: str, at: int) -> bool:
    """Return whether a minus that is no dash stands before the digits."""
    if not at or text[at - 1] not in "-\u2212":
        return False
    return at == 1 or text[at - 2].isspace() or text[at - 2] in "(["


def _values(text: str, at: int, is_decimal_comma: bool) -> tuple[list[Decimal], int]:
    """Read digits with their separators; more than one value where these only separate."""
    found = NUMBER.match(text, at)
    assert found is not None
    raw, following = found[0], text[found.end() : found.end() + 1]
    # What follows tells most numbers from fractions: one look saves two patterns.
    if following in _BEFORE_FRACTIONS and (mixed := _MIXED.match(text, at)):
        return [Decimal(mixed[1]) + Decimal(mixed[2]) / Decimal(mixed[3])], mixed.end()
    if following == "/" and (fraction := _FRACTION.match(text, at)) and int(fraction[2]):
        return [(Decimal(fraction[1]) / Decimal(fraction[2])).quantize(_RATIO)], fraction.end()
    if not raw.isdecimal():
        raw = raw.replace("٫", ".").replace("٬", ",")
        if grouped := _GROUPED_BY_SPACE.fullmatch(raw):
            raw = re.sub(f"[{_GROUPING}]", "", grouped[0])
    if len(raw) > _MAX_DIGITS:
        raw = raw[:_MAX_DIGITS]
    return [Decimal(v) for v in _separate(raw, is_decimal_comma)], found.end()


def _separate(raw: str, is_decimal_comma: bool) -> list[str]:
    """Return the numbers that separators in `raw` group or part, with a decimal point.

    A single group after a point (12.000) is thousands in texts with a decimal comma and where
    the group is 000; after a comma it is thousands unless the text has decimal commas.
    """
    if raw.isdecimal():
        return [raw]
    if _EUROPEAN.fullmatch(raw):
        return [raw.replace(".", "").replace(",", ".")]
    if is_decimal_comma and _ONE_COMMA.fullmatch(raw):
        return [raw.replace(",", ".")]
    if _ANGLO.fullmatch(raw):
        return [raw.replace(",", "")]
    if _ONE_POINT.match(raw) and raw.count(".") == 1 and "," not in raw:
        whole, fraction = raw.split(".")
        if not fraction.isdecimal():
            return [whole]
        is_group = len(fraction) == 3 and (is_decimal_comma or int(fraction) == 0)
        return [whole + fraction if is_group else raw]
    return [part for part in re.split(r"\D+", raw) if part]


def _myriads(text: str, end: int, first: Decimal) -> tuple[Decimal, int]:
    """Add up 1만2천, 3억5000만, 3조 5,000억 from the first unit on."""
    total, section, current = Decimal(0), Decimal(0), first
    pending = True
    while unit := _MYRIAD.match(text, end):
        size = MYRIAD_UNITS[unit[1]]
        if unit[1] in _LARGE:
            if not pending and not section:
                break
            total += (section + (current if pending else 0)) * size
            section = Decimal(0)
        else:
            section += (current if pending else 1) * size
        end, pending = unit.end(), False
        following = _NEXT_PART.match(text, end)
        if not following:
            spaced = _NEXT_PART_SPACED if unit[1] in _LARGE else _NEXT_PART_SMALL_SPACED
            following = spaced.match(text, end)
        if following and _is_smaller(following, text, size):
            current, pending, end = _number(following[1]), True, following.end(1)
    return total + section + (current if pending else 0), end


def _is_smaller(part: re.Match[str], text: str, size: int) -> bool:
    """Return whether a following part belongs to the same number: less than the unit before it.

    1천500만 reads on from 천 to 만, 3만 5천만 is two numbers.
    """
    if _number(part[1]) >= size:
        return False
    large = _UP_TO_LARGE.match(text, part.end(1))
    return size < _SECTION or not large or MYRIAD_UNITS[large[1]] < size


def _number(digits: str) -> Decimal:
    """Return digits with thousands separators as a number."""
    return Decimal(digits.replace(",", ""))


def _unit(text: str, end: int) -> tuple[str, int]:
    """Return the canonical unit after a number, or the letters that name it (5G, 4th)."""
    if ordinal := _ORDINAL.match(text, end):
        return "th", ordinal.end()
    if about := _ABOUT.match(text, end):
        end = about.end()
    is_latin = not _is_hangul(text, end)
    if is_latin and (unit := _LATIN_UNIT.match(text, end)):
        return UNITS[" ".join(unit[1].lower().split())], unit.end()
    if unit := _OTHER_UNIT.match(text, end):
        return UNITS[unit[1]], unit.end()
    letters = _LETTERS.match(text, end) if is_latin else None
    return (letters[0].lower(), letters.end()) if letters else ("", end)


def _is_hangul(text: str, at: int) -> bool:
    """Return whether a Hangul syllable stands at `at`: then no pattern of Latin words matches."""
    return "\uac00" <= text[at : at + 1] <= "\ud7a3"


def spelled_numbers(text: str) -> Iterator[str]:
    """Yield English number words; "one" alone is a pronoun as often as a number."""
    for found in SPELLED_NUMBER.finditer(text):
        if found.start() and text[found.start() - 1].isalnum():
            continue
        value = Decimal(SPELLED[found[1].lower()])
        if found[2]:
            value += SPELLED[found[2].lower()]
        if value == 1 and not found[3]:
            continue
        end = found.end() - len(found[3] or "")
        if multiplier := _MULTIPLIER.match(text, end):
            value *= MULTIPLIERS[multiplier[1].lower()]
            end = multiplier.end()
        yield _plain(value) + _unit(text, end)[0]


def han_numbers(text: str) -> Iterator[str]:
    """Yield numbers of at least two Han numerals: 二十五, 三千万."""
    for found in HAN_NUMERAL.finditer(text):
        numeral = found[0]
        if all(c in HAN_DIGITS for c in numeral):
            value = Decimal("".join(str(HAN_DIGITS[c]) for c in numeral))
        else:
            value = _han_value(numeral)
        if found[1]:
            yield _HAN_DATES[found[1]].format(int(value))
        else:
            yield _plain(value) + _unit(text, found.end())[0]


def hangul_numbers(text: str) -> Iterator[str]:
    """Yield numbers of Hangul numerals before a counter: 만이천 명, 삼천만 원."""
    for found in HANGUL_NUMERAL.finditer(text):
        if any(c in MYRIAD_UNITS for c in found[0]):
            yield _plain(_han_value(found[0])) + _unit(text, found.end())[0]


def _han_value(numeral: str) -> Decimal:
    """Return the value of a Han or Hangul numeral with units."""
    total, section, digit = 0, 0, 0
    for character in numeral:
        size = MYRIAD_UNITS.get(character, 0)
        if not size:
            digit = HAN_DIGITS.get(character) or HANGUL_DIGITS.get(character, 0)
        elif size < _SECTION:
            section, digit = section + (digit or 1) * size, 0
        else:
            total, section, digit = total + (section + digit or 1) * size, 0, 0
    return Decimal(total + section + digit)


def _plain(value: Decimal) -> str:
    """Return a decimal without exponent and trailing zeros."""
    if value == value.to_integral_value():
        return str(int(value))
    return format(value.normalize(), "f")
