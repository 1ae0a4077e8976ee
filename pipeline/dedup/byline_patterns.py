"""Reviewed patterns of bylines, datelines and sign-offs, by language."""

from __future__ import annotations

from pipeline.dedup.furniture_pattern import EMAIL, FurniturePattern, pattern

_KO_NAME = r"[가-힣]{2,4}"
_KO_NAMES = rf"{_KO_NAME}(?:(?:\s?[·,ㆍ/]\s?|\s){_KO_NAME}){{0,4}}"
# Where no sign stands beside it, a name must begin as Korean family names do, and not end as a
# noun with its particle does ("이달의 기자").
_KO_SURE_NAME = (
    r"[김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄"
    r"채원천방공현함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용예경봉사부]"
    r"[가-힣]{1,3}(?<![의를을에는])"
)
_KO_SURE_NAMES = rf"{_KO_SURE_NAME}(?:\s?[·,ㆍ/]\s?{_KO_SURE_NAME}){{0,4}}"
_KO_DESK = (
    r"(?:선임|전문|인턴|수습|객원|시민|사진|영상|의학|디자인|탐사|경제|정치|사회|국제|문화|스포츠|체육"
    r"|과학|환경|교육|산업|금융|증권|부동산|대)"
)
_KO_TITLE = (
    rf"(?:(?:{_KO_DESK}\s?){{0,2}}(?:기자|통신원)|(?:[가-힣]{{2,5}}\s)?특파원|디자이너|논설위원"
    r"|편집위원|해설위원|리포터|칼럼니스트)"
)
_KO_TITLE_SIGNS = "기자|통신원|특파원|디자이너|위원|리포터|칼럼니스트"
_KO_REPORTERS = (
    rf"{_KO_NAMES}\s?{_KO_TITLE}(?:\s?[,·/]\s?{_KO_NAME}\s?{_KO_TITLE}){{0,3}}"
    r"|[가-힣 ]{0,6}사진\s?(?:기자단|취재단)"
)
_KO_OUTLET = (
    r"[가-힣A-Za-z0-9]{0,8}(?:뉴스\d?|신문|일보|경제|방송|데일리\S{0,3}|타임[스즈]|투데이|동아"
    r"|조선|중앙|한겨레|한경닷컴|헤럴드|머니S?|저널|통신|TV|Biz|닷컴|매거진)"
)
_KO_CREW_ROLE = (
    r"(?:(?:취재|촬영)기자|영상(?:취재|편집|그래픽|촬영)|촬영|편집|그래픽|삽화|일러스트"
    r"|자료조사|취재)"
)
_KO_CREW = rf"{_KO_CREW_ROLE}\s?[:：=]\s?[가-힣 ,·]{{2,20}}(?:\s{EMAIL})?"
_KO_AGENCY = r"[가-힣A-Za-z0-9/]{0,12}(?:연합뉴스|뉴시스|뉴스1|연합|뉴스핌|로이터|교도|신화)"
# "(사진=연합뉴스)" names who took a picture, no place.
_KO_CREDIT = r"[^=\])）】]{0,30}(?:사진|이미지|출처|자료|그래픽|제공|캡[처쳐]|영상|삽화)"
_KO_MASTHEAD = (
    r"(?:경향신문|국민일보|노컷뉴스|데일리안|동아일보|디지털타임스|매일경제|머니투데이|문화일보|서울경제"
    r"|서울신문|세계일보|스포츠경향|스포츠동아|스포츠서울|스포츠조선|아시아경제|아시아투데이|아이뉴스24"
    r"|오마이뉴스|이데일리|전자신문|조선비즈|조선일보|조세일보|주간경향|중앙일보|파이낸셜뉴스|프레시안"
    r"|한겨레|한경닷컴|한국경제|한국일보|헤럴드경제)"
)
_KO_WIRE = r"(?:연합뉴스|뉴시스|뉴스1|News1|뉴스핌)"
_KO_BROADCASTER = (
    r"(?:KBS|MBC|SBS|SBS Biz|YTN|JTBC|MBN|OBS|TV조선|채널A|연합뉴스TV|[가-힣]{2,4}방송)"
)

