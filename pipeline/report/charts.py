"""Small charts as SVG text: no font, script or address from outside."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 720
_LABEL_WIDTH = 190
_VALUE_WIDTH = 70
_ROW_HEIGHT = 26
_BAR_HEIGHT = 16
_TOP = 44
# A character of Latin text at 13 px is about 7 px wide, one of Korean or Chinese 13 px.
_LABEL_COLUMNS = 25
_FONT = "system-ui, 'Noto Sans CJK KR', 'Noto Sans', sans-serif"


@dataclass(frozen=True)
class Part:
    """One kind of bar segment: its name in the legend and its colour (hex)."""

    name: str
    colour: str


@dataclass(frozen=True)
class Bar:
    """One row: its label and the length of each part, in the order of the parts."""

    label: str
    values: tuple[int, ...]


def stacked_bars(parts: Sequence[Part], bars: Sequence[Bar]) -> str:
    """Return an SVG with one stacked horizontal bar a row, a legend on top, the total at the end.

    It has a white ground of its own, so that it can be read on light and dark pages.
    """
    height = _TOP + _ROW_HEIGHT * len(bars) + 8
    longest = max((sum(b.values) for b in bars), default=0) or 1
    scale = (WIDTH - _LABEL_WIDTH - _VALUE_WIDTH - 24) / longest
    body = [_legend(parts)]
    for row, bar in enumerate(bars):
        body.append(_row(parts, bar, _TOP + row * _ROW_HEIGHT, scale))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="{_FONT}" font-size="13">'
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>{"".join(body)}</svg>'
    )


def data_uri(svg: str) -> str:
    """Return the SVG as an address that an image in Markdown or HTML can show."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def fitted(label: str, columns: int = _LABEL_COLUMNS) -> str:
    """Return the label cut to `columns` of a terminal, wide characters counted twice.

    >>> fitted("코리아헤럴드신문", 7)
    '코리아…'
    """
    text = unicodedata.normalize("NFC", label)
    if _columns(text) <= columns:
        return text
    while text and _columns(text) > columns - 1:
        text = text[:-1]
    return f"{text}…"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _legend(parts: Sequence[Part]) -> str:
    drawn, x = [], _LABEL_WIDTH
    for part in parts:
        drawn.append(f'<rect x="{x}" y="14" width="12" height="12" rx="2" fill="{part.colour}"/>')
        drawn.append(f'<text x="{x + 18}" y="25" fill="#333333">{escape(part.name)}</text>')
        x += 34 + 8 * len(part.name)
    return "".join(drawn)


def _row(parts: Sequence[Part], bar: Bar, top: int, scale: float) -> str:
    middle = top + _BAR_HEIGHT - 3
    drawn = [
        f'<text x="{_LABEL_WIDTH - 12}" y="{middle}" text-anchor="end" fill="#333333">'
        f"{escape(fitted(bar.label))}</text>"
    ]
    x = float(_LABEL_WIDTH)
    for part, value in zip(parts, bar.values, strict=True):
        if value:
            width = max(value * scale, 1.0)  # one article of many thousand stays visible
            drawn.append(
                f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_BAR_HEIGHT}" '
                f'fill="{part.colour}"/>'
            )
            x += width
    drawn.append(f'<text x="{x + 8:.1f}" y="{middle}" fill="#666666">{sum(bar.values):,}</text>')
    return "".join(drawn)
