"""Lines: short paragraphs as a source repeats them, each as one hash of source and template.

The template of a line is its key with e-mail addresses, URLs, phone numbers, dates and reporters'
names masked. Other numbers stay: with them masked, the closing sentences of all market and
weather reports would be one line that the source prints every day.

Bits of a line hash: 0 the sighting stands at an edge of its article, 1–2 the kind, 3 plain, the
other 60 the hash. Kind and plain follow from the line itself, so equal lines have equal bits 1–63.
A plain line has no address, no sign, no appeal: nothing but its repetition says that it is none of
the body ("Police are investigating.", "Ingredients").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contract import HASH, conform
from pipeline.dedup.furniture_pattern import EMAIL
from pipeline.dedup.line_kinds import is_question, is_row, is_sentence, is_turn, speaker_of
from pipeline.dedup.mapped import Words, id_words, place_of
from pipeline.interim import LINES
from pipeline.text.mixing import mix64
from pipeline.text.paragraphs import keys_of

MAX_LINE_CHARS = 200
"""Longer paragraphs are body text (design); length in code points."""

HEAD_PARAGRAPHS, TAIL_PARAGRAPHS = 2, 4
"""How many paragraphs at either end of an article are its edge (design)."""

EDGE, PLAIN = np.uint64(1), np.uint64(8)
KINDS = ("source", "byline", "rights", "caption")
"""What a line says, by the number in bits 1–2."""
_SOURCE, _BYLINE, _RIGHTS, _CAPTION = range(len(KINDS))
_KIND_SHIFT, _KIND_MASK = np.uint64(1), np.uint64(3)
_HASH_MASK = np.uint64(0xFFFF_FFFF_FFFF_FFF0)

_MAX_LABEL_CHARS = 60
_MAX_PLAIN_CHARS = 60
"""Longer lines are prose, with or without a full stop: captions end in a date or an address."""

_MAX_OWNER_CHARS = 12
"""An e-mail address with no more than so much beside it signs an article: a name, a desk."""

_FAMILY_NAMES = (
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄"
)
_NAME = r"[가-힣]{2,4}"
_NAME_BEFORE = rf"(?:{_NAME}\s?[·,ㆍ/]\s?|[{_FAMILY_NAMES}][가-힣]{{2}}\s)"
_DESK = r"(?:(?:선임|전문|인턴|수습|객원|시민|사진|영상|논설|편집|해설)\s?){0,2}"
_TITLE = rf"{_DESK}(?:기자|특파원|통신원|리포터|위원|디자이너|PD|칼럼니스트)"
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
_MAIL, _ADDRESS = re.compile(EMAIL), re.compile(_URL)
_DAY, _CLOCK, _NUMBER = re.compile(_DATE), re.compile(_TIME), re.compile(_PHONE)
_DIGIT, _DOMAIN = re.compile(r"\d"), re.compile(r"[a-z]\.[a-z]|://|www\.")
_DAY_SIGN = re.compile(r"\d\s?[월月]|(?:19|20)\d\d\s?[-./년年]")
_CAPITAL, _MONTH_SIGN = re.compile(r"[A-Z]"), re.compile(rf"{_MONTH}\s\d|\d\s{_MONTH}")
_NUMBER_SIGN = re.compile(r"\d[-.) ]{1,2}\d{3}")
_MAX_NAMED_CHARS = 100
_CONTACT = re.compile(r"x(?:mail|url|phone)x")
_NAMED = (
    re.compile(rf"(?<![가-힣]){_NAME_BEFORE}{{0,4}}{_NAME}\s?(?={_TITLE})"),
    re.compile(rf"(?<=^By )\s?{_LATIN_NAMES}|(?<=^BY )\s?{_LATIN_NAMES}"),
    re.compile(rf"(?<=ing by )\s?{_LATIN_NAMES}"),
    re.compile(r"(?<=记者|記者)[\s：:]*[\u4e00-\u9fff]{2,4}(?:[\s、][\u4e00-\u9fff]{2,4}){0,3}"),
    re.compile(r"[\u4e00-\u9fff]{2,6}\s?(?=(?:記者|特派員)\W*$)"),
)
_REPORTER = re.compile(rf"{_NAMED[0].pattern}{_TITLE}")
_NAME_SIGN = re.compile(
    r"기자|특파원|통신원|리포터|위원|디자이너|PD|칼럼|^B[yY] |ing by |[记記]者|特派員"
)
_LETTER = re.compile(r"[^\W\d_]")
_MASKED = re.compile(r"x(?:mail|url|date|time|phone|name)x")

_RIGHTS_WORDS = (
    *("ⓒ", "©", "Ⓒ", "무단", "저작권", "재배포", "재판매", "転載", "转载", "轉載", "版权", "版權"),
    *("opyright", "OPYRIGHT", "eserved", "ESERVED", "reservados", "réservés", "vorbehalten"),
    *("riservat", "حقوق", "права"),
)
_RIGHTS_SIGN = re.compile("[ⓒ©Ⓒ]|무단[ 전복]|eserved|转载|転載")
"""In prose, which may speak of rights, only what stands in notices."""

_CREDIT_WORD = re.compile(
    r"사진|제공|출처|이미지|그래픽|캡[처쳐]|촬영|게티|일러스트|photo|getty|courtesy|credit|handout"
    r"|撮影|提供|写真|图片|圖片|foto|صورة|تصوير",
    re.IGNORECASE,
)
_APPEAL_WORD = re.compile(r"제보|문의|구독|팔로|시청|보내|보러|바로가기|다운로드")
_HOUSE_WORD = re.compile(
    r"제보|구독|팔로우|바로가기|뉴스레터|subscri|newsletter|follow us|sign up|our app|tip line"
    r"|購読|メルマガ|订阅|訂閱|关注我们|suscr[ií]|boletín|síguenos|abonnez|inscrivez|abonnieren"
    r"|подпис|اشترك|تابعونا",
    re.IGNORECASE,
)
"""What a house says to its readers and a body does not."""
_LEADING_SIGN = "▶▷☞※■►"
# Who speaks, what is played, where a part begins: marks of a script, which belong to the body.
_ROLE = (
    r"(?:앵커\s?(?:멘트)?|기자|리포[트터]|인터뷰|녹취|싱크|현장음|캐스터|진행자?|사회자?|질문|답변|출연"
    r"|자막|내레이션|anchor|reporter|interview|host|moderator|司会|記者|记者|主持人|مذيع)"
)
_SCRIPT_MARK = re.compile(
    rf"^\W*{_ROLE}\W*$|[\[<〈【◀«(（［「]\s?{_ROLE}\s?[\]>〉】▶»)）］」]"
    r"|^(?-i:\((?!ENDS?\)|MORE\))[A-Z ,.'-]+\))$",
    re.IGNORECASE,
)
_PERSON = re.compile(
    rf"^\W*[{_FAMILY_NAMES}][가-힣]{{1,2}}\W*$|^\W*{_NAME}\s?{_TITLE}\W*$|^\W*{_NAME}\s?/\s?\S"
    r"|^[\[<【(][^\]>】)]*\s/\s[^\]>】)]*[\]>】)]$"
)
# A caption is the body of a photo article, and printed under twenty pictures with twenty titles.
_CAPTION_HEAD = re.compile(r"[\[(【][^\])】]{1,24}\s?=\s?[^\])】]{1,24}[\])】].{20}")
_CAPTION_END = re.compile(
    r"(?:고 있다|모습|모습이다|장면|전경)\W*$|写真[=＝:：].{0,20}$"
    r"|[.)]\s?(?:19|20)\d\d\.\s?\d{1,2}\.\s?\d{1,2}\b.{0,40}$"
    r"|(?:file |AP |handout )photo\b.{0,40}$|\((?:Photo|Image|Source)\b.{0,50}$",
    re.IGNORECASE,
)
_MIN_CAPTION_CHARS, _TAIL_CHARS = 30, 60
# Korean papers report in the plain style ("당부했다."), and speak to readers in the polite one.
_REPORTED = re.compile(r"(?<!니)다[.\"”'’]*$")
_STAGE_MARK = re.compile(
    r"^\W*(?:applause|laughter|laughs|crosstalk|inaudible|박수|웃음|일동 ?웃음|拍手|笑い?|一同笑"
    r"|掌声|笑声|aplausos|risas|applaudissements|rires|beifall|аплодисменты|смех)\W*$",
    re.IGNORECASE,
)
_LABEL_END = re.compile(r"[:：]\W*$")


def find_lines(spans: pa.Table, articles: pa.Table) -> pa.Table:
    """Return LINES of SPANS; `articles` (as PARSED) gives the source_id of each revision_id."""
    columns = {name: spans[name] for name in ("article_id", "revision_id", "seq")}
    hashes, _ = _line_hashes(spans, articles, "revision_id")
    return conform(pa.table(columns | {"line_hash": pa.array(hashes, HASH)}), LINES)


def lines_column(paragraphs: pa.Table, articles: pa.Table, key: str = "article_id") -> pa.Array:
    """Return the distinct lines of every article in its row of `articles`, list<uint64>, sorted.

    Bit 0 is set where the line stands at an edge of the article, wherever it stands in it.

    Args:
        paragraphs: LINES, or `key`, seq and text of every paragraph, kept or dropped; those of
            one article stand together, `seq` ascending, as LINES, SPANS and PARAGRAPHS are sorted.
        articles: `key` and source_id; an article without paragraphs has no lines.
        key: article_id, or revision_id for tables with several revisions of an article.
    """
    hashes, owners = _line_hashes(paragraphs, articles, key)
    is_line = (hashes != 0) & (owners >= 0)
    hashes, owners = hashes[is_line], owners[is_line]
    # An article counts once: at the edge only when it prints the line nowhere else (0 before 1).
    order = np.lexsort((hashes, owners))
    hashes, owners = hashes[order], owners[order]
    same = (hashes[1:] ^ hashes[:-1] <= EDGE) & (owners[1:] == owners[:-1])
    first = np.append(True, ~same)[: hashes.size]
    counts = np.bincount(owners[first], minlength=articles.num_rows)
    offsets = pa.array(np.append(0, np.cumsum(counts)), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(hashes[first], HASH))


def _line_hashes(
    paragraphs: pa.Table, articles: pa.Table, key: str
) -> tuple[Words, NDArray[np.int64]]:
    """Return the hash of each paragraph and its row in `articles`, -1 where it has none."""
    ids = id_words(articles[key])
    order = np.lexsort((ids[:, 1], ids[:, 0]))
    places = place_of(id_words(paragraphs[key]), ids[order])
    owners = np.where(places >= 0, order[places], -1) if order.size else places
    if "line_hash" in paragraphs.column_names:
        return paragraphs["line_hash"].to_numpy(), owners
    seeds = np.append(_seeds(articles["source_id"].to_pylist()), np.uint64(0))
    hashes, is_marked = _read(paragraphs["text"].to_pylist())
    return _of_sources(hashes, seeds[owners], edges(owners, is_marked)), owners


def line_hashes(
    texts: Sequence[str], source_ids: Sequence[str], is_edge: NDArray[np.bool_]
) -> Words:
    """Return the hash of each paragraph as a line of its source, uint64 [n], 0 for no line.

    `is_edge` (bool [n]) becomes bit 0.
    """
    return _of_sources(_read(texts)[0], _seeds(source_ids), is_edge)


def edges(owners: NDArray[np.int64], is_marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which paragraphs are among the first 2 or last 4 of their article.

    Counted from the end, lines with an address, a credit or a leading sign do not count: the
    tip-off lines under a broadcaster's story are five and more, and the first of them is furniture
    like the last.

    Args:
        owners: the article of each paragraph, int64 [n]; equal ones stand together.
        is_marked: bool [n], paragraphs that do not count.
    """
    n = owners.size
    if not n:
        return np.zeros(0, np.bool_)
    firsts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
    sizes = np.diff(np.append(firsts, n))
    index = np.arange(n) - np.repeat(firsts, sizes)
    counted = np.append(0, np.cumsum(~is_marked))
    after = np.repeat(counted[firsts + sizes], sizes) - counted[1:]
    found: NDArray[np.bool_] = (index < HEAD_PARAGRAPHS) | (after < TAIL_PARAGRAPHS)
    return found


