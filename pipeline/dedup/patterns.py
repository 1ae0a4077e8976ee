"""Reviewed furniture patterns: one table, each with its language and an example of its own.

A pattern speaks of one paragraph. `place` says where it may stand:

- `line`: the whole paragraph;
- `last`: the whole paragraph, one of the very last;
- `head`: its beginning (what follows is body text and stays);
- `tail`: its end, after the end of a sentence (what stands before is body text and stays);
- `end`: its end, after anything.

Named groups `byline`, `dateline` and `agency` are lifted into fields. What sources print
everywhere and no pattern knows is learned per source, not listed here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["rights", "byline"]
Place = Literal["line", "last", "head", "tail", "end"]


@dataclass(frozen=True, slots=True)
class FurniturePattern:
    """A reviewed pattern with the paragraph that it was written for."""

    name: str
    language: str
    kind: Kind
    place: Place
    regex: re.Pattern[str]
    example: str


# --- building stones -------------------------------------------------------------------------
# A tail begins the paragraph, follows the end of a sentence, or opens with a sign of its own.
_AFTER = r"(?:^|(?<=[.!?。！？…।؟\"'”’»」』)\]】〉》>])|(?<=다)(?=\s)|\s(?=[\[(<【〈*※ⓒ©Ⓒ]))\s*"
_LEAD = r"(?:[-–—|/▶※*·ㅣ]\s*)*"
_END = r"[\s.,!。·|\])>】〉》〕-]*$"
_SIGN = r"(?:[ⓒ©Ⓒ]|\(c\)|（c）)"
# A holder's name has points inside (㈜, A.P.) but no end of a sentence.
_HOLDER = r"(?:[^.!?。ⓒ©Ⓒ\n]|\.(?=\S))"

_KO_FORBIDS = (
    r"무단\s?(?:전재|복제|배포|사용|도용|수집)[^.!?\[\]<>]{0,60}?(?:금지|금합니다|금함|불허)"
    r"(?:합니다|됩니다|함|한다)?"
)
_KO_DB = r"(?:재판매|재배포)\s?(?:및|,|·|/|-)?\s?DB\s?(?:전재\s?)?(?:금지)|DB\s?및\s?재판매\s?금지"
_KO_RIGHTS = rf"(?:{_KO_DB}|{_KO_FORBIDS}|재배포\s?(?:를\s?)?금지|저작권자\s?[ⓒ©Ⓒ(:])"

_ZH_OWNED = r"版[权權](?:所有|[归歸][^。]{1,15}所有)"
_ZH_BAN = (
    r"(?:未[经經][^。]{0,12}(?:授[权權]|[许許]可|允[许許]|同意)[^。]{0,20}(?:不得|禁止|[严嚴]禁|[请請]勿)[^。]{0,20}"
    r"(?:[转轉][载載]|使用|[复複][制製]|摘[编編])[^。]{0,15}|(?:禁止|[严嚴]禁|[谢謝][绝絕]|[请請]勿)[^。]{0,8}[转轉][载載]"
    r"|[转轉][载載][请請]注明[^。]{0,15})"
)

_KO_NAME = r"[가-힣]{2,4}"
# Where no sign stands beside it, a name must begin as Korean family names do and not end as a
# noun with its particle does ("이달의 기자").
_KO_SURE_NAME = (
    r"[김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄채원천방공현함변염여추도소석"
    r"선설마길연위표명기반라왕금옥육인맹제모탁국어은편용예경봉사부][가-힣]{1,3}(?<![의를을에는])"
)
_KO_SURE_NAMES = rf"{_KO_SURE_NAME}(?:\s?[·,ㆍ/]\s?{_KO_SURE_NAME}){{0,4}}"
_KO_TITLE = (
    r"(?:[가-힣]{0,6}(?:\s(?:선임|전문|인턴|수습|객원|시민|사진|영상|의학|디자인))?\s?(?:기자|특파원|통신원)"
    r"|디자이너|논설위원|편집위원|해설위원|리포터|칼럼니스트)"
)
_KO_NAMES = rf"{_KO_NAME}(?:(?:\s?[·,ㆍ/]\s?|\s){_KO_NAME}){{0,4}}"
_KO_REPORTERS = (
    rf"{_KO_NAMES}\s?{_KO_TITLE}(?:\s?[,·/]\s?{_KO_NAME}\s?{_KO_TITLE}){{0,3}}|[가-힣 ]{{0,6}}사진\s?(?:기자단|취재단)"
)
_EMAIL = r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*"
_KO_PART = r"(?:(?:취재|촬영)기자|영상(?:취재|편집|그래픽|촬영)|촬영|편집|그래픽|삽화|일러스트|자료조사|취재)"
_KO_CREW = rf"[가-힣 ,·]{{2,20}}(?:\s{_EMAIL})?"
_KO_OUTLET = (
    r"[가-힣A-Za-z0-9]{0,8}(?:뉴스\d?|신문|일보|경제|방송|데일리\S{0,3}|데일리안|이데일리|타임[스즈]|투데이|동아|조선|중앙"
    r"|한겨레|한경닷컴|헤럴드|머니S?|저널|통신|TV|Biz|닷컴|매거진)"
)
_AGENCY_KO = r"[가-힣A-Za-z0-9/]{0,12}(?:연합뉴스|뉴시스|뉴스1|연합|뉴스핌|로이터|교도|신화)"
_LATIN_AGENCY = (
    r"(?:Reuters|AP|AFP|UPI|dpa|DPA|EFE|ANSA|TASS|IANS|PTI|ANI|Xinhua|Yonhap|Kyodo|Jiji|Bloomberg"
    r"|Europa Press|Notimex|Lusa|Agência Brasil|APA|Belga|Interfax|Anadolu)"
)
_LATIN_NAME = r"[A-ZÀ-ÞА-Я][\w.'’-]*(?:\s(?:de|da|do|dos|van|von|der|la|le|del|bin|al-)?\s?[A-ZÀ-ÞА-Я][\w.'’-]*){1,3}"


def _pattern(
    name: str, language: str, kind: Kind, place: Place, regex: str, example: str
) -> FurniturePattern:
    """Return the pattern, compiled for its place."""
    if place in ("line", "last"):
        regex = rf"^[\s\[(<【〈（]*(?:{regex}){_END}"
    elif place == "tail":
        regex = rf"{_AFTER}{_LEAD}(?:{regex}){_END}"
    elif place == "end":
        regex = rf"\s*(?:{regex}){_END}"
    else:
        regex = rf"^(?:{regex})"
    # Case matters to names and places; notices are printed in any case.
    flags = re.IGNORECASE if kind == "rights" else re.NOFLAG
    return FurniturePattern(name, language, kind, place, re.compile(regex, flags), example)


RIGHTS: tuple[FurniturePattern, ...] = (
    _pattern(
        "ko_bracketed_rights", "ko", "rights", "tail",
        rf"(?:\[[^\[\]]{{0,150}}{_KO_RIGHTS}[^\[\]]{{0,120}}\]|<[^<>]{{0,150}}{_KO_RIGHTS}[^<>]{{0,120}}>"
        rf"|【[^【】]{{0,150}}{_KO_RIGHTS}[^【】]{{0,120}}】"
        rf"|\((?:[^()]|\([^()]*\)){{0,150}}{_KO_RIGHTS}(?:[^()]|\([^()]*\)){{0,120}}\))"
        rf"(?:\s*(?:{_EMAIL}|20\d\d\.[\d.\s]*|{_AGENCY_KO}))?",
        "[달빛군 제공. 재판매 및 DB 금지]",
    ),
    _pattern(
        "ko_starred_rights", "ko", "rights", "tail", rf"[*※]?\s?(?:{_KO_DB})(?:\.?\s?20\d\d\.[\d.\s]*)?",
        "달빛호수 전경. (사진=달빛군 제공) *재판매 및 DB 금지",
    ),
    _pattern(
        "ko_rights_holder", "ko", "rights", "line",
        rf"저작권자\s?(?:{_SIGN}|[:：(㈜A-Za-z]|(?=[가-힣]+\s?[,.]?\s?무단)).{{0,120}}(?<!다)"
        r"|(?:[^\s,…]{1,15}\s)?무단\s?(?:전재|복제\S{0,4}\s?배포)[^.!?]{0,40}(?:금지|금합니다|금함|불허)",
        "저작권자 ⓒ 나래일보, 무단 전재 및 재배포 금지",
    ),
    _pattern(
        "ko_rights_notice", "ko", "rights", "tail",
        rf"(?:<?\s?(?:저작권자?\s?{_SIGN}?|copyrights?\s?{_SIGN}?|{_SIGN}){_HOLDER}{{0,80}}?[,.>\s:-]+)?"
        rf"(?:본\s?(?:기사|콘텐츠|저작물|방송|사진)\S{{0,4}}\s(?:\S+\s){{0,4}})?(?:{_KO_FORBIDS}|{_KO_DB})",
        "시는 다음 달 결과를 내놓는다. 무단전재 및 재배포 금지",
    ),
    _pattern(
        "ko_rights_owner", "ko", "rights", "tail",
        r"(?:인용\s?(?:보도)?\s?(?:할|하실|시)[^.]{0,80}(?:밝혀|명시|표기)[^.]{0,20}(?:바랍니다|주십시오|주세요)\.?\s?)?"
        r"(?:이\s|본\s)?(?:\S+의\s)?저작권은\s[^.]{1,30}에\s?(?:있|귀속)\S{0,6}",
        "저작권은 나래방송에 있습니다.",
    ),
    _pattern(
        "sign_and_holder", "all", "rights", "tail",
        rf"(?:copyrights?\s*)?[ⓒ©Ⓒ]\s?{_HOLDER}{{0,60}}(?<![다요])",
        "달빛항에 배가 들어온다. ⓒ 나래일보",
    ),
    _pattern(
        "sign_in_caption", "all", "rights", "end",
        r"(?:copyrights?\s*)?[ⓒ©Ⓒ]\s?[^\s.!?。ⓒ©Ⓒ]+(?:\s[^\s.!?。ⓒ©Ⓒ]+){0,3}(?<![다요])",
        "달빛항 전경 ⓒ 나래일보 이하늘 기자",
    ),
    _pattern(
        "en_all_rights_reserved", "en", "rights", "tail",
        rf"(?:(?:copyrights?|{_SIGN}){_HOLDER}{{0,90}}[.,;]?\s)?all rights (?:are )?reserved(?: worldwide)?"
        rf"(?:\s(?:by|to)\s{_HOLDER}{{0,40}})?",
        "Copyright 2026 Narae Daily. All rights reserved.",
    ),
    _pattern(
        "en_copyright_year", "en", "rights", "tail",
        rf"copyrights?\s?(?:{_SIGN}|:)?\s?(?:19|20)\d\d\b{_HOLDER}{{0,90}}|\(c\)\s?(?:19|20)\d\d\b{_HOLDER}{{0,60}}",
        "Copyright 2026 Narae News Agency.",
    ),
    _pattern(
        "en_no_reproduction", "en", "rights", "tail",
        r"(?:this (?:material|article|story|content|report)|no part of (?:this|the))\b[^.]{0,80}"
        r"\b(?:may|must|shall|can) (?:not )?be (?:published|reproduced|copied|redistributed|broadcast|rewritten)"
        r"[^.]{0,120}|(?:unauthori[sz]ed )?(?:reproduction|redistribution|republication)\b[^.]{0,30}"
        r"(?:in whole or (?:in )?part|without (?:\w+ ){0,3}(?:permission|consent))[^.]{0,80}"
        r"(?:prohibited|forbidden|not permitted)[^.]{0,30}",
        "This material may not be published, broadcast, rewritten or redistributed.",
    ),
    _pattern(
        "ja_rights", "ja", "rights", "tail",
        r"(?:(?:copyright|[ⓒ©Ⓒ]|（c）|\(c\))[^。]{0,60}?)?(?:(?:本)?(?:記事|写真|画像)[^。]{0,20}?)?"
        r"(?:禁無断転載|無断(?:で)?(?:の)?(?:転載|複製|使用|引用)(?:[・、]?(?:転載|複製|使用|引用|配布|放送))*"
        r"(?:等|など)?(?:を|は|の)?(?:一切)?(?:固く)?\s?(?:禁じ(?:ます|る|られています)|禁止(?:します|です)?|お断り(?:します|いたします)?"
        r"|ご遠慮(?:ください|願います)|できません|不可))",
        "記事・写真の無断転載を禁じます。",
    ),
    _pattern(
        "zh_rights", "zh", "rights", "tail",
        rf"(?:(?:copyright|[ⓒ©Ⓒ])[^。]{{0,40}}?)?(?:{_ZH_OWNED}(?:[,，；\s]*{_ZH_BAN})?|{_ZH_BAN})",
        "版权所有，未经授权不得转载。",
    ),
    _pattern(
        "es_rights", "es", "rights", "tail",
        rf"(?:(?:copyright|{_SIGN}){_HOLDER}{{0,80}}[.,;]?\s)?(?:todos los derechos (?:est[áa]n )?reservados"
        r"|(?:queda )?prohibida (?:la|su) (?:reproducci[óo]n|distribuci[óo]n)[^.]{0,80})",
        "© 2026 Diario Narae. Todos los derechos reservados.",
    ),
    _pattern(
        "pt_rights", "pt", "rights", "tail",
        rf"(?:(?:copyright|{_SIGN}){_HOLDER}{{0,80}}[.,;]?\s)?(?:todos os direitos reservados"
        r"|(?:é )?proibida a reprodução[^.]{0,80})",
        "Todos os direitos reservados.",
    ),
    _pattern(
        "fr_rights", "fr", "rights", "tail",
        rf"(?:(?:copyright|{_SIGN}){_HOLDER}{{0,80}}[.,;]?\s)?(?:tous droits (?:de [^.]{{0,40}})?réservés"
        r"|(?:toute )?reproduction (?:même partielle |totale ou partielle )?(?:est )?interdite[^.]{0,60})",
        "Tous droits réservés.",
    ),
    _pattern(
        "de_rights", "de", "rights", "tail",
        rf"(?:(?:copyright|{_SIGN}){_HOLDER}{{0,80}}[.,;]?\s)?(?:alle rechte vorbehalten"
        r"|(?:nachdruck|vervielfältigung)[^.]{0,60}(?:nicht gestattet|verboten|untersagt))",
        "© Narae Zeitung. Alle Rechte vorbehalten.",
    ),
    _pattern(
        "it_rights", "it", "rights", "tail",
        rf"(?:(?:copyright|{_SIGN}){_HOLDER}{{0,80}}[.,;]?\s)?(?:riproduzione riservata|tutti i diritti (?:sono )?riservati)",
        "© RIPRODUZIONE RISERVATA",
    ),
    _pattern(
        "ar_rights", "ar", "rights", "tail",
        r"(?:(?:copyright|[ⓒ©Ⓒ])[^.]{0,60}?)?(?:(?:جميع|كل|كافة|كافه) الحقوق محفوظة|حقوق (?:الطبع|النشر|الملكية)[^.]{0,40}محفوظة)"
        r"(?:\s(?:ل|لدى )[^.]{1,30})?(?:\s?[ⓒ©Ⓒ]?\s?\d{4})?",
        "جميع الحقوق محفوظة لصحيفة ناري",
    ),
    _pattern(
        "ru_rights", "ru", "rights", "tail",
        r"(?:[ⓒ©Ⓒ][^.]{0,60}[.,]?\s)?(?:все права (?:защищены|сохранены)"
        r"|при (?:цитировании|перепечатке|использовании)[^.]{0,80}(?:ссылка|обязательна)[^.]{0,60})",
        "Все права защищены.",
    ),
    _pattern(
        "other_rights", "all", "rights", "tail",
        r"(?:[ⓒ©Ⓒ][^.]{0,60}[.,]?\s)?(?:सर्वाधिकार सुरक्षित|tüm hakları saklıdır|bản quyền thuộc về[^.]{0,40}"
        r"|สงวนลิขสิทธิ์[^.]{0,40}|hak cipta dilindungi[^.]{0,40}|כל הזכויות שמורות[^.]{0,30}"
        r"|με την επιφύλαξη παντός δικαιώματος|alle rechten voorbehouden|wszelkie prawa zastrzeżone)",
        "सर्वाधिकार सुरक्षित",
    ),
)

BYLINES: tuple[FurniturePattern, ...] = (
    _pattern(
        "ko_dateline", "ko", "byline", "head",
        rf"[\[(（【](?P<dateline>[가-힣A-Za-z·ㆍ,/ ()]{{1,24}}\s?=\s?(?P<agency>{_AGENCY_KO}))[\])）】]"
        rf"(?:\s?(?P<byline>{_KO_REPORTERS})\s*=\s*|\s*=\s*|\s+)",
        "(달빛=연합뉴스) 이하늘 기자 = 달빛군이 4일 새 도서관을 열었다.",
    ),
    _pattern(
        "ko_outlet_and_reporter", "ko", "byline", "head",
        rf"[\[(【](?:[가-힣 ]{{1,12}}=\s?)?{_KO_OUTLET}(?:\([가-힣 ]{{1,8}}\))?[가-힣 ]{{0,8}}\s?=?\s?"
        rf"(?P<byline>{_KO_NAMES}\s?{_KO_TITLE})\s*[\])】]\s*",
        "[나래경제=이하늘 기자] 달빛군이 4일 새 도서관을 열었다.",
    ),
    _pattern(
        "ko_production", "ko", "byline", "line",
        rf"{_KO_PART}\s?[:：=]\s?{_KO_CREW}(?:\s?/\s?{_KO_PART}\s?[:：=]\s?{_KO_CREW})*",
        "촬영기자:이하늘/영상편집:윤슬기",
    ),
    _pattern(
        "ko_reporter_line", "ko", "byline", "line",
        rf"(?:[/=▶]\s?|[가-힣·/ ]{{1,12}}\s?=\s?|{_KO_OUTLET}(?:\s?=\s?|\s)|(?:글|사진|글·사진|글/사진|취재)\s?[=:]?\s)"
        rf"(?P<byline>{_KO_SURE_NAMES}\s?{_KO_TITLE})\s*[(<]?(?:{_EMAIL})?"
        rf"|(?P<byline_mail>{_KO_NAMES}\s?{_KO_TITLE})\s*[/=(<]?\s*{_EMAIL}"
        rf"|(?P<byline_bare>{_KO_SURE_NAMES}\s?{_KO_TITLE})",
        "이하늘 기자 haneul@narae.example",
    ),
    _pattern(
        "ko_sign_off", "ko", "byline", "line",
        r"(?:KBS|MBC|SBS|SBS Biz|YTN|JTBC|MBN|OBS|TV조선|채널A|연합뉴스TV|[가-힣]{2,4}방송)\s?(?:뉴스\s?)?"
        rf"(?P<byline>{_KO_NAME})(?:입니다|이었습니다|였습니다)\.?\s*(?:\({_EMAIL}\))?",
        "나래방송 뉴스 이하늘입니다.",
    ),
    _pattern(
        "email_line", "all", "byline", "line", rf"(?P<byline>{_EMAIL})(?:\s?[,·/]\s?{_EMAIL}){{0,3}}",
        "haneul@narae.example",
    ),
    _pattern(
        "ko_reporter_tail", "ko", "byline", "tail",
        rf"[/=(\[]?\s*(?:[가-힣]{{1,6}}=|{_KO_OUTLET}[=\s])?"
        rf"(?P<byline>{_KO_SURE_NAMES}\s?{_KO_TITLE})\s*[/=]?\s*(?:{_EMAIL})?",
        "시는 다음 달 결과를 내놓는다. /이하늘 기자",
    ),
    _pattern(
        "email_tail", "all", "byline", "tail", rf"(?P<byline>{_EMAIL})",
        "시는 다음 달 결과를 내놓는다. haneul@narae.example",
    ),
    _pattern(
        "latin_dateline", "en", "byline", "head",
        rf"(?P<dateline>[A-ZÀ-Þ][\w .,'’/-]{{1,40}}?\s?\((?P<agency>{_LATIN_AGENCY})(?:/\w+)?\))\s?\.?[-–—:]+\s*",
        "NARAE CITY, March 4 (Reuters) - The city opened a new library.",
    ),
    _pattern(
        "latin_place", "en", "byline", "head",
        r"(?!BREAKING|UPDATE|OPINION|LIVE|ANALYSIS|EXCLUSIVE|WATCH|NOTE|FACT|CORRECTION|EDITORIAL|VIDEO)"
        r"(?P<dateline>[A-ZÀ-Þ][A-ZÀ-Þ .'’-]{3,30}(?:,\s[A-Z][\w.]+){0,2})\s[–—]\s(?=\S)",
        "NARAE CITY — The city opened a new library.",
    ),
    _pattern(
        "en_by_line", "en", "byline", "line",
        rf"(?:By|BY)\s(?P<byline>{_LATIN_NAME}(?:(?:,\s|\sand\s|\s&\s){_LATIN_NAME}){{0,3}})"
        r"(?:,?\s(?:Staff Writer|Staff Reporter|Correspondent|in [A-Z]\w+|Associated Press|Reuters))?",
        "By Hana Lee and Seul Yoon",
    ),
    _pattern(
        "en_reporting_by", "en", "byline", "line",
        rf"[(]?(?:Additional r|R)eporting (?:and \w+ )?by (?P<byline>{_LATIN_NAME})[^.]{{0,200}}(?:;\s?(?:[Ee]diting|[Ww]riting) by [^.]{{3,80}})?",
        "(Reporting by Hana Lee; Editing by Seul Yoon)",
    ),
    _pattern(
        "agency_sign_off", "all", "byline", "last",
        r"(?P<agency>REUTERS?|Reuters?|reuters?|AP|AFP|dpa|EFE|Xinhua|Yonhap|Kyodo|연합뉴스|뉴시스|共同|時事|新华社)",
        "Reuters",
    ),
    _pattern(
        "romance_by_line", "es", "byline", "line", rf"(?:Por|Par|Von|Autor:)\s(?P<byline>{_LATIN_NAME})",
        "Por Ana Luna",
    ),
    _pattern(
        "ja_reporter_line", "ja", "byline", "line",
        r"(?:(?:文|取材)[・:：／/]|取材[:：]?\s?)(?P<byline>[\u4e00-\u9fff\u3040-\u30ff]{2,8})"
        r"|(?:記者|本紙記者|特派員)[・:：\s](?P<byline_after>[\u4e00-\u9fff]{2,6})"
        r"|(?P<byline_before>[\u4e00-\u9fff]{2,6})\s?(?:記者|特派員)",
        "記者 山川葵",
    ),
    _pattern(
        "ja_dateline", "ja", "byline", "head",
        r"[【［\[（](?P<dateline>(?:[\u4e00-\u9fff\u30a0-\u30ff]{1,10}[\s=＝・]?(?:\d{1,2}日[\s=＝]?)?)?"
        r"(?P<agency>時事|共同|ロイター|AFP=時事|AFP＝時事|聯合ニュース|新華社|AP))(?:通信)?[】］\]）]\s?[=＝-]?\s?",
        "【月見 4日 共同】月見市は4日、新しい図書館を開いた。",
    ),
    _pattern(
        "zh_dateline", "zh", "byline", "head",
        r"[（(]?(?P<dateline>(?P<agency>新华社|新華社|中新社|中新网|中央社|人民网|央视网|本报|本報)[\u4e00-\u9fff]{0,8}?(?:\d{1,2}月)?\d{1,2}日[电電讯訊]?)"
        r"[）)]?\s?(?:[（(](?:记者|記者)\s?(?P<byline>[\u4e00-\u9fff、\s]{2,20})[）)]\s?)?",
        "新华社月城3月4日电（记者 李海）月城4日新开一座图书馆。",
    ),
    _pattern(
        "zh_cna_dateline", "zh", "byline", "head",
        r"[（(](?P<dateline>(?P<agency>中央社)(?:记者|記者)(?P<byline>[\u4e00-\u9fff]{2,4}?)[\u4e00-\u9fff]{2,6}\d{1,2}日[电電])[）)]\s?",
        "（中央社記者李海月城4日電）月城4日新開一座圖書館。",
    ),
    _pattern(
        "zh_reporter_line", "zh", "byline", "line",
        r"(?:本[报報]|新华社|中新社|特[约約]|[实實]习)?(?:特派)?[记記]者[\s：:]*(?P<byline>[\u4e00-\u9fff·]{2,4}(?:[\s、][\u4e00-\u9fff·]{2,4}){0,4})"
        r"(?:\s?(?:报道|報導|摄影报道))?|(?:[责責]任[编編][辑輯]|[编編][辑輯]|撰文)\s?[：:／/]\s?[\u4e00-\u9fff、\s]{2,20}",
        "本报记者 李海",
    ),
    _pattern(
        "ar_dateline", "ar", "byline", "head",
        r"(?P<dateline>[\u0621-\u064a]{2,15}(?:\s[\u0621-\u064a]{2,15})?\s?\((?P<agency>رويترز|أ ف ب|د ب أ|أ ب|وام|قنا|واس|سبأ|سانا|الأناضول)\))\s?[-–—:]+\s*",
        "ناري (رويترز) - افتتحت المدينة مكتبة جديدة.",
    ),
    _pattern(
        "ar_by_line", "ar", "byline", "line",
        r"(?:كتبت?|بقلم|إعداد|تقرير)\s?[:：]?\s(?P<byline>[\u0621-\u064a]{2,12}(?:\s[\u0621-\u064a]{2,12}){1,3})",
        "كتبت: ليلى حسن",
    ),
    _pattern(
        "hi_by_line", "hi", "byline", "line",
        r"(?:द्वारा|रिपोर्ट|लेखक)\s?[:：]?\s(?P<byline>[\u0900-\u097f]{2,15}(?:\s[\u0900-\u097f]{2,15}){1,3})",
        "रिपोर्ट: आशा वर्मा",
    ),
)

PATTERNS = RIGHTS + BYLINES
