"""What was edited inside a sentence: each exchanged word with what kind of edit that is.

- `notation`: the same number written in another way;
- `small`: a slip of the hand (spelling, a doubled word, a Korean particle);
- `number`, `date`, `name`: a fact was exchanged;
- `word`: anything else.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.text.lazy_pattern import lazy
from pipeline.text.normalise import make_key, make_keys
from pipeline.text.number_words import HAN_DIGITS, MONTHS, MYRIAD_UNITS
from pipeline.text.numbers import extract_numbers

FACTS = ("number", "date", "name")

MAX_WORDS = 600
"""Longer texts are no sentence: they are not compared word by word (time grows as the square)."""

_SMALL_CHARS = 24
"""No word in which a slip is looked for is longer."""
_LONG_WORD = 10
"""From so many letters on, two slips in one word are one edit."""
_LONG_HANGUL = 5
"""From so many syllables on, the two letters may stand in two of them."""

_TOKEN = lazy(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)
_UNSPACED = lazy(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f]")
_HANGUL = lazy("[\uac00-\ud7a3]+")
_DIGITS = lazy(r"\d+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Native Korean numerals before a counter, which `extract_numbers` leaves alone, and Han digits.
_NUMERALS = _set("한 두 세 네 다섯 여섯 일곱 여덟 아홉 열 하나 둘 셋 넷 스물 서른 마흔 쉰") | {
    *HAN_DIGITS,
    *MYRIAD_UNITS,
}
_DAYS = _set(
    "월요일 화요일 수요일 목요일 금요일 토요일 일요일 어제 오늘 내일 모레 오전 오후"
    " monday tuesday wednesday thursday friday saturday sunday yesterday today tomorrow"
    " lunes martes miércoles jueves viernes sábado domingo ayer hoy mañana"
    " lundi mardi mercredi jeudi vendredi samedi dimanche hier demain"
    " montag dienstag mittwoch donnerstag freitag samstag sonntag gestern heute morgen"
    " понедельник вторник среда среду четверг пятница пятницу суббота субботу воскресенье"
) | {month.lower() for month in MONTHS}
# A slip of one letter or syllable must not hide that a sentence now says the opposite.
_TURNING = _set(
    "no not nor non ne nicht kein не нет ni sin sans ohne without un 안 못 不 未 無 没 沒 非"
)
_TURNING_PREFIXES = _set("un in im il ir dis non a anti не 불 비 미 無 不 非 未")
_OPPOSITES = ({"있", "없"}, {"찬", "반"}, {"남", "북"}, {"상", "하"}, {"동", "서"}, {"여", "야"})
_PARTICLES = _set(
    "은 는 이 가 을 를 의 에 도 로 과 와 서 만 나 며 고 에서 에게 으로 까지 부터 보다 라고 이라고"
)
_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현"
)
_ROLES = lazy(
    r"\s?(?:(?:씨|군|양|\(\d\d)|\S{0,6}?(?:의원|대표|장관|차관|총리|대통령|후보|회장|사장|위원|교수|기자|감독"
    r"|선수|판사|검사|시장|지사|청장|국장|과장|팀장|원장|총장|본부장|대변인|변호사|작가|이사))"
)
_HAN_ROLES = lazy(r"^.{0,2}(?:氏|さん|様|首相|大臣|議員|選手|先生|总理|主席|部长|女士|總統)")


@dataclass(frozen=True, slots=True)
class Edit:
    """One exchanged passage of a sentence, as it was and as it is; empty where nothing stood."""

    kind: str
    previous: str
    present: str

    @property
    def n_words(self) -> int:
        """Return the words of the longer side; where words have no spaces, each four characters."""
        sides = (self.previous, self.present)
        return max(len(s.split()) + len(_UNSPACED.findall(s)) // 4 for s in sides)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text: as printed, their keys, and whether each stands first."""

    text: str
    spans: list[tuple[int, int]]
    keys: list[str]

    def shown(self, start: int, end: int) -> str:
        """Return the passage of words start..end as printed."""
        if start >= end:
            return ""
        return self.text[self.spans[start][0] : self.spans[end - 1][1]]

    def around(self, start: int, end: int) -> str:
        """Return the passage with a word before and behind: units and month names stand there."""
        return self.shown(max(0, start - 1), min(len(self.spans), end + 1))