def template_key(text: str) -> str:
    """Return the key of a line with what changes from article to article masked.

    >>> template_key("▶ 제보: tips@narae.example, 02-123-4567")
    '제보xmailx xphonex'
    """
    return keys_of([_masked(text)])[0]


def kind_of(line: int) -> str:
    """Return what a line says: source, byline, rights or caption."""
    return KINDS[line >> int(_KIND_SHIFT) & int(_KIND_MASK)]


def reporter_of(text: str) -> str | None:
    """Return the names and title that a byline names, None where it names nobody.

    >>> reporter_of("나래스포츠 이하늘 기자 haneul@narae.example")
    '이하늘 기자'
    """
    if found := _REPORTER.search(text):
        return found[0].strip()
    found = next((f for form in _NAMED[1:] if (f := form.search(text))), None)
    return found[0].strip(" ：:\u3000") if found else None


def _read(texts: Sequence[str]) -> tuple[Words, NDArray[np.bool_]]:
    """Return the hash of each template with its kind, 0 for no line; and whether it is marked."""
    hashes, is_marked = np.zeros(len(texts), np.uint64), np.zeros(len(texts), np.bool_)
    rows: list[int] = []
    masked: list[str] = []
    classes: list[int] = []
    for row, text in enumerate(texts):
        # Half of a Korean article ends here, before anything is masked.
        if len(text) > MAX_LINE_CHARS or _is_plain_report(text):
            continue
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        template = _masked(text)
        kind, is_prose, marked = _class_of(text, template)
        is_marked[row] = marked
        if not _is_of_the_body(text, template, is_prose, marked):
            rows.append(row)
            masked.append(template)
            is_plain = kind == _SOURCE and not _is_of_the_house(text, template)
            classes.append(kind << 1 | is_plain << 3)
    keys = keys_of(masked)
    words = np.frombuffer(b"".join(map(_digest, keys)), "<u8")
    named = np.fromiter((_says_something(key) for key in keys), np.bool_, len(keys))
    hashes[rows] = np.where(named, words & _HASH_MASK | np.array(classes, np.uint64), 0)
    return hashes, is_marked


