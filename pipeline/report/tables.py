"""Tables of plain text: columns right in East Asian width, cut or turned where they do not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from pipeline.report.terminal import cut, pad, printable, width_of

GAP = "  "
NULL = "NULL"

SAMPLE_ROWS = 1000
"""Rows that set the column widths; the rest streams past, so that memory stays bounded."""

PIPED_CELL = 200
"""Widest cell where the output is no terminal: whole headlines, not whole articles."""

NARROWEST = 8
"""Cells a column may be squeezed to on a terminal before the row is turned on its side."""


@dataclass(frozen=True)
class Column:
    """A column's name, whether its values are numbers (set to the right) or never cut."""

    name: str
    is_number: bool = False
    is_whole: bool = False

    @property
    def is_fixed(self) -> bool:
        """Whether the column keeps its width: a number with its end cut off is another number."""
        return self.is_number or self.is_whole


def text_table(
    columns: Sequence[Column], rows: Iterable[Sequence[object]], width: int | None
) -> Iterator[str]:
    """Yield the lines of a table that fits `width` cells; None is no terminal: wide cells stay.

    Where the columns cannot be squeezed into `width`, each row is turned: one line a column.
    """
    cells = ([_cell(value) for value in row] for row in rows)
    sample = list(islice(cells, SAMPLE_ROWS))
    natural = [
        max(width_of(printable(c.name)), *(width_of(row[i]) for row in sample), 1)
        for i, c in enumerate(columns)
    ]
    if width is None:
        widths: list[int] | None = [min(n, PIPED_CELL) for n in natural]
    else:
        narrowest = [n if c.is_fixed else NARROWEST for n, c in zip(natural, columns, strict=True)]
        widths = _squeezed(natural, narrowest, width - len(GAP) * (len(columns) - 1))
    everything = chain(sample, cells)
    if widths is None:
        return _turned(columns, everything, width or PIPED_CELL)
    limits = [max(w, PIPED_CELL) for w in widths] if width is None else widths
    return _upright(columns, everything, widths, limits)


def _cell(value: object) -> str:
    """Return a value as one printable line; booleans and NULL as SQL writes them."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    # Only the start can be seen: printable() on a whole article of 50 MB would take seconds.
    return printable(str(value)[: PIPED_CELL + 1])


def _squeezed(natural: list[int], narrowest: list[int], width: int) -> list[int] | None:
    """Return column widths that sum to at most `width`, taken from the widest; None: no room."""
    widths = list(natural)
    for _ in range(max(0, sum(natural) - width)):
        slack = [w if w > n else 0 for w, n in zip(widths, narrowest, strict=True)]
        if not any(slack):
            return None
        widths[slack.index(max(slack))] -= 1
    return widths


def _upright(
    columns: Sequence[Column], rows: Iterable[list[str]], widths: list[int], limits: list[int]
) -> Iterator[str]:
    """Yield a line a row; a cell wider than any of the sample stands out, where it may."""

    def line(cells: Sequence[str]) -> str:
        padded = (
            pad(cell if c.is_fixed else cut(cell, limit), w, right=c.is_number)
            for cell, w, limit, c in zip(cells, widths, limits, columns, strict=True)
        )
        return GAP.join(padded).rstrip()

    yield line([printable(c.name) for c in columns])
    yield GAP.join("─" * w for w in widths)
    for row in rows:
        yield line(row)


def _turned(columns: Sequence[Column], rows: Iterable[list[str]], width: int) -> Iterator[str]:
    names = [printable(c.name) for c in columns]
    left = min(max(width_of(n) for n in names), width // 2)
    room = max(NARROWEST, width - left - len(GAP))
    for number, row in enumerate(rows, start=1):
        title = f"── row {number} "
        yield title + "─" * (width - width_of(title))
        for name, cell, column in zip(names, row, columns, strict=True):
            shown = cell if column.is_fixed else cut(cell, room)
            yield (pad(cut(name, left), left) + GAP + shown).rstrip()
