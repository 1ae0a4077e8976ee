"""Facts of a page: what it says of its article in JSON-LD, OpenGraph, meta elements and words.

trafilatura reads some of them too, but loses the time and zone of dates, three-syllable Korean
names, and JSON-LD without a `@context`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import orjson
from lxml import etree

from pipeline.sources.columns import as_name
from pipeline.sources.dates import UNPARSED, read_date
from pipeline.text.lazy_pattern import lazy

Element = Any
"""An element of lxml, which tells no types."""

# A page may hold its comments and a hundred related articles as JSON-LD.
_MAX_NODES = 2_000
_MAX_DEPTH = 8

_ARTICLE_TYPES = re.compile(r"Article$|^(?:BlogPosting|LiveBlogPosting|Report)$")
_WRAPPED_SCRIPT = re.compile(r"^\s*(?:<!--|/\*\s*<!\[CDATA\[\s*\*/|//\s*<!\[CDATA\[|<!\[CDATA\[)")
_WRAPPED_END = re.compile(r"(?:-->|/\*\s*\]\]>\s*\*/|//\s*\]\]>|\]\]>)\s*;?\s*$")

_META: Mapping[str, tuple[str, ...]] = {
    "title": ("og:title", "twitter:title", "dc.title"),
    "byline": ("author", "article:author", "og:article:author", "dc.creator", "byl"),
    "published_at": (
        *("article:published_time", "og:article:published_time", "og:published_time"),
        *("datepublished", "date", "pubdate", "publishdate", "publish_date", "publish-date"),
        *("dc.date", "dc.date.issued", "dcterms.created", "parsely-pub-date", "sailthru.date"),
        "og:regdate",
    ),
    "updated_at": (
        *("article:modified_time", "og:article:modified_time", "og:updated_time"),
        *("datemodified", "lastmod", "last-modified", "dcterms.modified"),
    ),
    "section": ("article:section", "og:article:section", "section"),
    "publisher": ("og:site_name", "publisher", "dc.publisher", "application-name"),
    "language": ("content-language", "og:locale", "dc.language"),
    "description": ("og:description", "description", "twitter:description"),
    "keywords": ("news_keywords", "keywords"),
    "image": ("og:image", "twitter:image"),
}
"""Field -> names (properties, itemprops) of meta elements, in the order in which they count."""

# Portals keep the times of an article beside it: data-date-time="2026-11-22 14:03:00".
_TIMED = {
    "published_at": ("datePublished", ("data-date-time", "data-published", "data-publish-time")),
    "updated_at": ("dateModified", ("data-modify-date-time", "data-modified")),
}
"""Field -> its name in microdata, and the attributes of elements that hold it."""

# By their attributes: to ask every element for each of them takes five times as long.
_TIMED_ELEMENTS = etree.XPath(
    "//@itemprop[.='datePublished' or .='dateModified']/.. | //time[@datetime] | "
    + " | ".join(f"//@{name}/.." for _, names in _TIMED.values() for name in names)
)
_VISIBLE = etree.XPath("//body//text()[not(parent::script or parent::style)]", smart_strings=False)

# What may stand before the label (기사 최종) tells nothing more, and makes every space a beginning.
_WRITTEN_TIME = lazy(
    r"(?P<label>입력|등록|승인|송고|발행|게재|수정|업데이트)"
    r"(?:\s*(?:일시|시간|일))?\s*[:|]?\s*"
    r"(?P<time>\d{4}\s*[-./년]\s*\d{1,2}\s*[-./월]\s*\d{1,2}(?:\s*[.일])?"
    r"(?:\s*\(?[월화수목금토일](?:요일)?\)?(?=[\s\d]))?"
    r"(?:\s*(?:오전|오후)?\s*\d{1,2}:\d{2}(?::\d{2})?)?)"
)
_ZONE_END = re.compile(r"(?:Z|[+-]\d{2}:?\d{2}|GMT|UTC|KST|JST)\s*$")

# The portal's name hangs on the author's: "테스트일보 | 네이버".
_PORTAL_END = re.compile(r"\s*[|｜]\s*(?:네이버|다음|Daum|NAVER|v\.daum\.net)\s*$", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?=[-_]|$)")

Facts = dict[str, Any]


def page_facts(tree: Element, timezone_name: str) -> Facts:
    """Return what a page says of its article, by the names of columns that fill its fields.

    `articleBody` is JSON-LD's own text of the article, in lines; what is not said is left out.
    """
    node = _article_node(_json_values(tree))
    metas = _metas(tree)
    facts: Facts = {
        "url": _address(tree, metas, node),
        "title": _first(_string(node.get("headline")), _meta(metas, "title"), *_headings(tree)),
        "publisher": _first(as_name(node.get("publisher")), _meta(metas, "publisher")),
        "section": _first(as_name(node.get("articleSection")), _meta(metas, "section")),
        "language": _language(tree, metas, node),
        "keywords": _first(as_name(node.get("keywords")), _meta(metas, "keywords")),
        "description": _first(_string(node.get("description")), _meta(metas, "description")),
        "image": _meta(metas, "image"),
        "articleBody": _body(node),
    }
    facts["byline"] = _byline(node, metas, facts["publisher"])
    timed, written = _timed(tree), _written_times(tree)
    for name, key in (("published_at", "datePublished"), ("updated_at", "dateModified")):
        said = [_string(node.get(key)), *_every_meta(metas, name), *timed[name]]
        facts[name] = _best_date([*said, *written[name]], timezone_name)
    return {name: value for name, value in facts.items() if value}


def _json_values(tree: Element) -> Iterator[Any]:
    """Yield what the JSON-LD scripts of a page hold; broken ones are passed over."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        text = _WRAPPED_END.sub("", _WRAPPED_SCRIPT.sub("", script.text or "")).strip()
        try:
            yield orjson.loads(text)
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            try:
                # Line ends inside strings, as content systems write them.
                yield json.loads(text, strict=False)
            except (ValueError, RecursionError):
                continue


