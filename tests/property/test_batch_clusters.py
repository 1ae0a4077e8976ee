"""Clusters of a corpus: one result for every engine, block and thread, and every edge true."""

from importlib.util import find_spec
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.dedup import batch, batch_words
from pipeline.dedup.batch import BatchRules, cluster_articles, load_kernels
from pipeline.dedup.signatures import Recipe, _permutations, band_keys
from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.mixing import mix32
from tests.bench.truth import closure, shingle_sets

WORDS = st.sampled_from(
    ["a", "나", "시장은", "abcdefgh", "abcdefghi", "x" * 17, "y" * 64, "산책로를" * 9]
)
SPACES = st.sampled_from([" ", "  ", "\n", "\t ", "\0"])
CHARACTERS = st.characters(exclude_categories=("Cs",))
TEXTS = st.lists(
    st.lists(st.one_of(WORDS, st.text(CHARACTERS, max_size=12), SPACES), max_size=30).map(" ".join),
    max_size=6,
)


@pytest.fixture(scope="module", params=["numpy", "compiled"])
def kernels(request):
    if request.param == "numpy":
        return batch_words
    pytest.importorskip("numba")
    from pipeline.dedup import batch_kernels

    return batch_kernels


@pytest.fixture
def engines():
    before = chosen_engine()
    yield ["numpy", "compiled"] if find_spec("numba") else ["numpy"]
    choose_engine(before)


def flat(texts):
    encoded = [text.encode() for text in texts]
    bounds = np.append(0, np.cumsum([len(text) for text in encoded], dtype=np.int64))
    return np.frombuffer(b"".join(encoded), np.uint8), bounds.astype(np.int64)


def defined_hashes(text):
    return [batch_words.hash_word_shingle(words) for words in batch_words.word_shingles(text)]


@settings(deadline=None)  # the first example compiles
@given(texts=TEXTS)
@example(texts=["y" * n for n in range(60, 70)] + ["y" * n + " b c d" for n in range(54, 66)])
@example(texts=["", " ", "a", "a b", "a b c", "abcdefgh abcdefgh abcdefgh abcdefgh"])
def test_bucket_keys_are_those_of_the_definition(kernels, texts):
    multipliers, addends = _permutations(128, 1)
    signatures = np.full((len(texts), 128), 0xFFFFFFFF, np.uint32)
    for signature, text in zip(signatures, texts, strict=True):
        if hashes := defined_hashes(text):
            mixed = mix32(np.array(hashes, np.uint64).astype(np.uint32))
            signature[:] = (mixed[:, None] * multipliers + addends).min(axis=0)
    keys, counts = kernels.bucket_keys(*flat(texts), 32, 4)
    np.testing.assert_array_equal(keys.T, band_keys(signatures, Recipe()))
    assert counts.tolist() == [len(defined_hashes(text)) for text in texts]


@settings(deadline=None)  # the first example compiles
@given(texts=TEXTS)
@example(texts=["a b c a b c a b c", "", "a b c"])
def test_sets_are_those_of_the_definition(kernels, texts):
    utf8, bounds = flat(texts)
    counts = [len(defined_hashes(text)) for text in texts]
    starts = np.append(0, np.cumsum(counts)).astype(np.int64)
    hashes = np.zeros(starts[-1], np.uint64)
    wanted = np.arange(len(texts))
    sizes = kernels.text_sets(utf8, bounds, wanted, starts[:-1], hashes)
    for text, start, size in zip(texts, starts, sizes, strict=False):
        found = hashes[start : start + size].tolist()
        assert len(found) == len(set(found))
        assert set(found) == {max(one, 1) for one in defined_hashes(text)}


@settings(deadline=None)
@given(
    sets=st.lists(st.sets(st.integers(1, 12), min_size=1), min_size=2, max_size=8),
    least=st.sampled_from([0.3, 0.5, 2 / 3, 0.7, 1.0]),
)
def test_pairs_are_joined_at_the_threshold_and_above(kernels, sets, least):
    hashes = np.array([value for one in sets for value in one], np.uint64)
    sizes = np.array([len(one) for one in sets])
    starts = np.append(0, np.cumsum(sizes))
    pairs = list(combinations(range(len(sets)), 2))
    left, right = (np.array(ends) for ends in zip(*pairs, strict=True))
    parents = np.arange(len(sets))
    kernels.join_pairs(left, right, starts, sizes, hashes, least, parents)
    verified = [(a, b) for a, b in pairs if jaccard(sets[a], sets[b]) >= least]
    assert roots(parents.tolist()) == joined(len(sets), verified)


