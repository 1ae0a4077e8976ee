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
from numpy.typing import NDArray

from pipeline.contracts import conform
from pipeline.interim import SPANS
from pipeline.text.flat_lines import (
    FlatLines,
    FlatTexts,
    Places,
    char_spans,
    flat_texts,
    least_columns,
    line_texts,
    read_lines,
)
from pipeline.text.normalise import key_array, make_key, make_keys
from pipeline.text.utf8 import whole
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
    bodies = whole(parsed.column("original_text"))
    texts = flat_texts(bodies)
    lines, (starts, ends), is_odd = read_lines(texts)
    own = line_texts(texts, lines)
    slow = np.flatnonzero(is_odd | _may_be_wrapped(lines, own, starts, ends, len(bodies)))
    if slow.size:
        lines = _read_one_by_one(texts, lines, slow)
        starts, ends = char_spans(texts, lines)
        own = line_texts(texts, lines)
    owners = pa.array(lines.owners)
    counts = np.bincount(lines.owners, minlength=len(bodies))
    firsts = np.cumsum(counts) - counts
    columns = {
        "article_id": whole(parsed.column("article_id")).take(owners),
        "revision_id": whole(parsed.column("revision_id")).take(owners),
        "seq": np.arange(lines.owners.size) - firsts[lines.owners],
        "start_char": starts,
        "end_char": ends,
        "text": own,
        "key": key_array(own),
    }
    return conform(pa.table(columns), SPANS)


def _may_be_wrapped(
    lines: FlatLines, own: pa.LargeStringArray, starts: Places, ends: Places, n_texts: int
) -> NDArray[np.bool_]:
    """Return which texts may be hard-wrapped: several lines, none too wide, bool [n_texts].

    A cheap look at what `join_wrapped` measures: most Korean paragraphs are too wide for it.
    """
    counts = np.bincount(lines.owners, minlength=n_texts)
    found = counts > 1
    found[lines.owners[ends - starts > MAX_COLUMNS]] = False
    rows = np.flatnonzero(found[lines.owners])
    too_wide = least_columns(own.take(pa.array(rows))) > MAX_COLUMNS
    found[lines.owners[rows[too_wide]]] = False
    return found


def _read_one_by_one(texts: FlatTexts, lines: FlatLines, slow: Places) -> FlatLines:
    """Return the lines with those of the texts `slow` replaced by their paragraphs."""
    starts: list[int] = []
    ends: list[int] = []
    owners: list[int] = []
    for text in slow.tolist():
        first, last = texts.offsets[text : text + 2].tolist()
        body = texts.utf8[first:last].tobytes().decode()
        at = 0
        for start, end in paragraph_spans(body):
            first += len(body[at:start].encode())
            starts.append(first)
            first += len(body[start:end].encode())
            ends.append(first)
            at = end
        owners += [text] * (len(starts) - len(owners))
    kept = ~np.isin(lines.owners, slow)
    together = FlatLines(
        np.append(lines.starts[kept], np.array(starts, np.int64)),
        np.append(lines.ends[kept], np.array(ends, np.int64)),
        np.append(lines.owners[kept], np.array(owners, np.int64)),
    )
    order = np.argsort(together.owners, kind="stable")
    return FlatLines(*(column[order] for column in together))


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
        if gap == "\n":
            n_breaks, indent = 1, 0
        else:
            breaks = list(_GAP_BREAKS.finditer(gap))
            n_breaks, indent = len(breaks), len(gap) - (breaks[-1].end() if breaks else 0)
        lines.append(Line(start, end, text[start:end], indent, n_breaks > 1 or not lines))
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
