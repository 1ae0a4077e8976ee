"""JSON files: an array, an object around one list, or values one after the other.

The file is never loaded and never parsed as a whole: brackets are counted outside strings, and
every element is cut out with its exact bytes. What is between the elements (brackets, commas,
white space, the other members of an object around a list) belongs to no document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipeline.errors import DocumentError
from pipeline.sources.formats.slices import MEBIBYTE, Cutter, Limits, Slice
from pipeline.sources.formats.window import Window
from pipeline.sources.json_text import load_json

_QUOTE, _OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = b'"[]{}'
_BACKSLASH = 0x5C
_OPENING = (_OPEN_LIST, _OPEN_OBJECT)
_CLOSING = (_CLOSE_LIST, _CLOSE_OBJECT)

# What stopped the scanner when it was no sign: the end of the stream, or a long document.
_END = -1
_GROWN = -2

# Strings without a backslash are passed here, others by _string_end: for the 1,200 escapes of an
# article in ASCII a regular expression takes 200 us, looking for quotes 0.4 us. Possessive
# repeats: nothing is ever given back.
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"[^"\\]*+")*+')
_TO_SEPARATOR = re.compile(rb'(?:[^",\[\]{}]++|"[^"\\]*+")*+')
# Between top-level values: white space, commas, and RFC 7464's record separator.
_BETWEEN = re.compile(rb"[ \t\r\n,\x1e]*+")
_SPACE = re.compile(rb"[ \t\r\n]*+")
_LINE_BREAK_AND_SPACE = re.compile(rb"[ \t\r]*+\n[ \t\r\n]*+(?=\{)")

# An element that is still open after this much is looked at for a lost quote or bracket.
_SUSPICIOUS_BYTES = 4 * MEBIBYTE

IsRecord = Callable[[dict[str, Any]], bool]


def split_json(
    chunks: Iterable[bytes], encoding: str, limits: Limits, is_record: IsRecord
) -> Iterator[Slice]:
    """Yield every element of an array, of the one list in an object, or every value.

    `is_record` tells whether an object has a text of its own: such an object is a document even
    when it holds a list of objects (its pictures, say).
    """
    yield from _Scanner(chunks, encoding, limits, is_record).values()


def _end_of(pattern: re.Pattern[bytes], view: bytes, at: int) -> int:
    found = pattern.match(view, at)
    return found.end() if found else at


def _string_end(view: bytes, at: int) -> int:
    """Return the offset of the quote that ends a string, -1 when it is not in view.

    `at` is in the string and not behind a backslash; a quote behind an odd number is escaped.
    """
    start = at
    while (quote := view.find(b'"', at)) >= 0:
        first = quote
        while first > start and view[first - 1] == _BACKSLASH:
            first -= 1
        if (quote - first) % 2 == 0:
            return quote
        at = quote + 1
    return -1


class _Scanner:
    """Reads a window value by value; the current document lies between `start` and `at`."""

    def __init__(
        self, chunks: Iterable[bytes], encoding: str, limits: Limits, is_record: IsRecord
    ) -> None:
        self.window = Window(chunks, encoding)
        self.encoding = encoding
        self.limits = limits
        self.is_record = is_record
        self.cutter = Cutter(limits, "element")
        self.cutter.start(1)
        self.start = 0
        self.at = 0
        self.depth = 0
        self.in_string = False
        self.alarm_bytes = 0

    def values(self) -> Iterator[Slice]:
        """Yield the documents of all top-level values."""
        while self._skip(_BETWEEN):
            self.start = self.at
            sign = self.window.view[self.at]
            if sign == _OPEN_LIST:
                yield from self._elements()
            elif sign == _OPEN_OBJECT:
                yield from self._object()
            else:
                yield from self._stray()

    # Moving over the window.

    def _widen(self) -> bool:
        shift = self.start
        has_more = self.window.widen(shift)
        self.start, self.at = 0, self.at - shift
        return has_more

    def _next(self, pattern: re.Pattern[bytes]) -> int:
        """Move to the next sign outside strings that `pattern` stops at, and return it."""
        while True:
            view = self.window.view
            if self.in_string:
                quote = _string_end(view, self.at)
                if quote >= 0:
                    self.at = quote + 1
                    self.in_string = False
                    continue
                # What backslashes at the end escape is not in view yet.
                self.at = max(self.at, len(view.rstrip(b"\\")))
            else:
                self.at = _end_of(pattern, view, self.at)
                if self.at < len(view):
                    if view[self.at] != _QUOTE:
                        return view[self.at]
                    self.at += 1
                    self.in_string = True
                    continue
            if (self.at - self.start) * self.window.width > self.alarm_bytes:
                return _GROWN
            if not self._widen():
                return _END

    def _skip(self, pattern: re.Pattern[bytes]) -> bool:
        """Move behind what `pattern` matches, and forget it; False at the end of the stream."""
        while True:
            self.at = _end_of(pattern, self.window.view, self.at)
            if self.at < len(self.window.view):
                return True
            self.start = self.at
            if not self._widen():
                return False

    # Elements of a list.

    def _elements(self) -> Iterator[Slice]:
        """Yield the elements of the list whose bracket is at `at`."""
        self.at += 1
        self.start, self.depth, self.alarm_bytes = self.at, 0, _SUSPICIOUS_BYTES
        while True:
            sign = self._next(_TO_BRACKET if self.depth else _TO_SEPARATOR)
            if sign in (_END, _GROWN) and not self._mend():
                if sign == _END:
                    yield from self._close(is_open=True)
                    return
                yield from self._spill()
            elif self.depth or sign in _OPENING:
                self.depth += 1 if sign in _OPENING else -1
                self.at += 1
            else:
                yield from self._close()
                self.at += 1
                self.start, self.alarm_bytes = self.at, _SUSPICIOUS_BYTES
                if sign in _CLOSING:
                    return

    def _close(self, *, is_open: bool = False) -> Iterator[Slice]:
        """Yield the document that ends at `at`, or with the stream."""
        if is_open:
            self.at = len(self.window.view)
            content = self.window.cut_rest(self.start)
        else:
            content = self.window.cut(self.start, self.at)
        self.start = self.at
        if content:
            yield from self.cutter.whole(content, is_open=is_open)
            self.cutter.start(self.cutter.position + 1)

    def _spill(self) -> Iterator[Slice]:
        """Hand out full pieces of a document that goes on, and go on."""
        self.alarm_bytes = self.limits.piece_bytes
        if (self.at - self.start) * self.window.width > self.alarm_bytes:
            if not self.cutter.n_pieces:
                self.start = _end_of(_SPACE, self.window.view, self.start)
            content = bytearray(self.window.exact(self.start, self.at))
            yield from self.cutter.spill(content)
            self.start = self.at - len(content) // self.window.width
        self._widen()

    def _mend(self) -> bool:
        """Move to the comma behind a broken element; False when none can be told.

        A lost quote or bracket would swallow the rest of the file. Where elements stand on
        lines of their own the next one begins as this one did: a comma, the same white space
        with a line break in it, and `{`. Only an element that is open at the end of the stream
        or after 4 MiB is looked at.
        """
        is_inside = self.depth or self.in_string
        lead = _LINE_BREAK_AND_SPACE.match(self.window.view, self.start)
        if not is_inside or self.cutter.n_pieces or not lead:
            return False
        found = self.window.view.find(b"," + lead.group() + b"{", lead.end())
        if found < 0:
            return False
        self.at, self.depth, self.in_string = found, 0, False
        return True

    # Objects at top level.

    def _object(self) -> Iterator[Slice]:
        """Yield the object at `at`, or the elements of the one list of objects in it."""
        self.depth, self.alarm_bytes = 0, self.limits.document_bytes
        sign = self._to_close()
        if self._is_wrapper(sign):
            self.at, self.in_string = self.start, False
            yield from self._members()
            return
        while sign == _GROWN:
            yield from self._spill()
            sign = self._to_close()
        yield from self._close(is_open=sign == _END)

    def _to_close(self) -> int:
        """Move behind the bracket that closes the value; return it, or what came first."""
        while True:
            sign = self._next(_TO_BRACKET)
            if sign in (_END, _GROWN):
                return sign
            self.depth += 1 if sign in _OPENING else -1
            self.at += 1
            if self.depth == 0:
                return sign

    def _is_wrapper(self, sign: int) -> bool:
        """Tell whether the object is no record but holds the records in one list."""
        if sign in (_END, _GROWN):
            return self._leads_to_list()
        value = self._load(self.window.exact(self.start, self.at))
        if not isinstance(value, dict) or self.is_record(value):
            return False
        lists = [
            member
            for member in value.values()
            if isinstance(member, list) and member and all(isinstance(e, dict) for e in member)
        ]
        return len(lists) == 1

    def _leads_to_list(self) -> bool:
        """Tell whether the part seen of an unfinished object ends in a list of records."""
        view, at, depth = self.window.view, self.start + 1, 1
        while (at := _end_of(_TO_BRACKET, view, at)) < len(view) and view[at] != _QUOTE:
            behind = _end_of(_SPACE, view, at + 1)
            if depth == 1 and view[at] == _OPEN_LIST and view[behind : behind + 1] == b"{":
                head = self._load(self.window.exact(self.start, at) + "[]}".encode(self.encoding))
                return isinstance(head, dict) and not self.is_record(head)
            depth += 1 if view[at] in _OPENING else -1
            at += 1
        return False

    def _members(self) -> Iterator[Slice]:
        """Yield the elements of every list of objects directly in the object at `at`."""
        self.at += 1
        depth = 1
        while depth:
            self.start = self.at
            sign = self._next(_TO_BRACKET)
            if sign == _END:
                return
            if sign == _GROWN:
                continue
            if depth == 1 and sign == _OPEN_LIST and self._holds_objects():
                yield from self._elements()
            else:
                depth += 1 if sign in _OPENING else -1
                self.at += 1
        self.start = self.at

    def _holds_objects(self) -> bool:
        """Tell whether the list at `at` begins with an object."""
        while True:
            behind = _end_of(_SPACE, self.window.view, self.at + 1)
            if behind < len(self.window.view) or not self._widen():
                return self.window.view[behind : behind + 1] == b"{"

    def _load(self, content: bytes) -> Any:
        try:
            return load_json(content, self.encoding)
        except DocumentError:
            return None

    def _stray(self) -> Iterator[Slice]:
        """Yield what is no list and no object at top level, to the end of its line."""
        self.alarm_bytes = self.limits.piece_bytes
        while (end := self.window.view.find(b"\n", self.at)) < 0:
            self.at = len(self.window.view)
            if (self.at - self.start) * self.window.width > self.alarm_bytes:
                yield from self._spill()
            elif not self._widen():
                yield from self._close(is_open=True)
                return
        self.at = end
        yield from self._close()