_LATIN_AGENCY = (
    r"(?:Reuters|AP|AFP|UPI|dpa|DPA|EFE|ANSA|TASS|IANS|PTI|ANI|Xinhua|Yonhap|Kyodo|Jiji|Bloomberg"
    r"|Europa Press|Notimex|Lusa|Agência Brasil|APA|Belga|Interfax|Anadolu)"
)
_LATIN_WORD = r"[A-ZÀ-ÞА-Я][\w.'’-]*"
_LATIN_NAME = (
    rf"{_LATIN_WORD}(?:\s(?:de|da|do|dos|van|von|der|la|le|del|bin|al-)?\s?{_LATIN_WORD}){{1,3}}"
)
# Capitals before a dash that are no place.
_NO_PLACE = (
    r"(?!(?:BREAKING|UPDATE|OPINION|LIVE|ANALYSIS|EXCLUSIVE|WATCH|NOTE|FACT|CORRECTION|EDITORIAL"
    r"|VIDEO|NASA|NATO|OPEC|FIFA|UEFA|UNICEF|UNESCO|ASEAN|FEMA)\b)"
)
_JA_AGENCY = r"(?:時事|共同|ロイター|AFP=時事|AFP＝時事|聯合ニュース|新華社|AP)"
_ZH_AGENCY = r"(?:新华社|新華社|中新社|中新网|中央社|人民网|央视网|本报|本報)"
_ZH_NAMES = r"[\u4e00-\u9fff·]{2,4}(?:[\s、][\u4e00-\u9fff·]{2,4}){0,4}"
_AR_WORD = r"[\u0621-\u064a]{2,15}"
_AR_AGENCY = r"(?:رويترز|أ ف ب|د ب أ|أ ب|وام|قنا|واس|سبأ|سانا|الأناضول)"

