"""Pages: from the bytes of an HTML file to the record of its article.

The text is what trafilatura takes of the element that holds the article: one that is marked so, or
the one with most of the page's sentences. Where there is none, trafilatura looks at the whole page
with its strictest rules: what it falls back to for short texts is the page's menus. Pages are
parsed without a network.
"""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from importlib.util import find_spec
from typing import Any

from pipeline.errors import DocumentError

Element = Any
"""An element of lxml, which tells no types."""

MAX_SECONDS = 10.0
"""A page of 50 KB takes 0.005 to 0.02 s of CPU."""

_MAX_ELEMENTS = 200_000
_MAX_BROKEN_SHARE = 0.02

# Shorter texts are where trafilatura falls back to all that stands on a page (its own limit).
_SHORT_CHARS = 250

# lxml reads 256 levels and drops all that follows; some are html, body and what is inside a line.
_MAX_LEVELS = 200

_FEW_LETTERS = 4
_TELLING_LETTERS = 12

_SPACES = bytes.maketrans(b"\x0b\x0c", b"  ")
_CONTROLS = bytes((*range(0x09), *range(0x0E, 0x20), 0x7F))

_BETWEEN = re.compile(r"[\W_]+")
_SELF_CLOSED = re.compile(r"<(script|style|iframe|textarea|title|noscript)\b([^<>]*)/>", re.I)
_MARKUP = re.compile(
    r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|<(/?)([a-z][a-z0-9:-]*)\b[^<>]*>", re.I | re.S
)
_UNCLOSED = frozenset(
    [
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr", "p", "li"),
    ]
)
"""Elements that have no end, or often none."""


def page_record(content: bytes, encoding: str, timezone_name: str) -> dict[str, Any]:
    """Return the record of the article that a page holds.

    Raises:
        DocumentError: `missing_extra`, `broken_encoding`, `too_large`, `too_slow`, or
            `missing_text` where the page holds no article.
    """
    if find_spec("trafilatura") is None:
        raise DocumentError(
            "missing_extra",
            "pages need trafilatura, which is not installed",
            next_step="install it with: pip install 'unecho[html]', then: unecho quarantine replay",
        )
    with _time_limit(MAX_SECONDS):
        return _record(_decoded(content, encoding), timezone_name)


def _record(markup: str, timezone_name: str) -> dict[str, Any]:
    from pipeline.sources.page_facts import page_facts

    tree, is_deep = _tree(markup)
    if tree is None:
        raise _no_article("nothing in the page is HTML")
    facts = page_facts(tree, timezone_name)
    _strip_scripts(tree)
    lines = _article_lines(tree, facts.pop("articleBody", None), is_deep=is_deep)
    if lines and lines[0] == facts.get("title"):
        del lines[0]
    if not any(map(_has_letters, lines)):
        raise _no_article("no article was found in the page")
    return {**facts, "text": "\n".join(lines)}


def _no_article(what: str) -> DocumentError:
    return DocumentError(
        "missing_text",
        what,
        next_step="get the article's own page, or leave this one out with .unechoignore",
    )


def _decoded(content: bytes, encoding: str) -> str:
    """Return the characters of a page; a damaged one here and there becomes U+FFFD.

    Raises:
        DocumentError: `broken_encoding`, where more than that is damaged.
    """
    text = content.decode(encoding, "replace")
    n_broken = text.count("\ufffd")
    if n_broken > max(2, _MAX_BROKEN_SHARE * len(text)):
        raise DocumentError(
            "broken_encoding",
            f"{n_broken:,} of {len(text):,} characters are not readable as {encoding}",
            next_step="get the page again, or name its encoding with --encoding",
        )
    return text


def _tree(markup: str) -> tuple[Element | None, bool]:
    """Return the page as a tree of lxml, None where there is nothing, and whether it was too deep.

    Raises:
        DocumentError: `too_large`, for a page of very many elements or levels.
    """
    if markup.lstrip("\ufeff \t\r\n").startswith("<?xml"):
        # XHTML closes a script at once; to a reader of HTML all that follows would be script.
        markup = _SELF_CLOSED.sub(r"<\1\2></\1>", markup)
    tree, is_whole = _parsed(markup)
    is_deep = not is_whole
    if is_deep:
        tree, is_whole = _parsed(_levelled(markup))
    n_elements = 0 if tree is None else int(tree.xpath("count(//*)"))
    if not is_whole or n_elements > _MAX_ELEMENTS:
        what = f"{n_elements:,} elements" if is_whole else "elements in too many levels"
        raise DocumentError(
            "too_large",
            f"the page has {what}",
            next_step="leave it out with .unechoignore, or ingest the article as text",
        )
    return tree, is_deep


