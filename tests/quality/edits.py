"""What other newsrooms, programs and hands do to an article that stays the same story.

Each edit takes an article and a stranger (another article of its language) and returns the edited
one, or the same text where there is nothing to edit: such a pair is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from tests.quality.corpus import UNSPACED, Article, articles, joined
from tests.quality.mastheads import MASTHEADS
from tests.quality.spelled_numbers import numbers_otherwise

Edit = Callable[[Article, Article], Article]

_HANGUL = r"[가-힣]"


def _on_text(change: Callable[[str], str]) -> Edit:
    return lambda article, _: replace(article, text=change(article.text))


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in text)


_HALF_KANA = {unicodedata.normalize("NFKC", chr(c)): chr(c) for c in range(0xFF66, 0xFF9E)} | {
    "\u3099": "\uff9e",
    "\u309a": "\uff9f",
}


def _half_width_kana(text: str) -> str:
    """Return katakana as half-width signs, their voicing marks apart."""
    return "".join(
        "".join(_HALF_KANA.get(part, part) for part in unicodedata.normalize("NFD", c))
        if "ァ" <= c <= "ヺ"
        else c
        for c in text
    )


def _typographic(text: str) -> str:
    marks = str.maketrans(
        {'"': "”", "'": "’", "“": '"', "”": '"', "-": "–", "·": "ㆍ", "…": "...", " ": "\u00a0"}
    )
    return text.translate(marks)


def _zero_widths(text: str) -> str:
    return "\u200b".join(text[i : i + 40] for i in range(0, len(text), 40))


def _paragraphs_joined(article: Article, _: Article) -> Article:
    space = "" if article.language in ("ja", "zh") else " "
    return replace(article, text=space.join(article.paragraphs))


def _spaces_added(text: str) -> str:
    """Put a space before the last syllable of every Korean word of four or more."""
    return re.sub(rf"({_HANGUL}{{3,}})({_HANGUL})(?!{_HANGUL})", r"\1 \2", text)


def _han_spaces_added(text: str) -> str:
    """Put a space after every comma and full stop, as editors for Latin text do."""
    return re.sub(r"(?<=[、。，])(?!\s|$)", " ", text)


def _particles(swapped: dict[str, str]) -> Callable[[str], str]:
    """Return what swaps Korean particles wherever a word ends in one, or in the same syllable."""

    def swap(text: str) -> str:
        for old, new in swapped.items():
            text = re.sub(rf"(?<={_HANGUL}){old}(?= )", new, text)
        return text

    return swap


_TOPIC = {"은": "이", "는": "가"}
_TOPIC_AND_OBJECT = {**_TOPIC, "을": "도", "를": "도"}


def _endings(text: str) -> str:
    """Write contracted verb endings out: 했다 is 하였다."""
    for old, new in (("했", "하였"), ("됐", "되었"), ("줬", "주었"), ("였다", "이었다")):
        text = text.replace(old, new)
    return text


def _typos(text: str) -> str:
    """Replace one letter in eighty by the one before it."""
    letters = list(text)
    for i in range(79, len(letters), 80):
        if letters[i].isalpha() and letters[i - 1].isalpha():
            letters[i] = letters[i - 1]
    return "".join(letters)


def words_replaced(article: Article, stranger: Article, every: int) -> Article:
    """Replace every n-th word; where words are not spaced, five characters count as one."""
    if article.language in UNSPACED:
        step, foreign = 5 * every, [c for c in stranger.text if c.isalpha()]
        letters = list(article.text)
        for i in range(step - 5, len(letters) - 5, step):
            if all(c not in "\n" and not c.isdigit() for c in letters[i : i + 5]):
                letters[i : i + 5] = foreign[i % (len(foreign) - 5) :][:5]
        return replace(article, text="".join(letters))
    words = [w for w in stranger.text.split() if _is_word(w)]
    paragraphs, n = [], 0
    for paragraph in article.paragraphs:
        own = paragraph.split(" ")
        for i in range(every - 1, len(own), every):
            if _is_word(own[i]):
                own[i] = words[n % len(words)]
                n += 1
        paragraphs.append(" ".join(own))
    return replace(article, text="\n\n".join(paragraphs))


def _is_word(text: str) -> bool:
    """Return whether a piece between spaces has no digit; isalpha() knows no vowel signs."""
    return any(c.isalpha() for c in text) and not any(c.isdigit() for c in text)


def _one_word_in_twenty(article: Article, stranger: Article) -> Article:
    return words_replaced(article, stranger, 20)


def _sentence_added(place: str) -> Edit:
    def add(article: Article, stranger: Article) -> Article:
        sentences = article.sentences
        new = max(stranger.sentences[1], key=len)
        paragraph = {"front": 0, "middle": len(sentences) // 2, "end": -1}[place]
        at = len(sentences[paragraph]) if place == "end" else 0
        sentences[paragraph].insert(at, new)
        return replace(article, text=joined(sentences, article.language))

    return add


def _sentence_removed(article: Article, _: Article) -> Article:
    sentences = article.sentences
    sentences[1] = sentences[1][1:]
    return replace(article, text=joined(sentences, article.language))


def _sentences_turned(article: Article, _: Article) -> Article:
    sentences = [p[::-1] for p in article.sentences]
    return replace(article, text=joined(sentences, article.language))


def _paragraphs_turned(article: Article, _: Article) -> Article:
    first, *rest = article.paragraphs
    return replace(article, text="\n\n".join([first, *rest[::-1]]))


def _lead_rewritten(article: Article, stranger: Article) -> Article:
    """Put another first sentence, without a number where there is one, in place of the own."""
    sentences = article.sentences
    new = min((s for p in stranger.sentences for s in p), key=_n_digits_then_length)
    sentences[0] = [new, *sentences[0][1:]]
    return replace(article, text=joined(sentences, article.language))


def _n_digits_then_length(sentence: str) -> tuple[int, int]:
    return sum(c.isdigit() for c in sentence), -len(sentence)


def _headline_changed(article: Article, _: Article) -> Article:
    sentence = article.sentences[1][0]
    return replace(article, title=sentence[: max(12, len(sentence) // 2)])


def _other_masthead(article: Article, _: Article) -> Article:
    house = MASTHEADS[article.language]
    body = house.dateline + article.text
    return replace(article, text="\n\n".join([house.byline, body, house.footer, house.rights]))


def _trimmed(share: float) -> Edit:
    def trim(article: Article, _: Article) -> Article:
        kept, n_chars = [], 0
        for paragraph in article.sentences:
            kept.append([])
            for sentence in paragraph:
                if n_chars < share * len(article.text):
                    kept[-1].append(sentence)
                n_chars += len(sentence)
        return replace(article, text=joined(kept, article.language))

    return trim


def _teaser(article: Article, stranger: Article) -> Article:
    trimmed = _trimmed(0.2)(article, stranger)
    return replace(trimmed, text=trimmed.text.rstrip(".。।") + "…")


def _embedded(article: Article, stranger: Article) -> Article:
    """Put the whole text into an article of more than twice its length, made of other ones."""
    others = [a for n in (article.language, "en") for a in articles()[n]]
    hosts = [stranger, *(a for a in others if a.title not in (article.title, stranger.title))]
    n_hosts = 2
    # No part may be half of the whole: the whole would be a copy of it with an addition.
    while _longest_share([article, *hosts[:n_hosts]]) > 0.4:
        n_hosts += 1
    own = [paragraph for host in hosts[:n_hosts] for paragraph in host.paragraphs]
    middle = len(own) // 2
    text = "\n\n".join([*own[:middle], article.text, *own[middle:]])
    return replace(article, title=stranger.title, text=text)


def _longest_share(parts: list[Article]) -> float:
    lengths = [len(part.text) for part in parts]
    return max(lengths) / sum(lengths)


def _without_diacritics(article: Article, _: Article) -> Article:
    parts = unicodedata.normalize("NFD", article.text)
    bare = "".join(c for c in parts if unicodedata.category(c) != "Mn")
    return replace(article, text=unicodedata.normalize("NFC", bare))


def _update(article: Article, stranger: Article) -> Article:
    """Tell the story again three hours later: marked headline, two more sentences, a new number."""
    sentences = article.sentences
    sentences[0].append(stranger.sentences[0][0])
    sentences[-1].append(stranger.sentences[-1][0])
    text = joined(sentences, article.language)
    number = next((n for n in article.numbers if len(n) >= 2), None)
    if number is not None:
        text = text.replace(number, str(int(number) + 1), 1)
    title = MASTHEADS[article.language].update_mark.format(article.title)
    return replace(article, title=title, text=text, source="first.example", hours=3.0)


def _flash(article: Article, _: Article) -> Article:
    """Return the flash that came an hour before: its headline, marked, is all it says."""
    title = MASTHEADS[article.language].flash_mark.format(article.title)
    return replace(article, title=title, text=article.title, source="first.example", hours=-1.0)


def _mixed_edits(article: Article, stranger: Article) -> Article:
    """Do what a desk does in one pass: other furniture, a sentence out, one in, words changed."""
    edited = _sentence_removed(article, stranger)
    edited = _sentence_added("end")(edited, stranger)
    edited = words_replaced(edited, stranger, 40)
    return _other_masthead(_headline_changed(edited, stranger), stranger)


EXACT: dict[str, Edit] = {
    "nfd": _on_text(lambda text: unicodedata.normalize("NFD", text)),
    "full_width": _on_text(_full_width),
    "half_width_kana": _on_text(_half_width_kana),
    "typographic": _on_text(_typographic),
    "zero_widths": _on_text(_zero_widths),
    "upper_case": _on_text(str.upper),
    "paragraphs_joined": _paragraphs_joined,
}
"""The same characters in another form."""

STORY: dict[str, Edit] = {
    "spaces_removed": _on_text(lambda t: re.sub(rf"(?<={_HANGUL}) (?={_HANGUL})", "", t)),
    "spaces_added": _on_text(lambda t: _han_spaces_added(_spaces_added(t))),
    "topic_particles_swapped": _on_text(_particles(_TOPIC)),
    "all_particles_swapped": _on_text(_particles(_TOPIC_AND_OBJECT)),
    "endings_written_out": _on_text(_endings),
    "typos": _on_text(_typos),
    "one_word_in_twenty": _one_word_in_twenty,
    "sentence_added_front": _sentence_added("front"),
    "sentence_added_middle": _sentence_added("middle"),
    "sentence_added_end": _sentence_added("end"),
    "sentence_removed": _sentence_removed,
    "sentences_turned": _sentences_turned,
    "paragraphs_turned": _paragraphs_turned,
    "lead_rewritten": _lead_rewritten,
    "headline_changed": _headline_changed,
    "numbers_otherwise": numbers_otherwise,
    "other_masthead": _other_masthead,
    "desk_edits": _mixed_edits,
    "diacritics_stripped": _without_diacritics,
    "update_marked": _update,
    "flash_before": _flash,
}
"""Edits after which both tell one story."""

FOUND: dict[str, Edit] = {"trimmed_60": _trimmed(0.6)}
"""Edits after which one text is so much shorter that `contained` is as true as one story."""

CONTAINED: dict[str, Edit] = {"teaser": _teaser, "embedded": _embedded}
"""One text stands whole inside the other: an edge `contained`, and two stories."""

LANGUAGES_OF = {
    "half_width_kana": ("ja", "mixed"),
    "spaces_removed": ("ko", "mixed"),
    "spaces_added": ("ko", "ja", "zh", "mixed"),
    "topic_particles_swapped": ("ko", "mixed"),
    "all_particles_swapped": ("ko", "mixed"),
    "endings_written_out": ("ko", "mixed"),
    "diacritics_stripped": ("es", "fr", "el"),
}
"""Edits that only some languages know."""


def stranger_of(articles: list[Article]) -> dict[str, Article]:
    """Return for each article the next one of its language, the first after the last."""
    turned = [*articles, articles[0]]
    return {one.native_id: other for one, other in pairwise(turned)}
