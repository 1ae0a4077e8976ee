"""Times read and written by columns are those that are read one by one."""

from datetime import timedelta, timezone

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.sources.dates import read_date
from pipeline.sources.iso_times import Times, read_iso_times

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
written = st.datetimes(timezones=offsets).map(lambda at: at.isoformat(timespec="seconds"))
digits = st.text("0123456789", min_size=2, max_size=2)
loose = st.tuples(*[digits] * 6, st.sampled_from(["Z", "z", "", "+09:00", "-24:10", "+0900"])).map(
    lambda parts: "20{}-{}-{}T{}:{}:{}{}".format(*parts)
)


@given(st.lists(written | loose | st.text(max_size=25), max_size=6))
@example(["2024-02-29T23:59:59+00:00", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z"])
@example(["2025-12-31T23:59:60Z", "2025-12-31T24:00:00Z", "2025-13-01T00:00:00Z"])
@example(["1900-01-01T00:00:00+23:59", "2199-12-31T23:59:59-23:59", "2200-01-01T00:00:00Z"])
def test_times_of_a_column_are_those_of_each(texts):
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    utf8 = np.frombuffer("".join(texts).encode(), np.uint8)
    ends = np.cumsum([len(text.encode()) for text in texts], dtype=np.int64)
    starts = np.append(0, ends[:-1]) if texts else ends
    seconds, is_read = read_iso_times(utf8, starts, ends)
    own = [text for text, read in zip(texts, is_read, strict=True) if read]
    found = Times.to_the_second(seconds[is_read])
    expected = Times.of([read_date(text, "Asia/Seoul") for text in own])
    assert [column.to_pylist() for column in found] == [c.to_pylist() for c in expected]
    assert [column.type for column in found] == [c.type for c in expected]


def test_most_feeds_are_read_by_columns():
    texts = ["2026-03-02T09:30:00Z", "2026-03-02T09:30:00+09:00", "2026-03-02 09:30"]
    ends = np.cumsum([len(text) for text in texts])
    utf8 = np.frombuffer("".join(texts).encode(), np.uint8)
    _, is_read = read_iso_times(utf8, np.append(0, ends[:-1]), ends)
    assert is_read.tolist() == [True, True, False]
