"""Keys whose every character knows where it stands in the text.

A text is cut into pieces that fold on their own: words, and single characters where words are not
spaced (Han, Kana, Thai). A position in the key is exact to the piece.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.text.lazy_pattern import lazy
from pipeline.text.normalise import key_array
from pipeline.text.script import ScriptClass, script_class

Span = tuple[int, int]

_WORD = lazy(r"\S+")
_UNSPACED = (ScriptClass.HAN_KANA, ScriptClass.UNSPACED)
# Blocks in which all such characters lie; Hangul lies outside, so that most words are not walked.
_MAYBE_UNSPACED = lazy(
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
    cuts = [[_cut(text) for text in own] for own, _ in texts]
    # Each word once: an article that is contained meets its words again on the other side.
    distinct = list({word: None for own in cuts for words, _ in own for word in words})
    keys = key_array(pa.array(distinct, pa.large_string())).to_pylist()
    folded = dict(zip(distinct, (key.replace(" ", "") for key in keys), strict=True))
    return [
        _aligned(own, starts, folded, separator)
        for own, (_, starts) in zip(cuts, texts, strict=True)
    ]


def _cut(text: str) -> tuple[list[str], list[int]]:
    """Return the pieces of a text and where each begins."""
    if _MAYBE_UNSPACED.search(text):
        spans = list(pieces(text))
        return [text[start:end] for start, end in spans], [start for start, _ in spans]
    words = text.split()
    if " ".join(words) == text:
        # As nearly all paragraphs are written: a word begins one behind the end of another.
        ends = accumulate([len(word) + 1 for word in words], initial=0)
        return words, list(ends)[: len(words)]
    return words, [word.start() for word in _WORD.finditer(text)]


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
    cuts: Sequence[tuple[list[str], list[int]]],
    starts: Sequence[int],
    folded: Mapping[str, str],
    separator: str,
) -> AlignedKey:
    """Return the aligned key of paragraphs from their pieces and the keys of these."""
    parts: list[str] = []
    pieces_of: list[str] = []
    begins: list[int] = []
    for words, places in cuts:
        parts += [folded[word] for word in words]
        parts.append(separator)
        pieces_of += words
        begins += places
    counts = np.fromiter((len(words) for words, _ in cuts), np.int64, len(cuts))
    is_piece = np.ones(len(parts), np.bool_)
    is_piece[np.cumsum(counts + 1) - 1] = False
    owners = np.full(len(parts), -1)
    owners[is_piece] = np.arange(len(begins))
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    first = np.array(begins, np.int64) + np.repeat(np.array(starts, np.int64), counts)
    sizes = np.fromiter(map(len, pieces_of), np.int64, len(pieces_of))
    spans = np.stack((first, first + sizes), axis=1)
    return AlignedKey("".join(parts), np.repeat(owners, lengths), spans)
