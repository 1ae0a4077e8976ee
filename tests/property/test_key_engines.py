"""Keys of the compiled engine: those of the plain one, for any text."""

import sys
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.fold_tables import combining_code_points
from pipeline.text.normalise import key_array, make_key, make_keys

pytest.importorskip("numba")

CHARACTERS = st.one_of(
    st.sampled_from("가나다 abc 漢字かな 123.,-'\"…%$−·\0\u200b\u0301\u3099\u11a8ไทย обв \n½㎞①ﷺ"),
    st.sampled_from("0123456789.,-−'  "),
    st.characters(exclude_categories=("Cs",)),
)
TEXTS = st.lists(st.text(CHARACTERS, max_size=60), max_size=8)


@pytest.fixture(autouse=True)
def compiled():
    before = chosen_engine()
    choose_engine("compiled")
    key_array(pa.array(["a"], pa.large_string()))  # loads the kernel: no example is charged for it
    yield
    choose_engine(before)


def compiled_keys(texts):
    return key_array(pa.array(texts, pa.large_string())).to_pylist()


@given(TEXTS)
@example(["1,2.345", "% -5", "가 ' -5", "か \u3099", "x'−5"])
@example(["1,234", ",234", "1,2345", "1,23", "-", "5-", "-5", "a-5", "가−5", "3.,5", "U.S."])
@example(["e\0\u0301", "e\u200b\u0301", "가\u11a8", "ﷺ" * 50, "", "\0", "Ⱥ" * 90])
def test_a_text_has_one_key_in_both_engines(texts):
    assert compiled_keys(texts) == [make_key(text) for text in texts]


def test_every_code_point_has_one_key_in_both_engines():
    codes = [c for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    # Nine in ten are assigned to nobody: between others these are looked at here and there.
    assigned = [c for c in codes if unicodedata.category(chr(c)) not in ("Cn", "Co") or c % 37 == 0]
    for before, after, own in (("", "", codes), ("a", "5", assigned), ("5", "a 5", assigned)):
        texts = [before + chr(code) + after for code in own]
        assert compiled_keys(texts) == make_keys(texts)


def test_what_is_not_said_to_combine_stays_as_it_is():
    combines = combining_code_points()
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        decomposition = unicodedata.decomposition(character)
        if not decomposition.startswith("<"):
            assert all(combines[int(second, 16)] for second in decomposition.split()[1:])
        if not combines[code]:
            assert unicodedata.combining(character) == 0
            assert unicodedata.normalize("NFC", character) == character
    for syllable in range(0xAC00, 0xD7A4, 7):
        for part in unicodedata.normalize("NFD", chr(syllable))[1:]:
            assert combines[ord(part)]


def test_slices_chunks_and_short_strings_are_read_where_they_lie():
    texts = ["하나, 둘", "", "Three 3,000", "é", "4"]
    for dtype in (pa.string(), pa.large_string()):
        column = pa.array(texts, dtype)
        assert key_array(column.slice(1, 3)).to_pylist() == make_keys(texts[1:4])
        chunks = pa.chunked_array([column.slice(0, 2), column.slice(2)])
        assert key_array(chunks).to_pylist() == make_keys(texts)
        assert key_array(column.slice(0, 0)).to_pylist() == []
    assert key_array(pa.chunked_array([], pa.string())).to_pylist() == []


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_a_missing_text_has_no_key(engine):
    choose_engine(engine)
    with pytest.raises(ValueError, match="NULL"):
        key_array(pa.array(["a", None]))


def test_the_engines_agree_on_what_key_array_gives():
    texts = pa.array([f"기사 {n}: The {n},000 won" for n in range(3000)])
    found = []
    for engine in ("numpy", "compiled"):
        choose_engine(engine)
        found.append(key_array(texts))
    assert found[0].equals(found[1])
    assert found[0].type == pa.large_string()
