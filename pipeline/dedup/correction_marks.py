"""How newsrooms say that they corrected an article."""

from __future__ import annotations

import re
import unicodedata

from pipeline.text.lazy_pattern import lazy

_OPEN, _CLOSE = r"[\[(<【〔〈＜［（]", r"[\])>】〕〉＞］）]"

# The bare words are news as well (a market's correction, a suit for 정정보도): they count in
# brackets, before a colon or a dash, as a whole paragraph, or in the set phrases below.
_CORRECTION = (
    r"정정(?:\s?보도(?:문)?)?|바로\s?잡습니다|바로잡음|고침|수정|오류\s?정정|정정합니다"
    r"|訂正(?:とお詫び|記事)?|お詫びと訂正|おわびと訂正|更正(?:启事|啟事|說明|说明)?|勘误|勘誤"
    r"|corrections?|corrected(?:\s+version)?|correction\s+(?:of|to)\s[^\n:]{1,40}|corrects?\b[^\n:]{0,60}"
    r"|clarifications?|erratum|errata|editor['’]s\s+note\s*\(correct\w+\)"
    r"|fe\s+de\s+(?:errores|erratas)|correcci[óo]n(?:es)?|rectificaci[óo]n|corrigendo|errata|correç(?:ão|ões)"
    r"|rectificatifs?|correctif|précision|erratum|errata\s+corrige|rettifica|precisazione"
    r"|berichtigung|korrektur|richtigstellung|korrigiert(?:e\s+fassung)?|rectificatie|rättelse|rettelse|sprostowanie"
    r"|исправлено|поправка|исправление|уточнение|تصحيح|تصويب|תיקון(?:\s+טעות)?|διόρθωση|düzeltme|शुद्धिपत्र|แก้ไข"
    r"|đính\s+chính|ralat|koreksi"
)
_PHRASES = (
    r"기사\s?(?:내용|본문|제목)?(?:을|를|의)?[^\n.]{0,30}(?:바로\s?잡|정정|고쳤|수정(?:했|합|함|하였))"
    r"|(?:잘못|오기|오류)[^\n.]{0,40}바로\s?잡(?:습니다|았습니다|음)"
    r"|(?:an?|the)\s+(?:earlier|previous|original|initial)\s+version\s+of\s+th(?:is|e)\s"
    r"(?:article|story|report|headline|piece)"
    r"|this\s+(?:article|story|report|headline|piece)\s+(?:has\s+been|was)\s+"
    r"(?:corrected|amended|updated\s+to\s+correct)"
    r"|a\s+correction\s+(?:was|has\s+been)\s+made|(?:in|to)\s+correct\s+(?:an?\s+error|the\s+spelling)"
    r"|(?:記事|見出し)[^\n。]{0,30}訂正(?:しま|いたし)|訂正してお詫び"
    r"|una\s+versión\s+(?:anterior|previa)\s+de\s+est[ae]|este\s+artículo\s+ha\s+sido\s+corregido"
    r"|une\s+(?:première|précédente)\s+version\s+de\s+cet|cet\s+article\s+a\s+été\s+(?:corrigé|modifié)"
    r"|in\s+einer\s+(?:früheren|ersten)\s+(?:fassung|version)|dieser\s+artikel\s+wurde\s+(?:korrigiert|berichtigt)"
    r"|в\s+(?:первоначальной|предыдущей)\s+версии|текст\s+исправлен"
)
_CORRECTED = lazy(
    rf"{_OPEN}\s*(?:{_CORRECTION})\s*{_CLOSE}"
    rf"|^\W*(?:{_CORRECTION})\s*(?:[:：|]|\s[-–—]|$|\n)|^corrected\s?[-–—]|(?<=[.!?。다])\s+(?:{_CORRECTION})\s*[:：]"
    rf"|\b(?:{_PHRASES})",
    re.IGNORECASE | re.MULTILINE,
)


def correction_mark(text: str) -> str:
    """Return the words by which a passage says that something was corrected; empty without.

    >>> correction_mark("[정정] 요금 300원"), correction_mark("A market correction followed.")
    ('[정정]', '')
    """
    found = _CORRECTED.search(unicodedata.normalize("NFC", text))
    return found[0].strip() if found else ""
