"""Dates and clock times inside a text, told apart from quantities.

A date is written `d:2026-03-04`, with what is missing left out as ISO 8601:2000 does:
`d:2026-03`, `d:2026`, `d:--03-04`, `d:--03`, `d:---04`. A time is `t:09:30` or `t:09`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from pipeline.text.lazy_pattern import lazy
from pipeline.text.number_words import MONTHS, alternatives

_MONTH = f"(?:{alternatives(MONTHS)})"
_ORDINAL = r"(?:st|nd|rd|th|er|\.|º|ª)?"

# One pattern a notation; tried in this order at the first digit of a number.
_CJK = lazy(
    r"(?:(?P<y>(?:1[89]|20)\d\d|\d{2}(?=\s?[년年]\s?\d{1,2}\s?[월月]))\s?[년年]\s?)?"
    r"(?:(?P<m>1[0-2]|0?[1-9])\s?[월月](?![가-힣]*급)\s?)?"
    r"(?:(?P<d>3[01]|[12]\d|0?[1-9])\s?[일日號号](?!\s?(?:간|째|동안|연속|만에|이상|이내|차|目|間|本|元|円)))?"
)
_YEAR_FIRST = lazy(r"(\d{4})[.\-/]\s?(1[0-2]|0?[1-9])[.\-/]\s?(3[01]|[12]\d|0?[1-9])(?!\d)")
_SHORT_YEAR = lazy(r"(\d\d)\.(1[0-2]|0[1-9])\.(3[01]|[12]\d|0[1-9])(?![.\d])")
_YEAR_LAST = lazy(r"(\d{1,2})([./-])(\d{1,2})\2((?:19|20)\d\d)(?!\d)")
_DAY_MONTH = lazy(
    rf"(\d{{1,2}}){_ORDINAL}\s(?:de\s|of\s)?({_MONTH})\b\.?(?:,?\s(?:de\s|del\s)?((?:19|20)\d\d)\b)?",
    re.IGNORECASE,
)
_AFTER_MONTH = lazy(
    r"(\d{1,2})(?:st|nd|rd|th)?(?![\d%]|[,.]\d)(?:,?\s((?:19|20)\d\d)\b)?", re.IGNORECASE
)
_BARE_YEAR = lazy(r"((?:19|20)\d\d)(?!\d|[.,]\d)")
_MONTH_BEFORE = lazy(rf"\b({_MONTH})\.?\s$", re.IGNORECASE)
_DAY_LIST = lazy(r"(\d{1,2})\s?[~∼〜·・,-]\s?(?=\d{1,2}\s?[일日])")

_CLOCK = lazy(r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?!\d)(\s?[ap]\.?m\b)?", re.IGNORECASE)
_CJK_TIME = lazy(
    r"(2[0-4]|1\d|0?\d)\s?[시時点點](?![간도장즌의민군청험설]|間)(?:\s?([0-5]?\d)\s?[분分](?!간|間))?"
)
_MERIDIEM = lazy(r"(1[0-2]|0?[1-9])\s?([ap])\.?m\b", re.IGNORECASE)
_MILITARY = lazy(r"([01]\d|2[0-3])([0-5]\d)(?=\s?(?:GMT|UTC|hrs|EST|EDT|CET|KST|JST)\b)")
_AFTERNOON = lazy(r"(?:오후|저녁|밤|午後|下午|晚上)\s?$")

_CJK_MARKS = frozenset("년年월月일日號号시時时点點")
_SEPARATORS = frozenset(".-/:~∼〜·・,")
_FIRST_UNSPACED = "\u1100"
"""No month is named in the scripts from Hangul on."""
_DAY_OF = lazy(r"d:(?:\d{4}|-)-(\d\d)?-(\d\d)")

_LOOK_BACK_CHARS = 16
"""No month name with its point and space is longer."""

_MODAL = ("may", "march")
"""Month names that are also English words when written small."""


def find_date(text: str, at: int) -> tuple[str, int] | None:
    """Return the date or time that starts with the digit at `at`, and where it ends.

    >>> find_date("2026년 3월 4일 오전", 0), find_date("오후 9시30분", 3)
    (('d:2026-03-04', 11), ('t:21:30', 8))
    """
    end = at + 1
    while end - at < 5 and text[end : end + 1].isdecimal():
        end += 1
    if end - at > 4:
        return None
    mark = text[end : end + 1]
    if mark == " ":
        mark = text[end + 1 : end + 2]
    # Most numbers are followed by no sign of a date: one look saves a dozen patterns.
    found = None
    if mark in _CJK_MARKS:
        found = _cjk_date(text, at) or _time(text, at)
    elif mark in _SEPARATORS:
        found = _numeric_date(text, at) or _time(text, at) or _cjk_date(text, at)
        found = found or _day_month(text, at)
    elif mark.isalpha() and mark < _FIRST_UNSPACED:
        found = _day_month(text, at) or _time(text, at)
    return found or _after_month(text, at)


def bare_year(text: str, at: int) -> tuple[str, int] | None:
    """Return a four-digit number from 1900 to 2099 as a year, for one that nothing follows."""
    found = _BARE_YEAR.match(text, at)
    return (f"d:{int(found[1])}", found.end()) if found else None


def are_dates_apart(left: Iterable[str], right: Iterable[str]) -> bool:
    """Return whether both sides name days and none of them is within a day of the other's.

    One day is let pass: a paper that prints the next morning moves "today" by one.

    >>> are_dates_apart(["d:1987-03-31"], ["d:--04-06"]), are_dates_apart(["d:---28"], ["d:---29"])
    (True, False)
    """
    left_days, right_days = _days(frozenset(left)), _days(frozenset(right))
    if not left_days or not right_days:
        return False
    if not left_days.isdisjoint(right_days):
        return False
    has_months = all(month for month, _ in left_days | right_days)
    if has_months:
        left_ordinals = {month * 31 + day for month, day in left_days}
        right_ordinals = {month * 31 + day for month, day in right_days}
        cycle = 12 * 31
    else:
        left_ordinals = {day for _, day in left_days}
        right_ordinals = {day for _, day in right_days}
        cycle = 31
    gaps = [abs(a - b) for a in left_ordinals for b in right_ordinals]
    return min(min(gap, cycle - gap) for gap in gaps) > 1


@lru_cache(maxsize=1 << 12)
def _days(dates: frozenset[str]) -> frozenset[tuple[int, int]]:
    """Return (month, day) of the dates that name a day; month 0 where it is left out."""
    days = set()
    for date in dates:
        if found := _DAY_OF.fullmatch(date):
            days.add((int(found[1] or 0), int(found[2])))
    return frozenset(days)


def _iso(year: int | None, month: int | None, day: int | None) -> str:
    """Return the truncated ISO form of what is known."""
    if year is not None and year < 100:
        year += 2000 if year < 70 else 1900
    parts = f"{year:04d}" if year is not None else "-"
    if month is not None:
        parts += f"-{month:02d}"
    elif day is not None:
        parts += "-"
    return "d:" + parts + (f"-{day:02d}" if day is not None else "")


def _numeric_date(text: str, at: int) -> tuple[str, int] | None:
    """Read 2026-03-04, 26.03.04, 04/03/2026."""
    if found := _YEAR_FIRST.match(text, at) or _SHORT_YEAR.match(text, at):
        return _iso(int(found[1]), int(found[2]), int(found[3])), found.end()
    found = _YEAR_LAST.match(text, at)
    if not found:
        return None
    first, second = int(found[1]), int(found[3])
    # 03/04/2026 alone cannot be decided: month first with slashes, day first otherwise.
    month, day = (first, second) if found[2] == "/" and first <= 12 else (second, first)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return _iso(int(found[4]), month, day), found.end()


def _cjk_date(text: str, at: int) -> tuple[str, int] | None:
    """Read 2026년 3월 4일 and its parts, in Hangul and Han."""
    found = _CJK.match(text, at)
    if found and found.end() > at:
        year, month, day = (int(v) if v else None for v in found.group("y", "m", "d"))
        end = at + len(found[0].rstrip())
        return _iso(year, month, day), end
    days = _DAY_LIST.match(text, at)
    if days and 1 <= int(days[1]) <= 31:
        return _iso(None, None, int(days[1])), days.end(1)
    return None


def _day_month(text: str, at: int) -> tuple[str, int] | None:
    """Read a day before the month's name: 4 de marzo de 2026, 4 March 2026."""
    found = _DAY_MONTH.match(text, at)
    if not found or found[2] in _MODAL or not 1 <= int(found[1]) <= 31:
        return None
    year = int(found[3]) if found[3] else None
    return _iso(year, MONTHS[found[2].lower()], int(found[1])), found.end()