def _is_plain_report(text: str) -> bool:
    return text.endswith("다.") and not text.endswith("니다.") and text[0] not in _LEADING_SIGN


def _says_something(key: str) -> bool:
    """Return whether a template has a letter that is not masked."""
    return _LETTER.search(key if "x" not in key else _MASKED.sub("", key)) is not None


def _of_sources(hashes: Words, seeds: Words, is_edge: NDArray[np.bool_]) -> Words:
    """Return the hashes of lines as those of their sources, with bit 0 set."""
    lines = mix64(hashes ^ seeds) & _HASH_MASK | hashes & ~_HASH_MASK
    found: Words = np.where(hashes != 0, lines | is_edge.astype(np.uint64), np.uint64(0))
    return found


def _seeds(source_ids: Sequence[str]) -> Words:
    """Return a hash of each source, uint64 [n]."""
    of = {source: int.from_bytes(_digest(source), "little") for source in set(source_ids)}
    return np.fromiter((of[source] for source in source_ids), np.uint64, len(source_ids))


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _masked(text: str) -> str:
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
        for form in _NAMED:
            text = form.sub(" xnamex ", text)
    return text


def _class_of(text: str, masked: str) -> tuple[int, bool, bool]:
    """Return the kind of a line, whether it is prose, and whether it is marked."""
    rest = _MASKED.sub("", masked) if "x" in masked else masked
    is_prose = len(rest) > _MAX_PLAIN_CHARS or is_sentence(text[-8:])
    is_signed = text[0] in _LEADING_SIGN
    if is_prose:
        is_rights = _RIGHTS_SIGN.search(text) is not None
        return _RIGHTS if is_rights else _SOURCE, True, is_signed
    if any(word in text for word in _RIGHTS_WORDS):
        return _RIGHTS, False, True
    is_mail = "xmailx" in masked and not is_signed and len(rest.strip()) <= _MAX_OWNER_CHARS
    if "xnamex" in masked or is_mail:
        return _BYLINE, False, True
    has_contact = _CONTACT.search(masked) is not None
    is_appeal = has_contact or _APPEAL_WORD.search(text) is not None
    if not is_appeal and _CREDIT_WORD.search(text):
        return _CAPTION, False, True
    return _SOURCE, False, has_contact or is_signed


