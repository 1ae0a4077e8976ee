"""What a line is, by its looks: speaker label, question, credit, caption, table row, score.

Used as guards: such lines repeat on purpose, or must be compared with more care.
"""

from __future__ import annotations

import re

from pipeline.text.lazy_pattern import lazy
from pipeline.text.wrapping import columns, is_table_row

_MAX_LABEL_CHARS = 60
_CLOSERS = "\"'”’»」』》〉）)\\]】"

_SENTENCE_END = lazy(rf"[.!?。！？…؟।][{_CLOSERS}]*$")
_QUESTION_END = lazy(rf"[?？؟][{_CLOSERS}]*$")

_CREDIT = lazy(
    r"제공|재판매|무단|사진|촬영|자료|그래픽|캡처|캡쳐|출처|일러스트|게티이미지|연합뉴스|뉴시스"
    r"|뉴스1"
    r"|금지|[ⓒ©]|\bphoto|getty|\bAFP\b|\bAP\b|reuters|\bcredit|撮影|提供|写真|图片|圖片|资料|摄"
    r"|foto"
    r"|crédit|صورة|تصوير",
    re.IGNORECASE,
)
# Looked for in the end of a paragraph, in small letters; before each pattern words of which one
# stands wherever it matches. All patterns in one took five times as long: it is tried everywhere.
_CAPTIONS = tuple(
    (signs.split("|"), lazy(regex))
    for signs, regex in (
        ("제공", r"제공\W*(?:20\d\d[.\s\d]*)?$"),
        ("사진", r"사진\s?[=:ㅣ|]|/사진|\(사진|사진은 |자료사진|사진기자단\W*$"),
        ("공동취재", "공동취재"),
        ("db", r"db ?금지|\w db\W*$"),
        ("캡", "캡[처쳐]"),
        ("ⓒ|©", "[ⓒ©]"),
        ("연합", r"\[연합\]$|연합뉴스\W*$"),
        ("뉴스1", r"뉴스1\W*$"),
        ("뉴시스|로이터|신화", r"[=/.]\s?(?:로이터|뉴시스|신화)\W*$"),
        ("ap|afp|epa", r"(?:ap|afp|epa)\W*$|/ap\b"),
        ("기자|작가", r"(?:^|[/.\d]\s?)[가-힣]{2,4} ?(?:기자|작가)(?: \S+@\S*)?\W*$"),
        ("20", r"\b20\d\d\.\s?\d{1,2}\.\s?\d{1,2}\b.{0,40}$"),
        ("photo", r"photo@|\bphoto (?:by|courtesy)|\(photo|file photo|photo ?:|crédit photo"),
        ("getty|handout|reuters", r"getty images|\bhandout\b|/reuters\b"),
        ("写真", "写真[=＝:：]|[（(]写真"),
        ("撮影", "=.{1,12}撮影"),
        ("図|图|摄", "図[/:：]|图[/:：]|摄[)）]?$"),
        ("foto", r"foto:|\(foto"),
        ("تصوير|صورة", r"تصوير:|\(صورة"),
    )
)
_CAPTION_CHARS = 160

_BRACKETED = lazy(r"^[\[<〈《【◀«(（［「][^\]>〉》】▶»)）］」]{1,50}[\]>〉》】▶»)）］」]\W*$")
# A role alone, or before a sign: "기자 간담회 …" is a heading, "▶ 인터뷰 : …" a label.
_ROLE = lazy(
    r"^[^\w]*(?:인터뷰|녹취|싱크|현장음|앵커|기자|캐스터|리포터|진행자?|사회자?|질문|답변"
    r"|내레이션|해설"
    r"|동영상 뉴스|interview(?:er|ee)?|host|moderator|anchor|reporter|correspondent|narrator"
    r"|presenter|guest"
    r"|司会者?|記者|キャスター|アナウンサー|ナレーション"
    r"|记者|主持人|主播|嘉宾|嘉賓|同期声|旁白|解说"
    r"|presentador[ae]?|periodista|entrevistador[ae]?|moderador[ae]?|locutor[ae]?|journaliste"
    r"|animat(?:eur|rice)"
    r"|moderator(?:in)?|sprecher(?:in)?|ведущ(?:ий|ая)|корреспондент|журналист|المذيعة?|مذيعة?"
    r"|المراسلة?|الضيفة?"
    r"|एंकर|रिपोर्टर|संवाददाता|प्रस्तोता|พิธีกร|ผู้ประกาศ|ผู้สื่อข่าว|מנחה|כתב)"
    r"(?:\s?\d)?\s*(?:$|[:：>〉》\])】」/|=▶►-].*$)",
    re.IGNORECASE,
)
_NAME_AND_ROLE = lazy(r"^[^\w]*[가-힣]{2,4}\s?/\s?\S")
_COLON_LABEL = lazy(r"^\W*[^\s:：>][^:：>]{0,30}[:：>]$")
_TURN = lazy(
    r"^\W{0,3}(?:Q|A|P|R|F|문|답|問|答|问|Question|Answer|Pregunta|Respuesta|Frage|Antwort|Вопрос"
    r"|Ответ|प्रश्न"
    r"|उत्तर|سؤال|جواب|ถาม|ตอบ|س|ج)\s?\d{0,3}\s?(?:[):：>\]]|[.-](?![A-Za-z\d]))",
    re.IGNORECASE,
)
# Who speaks, before the words: "SMITH: …", "◇ 진행자> …", "山川：…"; at most four words.
_LEAD = lazy(
    r"^\W{0,3}(?P<who>[^\W\d_][^\s:：>»“\"]{0,19}(?:\s[^\s:：>»“\"]{1,19}){0,3})\s?[:：>»]\s?\S"
)
_LEAD_SIGNS = ":：>»"
_LEAD_SIGN = lazy(f"[{_LEAD_SIGNS}]")
_DASHED = lazy(r"^(?:>>|[-–—―─]{1,2})\s?\S")
_BULLET = lazy(
    r"^(?:[①-⑳➀-➓㉠-㉻⓵-⓾•·▪◦●○◇◆□■△▲▽▼※*-]|\(?(?:\d{1,2}|[a-zA-Z가-하]|[ivx]{1,4})[.)]"
    r"|[一二三四五六七八九十]{1,2}[、.．])\s?\S"
)
_HEADING_MARK = lazy(r"^(?:[◇◆■□●○▣◈★☆#]|【)(?!…)\s?\S")
# Page chrome says what to do, or that something else stands here.
_CHROME = lazy(
    r"관련\s?(?:기사|뉴스|영상)|바로\s?가기|(?:이미지|사진|동영상|영상|전체|기사|크게"
    r"|더)\s?(?:크게\s?)?보기"
    r"|구독하기|클릭|\b광고\b|기사\s?제보|더\s?보기|앱\s?다운로드"
    r"|advertis|\bread (?:more|also|next)\b|\brelated (?:stor|article|content|video)|click here"
    r"|subscribe"
    r"|sign up|see also|story continues|article continues|scroll (?:down|to)|newsletter"
    r"|skip (?:ad|to)"
    r"|関連記事|続きを読む|広告|あわせて読みたい|相关(?:阅读|新闻)|相關(?:閱讀|新聞)|点击|點擊"
    r"|广告|廣告|延伸閱讀"
    r"|publicidad|lea también|leer más|te puede interesar|anzeige|lesen sie auch|publicité"
    r"|(?:lire|à lire) aussi"
    r"|leia (?:também|mais)|publicidade|اقرأ أيض|إعلان|реклама|читайте также|(?:ये|यह) भी पढ़ें"
    r"|विज्ञापन|อ่านเพิ่มเติม|โฆษณา",
    re.IGNORECASE,
)
_MAX_CHROME_CHARS = 40
_SCORE = lazy(r"\d\s?(?:[-–:：]|대)\s?\d")


