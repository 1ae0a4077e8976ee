import unicodedata

import pytest

from pipeline.text.normalise import key_hash, make_key, make_keys


@pytest.mark.parametrize(
    ("text", "key"),
    [
        # Spacing follows the characters on both sides.
        ("서울 시장 이 말했다", "서울시장이말했다"),
        ("The  old\n\ttram", "the old tram"),
        ("서울 City Hall 앞", "서울city hall앞"),
        ("東京 都 知事", "東京都知事"),
        ("ภาษา ไทย", "ภาษาไทย"),
        ("новый мост", "новый мост"),
        # Case, width, ligatures, compatibility forms.
        ("ＡＢＣ１２３ ﬁne STRASSE Straße", "abc123 fine strasse strasse"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("㈜한빛 ㎞", "주한빛km"),
        ("Τέλος ΤΕΛΟΣ", "τέλοσ τελοσ"),
        # Diacritics stay.
        ("Papá ≠ papa", "papá papa"),
        # Quotes leave nothing, other punctuation separates words.
        ("“don't” «stop»", "dont stop"),
        ("well-known—and/or", "well known and or"),
        ("U.S. and AT&T", "us and at t"),
        ("wait...what", "wait what"),
        ("3·1절 중·고교 3ㆍ1절", "3 1절중고교3 1절"),
        # Numbers keep what tells them apart.
        ("3.5 35 3,5 1,234,567 1,234.5", "3.5 35 3.5 1234567 1234.5"),
        ("2:1 27~28 3..5 5'3", "2 1 27 28 3 5 5 3"),
        ("10% 10 $10 €10", "10%10$10€10"),
        ("기온 -5도, 5도", "기온−5도5도"),
        ("코로나-19 KF-21", "코로나19 kf 21"),
        ("٣٫٥ ५", "3.5 5"),
        ("3½ 제①5", "3 1 2제1 5"),
        # Nothing is left of what nobody sees.
        ("a\u200bb\u00adc\ufeff\x07d", "abcd"),
        ("Brand™ ©", "brand"),
        ("☂☃ … !", ""),
        ("", ""),
    ],
)
def test_key(text, key):
    assert make_key(text) == key


def test_decomposed_and_composed_text_have_one_key():
    text = "서울시는 Café Ångström 뉴스를 「ガギグ」라고 했다"
    assert make_key(unicodedata.normalize("NFD", text)) == make_key(text)


def test_key_is_composed():
    assert make_key("e\u200b\u0301") == "é"


def test_texts_of_a_batch_do_not_touch_each_other():
    texts = ["1", ",234", "", "\0a\0", "5", "-3", "…", "ｶ", "ﾞ"]
    assert make_keys(texts) == [make_key(text) for text in texts]
    assert make_keys([]) == []


def test_no_character_makes_a_key_that_is_not_its_own_key():
    for before, after in (("", ""), ("a", "5"), ("가 ", " -5"), ("5", "5")):
        keys = make_keys([before + chr(c) + after for c in range(0x30000)])
        assert make_keys(keys) == keys


def test_key_hash_is_of_the_key_alone():
    assert key_hash("서울") == key_hash("서울")
    assert key_hash("서울") != key_hash("서울시")
    assert len(key_hash("")) == 16