def jaccard(one, other):
    return len(one & other) / len(one | other)


def joined(n, pairs):
    label = list(range(n))
    for one, other in pairs:
        low, high = sorted((label[one], label[other]))
        label = [low if has == high else has for has in label]
    return label


def roots(parents):
    for _ in parents:
        parents = [parents[parent] for parent in parents]
    return parents


def news(n_articles, seed):
    """Texts of a hundred words; each third one an earlier one with up to 40 words exchanged."""
    rng = np.random.default_rng(seed)
    words = np.array([f"w{i}" for i in range(3_000)])
    texts = []
    for _ in range(n_articles):
        text = words[rng.integers(words.size, size=100)]
        if texts and rng.random() < 1 / 3:
            text = texts[rng.integers(len(texts))].copy()
            at = rng.integers(100, size=rng.integers(20))
            text[at] = words[rng.integers(words.size, size=at.size)]
        texts.append(text)
    return [" ".join(text) for text in texts]


def clusters(texts, rules, block=64):
    ids = pa.array([f"article-{i}" for i in range(len(texts))], pa.string())
    table = pa.table({"article_id": ids, "text": pa.array(texts, pa.string())})
    found = cluster_articles(lambda: table.to_batches(block), rules)
    assert found["article_id"].combine_chunks().equals(ids)
    return [int(label.partition("-")[2]) for label in found["cluster_id"].to_pylist()]


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 1000),
    block=st.integers(1, 300),
    n_threads=st.integers(1, 3),
    kept=st.sampled_from([0, 20_000, 1 << 30]),
)
def test_blocks_threads_and_memory_change_nothing(seed, block, n_threads, kept):
    texts = news(200, seed)
    plain = clusters(texts, BatchRules(n_threads=1), len(texts))
    rules = BatchRules(n_threads=n_threads, kept_text_bytes=kept)
    assert clusters(texts, rules, block) == plain


@pytest.mark.parametrize("kept", [0, 1 << 30])
def test_sets_that_are_made_in_parts_change_nothing(monkeypatch, engines, kept):
    texts, rooms = news(200, 7), []
    rules = BatchRules(kept_text_bytes=kept)
    plain = clusters(texts, rules)
    join = batch._join
    limit = "_SET_BYTES_AT_A_TIME" if kept else "_SET_BYTES_A_READING"
    monkeypatch.setattr(batch, limit, 10_000)
    monkeypatch.setattr(batch, "_join", lambda *given: rooms.append(join(*given)) or rooms[-1])
    for engine in engines:
        choose_engine(engine)
        rooms.clear()
        assert clusters(texts, rules) == plain
        # Small sets are made where larger ones were.
        assert 1 < len({id(room) for room in rooms}) < len(rooms)


@pytest.mark.parametrize("least", [0.5, 0.7, 0.8])
def test_every_engine_finds_the_closure(engines, least):
    texts = news(600, 7)
    true = closure(*shingle_sets(pa.chunked_array([texts])), least).tolist()
    for engine in engines:
        choose_engine(engine)
        found = clusters(texts, BatchRules(min_jaccard=least))
        # No edge below the threshold; at .5 one pair in seven has no bucket of 4 rows in common.
        assert all(true[i] == true[label] for i, label in enumerate(found))
        missed = sum(one != other for one, other in zip(found, true, strict=True))
        assert missed <= (0 if least >= 0.7 else 60)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), least=st.sampled_from([0.4, 0.7, 0.8, 1.0]))
def test_the_closure_is_that_of_all_pairs(seed, least):
    texts = news(30, seed)
    sets = [set(map(tuple, batch_words.word_shingles(text))) for text in texts]
    pairs = combinations(range(len(texts)), 2)
    verified = [(a, b) for a, b in pairs if jaccard(sets[a], sets[b]) >= least]
    found = closure(*shingle_sets(pa.chunked_array([texts])), least)
    assert found.tolist() == joined(len(texts), verified)


@pytest.mark.parametrize("texts", [[], [""], ["", " ", "a"], ["a", "a", "", ""]])
def test_articles_without_words_stay_alone(texts):
    expected = [i if not text.strip() else texts.index(text) for i, text in enumerate(texts)]
    assert clusters(texts, BatchRules()) == expected


def test_loading_the_kernels_changes_nothing(engines):
    for engine in engines:
        choose_engine(engine)
        load_kernels(10)
        assert clusters(["a b c d", "a b c d"], BatchRules()) == [0, 0]
