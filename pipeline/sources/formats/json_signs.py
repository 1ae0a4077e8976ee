"""Moving over JSON text from one sign to the next, without parsing it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.sources.formats.window import Window

QUOTE, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = b'",[]{}'
BACKSLASH = 0x5C
OPENING = (OPEN_LIST, OPEN_OBJECT)
CLOSING = (CLOSE_LIST, CLOSE_OBJECT)

# What stopped the reader when it was no sign.
END = -1
"""The stream is at its end."""
GROWN = -2
"""The current document is longer than the alarm."""
BROKEN = -3
"""A string had a line break in it, which no JSON string has: a quote was lost."""

# Plain strings are passed here, others by string_end: for the 1,200 escapes of an article in
# ASCII a regular expression takes 200 µs, looking for quotes 0.4 µs. Possessive repeats: nothing
# is ever given back.
TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"[^"\\\n]*+")*+')
TO_SEPARATOR = re.compile(rb'(?:[^",\[\]{}]++|"[^"\\\n]*+")*+')
SPACE = re.compile(rb"[ \t\r\n]*+")


def end_of(pattern: re.Pattern[bytes], view: bytes, at: int) -> int:
    """Return where the match of a pattern that always matches ends."""
    found = pattern.match(view, at)
    return found.end() if found else at


def string_end(view: bytes, at: int) -> int:
    """Return the offset of the quote that ends a string, -1 when it is not in view.

    `at` is in the string and not behind a backslash; a quote behind an odd number is escaped.
    """
    start = at
    while (quote := view.find(b'"', at)) >= 0:
        first = quote
        while first > start and view[first - 1] == BACKSLASH:
            first -= 1
        if (quote - first) % 2 == 0:
            return quote
        at = quote + 1
    return -1


class SignReader:
    """Reads a window sign by sign; the current document lies between `start` and `at`.

    Offsets are into `view` and shift when the window is widened: what is before `start` goes.
    """

    def __init__(self, chunks: Iterable[bytes], encoding: str) -> None:
        """Begin before the first chunk."""
        self.window = Window(chunks, encoding)
        self.start = 0
        self.at = 0
        self.in_string = False
        self.alarm_bytes = 0
        self._has_break = False

    @property
    def view(self) -> bytes:
        """Return the outline of what is held."""
        return self.window.view

    @property
    def n_bytes(self) -> int:
        """Return the length of the current document so far."""
        return (self.at - self.start) * self.window.width

    def widen(self) -> bool:
        """Take in more of the stream; False at its end."""
        shift = self.start
        has_more = self.window.widen(shift)
        self.start, self.at = 0, self.at - shift
        return has_more

    def move_to(self, at: int) -> None:
        """Go to an offset outside strings."""
        self.at = at
        self.in_string = False

    def next(self, pattern: re.Pattern[bytes]) -> int:
        """Move to the next sign outside strings that `pattern` stops at, and return it."""
        while True:
            view = self.view
            if self.in_string:
                quote = string_end(view, self.at)
                # What backslashes at the end escape is not in view yet.
                end = quote if quote >= 0 else max(self.at, len(view.rstrip(b"\\")))
                self._has_break |= view.find(b"\n", self.at, end) >= 0
                self.at = end
                if quote >= 0:
                    self.move_to(quote + 1)
                    if self._has_break:
                        return BROKEN
                    continue
            else:
                self.at = end_of(pattern, view, self.at)
                if self.at < len(view) and view[self.at] != QUOTE:
                    return view[self.at]
                if self.at < len(view):
                    self.at += 1
                    self.in_string, self._has_break = True, False
                    continue
            if self.n_bytes > self.alarm_bytes:
                return GROWN
            if not self.widen():
                return END

    def skip(self, pattern: re.Pattern[bytes]) -> bool:
        """Move behind what `pattern` matches, and forget it; False at the end of the stream."""
        while True:
            self.at = end_of(pattern, self.view, self.at)
            if self.at < len(self.view):
                return True
            self.start = self.at
            if not self.widen():
                return False

    def holds_objects(self) -> bool:
        """Tell whether the list at `at` begins with an object."""
        while True:
            behind = end_of(SPACE, self.view, self.at + 1)
            if behind < len(self.view) or not self.widen():
                return self.view[behind : behind + 1] == b"{"

    def list_of_objects(self) -> int:
        """Return where the first list of objects directly in the object at `start` begins.

        Only what is in view is looked at; -1 when there is none.
        """
        view, at, depth = self.view, self.start + 1, 1
        while (at := end_of(TO_BRACKET, view, at)) < len(view) and depth:
            if view[at] == QUOTE:
                at = string_end(view, at + 1)
                if at < 0:
                    return -1
            elif view[at] in OPENING:
                behind = end_of(SPACE, view, at + 1)
                is_list = view[at] == OPEN_LIST and view[behind : behind + 1] == b"{"
                if depth == 1 and is_list:
                    return at
                depth += 1
            else:
                depth -= 1
            at += 1
        return -1
