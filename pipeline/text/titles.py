"""Headlines: the key without the marks of a version, and the version that the marks claim."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.text.lazy_pattern import lazy
from pipeline.text.normalise import key_array
from pipeline.text.utf8 import whole

UNMARKED = 0
"""Version of a headline without a mark of a version."""

_SUMMARY = 20
"""(종합), with the number that follows it: later than any numbered report of the same story."""
_CORRECTED = 40

# Marks of versions and urgency only. Marks of kind ([사진], [포토], [영상], [인사], (표)) stay: a
# photo caption is no version of the article whose headline it bears.
_FLASH = (
    r"속보|긴급|速報|続報|快讯|快訊|突发|突發|breaking(?:\s+news)?|urgent|flash|snap|eilmeldung|eil"
    r"|última\s+hora|urgente|alerte(?:\s+info)?|ultim['’]?ora|срочно|молния|[έε]κτακτο|عاجل|מבזק|דחוף"
    r"|ब्रेकिंग(?:\s+न्यूज़)?|ด่วน|son\s+dakika"
)
_FULL = (
    r"상보|更新|업데이트|updated?|aktualisiert|actualizad[oa]|actualización|atualizad[oa]"
    r"|mis(?:e)?\s+à\s+jour|actualisé|aggiornato|обновлено|дополнено|ενημ[έε]ρωση|تحديث|עדכון|अपडेट"
    r"|อัปเดต|อัพเดต|güncelleme"
)
_FIXED = r"수정|정정|재송|訂正|更正|correct(?:ed|ion)|refile|rectificación|rectificatif|korrektur"
_MARKS = (
    rf"(?P<flash>{_FLASH})|(?P<report>\d{{1,2}})\s*보"
    r"|(?P<summary>재?종합)(?:\s*(?P<nth_summary>\d{1,2})\s*보)?"
    rf"|(?P<full>{_FULL})(?:\s*(?P<nth_full>\d{{1,2}}))?|(?P<fixed>{_FIXED})"
    r"|(?P<lead>\d{1,2})(?:st|nd|rd|th)\s+(?:lead|ld)(?:[-\s]writethru)?|단독|exclusive|独家|獨家"
)
_OPEN, _CLOSE = r"[\[(<【〔〈＜［（]", r"[\])>】〕〉＞］）]"
_BRACKETED = lazy(rf"{_OPEN}\s*(?:{_MARKS})\s*{_CLOSE}", re.IGNORECASE)
# Agencies open a headline so; a colon has to follow, and after a few words of the wires a dash: the
# bare word is part of the text.
_OPENING = lazy(rf"^\s*(?:{_MARKS})\s*[:：|｜]", re.IGNORECASE)
_DASHED = lazy(
    r"^\s*(?:(?P<flash>breaking|urgent|snap)|(?P<full>update|wrapup)(?:\s+(?P<nth_full>\d{1,2}))?"
    r"|(?P<fixed>corrected|refile)|(?P<lead>\d)(?:st|nd|rd|th)\s+(?:lead|ld)(?:-writethru)?"
    r"|exclusive)\s*[-–—:]",
    re.IGNORECASE,
)

# One of these stands in every mark, and most headlines have none. U+2329 is one only after NFC.
_SIGNS = "[\\[(<【〔〈＜［（:：|｜\\-–—\u2329]"
may_be_marked = lazy(_SIGNS).search


def bare_title(title: str) -> str:
    """Return the headline without marks such as [속보], (종합2보), (update) or "UPDATE 1-".

    >>> bare_title("[속보] 기준금리 동결(종합2보)"), bare_title("UPDATE 2-Oil slips")
    ('기준금리 동결', 'Oil slips')
    """
    return _parted(title)[0]


def title_version(title: str) -> int:
    """Return the place in a chain of versions that a headline claims.

    Flashes are negative, an unmarked headline is 0, later versions are positive; of several marks
    the latest counts.

    >>> [title_version(t) for t in ("[속보] 가", "가", "가(2보)", "가(종합)", "가(종합2보)")]
    [-1, 0, 2, 20, 22]
    """
    return _version_of(_parted(title)[1])


def title_columns(titles: pa.Array | pa.ChunkedArray) -> tuple[pa.LargeStringArray, pa.Array]:
    """Return key and version of each headline, large string and int16, neither NULL.

    The key is that of the headline without its marks, empty without a headline; the version is
    what it claims, `UNMARKED` without a headline.
    """
    bare = pc.fill_null(whole(titles), "").cast(pa.large_string())
    versions = np.full(len(bare), UNMARKED, np.int16)
    is_marked = pc.match_substring_regex(bare, _SIGNS)
    marked = np.flatnonzero(is_marked.to_numpy(zero_copy_only=False))
    if marked.size:
        parted = [_parted(title) for title in bare.take(pa.array(marked)).to_pylist()]
        without = pa.array([title for title, _ in parted], pa.large_string())
        bare = pc.replace_with_mask(bare, is_marked, without)
        versions[marked] = [_version_of(marks) for _, marks in parted]
    return key_array(bare), pa.array(versions)


def title_keys(titles: Iterable[str | None]) -> list[str]:
    """Return the key of each headline without its marks; empty without a headline."""
    keys: list[str] = title_columns(pa.array(titles, pa.large_string()))[0].to_pylist()
    return keys


def title_versions(titles: Iterable[str | None]) -> list[int]:
    """Return the version that each headline claims, `UNMARKED` without a headline."""
    versions: list[int] = title_columns(pa.array(titles, pa.large_string()))[1].to_pylist()
    return versions


def _parted(title: str) -> tuple[str, list[re.Match[str]]]:
    """Return the bare headline and the marks that were taken off."""
    title = unicodedata.normalize("NFC", title)
    marks = list(_BRACKETED.finditer(title))
    without = _BRACKETED.sub(" ", title).strip()
    while leading := _OPENING.match(without) or _DASHED.match(without):
        marks.append(leading)
        without = without[leading.end() :].strip()
    return (without, marks) if without else (title.strip(), [])


def _version_of(marks: Iterable[re.Match[str]]) -> int:
    """Return the version that marks claim: the latest of several."""
    return max(map(_version, marks), key=abs, default=UNMARKED)


def _version(mark: re.Match[str]) -> int:
    """Return the place that one mark claims."""
    found = {name: value for name, value in mark.groupdict().items() if value}
    if "flash" in found:
        return -1
    if "report" in found:
        # A first report is the flash, in the words of the wires.
        return int(found["report"]) if int(found["report"]) > 1 else -1
    if "summary" in found:
        return _SUMMARY + int(found.get("nth_summary", 0))
    if "full" in found:
        return int(found.get("nth_full", 1))
    if "lead" in found:
        return int(found["lead"])
    return _CORRECTED if "fixed" in found else UNMARKED