def wide_size(key: str) -> int:
    """Return the length of a key in wide characters: two Latin letters count as one Hangul.

    >>> wide_size("나래시"), wide_size("narae ")
    (3, 3)
    """
    return (columns(key) + 1) // 2


def is_sentence(text: str) -> bool:
    """Return whether a line ends as a sentence does."""
    return _SENTENCE_END.search(text) is not None


def is_credit(text: str) -> bool:
    """Return whether a short line names the origin of a picture or of material."""
    return _CREDIT.search(text) is not None


def is_caption(text: str) -> bool:
    """Return whether a paragraph bears the marks of a photo caption.

    >>> is_caption("시장이 발언하고 있다. (사진=도청 제공)"), is_caption("시장이 말했다.")
    (True, False)
    """
    if text.startswith("◆…"):
        return True
    end = text[-_CAPTION_CHARS:].lower()
    for signs, regex in _CAPTIONS:
        for sign in signs:
            if sign in end:
                if regex.search(end):
                    return True
                break
    return False


def is_speaker_label(text: str) -> bool:
    """Return whether a line only says who speaks, as broadcast scripts and interviews do.

    >>> is_speaker_label("◀ 앵커 ▶"), is_speaker_label("[이하늘 / 시민단체 사무처장]")
    (True, True)
    >>> is_speaker_label("[도청 제공. 재판매 및 DB 금지]")
    False
    """
    if len(text) > _MAX_LABEL_CHARS or is_sentence(text) or is_chrome(text):
        return False
    if _COLON_LABEL.match(text) or _ROLE.match(text):
        return True
    return bool(_BRACKETED.match(text) or _NAME_AND_ROLE.match(text)) and not is_credit(text)


def is_turn(text: str) -> bool:
    """Return whether a line opens with a mark of question and answer: Q., A:, 문), 답:."""
    return _TURN.match(text) is not None


def speaker_of(text: str) -> str | None:
    """Return who speaks, where a line begins with the name of its speaker.

    >>> speaker_of("SMITH: I do not know."), speaker_of("◇ 진행자> 그렇습니다.")
    ('SMITH', '진행자')
    """
    if not _LEAD_SIGN.search(text):
        return None
    found = _LEAD.match(text)
    return found["who"] if found and not is_credit(text) else None


def is_dashed(text: str) -> bool:
    """Return whether a line opens with a dash or ">>", as turns of a dialogue do."""
    return _DASHED.match(text) is not None


def is_bullet(text: str) -> bool:
    """Return whether a line opens with a bullet or a number, as lists and quizzes do."""
    return _BULLET.match(text) is not None


def is_marked_heading(text: str) -> bool:
    """Return whether a line opens with a sign that headings bear."""
    return _HEADING_MARK.match(text) is not None and not is_sentence(text)


def is_chrome(text: str) -> bool:
    """Return whether a short line belongs to the page: a link, an advertisement, a button.

    >>> is_chrome("[관련기사]"), is_chrome("Story continues below"), is_chrome("광고를 줄인 방송사")
    (True, True, False)
    """
    if len(text) > _MAX_CHROME_CHARS or is_sentence(text):
        return False
    return _CHROME.search(text) is not None


def is_question(text: str) -> bool:
    """Return whether a line ends in a question mark."""
    has_mark = "?" in text or "？" in text or "؟" in text
    return has_mark and _QUESTION_END.search(text) is not None


def is_row(text: str) -> bool:
    """Return whether a line is a table row or a score; a sentence with stray spaces is none."""
    return (is_table_row(text) or _SCORE.search(text) is not None) and not is_sentence(text)
