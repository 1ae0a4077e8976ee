"""Dates as newsrooms write them, read strictly: what is not a date stays unread.

Nothing is guessed: no missing part is filled from today, no order of day and month is chosen
(`03/04/2026` stays unread, `23/04/2026` has only one reading), no unknown time zone is dropped.
"""

from __future__ import annotations

import calendar
import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from pipeline.text.lazy_pattern import lazy


class Moment(NamedTuple):
    """A time in naive UTC and how precise it was given: second, minute, day, or unparsed."""

    at: datetime | None
    precision: str | None


NO_DATE = Moment(None, None)
UNPARSED = Moment(None, "unparsed")

_Found = tuple[datetime, str]

_ARABIC_DIGITS = {0x660 + i: str(i) for i in range(10)} | {0x6F0 + i: str(i) for i in range(10)}
_FULL_WIDTH = {0xFF10 + i: str(i) for i in range(10)} | {0xFF1A: ":", 0xFF0F: "/", 0x3000: " "}
_DIGITS = str.maketrans({chr(k): v for k, v in (_ARABIC_DIGITS | _FULL_WIDTH).items()})

# Offsets that mean one thing in news; CST, IST or BST mean several and are not read.
_ZONES = {
    **dict.fromkeys(("z", "utc", "gmt", "ut"), 0),
    **dict.fromkeys(("kst", "jst"), 540),
    **dict.fromkeys(("cet",), 60),
    **dict.fromkeys(("cest",), 120),
    # RFC 2822, section 4.3.
    **{"est": -300, "edt": -240, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420},
}
_ZONE_NAMES = "|".join(sorted(_ZONES, key=len, reverse=True))

_LABELS = lazy(
    r"^(?:(?:기사)?(?:최초|최종)?\s*(?:입력|수정|승인|등록|송고|발행|게재|업데이트)(?:일시?|시간)?"
    r"|published|updated|posted|date)\s*[:|]?\s*",
    re.IGNORECASE,
)

