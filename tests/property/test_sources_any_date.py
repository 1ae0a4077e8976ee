"""Dates written by the usual writers come back, and no text raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.dates import read_date

OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda n: timezone(timedelta(minutes=15 * n)))
TIMES = st.datetimes(
    datetime(1900, 1, 2),  # noqa: DTZ001 (the zone is the strategy's)
    datetime(2199, 12, 30),  # noqa: DTZ001
    timezones=OFFSETS,
)


@given(TIMES)
def test_iso_with_offset(at: datetime) -> None:
    wanted = at.astimezone(UTC).replace(tzinfo=None)
    assert read_date(at.isoformat(), "Asia/Seoul") == (wanted, "second")
    assert read_date(at.isoformat(" "), "Asia/Seoul") == (wanted, "second")
    assert read_date(at, "Asia/Seoul") == (wanted, "second")


@given(TIMES)
def test_rfc_2822(at: datetime) -> None:
    at = at.replace(microsecond=0)
    wanted = at.astimezone(UTC).replace(tzinfo=None)
    assert read_date(format_datetime(at), "Asia/Seoul") == (wanted, "second")


@given(TIMES)
def test_korean(at: datetime) -> None:
    at = at.replace(second=0, microsecond=0, tzinfo=None)
    half = "오전" if at.hour < 12 else "오후"
    hour = at.hour % 12 or 12
    words = f"{at.year}년 {at.month}월 {at.day}일 {half} {hour}시 {at.minute}분"
    dots = f"{at:%Y.%m.%d}. {half} {hour}:{at:%M}"
    assert read_date(words, "UTC") == read_date(dots, "UTC") == (at, "minute")


@given(
    st.one_of(
        st.text(max_size=60),
        st.from_regex(r"[0-9:./ 년월일TZ+-]{1,30}"),
        st.integers(),
        st.floats(),
    )
)
def test_nothing_raises_and_what_is_read_is_a_time(value: object) -> None:
    at, precision = read_date(value, "Asia/Seoul")
    assert (at is None) == (precision in (None, "unparsed"))
    assert at is None or at.tzinfo is None
