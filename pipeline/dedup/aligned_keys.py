"""Keys whose every character knows where it stands in the text.

A text is cut into pieces that fold on their own: words, and single characters where words are not
spaced (Han, Kana, Thai). A position in the key is exact to the piece.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text.lazy_pattern import lazy
from pipeline.text.paragraphs import keys_of
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
    folded = dict(zip(distinct, (k.replace(" ", "") for k in keys_of(distinct)), strict=True))
    return [
        _aligned(own, starts, folded, separator)
        for own, (_, starts) in zip(cuts, texts, strict=True)
    ]


def _cut(text: str) -> tuple[list[str], list[Span]]:
    """Return the pieces of a text and their spans."""
    if not _MAYBE_UNSPACED.search(text):
        return text.split(), [word.span() for word in _WORD.finditer(text)]
    spans = list(pieces(text))
    return [text[start:end] for start, end in spans], spans


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
    cuts: Sequence[tuple[list[str], list[Span]]],
    starts: Sequence[int],
    folded: Mapping[str, str],
    separator: str,
) -> AlignedKey:
    """Return the aligned key of paragraphs from their pieces and the keys of these."""
    parts: list[str] = []
    flat: list[Span] = []
    for words, spans in cuts:
        parts += [folded[word] for word in words]
        parts.append(separator)
        flat += spans
    counts = np.fromiter((len(words) for words, _ in cuts), np.int64, len(cuts))
    is_piece = np.ones(len(parts), np.bool_)
    is_piece[np.cumsum(counts + 1) - 1] = False
    owners = np.full(len(parts), -1)
    owners[is_piece] = np.arange(len(flat))
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    places = np.array(flat, np.int64).reshape(-1, 2)
    places += np.repeat(np.array(starts, np.int64), counts)[:, np.newaxis]
    return AlignedKey("".join(parts), np.repeat(owners, lengths), places)
