"""Looks at whole columns must find what the reading of single texts finds."""

import hashlib
import re
import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.dedup import captions, furniture_readings, line_kinds, line_masks, lines
from pipeline.dedup.furniture_cuts import FurnitureRules, PatternTable, find_cuts
from pipeline.dedup.furniture_sieve import INERT, possible_rows
from pipeline.dedup.line_classes import SOURCE, class_of, is_of_the_body, is_of_the_house
from pipeline.dedup.line_masks import masked
from pipeline.dedup.patterns import PATTERNS
from pipeline.interim import PARSED
from pipeline.text import wrapping
from pipeline.text.normalise import make_key
from pipeline.text.paragraphs import paragraph_spans, split_paragraphs
from pipeline.text.wrapping import is_table_row

TABLE, RULES = PatternTable(PATTERNS), FurnitureRules()

PIECES = [
    *(p.example for p in PATTERNS),
    *(
        "다.",
        "니다.",
        "다.”",
        "다",
        "니",
        "‘",
        "”",
        '"',
        ".",
        "?",
        "▶ ",
        "※",
        "[앵커]",
        "(웃음)",
        ":",
    ),
    *(
        "기자",
        "이하늘 기자",
        "위원",
        "제보",
        "구독",
        "NewsLetter",
        "sUbscrıbe",
        "ſubscribe",
        "FOTO",
    ),
    *("사진=", "제공", "모습", "고 있다", "입니다", "Photo by ", "2026.3.4", "3월 4일", "March 4"),
    *("10:15", "02-123-4567", "a@narae.example", "www.narae.example", "AP", "AFP통신", "뉴스1"),
    *("By Hana Lee", "ing by ", "記者", "山川葵", "무단 전재", "ⓒ", "(c)", "COPYRIGHT", "금지"),
    *(" ", "\t", "나래시 ", "The city ", "가" * 60, "x" * 70, "\u0301", "é", "각", "\u1161", "٣"),
]
line = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(PIECES).map(lambda piece: unicodedata.normalize("NFD", piece)),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3),
    ),
    min_size=1,
    max_size=5,
).map("".join)
lines_of_text = st.lists(line.map(str.strip).filter(bool), min_size=1, max_size=12)


BREAKS = ["\n", "\r\n", "\r", "\v", "\x1c", "\x85", "\u2028", "\n\n", "\n \n", " \n\t", "\n\u3000"]
WRAPPED = (
    "The council of Narae agreed on Tuesday to dig a second\n"
    "tunnel under the harbour, a project that has divided the\n"
    "town for eleven years. Ferry crews fear for their jobs and\n"
    "say that nobody has asked them what they think of it."
)
body = st.lists(
    st.one_of(line, st.sampled_from(BREAKS), st.just(WRAPPED), st.just(" " * 20)), max_size=12
).map("".join)


def parsed_table(*bodies):
    rows = []
    for number, text in enumerate(bodies):
        identifier = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
        row = {f.name: identifier for f in PARSED.schema if f.type == pa.binary(16)}
        rows.append(row | {"source_id": "narae", "original_text": text})
    return pa.Table.from_pylist(rows, schema=PARSED.schema)


@given(st.lists(body, max_size=6))
@example(["", "\n", "\u3000\u200b", "a\n", "\na", " " * 40 + "a", "가\u2028나", "\ufeff가\xa0"])
@settings(max_examples=300, deadline=None)
def test_paragraphs_of_a_batch_are_those_of_each_text(bodies):
    parsed = parsed_table(*bodies)
    found = split_paragraphs(parsed).to_pylist()
    plain = [
        (row["revision_id"], seq, start, end, text[start:end], make_key(text[start:end]))
        for row, text in zip(parsed.to_pylist(), bodies, strict=True)
        for seq, (start, end) in enumerate(paragraph_spans(text))
    ]
    names = ("revision_id", "seq", "start_char", "end_char", "text", "key")
    assert [tuple(row[name] for name in names) for row in found] == sorted(plain)


def test_paragraphs_of_a_slice_are_those_of_its_texts():
    parsed = parsed_table("가나\n다", "라\u3000\n마", "바\n\n사")
    whole, part = split_paragraphs(parsed).to_pylist(), split_paragraphs(parsed.slice(1, 1))
    ids = parsed.slice(1, 1)["revision_id"].to_pylist()
    assert part.to_pylist() == [row for row in whole if row["revision_id"] in ids]


