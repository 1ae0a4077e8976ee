import sys

import pytest

from pipeline.text.script import ScriptClass, script_class, script_classes


@pytest.mark.parametrize(
    ("characters", "expected"),
    [
        ("가힣ㄱᄀ", ScriptClass.HANGUL),
        ("漢々〇あアーㄅ𠀀", ScriptClass.HAN_KANA),
        ("aéßЖΩعשक५0٣ñ\u0301", ScriptClass.ALPHABETIC),
        ("กำລខမ", ScriptClass.UNSPACED),
        (" \t\n\u00a0\u3000\u2028", ScriptClass.SPACE),
        ("!.,%$·「」—…☂", ScriptClass.MARK),
        ("\x00\x1b\u200b\u200d\u00ad\ufeff\ufe0f\ue000\U000e0041", ScriptClass.DROP),
    ],
)
def test_class_of_characters(characters, expected):
    assert {c: script_class(c) for c in characters} == dict.fromkeys(characters, expected)


def test_every_code_point_has_a_class_and_the_table_cannot_be_changed():
    classes = script_classes()
    assert len(classes) == sys.maxunicode + 1
    assert set(classes.tolist()) == {int(c) for c in ScriptClass}
    with pytest.raises(ValueError, match="read-only"):
        classes[0] = 1