def word_edits(previous: str, present: str) -> list[Edit] | None:
    """Return the edits that lead from one text to the other; None where they are too long for it.

    Spacing, punctuation and case alone are no edit (the key of a text has none of them).

    >>> word_edits("The fare rises by 300 won.", "The fare rises by 400 won")
    [Edit(kind='number', previous='300', present='400')]
    """
    old, new = _words(previous), _words(present)
    if max(len(old.keys), len(new.keys)) > MAX_WORDS:
        return None
    matcher = difflib.SequenceMatcher(None, old.keys, new.keys, autojunk=False)
    return [
        edit
        for operation, a, b, c, d in matcher.get_opcodes()
        if operation != "equal"
        for edit in _edits(old, new, (a, b), (c, d))
    ]


def _words(text: str) -> _Words:
    text = unicodedata.normalize("NFC", text)
    spans = [found.span() for found in _TOKEN.finditer(text)]
    keys = make_keys([text[start:end] for start, end in spans])
    kept = [(span, key) for span, key in zip(spans, keys, strict=True) if key]
    return _Words(text, [span for span, _ in kept], [key for _, key in kept])


def _edits(
    old: _Words, new: _Words, before: tuple[int, int], after: tuple[int, int]
) -> Iterator[Edit]:
    """Yield the edits of one replaced passage, word by word where both have as many."""
    a, b = before
    c, d = after
    if make_key(old.shown(a, b)) == make_key(new.shown(c, d)):
        return
    is_unspaced = bool(_UNSPACED.search(old.shown(a, b) + new.shown(c, d)))
    if 1 < b - a == d - c and not is_unspaced:
        for i, j in zip(range(a, b), range(c, d), strict=True):
            yield from _edits(old, new, (i, i + 1), (j, j + 1))
        return
    yield Edit(_kind(old, new, before, after), old.shown(a, b), new.shown(c, d))


def _kind(old: _Words, new: _Words, before: tuple[int, int], after: tuple[int, int]) -> str:
    """Return what kind of edit the exchange of one passage is."""
    if exchanged := _exchanged_numbers(old, new, before, after):
        return exchanged
    own = [words.keys[a:b] for words, (a, b) in ((old, before), (new, after))]
    if all(len(keys) == 1 for keys in own):
        one, other = own[0][0], own[1][0]
        if one in _DAYS and other in _DAYS:
            return "date"
        if one in _NUMERALS and other in _NUMERALS:
            return "number"
        if _is_name(old, before[0]) and _is_name(new, after[0]):
            return "name"
        if _has_digits(one) or _has_digits(other):
            return "name"  # F-16, 코로나19: a number that counts nothing
    return "small" if _is_slip(old, new, before, after) else "word"


def _exchanged_numbers(
    old: _Words, new: _Words, before: tuple[int, int], after: tuple[int, int]
) -> str:
    """Return number or date where such a one was exchanged, notation where it was rewritten."""
    numbers = [
        Counter(extract_numbers(words.around(*place)))
        for words, place in ((old, before), (new, after))
    ]
    different = [*(numbers[0] - numbers[1]), *(numbers[1] - numbers[0])]
    if different:
        is_date = all(number.startswith(("d:", "t:")) for number in different)
        return "date" if is_date else "number"
    own = [extract_numbers(words.shown(*place)) for words, place in ((old, before), (new, after))]
    return "notation" if any(own) and own[0] == own[1] else ""


def _has_digits(key: str) -> bool:
    return _DIGITS.search(key) is not None


