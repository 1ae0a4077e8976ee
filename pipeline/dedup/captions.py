"""Captions and photo credits of an article, recognised as what they are.

A line that is nothing but a credit goes, and so does the credit at the end of a caption. What the
caption itself says is news text: it stays, with a row that names it a caption.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.photo_credits import credit_start, is_credit_line
from pipeline.dedup.removals import Cuts, article_ranges
from pipeline.text.flat_lines import flat_texts, places_where
from pipeline.text.lazy_pattern import lazy
from pipeline.text.sentences import split_sentences
from pipeline.text.text_sieve import N_BYTES, Sieve, any_case, form, found_among, words
from pipeline.text.utf8 import whole

REASON = "furniture_caption"


@dataclass(frozen=True)
class CaptionRules:
    """When a paragraph with a credit or a mark is a caption; lengths in code points."""

    max_caption_chars: int = 400
    """Longer paragraphs lose the credit at their end and are body text all the same. Of 2,492
    credited paragraphs in a day of Korean news 2 are longer."""

    max_caption_sentences: int = 4
    """The same for more sentences: 33 of them have more."""

    byline_paragraphs: int = 2
    """In so many paragraphs at the end a reporter's name is the article's byline."""


# One pass over the column of texts: four paragraphs in five hold none of these words.
_SIGNS = (
    r"사진|제공|자료|연합|뉴시스|뉴스1|News1|캡처|캡쳐|갈무리|그래픽|출처|기자|작가|이미지"
    r"|일러스트|촬영|취재|제작"
    r"|삽화|그림|화면|영상|도표|중앙포토|로이터|신화|셔터스톡|픽사베이|클립아트|DB"
    r"|\d\.\s?\d{1,2}\.?\s*$"
    r"|(?i:photo|picture|image|credit|courtesy|illustration|graphic|artwork|getty|reuters"
    r"|shutterstock)"
    r"|(?i:foto|imag|bild|grafik|cr[ée]dit|archiv|[ảẢ]nh|gambar|zdj[ęe]|source|quelle|fuente"
    r"|fonte|kaynak)"
    r"|AFP|\bAP\b|EPA|UPI|(?i:dpa)|EFE|ANSA|TASS|NASA|IANS|PTI|\bANI\b|XINHUA|Xinhua|Yonhap"
    r"|YONHAP|Kyodo|Jiji"
    r"|iStock|Alamy|Pixabay|Unsplash|Pexels|Flickr|Wikimedia|Bloomberg|Anadolu"
    r"|写真|画像|図|撮影|提供|イラスト|時事|共同|ロイター|图|圖|摄|攝|资料|資料|照片|新华社"
    r"|新華社|视觉|視覺|中央社"
    r"|(?i:фото|снимок|иллюстр|источник|φωτογραφ)|צילום|तस्वीर|फोटो|चित्र|स्रोत|ภาพ|صورة|تصوير"
    r"|المصدر|رويترز|غيتي"
)
# A body paragraph nearly always ends so, a caption with its credit never does.
_BODY_END = r"[다요][.][”\"’']?$"
# Marks of a caption without a credit, and "the picture is not of this story". Each is looked for
# alone: RE2 reads from the one end, from the other and from point to point, not every character.
_MARKS = (
    r"^(?:[▲△▼▽◆]|[\[<(【〈]\s?(?:사진|写真|图片|圖片)|사진\s?설명|사진은\s"
    r"|(?i:caption|légende|pie de foto|bildunter)"
    r"|キャプション|图为|圖为|图说|圖說)",
    r"[.]\s?사진은\s",
    r"(?:관련|관계|연관|무관)[^.]{0,12}\.?$",
)
# Composed by NFC before the patterns meet it: decomposed Hangul and accents.
_DECOMPOSED = "[\u1100-\u11ff\u0300-\u036f]"
_JAMO_LEAD, _ACCENT_LEADS = 0xE1, (0xCC, 0xCD)
"""First bytes of theirs, which few other letters of the news have."""

_SPACE, _NUMERAL = "\t\n\f\r ", range(0x30, 0x3A)
_OPENINGS = [
    *words("▲", "△", "▼", "▽", "◆", "사진", "キャプション", "图为", "圖为", "图说", "圖說"),
    *any_case("caption", "légende", "pie de foot", "bildunter"),
    *(
        (*opener, *between, *picture)[:N_BYTES]
        for opener in words(*"[<(【〈")
        for between in ((), form(_SPACE))
        for picture in words("사진", "写真", "图片", "圖片")
    ),
]
_NAMING = [
    *words(
        "사진",
        "제공",
        "자료",
        "연합",
        "뉴시스",
        "뉴스1",
        "News1",
        "캡처",
        "캡쳐",
        "갈무리",
        "그래픽",
    ),
    *words(
        "출처", "기자", "작가", "이미지", "일러스트", "촬영", "취재", "제작", "삽화", "그림", "화면"
    ),
    *words("영상", "도표", "중앙포토", "로이터", "신화", "셔터스톡", "픽사베이", "클립아트", "DB"),
    *(form(_NUMERAL, ".", *space, _NUMERAL) for space in ((), (_SPACE,))),
    *any_case(
        "photo", "picture", "image", "credit", "courtesy", "illustration", "graphic", "artwork"
    ),
    *any_case("getty", "reuters", "shutterstock", "foto", "imag", "bild", "grafik", "crédit"),
    *any_case("archiv", "ảnh", "gambar", "zdj", "source", "quelle", "fuente", "fonte", "kaynak"),
    *any_case("dpa"),
    *words("AFP", "AP", "EPA", "UPI", "EFE", "ANSA", "TASS", "NASA", "IANS", "PTI", "ANI"),
    *words("XINHUA", "Xinhua", "Yonhap", "YONHAP", "Kyodo", "Jiji", "iStock", "Alamy", "Pixabay"),
    *words(
        "Unsplash", "Pexels", "Flickr", "Wikimedia", "Bloomberg", "Anadolu", "写真", "画像", "図"
    ),
    *words(
        "撮影",
        "提供",
        "イラスト",
        "時事",
        "共同",
        "ロイター",
        "图",
        "圖",
        "摄",
        "攝",
        "资料",
        "資料",
    ),
    *words("照片", "新华社", "新華社", "视觉", "視覺", "中央社", "צילום", "तस्वीर", "फोटो", "चित्र"),
    *words("स्रोत", "ภาพ", "صورة", "تصوير", "المصدر", "رويترز", "غيتي"),
    # Any Greek or Cyrillic letter: some have more forms than two.
    form([*range(0xCD, 0xD4)]),
]
_SIEVE = Sieve(
    ["opening"],
    opening=_OPENINGS,
    inner=[*words(".사진"), *((*form(".", _SPACE), *word) for word in words("사진"))],
    closing=words("관련", "관계", "연관", "무관"),
    decomposed=[form([0xE1], range(0x84, 0x88)), form([0xCC]), form([0xCD], range(0x80, 0xB0))],
    naming=_NAMING,
)
"""What stands in a text that has one of `_MARKS`, `_DECOMPOSED` or `_SIGNS`."""

_MARKED = (
    ("mark", lazy(r"^(?:◆…|[▲△▼▽]\s?\S.{0,150}(?:[고져여] 있다|모습|전경|장면|조감도)\.?$)")),
    (
        "label",
        lazy(
            r"^(?:[\[<(【〈]?\s?(?:사진\s?설명|写真説明|图片说明|圖片說明)\s?[\]>)】〉=:：]"
            r"|[<【]\s?(?:사진|写真)\s?[>】]"
            r"|(?:caption|キャプション|pie de foto|bildunterschrift|légende)\s?[:：]"
            r"|(?:图|圖)(?:为|為|说|說)\S)",
            re.IGNORECASE,
        ),
    ),
    ("shows", lazy(r"(?:^|\.\s?)사진은\s[^.]{2,80}[^.다요까]\.?$|찍고 있는 모습\.?$")),
)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one paragraph turned out to be; offsets into its text."""

    action: str
    start: int
    end: int
    evidence: str


