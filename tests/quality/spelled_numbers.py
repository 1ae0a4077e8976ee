"""Numbers written in another way with the same value: 12,000 and 12000 and 1만2천."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.quality.corpus import Article

_GROUPS = {"fr": "[ \u00a0\u202f]", "ru": "[ \u00a0]", "el": r"\.", "es": r"[.\u00a0 ]"}
"""What stands between thousands; a comma in every other language."""

_MILLION = {"en": r" million\b", "es": r" millones\b", "fr": r" millions?\b", "ru": r" миллион\w*"}
_POINT = {"es": ",", "fr": ",", "ru": ","}

_MAN = re.compile(
    r"(?<![\d,.억億亿])(?:"
    r"(?P<man>[\d,]+)[만万] ?(?:(?P<cheon>\d)[천千]|(?P<rest>\d{3,4}))?"
    r"|(?P<thousand>\d)[천千](?=[가-힣])"
    r"|(?P<grouped>\d{1,3}(?:,\d{3})+)(?P<eok>억)?"
    r")(?![\d,.])"
)
"""Numbers as Korean, Japanese and Chinese write them, in ten thousands or in groups of three."""


def numbers_otherwise(article: Article, _: Article) -> Article:
    """Turn spelled-out numbers into digits, and grouped digits into bare or spelled-out ones."""
    text, language = article.text, article.language
    if language in ("ko", "ja", "zh", "mixed"):
        return replace(article, text=_MAN.sub(_other_way, text))
    if language in _MILLION:
        point = re.escape(_POINT.get(language, "."))
        pattern = rf"(?<![\d.,])(\d+)(?:{point}(\d+))?{_MILLION[language]}"
        text = re.sub(pattern, _in_digits, text)
    group = _GROUPS.get(language, ",")
    return replace(article, text=re.sub(rf"(?<=\d){group}(?=(?:\d\d,)?\d{{3}}(?!\d))", "", text))


def _in_digits(match: re.Match[str]) -> str:
    fraction = (match[2] or "").ljust(6, "0")
    return f"{int(match[1] + fraction)}"


def _other_way(match: re.Match[str]) -> str:
    if match["man"]:
        rest = int(match["cheon"] or 0) * 1000 + int(match["rest"] or 0)
        return f"{_plain(match['man']) * 10_000 + rest:,}"
    if match["thousand"]:
        return f"{match['thousand']},000"
    value = _plain(match["grouped"])
    man, rest = divmod(value, 10_000)
    # What counts hundred millions already, and what is no Korean, only loses its commas.
    is_korean = re.match("[가-힣]", match.string[match.end() :]) is not None
    if match["eok"] or not man or not is_korean:
        return f"{value}{match['eok'] or ''}"
    return f"{man}만{rest or ''}"


def _plain(digits: str) -> int:
    return int(digits.replace(",", ""))
