import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.normalise import make_key
from pipeline.text.titles import (
    bare_title,
    may_be_marked,
    title_keys,
    title_version,
    title_versions,
)


@pytest.mark.parametrize(
    "title",
    [
        "기준금리 동결",
        "[속보] 기준금리 동결",
        "기준금리 동결(종합)",
        "기준금리 동결(종합2보)",
        "기준금리 동결 (1보)",
        "[속보]기준금리 동결[상보]",
        "【단독】 기준금리 동결",
        "＜긴급＞ 기준금리 동결",
        "속보: 기준금리 동결",
    ],
)
def test_marks_of_a_version_are_taken_off(title):
    assert title_keys([title]) == ["기준금리동결"]


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("UPDATE 2-Oil slips as stocks build", "Oil slips as stocks build"),
        ("BREAKING: Bridge closed", "Bridge closed"),
        ("Bridge closed (update 3)", "Bridge closed"),
        ("Bridge closed (2nd LD)", "Bridge closed"),
        ("【速報】橋が閉鎖", "橋が閉鎖"),
        ("[URGENTE] Puente cerrado", "Puente cerrado"),
        ("ÚLTIMA HORA: Puente cerrado", "Puente cerrado"),
        ("EILMELDUNG: Brücke gesperrt", "Brücke gesperrt"),
        ("СРОЧНО: мост закрыт", "мост закрыт"),
        ("ΕΚΤΑΚΤΟ: έκλεισε η γέφυρα", "έκλεισε η γέφυρα"),
        ("عاجل: إغلاق الجسر", "إغلاق الجسر"),
        ("מבזק: הגשר נסגר", "הגשר נסגר"),
        ("ब्रेकिंग: पुल बंद", "पुल बंद"),
        ("ด่วน: ปิดสะพาน", "ปิดสะพาน"),
        ("快讯：大桥关闭", "大桥关闭"),
        ("【更新】大桥关闭", "大桥关闭"),
    ],
)
def test_marks_of_other_languages(title, bare):
    assert bare_title(title) == bare


@pytest.mark.parametrize(
    "title",
    [
        "[포토] 기준금리 동결",
        "[인사] 한국은행",
        "Update your phone now",
        "속보가 늦은 이유",
        "(종합)",
    ],
)
def test_what_is_no_mark_of_a_version_stays(title):
    assert bare_title(title) == title


def test_without_a_title_the_key_is_empty():
    assert title_keys([None, ""]) == ["", ""]


@pytest.mark.parametrize(
    "titles",
    [
        ["[속보] 기준금리 동결", "기준금리 동결", "기준금리 동결(상보)", "기준금리 동결(종합)"],
        ["[1보] 기준금리 동결", "기준금리 동결(2보)", "기준금리 동결(3보)", "기준금리 동결(종합)"],
        ["기준금리 동결(종합)", "기준금리 동결(종합2보)", "기준금리 동결(종합3보)"],
        [
            "BREAKING: Bridge closed",
            "Bridge closed",
            "UPDATE 1-Bridge closed",
            "UPDATE 2-Bridge closed",
        ],
        [
            "URGENT - Bridge closed",
            "Bridge closed",
            "1st Ld: Bridge closed",
            "2nd Ld: Bridge closed",
        ],
        ["Bridge closed", "Bridge closed (update 3)", "CORRECTED-Bridge closed"],
        ["【速報】橋が閉鎖", "橋が閉鎖", "橋が閉鎖【更新】"],
    ],
)
def test_marks_put_the_versions_of_a_headline_in_order(titles):
    versions = title_versions(titles)
    assert versions == sorted(set(versions))
    assert len(set(title_keys(titles))) == 1


@pytest.mark.parametrize(
    "title", ["기준금리 동결", "[단독] 기준금리 동결", "[포토] 동결", "(종합)"]
)
def test_other_marks_claim_no_version(title):
    assert title_version(title) == 0


def test_without_a_title_no_version_is_claimed():
    assert title_versions([None, ""]) == [0, 0]


PIECES = st.sampled_from(
    [
        "[속보]",
        "(종합2보)",
        "UPDATE 1-",
        "속보:",
        "〈긴급〉",
        "\u2329긴급\u232a",
        "(사진)",
        "가나",
        "oil",
        *(" ", "-5", "e\u0301", "\0", "‘", "\u3000", "１ｓｔ ＬＤ:"),
    ]
)


@given(st.lists(PIECES, max_size=5).map("".join))
def test_looking_only_where_a_mark_may_be_changes_nothing(title):
    assert title_keys([title]) == [make_key(bare_title(title))]
    assert title_versions([title]) == [title_version(title)]


def test_a_mark_that_appears_by_composing_is_looked_for():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if may_be_marked(unicodedata.normalize("NFC", character)):
            assert may_be_marked(character)
