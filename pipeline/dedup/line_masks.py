"""What changes from article to article in a line, masked: addresses, dates, reporters' names."""

from __future__ import annotations

from pipeline.dedup.furniture_pattern import EMAIL
from pipeline.text.lazy_pattern import lazy
from pipeline.text.text_sieve import OTHER_DIGITS, form, words

FAMILY_NAMES = (
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄"
)
NAME = r"[가-힣]{2,4}"
_NAME_BEFORE = rf"(?:{NAME}\s?[·,ㆍ/]\s?|[{FAMILY_NAMES}][가-힣]{{2}}\s)"
_DESK = r"(?:(?:선임|전문|인턴|수습|객원|시민|사진|영상|논설|편집|해설)\s?){0,2}"
TITLE = rf"{_DESK}(?:기자|특파원|통신원|리포터|위원|디자이너|PD|칼럼니스트)"
_WORD = r"[A-ZÀ-Þ][\w.'’-]*"
_LATIN_NAMES = (
    rf"{_WORD}(?:\s{_WORD}){{1,3}}(?:(?:,|\sand|\s&)\s{_WORD}(?:\s{_WORD}){{1,3}}){{0,4}}"
)
_URL = (
    r"(?:https?://|www\.)[^\s)>\]]+"
    r"|\b(?:[\w-]{1,30}\.){1,4}(?:com|net|org|kr|jp|cn|uk|us|de|es|fr|ru|io|tv|info|be|me)\b"
    r"(?:/[^\s)>\]]*)?"
)
_PHONE = r"(?<!\d)(?:\+?\d{1,3}[-. ])?\(?\d{2,4}\)?[-.)\s]\s?\d{3,4}[-. ]\d{3,4}(?!\d)"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_DATE = (
    r"(?:19|20)\d\d\s?[-./년年]\s?\d{1,2}\s?[-./월月]\s?\d{1,2}\s?[.일日]?"
    r"|\d{1,2}\s?[월月]\s?\d{1,2}\s?[일日]"
    rf"|{_MONTH}\s\d{{1,2}}(?:,?\s(?:19|20)\d\d)?|\d{{1,2}}\s{_MONTH}(?:\s(?:19|20)\d\d)?"
)
_TIME = r"\d{1,2}:\d\d(?::\d\d)?"
_MAIL, _ADDRESS = lazy(EMAIL), lazy(_URL)
_DAY, _CLOCK, _NUMBER = lazy(_DATE), lazy(_TIME), lazy(_PHONE)
_DOMAINS = r"[a-z]\.[a-z]|://|www\."
_DIGIT, _DOMAIN = lazy(r"\d"), lazy(_DOMAINS)
_DAY_SIGN = lazy(r"\d\s?[월月]|(?:19|20)\d\d\s?[-./년年]")
_CAPITAL, _MONTH_SIGN = lazy(r"[A-Z]"), lazy(rf"{_MONTH}\s\d|\d\s{_MONTH}")
_NUMBER_SIGN = lazy(r"\d[-.) ]{1,2}\d{3}")
_MAX_NAMED_CHARS = 100
CONTACT = lazy(r"x(?:mail|url|phone)x")
_NAMED = (
    lazy(rf"(?<![가-힣]){_NAME_BEFORE}{{0,4}}{NAME}\s?(?={TITLE})"),
    lazy(rf"(?<=^By )\s?{_LATIN_NAMES}|(?<=^BY )\s?{_LATIN_NAMES}"),
    lazy(rf"(?<=ing by )\s?{_LATIN_NAMES}"),
    lazy(r"(?<=记者|記者)[\s：:]*[\u4e00-\u9fff]{2,4}(?:[\s、][\u4e00-\u9fff]{2,4}){0,3}"),
    lazy(r"[\u4e00-\u9fff]{2,6}\s?(?=(?:記者|特派員)\W*$)"),
)
_NAMED_WORDS = (
    ("기자", "특파원", "통신원", "리포터", "위원", "디자이너", "PD", "칼럼니스트"),
    ("By ", "BY "),
    ("ing by ",),
    ("记者", "記者"),
    ("記者", "特派員"),
)
"""One of which stands wherever the form of the same place matches: nobody is named without."""
_REPORTER = lazy(rf"{_NAMED[0].pattern}{TITLE}")
_NAME_SIGNS = "기자|특파원|통신원|리포터|위원|디자이너|PD|칼럼|^B[yY] |ing by |[记記]者|特派員"
_NAME_SIGN = lazy(_NAME_SIGNS)
MASKED = lazy(r"x(?:mail|url|date|time|phone|name)x")