def _after_month(text: str, at: int) -> tuple[str, int] | None:
    """Read a day or year after the month's name: March 4, 2026, March 2026."""
    if at < 4 or not text[at - 1].isspace():
        return None
    last = text[at - 3] if text[at - 2] == "." else text[at - 2]
    if not last.isalpha() or last >= _FIRST_UNSPACED:
        return None
    before = _MONTH_BEFORE.search(text[max(0, at - _LOOK_BACK_CHARS) : at])
    if not before or before[1] in _MODAL:
        return None
    month = MONTHS[before[1].lower()]
    found = _AFTER_MONTH.match(text, at)
    if found and 1 <= int(found[1]) <= 31:
        return _iso(int(found[2]) if found[2] else None, month, int(found[1])), found.end()
    year_only = _BARE_YEAR.match(text, at)
    return (_iso(int(year_only[1]), month, None), year_only.end()) if year_only else None


def _time(text: str, at: int) -> tuple[str, int] | None:
    """Read 09:30, 9:30 p.m., 오후 9시 30분, 午後9時, 1400 GMT."""
    if found := _CLOCK.match(text, at):
        is_later = bool(found[3]) and "p" in found[3].lower()
        return _clock(int(found[1]), found[2], is_later), found.end()
    if found := _CJK_TIME.match(text, at):
        is_later = bool(_AFTERNOON.search(text[max(0, at - 4) : at]))
        return _clock(int(found[1]), found[2], is_later), found.end()
    if found := _MERIDIEM.match(text, at):
        return _clock(int(found[1]), None, found[2].lower() == "p"), found.end()
    if found := _MILITARY.match(text, at):
        return _clock(int(found[1]), found[2], False), found.end()
    return None


def _clock(hour: int, minute: str | None, is_later: bool) -> str:
    """Return t:HH or t:HH:MM on the 24-hour clock."""
    if is_later and hour < 12:
        hour += 12
    return f"t:{hour:02d}" + (f":{int(minute):02d}" if minute else "")