BYLINES: tuple[FurniturePattern, ...] = (
    pattern(
        "ko_dateline",
        "ko",
        "byline",
        "head",
        rf"[\[(（【](?!{_KO_CREDIT})(?P<dateline>[가-힣A-Za-z·ㆍ,/ ()]{{1,24}}\s?=\s?"
        rf"(?P<agency>{_KO_AGENCY}))[\])）】](?:\s?(?P<byline>{_KO_REPORTERS})\s*=\s*|\s*=?\s*)",
        "(달빛=연합뉴스) 이하늘 기자 = 달빛군이 4일 새 도서관을 열었다.",
        r"^[\[(（【]",
    ),
    pattern(
        "ko_outlet_and_reporter",
        "ko",
        "byline",
        "head",
        rf"[\[(【](?:[가-힣 ]{{1,12}}=\s?)?{_KO_OUTLET}(?:\([가-힣 ]{{1,8}}\))?"
        r"(?:\s[가-힣]{2,6})??(?:\s?=\s?|\s)"
        rf"(?P<byline>{_KO_NAMES}\s?{_KO_TITLE})\s*[\])】]\s*",
        "[나래경제=이하늘 기자] 달빛군이 4일 새 도서관을 열었다.",
        r"^[\[(【]",
    ),
    pattern(
        "ko_place_and_reporter",
        "ko",
        "byline",
        "head",
        rf"[\[(【](?!{_KO_CREDIT})[가-힣A-Za-z0-9·]{{1,12}}\s?=\s?(?:[가-힣A-Za-z0-9]{{1,10}}\s)?"
        rf"(?P<byline>{_KO_NAMES}\s?{_KO_TITLE})\s*[\])】]\s*",
        "[달빛 = 이하늘 기자] 달빛군이 4일 새 도서관을 열었다.",
        r"^[\[(【]",
    ),
    pattern(
        "ko_masthead",
        "ko",
        "byline",
        "head",
        rf"[\[【]{_KO_MASTHEAD}[\]】]\s*",
        "[경향신문] 달빛군이 4일 새 도서관을 열었다.",
        r"^[\[【]",
    ),
    pattern(
        "ko_production",
        "ko",
        "byline",
        "line",
        rf"{_KO_CREW}(?:\s?/\s?{_KO_CREW})*",
        "촬영기자:이하늘/영상편집:윤슬기",
        "[:：=]",
    ),
    pattern(
        "ko_reporter_line",
        "ko",
        "byline",
        "line",
        rf"(?:[/=▶]\s?|[가-힣·/ ]{{1,12}}\s?=\s?|{_KO_OUTLET}(?:\s?=\s?|\s)"
        r"|(?:글|사진|글·사진|글/사진|취재)\s?[=:]?\s)"
        rf"(?P<byline>{_KO_SURE_NAMES}\s?{_KO_TITLE})\s*[(<]?(?:{EMAIL})?"
        rf"|(?P<byline_mail>{_KO_NAMES}\s?{_KO_TITLE})\s*[/=(<]?\s*{EMAIL}"
        rf"|(?P<byline_bare>{_KO_SURE_NAMES}\s?{_KO_TITLE})",
        "이하늘 기자 haneul@narae.example",
        _KO_TITLE_SIGNS,
    ),
    pattern(
        "ko_sign_off",
        "ko",
        "byline",
        "line",
        rf"{_KO_BROADCASTER}\s?(?:뉴스\s?)?(?P<byline>{_KO_NAME})(?:입니다|이었습니다|였습니다)"
        rf"\.?\s*(?:\({EMAIL}\))?",
        "나래방송 뉴스 이하늘입니다.",
        "입니다|이었습니다|였습니다",
    ),
    pattern(
        "email_line",
        "all",
        "byline",
        "line",
        rf"{EMAIL}(?:\s?[,·/]\s?{EMAIL}){{0,3}}",
        "haneul@narae.example",
        "@",
    ),
    pattern(
        "ko_reporter_tail",
        "ko",
        "byline",
        "tail",
        rf"[/=(\[]?\s*(?:[가-힣]{{1,6}}=|{_KO_OUTLET}[=\s])?"
        rf"(?P<byline>{_KO_SURE_NAMES}\s?{_KO_TITLE})\s*[/=]?\s*(?:{EMAIL})?",
        "시는 다음 달 결과를 내놓는다. /이하늘 기자",
        _KO_TITLE_SIGNS,
    ),
    pattern(
        "email_tail",
        "all",
        "byline",
        "tail",
        EMAIL,
        "시는 다음 달 결과를 내놓는다. haneul@narae.example",
        "@",
    ),
    pattern(
        "latin_dateline",
        "en",
        "byline",
        "head",
        rf"(?P<dateline>[A-ZÀ-Þ][\w .,'’/-]{{1,40}}?\s?\((?P<agency>{_LATIN_AGENCY})(?:/\w+)?\))"
        r"\s?\.?[-–—:]+\s*",
        "NARAE CITY, March 4 (Reuters) - The city opened a new library.",
        "^[A-ZÀ-Þ]",
    ),
    pattern(
        "latin_place",
        "en",
        "byline",
        "head",
        rf"{_NO_PLACE}(?P<dateline>[A-ZÀ-Þ][A-ZÀ-Þ .'’-]{{3,30}}(?:,\s[A-Z][\w.]+){{0,2}})"
        r"\s[–—]\s(?=[\"“‘']?[A-ZÀ-Þ])",
        "NARAE CITY — The city opened a new library.",
        "^[A-ZÀ-Þ]",
    ),
    pattern(
        "en_by_line",
        "en",
        "byline",
        "line",
        rf"(?:By|BY)\s(?P<byline>{_LATIN_NAME}(?:(?:,\s|\sand\s|\s&\s){_LATIN_NAME}){{0,3}})"
        r"(?:,?\s(?:Staff Writer|Staff Reporter|Correspondent|Associated Press|Reuters))?",
        "By Hana Lee and Seul Yoon",
        "By|BY",
    ),
    pattern(
        "en_reporting_by",
        "en",
        "byline",
        "line",
        rf"\(?(?:Additional r|R)eporting (?:and \w+ )?by (?P<byline>{_LATIN_NAME})[^.]{{0,200}}"
        r"(?:;\s?(?:[Ee]diting|[Ww]riting) by [^.]{3,80})?",
        "(Reporting by Hana Lee; Editing by Seul Yoon)",
        "eporting ",
    ),
    pattern(
        "agency_sign_off",
        "all",
        "byline",
        "last",
        rf"(?:[-–—/=]\s?)?(?P<agency>REUTERS?|Reuters?|reuters?|AP|AFP|dpa|EFE|Xinhua|Yonhap|Kyodo"
        rf"|{_KO_WIRE}|共同|時事|新华社)(?:\s?제공)?",
        "Reuters",
        rf"REUTER|[Rr]euter|AP|AFP|dpa|EFE|Xinhua|Yonhap|Kyodo|{_KO_WIRE}|共同|時事|新华社",
    ),
    pattern(
        "ko_agency_tail",
        "ko",
        "byline",
        "tail",
        rf"(?P<agency>{_KO_WIRE})(?:\s?제공)?",
        "시는 다음 달 결과를 내놓는다. /연합뉴스",
        _KO_WIRE,
    ),
    pattern(
        "latin_agency_tail",
        "en",
        "byline",
        "tail",
        r"\(?(?P<agency>REUTERS?|Reuters?|AP|AFP|UPI)\)?",
        "The city opened a new library. Reuter",
        "REUTER|[Rr]euter|AP|AFP|UPI",
    ),
    pattern(
        "romance_by_line",
        "es",
        "byline",
        "line",
        rf"(?:Por|Par|Von|Autor:)\s(?P<byline>{_LATIN_NAME})",
        "Por Ana Luna",
        "Por|Par|Von|Autor:",
    ),
    pattern(
        "ja_reporter_line",
        "ja",
        "byline",
        "line",
        r"(?:(?:文|取材)[・:：／/]|取材[:：]?\s?)(?P<byline>[\u4e00-\u9fff\u3040-\u30ff]{2,8})"
        r"|(?:記者|本紙記者|特派員)[・:：\s](?P<byline_after>[\u4e00-\u9fff]{2,6})"
        r"|(?P<byline_before>[\u4e00-\u9fff]{2,6})\s?(?:記者|特派員)",
        "記者 山川葵",
        "文|取材|記者|特派員",
    ),
    pattern(
        "ja_dateline",
        "ja",
        "byline",
        "head",
        r"[【［\[（(](?P<dateline>(?:[\u4e00-\u9fff\u30a0-\u30ff]{1,10}[\s=＝・]?"
        rf"(?:\d{{1,2}}日[\s=＝]?)?)?(?P<agency>{_JA_AGENCY}))(?:通信)?[】］\]）)]\s?[=＝-]?\s?",
        "【月見 4日 共同】月見市は4日、新しい図書館を開いた。",
        r"^[【［\[（(]",
    ),
    pattern(
        "zh_dateline",
        "zh",
        "byline",
        "head",
        rf"[（(]?(?P<dateline>(?P<agency>{_ZH_AGENCY})[\u4e00-\u9fff]{{0,8}}?"
        r"(?:\d{1,2}月)?\d{1,2}日[电電讯訊])[）)]?\s?"
        r"(?:[（(](?:记者|記者)\s?(?P<byline>[\u4e00-\u9fff、\s]{2,20})[）)]\s?)?",
        "新华社月城3月4日电（记者 李海）月城4日新开一座图书馆。",
        "^[（(新中央人本]",
    ),
    pattern(
        "zh_central_dateline",
        "zh",
        "byline",
        "head",
        r"[（(](?P<dateline>(?P<agency>中央社)(?:记者|記者)(?P<byline>[\u4e00-\u9fff]{2,3})"
        r"[\u4e00-\u9fff]{2,6}\d{1,2}日[电電])[）)]\s?",
        "（中央社記者李海月城4日電）月城4日新開一座圖書館。",
        "^[（(]",
    ),
    pattern(
        "zh_reporter_line",
        "zh",
        "byline",
        "line",
        r"(?:本[报報]|新华社|中新社|特[约約]|[实實]习)?(?:特派)?[记記]者[\s：:]*"
        rf"(?P<byline>{_ZH_NAMES})(?:\s?(?:报道|報導|摄影报道))?"
        r"|(?:[责責]任[编編][辑輯]|[编編][辑輯]|撰文)\s?[：:／/]\s?[\u4e00-\u9fff、\s]{2,20}",
        "本报记者 李海",
        "[记記]者|[编編]|撰文",
    ),
    pattern(
        "ar_dateline",
        "ar",
        "byline",
        "head",
        rf"(?P<dateline>{_AR_WORD}(?:\s{_AR_WORD})?\s?\((?P<agency>{_AR_AGENCY})\))\s?[-–—:]+\s*",
        "ناري (رويترز) - افتتحت المدينة مكتبة جديدة.",
        "^[\u0621-\u064a]",
    ),
    pattern(
        "ar_by_line",
        "ar",
        "byline",
        "line",
        rf"(?:كتبت?|بقلم|إعداد|تقرير)\s?[:：]?\s(?P<byline>{_AR_WORD}(?:\s{_AR_WORD}){{1,3}})",
        "كتبت: ليلى حسن",
        "كتب|بقلم|إعداد|تقرير",
    ),
    pattern(
        "hi_by_line",
        "hi",
        "byline",
        "line",
        r"(?:द्वारा|रिपोर्ट|लेखक)\s?[:：]?\s"
        r"(?P<byline>[\u0900-\u097f]{2,15}(?:\s[\u0900-\u097f]{2,15}){1,3})",
        "रिपोर्ट: आशा वर्मा",
        "द्वारा|रिपोर्ट|लेखक",
    ),
)
