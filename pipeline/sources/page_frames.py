"""Where the article of a page stands: the one element that holds its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

Element = Any
"""An element of lxml, which tells no types."""

# Names that content systems give the element with the text; ids of Korean portals among them.
_TEXT_NAMES = re.compile(
    r"^(?:(?:js|c|m|the|main|single|media|end|view|cms|art|at)[-_])*"
    r"(?:article|news|story|post|entry|newsct)[-_]?(?:view[-_]?)?"
    r"(?:body|text|txt|cont|content|contents|article|view|veiw)(?:[-_]?(?:div|area|inner|text|body|id))?$"
    r"|^dic_area$|^harmonyContainer$",
    re.IGNORECASE,
)
_ASIDE_NAMES = re.compile(
    r"foot|copyright|(?:^|[ _-])(?:gnb|lnb|menu|nav|relat\w*|comments?|reply|replies|rank\w*|aside)"
    r"(?:$|[ _-])",
    re.IGNORECASE,
)
_CAPTION_NAMES = re.compile(r"(?:^|[ _-])(?:img_desc|caption|photo_org)(?:$|[ _-])", re.IGNORECASE)
_LEADING_SHARE = 0.7
_LINKED_SHARE = 0.7
_CAPTIONS = etree.XPath(".//figcaption[not(ancestor::a) and not(.//a)]")
_SENTENCE_END = re.compile(r"[.!?。！？…؟।][\"'”’」』)\]]*$|다$")
_TEXTS = etree.XPath("//body//text()[string-length(normalize-space()) >= 10]")
"""Texts between two tags that are as long as the shortest sentence."""

_HOLDERS = ("div", "section", "article", "main", "td")
_MARKED = etree.XPath("//@itemprop[.='articleBody']/.. | //@property[.='articleBody']/..")

_DROPPED = frozenset(
    [
        *("script", "style", "noscript", "template", "iframe", "object", "svg", "canvas", "head"),
        *("form", "button", "select", "textarea", "nav", "aside", "footer", "video", "audio"),
    ]
)
_BLOCKS = frozenset(
    [
        *("address", "article", "blockquote", "br", "caption", "center", "dd", "div", "dl", "dt"),
        *("figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li"),
        *("main", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead"),
        *("tr", "ul"),
    ]
)


def find_frame(tree: Element) -> Element | None:
    """Return the element that is marked as holding the article; None where nothing tells.

    In this order: the microdata `articleBody`, a name that content systems use, the page's only
    `article` element.
    """
    for look in (_MARKED, _named, lambda whole: whole.iter("article")):
        found = _leading(list(look(tree)))
        if found is not None:
            return found
    return None


def _named(tree: Element) -> Iterator[Element]:
    for element in tree.iter(*_HOLDERS):
        if any(map(_TEXT_NAMES.match, _names(element).split())):
            yield element


def _names(element: Element) -> str:
    return f"{element.get('id') or ''} {element.get('class') or ''}"


def _leading(candidates: Sequence[Element]) -> Element | None:
    """Return the outermost candidate that holds at least half of what all of them do.

    Several of about one size are teasers of other articles, or no page of an article at all.
    """
    chosen = set(candidates)
    outer = [c for c in candidates if not any(a in chosen for a in c.iterancestors())]
    sizes = [sum(map(len, lines_of(element))) for element in outer]
    if not any(sizes):
        return None
    largest = max(sizes)
    return outer[sizes.index(largest)] if largest * 2 >= sum(sizes) else None


def find_sentences(tree: Element) -> Element | None:
    """Return the innermost element that holds most of a page's sentences; None without any.

    It may be the body, where they stand here and there. Sentences in links, menus and footers do
    not count.
    """
    sizes: dict[Element, int] = {}
    known: dict[Element, bool] = {}
    n_chars = 0
    for text in _TEXTS(tree):
        words = text.strip()
        if not _SENTENCE_END.search(words):
            continue
        inner = text.getparent().getparent() if text.is_tail else text.getparent()
        if _is_apart(inner, known):
            continue
        n_chars += len(words)
        for element in (inner, *inner.iterancestors()):
            if element.tag in _HOLDERS or element.tag == "body":
                sizes[element] = sizes.get(element, 0) + len(words)
    # Those that hold more than half of them stand one in another: the smallest is the innermost,
    # and of equals the one that was met first.
    leading = [element for element in sizes if sizes[element] >= _LEADING_SHARE * n_chars]
    return min(leading, key=lambda element: sizes[element], default=None)


def _is_apart(element: Element | None, known: dict[Element, bool]) -> bool:
    """Tell whether an element, or one around it, is a link, a menu or a footer.

    `known` keeps the answers: a list has a hundred texts inside the same elements.
    """
    if element is None:
        return False
    if element not in known:
        known[element] = (
            element.tag in _DROPPED
            or element.tag == "a"
            or bool(_ASIDE_NAMES.search(_names(element)))
            or _is_apart(element.getparent(), known)
        )
    return known[element]


def captions_of(element: Element) -> list[str]:
    """Return the captions of pictures, but of those that lead to other articles."""
    return [" ".join("".join(c.itertext()).split()) for c in _CAPTIONS(element)]


def lines_of(element: Element) -> list[str]:
    """Return the text of an element, a line for each block and after each `<br>`."""
    pieces: list[str] = []
    _gather(element, pieces)
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return [line for line in lines if line]


def _gather(root: Element, pieces: list[str]) -> None:
    """Append the text of an element; a parser that stops at 256 levels bounds the recursion."""
    tag = root.tag
    if tag == "tr" and (row := _row(root)):
        pieces.append(f"\n{row}\n")
        return
    if tag in ("ul", "ol") and _leads_elsewhere(root):
        pieces.append("\n")
        return
    is_block = tag in _BLOCKS or bool(_CAPTION_NAMES.search(root.get("class") or ""))
    if is_block:
        pieces.append("\n")
    if root.text:
        pieces.append(_flat(root.text, tag))
    for child in root:
        if child.tag not in _DROPPED:
            _gather(child, pieces)
        if child.tail:
            pieces.append(_flat(child.tail, tag))
    if is_block:
        pieces.append("\n")


def _leads_elsewhere(listed: Element) -> bool:
    """Tell whether a list is one of links: a menu, or the titles of other articles."""
    n_linked = sum(len("".join(link.itertext()).strip()) for link in listed.iter("a"))
    return n_linked > _LINKED_SHARE * len("".join(listed.itertext()).strip())


def _row(row: Element) -> str | None:
    """Return a row of a table as one line; None where its cells hold more than a line each."""
    cells = [lines_of(cell) for cell in row if cell.tag in ("td", "th")]
    if len(cells) < 2 or any(len(lines) > 1 for lines in cells):
        return None
    return " | ".join(" ".join(lines) for lines in cells)


def _flat(text: str, tag: str) -> str:
    """Return text whose own line ends mean nothing, but in `pre`."""
    return text if tag == "pre" else text.replace("\n", " ").replace("\r", " ")
