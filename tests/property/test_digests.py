"""Digests of many messages: those of hashlib, in both engines."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.sources.documents import Envelope, ReadBatch
from pipeline.sources.formats.slices import Run, Slice
from pipeline.text.digests import digests, short_digests
from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.utf8 import Utf8

pytest.importorskip("numba")

# A block has 128 bytes, a word eight; sixteen messages are worked on together.
SIZES = st.one_of(st.integers(0, 40), st.sampled_from([127, 128, 129, 255, 256, 257, 1024, 5000]))
PURPOSES = st.sampled_from([b"", b"unecho.content", b"sixteen bytes it"])
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def engine() -> Iterator[None]:
    """Give the engine back that was chosen."""
    before = chosen_engine()
    choose_engine("compiled")
    digests(utf8_of([b"loads the kernel: no example is charged for it"]))
    yield
    choose_engine(before)


def utf8_of(messages: list[bytes], before: bytes = b"", after: bytes = b"") -> Utf8:
    offsets = np.cumsum([len(before), *map(len, messages)])
    return Utf8(np.frombuffer(before + b"".join(messages) + after, np.uint8), offsets)


def hashed(messages: list[bytes], purpose: bytes = b"") -> list[bytes]:
    return [blake2b(m, digest_size=16, person=purpose).digest() for m in messages]


@given(st.lists(SIZES, max_size=40), PURPOSES, SEEDS, st.sampled_from([b"", b"before"]))
@example([], b"", 1, b"")
@example([0], b"", 1, b"")
@example(list(range(1300)), b"unecho.url", 1, b"x")
@example([65_535, 200_000, 3, 65_536, 65_537, 0], b"", 1, b"")
def test_every_digest_is_that_of_hashlib(
    sizes: list[int], purpose: bytes, seed: int, around: bytes
) -> None:
    random = np.random.default_rng(seed)
    messages = [random.bytes(size) for size in sizes]
    for after in (b"", around):
        found = digests(utf8_of(messages, around, after), purpose)
        assert found.to_pylist() == hashed(messages, purpose)
        short = [blake2b(m, digest_size=8).digest() for m in messages]
        assert short_digests(utf8_of(messages, around, after)).tobytes() == b"".join(short)


def test_the_plain_engine_gives_the_same() -> None:
    choose_engine("numpy")
    messages = [b"", b"a", b"b" * 200]
    assert digests(utf8_of(messages), b"p").to_pylist() == hashed(messages, b"p")
    short = [blake2b(m, digest_size=8).digest() for m in messages]
    assert short_digests(utf8_of(messages)).tobytes() == b"".join(short)
    assert len(digests(utf8_of([]))) == 0


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_a_document_is_known_by_how_it_is_read_and_its_bytes(engine: str) -> None:
    choose_engine(engine)
    comma, tab = (
        Envelope("a.csv", "local", "csv", "utf-8", (("delimiter", d),), b"id,text") for d in ",\t"
    )
    batch = ReadBatch(100, 1 << 20)
    batch.add(comma, Run(1, [b"1,a", b"2,b"]))
    batch.add(tab, Slice(1, b"1,a"))
    batch.add(comma, Slice(4, b""))
    read = batch.take()
    expected = []
    for row in read.to_pylist():
        head = [row["header"], b"csv", b"utf-8", row["parse_options"].encode()]
        message = b"".join(len(part).to_bytes(8, "little") + part for part in head)
        expected += hashed([message + row["content"]], b"unecho.document")
    assert read["document_id"].to_pylist() == expected == sorted(expected)
    assert sorted(read["content"].to_pylist()) == [b"", b"1,a", b"1,a", b"2,b"]
    assert read["n_bytes"].to_pylist() == [len(c) for c in read["content"].to_pylist()]