def plain_line(text):
    """Return template, class bits and mark of a line as read alone; no template for no line."""
    if len(text) > lines.MAX_LINE_CHARS:
        return None, None, False
    text = unicodedata.normalize("NFC", text)
    template = masked(text)
    kind, is_prose, marked = class_of(text, template)
    if is_of_the_body(text, template, is_prose, marked):
        return None, None, marked
    is_plain = kind == SOURCE and not is_of_the_house(text, template)
    return template, kind << 1 | is_plain << 3, marked


@given(lines_of_text)
@settings(max_examples=1000, deadline=None)
def test_lines_of_a_batch_are_those_of_each_text(texts):
    hashes, is_marked = lines._read(pa.array(texts, pa.large_string()))
    plain = [plain_line(text) for text in texts]
    assert is_marked.tolist() == [marked for _, _, marked in plain]
    for found, (template, bits, _) in zip(hashes.tolist(), plain, strict=True):
        if template is None or not lines._says_something(make_key(template)):
            assert found == 0
        else:
            digest = int.from_bytes(lines._digest(make_key(template)), "little")
            assert found == digest & ~15 | bits


@given(lines_of_text)
@settings(max_examples=500, deadline=None)
def test_captions_are_looked_for_where_a_sign_is_and_no_body_ends(texts):
    column = pa.array(texts, pa.large_string())
    spans = pa.table({"text": column})
    found = [
        pc.match_substring_regex(column, regex)
        for regex in (captions._SIGNS, captions._BODY_END, captions._DECOMPOSED)
    ]
    marks = pc.match_substring_regex(column, "|".join(captions._MARKS))
    plain = pc.or_(pc.or_(pc.and_not(*found[:2]), found[2]), marks)
    assert captions._possible_rows(spans).tolist() == np.flatnonzero(plain.to_numpy(False)).tolist()


@given(line)
@settings(max_examples=1000, deadline=None)
def test_a_caption_bears_one_of_its_signs(text):
    end = text[-160:].lower()
    is_caption = text.startswith("◆…") or any(r.search(end) for _, r in line_kinds._CAPTIONS)
    assert line_kinds.is_caption(text) == is_caption
    shows = re.search(r"(?:고 있다|[는은된한] 모습|장면|전경|모습이다)\W*$", text) is not None
    assert furniture_readings.is_picture(text) == (is_caption or shows)


@given(line)
@settings(max_examples=1000, deadline=None)
def test_cheap_looks_at_a_line_miss_nothing(text):
    for form, words in zip(line_masks._NAMED, line_masks._NAMED_WORDS, strict=True):
        assert not form.search(text) or any(word in text for word in words)
    if line_kinds._LEAD.match(text):
        assert any(sign in text for sign in line_kinds._LEAD_SIGNS)
    assert is_table_row(text) == (wrapping._ROW.search(text) is not None)


@given(st.lists(st.sampled_from([p.example for p in PATTERNS]), min_size=1, max_size=3), line)
@settings(max_examples=1000, deadline=None)
def test_a_pattern_matches_only_where_its_sign_is(examples, text):
    for body in (text, " ".join(examples), f"{text} {examples[0]}", examples[0].upper()):
        for pattern in PATTERNS:
            if pattern.sieve and (found := pattern.regex.search(body)):
                flags = pattern.regex.flags & re.IGNORECASE
                assert re.search(pattern.sieve, found[0], flags), pattern.name


@given(lines_of_text)
@settings(max_examples=1000, deadline=None)
def test_the_sieve_lets_all_furniture_through(texts):
    index = np.arange(len(texts))
    found, _ = possible_rows(
        pa.array(texts, pa.large_string()), index, index[::-1].copy(), RULES, TABLE
    )
    cut = [row for row, text in enumerate(texts) if find_cuts(text, row, len(texts), RULES, TABLE)]
    assert set(cut) <= set(found.tolist())


def test_inert_code_points_never_change_in_nfc():
    codes = [c for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    pairs = [unicodedata.decomposition(chr(c)).split() for c in codes]
    seconds = {int(pair[1], 16) for pair in pairs if len(pair) == 2 and pair[0][0] != "<"}
    seconds |= {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    for first, last in INERT:
        for code in range(first, last + 1):
            assert not unicodedata.combining(chr(code))
            assert unicodedata.is_normalized("NFC", chr(code))
            assert code not in seconds
