"""Short ways of parsing give what the long ones give, and parts of a batch what the whole gives."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, timedelta, timezone

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import conform
from pipeline.interim import READ
from pipeline.sources import dates, urls
from pipeline.sources.documents import Envelope, ReadBatch
from pipeline.sources.formats.slices import Slice
from pipeline.sources.options import ReadOptions
from pipeline.sources.parse import join_parsed, parse

QUERIES = st.lists(
    st.sampled_from(["a", "b", "A", "1", "-", "_", ".", "=", "=", "&", "&", "utm_", "fbclid", "~"]),
    max_size=14,
).map("".join)
PATHS = st.sampled_from(["", "/", "/a", "/a/b.html", "/a-b/~c/", "/a//b"])


@given(st.sampled_from(["http://", "https://www."]), PATHS, QUERIES)
def test_a_plain_address_has_the_key_that_w3lib_gives(scheme: str, path: str, query: str) -> None:
    url = f"{scheme}a.example{path}?{query}"
    assert urls.url_key(url) == urls._normal_key(url)


HOSTS = st.sampled_from(
    [
        "a.example",
        "www.a.example",
        "www.com",
        "www.www.a.b",
        "WWW.a.example",
        "a",
        "a..b",
        "www.a/.",
    ]
)


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(max_size=12),
            st.tuples(
                st.sampled_from(["http://", "https://", "https:", " https://"]),
                HOSTS,
                PATHS,
                st.sampled_from(["", "?", "#"]),
                QUERIES,
            ).map("".join),
        ),
        max_size=5,
    )
)
def test_addresses_of_a_column_have_the_keys_of_each(addresses: list[str | None]) -> None:
    addresses = [a and a.encode("utf-8", "replace").decode() for a in addresses]
    keys = urls.url_keys(pa.array(addresses, pa.string())).to_pylist()
    assert keys == [urls.url_key(address) if address else None for address in addresses]


@given(
    st.one_of(
        st.datetimes(timezones=st.sampled_from([timezone(timedelta(hours=9)), UTC])).map(
            lambda at: at.isoformat(timespec="seconds")
        ),
        st.from_regex(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[Z+-][0-9:.]{0,6}"),
        st.from_regex(r".{4}-.{2}-.{2}T.{2}:.{2}:.{2}Z", fullmatch=True),
    )
)
def test_a_full_iso_date_is_read_as_by_the_pattern(text: str) -> None:
    found = dates._from_full_iso(text)
    assert found is None or found == dates._from_iso(text)


RECORDS = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"id": st.sampled_from("abc"), "text": st.sampled_from(["", "x", "가\x00", "y"])},
            optional={"title": st.just("t"), "keywords": st.sampled_from(["1", "2"])},
        ).map(json.dumps),
        st.sampled_from(["{", "[1]", '{"text": "\\ud800"}']),
    ),
    max_size=12,
)


@given(RECORDS, st.data())
def test_parts_of_a_batch_give_what_the_whole_gives(
    records: list[str], draw: st.DataObject
) -> None:
    documents = read(records)
    cuts = draw.draw(st.lists(st.integers(0, len(documents)), max_size=4).map(sorted))
    bounds = [0, *cuts, len(documents)]
    parts = [documents.slice(a, b - a) for a, b in itertools.pairwise(bounds)]
    whole, joined = parse(documents), join_parsed([parse(part) for part in parts])
    assert all(a.equals(b) for a, b in zip(whole, joined, strict=True))


def read(records: list[str]) -> pa.Table:
    """Return READ of these lines; of the same bytes there are as many rows."""
    envelope = Envelope("a.jsonl", "local", "jsonl", "utf-8", ReadOptions().for_parsing())
    batch = ReadBatch(100, 1 << 20)
    for position, record in enumerate(records, start=1):
        batch.add(envelope, Slice(position, record.encode()))
    return conform(batch.take(), READ)
