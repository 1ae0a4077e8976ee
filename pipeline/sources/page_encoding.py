"""The encoding of a page: what its bytes are, where that differs from what it says of itself."""

from __future__ import annotations

import re

from pipeline.errors import SettingsError
from pipeline.sources.decode import detect_encoding, resolve_label, unit_bytes

# Browsers look for a label in the first 1,024 bytes (WHATWG, 13.2.3.2); pages of content systems
# put scripts before it, so we look further.
_HEAD_BYTES = 8 * 1024
_LABEL = re.compile(
    rb"""<meta[^>]{0,512}?charset\s*=\s*["']?\s*([\w.:-]{1,40})"""
    rb"""|^\s*<\?xml[^>]{0,256}?encoding\s*=\s*["']([\w.:-]{1,40})""",
    re.IGNORECASE,
)

_ESCAPE = b"\x1b"
"""ISO-2022-JP and its kin are ASCII bytes: this one turns them into other characters."""

_FEW_BROKEN_SHARE = 0.001
"""A damaged byte here and there; more of them, and the label is not to be trusted."""


def page_encoding(
    prefix: bytes, *, is_whole: bool, label: str | None = None, detected: str | None = None
) -> str:
    """Return the encoding of a page that begins with `prefix`.

    In this order: a byte order mark, `label` (a resolved one), UTF-8 where the bytes are valid
    UTF-8, what the page says of itself, detection. A label means its modern superset, as browsers
    read it: `euc-kr` is CP949. Where it fits badly, whichever of the last two breaks fewer
    characters is taken. `detected` is what `detect_encoding` made of the same, where it was asked.
    """
    detected = detected or detect_encoding(prefix, is_whole=is_whole, label=label)
    if label or unit_bytes(detected) > 1 or (prefix.isascii() and _ESCAPE not in prefix):
        return detected
    n_broken = _n_broken(prefix, detected)
    if detected == "utf-8" and not n_broken and _ESCAPE not in prefix:
        return detected
    declared = _declared(prefix)
    if declared is None or declared == detected:
        return detected
    if _is_single_byte(declared):
        # Nothing is ever broken in these; only what is surely another encoding overrules them.
        return detected if detected in ("utf-8", "cp949") else declared
    n_broken_as_declared = _n_broken(prefix, declared)
    is_fit = n_broken_as_declared <= _FEW_BROKEN_SHARE * len(prefix)
    return declared if is_fit or n_broken_as_declared <= n_broken else detected


def _declared(prefix: bytes) -> str | None:
    """Return the codec that a page names, None where it names none that we can read."""
    found = _LABEL.search(prefix[:_HEAD_BYTES])
    if not found:
        return None
    try:
        encoding = resolve_label((found[1] or found[2]).decode("ascii", "replace"))
    except SettingsError:
        return None
    # A label that can be read as ASCII says that the page is not in UTF-16 (WHATWG).
    return "utf-8" if unit_bytes(encoding) > 1 else encoding


def _is_single_byte(encoding: str) -> bool:
    """Tell whether nearly every byte is a character of its own, as in Windows-1252."""
    text = bytes(range(0x80, 0x100)).decode(encoding, "replace")
    return len(text) == 0x80 and text.count("\ufffd") < 0x40


def _n_broken(prefix: bytes, encoding: str) -> int:
    """Return how many characters cannot be read; the last one may be cut in two."""
    text = prefix.decode(encoding, "replace")
    return text.count("\ufffd", 0, max(0, len(text) - 2))