def find_captions(spans: pa.Table, rules: CaptionRules | None = None) -> pa.Table:
    """Return REMOVALS: photo credits of SPANS, and captions as `keep_paragraph`.

    Action `drop_paragraph` for a line that is a credit alone, `drop_span` for the credit at the
    end of a paragraph. The paragraphs of a revision stand together, `seq` ascending, as SPANS is
    sorted.
    """
    rules = rules or CaptionRules()
    rows = _possible_rows(spans)
    texts = spans.column("text").take(pa.array(rows)).to_pylist()
    ranges = np.array(article_ranges(spans), np.int64).reshape(-1, 2)
    sizes = ranges[:, 1] - ranges[:, 0]
    from_end = np.repeat(sizes, sizes)[rows] - spans.column("seq").to_numpy()[rows]
    is_late = (from_end <= rules.byline_paragraphs).tolist()
    cuts = Cuts(spans)
    # A third of captions stand in several articles of a batch.
    read: dict[tuple[str, bool], tuple[_Found, ...]] = {}
    for row, asked in zip(rows.tolist(), zip(texts, is_late, strict=True), strict=True):
        if asked not in read:
            read[asked] = tuple(_found(*asked, rules))
        for found in read[asked]:
            cuts.add(row, found.action, REASON, found.start, found.end, found.evidence)
    return cuts.table()


