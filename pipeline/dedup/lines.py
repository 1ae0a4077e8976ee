"""Lines: short paragraphs as a source repeats them, each as one hash of source and template.

The template of a line is its key with e-mail addresses, URLs, phone numbers, dates and reporters'
names masked. Other numbers stay: with them masked, the closing sentences of all market and
weather reports would be one line that the source prints every day.

Bits of a line hash: 0 the sighting stands at an edge of its article, 1–2 the kind, 3 plain, the
other 60 the hash. Kind and plain follow from the line itself, so equal lines have equal bits 1–63.
A plain line has no address, no sign, no appeal: nothing but its repetition says that it is none of
the body ("Police are investigating.", "Ingredients").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contract import HASH, conform
from pipeline.dedup.line_classes import (
    KINDS,
    LEADING_SIGNS,
    SOURCE,
    Signs,
    class_of,
    is_of_the_body,
    is_of_the_house,
)
from pipeline.dedup.line_looks import are_plain, composed, look_at
from pipeline.dedup.line_masks import MASKED, masked
from pipeline.dedup.mapped import Words, id_words, place_of
from pipeline.interim import LINES
from pipeline.text.digests import short_digests
from pipeline.text.mixing import mix64
from pipeline.text.normalise import key_array, make_key
from pipeline.text.utf8 import Utf8, whole

MAX_LINE_CHARS = 200
"""Longer paragraphs are body text (design); length in code points."""

HEAD_PARAGRAPHS, TAIL_PARAGRAPHS = 2, 4
"""How many paragraphs at either end of an article are its edge (design)."""

EDGE, PLAIN = np.uint64(1), np.uint64(8)
_KIND_SHIFT, _KIND_MASK = np.uint64(1), np.uint64(3)
_HASH_MASK = np.uint64(0xFFFF_FFFF_FFFF_FFF0)

_LETTER = re.compile(r"[^\W\d_]")
_SAYS = r"(?s)^[a-wyz가-힣\x{4e00}-\x{9fa5}][^x]*$"
"""For RE2: what a key begins with that surely says something, for it holds no mask."""
_PLAIN_REPORT = "(?:^|[^니\u1175])다[\"”’']{0,2}[.][.\"”’']{0,3}$"
"""For RE2: a reported sentence, which is body wherever it stands (`is_of_the_body`); decomposed,
니 ends in U+1175. Runs of marks are so short that the eight characters looked at there hold them.
"""
_SIGNS = {found: Signs(*found) for found in product((False, True), repeat=3)}


def find_lines(spans: pa.Table, articles: pa.Table) -> pa.Table:
    """Return LINES of SPANS; `articles` (as PARSED) gives the source_id of each revision_id."""
    columns = {name: spans[name] for name in ("article_id", "revision_id", "seq")}
    hashes, _ = _line_hashes(spans, articles, "revision_id")
    return conform(pa.table(columns | {"line_hash": pa.array(hashes, HASH)}), LINES)


def lines_column(paragraphs: pa.Table, articles: pa.Table, key: str = "article_id") -> pa.Array:
    """Return the distinct lines of every article in its row of `articles`, list<uint64>, sorted.

    Bit 0 is set where the line stands at an edge of the article, wherever it stands in it.

    Args:
        paragraphs: LINES, or `key`, seq and text of every paragraph, kept or dropped; those of
            one article stand together, `seq` ascending, as LINES, SPANS and PARAGRAPHS are sorted.
        articles: `key` and source_id; an article without paragraphs has no lines.
        key: article_id, or revision_id for tables with several revisions of an article.
    """
    hashes, owners = _line_hashes(paragraphs, articles, key)
    is_line = (hashes != 0) & (owners >= 0)
    hashes, owners = hashes[is_line], owners[is_line]
    # An article counts once: at the edge only when it prints the line nowhere else (0 before 1).
    order = np.lexsort((hashes, owners))
    hashes, owners = hashes[order], owners[order]
    same = (hashes[1:] ^ hashes[:-1] <= EDGE) & (owners[1:] == owners[:-1])
    first = np.append(True, ~same)[: hashes.size]
    counts = np.bincount(owners[first], minlength=articles.num_rows)
    offsets = pa.array(np.append(0, np.cumsum(counts)), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(hashes[first], HASH))


def _line_hashes(
    paragraphs: pa.Table, articles: pa.Table, key: str
) -> tuple[Words, NDArray[np.int64]]:
    """Return the hash of each paragraph and its row in `articles`, -1 where it has none."""
    ids = id_words(articles[key])
    order = np.lexsort((ids[:, 1], ids[:, 0]))
    places = place_of(id_words(paragraphs[key]), ids[order])
    owners = np.where(places >= 0, order[places], -1) if order.size else places
    if "line_hash" in paragraphs.column_names:
        return paragraphs["line_hash"].to_numpy(), owners
    seeds = np.append(_seeds(articles["source_id"].to_pylist()), np.uint64(0))
    hashes, is_marked = _read(paragraphs["text"])
    return _of_sources(hashes, seeds[owners], edges(owners, is_marked)), owners


def line_hashes(
    texts: Sequence[str], source_ids: Sequence[str], is_edge: NDArray[np.bool_]
) -> Words:
    """Return the hash of each paragraph as a line of its source, uint64 [n], 0 for no line.

    `is_edge` (bool [n]) becomes bit 0.
    """
    read, _ = _read(pa.array(texts, pa.large_string()))
    return _of_sources(read, _seeds(source_ids), is_edge)


def edges(owners: NDArray[np.int64], is_marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which paragraphs are among the first 2 or last 4 of their article.

    Counted from the end, lines with an address, a credit or a leading sign do not count: the
    tip-off lines under a broadcaster's story are five and more, and the first of them is furniture
    like the last.

    Args:
        owners: the article of each paragraph, int64 [n]; equal ones stand together.
        is_marked: bool [n], paragraphs that do not count.
    """
    n = owners.size
    if not n:
        return np.zeros(0, np.bool_)
    firsts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
    sizes = np.diff(np.append(firsts, n))
    index = np.arange(n) - np.repeat(firsts, sizes)
    counted = np.append(0, np.cumsum(~is_marked))
    after = np.repeat(counted[firsts + sizes], sizes) - counted[1:]
    found: NDArray[np.bool_] = (index < HEAD_PARAGRAPHS) | (after < TAIL_PARAGRAPHS)
    return found


