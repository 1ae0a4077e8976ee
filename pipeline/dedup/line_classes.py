"""What a line says (its kind), and which lines are of the body however often they stand there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.dedup.line_kinds import is_question, is_row, is_sentence, is_turn, speaker_of
from pipeline.dedup.line_masks import CONTACT, FAMILY_NAMES, MASKED, NAME, SIGN_FORMS, TITLE
from pipeline.text.lazy_pattern import lazy
from pipeline.text.text_sieve import OTHER_DIGITS, Sieve, any_case, form, words

KINDS = ("source", "byline", "rights", "caption")
"""What a line says, by the number in bits 1–2."""
SOURCE, BYLINE, RIGHTS, CAPTION = range(len(KINDS))
_MAX_LABEL_CHARS = 60
MAX_PLAIN_CHARS = 60
"""Longer lines are prose, with or without a full stop: captions end in a date or an address."""

_MAX_OWNER_CHARS = 12
"""An e-mail address with no more than so much beside it signs an article: a name, a desk."""

_RIGHTS_WORDS = (
    *("ⓒ", "©", "Ⓒ", "무단", "저작권", "재배포", "재판매", "転載", "转载", "轉載", "版权", "版權"),
    *("opyright", "OPYRIGHT", "eserved", "ESERVED", "reservados", "réservés", "vorbehalten"),
    *("riservat", "حقوق", "права"),
)
_RIGHTS_WORD = lazy("|".join(_RIGHTS_WORDS))
_RIGHTS_SIGN = lazy("[ⓒ©Ⓒ]|무단[ 전복]|eserved|转载|転載")
"""In prose, which may speak of rights, only what stands in notices."""

_CREDIT_WORD = lazy(
    r"사진|제공|출처|이미지|그래픽|캡[처쳐]|촬영|게티|일러스트|photo|getty|courtesy|credit|handout"
    r"|撮影|提供|写真|图片|圖片|foto|صورة|تصوير",
    re.IGNORECASE,
)
_APPEAL_WORD = lazy(r"제보|문의|구독|팔로|시청|보내|보러|바로가기|다운로드")
_HOUSE_WORD = lazy(
    r"제보|구독|팔로우|바로가기|뉴스레터|subscri|newsletter|follow us|sign up|our app|tip line"
    r"|購読|メルマガ|订阅|訂閱|关注我们|suscr[ií]|boletín|síguenos|abonnez|inscrivez|abonnieren"
    r"|подпис|اشترك|تابعونا",
    re.IGNORECASE,
)
"""What a house says to its readers and a body does not."""
LEADING_SIGNS = "▶▷☞※■►"
# Who speaks, what is played, where a part begins: marks of a script, which belong to the body.
_ROLE = (
    r"(?:앵커\s?(?:멘트)?|기자|리포[트터]|인터뷰|녹취|싱크|현장음|캐스터|진행자?|사회자?|질문|답변|출연"
    r"|자막|내레이션|anchor|reporter|interview|host|moderator|司会|記者|记者|主持人|مذيع)"
)
_SCRIPT_MARK = lazy(
    rf"^\W*{_ROLE}\W*$|[\[<〈【◀«(（［「]\s?{_ROLE}\s?[\]>〉】▶»)）］」]"
    r"|^(?-i:\((?!ENDS?\)|MORE\))[A-Z ,.'-]+\))$",
    re.IGNORECASE,
)
_PERSON = lazy(
    rf"^\W*[{FAMILY_NAMES}][가-힣]{{1,2}}\W*$|^\W*{NAME}\s?{TITLE}\W*$|^\W*{NAME}\s?/\s?\S"
    r"|^[\[<【(][^\]>】)]*\s/\s[^\]>】)]*[\]>】)]$"
)
# A caption is the body of a photo article, and printed under twenty pictures with twenty titles.
_CAPTION_HEAD = lazy(r"[\[(【][^\])】]{1,24}\s?=\s?[^\])】]{1,24}[\])】].{20}")
_CAPTION_END = lazy(
    r"(?:고 있다|모습|모습이다|장면|전경)\W*$|写真[=＝:：].{0,20}$"
    r"|[.)]\s?(?:19|20)\d\d\.\s?\d{1,2}\.\s?\d{1,2}\b.{0,40}$"
    r"|(?:file |AP |handout )photo\b.{0,40}$|\((?:Photo|Image|Source)\b.{0,50}$",
    re.IGNORECASE,
)
_MIN_CAPTION_CHARS, _TAIL_CHARS = 30, 60
# Korean papers report in the plain style ("당부했다."), and speak to readers in the polite one.
_REPORTED = lazy(r"(?<!니)다[.\"”'’]*$")
_STAGE = (
    "applause|laughter|laughs|crosstalk|inaudible|박수|웃음|일동 ?웃음|拍手|笑い?|一同笑"
    "|掌声|笑声|aplausos|risas|applaudissements|rires|beifall|аплодисменты|смех"
)
_STAGE_MARK = lazy(rf"^\W*(?:{_STAGE})\W*$", re.IGNORECASE)
_LABEL_END = lazy(r"[:：]\W*$")
_ROW_SIGN = lazy(r"[:：)>\].\-–대\t|]|  ")
"""Without any of these a line is no label, no turn and no row."""

_CAPTION_SIGNS = r"고 있다|모습|장면|전경|写真|(?:19|20)\p{Nd}{2}\.|photo|\((?:image|source)"
_ANY_CASE = "(?is)[İı]|"
"""Python folds these two to "i", RE2 does not."""

WORDS = _ANY_CASE + "|".join(
    (
        *(*_RIGHTS_WORDS, _CREDIT_WORD.pattern, _APPEAL_WORD.pattern, _HOUSE_WORD.pattern),
        *(_STAGE, _ROLE, _CAPTION_SIGNS),
    )
)
HOUSE_WORDS = _ANY_CASE + _HOUSE_WORD.pattern
"""For RE2, which Arrow runs over a whole column: without any of the first a text has no word that
tells its kind, none of a script and none that ends a caption; without the second none of a house.
"""

_TELLING = [
    # Any Greek letter: some have more forms than two.
    form([*range(0xCD, 0xD0)]),
    *words(
        "ⓒ", "©", "Ⓒ", "무단", "저작권", "재배포", "재판매", "転載", "转载", "轉載", "版权", "版權"
    ),
    *words(
        "حقوق", "사진", "제공", "출처", "이미지", "그래픽", "캡", "촬영", "게티", "일러스트", "撮影"
    ),
    *words(
        "提供", "写真", "图片", "圖片", "صورة", "تصوير", "문의", "시청", "보내", "보러", "다운로드"
    ),
    *words(
        "박수",
        "웃음",
        "일동",
        "拍手",
        "笑",
        "掌声",
        "앵커",
        "기자",
        "리포",
        "인터뷰",
        "녹취",
        "싱크",
    ),
    *words(
        "현장음",
        "캐스터",
        "진행",
        "사회",
        "질문",
        "답변",
        "출연",
        "자막",
        "내레이션",
        "司会",
        "記者",
    ),
    *words("记者", "主持人", "مذيع", "고 있다", "모습", "장면", "전경"),
    *any_case("opyright", "eserved", "reservados", "réservés", "vorbehalten", "riservat", "photo"),
    *any_case("getty", "courtesy", "credit", "handout", "foto", "applause", "laugh", "crosstalk"),
    *any_case("inaudible", "aplausos", "risas", "rires", "beifall", "anchor", "reporter"),
    *any_case("interview", "host", "moderator", "(image", "(source"),
    form("12", "90", range(0x30, 0x3A), range(0x30, 0x3A), "."),
    *OTHER_DIGITS,
]
_APPEALING = [
    *words(
        "제보",
        "구독",
        "팔로",
        "바로가기",
        "뉴스레터",
        "購読",
        "メルマガ",
        "订阅",
        "訂閱",
        "关注我们",
    ),
    *words("اشترك", "تابعونا", "İ", "ı"),
    *any_case("subscri", "newsletter", "follow us", "sign up", "our app", "tip line", "suscr"),
    *any_case("boletín", "síguenos", "abonn", "inscrivez"),
    # Any Cyrillic letter, for the same reason as Greek ones.
    form([*range(0xD0, 0xD4)]),
    form([0xE1], [0xB2]),
]
SIEVE = Sieve(masked=SIGN_FORMS, telling=_TELLING, appealing=_APPEALING)
"""What stands in a text that has any of `line_masks.SIGNS`, of `WORDS` (the second or the third),
of `HOUSE_WORDS`."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the look at a whole column left possible in a text."""

    may_mask: bool = True
    may_tell: bool = True
    may_appeal: bool = True


