"""Encodings are told apart the same way every time, and damage is the fault of its own line."""

from __future__ import annotations

import pytest

from pipeline.errors import DocumentError, SettingsError
from pipeline.sources.decode import (
    ascii_outline,
    canonical_name,
    control_share,
    decode_text,
    detect_encoding,
    outline,
    resolve_label,
    unify_line_ends,
    whole_units,
)

KOREAN = "정부는 2일 새 정책을 발표했다. 똠방각하와 펲시가 나온다.\n"
SAMPLES = {
    "utf-8": KOREAN,
    "cp949": KOREAN,
    "utf-16-le": KOREAN,
    "utf-16-be": KOREAN,
    "cp932": "政府は2日、新しい政策を発表した。カタカナのテストです。\n",
    "euc_jp": "政府は2日、新しい政策を発表した。カタカナのテストです。\n",
    "gb18030": "政府二日发布了新政策。这项措施将从明年三月起实施。\n",
    "big5": "政府二日發布了新政策。這項措施將從明年三月起實施。\n",
    "cp1252": "El gobierno anunció el lunes una política económica. ¿Qué pasará mañana?\n",
    "cp1251": "Правительство объявило о новой политике в понедельник.\n",
    "cp1256": "أعلنت الحكومة يوم الاثنين عن سياسة جديدة في مارس المقبل.\n",
}


@pytest.mark.parametrize("repeat", [1, 20])
@pytest.mark.parametrize("encoding", SAMPLES)
def test_texts_are_read_as_they_were_written(encoding: str, repeat: int) -> None:
    text = SAMPLES[encoding] * repeat
    content = text.encode(encoding)
    found = {detect_encoding(content, is_whole=True) for _ in range(3)}
    assert len(found) == 1
    assert decode_text(content, found.pop()) == text


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "gb18030", "cp932", "utf-16-le"])
@pytest.mark.parametrize("cut", range(1, 7))
def test_a_prefix_may_end_in_the_middle_of_a_character(encoding: str, cut: int) -> None:
    content = (SAMPLES[encoding] * 20).encode(encoding)[:-cut]
    found = detect_encoding(content, is_whole=False)
    assert canonical_name(found) == canonical_name(encoding)


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_wins_over_a_label(mark: str) -> None:
    content = KOREAN.encode(mark)
    found = detect_encoding(content, is_whole=True, label="cp949")
    assert decode_text(content, found) == KOREAN


def test_a_label_wins_over_detection() -> None:
    content = KOREAN.encode("cp949")
    assert detect_encoding(content, is_whole=True, label="cp1252") == "cp1252"


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
@pytest.mark.parametrize("broken", [b"\xff", b"\x80\xff", b"\xc7 "])
def test_a_damaged_text_keeps_its_encoding(encoding: str, broken: bytes) -> None:
    lines = [KOREAN.encode(encoding)] * 20
    lines[7] = lines[7][:6] + broken + lines[7][6:]
    assert detect_encoding(b"".join(lines), is_whole=True) == encoding


def test_a_short_damaged_korean_text_is_korean() -> None:
    content = "정부는 2일 새 정책을 발표했다.".encode("cp949") + b"\xff"
    assert detect_encoding(content, is_whole=True) == "cp949"


def test_a_short_damaged_text_is_no_other_language() -> None:
    assert detect_encoding("가나다라".encode() + b"\xff", is_whole=True) == "utf-8"


def test_typographic_quotes_are_not_korean() -> None:
    content = "“Hello”, it’s a café – said “he”.".encode("cp1252")
    assert decode_text(content, detect_encoding(content, is_whole=True)).startswith("“Hello”")


def test_ascii_is_utf8() -> None:
    assert detect_encoding(b"plain text", is_whole=True) == "utf-8"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("EUC-KR", "cp949"),
        (" ks_c_5601-1987 ", "cp949"),
        ("windows-949", "cp949"),
        ("uhc", "cp949"),
        ("utf-16", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("Shift_JIS", "cp932"),
        ("gb2312", "gb18030"),
        ("latin-1", "cp1252"),
    ],
)
def test_labels(label: str, name: str) -> None:
    assert resolve_label(label) == name