_ZONE = rf"\(?(?P<zone>[+-]\d{{2}}:?\d{{2}}|(?:{_ZONE_NAMES})\b)?\)?"
_CLOCK = (
    r"(?P<half>오전|오후|午前|午後|上午|下午|am|pm)?\s*"
    r"(?P<hour>\d{1,2})\s*(?::|시|時|时|點|点)\s*"
    r"(?:(?P<minute>\d{1,2})\s*(?:분|分)?\s*"
    r"(?::?\s*(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?\s*(?:초|秒)?)?)?"
    r"\s*(?P<half_after>am|pm)?"
)
_WEEKDAY = (
    r"(?:\s*[(（]?"
    r"(?:[월화수목금토일月火水木金土日](?:요일|曜日)?|mon|tue|wed|thu|fri|sat|sun)[)）]?)?"
)
_NUMERIC = lazy(
    r"(?P<year>\d{4})\s*(?:[-./]|년|年)\s*(?P<month>\d{1,2})\s*(?:[-./]|월|月)\s*"
    r"(?P<day>\d{1,2})\s*(?:[.,]|일|日)?" + _WEEKDAY + rf"(?:[\sT,]*{_CLOCK}\s*{_ZONE})?",
    re.IGNORECASE,
)
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
# VMS style, as in the Reuters collections: 26-FEB-1987 15:10:44.60
_NAMED_MONTH = lazy(
    rf"(?P<day>\d{{1,2}})[- ](?P<name>{'|'.join(_MONTHS)})[a-z]*[- ](?P<year>\d{{4}})"
    rf"(?:[\s,]*{_CLOCK}\s*{_ZONE})?",
    re.IGNORECASE,
)
_COMPACT = lazy(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")
_ISO_BEGINNING = lazy(
    r"(?:\d{4}-\d{2}-\d{2}|\d{8}(?=T))"
    r"(?P<clock>[T ]\d{2}(?P<minute>:?\d{2})?(?P<second>:?\d{2})?)?"
)
_FULL_ISO_OFFSETS = frozenset("Z+-")
_RFC_2822 = lazy(
    r"(?:[a-z]{3},\s*)?\d{1,2} [a-z]{3} \d{4} \d{1,2}:\d{2}(?P<second>:\d{2})?\s*"
    rf"(?:[+-]\d{{4}}|(?P<zone>{_ZONE_NAMES}))?(?:\s*\([a-z ]+\))?",
    re.IGNORECASE,
)
_AMBIGUOUS = lazy(r"(?<!\d)(\d{1,2})[-./](\d{1,2})[-./]\d{4}(?!\d)")
_HAS_YEAR = lazy(r"(?<!\d)(?:1[89]|20|21)\d{2}(?!\d)")


def read_date(value: object, timezone_name: str) -> Moment:
    """Return the moment that a value names, in naive UTC.

    A date without an offset is read in `timezone_name`; a bare day is its midnight there. Texts,
    epoch seconds to nanoseconds, `date` and `datetime` are read; None and empty text are no
    date, anything else is `unparsed`.
    """
    if value is None or value == "":
        return NO_DATE
    if isinstance(value, str):
        return _read_text(value, timezone_name)
    try:
        return _in_utc(_read_value(value), timezone_name)
    except (ValueError, OverflowError):
        return UNPARSED


@lru_cache(maxsize=65536)
def _read_text(text: str, timezone_name: str) -> Moment:
    text = text.strip()
    if not text:
        return NO_DATE
    if len(text) > 100:
        return UNPARSED
    try:
        found = _from_full_iso(text) or _parse(text)
        return _in_utc(found, timezone_name)
    except (ValueError, OverflowError):
        return UNPARSED


def _in_utc(found: _Found | None, timezone_name: str) -> Moment:
    if found is None:
        return UNPARSED
    at, precision = found
    if at.tzinfo is None:
        at = at.replace(tzinfo=zoneinfo.ZoneInfo(timezone_name))
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return Moment(at.replace(tzinfo=None), precision)


def _read_value(value: object) -> _Found | None:
    if isinstance(value, datetime):
        return value, "second"
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day), "day"  # noqa: DTZ001 (zone follows)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not value.is_integer():
        return _from_epoch(value)
    return _from_digits(str(int(value)))


def _parse(text: str) -> _Found | None:
    """Return the first reading, most common and strictest first."""
    found = _from_iso(text)
    if found:
        return found
    text = " ".join(text.translate(_DIGITS).split())
    text = _LABELS.sub("", text, count=1)
    readers: tuple[Callable[[str], _Found | None], ...] = (
        _from_iso,
        _from_number,
        _from_numeric,
        _from_named_month,
        _from_rfc_2822,
        _from_anything_else,
    )
    for read in readers:
        found = read(text)
        if found:
            return found
    return None


def _from_full_iso(text: str) -> _Found | None:
    """Return what `_from_iso` reads of the form of most feeds, 2026-03-02T09:30:00 and an offset.

    The signs in their places are enough: `fromisoformat` takes nothing but digits between them.
    """
    if text[4:17:3] != "--T::" or text[19:20] not in _FULL_ISO_OFFSETS:
        return None
    try:
        return datetime.fromisoformat(text), "second"
    except ValueError:
        return None


def _from_iso(text: str) -> _Found | None:
    shape = _ISO_BEGINNING.match(text)
    if not shape:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not shape["clock"]:
        return at, "day"
    return at, "second" if shape["second"] else "minute"


def _from_number(text: str) -> _Found | None:
    if text.isascii() and text.isdigit():
        return _from_digits(text)
    if re.fullmatch(r"\d{9,10}\.\d+", text):
        return _from_epoch(float(text))
    return None


def _from_digits(digits: str) -> _Found | None:
    """Return what a run of digits means: yyyymmdd[hhmm[ss]], or time since 1970 by its length."""
    if len(digits) in (8, 12, 14) and (found := _from_compact(digits)):
        return found
    # Seconds from 1973 to 2286, milliseconds from 2001, microseconds, nanoseconds.
    scale = {9: 1, 10: 1, 13: 10**3, 16: 10**6, 19: 10**9}.get(len(digits))
    return _from_epoch(int(digits) / scale) if scale else None