ANY_SIGN = Signs()


def class_of(text: str, masked: str, signs: Signs = ANY_SIGN) -> tuple[int, bool, bool]:
    """Return the kind of a line, whether it is prose, and whether it is marked."""
    rest = MASKED.sub("", masked) if "x" in masked else masked
    is_prose = len(rest) > MAX_PLAIN_CHARS or is_sentence(text[-8:])
    is_signed = text[0] in LEADING_SIGNS
    if is_prose:
        is_rights = signs.may_tell and _RIGHTS_SIGN.search(text) is not None
        return RIGHTS if is_rights else SOURCE, True, is_signed
    if signs.may_tell and _RIGHTS_WORD.search(text):
        return RIGHTS, False, True
    is_mail = "xmailx" in masked and not is_signed and len(rest.strip()) <= _MAX_OWNER_CHARS
    if "xnamex" in masked or is_mail:
        return BYLINE, False, True
    has_contact = _has_contact(masked)
    if signs.may_tell:
        is_appeal = has_contact or _APPEAL_WORD.search(text) is not None
        if not is_appeal and _CREDIT_WORD.search(text):
            return CAPTION, False, True
    return SOURCE, False, has_contact or is_signed


def _has_contact(masked: str) -> bool:
    return "x" in masked and CONTACT.search(masked) is not None