def _parsed(markup: str) -> tuple[Element | None, bool]:
    """Return a tree, and whether all of the page is in it."""
    from lxml import etree, html

    parser = html.HTMLParser(
        encoding="utf-8",  # of the bytes that we hand it, whatever the page says
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        default_doctype=False,
        no_network=True,
        huge_tree=False,
    )
    raw = markup.encode("utf-8", "replace").translate(_SPACES, _CONTROLS)
    try:
        tree = html.document_fromstring(raw, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        tree = None
    is_cut = any(error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log)
    return tree, not is_cut


def _levelled(markup: str) -> str:
    """Return a page without the tags of elements that are nested too deep, their text kept."""
    opened: list[str] = []
    kept: list[str] = []
    start = 0
    for found in _MARKUP.finditer(markup):
        kept.append(markup[start : found.start()])
        start = found.end()
        name = (found[3] or "").lower()
        if not name or name in _UNCLOSED or found[0].endswith("/>"):
            kept.append(found[0])
        elif not found[2]:
            opened.append(name)
            kept.append(found[0] if len(opened) <= _MAX_LEVELS else " ")
        elif name in opened:
            while opened and opened.pop() != name:
                pass
            kept.append(found[0] if len(opened) < _MAX_LEVELS else "<br>")
    kept.append(markup[start:])
    return "".join(kept)


def _strip_scripts(tree: Element) -> None:
    from lxml import etree

    etree.strip_elements(
        tree, "script", "style", "noscript", "template", "iframe", "svg", with_tail=False
    )


def _article_lines(tree: Element, told: str | None, *, is_deep: bool) -> list[str]:
    """Return the paragraphs of the article; `told` is its text as JSON-LD has it.

    Of a page of very many levels all lines are taken: trafilatura needs minutes for such tables.
    """
    from pipeline.sources.page_frames import find_frame, find_sentences, lines_of

    frame = find_frame(tree)
    found: list[str] = []
    if frame is None:
        frame = find_sentences(tree)
        if not is_deep and (frame is None or frame.tag == "body"):
            found = _extracted(tree, is_strict=True)
    if frame is not None and _n_chars(found) < _SHORT_CHARS:
        of_frame = lines_of(frame) if is_deep else _lines_of_frame(frame)
        found = max(found, of_frame, key=_n_chars)
    said = told.split("\n") if told else []
    return said if 2 * _n_chars(found) < _n_chars(said) else found


def _lines_of_frame(frame: Element) -> list[str]:
    """Return the lines of the element that holds the article, but what trafilatura leaves out.

    It joins what `<br>` divides, so that its text only says which lines count; of a short text it
    may leave nothing, and it leaves no captions.
    """
    from pipeline.sources.page_frames import captions_of, lines_of

    lines = lines_of(frame)
    if _n_chars(lines) < _SHORT_CHARS:
        return lines
    found = _extracted(frame, is_strict=False)
    kept = _lines_in(lines, [*found, *captions_of(frame)])
    return kept if 2 * _n_chars(kept) > _n_chars(lines) else lines


def _lines_in(lines: list[str], found: list[str]) -> list[str]:
    """Return which lines stand in what was found, whatever signs are put between the words.

    How a line begins or ends is enough: something inside it may have been left out. A word or
    two (a button's) must stand alone.
    """
    if set(found).issuperset(lines):
        return lines
    alone = set(map(_letters, found))
    taken = "\n".join(map(_letters, found))
    return [line for line in lines if _is_in(_letters(line), alone, taken)]


def _is_in(letters: str, alone: set[str], taken: str) -> bool:
    if len(letters) < _FEW_LETTERS:
        return letters in alone
    return letters[:_TELLING_LETTERS] in taken or letters[-_TELLING_LETTERS:] in taken


def _letters(text: str) -> str:
    """Return a text without anything between its letters and digits."""
    return _BETWEEN.sub("", text)


def _extracted(element: Element, *, is_strict: bool) -> list[str]:
    """Return the paragraphs that trafilatura takes of an element, or of a whole page."""
    from lxml import html

    core, strict, lenient = _extractor()
    root = element
    if element.tag != "html":
        root = html.Element("html")
        body = html.Element("body")
        root.append(body)
        inner = deepcopy(element)
        inner.tail = None
        body.append(inner)
    found = core.bare_extraction(root, options=strict if is_strict else lenient)
    text = found.text if found is not None else ""
    return [line for line in map(str.strip, text.split("\n")) if line]


@cache
def _extractor() -> tuple[Any, Any, Any]:
    """Return trafilatura, loaded where the first page is, and its two ways of extracting."""
    import trafilatura
    from trafilatura.settings import Extractor

    for name in ("trafilatura", "htmldate", "courlan"):
        # They report each page that has little text; our reasons say more.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    strict, lenient = (
        Extractor(output_format="python", fast=True, comments=False, tables=True, precision=is_it)
        for is_it in (True, False)
    )
    return trafilatura, strict, lenient


def _n_chars(lines: list[str]) -> int:
    return sum(map(len, lines))


def _has_letters(line: str) -> bool:
    return any(map(str.isalnum, line))


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Refuse a page that takes longer; CPU time counts, so that a busy machine refuses none.

    Only a process's main thread can be interrupted: pages are read there, in workers and in
    runs of one process, but for small batches of recorded runs.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    # Again and again: where Python calls back from C, the first one may be lost.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    try:
        yield
    except _TooSlow:
        raise DocumentError(
            "too_slow",
            f"the page was not read within {seconds:g} s",
            next_step="leave it out with .unechoignore, or ingest the article as text",
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


class _TooSlow(BaseException):
    """No Exception: libraries catch those."""


def _stop(*_: object) -> None:
    raise _TooSlow
