"""Reviewed patterns of photo and graphic credits: who took or gave a picture, by language.

A credit is a line of its own, or ends a caption: in brackets, after a slash, after the last
sentence. Shared by the stages that look inside an article.
"""

from __future__ import annotations

import re

from pipeline.dedup.furniture_pattern import EMAIL
from pipeline.text.lazy_pattern import lazy

MAX_CREDIT_CHARS = 80
"""Longer lines are no credit; the longest of 296 distinct ones in a day of Korean news has 39."""

_TAIL_CHARS = 120
"""A credit at the end of a caption, with the notices after it, is looked for in so many; the
longest of 2,492 in the same set has 60."""

# A holder: a few words without the end of a sentence. Points stand inside it (A.P.), commas too.
_HOLDER = r"(?:[^\s.!?。！？=＝:：|\[\](){}<>【】（）〈〉]|\.(?=\S)|\s(?=\S)){1,40}?(?<![다요죠])"

_KO_LABEL = (
    r"(?:(?:글|취재|대표)[·,/]?\s?)?(?:관련\s?|참고\s?)?"
    r"(?:사진|자료|그래픽|이미지|일러스트|삽화|인포그래픽|그림|도표|화면|영상|캡[처쳐]|출처|제공)"
    r"(?:[·/,]\s?(?:사진|자료|글|영상|그래픽))?"
    r"(?:\s?(?:제공|출처|자료|캡[처쳐]|합성))?"
)
# Before "제공" without brackets an organisation, by how its name ends: services are "제공" as well.
_KO_ORG = (
    r"[가-힣A-Za-z0-9&·().㈜-]{0,14}?(?:\s?[가-힣A-Za-z0-9&·]{1,12})?"
    r"(?:[가-힣]{1,6}(?:특별시|광역시|시청|도청|군청|구청|교육청|경찰청|경찰서|소방서|법원|검찰"
    r"|본부|공사|공단"
    r"|재단|협회|학교|대학|대학교|연구원|연구소|위원회|의회|병원|센터|은행|그룹|전자|건설|증권"
    r"|생명|카드|화재|통신"
    r"|신문|일보|방송|뉴스|지구대|조합|노조|박물관|미술관|도서관|측|씨|부처|지주|에너지|화학|제약"
    r"|바이오)"
    r"|[가-힣]{2,6}(?<!정)(?<!홍)(?:부|처|청|시|군|구|도|원|사|회|단|소|서|실|관|국|공사|위)"
    r"|네이버|카카오|스마트이미지|독자|유족|유가족|제보자|본인|주민|시민|학부모|네티즌"
    r"|[A-Z][A-Za-z&]{1,12})"
)
_AGENCY = (
    r"(?:연합뉴스(?:TV)?|연합|뉴시스(?:/NEWSIS)?|뉴스1|News1|뉴스핌|중앙포토|로이터|신화|교도"
    r"|타스|지지"
    r"|게티\s?이미지(?:뱅크|코리아)?|셔터스톡|픽사베이|언스플래[시쉬]|이미지투데이|클립아트코리아"
    r"|플리커"
    r"|A[PF]P?|AFP|EPA|UPI|DPA|dpa|EFE|ANSA|TASS|NASA|IANS|PTI|ANI|Reuters|REUTERS|XINHUA|Xinhua"
    r"|Yonhap|Kyodo|Jiji|Bloomberg|Anadolu|Getty(?:\s?Images)?|gettyimages(?:bank|korea)?"
    r"|iStock(?:photo)?"
    r"|Shutterstock|shutterstock|Alamy|Pixabay|Unsplash|Pexels|Flickr|Wikimedia(?: Commons)?"
    r"|時事(?:通信(?:社)?)?|共同(?:通信(?:社)?)?|ロイター|聯合ニュース|新华社|新華社|中新社"
    r"|视觉中国|視覺中國"
    r"|中央社|路透社?|法新社|美联社|美聯社|رويترز|غيتي|أ ف ب)"
)
_AGENCIES = (
    rf"(?:[가-힣]{{2,5}}\s?=\s?)?{_AGENCY}(?:\s?[·/=＝,.\s]\s?{_AGENCY}){{0,3}}"
    r"(?:\s?(?:자료\s?사진|자료|DB|제공|그래픽|일러스트|캡[처쳐]|사진))?"
)
_KO_POOL = (
    r"(?:사진\s?)?(?:국회|대통령실|청와대|인수위|[가-힣]{2,4})?\s?"
    r"(?:공동\s?취재(?:단|사진)?|사진\s?(?:공동\s?)?(?:기자단|취재단)|자료\s?사진)"
    r"|[가-힣A-Za-z0-9]{2,10}\s?(?:자료\s?(?:사진|화면)|DB)"
)
_WORD_CHARS = r"[^\s.!?=\[\](){}<>]{1,15}"
_KO_CAPTURE = (
    r"(?=.{2,60}(?:캡[처쳐]|갈무리))"
    rf"(?:{_WORD_CHARS}\s){{0,4}}?{_WORD_CHARS}\s?(?:캡[처쳐]|갈무리)"
)
_KO_PHOTOGRAPHER = (
    r"[가-힣]{2,4}\s?(?:(?:선임|사진|인턴|객원|대)\s?)?(?:기자|작가)"
    rf"(?:\s?[(<]?{EMAIL})?"
)
_KO_UNRELATED = (
    r"(?:[위본해당이※▲*]\s?){0,2}(?:위\s|해당\s|본\s)?(?:사진|이미지|영상|그래픽)(?:은|과|이)?"
    r"\s?(?:본\s|이\s)?"
    r"(?:기사|내용|특정)[^.!?]{0,25}(?:없습니다|없음|무관(?:합니다|함)?|아닙니다"
    r"|자료\s?사진(?:입니다)?)"
    r"|(?:이\s|본\s)?기사(?:의?\s?(?:내용)?)?[와과]?\s?(?:직접(?:적인?)?\s)?(?:관계|관련|연관|무관)"
    r"[^.!?]{0,12}(?:사진|이미지|없음)(?:입니다)?"
)

