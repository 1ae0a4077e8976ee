"""URL keys: addresses that lead to the same article have the same key. A key is never fetched."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

# Only parameters that are known to track are dropped: what is unknown may be the article's id
# (`idxno`, `arcid`, `code`, `no`), and dropping it would make one article of a whole site.
TRACKING_PREFIXES = ("utm_", "mtm_", "pk_")
TRACKING_PARAMETERS = frozenset(
    [
        "fbclid",
        "gclid",
        "dclid",
        "gbraid",
        "wbraid",
        "gclsrc",
        "yclid",
        "ysclid",
        "twclid",
        "ttclid",
        "li_fat_id",
        "msclkid",
        "mc_cid",
        "mc_eid",
        "igshid",
        "igsh",
        "srsltid",
        "_hsenc",
        "_hsmi",
        "mkt_tok",
        "_ga",
        "_gl",
        "vero_id",
        "oly_enc_id",
        "oly_anon_id",
    ]
)

_DEFAULT_PORTS = {"http": 80, "https": 443}

# Most article addresses are made of characters that no escape changes; w3lib takes 20 times as
# long for them.
_SIMPLE = re.compile(
    r"https?://(?:www\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)(/[A-Za-z0-9_~-][A-Za-z0-9._~/-]*)?"
    r"(?:\?([A-Za-z0-9_.-]+=[A-Za-z0-9_.-]*(?:&[A-Za-z0-9_.-]+=[A-Za-z0-9_.-]*)*))?"
)


_PLAIN = _SIMPLE.pattern.join(("^", r"\z"))
_HAS_TRACKER = (
    f"(?i)[?&](?:{'|'.join(TRACKING_PREFIXES)}|(?:{'|'.join(sorted(TRACKING_PARAMETERS))})=)"
)


def url_keys(urls: pa.Array) -> pa.Array:
    """Return the key of each address in a column of strings, NULL where there is none.

    Arrow says which addresses are of plain characters and without trackers; `url_key` asks each.
    """
    is_plain = pc.and_not(
        pc.match_substring_regex(urls, _PLAIN),
        pc.or_(pc.match_substring(urls, "/."), pc.match_substring_regex(urls, _HAS_TRACKER)),
    )
    asked = zip(urls.to_pylist(), is_plain.to_pylist(), strict=True)
    keys = [(_plain_key(u) if plain else url_key(u)) if u else None for u, plain in asked]
    return pa.array(keys, pa.string())


def _plain_key(url: str) -> str:
    """Return `url_key` of an address without trackers, escapes and dots that lead upwards."""
    address, _, query = url.partition("//")[2].partition("?")
    host, _, path = address.partition("/")
    if host.startswith("www.") and "." in host[4:]:
        host = host[4:]
    if query:
        pairs = sorted(query.replace("=", "\0").split("&"))
        query = "?" + "&".join(pairs).replace("\0", "=")
    return f"//{host}/{path}{query}"


@lru_cache(maxsize=64)  # an article without an id of its own asks for its key twice
def url_key(url: str) -> str:
    """Return the key of an address: `//host/path?query`.

    Scheme, `www.`, default port, user, fragment and tracking parameters are left out, the host
    is lower-case (IDNA), escapes and dot segments are normal (RFC 3986, section 6.2.2), the
    query is sorted. What is no web address is its own key.

    >>> url_key("https://www.Example.com:443/a/b?utm_source=x&no=2&id=1#top")
    '//example.com/a/b?id=1&no=2'
    """
    url = url.strip()
    simple = _SIMPLE.fullmatch(url)
    if simple and "/." not in url:
        query = _sorted_query(simple[3]) if simple[3] else ""
        return f"//{simple[1]}{simple[2] or '/'}{query}"
    if not url.lower().startswith(("http://", "https://")):
        return url
    try:
        return _normal_key(url)
    except ValueError:
        return url


def _sorted_query(query: str) -> str:
    """Return a query of plain `name=value` in the order of its pairs, without tracking ones."""
    # Below every character of a name: so the texts order like pairs of name and value.
    named = query.replace("=", "\0").split("&")
    pairs = sorted([pair for pair in named if not _tracks(pair[: pair.index("\0")])])
    return "?" + "&".join(pairs).replace("\0", "=") if pairs else ""


def _normal_key(url: str) -> str:
    from w3lib.url import canonicalize_url  # costs 40 ms, for addresses that are not plain

    parts = urlsplit(canonicalize_url(_without_trackers(url)))
    if not parts.hostname:
        return url
    host = parts.hostname.removeprefix("www.")
    port = parts.port
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"//{host}{parts.path or '/'}{query}"


def _without_trackers(url: str) -> str:
    """Return the address without tracking parameters; the others keep their spelling."""
    address, question, query = url.partition("#")[0].partition("?")
    if not question:
        return address
    kept = [p for p in query.split("&") if p and not _is_tracker(p.partition("=")[0].lower())]
    return f"{address}?{'&'.join(kept)}" if kept else address


@lru_cache(maxsize=1024)
def _tracks(name: str) -> bool:
    return _is_tracker(name.lower())


def _is_tracker(name: str) -> bool:
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)
