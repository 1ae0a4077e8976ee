"""Sentence boundaries in every script, by punctuation alone."""

from __future__ import annotations

import re

from pipeline.text.lazy_pattern import lazy

_CLOSERS = "\"'”’»」』》〉）)\\]】"
_END = lazy(rf"(?:[。！？｡؟۔।॥។။።]+|[.!?…‥]+)[{_CLOSERS}]*")
_SPACED_END = frozenset(".!?…‥")
_KOREAN_ENDING = frozenset("다요죠까음함임됨")
_CONTINUES_QUOTE = lazy("[\u3041-\u309f\uac00-\ud7a3]")
"""「…。」と, "…."라고: a quoted sentence that its speaker's clause goes on from."""

_ABBREVIATION = lazy(
    r"(?:^|[^\w])(?:[A-ZА-ЯÀ-Þ]|Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Col|Sgt|Capt|Rev|Hon|St|No|Nos|vs"
    r"|Inc|Corp|Co|Ltd|Bros|Jr|Sr|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec|[a-z]\.[a-z]"
    r"|[A-Z]\.[A-Z]|Sr|Sra|Dña|Mme|Mlle|Nr|bzw|ca|approx|est|fig|p|pp|vol|al)$"
)
_LOOK_BACK_CHARS = 8


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences; white space between them belongs to none.

    A point inside a number, an address, an initial or an abbreviation ends nothing; a sentence
    in quotation marks that its clause goes on from does not end there.

    >>> split_sentences("그는 3.5%라고 했다. 끝이다.")
    [(0, 13), (14, 18)]
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for found in _END.finditer(text):
        if _is_boundary(text, found):
            _append(spans, text, start, found.end())
            start = found.end()
    _append(spans, text, start, len(text))
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    """Append the span without outer white space, unless nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))


def _is_boundary(text: str, found: re.Match[str]) -> bool:
    """Return whether a sentence ends with this punctuation."""
    mark = found[0]
    following = text[found.end() : found.end() + 1]
    if not following:
        return True
    is_quoted = mark[-1] in _CLOSERS
    if mark[0] not in _SPACED_END:
        return not (is_quoted and _CONTINUES_QUOTE.match(following))
    if not following.isspace():
        # "했다.이어": no space after a Korean sentence; "1.5" and "a.m." have one before theirs.
        ends_korean = found.start() > 0 and text[found.start() - 1] in _KOREAN_ENDING
        is_plain = mark == "." and _CONTINUES_QUOTE.match(following) is not None
        opens_next = mark[0] == "." and not is_quoted and not following.isalnum()
        return ends_korean and (is_plain or opens_next)
    if mark == "." and _ABBREVIATION.search(
        text[max(0, found.start() - _LOOK_BACK_CHARS) : found.start()]
    ):
        return False
    after = text[found.end() : found.end() + 3].lstrip()
    return not after[:1].islower()