_LABELS = (
    r"(?:(?:file |cover |top |main |lead |header )?(?:photo(?:graph)?s?|pictures?|images?"
    r"|illustration"
    r"|graphics?|artwork)(?: credits?| courtesy| source)?|credits?|courtesy)"
    r"|(?:foto|fotos|fotografía|fotografia|imagen|imágenes|imagem|immagine|bild|bilder|bildquelle"
    r"|grafik"
    r"|crédits?(?: photos?)?|créditos?|photo d'archives|archivbild|fotoğraf|ảnh|gambar|zdjęcie|fot)"
    r"|фото|снимок|иллюстрация|φωτογραφία|צילום|तस्वीर|फोटो|चित्र|ภาพ(?:จาก|ประกอบ)?|เครดิตภาพ"
    r"|صورة|الصورة|تصوير|المصدر|source|quelle|fuente|fonte|kaynak|источник|स्रोत"
)
# Case tells a name from a heading: "Photo: Hana Lee", "Photos: the harbour in ten pictures".
_LABELLED = (
    rf"(?:{_LABELS})\s?[:：/=|](?-i:(?!\s?[a-z](?!pa\b)))\s?{_HOLDER}"
    r"|(?:photo(?:graph)?s?|pictures?|images?|illustration|graphic)"
    rf"\s(?:(?:provided |taken )?by|courtesy(?: of)?|credit|via)\s{_HOLDER}"
    rf"|courtesy (?:of |photo\b){_HOLDER}|file photo|(?:handout )?via {_AGENCY}"
    r"|foto de archivo|archivfoto|photo d'illustration"
)
_JA = (
    r"(?:写真|画像|図|撮影|提供|イラスト|資料写真)(?:提供"
    r"|撮影)?(?:[・/／]\w{1,4})?\s?[=＝:：／/]\s?"
    rf"{_HOLDER}|[^\s。＝=]{{1,20}}(?:提供|撮影)|資料写真|{_AGENCY}[＝=]?(?:提供|写真)?"
)
_ZH = (
    r"(?:[图圖](?:片|源|文)?(?:来源|來源|/文)?|文/[图圖]|[摄攝]影|供[图圖]"
    r"|[资資]料[图圖照](?:片)?|照片)"
    r"(?:提供|[来來]源)?\s?[:：/／|丨]\s?[^。！？\s]{1,25}"
    r"|[^。！？]{1,16}(?:[摄攝]|供[图圖]|[图圖])|[资資]料(?:[图圖]片?|照片?)"
    r"|新[华華]社[发發](?:（[^）]{1,12}）)?"
)

