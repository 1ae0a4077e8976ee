"""The part of a stream that a splitter still needs: its bytes and their outline."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.sources.decode import outline, unit_bytes, whole_units

_WIDEN_BYTES = 16 * 1024 * 1024


class Window:
    """A stream seen through a window that is widened at the end and dropped at the front.

    `view` is the outline of what is held, one byte a code unit; offsets are into it.
    """

    def __init__(self, chunks: Iterable[bytes], encoding: str) -> None:
        """Begin with nothing held."""
        self._chunks = iter(chunks)
        self._encoding = encoding
        self._raw = b""
        self._pending = b""
        self.width = unit_bytes(encoding)
        self.view = b""
        self.is_at_end = False

    def widen(self, keep_from: int) -> bool:
        """Drop everything before `keep_from`, add as much as is left; False at the end.

        What is held doubles while nothing is dropped, so that a long document is copied (and
        searched again) a few times only.
        """
        self._raw = self._raw[keep_from * self.width :]
        self.view = self.view[keep_from:]
        fresh = [self._pending]
        n_fresh = 0
        while n_fresh == 0 or n_fresh < min(len(self._raw), _WIDEN_BYTES):
            chunk = next(self._chunks, None)
            if chunk is None:
                self.is_at_end = True
                break
            fresh.append(chunk)
            n_fresh += len(chunk)
        raw = b"".join(fresh)
        # At the end half a character stays out of the outline and in the bytes (`rest`).
        n_whole = whole_units(raw, self._encoding)
        fits, self._pending = raw[:n_whole], raw[n_whole:]
        seen = outline(fits, self._encoding)
        self._raw += fits
        self.view = self._raw if seen is fits else self.view + seen
        return n_fresh > 0

    def cut(self, start: int, end: int) -> bytes:
        """Return the bytes between two offsets, trimmed of white space around them."""
        inner = self.view[start:end]
        first = start + len(inner) - len(inner.lstrip(b" \t\r\n"))
        last = start + len(inner.rstrip(b" \t\r\n"))
        return self.exact(first, max(first, last))

    def cut_rest(self, start: int) -> bytes:
        """Return all bytes from an offset to the end of the stream, trimmed alike.

        Half a character at the very end is in no outline: it is kept, and what is before it.
        """
        if not self._pending:
            return self.cut(start, len(self.view))
        inner = self.view[start:]
        first = start + len(inner) - len(inner.lstrip(b" \t\r\n"))
        return self._raw[first * self.width :] + self._pending

    def exact(self, start: int, end: int) -> bytes:
        """Return the bytes between two offsets."""
        return self._raw[start * self.width : end * self.width]

    @property
    def half(self) -> bytes:
        """Return the half of a character that may be left at the end of the stream."""
        return self._pending
