"""Identity: which article a record is, and which content of it (DESIGN.md, Identity)."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime

from pipeline.sources.urls import url_key

_ABSENT = (2**64 - 1).to_bytes(8, "little")
_N_LENGTHS = 8192
_LENGTHS = [n_bytes.to_bytes(8, "little") for n_bytes in range(_N_LENGTHS)]


def in_nfc(text: str) -> str:
    """Return a text in NFC: the very same object where it is so already."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def digest(purpose: bytes, *parts: str | bytes | None) -> bytes:
    """Return 16 bytes of BLAKE2b over texts in NFC, each with its length; None differs from "".

    A part in bytes is the UTF-8 of a text that is known to be in NFC. `purpose` keeps ids of
    different kinds apart (at most 16 bytes).
    """
    written: list[bytes] = []
    for part in parts:
        if part is None:
            written.append(_ABSENT)
            continue
        if isinstance(part, bytes):
            content = part
        elif part.isascii():
            content = part.encode()
        else:
            content = unicodedata.normalize("NFC", part).encode()
        n_bytes = len(content)
        written.append(_LENGTHS[n_bytes] if n_bytes < _N_LENGTHS else n_bytes.to_bytes(8, "little"))
        written.append(content)
    return hashlib.blake2b(b"".join(written), digest_size=16, person=purpose).digest()


def article_id(
    source_id: str,
    native_id: str | None,
    url: str | None,
    title: str | None,
    text: str | bytes,
) -> bytes:
    """Return the article's 16-byte id.

    By the source's own id; without one by the URL key; without both by title and text. Never by
    content where an id or URL exists, and never by the file that held it.
    """
    if native_id:
        return digest(b"unecho.native", source_id, native_id)
    if url:
        return digest(b"unecho.url", source_id, url_key(url))
    return digest(b"unecho.text", source_id, title, text)


def content_hash(
    title: str | None,
    original_text: str | bytes,
    url: str | None,
    byline: str | None,
    published_at: datetime | None,
    updated_at: datetime | None,
    section: str | None,
    language: str | None,
    publisher: str | None,
) -> bytes:
    """Return the 16-byte hash of everything that is published of a revision.

    The address counts by its key: feeds hang another tracking parameter on it each time.
    """
    return digest(
        b"unecho.content",
        title,
        original_text,
        url_key(url) if url else None,
        byline,
        published_at.isoformat() if published_at else None,
        updated_at.isoformat() if updated_at else None,
        section,
        language,
        publisher,
    )


def revision_id(article: bytes, content: bytes) -> bytes:
    """Return the 16-byte id of one content of an article."""
    return hashlib.blake2b(article + content, digest_size=16, person=b"unecho.revision").digest()
