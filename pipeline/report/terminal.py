"""Text on a terminal: its width in cells, cutting, wrapping, and what must never reach it."""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import TextIO

from rich.cells import cell_len

ELLIPSIS = "…"
LINE_BREAK = "↵"

PIPED_WIDTH = 100
"""Width of wrapped text where the output is no terminal: a README column, a mail."""

# C0 and C1 controls and the bidirectional overrides: a headline must not move the cursor, ring,
# recolour or reverse what stands beside it (CVE-2021-42574 is about the latter).
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile(r"\r\n|[\n\r\u2028\u2029\x85]")


def force_utf8() -> None:
    """Make stdin, stdout and stderr UTF-8 whatever the locale says, and never fail on a character.

    With LANG=C a Korean headline would otherwise end the command with UnicodeEncodeError.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def terminal_width(stream: TextIO | None = None) -> int | None:
    """Return the columns of the terminal behind `stream` (stdout); None where it is none."""
    stream = sys.stdout if stream is None else stream
    if not stream.isatty():
        return None
    return max(20, shutil.get_terminal_size().columns)


def printable(text: str) -> str:
    r"""Return `text` on one line, without anything that steers a terminal.

    >>> printable("one\ntwo\x1b[31m")
    'one ↵ two[31m'
    """
    text = _BREAKS.sub(f" {LINE_BREAK} ", text) if _BREAKS.search(text) else text
    return _UNPRINTABLE.sub("", text).replace("\t", " ")


@lru_cache(maxsize=4096)
def width_of(text: str) -> int:
    """Return how many terminal cells `text` takes: two for each Hangul, Han or Kana character."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, with … where something was taken off.

    >>> cut("서울시가 지하철", 9)
    '서울시가…'
    """
    if len(text) <= width and width_of(text) <= width:
        return text
    taken = 0
    for position, character in enumerate(text):
        taken += width_of(character)
        if taken > width - 1:
            return text[:position] + ELLIPSIS
    return text


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` filled with spaces to `width` cells, on its left where `right` is asked."""
    filling = " " * max(0, width - width_of(text))
    return filling + text if right else text + filling


def _pieces(text: str) -> Iterator[str]:
    """Yield what must not be broken: words with their space, single Han or Kana characters."""
    word = ""
    for character in text:
        if width_of(character) > 1 and not "가" <= character <= "힣":
            if word:
                yield word
                word = ""
            yield character
        else:
            word += character
            if character.isspace():
                yield word
                word = ""
    if word:
        yield word


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of `text` in at most `width` cells each; Korean breaks between words.

    >>> wrap("서울시가 지하철 요금을 올린다", 15)
    ['서울시가 지하철', '요금을 올린다']
    """
    lines: list[str] = []
    line, used = "", 0
    for piece in _pieces(text):
        while piece:
            if used + width_of(piece.rstrip()) <= width:
                line, used, piece = line + piece, used + width_of(piece), ""
            elif line.strip():
                lines.append(line.rstrip())
                line, used = "", 0
            else:  # one word wider than the line
                head = _head(piece, width)
                lines.append(head)
                line, used, piece = "", 0, piece[len(head) :]
    if line.strip() or not lines:
        lines.append(line.rstrip())
    return lines


def _head(text: str, width: int) -> str:
    """Return the longest start of `text` within `width` cells, one character at the least."""
    used = 0
    for position, character in enumerate(text):
        used += width_of(character)
        if used > width and position:
            return text[:position]
    return text
