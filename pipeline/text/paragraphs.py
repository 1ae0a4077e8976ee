"""Paragraphs of a text with their spans, in code points of the untouched body.

Every line break ends a paragraph, unless the text is hard-wrapped (`pipeline.text.wrapping`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa

from pipeline.contracts import conform
from pipeline.interim import SPANS
from pipeline.text.normalise import make_key, make_keys
from pipeline.text.wrapping import MAX_COLUMNS, Line, join_wrapped

Span = tuple[int, int]

_BREAKS = "\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
INVISIBLE = "\u200b\u2060\ufeff\u180e\u3164"
"""Code points that show as nothing and that pages leave as empty lines: counted as white space."""

_LINE = re.compile(rf"[^\s{INVISIBLE}](?:[^{_BREAKS}]*[^\s{INVISIBLE}])?")
_GAP_BREAKS = re.compile(rf"\r\n|[{_BREAKS}]")

_KEY_BATCH_CHARS = 1_000_000
"""Keys are made for about so many characters at a time: bounded memory for any article size
(measured: 9 arrays of 4 bytes a character; larger batches are not faster)."""


def split_paragraphs(parsed: pa.Table) -> pa.Table:
    """Return SPANS of PARSED: every paragraph with its span, its text and its key.

    `original_text[start_char:end_char] == text`; spans ascend, do not overlap, and leave out
    nothing but white space.
    """
    spans: list[Span] = []
    texts: list[str] = []
    counts: list[int] = []
    for body in parsed.column("original_text").to_pylist():
        own = paragraph_spans(body)
        spans += own
        texts += [body[start:end] for start, end in own]
        counts.append(len(own))
    owners = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts, dtype=np.int64)
    bounds = np.array(spans, np.int32).reshape(-1, 2)
    columns = {
        "article_id": parsed.column("article_id").take(owners),
        "revision_id": parsed.column("revision_id").take(owners),
        "seq": np.arange(len(spans), dtype=np.int32) - (ends - counts)[owners],
        "start_char": bounds[:, 0],
        "end_char": bounds[:, 1],
        "text": pa.array(texts, pa.large_string()),
        "key": pa.array(keys_of(texts), pa.large_string()),
    }
    return conform(pa.table(columns), SPANS)


def paragraph_spans(text: str) -> list[Span]:
    r"""Return the spans of the paragraphs of a text.

    >>> paragraph_spans("one\n\n two \n")
    [(0, 3), (6, 9)]
    """
    spans = [found.span() for found in _LINE.finditer(text)]
    if len(spans) < 2 or any(end - start > MAX_COLUMNS for start, end in spans):
        return spans
    return join_wrapped(_lines(text, spans)) or spans


def _lines(text: str, spans: Sequence[Span]) -> list[Line]:
    """Return the lines with what the layout of hard-wrapped text shows."""
    lines: list[Line] = []
    previous_end = 0
    for start, end in spans:
        gap = text[previous_end:start]
        breaks = list(_GAP_BREAKS.finditer(gap))
        indent = len(gap) - breaks[-1].end() if breaks else len(gap)
        lines.append(Line(start, end, text[start:end], indent, len(breaks) > 1 or not lines))
        previous_end = end
    return lines


def keys_of(texts: Sequence[str]) -> list[str]:
    """Return the keys of many texts, made in batches of bounded size."""
    keys: list[str] = []
    batch: list[str] = []
    n_chars = 0
    for text in texts:
        batch.append(text)
        n_chars += len(text)
        if n_chars >= _KEY_BATCH_CHARS:
            keys += make_keys(batch)
            batch, n_chars = [], 0
    return keys + make_keys(batch)


def join_keys(keys: Iterable[str]) -> str:
    """Return the key of paragraphs joined by a blank line, from their keys.

    A key keeps one space between two characters of spaced scripts and none elsewhere, so only the
    characters at the joints matter (a third of the time of folding the joined text again).

    >>> join_keys(["서울시장", "said no", "ok"])
    '서울시장said no ok'
    """
    joined: list[str] = []
    is_spaced = False
    for key in keys:
        if key:
            if is_spaced and _begins_spaced(key[:2]):
                joined.append(" ")
            joined.append(key)
            is_spaced = _ends_spaced(key[-1])
    whole = "".join(joined)
    # A mark that opens a paragraph may compose with the end of the one before.
    return whole if unicodedata.is_normalized("NFC", whole) else make_key(whole)


@lru_cache(maxsize=65_536)
def _begins_spaced(start: str) -> bool:
    """Return whether a key that begins so keeps a space before it."""
    return " " in make_key(f"a {start}")[:2]


@lru_cache(maxsize=65_536)
def _ends_spaced(character: str) -> bool:
    """Return whether a key that ends so keeps a space after it."""
    return " " in make_key(f"{character} a")
