"""Encodings: which one a file is written in, where its characters stand, and what they say."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from functools import cache, lru_cache

import numpy as np

from pipeline.errors import DocumentError, SettingsError

BYTE_ORDER_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16: its little-endian mark is the beginning of UTF-32's.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_UNIT_TYPES = {"utf-16-le": "<u2", "utf-16-be": ">u2", "utf-32-le": "<u4", "utf-32-be": ">u4"}

# Multi-byte encodings whose second byte may look like `"`, `\`, `[`, `{`, `|` or `,`'s neighbours.
# UTF-8, EUC and CP949 (second byte never 5B-60 or 7B-80, Microsoft code page 949) need no mask;
# the four-byte characters of GB18030 have digits there, which mean nothing to a splitter.
_PAIRS = re.compile(rb"[\x81-\xfe][\x40-\xfe]")
_PAIRS_SHIFT_JIS = re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\xfc]")
_MASKED = {
    **dict.fromkeys(("gb18030", "gbk", "big5", "big5hkscs", "cp950"), _PAIRS),
    **dict.fromkeys(("cp932", "shift_jis", "shift_jis_2004", "shift_jisx0213"), _PAIRS_SHIFT_JIS),
}

_KOREAN_LABELS = {"windows-949", "windows_949", "x-windows-949", "euc-kr", "euc_kr"}

# Two tests for Korean in bytes that can be read as CP949. The 26 most frequent syllables are
# 7.8 % or more of the letters of each of 4,459 news texts (half have over 35 %), and at most
# 5.4 % where Chinese or Japanese bytes are misread; the 2,350 syllables of KS X 1001
# (0xB0A1-0xC8FE) are all of a short Korean text, and at most 69 % of a misread one.
_FREQUENT_SYLLABLES = frozenset("다이는에을로지가기고한의사하대서자해를시인도은부정수전")
_COMMON_SYLLABLES = frozenset(
    bytes((lead, trail)).decode("euc_kr")
    for lead in range(0xB0, 0xC9)
    for trail in range(0xA1, 0xFF)
)

# A sentence of 20 Korean characters has three spaces or more; a stray NUL comes alone or in twos.
_MIN_NUL_PARTNERS = 3

_SAMPLE_BYTES = 64 * 1024
_ASCII = re.compile(r"[\x00-\x7f]+")
_CONTROL_BYTES = bytes(b for b in range(32) if b not in b"\t\n\v\f\r\x1b")


def resolve_label(label: str) -> str:
    """Return the codec name for an encoding label as people write it (`EUC-KR` is CP949).

    Labels follow the WHATWG rule that an old label means its modern superset.

    Raises:
        SettingsError: the label is unknown, or its bytes cannot be cut without decoding all.
    """
    from w3lib.encoding import resolve_encoding

    wanted = label.strip().lower()
    name = "cp949" if wanted in _KOREAN_LABELS else resolve_encoding(wanted)
    if name in ("utf-16", "utf-32"):
        # Without a byte order mark these labels mean little-endian (WHATWG); a mark wins anyway.
        return f"{name}-le"
    if name is None or not (name in _UNIT_TYPES or _is_ascii_superset(name)):
        raise SettingsError(
            "encoding",
            f"{label!r} is no encoding that can be read line by line",
            next_step="use utf-8, utf-16, cp949, cp932, gb18030, ..., or convert the file to UTF-8",
        )
    return canonical_name(name)


@cache
def canonical_name(name: str) -> str:
    """Return one name for all spellings of a codec."""
    found = codecs.lookup(name).name
    return {"utf-8-sig": "utf-8", "euc_kr": "cp949"}.get(found, found)


@cache
def _is_ascii_superset(name: str) -> bool:
    ascii_bytes = bytes(range(128))
    try:
        return ascii_bytes.decode(name) == ascii_bytes.decode("ascii")
    except (LookupError, ValueError):
        return False


def unit_bytes(encoding: str) -> int:
    """Return the number of bytes of a code unit: 1, 2 or 4."""
    return int(_UNIT_TYPES[encoding][-1]) if encoding in _UNIT_TYPES else 1


def outline(raw: bytes, encoding: str) -> bytes:
    """Return one byte a code unit: ASCII characters as they are, anything else 0x80 or above.

    (But letters: the second byte of a character in CP949 may show as one, and splits nothing.)
    What splits a file (quotes, brackets, delimiters, line ends) is ASCII in every encoding, so
    it can be found here and cut from `raw` at `offset * unit_bytes(encoding)`.
    """
    if encoding in _UNIT_TYPES:
        units = np.frombuffer(raw, dtype=_UNIT_TYPES[encoding])
        return np.where(units < 0x80, units, 0x80).astype(np.uint8).tobytes()
    if encoding in _MASKED:
        return _MASKED[encoding].sub(b"\x80\x80", raw)
    return raw


def whole_units(raw: bytes, encoding: str) -> int:
    """Return how many of the first bytes can be outlined now; the rest waits for more."""
    if encoding in _UNIT_TYPES:
        return len(raw) - len(raw) % unit_bytes(encoding)
    if encoding in _MASKED and raw:
        return len(raw) - (outline(raw, encoding)[-1] > 0x80)
    return len(raw)


def without_mark(raw: bytes, encoding: str) -> bytes:
    """Return `raw` without the byte order mark of its encoding."""
    for mark, name in BYTE_ORDER_MARKS:
        if name == encoding and raw.startswith(mark):
            return raw[len(mark) :]
    return raw


def detect_encoding(prefix: bytes, *, is_whole: bool, label: str | None = None) -> str:
    """Return the encoding of a file that begins with `prefix`.

    A byte order mark wins over `label` (a resolved one), a label over detection. Detection is
    deterministic: UTF-16 where NULs say so, UTF-8, damaged UTF-8, CP949, charset-normalizer.
    A few broken bytes do not change the verdict: they are the fault of their own line.
    """
    for mark, name in BYTE_ORDER_MARKS:
        if prefix.startswith(mark):
            return name
    if label:
        return label
    if b"\0" in prefix:
        wide = _wide_without_mark(prefix)
        if wide:
            return wide
    if prefix.isascii() or _fits(prefix, "utf-8", is_whole):
        return "utf-8"
    if _is_damaged_utf8(prefix, is_whole):
        return "utf-8"
    if _is_korean(prefix, is_whole):
        return "cp949"
    return _guess(prefix, is_whole)


def _fits(prefix: bytes, encoding: str, is_whole: bool) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)(
        # An encoded surrogate is the fault of its line, not another encoding.
        "surrogatepass" if encoding.startswith("utf") else "strict"
    )
    try:
        decoder.decode(prefix, is_whole)
    except UnicodeDecodeError:
        return False
    return True


def _lossy(prefix: bytes, encoding: str, is_whole: bool) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(prefix, is_whole)


def _wide_without_mark(prefix: bytes) -> str | None:
    """Return utf-16-le or utf-16-be when ASCII characters stand in pairs with a NUL.

    Spaces, line ends and JSON's own signs do so in every language; 2 % of the pairs is far
    below their share. Which half is NUL tells the order (a NUL alone does not: 가 is U+AC00).
    """
    pairs = np.frombuffer(prefix[: len(prefix) // 2 * 2], dtype=np.uint8).reshape(-1, 2)
    is_ascii = ((pairs >= 0x20) & (pairs < 0x7F)) | np.isin(pairs, (0x09, 0x0A, 0x0D))
    n_little, n_big = (int(n) for n in (is_ascii & (pairs[:, ::-1] == 0)).sum(axis=0))
    encoding = "utf-16-le" if n_little > n_big else "utf-16-be"
    most, least = max(n_little, n_big), min(n_little, n_big)
    if most < max(_MIN_NUL_PARTNERS, 0.02 * len(pairs)) or least > 0.1 * most:
        return None
    # Stray NULs leave nearly all others without: in UTF-8 every ASCII byte is a character, in
    # other bytes (an ASCII byte may be half a 漢) only the signs that every text has are asked.
    is_sign = is_ascii if _fits(prefix, "utf-8", False) else np.isin(pairs, tuple(b' \n\r"'))
    if 2 * most < int(is_sign.sum()):
        return None
    text = prefix[: len(pairs) * 2].decode(encoding, "replace")
    n_odd = text.count("\ufffd") + sum(c < " " and c not in "\t\n\v\f\r" for c in text)
    return encoding if n_odd <= 0.01 * len(text) else None


def _is_damaged_utf8(prefix: bytes, is_whole: bool) -> bool:
    """Tell whether at least four of five non-ASCII characters are valid UTF-8.

    In Korean CP949 text about one in ten byte pairs happens to be valid UTF-8.
    """
    text = _lossy(prefix, "utf-8", is_whole)
    n_broken = text.count("\ufffd")
    n_valid = len(text) - len(text.encode("ascii", "ignore")) - n_broken
    return n_valid >= 4 * n_broken


def _is_korean(prefix: bytes, is_whole: bool) -> bool:
    """Tell whether the bytes are CP949, a few broken ones allowed."""
    text = _lossy(prefix, "cp949", is_whole)
    n_broken = text.count("\ufffd")
    # Each character is asked once: a page may have 50,000, of which a few hundred are different.
    counts = Counter(_ASCII.sub("", text[:_SAMPLE_BYTES]))
    letters = {c: n for c, n in counts.items() if c.isalpha()}
    n_letters = sum(letters.values())
    n_frequent = sum(n for c, n in letters.items() if c in _FREQUENT_SYLLABLES)
    if n_broken:
        return n_frequent >= 0.15 * n_letters and n_broken <= max(2, 0.02 * n_letters)
    n_common = sum(n for c, n in letters.items() if c in _COMMON_SYLLABLES)
    return n_frequent >= 0.07 * n_letters or n_common >= 0.95 * n_letters


def _guess(prefix: bytes, is_whole: bool) -> str:
    """Return what charset-normalizer makes of a sample that ends at a line end."""
    from charset_normalizer import from_bytes  # costs 20 ms, for the files that nothing else fits

    sample = prefix[:_SAMPLE_BYTES]
    if len(sample) < len(prefix) or not is_whole:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    for match in from_bytes(sample):
        if _is_ascii_superset(match.encoding):
            return canonical_name(match.encoding)
    return "cp949" if _fits(prefix, "cp949", is_whole) else "utf-8"


def control_share(raw: bytes) -> float:
    """Return the share of bytes that are control characters no text has."""
    return (len(raw) - len(raw.translate(None, _CONTROL_BYTES))) / max(1, len(raw))


def decode_text(content: bytes, encoding: str) -> str:
    """Return the characters of a document, without a leading byte order mark.

    Raises:
        DocumentError: `broken_encoding`, or `lone_surrogate` where half a pair is encoded.
    """
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _decode_fault(content, encoding, error) from error
    return text[1:] if text.startswith("\ufeff") else text


def _decode_fault(content: bytes, encoding: str, error: UnicodeDecodeError) -> DocumentError:
    where = f"byte {error.start} ({content[error.start : error.start + 4].hex(' ')})"
    if encoding.startswith("utf"):
        try:
            content.decode(encoding, "surrogatepass")
        except UnicodeDecodeError:
            pass
        else:
            return DocumentError(
                "lone_surrogate",
                f"half of a surrogate pair at {where}",
                next_step="correct the text at its source and ingest it again",
            )
    return DocumentError(
        "broken_encoding",
        f"not readable as {encoding} at {where}",
        next_step="correct the bytes, or name the file's encoding with --encoding",
    )


def unify_line_ends(text: str) -> str:
    r"""Return `text` with `\r\n` and `\r` written as `\n`, otherwise untouched."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@lru_cache(maxsize=1)
def _ascii_safe_table() -> bytes:
    return bytes(b if b < 0x80 else 0x3F for b in range(256))


def ascii_outline(raw: bytes, encoding: str) -> bytes:
    """Return the outline with `?` for every unit that is not ASCII: valid UTF-8 to look at."""
    return outline(raw[: whole_units(raw, encoding)], encoding).translate(_ascii_safe_table())
