"""Tables that numbers are read with: multipliers, units, currencies, months, spelled numbers.

Only forms that news prints beside digits are listed; a word that is missing costs a unit or a
multiplier on both sides of a comparison alike, so that two copies of one text still agree.
"""

from __future__ import annotations

import re

MYRIAD_UNITS: dict[str, int] = {
    **dict.fromkeys("십十拾", 10),
    **dict.fromkeys("백百", 100),
    **dict.fromkeys("천千仟", 1_000),
    **dict.fromkeys("만万萬", 10_000),
    **dict.fromkeys("억億亿", 100_000_000),
    **dict.fromkeys("조兆", 1_000_000_000_000),
}
"""Korean, Japanese and Chinese units; those from 만 on close a section of four digits."""

HAN_DIGITS: dict[str, int] = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "兩": 2,
}

HANGUL_DIGITS: dict[str, int] = {c: i for i, c in enumerate("일이삼사오육칠팔구", 1)}

_THOUSAND = (
    "thousand mil tausend mille mila tys тыс тысяч тысячи тысяча ألف آلاف हज़ार हजार พัน nghìn ribu"
    " bin"
)
_MILLION = (
    "million millions mln mio millón millones millionen milhão milhões milioni milione juta triệu"
    " млн миллион миллиона миллионов مليون ملايين ล้าน milyon"
)
_MILLIARD = (
    "billion billions billon bln bn milliard milliards milliarde milliarden mrd miliardi miliardo"
    " bilhão bilhões miliar tỷ млрд миллиард миллиарда миллиардов مليار مليارات अरब milyar"
)
_TRILLION = (
    "trillion trillions trn billón billones billionen trilhão trilhões трлн триллион تريليون"
    " trilyon"
)

MULTIPLIERS: dict[str, int] = {
    **dict.fromkeys(_THOUSAND.split(), 10**3),
    **dict.fromkeys(_MILLION.split(), 10**6),
    **dict.fromkeys(_MILLIARD.split(), 10**9),
    **dict.fromkeys(_TRILLION.split(), 10**12),
    "mil millones": 10**9,
    "hundred": 100,
    "dozen": 12,
    "lakh": 10**5,
    "crore": 10**7,
    "लाख": 10**5,
    "करोड़": 10**7,
    "แสน": 10**5,
    "หมื่น": 10**4,
}

_UNIT_FORMS: dict[str, str] = {
    "%p": "%포인트 퍼센트포인트 %p %ポイント ポイント 个百分点 百分点 個百分點",
    "%": "% ％ ٪ 퍼센트 percent pct パーセント prozent процентов процента процент بالمئة بالمائة"
    " प्रतिशत",
    "KRW": "원 won ウォン 韩元 韓元",
    "USD": "달러 dollar dollars dlr dlrs 美元 米ドル ドル dólares dólar доллара долларов دولار"
    " डॉलर",
    "JPY": "엔 円 日元 日圓 yen",
    "CNY": "위안 元 人民币 yuan",
    "EUR": "유로 euro euros 欧元 歐元 ユーロ евро يورو",
    "GBP": "파운드 pound pounds stg 英镑",
    "INR": "रुपये रुपए rupees",
    "persons": "명 인 人 名 people persons personas personnes menschen человек أشخاص شخص लोग लोगों",
    "km": "km ㎞ 킬로미터 公里 キロメートル kilometers kilometres kilómetros كيلومترا كيلومتر",
    "kg": "kg ㎏ 킬로그램 公斤 キログラム kilograms",
    "t": "톤 トン 吨 噸 tonnes tons toneladas",
    "m": "m 미터 メートル meters metres metros",
    "ha": "ha 헥타르 公顷 hectares hectáreas",
    "m2": "㎡ m² 제곱미터 平方米 平方メートル",
    "pyeong": "평",
    "degrees": "도 ℃ °c 度 degrees grados",
    "h": "시간 時間 小时 小時 hours horas heures stunden часов ساعة",
    "min": "분간 분 分 分間 分钟 minutes minutos",
    "d": "일간 日間 天 days días jours tagen dni дней أيام दिन",
    "w": "주간 週間 周 weeks semanas wochen недель أسابيع",
    "mo": "개월 달간 か月 カ月 ヶ月 ヵ月 个月 個月 months meses monaten месяцев أشهر",
    "y": "년 년간 年間 年 years años jahre jahren лет سنوات वर्ष",
    "years old": "세 살 歳 岁 歲",
    "bp": "bp bps 베이시스포인트",
    "houses": "채",
    "households": "가구 世帯",
    "cases": "건 件",
    "places": "곳 개소",
    "animals": "마리 匹 头",
    "ships": "척 隻 艘",
}

UNITS: dict[str, str] = {
    form: unit for unit, forms in _UNIT_FORMS.items() for form in forms.split()
} | {
    "per cent": "%",
    "por ciento": "%",
    "por cento": "%",
    "pour cent": "%",
    "percentage point": "%p",
    "percentage points": "%p",
    "puntos porcentuales": "%p",
}

CURRENCY_SIGNS: dict[str, str] = {
    "$": "USD",
    "＄": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "￥": "JPY",
    "₩": "KRW",
    "￦": "KRW",
    "₹": "INR",
}

_MONTH_NAMES = (
    "january jan enero janvier januar janeiro gennaio января يناير जनवरी",
    "february feb febrero février februar fevereiro febbraio февраля فبراير फ़रवरी",
    "march mar marzo mars märz março marzo марта مارس मार्च",
    "april apr abril avril aprile апреля أبريل ابريل अप्रैल",
    "may mayo mai maio maggio мая مايو मई",
    "june jun junio juin juni junho giugno июня يونيو जून",
    "july jul julio juillet juli julho luglio июля يوليو जुलाई",
    "august aug agosto août августа أغسطس अगस्त",
    "september sept sep septiembre septembre setembro settembre сентября سبتمبر सितंबर",
    "october oct octubre octobre oktober outubro ottobre октября أكتوبر अक्टूबर",
    "november nov noviembre novembre novembro ноября نوفمبر नवंबर",
    "december dec diciembre décembre dezember dezembro dicembre декабря ديسمبر दिसंबर",
)
MONTHS: dict[str, int] = {
    name: i for i, names in enumerate(_MONTH_NAMES, 1) for name in names.split()
}

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
_TEENS = "fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SPELLED: dict[str, int] = {
    word: value for value, word in enumerate(f"{_ONES} {_TEENS}".split())
} | {word: 10 * value for value, word in enumerate(_TENS.split(), 2)}


def alternatives(words: dict[str, str] | dict[str, int]) -> str:
    """Return a regular expression that matches any of `words`, the longest first."""
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))