def _article_node(values: Iterable[Any]) -> Mapping[str, Any]:
    """Return the first node of JSON-LD that is an article; one with a headline goes before."""
    found = [node for value in values for node in _nodes(value) if _is_article(node)]
    return next((node for node in found if node.get("headline")), found[0] if found else {})


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object of JSON-LD that may stand for the page, outer ones first."""
    waiting = [(value, 0)]
    n_seen = 0
    while waiting and n_seen < _MAX_NODES:
        value, depth = waiting.pop(0)
        n_seen += 1
        if isinstance(value, dict):
            yield value
            inner = [value.get(name) for name in ("@graph", "mainEntity", "mainEntityOfPage")]
        elif isinstance(value, list):
            inner = value
        else:
            continue
        if depth < _MAX_DEPTH:
            waiting += [(part, depth + 1) for part in inner if isinstance(part, (dict, list))]


def _is_article(node: Mapping[str, Any]) -> bool:
    kinds = node.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(kind, str) and _ARTICLE_TYPES.search(kind) for kind in kinds)


def _string(value: Any) -> str | None:
    """Return a value of JSON-LD as text; it is often escaped for HTML once more."""
    if isinstance(value, list):
        value = next(iter(value), None)
    if isinstance(value, dict):
        value = value.get("@value")
    return unescape(value).strip() if isinstance(value, str) else None


def _body(node: Mapping[str, Any]) -> str | None:
    """Return the text of an article as JSON-LD holds it, without markup."""
    body = _string(node.get("articleBody"))
    if body and re.search(r"</?(?:p|br|div|span|b|strong|a|em|img|figure)\b[^<]*>", body):
        broken = re.sub(r"<(?:br|/?p|/?div|/?figure)\b[^<>]*>", "\n", body, flags=re.IGNORECASE)
        body = unescape(re.sub(r"</?[a-z][^<>]*>", "", broken, flags=re.IGNORECASE))
    lines = (" ".join(line.split()) for line in (body or "").splitlines())
    return "\n".join(filter(None, lines)) or None


def _metas(tree: Element) -> dict[str, list[str]]:
    """Return the contents of meta elements by name, in lower case, in the page's order."""
    found: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        content = (meta.get("content") or "").strip()
        if not content:
            continue
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            name = meta.get(attribute)
            if name:
                found.setdefault(name.strip().lower(), []).append(unescape(content))
    return found


def _every_meta(metas: Mapping[str, list[str]], field: str) -> list[str]:
    return [value for name in _META[field] for value in metas.get(name, ())]


def _meta(metas: Mapping[str, list[str]], field: str) -> str | None:
    return next(iter(_every_meta(metas, field)), None)


def _first(*values: str | None) -> str | None:
    """Return the first value that says something, its white space made single spaces."""
    return next((" ".join(value.split()) for value in values if value and value.strip()), None)


