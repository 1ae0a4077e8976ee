"""The sieve before the rules for repeats lets through every article that they find anything in."""

import hashlib
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.dedup.near_repeats import covered_shares
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.dedup.repeat_sieve import (
    compiled_says_again,
    may_repeat,
    own_openings,
    plain_own_openings,
    plain_says_again,
    suspects,
)
from pipeline.dedup.repeats import find_repeats, repeats_of
from pipeline.dedup.sentence_repeats import may_repeat_sentences
from pipeline.interim import PARSED
from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.paragraphs import split_paragraphs
from pipeline.text.script import script_classes
from pipeline.text.shingles import PARAGRAPH
from pipeline.text.utf8 import Utf8

PIECES = [
    "나래시는 내년 3월부터 마을버스 12개 노선의 배차 간격을 15분에서 10분으로 줄인다고 밝혔다.",
    "나래시는 내년 3월부터 마을버스 13개 노선의 배차 간격을 15분에서 10분으로 줄인다고 했다.",
    "예산은 시의회 심의를 거쳐 12월에 확정된다.",
    "The council agreed on Tuesday to dig a second tunnel under the harbour of Narae by 2031.",
    "The council agreed on Tuesday to dig a second tunnel under the port of Narae by 2031!",
    "Ferry operators warned that 85 jobs would be lost once cars no longer queue for boats",
    "月見市は4日、川沿いの桜並木に新しい歩道橋を架けると発表した。",
    "पुल पर नए दीये लगाए जाएँगे और नदी के किनारे रास्ता बनेगा।",
    "สะพานใหม่ข้ามแม่น้ำจะเปิดในเดือนหน้าและมีทางเดินกว้าง",
    "Ẽsta é a pönte nôva sôbre o rio, que abrirá em março.",
    "€5 £3 ½ 🌉🌁 𠀋𠮷 ①②",
    "　",
    "* * *",
]
JOINTS = [" ", "\n", "\n\n", "\u3000", "\xa0 ", "  \t ", ". ", "。", "", " " * 70]

bodies = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(PIECES),
            st.text(st.sampled_from("가나다abc 12.,!。\u3000\u00e9\u0301🌉"), max_size=60),
        ),
        st.sampled_from(JOINTS),
    ),
    max_size=12,
).map(lambda parts: "".join(piece + joint for piece, joint in parts))


@pytest.fixture(params=["numpy", "compiled"])
def engine(request):
    if request.param == "compiled":
        pytest.importorskip("numba")
    before = chosen_engine()
    choose_engine(request.param)
    yield request.param
    choose_engine(before)


def spans_of(texts):
    rows = []
    for number, text in enumerate(texts):
        row = {
            field.name: hashlib.blake2b(bytes([number]), digest_size=16).digest()
            for field in PARSED.schema
            if field.type == pa.binary(16)
        }
        rows.append(row | {"source_id": "narae", "original_text": text})
    return split_paragraphs(pa.Table.from_pylist(rows, schema=PARSED.schema))


@pytest.mark.parametrize(
    "rules",
    [RepeatRules(), RepeatRules(min_near_chars=8, min_long_chars=9, long_jaccard=0.5)],
    ids=["usual", "loose"],
)
def test_what_the_sieve_lets_through_repeats_as_all_articles_do(engine, rules):
    @given(st.lists(bodies, max_size=5))
    @settings(max_examples=150, deadline=None)
    @example([PIECES[0] + " " + PIECES[0]])
    @example(["\n".join(PIECES), "\n".join(PIECES[:2] * 2), PIECES[6] * 2 + PIECES[2]])
    @example([PIECES[5] + " " + PIECES[5]])
    @example([f"{PIECES[3]}{' ' * 90}{PIECES[3]} {PIECES[4]}"])
    def check(texts):
        spans = spans_of(texts)
        assert find_repeats(spans, rules).equals(repeats_of(spans, rules))

    check()


def test_texts_that_may_say_something_twice_pass(engine):
    @given(st.lists(bodies, min_size=1, max_size=4))
    @settings(max_examples=200, deadline=None)
    def check(texts):
        spans = spans_of(texts)
        passing = suspects(spans, RepeatRules()).says_again.tolist()
        own = zip(spans["text"].to_pylist(), spans["key"].to_pylist(), passing, strict=True)
        assert all(is_passing for text, key, is_passing in own if may_repeat_sentences(text, key))

    check()


@given(st.lists(bodies, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_both_engines_find_the_same_said_twice(texts):
    pytest.importorskip("numba")
    column = Utf8.of(pa.array(texts, pa.large_string()))
    assert compiled_says_again(column).tolist() == plain_says_again(column).tolist()


def test_paragraphs_that_others_cover_pass(engine):
    @given(st.lists(bodies, min_size=1, max_size=4))
    @settings(max_examples=150, deadline=None)
    def check(texts):
        spans = spans_of(texts)
        keys, ids = spans["key"].to_pylist(), spans["revision_id"].to_pylist()
        passing = may_repeat(spans, RepeatRules()).tolist()
        starts = [i for i in range(len(ids)) if i == 0 or ids[i] != ids[i - 1]]
        for first, last in pairwise([*starts, len(ids)]):
            distinct = list(dict.fromkeys(key for key in keys[first:last] if len(key) >= 12))
            shares = covered_shares(distinct, [0] * len(distinct))
            is_close = [s >= 0.85 and len(k) >= 30 for s, k in zip(shares, distinct, strict=True)]
            assert passing[first] >= any(is_close)

    check()


@pytest.mark.parametrize("left_out", [[], [3, 13, 14]])
def test_the_compiled_table_counts_about_what_the_plain_one_does(left_out):
    pytest.importorskip("numba")
    keys = [piece.encode() for piece in PIECES * 2 + PIECES[3:5]]
    data = np.frombuffer(b"".join(keys), np.uint8)
    offsets = np.cumsum([0, *map(len, keys)])
    firsts = np.array([0, 4, 20, len(keys)])
    is_left_out = np.isin(np.arange(len(keys)), left_out)
    n_own, n_chars = plain_own_openings(data, offsets, firsts, is_left_out)
    counted, n_chars_counted = own_openings(data, offsets, firsts, is_left_out)
    sizes = [0 if row in left_out else len(key.decode()) for row, key in enumerate(keys)]
    assert n_chars.tolist() == n_chars_counted.tolist() == sizes
    exact = own_openings_by_sets(keys, firsts.tolist(), left_out)
    assert (n_own <= exact).all()
    assert (counted <= exact).all()
    assert min(n_own.sum(), counted.sum()) > 0.65 * exact.sum()  # but for the last characters


def own_openings_by_sets(keys, firsts, left_out):
    """Return of each key how many distinct openings no other of its article holds."""
    found = np.zeros(len(keys), np.int64)
    for first, last in pairwise(firsts):
        rows = [row for row in range(first, last) if row not in left_out]
        sets = {row: openings(keys[row]) for row in rows}
        for row in rows:
            found[row] = sum(all(o not in sets[r] for r in rows if r != row) for o in sets[row])
    return found


def openings(key):
    """Return the five bytes from each character on."""
    return {key[at : at + 5] for at in range(len(key)) if key[at] & 0xC0 != 0x80}


def test_every_window_has_five_bytes():
    lengths = PARAGRAPH.window_lengths()[script_classes()]
    n_bytes = np.repeat([1, 2, 3, 4], [0x80, 0x780, 0xF800, 0x100000])
    assert (n_bytes + lengths - 1 >= 5).all()
    assert lengths.max() == 5
