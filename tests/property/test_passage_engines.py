"""Passages of the compiled engine: those of the plain one, for any paragraphs."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.dedup.passage_hashes import paragraph_hashes
from pipeline.dedup.passages import PassageRules, find_passages
from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.normalise import key_hash, make_key

pytest.importorskip("numba")

WORDS = st.sampled_from(
    [
        "가나다라",
        "말했다",
        "the",
        "tram",
        "漢字",
        "−5",
        "3.5%",
        "ไทย",
        "\u0301",
        "\u11a8",
        "\u3099か",
        "",
    ]
)
PARAGRAPHS = st.lists(WORDS, max_size=30).map(" ".join)
ARTICLES = st.lists(st.lists(PARAGRAPHS, min_size=1, max_size=5), max_size=5)


@pytest.fixture(autouse=True)
def engine_of_the_process():
    before = chosen_engine()
    by_engine([["a"]], PassageRules())  # loads the kernel: no example is charged for it
    yield
    choose_engine(before)


def table(articles):
    rows = [
        (number.to_bytes(16), text, key_hash(make_key(text)), "kept")
        for number, texts in enumerate(articles)
        for text in texts
    ]
    types = (pa.binary(16), pa.large_string(), pa.binary(16), pa.string())
    names = ("article_id", "text", "key_hash", "status")
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    return pa.table(
        {n: pa.array(list(c), t) for n, c, t in zip(names, columns, types, strict=True)}
    )


def by_engine(articles, rules):
    found = []
    for engine in ("numpy", "compiled"):
        choose_engine(engine)
        found.append(find_passages(table(articles), rules))
    return found


@given(ARTICLES, st.sampled_from([1, 3, 10, 40]), st.sampled_from([1, 2, 7, 96]))
@example([["가나다라 " * 20, "\u0301 " + "tram " * 20], ["가", "\u11a8나"], ["漢字 " * 30]], 3, 7)
@example([["the tram", "−5 " + "the " * 10, "5", "가나", "3.5%"]], 1, 2)
def test_both_engines_find_the_same_passages(articles, min_key_chars, window):
    rules = PassageRules(min_key_chars=min_key_chars, window=window)
    plain, compiled = by_engine(articles, rules)
    assert compiled.equals(plain)


def test_both_engines_agree_on_long_texts_with_repeats():
    rng = np.random.default_rng(4)
    words = ["가나다", "라마", "bus", "12", "漢字", "다"]
    articles = [
        [" ".join(rng.choice(words, n)) for n in rng.integers(1, 400, 4)] for _ in range(40)
    ]
    articles += [["가나다라 " * 3000], ["a" * 500], ["다"], [""]]
    plain, compiled = by_engine(articles, PassageRules())
    assert compiled.equals(plain)
    assert pa.compute.sum(pa.compute.list_value_length(plain["passages"])).as_py() > 500


def test_paragraph_hashes_are_among_the_passages():
    choose_engine("compiled")
    text = "가나다라마바사 " * 10
    found = find_passages(table([[text]]), PassageRules())["passages"].to_pylist()[0]
    whole = paragraph_hashes(pa.array([key_hash(make_key(text))], pa.binary(16)))[0]
    assert int(whole) in found