def template_key(text: str) -> str:
    """Return the key of a line with what changes from article to article masked.

    >>> template_key("▶ 제보: tips@narae.example, 02-123-4567")
    '제보xmailx xphonex'
    """
    return make_key(masked(text))


def kind_of(line: int) -> str:
    """Return what a line says: source, byline, rights or caption."""
    return KINDS[line >> int(_KIND_SHIFT) & int(_KIND_MASK)]


def _read(texts: pa.Array | pa.ChunkedArray) -> tuple[Words, NDArray[np.bool_]]:
    """Return the hash of each template with its kind, 0 for no line; and whether it is marked."""
    hashes, is_marked = np.zeros(len(texts), np.uint64), np.zeros(len(texts), np.bool_)
    rows = _possible_rows(texts)
    if not rows.size:
        return hashes, is_marked
    # What a source prints under each article is read once.
    possible = whole(pc.dictionary_encode(texts.take(pa.array(rows))))
    distinct, marked = _read_distinct(possible.dictionary.cast(pa.large_string()))
    places = possible.indices.to_numpy()
    hashes[rows], is_marked[rows] = distinct[places], marked[places]
    return hashes, is_marked


def _possible_rows(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the rows that may be lines or marked: neither long nor the end of a plain report.

    Half of the paragraphs of a day's news end here, before any is a string of its own.
    """
    is_short = pc.less_equal(pc.utf8_length(texts), MAX_LINE_CHARS)
    is_report = pc.match_substring_regex(texts, _PLAIN_REPORT)
    is_signed = pc.match_substring_regex(texts, f"^[{LEADING_SIGNS}]")
    is_possible = pc.and_not(is_short, pc.and_not(is_report, is_signed))
    return np.flatnonzero(is_possible.to_numpy(zero_copy_only=False))


def _read_distinct(texts: pa.LargeStringArray) -> tuple[Words, NDArray[np.bool_]]:
    """Return hash and mark of each text, as `_read` does."""
    hashes, is_marked = np.zeros(len(texts), np.uint64), np.zeros(len(texts), np.bool_)
    texts = composed(texts)
    looks = look_at(texts)
    is_plain = are_plain(texts, looks)
    plain, others = np.flatnonzero(is_plain), np.flatnonzero(~is_plain)
    hashes[plain] = _template_hashes(texts.take(pa.array(plain)), PLAIN)
    rows: list[int] = []
    templates: list[str] = []
    classes: list[int] = []
    own_texts = texts.take(pa.array(others)).to_pylist()
    may = zip(*(flags[others].tolist() for flags in looks), strict=True)
    for row, text, found in zip(others.tolist(), own_texts, may, strict=True):
        signs = _SIGNS[found]
        template = masked(text) if signs.may_mask else text
        kind, is_prose, marked = class_of(text, template, signs)
        is_marked[row] = marked
        if not is_of_the_body(text, template, is_prose, marked, signs):
            rows.append(row)
            templates.append(template)
            is_plain_line = kind == SOURCE and not is_of_the_house(text, template, signs)
            classes.append(kind << 1 | is_plain_line << 3)
    given = pa.array(templates, pa.large_string())
    hashes[rows] = _template_hashes(given, np.array(classes, np.uint64))
    return hashes, is_marked


def _template_hashes(templates: pa.LargeStringArray, classes: Words | np.uint64) -> Words:
    """Return the hashes of templates with bits 1–3 as given, 0 where a template says nothing."""
    keys = key_array(templates)
    words = short_digests(Utf8.of(keys))
    says = pc.match_substring_regex(keys, _SAYS).to_numpy(zero_copy_only=False).copy()
    unsure = np.flatnonzero(~says)
    says[unsure] = [_says_something(key) for key in keys.take(pa.array(unsure)).to_pylist()]
    found: Words = np.where(says, words & _HASH_MASK | classes, np.uint64(0))
    return found


def _says_something(key: str) -> bool:
    """Return whether a template has a letter that is not masked."""
    if "x" in key:
        return _LETTER.search(MASKED.sub("", key)) is not None
    return key[:1].isalpha() or _LETTER.search(key) is not None


def _of_sources(hashes: Words, seeds: Words, is_edge: NDArray[np.bool_]) -> Words:
    """Return the hashes of lines as those of their sources, with bit 0 set."""
    lines = mix64(hashes ^ seeds) & _HASH_MASK | hashes & ~_HASH_MASK
    found: Words = np.where(hashes != 0, lines | is_edge.astype(np.uint64), np.uint64(0))
    return found


def _seeds(source_ids: Sequence[str]) -> Words:
    """Return a hash of each source, uint64 [n]."""
    of = {source: int.from_bytes(_digest(source), "little") for source in set(source_ids)}
    return np.fromiter((of[source] for source in source_ids), np.uint64, len(source_ids))


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