def _possible_rows(spans: pa.Table) -> NDArray[np.int64]:
    """Return the rows of SPANS that may hold a credit or a caption."""
    texts = whole(spans.column("text"))
    seen = _SIEVE.look(texts)
    may_compose = seen.may_hold("decomposed") if seen.is_sieved else _have_their_bytes(texts)
    is_possible = found_among(texts, _DECOMPOSED, may_compose)
    for name, mark in zip(("opening", "inner", "closing"), _MARKS, strict=True):
        is_possible |= found_among(texts, mark, seen.may_hold(name) & ~is_possible)
    others = seen.may_hold("naming") & ~is_possible
    others &= ~found_among(texts, _BODY_END, others)
    return np.flatnonzero(is_possible | found_among(texts, _SIGNS, others))


def _have_their_bytes(texts: pa.LargeStringArray) -> NDArray[np.bool_]:
    """Return which texts hold a byte that decomposed letters begin with, bool [n]."""
    utf8, offsets = flat_texts(texts)
    utf8 = utf8[offsets[0] : offsets[-1]]
    first, last = _ACCENT_LEADS
    places = places_where(
        utf8, lambda block: (block == _JAMO_LEAD) | (block == first) | (block == last)
    )
    found = np.zeros(len(texts), np.bool_)
    found[np.searchsorted(offsets, places + offsets[0], "right") - 1] = True
    return found


def _found(text: str, is_late: bool, rules: CaptionRules) -> Iterator[_Found]:
    """Yield what a paragraph is: a credit, or a caption and the credit at its end."""
    composed = unicodedata.normalize("NFC", text)
    if is_credit_line(composed):
        yield _Found("drop_paragraph", 0, len(text), "credit: whole line")
        return
    start = credit_start(composed, with_reporter=not is_late)
    why = "credit" if start is not None else _mark(composed)
    if why and _is_caption_sized(composed, rules):
        yield _Found("keep_paragraph", 0, len(text), f"caption: {why}")
    if start is not None:
        yield _Found("drop_span", _place(text, composed, start), len(text), "credit: end of text")


def _mark(text: str) -> str | None:
    """Return which mark names a paragraph without a credit a caption."""
    return next((name for name, regex in _MARKED if regex.search(text)), None)


def _is_caption_sized(text: str, rules: CaptionRules) -> bool:
    """Return whether a text is short enough for a caption."""
    if len(text) > rules.max_caption_chars:
        return False
    # A cheap upper bound first.
    n_sentences = text.count(".") + text.count("。") + 1
    return n_sentences <= rules.max_caption_sentences or (
        len(split_sentences(text)) <= rules.max_caption_sentences
    )


def _place(text: str, composed: str, start: int) -> int:
    """Return where in `text` the tail begins that begins at `start` in its NFC."""
    if text == composed:
        return start
    tail = composed[start:]
    sizes = range(len(tail), len(text) + 1)
    return next(
        (
            len(text) - n
            for n in sizes
            if unicodedata.normalize("NFC", text[len(text) - n :]) == tail
        ),
        len(text),
    )