def _is_name(words: _Words, at: int) -> bool:
    """Return whether the word names a person, as far as its surroundings tell.

    Capitalised beside another capitalised word, not first in its sentence; a Korean surname with
    two syllables before a role; Han before an honorific.
    """
    start, end = words.spans[at]
    word, following = words.text[start:end], words.text[end : end + 12]
    if hangul := _HANGUL.match(word):
        own = hangul[0][:3]
        return len(own) == 3 and own[0] in _SURNAMES and bool(_ROLES.match(word[3:] or following))
    if _UNSPACED.match(word):
        return bool(_HAN_ROLES.match(words.text[end : end + 8]))
    return _is_capital(words, at) and (_is_capital(words, at - 1) or _is_capital(words, at + 1))


def _is_capital(words: _Words, at: int) -> bool:
    """Return whether a word is capitalised though no sentence begins with it."""
    if not 0 < at < len(words.spans):
        return False
    before = words.text[: words.spans[at][0]].rstrip()
    word = words.text[slice(*words.spans[at])].lstrip("\"'“‘«(")
    return word[:1].isupper() and word[1:2].islower() and before[-1:] not in ".!?:…"


def _is_slip(old: _Words, new: _Words, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Return whether a passage differs by a slip of the hand."""
    one, other = old.keys[before[0] : before[1]], new.keys[after[0] : after[1]]
    if _TURNING & {*one, *other}:
        return False
    if not one or not other:
        words, place = (new, after) if not one else (old, before)
        return _is_doubled(words, place)
    left, right = "".join(one), "".join(other)
    if max(len(left), len(right)) > _SMALL_CHARS:
        return False
    shorter, longer = sorted((left, right), key=len)
    if longer.endswith(shorter) and longer.removesuffix(shorter) in _TURNING_PREFIXES:
        return False
    if _HANGUL.fullmatch(left) and _HANGUL.fullmatch(right):
        return _is_hangul_slip(left, right)
    limit = 1 if max(len(left), len(right)) < _LONG_WORD else 2
    if min(len(left), len(right)) < 3 and not _UNSPACED.search(left + right):
        limit = 0 if left[:1] != right[:1] else 1
    return edit_distance(_bare(left), _bare(right)) <= limit


def _is_doubled(words: _Words, place: tuple[int, int]) -> bool:
    """Return whether the passage says again the words beside it."""
    start, end = place
    own, n = words.keys[start:end], end - start
    return own in (words.keys[max(0, start - n) : start], words.keys[end : end + n])


def _is_hangul_slip(left: str, right: str) -> bool:
    """Return whether two Hangul words differ by a particle, or by two letters."""
    shorter, longer = sorted((left, right), key=len)
    if longer.startswith(shorter) and longer[len(shorter) :] in _PARTICLES:
        return True
    if left[:-1] == right[:-1] and {left[-1], right[-1]} <= _PARTICLES:
        return True
    if len(left) == len(right):
        exchanged = [{a, b} for a, b in zip(left, right, strict=True) if a != b]
        if (len(exchanged) > 1 and len(left) < _LONG_HANGUL) or len(left) == 1:
            return False
        if any(pair <= exchanged[0] for pair in _OPPOSITES):
            return False
    decomposed = (unicodedata.normalize("NFD", word) for word in (left, right))
    return edit_distance(*decomposed) <= 2


def _bare(word: str) -> str:
    """Return the word without diacritics: one that was forgotten is half a slip."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def edit_distance(left: str, right: str) -> int:
    """Return the insertions, deletions, exchanges and swaps of neighbours between two words.

    Source: Damerau (1964), in the restricted form (optimal string alignment).

    >>> edit_distance("recieve", "receive"), edit_distance("", "ab")
    (1, 2)
    """
    rows: list[Sequence[int]] = [range(len(right) + 1)]
    for i, a in enumerate(left, start=1):
        row = [i]
        for j, b in enumerate(right, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