SIGNS = (
    rf"(?s)@|{_DOMAINS}|{_NAME_SIGNS}|\d.?[월月]|(?:19|20)\d\d.?[-./년年]"
    rf"|{_MONTH}.\d|\d.{_MONTH}|\d:\d\d|\d[-.) ]{{1,2}}\d{{3}}"
).replace(r"\d", r"\p{Nd}")
"""For RE2, which Arrow runs over a whole column: a text without any of them has nothing to mask.
Its `\\s` is ASCII, and so is its `\\d`: any character, and any decimal digit, stand for them."""

_DIGIT_FORM, _MARKS = range(0x30, 0x3A), "-./\xeb\xe5".encode("latin-1")
_MONTH_LEADS, _ASCII, _INNER = ([0xEC, 0xE6], [0x9B, 0x9C], [0x94, 0x88]), range(0x80), ""
SIGN_FORMS = [
    *words(
        "@", "://", "www.", "기자", "특파원", "통신원", "리포터", "위원", "디자이너", "PD", "칼럼"
    ),
    *words(
        "By ", "BY ", "ing by ", "记者", "記者", "特派員", "Jan", "Feb", "Mar", "Apr", "May", "Jun"
    ),
    *words("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    form(range(0x61, 0x7B), ".", range(0x61, 0x7B)),
    # A digit, perhaps a character, and a month.
    form(_DIGIT_FORM, *_MONTH_LEADS),
    form(_DIGIT_FORM, _ASCII, *_MONTH_LEADS),
    form(_DIGIT_FORM, range(0xC2, 0xE0), _INNER, *_MONTH_LEADS),
    form(_DIGIT_FORM, range(0xE0, 0xF0), _INNER, _INNER, *_MONTH_LEADS),
    form(_DIGIT_FORM, range(0xF0, 0xF5), _INNER, _INNER, _INNER, *_MONTH_LEADS),
    form("12", "90", _DIGIT_FORM, _DIGIT_FORM, _MARKS),
    form("12", "90", _DIGIT_FORM, _DIGIT_FORM, _ASCII, _MARKS),
    form("12", "90", _DIGIT_FORM, _DIGIT_FORM, range(0xC2, 0xF5)),
    form(_DIGIT_FORM, ":", _DIGIT_FORM, _DIGIT_FORM),
    form(_DIGIT_FORM, "-.) ", *[_DIGIT_FORM] * 3),
    form(_DIGIT_FORM, "-.) ", "-.) ", *[_DIGIT_FORM] * 3),
    *OTHER_DIGITS,
]
"""Of which one stands wherever one of `SIGNS` does."""


def reporter_of(text: str) -> str | None:
    """Return the names and title that a byline names, None where it names nobody.

    >>> reporter_of("나래스포츠 이하늘 기자 haneul@narae.example")
    '이하늘 기자'
    """
    if found := _REPORTER.search(text):
        return found[0].strip()
    found = next((f for form in _NAMED[1:] if (f := form.search(text))), None)
    return found[0].strip(" ：:\u3000") if found else None


def masked(text: str) -> str:
    """Return the text with addresses, dates and, in a short one, reporters' names masked."""
    # Cheap looks before each mask: most lines have nothing to mask (a fifth of the time).
    if "@" in text:
        text = _MAIL.sub(" xmailx ", text)
    if "." in text and _DOMAIN.search(text):
        text = _ADDRESS.sub(" xurlx ", text)
    if _DIGIT.search(text):
        if _DAY_SIGN.search(text) or (_CAPITAL.search(text) and _MONTH_SIGN.search(text)):
            text = _DAY.sub(" xdatex ", text)
        if ":" in text:
            text = _CLOCK.sub(" xtimex ", text)
        if _NUMBER_SIGN.search(text):
            text = _NUMBER.sub(" xphonex ", text)
    if len(text) <= _MAX_NAMED_CHARS and _NAME_SIGN.search(text):
        for form, words in zip(_NAMED, _NAMED_WORDS, strict=True):
            if any(word in text for word in words):
                text = form.sub(" xnamex ", text)
    return text