def is_of_the_house(text: str, masked: str, signs: Signs = ANY_SIGN) -> bool:
    """Return whether a line speaks to readers: by an address, a leading sign or an appeal."""
    if text[0] in LEADING_SIGNS or _has_contact(masked):
        return True
    return signs.may_appeal and _HOUSE_WORD.search(text) is not None


def is_of_the_body(
    text: str, masked: str, is_prose: bool, is_marked: bool, signs: Signs = ANY_SIGN
) -> bool:
    """Return whether a line belongs to the body however often it stands there.

    Captions, speaker labels, questions, rows of tables, names of persons.
    """
    if text[0] in "[(【" and _CAPTION_HEAD.match(text):
        return True
    may_tell = signs.may_tell
    if may_tell and len(text) > _MIN_CAPTION_CHARS and _CAPTION_END.search(text[-_TAIL_CHARS:]):
        return True
    if not is_marked and not is_of_the_house(text, masked, signs):
        is_stage_mark = may_tell and _STAGE_MARK.match(text) is not None
        if is_stage_mark or (is_prose and speaker_of(text)):
            return True
    if is_prose and not is_marked:
        end = text[-8:]
        return is_question(end) or ("다" in end and _REPORTED.search(end) is not None)
    if is_prose:
        return False
    if len(text) <= _MAX_LABEL_CHARS:
        is_script = (may_tell or text[0] == "(") and _SCRIPT_MARK.search(text) is not None
        if is_script or _PERSON.match(text):
            return True
    if is_marked:
        return False
    # Masked, so that a time or a phone number is no score; masks bring runs of spaces of their own.
    row = text if masked == text else " ".join(masked.split())
    if not _ROW_SIGN.search(row) and not _ROW_SIGN.search(text):
        return False
    is_label = (":" in text or "：" in text) and _LABEL_END.search(text) is not None
    return is_label or is_turn(text) or is_row(row)