def _is_of_the_house(text: str, masked: str) -> bool:
    """Return whether a line speaks to readers: by an address, a leading sign or an appeal."""
    if text[0] in _LEADING_SIGN or _CONTACT.search(masked):
        return True
    return _HOUSE_WORD.search(text) is not None


def _is_of_the_body(text: str, masked: str, is_prose: bool, is_marked: bool) -> bool:
    """Return whether a line belongs to the body however often it stands there.

    Captions, speaker labels, questions, rows of tables, names of persons.
    """
    if _CAPTION_HEAD.match(text) or (
        len(text) > _MIN_CAPTION_CHARS and _CAPTION_END.search(text[-_TAIL_CHARS:])
    ):
        return True
    is_of_house = is_marked or _is_of_the_house(text, masked)
    if not is_of_house and (_STAGE_MARK.match(text) or (is_prose and speaker_of(text))):
        return True
    if is_prose and not is_marked:
        return is_question(text[-8:]) or _REPORTED.search(text[-8:]) is not None
    if is_prose:
        return False
    if len(text) <= _MAX_LABEL_CHARS and (_SCRIPT_MARK.search(text) or _PERSON.match(text)):
        return True
    if is_marked:
        return False
    # Masked, so that a time or a phone number is no score; masks bring runs of spaces of their own.
    row = text if masked == text else " ".join(masked.split())
    return bool(_LABEL_END.search(text)) or is_turn(text) or is_row(row)
