"""The key of a headline: what stays of it when a newsroom marks another version of the story."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipeline.text.normalise import make_keys

# Marks of versions and urgency only. Marks of kind ([사진], [포토], [영상], [인사], (표)) stay: a
# photo caption is no version of the article whose headline it bears.
_MARKS = (
    r"\d\s*보|종합(?:\s*\d\s*보)?|상보|속보|긴급|단독|수정|정정|재송|재종합|업데이트"
    r"|速報|続報|更新|快讯|快訊|突发|突發|独家|獨家"
    r"|breaking(?:\s+news)?|urgent|flash|exclusive|correct(?:ed|ion)"
    r"|update[ds]?(?:\s*\d{1,2})?|\d(?:st|nd|rd|th)\s+(?:lead|ld)"
    r"|última\s+hora|urgente|actualizad[oa]|actualización|عاجل|تحديث"
)
_OPEN, _CLOSE = r"[\[(<【〔〈＜［（]", r"[\])>】〕〉＞］）]"
_BRACKETED = re.compile(rf"{_OPEN}\s*(?:{_MARKS})\s*{_CLOSE}", re.IGNORECASE)
# Agencies open a headline so; a colon or a dash has to follow, the bare word is part of the text.
_LEADING = re.compile(
    r"^\s*(?:(?:update|wrapup|corrected|breaking|urgent|exclusive|refile)(?:\s+\d{1,2})?"
    r"(?:\s*:|\s*[-–—]\s*)|(?:속보|긴급|단독)\s*[:|])",
    re.IGNORECASE,
)


def bare_title(title: str) -> str:
    """Return the headline without marks such as [속보], (종합2보), (update) or "UPDATE 1-".

    >>> bare_title("[속보] 기준금리 동결(종합2보)"), bare_title("UPDATE 2-Oil slips")
    ('기준금리 동결', 'Oil slips')
    """
    title = unicodedata.normalize("NFC", title)
    without = _BRACKETED.sub(" ", title).strip()
    while without != (shorter := _LEADING.sub("", without).strip()):
        without = shorter
    return without or title.strip()


def title_keys(titles: Iterable[str | None]) -> list[str]:
    """Return the key of each headline without its marks; empty without a headline."""
    return make_keys([bare_title(title) if title else "" for title in titles])
