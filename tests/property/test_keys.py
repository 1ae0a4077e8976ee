"""Keys of any text: idempotent, one for NFC and NFD, one for full and half width."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.normalise import make_key, make_keys
from pipeline.text.shingles import STORY, hash_window, shingle_hashes, shingles

CHARACTERS = st.one_of(
    st.sampled_from("가나다 abc 漢字かな 123.,-'\"…%$−·\u200b\u0301\u3099ไทย обв \n"),
    st.characters(exclude_categories=("Cs",)),
)
TEXTS = st.text(CHARACTERS, max_size=60)


@given(TEXTS)
@example("1,2.345")
@example("% -5")
@example("가 ' -5")
@example("か \u3099")
@example("x'−5")
def test_the_key_of_a_key_is_the_key(text):
    key = make_key(text)
    assert make_key(key) == key


@given(TEXTS)
def test_composed_and_decomposed_have_one_key(text):
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert make_key(forms[0]) == make_key(forms[1])


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40))
def test_full_width_and_half_width_have_one_key(text):
    assert make_key("".join(chr(ord(c) + 0xFEE0) for c in text)) == make_key(text)


@given(TEXTS)
def test_case_makes_no_difference_to_ascii(text):
    ascii_text = text.encode("ascii", "ignore").decode()
    assert make_key(ascii_text.upper()) == make_key(ascii_text.lower())


@given(st.lists(TEXTS, max_size=8))
def test_a_batch_is_its_texts(texts):
    assert make_keys(texts) == [make_key(text) for text in texts]


@given(st.text(st.sampled_from("가나다라 마바사"), max_size=40))
def test_korean_spacing_makes_no_difference(text):
    assert make_key(text) == text.replace(" ", "")


@given(TEXTS)
def test_no_space_is_doubled_or_stands_at_an_end(text):
    key = make_key(text)
    assert key == key.strip(" ")
    assert "  " not in key


@given(TEXTS)
def test_arrays_hash_what_the_plain_definition_says(text):
    key = make_key(text)
    expected = sorted({hash_window(s) for s in shingles(key, STORY)})
    assert shingle_hashes(key, STORY).tolist() == expected