# Whole: a sign of its own (a label, brackets, an agency) tells it from a heading.
_PLAIN = (
    rf"{_KO_LABEL}\s?[=＝:：ㅣ|/]\s?{_HOLDER}|(?:일러스트|그래픽|사진|촬영|삽화"
    rf"|그림)\s{_KO_PHOTOGRAPHER}"
    rf"|사진\s?제공\s[^\s.!?=]{{2,15}}|(?=.{{1,30}}제공){_KO_ORG}\s?제공"
    rf"|{_KO_POOL}|{_KO_UNRELATED}|{_LABELLED}|{_AGENCIES}"
    r"|사진(?:영상)?(?:기획|취재|보도)?부|(?:온라인|유튜브|페이스북|인스타그램|트위터|방송|화면"
    r"|홈페이지|영상|SNS|[A-Z]{2,5})"
    r"(?:\s\S{1,12}){0,3}\s?(?:캡[처쳐]|갈무리)"
)
_LATIN_NAME = r"[A-ZÀ-Þ][\w.'’-]*(?:\s[A-ZÀ-Þ][\w.'’-]*){0,3}"
_SLASHED = (
    rf"(?:{_LATIN_NAME}\s?/\s?)?{_AGENCY}(?:\s(?:Photo|Images|Foto|via \w+(?: \w+)?))?"
    rf"(?:\s?/\s?{_LATIN_NAME})?"
)
# In brackets more is safe: "[사진 나래은행]", "(달빛군 제공)", "[촬영 이하늘]", "（月見市提供）".
_IN_BRACKETS = (
    rf"{_PLAIN}|(?:사진|자료|출처|촬영|제작|그래픽|이미지|그림)(?!\s?\d)\s?{_HOLDER}"
    rf"|{_HOLDER}\s?(?:제공|촬영|제작)(?:\s?[=,/]\s?(?:{_AGENCY}|{_HOLDER}))?|{_KO_CAPTURE}"
    rf"|{_SLASHED}|자료\s?화면|{_JA}|{_ZH}"
)
_JA_ZH_LINE = (
    r"(?:写真|画像|図(?:片来源)?|撮影|イラスト)(?:提供|撮影)?(?:[・/／]\w{1,4})?\s?[=＝:：／/]"
    r"\s?[^。！？]{1,30}"
    r"|(?:[图圖](?:片|源|文)?(?:[来來]源)?|[摄攝]影|供[图圖]|[资資]料[图圖照]片?|文/[图圖])"
    r"\s?[:：/／|丨]\s?[^。！？]{1,25}"
    r"|[资資]料[图圖]片?|資料照片?|資料写真|新[华華]社[发發]"
    r"|(?:[\u4e00-\u9fff]{2,6}[记記]者\s?)?[\u4e00-\u9fff·]{2,4}\s?[摄攝]"
)

_OPEN, _CLOSE = r"[\[(<〈《【（〔]", r"[\])>〉》】）〕]"
_DATE = r"(?:19|20)\d\d\.\s?\d{1,2}\.\s?\d{1,2}\.?"
_BRACKETED = (
    rf"(?:{_OPEN}\s?(?:{_IN_BRACKETS})[\s.]*{_CLOSE}"
    rf"|{_OPEN}\s?{_OPEN}(?:{_IN_BRACKETS}){_CLOSE}\s?{_CLOSE})"
)
# What stands after a credit: a date, an address, notices that the furniture stage takes.
_AFTER = (
    rf"(?>(?:[\s.,/·*※]|{_DATE}|{EMAIL}|{_BRACKETED}|[ⓒ©][^.\n]{{0,40}}"
    r"|(?:재판매|재배포|무단)[^.\n]{0,25}금지|뉴스1|(?:일러스트|그래픽|사진합성·일러스트)$)*)"
)
_LEAD = r"[\s/ㅣ|·※*▲△▶◆…◇■=ⓒ©.]*+"

_LINE = lazy(
    rf"^{_LEAD}(?:{_BRACKETED}|{_AGENCIES}|{_PLAIN}|{_SLASHED}|{_JA_ZH_LINE})"
    rf"(?:\s?[,·/|]\s?(?:{_BRACKETED}|{_PLAIN}))?{_AFTER}$",
    re.IGNORECASE,
)
_STRONG = (
    rf"{_KO_LABEL}\s?[=＝]\s?{_HOLDER}|(?:사진|자료|그래픽|이미지)\s?제공\s?[:：/|·]\s?{_HOLDER}"
    rf"|(?:사진|그래픽|일러스트)\s?[:：ㅣ|]\s?{_HOLDER}"
)

