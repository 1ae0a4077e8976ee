"""Paragraphs of a text with their spans, in code points of the untouched body.

Every line break ends a paragraph, unless the text is hard-wrapped (`pipeline.text.wrapping`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from pipeline.contracts import conform
from pipeline.interim import SPANS
from pipeline.text.normalise import make_keys
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
    article_ids = parsed.column("article_id").to_pylist()
    revision_ids = parsed.column("revision_id").to_pylist()
    owners: list[int] = []
    seqs: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    texts: list[str] = []
    for row, body in enumerate(parsed.column("original_text").to_pylist()):
        spans = paragraph_spans(body)
        owners += [row] * len(spans)
        seqs += range(len(spans))
        for start, end in spans:
            starts.append(start)
            ends.append(end)
            texts.append(body[start:end])
    columns = {
        "article_id": [article_ids[row] for row in owners],
        "revision_id": [revision_ids[row] for row in owners],
        "seq": seqs,
        "start_char": starts,
        "end_char": ends,
        "text": texts,
        "key": _keys(texts),
    }
    table = pa.table(columns, schema=SPANS.schema)
    # One article a revision, rows in order: sorting by revision keeps seq ascending.
    return conform(table, SPANS)


def paragraph_spans(text: str) -> list[Span]:
    """Return the spans of the paragraphs of a text.

    >>> paragraph_spans("one\\n\\n two \\n")
    [(0, 3), (6, 9)]
    """
    spans = [found.span() for found in _LINE.finditer(text)]
    if len(spans) < 2 or any(end - start > MAX_COLUMNS for start, end in spans):
        return spans
    return join_wrapped(_lines(text, spans)) or spans


def _lines(text: str, spans: Sequence[Span]) -> list[Line]:
    """Return the lines with what the layout of hard-wrapped text shows."""
    lines = []
    previous_end = 0
    for start, end in spans:
        gap = text[previous_end:start]
        breaks = list(_GAP_BREAKS.finditer(gap))
        indent = len(gap) - breaks[-1].end() if breaks else len(gap)
        lines.append(Line(start, end, text[start:end], indent, len(breaks) > 1 or not lines))
        previous_end = end
    return lines


def _keys(texts: Sequence[str]) -> list[str]:
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
