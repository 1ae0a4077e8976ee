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
from pipeline.sources.formats.json_signs import (
    BROKEN,
    CLOSING,
    END,
    GROWN,
    OPEN_LIST,
    OPEN_OBJECT,
    OPENING,
    SPACE,
    TO_BRACKET,
    TO_SEPARATOR,
    SignReader,
    end_of,
)
from pipeline.sources.formats.slices import MEBIBYTE, Cutter, Limits, Slice
from pipeline.sources.json_text import load_json

# Between top-level values: white space, commas, and RFC 7464's record separator.
_BETWEEN = re.compile(rb"[ \t\r\n,\x1e]*+")
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
    yield from _Values(SignReader(chunks, encoding), encoding, limits, is_record).documents()


class _Values:
    """Cuts documents out of what a SignReader moves over."""

    def __init__(
        self, reader: SignReader, encoding: str, limits: Limits, is_record: IsRecord
    ) -> None:
        self.reader = reader
        self.encoding = encoding
        self.limits = limits
        self.is_record = is_record
        self.cutter = Cutter(limits, "element")
        self.cutter.start(1)
        self.open = bytearray()
        """The brackets that are open within the current document."""
        self.is_hopeless = False
        """Whether the current document is broken and its end cannot be told yet."""

    def documents(self) -> Iterator[Slice]:
        """Yield the documents of all top-level values."""
        reader = self.reader
        while reader.skip(_BETWEEN):
            reader.start = reader.at
            sign = reader.view[reader.at]
            if sign == OPEN_LIST:
                yield from self._elements()
            elif sign == OPEN_OBJECT:
                yield from self._object()
            else:
                yield from self._stray()

    # Elements of a list.

    def _elements(self) -> Iterator[Slice]:
        """Yield the elements of the list whose bracket is at `at`."""
        reader = self.reader
        self._begin()
        while True:
            sign = reader.next(TO_BRACKET if self.open else TO_SEPARATOR)
            if sign in OPENING:
                self.open.append(sign)
                reader.at += 1
            elif sign in CLOSING and self.open:
                # `}` is two after `{`, and `]` two after `[`.
                is_pair = sign - self.open.pop() == 2
                reader.at += 1
                if not is_pair:
                    self._mend()
            elif sign == END and not self._mend(is_last=True):
                yield from self._close(is_open=True)
                return
            elif sign == GROWN and not self._mend():
                yield from self._spill()
            elif sign == BROKEN:
                self._mend()
            elif sign > 0:
                yield from self._close()
                self._begin()
                if sign in CLOSING:
                    return

    def _begin(self) -> None:
        """Begin an element behind the sign at `at`."""
        reader = self.reader
        reader.at += 1
        reader.start = reader.at
        reader.alarm_bytes = _SUSPICIOUS_BYTES
        self.open.clear()
        self.is_hopeless = False

    def _close(self, *, is_open: bool = False) -> Iterator[Slice]:
        """Yield the document that ends at `at`, or with the stream."""
        reader = self.reader
        if is_open:
            reader.at = len(reader.view)
            content = reader.window.cut_rest(reader.start)
        else:
            content = reader.window.cut(reader.start, reader.at)
        reader.start = reader.at
        if content:
            yield from self.cutter.whole(content, is_open=is_open)
            self.cutter.start(self.cutter.position + 1)

    def _spill(self) -> Iterator[Slice]:
        """Hand out full pieces of a document that goes on, and go on."""
        reader = self.reader
        reader.alarm_bytes = self.limits.piece_bytes
        if reader.n_bytes > reader.alarm_bytes:
            if not self.cutter.n_pieces:
                reader.start = end_of(SPACE, reader.view, reader.start)
            content = bytearray(reader.window.exact(reader.start, reader.at))
            yield from self.cutter.spill(content)
            reader.start = reader.at - len(content) // reader.window.width
        reader.widen()

    def _mend(self, *, is_last: bool = False) -> bool:
        """Move to the comma behind a broken element; False when none can be told.

        A lost quote or bracket would swallow the elements behind it. Where elements stand on
        lines of their own the next one begins as this one did: a comma, the same white space
        with a line break in it, and `{`. Only an element that shows a fault is cut so: a line
        break in a string, brackets that do not pair, no end within 4 MiB or the stream; and
        all but the last fault look no further than that, whatever the window holds.
        """
        reader = self.reader
        lead = _LINE_BREAK_AND_SPACE.match(reader.view, reader.start)
        if self.cutter.n_pieces or lead is None or (self.is_hopeless and not is_last):
            return False
        next_one = b"," + lead.group() + b"{"
        n_lead = len(lead.group())
        n_seen = _SUSPICIOUS_BYTES // reader.window.width
        while not is_last and len(reader.view) - reader.start < n_seen and reader.widen():
            pass
        end = len(reader.view) if is_last else reader.start + n_seen
        found = reader.view.find(next_one, reader.start + n_lead, end)
        self.is_hopeless = found < 0
        if found >= 0:
            reader.move_to(found)
            self.open.clear()
        return found >= 0

    # Objects at top level.

    def _object(self) -> Iterator[Slice]:
        """Yield the object at `at`, or the elements of the one list of objects in it."""
        reader = self.reader
        self.open.clear()
        reader.alarm_bytes = self.limits.document_bytes
        is_closed = self._to_close()
        if self._is_wrapper() if is_closed else self._may_be_wrapper():
            reader.move_to(reader.start)
            yield from self._members()
            return
        while not is_closed and not reader.window.is_at_end:
            yield from self._spill()
            is_closed = self._to_close()
        yield from self._close(is_open=not is_closed)

    def _to_close(self) -> bool:
        """Move behind the bracket that closes the value; False when something comes first."""
        while (sign := self.reader.next(TO_BRACKET)) not in (END, GROWN):
            if sign == BROKEN:
                continue
            self.reader.at += 1
            if sign in OPENING:
                self.open.append(sign)
                continue
            self.open.pop()
            if not self.open:
                return True
        return False

    def _is_wrapper(self) -> bool:
        """Tell whether the object is no record but holds the records in one list."""
        value = self._load(self.reader.window.exact(self.reader.start, self.reader.at))
        if not isinstance(value, dict) or self.is_record(value):
            return False
        lists = [
            member
            for member in value.values()
            if isinstance(member, list) and member and all(isinstance(e, dict) for e in member)
        ]
        return len(lists) == 1

    def _may_be_wrapper(self) -> bool:
        """Tell the same of an object that is cut off or too long: by what is before its list."""
        at = self.reader.list_of_objects()
        if at < 0:
            return False
        head = self.reader.window.exact(self.reader.start, at) + "[]}".encode(self.encoding)
        value = self._load(head)
        return isinstance(value, dict) and not self.is_record(value)

    def _members(self) -> Iterator[Slice]:
        """Yield the elements of every list of objects directly in the object at `at`."""
        reader = self.reader
        reader.at += 1
        depth = 1
        while depth:
            reader.start = reader.at
            sign = reader.next(TO_BRACKET)
            if sign == END:
                return
            if sign in (GROWN, BROKEN):
                continue
            if depth == 1 and sign == OPEN_LIST and reader.holds_objects():
                yield from self._elements()
            else:
                depth += 1 if sign in OPENING else -1
                reader.at += 1
        reader.start = reader.at

    def _load(self, content: bytes) -> Any:
        try:
            return load_json(content, self.encoding)
        except DocumentError:
            return None

    def _stray(self) -> Iterator[Slice]:
        """Yield what is no list and no object at top level, to the end of its line."""
        reader = self.reader
        reader.alarm_bytes = self.limits.piece_bytes
        while (end := reader.view.find(b"\n", reader.at)) < 0:
            reader.at = len(reader.view)
            if reader.n_bytes > reader.alarm_bytes:
                yield from self._spill()
            elif not reader.widen():
                yield from self._close(is_open=True)
                return
        reader.at = end
        yield from self._close()