# Where a credit may begin, by one character; then one pattern is tried there. (Searching for the
# patterns themselves takes three times as long.) A label begins a word.
_LABEL_CHARS = "사자그이일삽인도화영캡출제글"
_PLACES = lazy(
    rf"[\[(<〈《【（〔/ㅣ|＝=!?。！？…।.{_LABEL_CHARS}]"
    rf"(?:(?<![{_LABEL_CHARS}])|(?<=[ \u3000\xa0\t)\]”’\"'][{_LABEL_CHARS}]))"
)
_PLACE_NAMES = (
    dict.fromkeys("[(<〈《【（〔", "bracket")
    | dict.fromkeys("/ㅣ|", "slash")
    | dict.fromkeys("＝=", "equals")
    | dict.fromkeys("!?。！？…।.", "end")
)
_CLOSERS = frozenset("\"'”’」』)]）")
_SOURCES = rf"(?:{_PLAIN}|{_SLASHED}|{_KO_CAPTURE}|{_JA_ZH_LINE})"
_REPORTER = rf"(?:[가-힣]{{2,4}}\s?=\s?)?{_KO_PHOTOGRAPHER}{_AFTER}$"
_PLACED = {
    name: lazy(regex, re.IGNORECASE)
    for name, regex in {
        # In brackets, after anything: "… 전경(나래시 제공)", "… speaks. (AP Photo/Hana Lee)".
        "bracket": rf"(?:(?<=[.!?。])|(?<=[.!?。]\s)|(?!{_OPEN}[A-Z]{{2,4}}{_CLOSE}))"
        rf"{_BRACKETED}{_AFTER}$",
        # "… の歩道橋＝月見市提供".
        "equals": r"[＝=][^。＝=]{1,30}(?:提供|撮影)$",
        # "… 건물 /사진=나래통신", "… 하고 있다./연합뉴스".
        "slash": rf"[/ㅣ|]\s?(?:{_STRONG}|{_SOURCES}){_AFTER}$",
        # A label and a sign need no more: "조감도 자료=달빛시".
        "label": rf"{_STRONG}{_AFTER}$",
        # After the last sentence: an agency, an organisation, a pool, a photo's date.
        "end": rf"\s*+[ㅣ|·-]?\s*+(?:{_DATE}[\s./]*(?:뉴스1)?|{_AGENCIES}|{_STRONG}|{_SOURCES})"
        rf"{_AFTER}$",
    }.items()
}
_REPORTERS = {
    "slash": lazy(rf"[/ㅣ|]\s?{_REPORTER}"),
    "end": lazy(rf"\s*+·?\s*+{_REPORTER}"),
}
_WORD = lazy(r"\w")
_MARK = lazy(r"^(?:[◆▲△▼▽]\s?…?|[\[<(]\s?사진(?:\s?설명)?\s?[\]>)])\s*")
_NOT_OF_STORY = lazy(rf"(?<=[.!?다])\s*+(?:{_KO_UNRELATED})\.?\s*$")
_DATELINE = lazy(
    r"^[\[(](?!사진|자료|그래픽|이미지|출처|화면|영상|제공)"
    r"[가-힣]{2,5}\s?=\s?[^\s\])]{2,8}[\])]$"
)


def is_credit_line(text: str) -> bool:
    """Return whether a whole line is nothing but a photo or graphic credit, in NFC.

    >>> is_credit_line("[사진 제공=달빛군]"), is_credit_line("Photo: Hana Lee/Reuters")
    (True, True)
    >>> is_credit_line("청년에게 월세 제공")
    False
    """
    if len(text) > MAX_CREDIT_CHARS or _DATELINE.match(text):
        return False
    return _LINE.match(text) is not None


def credit_start(text: str, *, with_reporter: bool = True) -> int | None:
    """Return where the credit at the end of a caption begins, None where it bears none; in NFC.

    `with_reporter`: a reporter's name counts too (at the end of an article it is its byline).

    >>> text = "시장이 발언하고 있다. (사진=도청 제공)"
    >>> text[credit_start(text):]
    ' (사진=도청 제공)'
    """
    for place in _PLACES.finditer(text, max(0, len(text) - _TAIL_CHARS)):
        at = place.start()
        name = _PLACE_NAMES.get(text[at], "label")
        if name == "end":
            if _is_inner_point(text, at):
                continue
            at += 2 if text[at + 1 : at + 2] in _CLOSERS else 1
        is_credit = _PLACED[name].match(text, at) is not None
        if not is_credit and with_reporter and name in _REPORTERS:
            is_credit = _REPORTERS[name].match(text, at) is not None
        if is_credit:
            before = text[:at].rstrip()
            return len(before) if _WORD.search(before) else None
    return None


def _is_inner_point(text: str, at: int) -> bool:
    """Return whether a point stands inside a number, an address or an abbreviation."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if text[at] != "." or not before.isascii() or not before.isalnum():
        return False
    return not after.isspace() or (before.isdigit() and text[at + 2 : at + 3].isdigit())


def caption_core(text: str) -> str:
    """Return what a caption says: without its mark, its credit, and "not of this story"; in NFC.

    >>> caption_core("◆…시장이 발언하고 있다. 사진은 기사와 무관함. /사진=나래통신")
    '시장이 발언하고 있다.'
    """
    start = credit_start(text)
    core = text if start is None else text[:start]
    return _NOT_OF_STORY.sub("", _MARK.sub("", core)).strip()