def _from_epoch(seconds: float) -> _Found | None:
    if not 10**8 <= seconds < 10**10:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(seconds, 6)), "second"


def _from_compact(digits: str) -> _Found | None:
    shape = _COMPACT.fullmatch(digits)
    if not shape:
        return None
    numbers = [int(n) for n in shape.groups() if n]
    try:
        at = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 (zone follows)
    except ValueError:
        return None
    precision = {3: "day", 5: "minute", 6: "second"}[len(numbers)]
    return (at, precision) if 1800 <= at.year <= 2199 else None


def _from_numeric(text: str) -> _Found | None:
    shape = _NUMERIC.fullmatch(text)
    return _from_parts(shape, int(shape["month"])) if shape else None


def _from_named_month(text: str) -> _Found | None:
    shape = _NAMED_MONTH.fullmatch(text)
    return _from_parts(shape, _MONTHS[shape["name"].lower()]) if shape else None


def _from_parts(shape: re.Match[str], month: int) -> _Found:
    day = datetime(int(shape["year"]), month, int(shape["day"]))  # noqa: DTZ001 (zone follows)
    if shape["hour"] is None:
        return day, "day"
    hour = int(shape["hour"])
    half = (shape["half"] or shape["half_after"] or "").lower()
    if half in ("오후", "午後", "下午", "pm") and hour < 12:
        hour += 12
    elif half in ("오전", "午前", "上午", "am") and hour == 12:
        hour = 0
    micros = int((shape["fraction"] or "").ljust(6, "0")[:6])
    at = day.replace(
        hour=hour,
        minute=int(shape["minute"] or 0),
        second=int(shape["second"] or 0),
        microsecond=micros,
        tzinfo=_zone(shape["zone"]),
    )
    return at, "second" if shape["second"] else "minute"


def _zone(name: str | None) -> tzinfo | None:
    if not name:
        return None
    if name.lower() in _ZONES:
        return timezone(timedelta(minutes=_ZONES[name.lower()]))
    digits = name.replace(":", "")
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))


def _from_rfc_2822(text: str) -> _Found | None:
    shape = _RFC_2822.fullmatch(text)
    if not shape:
        return None
    at = parsedate_to_datetime(text)
    if shape["zone"]:
        at = at.replace(tzinfo=_zone(shape["zone"]))
    return at, "second" if shape["second"] else "minute"


def _from_anything_else(text: str) -> _Found | None:
    """Return what dateutil reads, if it reads the same whatever it would fill gaps with."""
    ambiguous = _AMBIGUOUS.search(text)
    if not _HAS_YEAR.search(text) or (ambiguous and max(map(int, ambiguous.groups())) <= 12):
        return None
    from dateutil import parser as dateutil_parser  # costs 30 ms that most dates do not need

    readings = []
    for filler in (datetime(2001, 1, 1), datetime(2002, 2, 2, 2, 2, 2, 2)):  # noqa: DTZ001
        try:
            readings.append(dateutil_parser.parse(text, default=filler, tzinfos=_named_zone))
        except (ValueError, OverflowError):
            return None
    first, second = readings
    if first.date() != second.date():
        return None
    if first.hour != second.hour:
        return first.replace(hour=0, minute=0, second=0, microsecond=0), "day"
    if first.second != second.second:
        return first.replace(second=0, microsecond=0), "minute"
    return first, "second"


def _named_zone(name: str | None, offset_seconds: int | None) -> tzinfo | None:
    """Return the zone for dateutil, which would otherwise drop a name that it does not know."""
    if offset_seconds is not None:
        return timezone(timedelta(seconds=offset_seconds))
    if name is not None and name.lower() not in _ZONES:
        raise ValueError(name)
    return _zone(name)
