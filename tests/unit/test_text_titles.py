import pytest

from pipeline.text.titles import bare_title, title_keys


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
