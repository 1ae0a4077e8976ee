"""Numbers written in another way with the same value: 12,000 and 12000 and 1만2천."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.quality.corpus import Article

_GROUPS = {"fr": "[ \u00a0\u202f]", "ru": "[ \u00a0]", "el": r"\.", "es": r"[.\u00a0 ]"}
"""What stands between thousands; a comma in every other language."""

_MILLION = {"en": r" million\b", "es": r" millones\b", "fr": r" millions?\b", "ru": r" миллион\w*"}
_POINT = {"es": ",", "fr": ",", "ru": ","}


def numbers_otherwise(article: Article, _: Article) -> Article:
    """Write large numbers out in digits, and grouped ones without their commas (Korean: in 만)."""
    text, language = article.text, article.language
    if language in _MILLION:
        point = re.escape(_POINT.get(language, "."))
        pattern = rf"(?<![\d.,])(\d+)(?:{point}(\d+))?{_MILLION[language]}"
        text = re.sub(pattern, _in_digits, text)
    if language in ("ko", "ja", "zh", "mixed"):
        text = re.sub(
            r"(?<![\d,.억億亿])([\d,]+)([만万])(\d{3,4})?(?![천千억\d])", _ten_thousands, text
        )
    group = _GROUPS.get(language, ",")
    if language in ("ko", "mixed") and text == article.text:
        return replace(article, text=re.sub(r"(?<![\d,])\d{2,3},\d{3}(?![\d,])", _in_man, text))
    return replace(article, text=re.sub(rf"(?<=\d){group}(?=(?:\d\d,)?\d{{3}}(?!\d))", "", text))


def _in_digits(match: re.Match[str]) -> str:
    fraction = (match[2] or "").ljust(6, "0")
    return f"{int(match[1] + fraction)}"


def _ten_thousands(match: re.Match[str]) -> str:
    return f"{int(match[1].replace(',', '')) * 10_000 + int(match[3] or 0):,}"


def _in_man(match: re.Match[str]) -> str:
    value = int(match[0].replace(",", ""))
    man, rest = divmod(value, 10_000)
    return f"{man}만{rest or ''}" if man else f"{value}"