def _headings(tree: Element) -> Iterator[str]:
    """Yield what may be the title where nothing names it: the only h1, the page's own title."""
    headings = [" ".join(h1.itertext()) for h1 in tree.iter("h1")]
    if len(headings) == 1:
        yield headings[0]
    title = tree.find(".//title")
    if title is not None:
        yield title.text or ""


def _byline(
    node: Mapping[str, Any], metas: Mapping[str, list[str]], publisher: str | None
) -> str | None:
    """Return who wrote the article; an address or the publisher is no author."""
    names = [as_name(node.get("author")), *_every_meta(metas, "byline")]
    for name in names:
        name = _first(_PORTAL_END.sub("", unescape(name))) if name else None
        if name and name != publisher and not name.lower().startswith(("http://", "https://")):
            return name
    return None


def _language(tree: Element, metas: Mapping[str, list[str]], node: Mapping[str, Any]) -> str | None:
    """Return the primary language, in lower case, of `ko-KR`, `ko_KR` or `ko`."""
    root = tree.getroottree().getroot()
    said = [root.get("lang"), root.get("xml:lang"), as_name(node.get("inLanguage"))]
    for value in (*said, *_every_meta(metas, "language")):
        found = _LANGUAGE.match((value or "").strip())
        if found:
            return found[0].lower()
    return None


def _address(tree: Element, metas: Mapping[str, list[str]], node: Mapping[str, Any]) -> str | None:
    """Return the article's own address, as the page declares it.

    It must be a whole web address, and not the site's front page: templates name that as the
    canonical address of every page, and all articles would be one.
    """
    links = [link.get("href") for link in tree.iter("link") if _is_canonical(link)]
    page = node.get("mainEntityOfPage")
    page = page.get("@id") if isinstance(page, dict) else page
    for value in (*links, *metas.get("og:url", ()), page, _string(node.get("url"))):
        address = value.strip() if isinstance(value, str) else ""
        if _is_article_address(address):
            return address
    return None


def _is_canonical(link: Element) -> bool:
    return "canonical" in (link.get("rel") or "").lower().split()


def _is_article_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    is_front = parts.path.strip("/").lower() in ("", "index.html", "index.php", "main")
    return (
        parts.scheme.lower() in ("http", "https")
        and bool(host)
        and not (is_front and not parts.query)
    )


def _timed(tree: Element) -> dict[str, list[str]]:
    """Return the times that stand in attributes beside the article, by field."""
    found: dict[str, list[str]] = {"published_at": [], "updated_at": []}
    times = set()
    for element in _TIMED_ELEMENTS(tree):
        kind = element.get("itemprop")
        for field, (itemprop, names) in _TIMED.items():
            said = [element.get(name) for name in names]
            if kind == itemprop:
                words = "".join(element.itertext())
                said.append(element.get("datetime") or element.get("content") or words)
            found[field] += filter(None, said)
        if element.tag == "time":
            times.add(element.get("datetime"))
    if len(times) == 1 and not found["published_at"]:
        found["published_at"] += times
    return found


def _written_times(tree: Element) -> dict[str, list[str]]:
    """Return the times that stand on the page after `입력` and `수정`."""
    found: dict[str, list[str]] = {"published_at": [], "updated_at": []}
    words = " ".join(_visible(tree).split())
    for written in _WRITTEN_TIME.finditer(words):
        is_update = written["label"] in ("수정", "업데이트")
        found["updated_at" if is_update else "published_at"].append(written["time"])
    # The first one belongs to the page's own article.
    return {field: times[:1] for field, times in found.items()}


def _visible(tree: Element) -> str:
    """Return all text of a page but scripts and styles; most at once where it has none of them."""
    bodies = list(tree.iter("body"))
    if len(bodies) == 1 and next(bodies[0].iter("script", "style"), None) is None:
        return str(etree.tostring(bodies[0], encoding="unicode", method="text", with_tail=False))
    return "".join(_VISIBLE(tree))


def _best_date(values: Iterable[str | None], timezone_name: str) -> str | None:
    """Return the value that says most: a moment with its zone, a time of day, a day.

    Of equals the first stands; where none can be read, the first is kept as it is.
    """
    said = [value.strip() for value in values if value and value.strip()]
    best, best_rank = said[0] if said else None, 0
    for value in said:
        moment = read_date(value, timezone_name)
        if moment == UNPARSED:
            continue
        is_day = moment.precision == "day"
        rank = 1 if is_day else 3 if _ZONE_END.search(value) else 2
        if rank > best_rank:
            best, best_rank = value, rank
    return best
