"""Reviewed patterns of rights notices, by language."""

from __future__ import annotations

from pipeline.dedup.furniture_pattern import EMAIL, HOLDER, SIGN, FurniturePattern, pattern

_KO_DB = (
    r"(?:재판매|재배포)\s?(?:및|,|·|/|-)?\s?DB\s?(?:전재\s?)?금지"
    r"|DB\s?및\s?재판매\s?금지"
)
_KO_BAN = (
    r"무단\s?(?:전재|복제|배포|사용|도용|수집)[^.!?\[\]<>]{0,60}?"
    r"(?:금지|금합니다|금함|불허)(?:합니다|됩니다|함)?"
)
_KO_RIGHTS = rf"(?:{_KO_DB}|{_KO_BAN}|재배포\s?(?:를\s?)?금지|저작권자\s?[ⓒ©Ⓒ(:])"
_KO_WIRE = r"[가-힣A-Za-z0-9/]{0,12}(?:연합뉴스|뉴시스|뉴스1|연합)"

_ZH_OWNED = r"版[权權](?:所有|[归歸][^。]{1,15}所有)"
_ZH_COPY = r"(?:[转轉][载載]|使用|[复複][制製]|摘[编編])"
_ZH_BAN = (
    r"(?:未[经經][^。]{0,12}(?:授[权權]|[许許]可|允[许許]|同意)[^。]{0,20}"
    rf"(?:不得|禁止|[严嚴]禁|[请請]勿)[^。]{{0,20}}{_ZH_COPY}[^。]{{0,15}}"
    r"|(?:禁止|[严嚴]禁|[谢謝][绝絕]|[请請]勿)[^。]{0,8}[转轉][载載]"
    r"|[转轉][载載][请請]注明[^。]{0,15})"
)
_JA_USE = r"(?:転載|複製|使用|引用|配布|放送)"

# A masthead: capitalised words and what stands between them.
_MASTHEAD = (
    r"(?-i:[A-ZÀ-Þ0-9][\w'’-]*|de|del|la|el|los|las|du|des|le|der|die|da|do|of|the|and|&|y|e)"
)
_OWNED = (
    rf"(?:(?:copyrights?\s*{SIGN}?|{SIGN}){HOLDER}{{0,90}}[.,;]?\s"
    rf"|\A{_MASTHEAD}(?:\s{_MASTHEAD}){{0,6}}[.,]?\s)?"
)
"""A holder before the notice: "© 2026 Narae Daily. ", or its bare name at the very beginning."""

