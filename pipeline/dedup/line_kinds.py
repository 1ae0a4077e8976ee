"""What a line is, by its looks: speaker label, question, credit, caption, table row, score.

Used as guards: such lines repeat on purpose, or must be compared with more care.
"""

from __future__ import annotations

import re

from pipeline.text.wrapping import is_table_row

_MAX_LABEL_CHARS = 60
_CLOSERS = "\"'”’»」』》〉）)\\]】"

_SENTENCE_END = re.compile(rf"[.!?。！？…؟।][{_CLOSERS}]*$")
_QUESTION_END = re.compile(rf"[?？؟][{_CLOSERS}]*$")

_CREDIT = re.compile(
    r"제공|재판매|무단|사진|촬영|자료|그래픽|캡처|캡쳐|출처|일러스트|게티이미지|연합뉴스|뉴시스|뉴스1"
    r"|금지|[ⓒ©]|\bphoto|getty|\bAFP\b|\bAP\b|reuters|\bcredit|撮影|提供|写真|图片|圖片|资料|摄|foto"
    r"|crédit|صورة|تصوير",
    re.IGNORECASE,
)
# Looked for in the end of a paragraph, in small letters.
_CAPTION = re.compile(
    r"제공\W*(?:20\d\d[.\s\d]*)?$|사진\s?[=:ㅣ|]|/사진|\(사진|사진은 |자료사진|공동취재"
    r"|db ?금지|캡[처쳐]|[ⓒ©]|photo@|뉴스1\W*$|\[연합\]$|\w db\W*$"
    r"|[=/.]\s?(?:ap|afp|epa|로이터|연합뉴스|뉴시스|신화)\W*$"
    r"|(?:^|[/.\d]\s?)[가-힣]{2,4} ?(?:기자|작가)(?: \S+@\S*)?\W*$"
    r"|\b20\d\d\.\s?\d{1,2}\.\s?\d{1,2}\b.{0,40}$"
    r"|(?:사진기자단|연합뉴스|뉴스1|ap|afp|epa)[\])]?\W*$"
    r"|\bphoto (?:by|courtesy)|\(photo|file photo|getty images|\bhandout\b|/(?:ap|reuters)\b"
    r"|写真[=＝:：]|[（(]写真|=.{1,12}撮影|図[/:：]|图[/:：]|摄[)）]?$|foto:|\(foto|photo ?:"
    r"|crédit photo|تصوير:|\(صورة"
)
_CAPTION_CHARS = 160

_BRACKETED = re.compile(r"^[\[<〈《【◀«(（［「][^\]>〉》】▶»)）］」]{1,50}[\]>〉》】▶»)）］」]\W*$")
_ROLE = re.compile(
    r"^[^\w]*(?:인터뷰|녹취|싱크|현장음|앵커|기자|캐스터|리포터|진행자?|사회자?|질문|답변"
    r"|동영상 뉴스|interview|host|moderator|anchor|reporter|司会|記者|主持人|مذيع)\b",
    re.IGNORECASE,
)
_NAME_AND_ROLE = re.compile(r"^[^\w]*[가-힣]{2,4}\s+/\s+\S")
_COLON_LABEL = re.compile(r"^\W*[^\s:：>][^:：>]{0,30}[:：>]$")
_TURN = re.compile(
    r"^\W{0,3}(?:Q|A|문|답|問|答|问|Question|Answer|س|ج)\s?\d{0,3}\s?[.):：>\]-]", re.IGNORECASE
)
_SCORE = re.compile(r"\d\s?(?:[-–:：]|대)\s?\d")


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
    return _CAPTION.search(text[-_CAPTION_CHARS:].lower()) is not None


def is_speaker_label(text: str) -> bool:
    """Return whether a line only says who speaks, as broadcast scripts and interviews do.

    >>> is_speaker_label("◀ 앵커 ▶"), is_speaker_label("[이하늘 / 시민단체 사무처장]")
    (True, True)
    >>> is_speaker_label("[도청 제공. 재판매 및 DB 금지]")
    False
    """
    if len(text) > _MAX_LABEL_CHARS or is_sentence(text):
        return False
    if _COLON_LABEL.match(text) or _ROLE.match(text):
        return True
    return bool(_BRACKETED.match(text) or _NAME_AND_ROLE.match(text)) and not is_credit(text)


def is_turn(text: str) -> bool:
    """Return whether a line opens with a mark of question and answer: Q., A:, 문), 답:."""
    return _TURN.match(text) is not None


def is_question(text: str) -> bool:
    """Return whether a line ends in a question mark."""
    return _QUESTION_END.search(text) is not None


def is_row(text: str) -> bool:
    """Return whether a line is a table row or a score; a sentence with stray spaces is none."""
    return not is_sentence(text) and (is_table_row(text) or _SCORE.search(text) is not None)
