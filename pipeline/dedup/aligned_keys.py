"""Keys whose every character knows where it stands in the text.

A text is cut into pieces that fold on their own: words, and single characters where words are not
spaced (Han, Kana, Thai). A position in the key is exact to the piece.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text.paragraphs import keys_of
from pipeline.text.script import ScriptClass, script_class

Span = tuple[int, int]

_WORD = re.compile(r"\S+")
_UNSPACED = (ScriptClass.HAN_KANA, ScriptClass.UNSPACED)
# Blocks in which all such characters lie; Hangul lies outside, so that most words are not walked.
_MAYBE_UNSPACED = re.compile(
    "[\u0e00-\u10ff\u1780-\u1b7f\u2e80-\u312f\u3190-\ua4cf\ua980-\uaadf\uf900-\ufaff\uff66-\uff9f"
    "\U00016fe0-\U0003ffff]"
)


@dataclass(frozen=True)
class AlignedKey:
    """The key of some paragraphs without spaces, `separator` between two paragraphs."""

    key: str
    piece: NDArray[np.int64]
    """Number of the piece of each character of the key, -1 for separators."""
    spans: NDArray[np.int64]
    """Start and end of each piece in the text, int64 [n, 2]."""

    def span(self, start: int, end: int) -> Span | None:
        """Return the span in the text of the whole pieces in key[start:end], None without any."""
        first, last = int(self.piece[start]), int(self.piece[end - 1])
        if start and self.piece[start - 1] == first:
            first += 1
        if end < self.piece.size and self.piece[end] == last:
            last -= 1
        if first > last:
            return None
        return int(self.spans[first, 0]), int(self.spans[last, 1])


def align(texts: Sequence[tuple[Sequence[str], Sequence[int]]], separator: str) -> list[AlignedKey]:
    """Return the aligned key of each article: its paragraphs and where each begins."""
    spans = [
        [
            [(start + a, start + b) for a, b in pieces(text)]
            for text, start in zip(*own, strict=True)
        ]
        for own in texts
    ]
    words = [
        text[a - start : b - start]
        for own, found in zip(texts, spans, strict=True)
        for text, start, cut in zip(*own, found, strict=True)
        for a, b in cut
    ]
    # Each word once: an article that is contained meets its words again on the other side.
    distinct = list(dict.fromkeys(words))
    folded = dict(zip(distinct, (k.replace(" ", "") for k in keys_of(distinct)), strict=True))
    keys = (folded[word] for word in words)
    return [_aligned(found, keys, separator) for found in spans]


def pieces(text: str) -> Iterator[Span]:
    """Yield the spans of what folds on its own in a text.

    >>> [*pieces("GDP는 3.5%, 漢字だ")]
    [(0, 4), (5, 10), (11, 12), (12, 13), (13, 14)]
    """
    for found in _WORD.finditer(text):
        start, end = found.span()
        if _MAYBE_UNSPACED.search(text, start, end):
            for at in range(start + 1, end):
                if _is_cut(text[at - 1], text[at]):
                    yield start, at
                    start = at
        yield start, end


def _is_cut(before: str, after: str) -> bool:
    """Return whether two neighbouring characters are of two pieces."""
    if unicodedata.category(after)[0] == "M":
        return False
    classes = script_class(before), script_class(after)
    is_word = ScriptClass.MARK not in classes and ScriptClass.DROP not in classes
    return is_word and (classes[0] in _UNSPACED or classes[1] in _UNSPACED)


def _aligned(
    paragraphs: Sequence[Sequence[Span]], keys: Iterator[str], separator: str
) -> AlignedKey:
    parts: list[str] = []
    owners: list[int] = []
    lengths: list[int] = []
    number = 0
    for spans in paragraphs:
        for _ in spans:
            parts.append(next(keys))
            owners.append(number)
            lengths.append(len(parts[-1]))
            number += 1
        parts.append(separator)
        owners.append(-1)
        lengths.append(len(separator))
    flat = [span for spans in paragraphs for span in spans]
    piece = np.repeat(np.array(owners, np.int64), lengths)
    return AlignedKey("".join(parts), piece, np.array(flat, np.int64).reshape(-1, 2))
