"""Identity: which article a record is, and which content of it (DESIGN.md, Identity)."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contract import ID
from pipeline.sources.urls import url_key
from pipeline.text.digests import digests
from pipeline.text.utf8 import Utf8

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


def article_ids(
    source_ids: pa.Array, native_ids: pa.Array, urls: pa.Array, titles: pa.Array, texts: pa.Array
) -> pa.FixedSizeBinaryArray:
    """Return the `article_id` of each row of strings in NFC; of addresses their keys."""
    is_native, is_url = (np.asarray(pc.is_valid(column)) for column in (native_ids, urls))
    is_url &= ~is_native
    ids = np.empty((len(texts), ID.byte_width), np.uint8)
    for is_own, purpose, parts in (
        (is_native, b"unecho.native", (source_ids, native_ids)),
        (is_url, b"unecho.url", (source_ids, urls)),
        (~(is_native | is_url), b"unecho.text", (source_ids, titles, texts)),
    ):
        rows = np.flatnonzero(is_own)
        if rows.size:
            own = parts if rows.size == len(ids) else [part.take(pa.array(rows)) for part in parts]
            found = np.frombuffer(digest_rows(purpose, own).buffers()[1], np.uint8)
            ids[rows] = found.reshape(-1, ID.byte_width)
    return pa.FixedSizeBinaryArray.from_buffers(ID, len(ids), [None, pa.py_buffer(ids)])


def content_hashes(parts: Sequence[pa.Array]) -> pa.FixedSizeBinaryArray:
    """Return the `content_hash` of each row of its parts: strings in NFC, of addresses the key."""
    return digest_rows(b"unecho.content", parts)


def revision_ids(articles: pa.Array, contents: pa.Array) -> pa.FixedSizeBinaryArray:
    """Return the `revision_id` of each row."""
    halves = [np.frombuffer(ids.buffers()[1], np.uint8) for ids in (articles, contents)]
    both = np.hstack([half.reshape(-1, ID.byte_width) for half in halves])
    bounds = np.arange(len(both) + 1) * (2 * ID.byte_width)
    return digests(Utf8(both.reshape(-1), bounds), b"unecho.revision")


def digest_rows(purpose: bytes, parts: Sequence[pa.Array]) -> pa.FixedSizeBinaryArray:
    """Return the `digest` of each row of strings, or large strings, that are in NFC."""
    n = len(parts[0])
    columns = []
    for part in parts:
        n_bytes = pc.fill_null(pc.cast(pc.binary_length(part), pa.int64()), -1)
        lengths = [None, pa.py_buffer(8 * np.arange(n + 1)), n_bytes.buffers()[1]]
        columns.append(pa.LargeBinaryArray.from_buffers(pa.large_binary(), n, lengths))
        content = part if pa.types.is_large_string(part.type) else pc.cast(part, pa.large_string())
        columns.append(pc.fill_null(content.view(pa.large_binary()), b""))
    nothing = pa.scalar(b"", pa.large_binary())
    messages = pc.binary_join_element_wise(*columns, nothing)
    return digests(Utf8.of(messages.view(pa.large_string())), purpose)


def nfc_array(texts: pa.Array, may_change: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return strings in NFC: the very same array where all are so already.

    Args:
        texts: strings, some of them NULL.
        may_change: bool [n], the rows that may not be in NFC; all where nobody looked.
    """
    if may_change is not None:
        own = texts.filter(pa.array(may_change))
        composed = nfc_array(own)
        return texts if composed is own else pc.replace_with_mask(texts, may_change, composed)
    values = Utf8.of(pc.fill_null(texts, ""))
    if values.bytes[values.offsets[0] : values.offsets[-1]].max(initial=0) < 0x80:
        return texts
    encoded = texts.dictionary_encode()
    given = encoded.dictionary.to_pylist()
    composed = [in_nfc(text) for text in given]
    if composed == given:
        return texts
    return pa.array(composed, texts.type).take(encoded.indices)