RIGHTS: tuple[FurniturePattern, ...] = (
    pattern(
        "ko_bracketed_rights",
        "ko",
        "rights",
        "tail",
        rf"(?:\[[^\[\]]{{0,150}}{_KO_RIGHTS}[^\[\]]{{0,120}}\]"
        rf"|<[^<>]{{0,150}}{_KO_RIGHTS}[^<>]{{0,120}}>"
        rf"|【[^【】]{{0,150}}{_KO_RIGHTS}[^【】]{{0,120}}】"
        rf"|\((?:[^()]|\([^()]*\)){{0,150}}{_KO_RIGHTS}(?:[^()]|\([^()]*\)){{0,120}}\))"
        rf"(?:\s*(?:{EMAIL}|20\d\d\.[\d.\s]*|{_KO_WIRE}))?",
        "[달빛군 제공. 재판매 및 DB 금지]",
        "재판매|재배포|무단|저작권",
    ),
    pattern(
        "ko_starred_rights",
        "ko",
        "rights",
        "tail",
        rf"[*※]?\s?(?:{_KO_DB})(?:\.?\s?20\d\d\.[\d.\s]*)?",
        "달빛호수 전경. (사진=달빛군 제공) *재판매 및 DB 금지",
        "재판매|재배포|DB",
    ),
    pattern(
        "ko_rights_holder",
        "ko",
        "rights",
        "line",
        rf"저작권자\s?(?:{SIGN}|[:：(㈜A-Za-z]|(?=[가-힣]+\s?[,.]?\s?무단)).{{0,120}}(?<!다)"
        r"|(?:[^\s,…]{1,15}\s)?무단\s?(?:전재|복제\S{0,4}\s?배포)[^.!?]{0,40}"
        r"(?:금지|금합니다|금함|불허)",
        "저작권자 ⓒ 나래일보, 무단 전재 및 재배포 금지",
        "저작권|무단",
    ),
    pattern(
        "ko_rights_notice",
        "ko",
        "rights",
        "tail",
        rf"(?:<?\s?(?:저작권자?\s?{SIGN}?|copyrights?\s?{SIGN}?|{SIGN})"
        rf"{HOLDER}{{0,80}}?[,.>\s:-]+)?"
        r"(?:본\s?(?:기사|콘텐츠|저작물|방송|사진)\S{0,4}\s(?:\S+\s){0,4})?"
        rf"(?:{_KO_BAN}|{_KO_DB})",
        "시는 다음 달 결과를 내놓는다. 무단전재 및 재배포 금지",
        "무단|재판매|재배포|DB",
    ),
    pattern(
        "ko_rights_owner",
        "ko",
        "rights",
        "tail",
        r"(?:인용\s?(?:보도)?\s?(?:할|하실|시)[^.]{0,80}(?:밝혀|명시|표기)[^.]{0,20}"
        r"(?:바랍니다|주십시오|주세요)\.?\s?)?"
        r"(?:이\s|본\s)?(?:\S+의\s)?저작권은\s[^.]{1,30}에\s?(?:있|귀속)\S{0,6}",
        "저작권은 나래방송에 있습니다.",
        "저작권",
    ),
    pattern(
        "sign_and_holder",
        "all",
        "rights",
        "tail",
        rf"(?:copyrights?\s*)?[ⓒ©Ⓒ]\s?{HOLDER}{{0,60}}(?<![다요])",
        "달빛항에 배가 들어온다. ⓒ 나래일보",
        "ⓒ|©|Ⓒ",
    ),
    pattern(
        "sign_in_caption",
        "all",
        "rights",
        "end",
        r"(?:copyrights?\s*)?[ⓒ©Ⓒ]\s?(?-i:(?![a-z]+\b))"
        r"[^\s.!?。ⓒ©Ⓒ]+(?:\s[^\s.!?。ⓒ©Ⓒ]+){0,3}(?<![다요])",
        "달빛항 전경ⓒ 나래일보 이하늘 기자",
        "ⓒ|©|Ⓒ",
    ),
    pattern(
        "en_all_rights_reserved",
        "en",
        "rights",
        "tail",
        rf"{_OWNED}all rights (?:are )?reserved(?: worldwide)?(?:\s(?:by|to)\s{HOLDER}{{0,40}})?",
        "Copyright 2026 Narae Daily. All rights reserved.",
        "reserved",
    ),
    pattern(
        "en_copyright_year",
        "en",
        "rights",
        "tail",
        rf"copyrights?\s?(?:{SIGN}|:)?\s?(?:19|20)\d\d\b{HOLDER}{{0,90}}"
        rf"|\(c\)\s?(?:19|20)\d\d\b{HOLDER}{{0,60}}",
        "Copyright 2026 Narae News Agency.",
        r"copyright|\(c\)",
    ),
    pattern(
        "en_no_reproduction",
        "en",
        "rights",
        "tail",
        r"(?:this (?:material|article|story|content|report)|no part of (?:this|the))\b[^.]{0,80}"
        r"\b(?:may|must|shall|can) (?:not )?be"
        r" (?:published|reproduced|copied|redistributed|broadcast|rewritten)[^.]{0,120}"
        r"|(?:unauthori[sz]ed )?(?:reproduction|redistribution|republication)\b[^.]{0,30}"
        r"(?:in whole or (?:in )?part|without (?:\w+ ){0,3}(?:permission|consent))[^.]{0,80}"
        r"(?:prohibited|forbidden|not permitted)[^.]{0,30}",
        "This material may not be published, broadcast, rewritten or redistributed.",
        "may|must|shall|can|reproduction|redistribution|republication",
    ),
    pattern(
        "ja_rights",
        "ja",
        "rights",
        "tail",
        r"(?:(?:copyright|[ⓒ©Ⓒ]|（c）|\(c\))[^。]{0,60}?)?"
        r"(?:\A[^。]{1,20}[\s\u3000])?(?:本?(?:記事|写真|画像)[^。]{0,20}?)?"
        rf"(?:禁無断転載|無断(?:で)?(?:の)?{_JA_USE}(?:[・、]?{_JA_USE})*(?:等|など)?"
        r"(?:を|は|の)?(?:一切)?(?:固く)?\s?"
        r"(?:禁じ(?:ます|る|られています)|禁止(?:します|です)?|お断り(?:します|いたします)?"
        r"|ご遠慮(?:ください|願います)|できません|不可))",
        "記事・写真の無断転載を禁じます。",
        "無断",
    ),
    pattern(
        "zh_rights",
        "zh",
        "rights",
        "tail",
        r"(?:(?:copyright|[ⓒ©Ⓒ])[^。]{0,40}?)?"
        rf"(?:{_ZH_OWNED}(?:[\s\u3000:：]+[\u4e00-\u9fffA-Za-z]{{2,15}})?(?:[,，；\s]*{_ZH_BAN})?|{_ZH_BAN})",
        "版权所有，未经授权不得转载。",
        "[版未转轉]",
    ),
    pattern(
        "es_rights",
        "es",
        "rights",
        "tail",
        rf"{_OWNED}(?:todos los derechos (?:est[áa]n )?reservados"
        r"|(?:queda )?prohibida (?:la|su) (?:reproducci[óo]n|distribuci[óo]n)[^.]{0,80})",
        "© 2026 Diario Narae. Todos los derechos reservados.",
        "derechos|prohibida",
    ),
    pattern(
        "pt_rights",
        "pt",
        "rights",
        "tail",
        rf"{_OWNED}(?:todos os direitos reservados|(?:é )?proibida a reprodução[^.]{{0,80}})",
        "Todos os direitos reservados.",
        "direitos|proibida",
    ),
    pattern(
        "fr_rights",
        "fr",
        "rights",
        "tail",
        rf"{_OWNED}(?:tous droits (?:de [^.]{{0,40}})?réservés"
        r"|(?:toute )?reproduction (?:même partielle |totale ou partielle )?(?:est )?interdite"
        r"[^.]{0,60})",
        "Tous droits réservés.",
        "droits|interdite",
    ),
    pattern(
        "de_rights",
        "de",
        "rights",
        "tail",
        rf"{_OWNED}(?:alle rechte vorbehalten"
        r"|(?:nachdruck|vervielfältigung)[^.]{0,60}(?:nicht gestattet|verboten|untersagt))",
        "© Narae Zeitung. Alle Rechte vorbehalten.",
        "vorbehalten|nachdruck|vervielfältigung",
    ),
    pattern(
        "it_rights",
        "it",
        "rights",
        "tail",
        rf"{_OWNED}(?:riproduzione riservata|tutti i diritti (?:sono )?riservati)",
        "© RIPRODUZIONE RISERVATA",
        "riservat",
    ),
    pattern(
        "ar_rights",
        "ar",
        "rights",
        "tail",
        r"(?:(?:copyright|[ⓒ©Ⓒ])[^.]{0,60}?)?"
        r"(?:(?:جميع|كل|كافة|كافه) الحقوق محفوظة|حقوق (?:الطبع|النشر|الملكية)[^.]{0,40}محفوظة)"
        r"(?:\s(?:ل|لدى )[^.]{1,30})?(?:\s?[ⓒ©Ⓒ][^.]{0,60}|\s?\d{4})?",
        "جميع الحقوق محفوظة لصحيفة ناري",
        "حقوق",
    ),
    pattern(
        "ru_rights",
        "ru",
        "rights",
        "tail",
        r"(?:[ⓒ©Ⓒ][^.]{0,60}[.,]?\s)?(?:все права (?:защищены|сохранены)"
        r"|при (?:цитировании|перепечатке|использовании)[^.]{0,80}(?:ссылка|обязательна)"
        r"[^.]{0,60})",
        "Все права защищены.",
        "права|при ",
    ),
    pattern(
        "other_rights",
        "all",
        "rights",
        "tail",
        r"(?:[ⓒ©Ⓒ][^.]{0,60}[.,]?\s)?(?:सर्वाधिकार सुरक्षित|tüm hakları saklıdır"
        r"|bản quyền thuộc về[^.]{0,40}|สงวนลิขสิทธิ์[^.]{0,40}|hak cipta dilindungi[^.]{0,40}"
        r"|כל הזכויות שמורות[^.]{0,30}|με την επιφύλαξη παντός δικαιώματος"
        r"|alle rechten voorbehouden|wszelkie prawa zastrzeżone)",
        "सर्वाधिकार सुरक्षित",
        "सर्वाधिकार|hakları|quyền|สงวน|hak |זכויות|επιφύλαξη|voorbehouden|zastrzeżone",
    ),
)