@pytest.mark.parametrize("label", ["klingon", "", "iso-2022-kr", "utf-7", "rot13", "cp037", "hz"])
def test_labels_of_nothing_that_can_be_read(label: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_label(label)
    assert caught.value.key == "encoding"
    assert "convert the file to UTF-8" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "cp932", "gb18030", "big5", "utf-16-be"])
def test_an_outline_shows_ascii_and_nothing_else(encoding: str) -> None:
    words = {"cp949": "가나똠", "big5": "功許", "cp932": "表ソｱ"}.get(encoding, "表中")
    text = f'{{"{words}": ["{words}\\"", 1]}}\n'
    content = text.encode(encoding)
    seen = outline(content, encoding)
    signs = bytes(b for b in seen if b < 0x80 and not chr(b).isalpha()).decode()
    assert signs == "".join(c for c in text if c.isascii() and not c.isalpha())
    assert ascii_outline(content, encoding).isascii()


def test_whole_units_wait_for_the_rest_of_a_character() -> None:
    content = "가表".encode("utf-16-le")
    assert [whole_units(content[:n], "utf-16-le") for n in range(5)] == [0, 0, 2, 2, 4]
    content = "表a".encode("cp932")
    assert [whole_units(content[:n], "cp932") for n in range(4)] == [0, 0, 2, 3]


def test_decoding_says_what_is_wrong() -> None:
    for content, encoding, reason in (
        (b"caf\xe9", "utf-8", "broken_encoding"),
        (b"a\0b", "utf-16-le", "broken_encoding"),
        (b"\x3d\xd8", "utf-16-le", "lone_surrogate"),
        (b"\xed\xa0\xbd", "utf-8", "lone_surrogate"),
        (b"\xff", "cp949", "broken_encoding"),
    ):
        with pytest.raises(DocumentError) as caught:
            decode_text(content, encoding)
        assert caught.value.reason == reason


def test_line_ends() -> None:
    assert unify_line_ends("a\r\nb\rc\n\r\n\n") == "a\nb\nc\n\n\n"


def test_control_share() -> None:
    assert control_share(b"") == 0
    assert control_share(b"text\twith\r\nlines\x0c and \x1b[1m") == 0
    assert control_share(b"ab\0\1") == 0.5


@pytest.mark.parametrize(
    "content",
    [
        b"abc\0def text with nul\n",
        b"ab\0def text with nul\n",
        b'{"id":1,"text":"one\0line"}\n{"id":2,"text":"another"}\n',
        b'{"id":1,"text":"onel\0ine"}\n{"id":2,"text":"another"}\n',
        b"abcdefg\0hijklmn\0opqrstu\0vwxyz12\0",  # every time in the same half
        ("정부는 2일 새 정책을 발표했다.\n" * 3).encode() + b"a\0bcd\0efg\0h\n",
    ],
)
def test_a_few_nuls_do_not_make_utf16(content: bytes) -> None:
    assert detect_encoding(content, is_whole=True) == "utf-8"


def test_a_few_nuls_leave_korean_as_it_is() -> None:
    lines = '{"id":"1", "text":"정부는 새 정책을 발표했다"}\n'.encode("cp949")
    for nuls in (b"a\0", b"a\0b\0c\0", b" a\0bcd\0efg\0"):
        assert detect_encoding(lines + nuls + lines, is_whole=True) == "cp949"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        "The harbour reopens.",
        "Le café rouvre à midi pile.",
        "정부는 새 정책을 내일 발표할 예정이다.",
        '{"text":"政府二日发布了新政策。这项措施将从明年三月起实施。"}\n',
        "政府は2日、新しい政策を発表した。2026年3月から始まる。\n",
    ],
)
def test_short_utf16_is_found_without_a_mark(encoding: str, text: str) -> None:
    content = text.encode(encoding)
    assert detect_encoding(content, is_whole=True) == encoding
    assert detect_encoding(content[:-1], is_whole=False) == encoding
