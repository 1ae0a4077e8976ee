"""The views that analysts see: `warehouse/views/<view>.sql`, documented in their first lines.

A view file is one SELECT over the base views `_<table>` (the live files of each contract),
`_snapshot` and `_runs`. Before it stand comment lines: what a row is, then `--   column: doc` for
each column that no contract documents or that means something else here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.contracts import ARTICLES, CONTRACTS, STORIES, STORY_MEMBERS

VIEWS_FOLDER = Path(__file__).resolve().parents[2] / "warehouse" / "views"

_COLUMN_LINE = re.compile(r"--   (\w+): (.+)")


@dataclass(frozen=True)
class View:
    """A published view: its SELECT, what a row is, and documentation given in its file."""

    name: str
    description: str
    documented: Mapping[str, str]
    query: str

    def doc(self, column: str) -> str:
        """Return what a column means: as the view's file says, else as the contracts say."""
        if column in self.documented:
            return self.documented[column]
        own = [CONTRACTS[self.name]] if self.name in CONTRACTS else []
        for contract in [*own, ARTICLES, STORY_MEMBERS, STORIES, *CONTRACTS.values()]:
            if column in contract.schema.names:
                field = contract.schema.field(column)
                unit = field.metadata.get(b"unit", b"").decode()
                doc: str = field.metadata[b"doc"].decode()
                return doc + (f" [{unit}]" if unit else "")
        raise KeyError(f"column {column} of view {self.name} is not documented")


def article_macro() -> str:
    """Return SQL that creates `article(wanted)`: articles_all for one id, opening its files alone.

    Names that are in a list of one row are handed to the scan of articles as a filter before it
    opens a file. `unnest(list(...))` says that they are few: else DuckDB may scan all articles
    first and look them up among the names.
    """
    query = next(view.query for view in load_views() if view.name == "articles_all")
    return (
        f"CREATE MACRO article(wanted) AS TABLE {query}"
        " AND articles.article_id = wanted::UUID AND articles.filename IN (SELECT"
        " unnest(list(filename)) FROM _article_places WHERE article_id = wanted::UUID)"
    )


@cache
def load_views(folder: Path = VIEWS_FOLDER) -> tuple[View, ...]:
    """Return the views of a folder by name."""
    return tuple(_parse(path) for path in sorted(folder.glob("*.sql")))


def _parse(path: Path) -> View:
    lines = path.read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith("--")]
    columns = [(match[1], match[2]) for line in header if (match := _COLUMN_LINE.fullmatch(line))]
    description = " ".join(
        line.removeprefix("-- ") for line in header if not _COLUMN_LINE.fullmatch(line)
    )
    query = "\n".join(line for line in lines if not line.startswith("--"))
    return View(path.stem, description, dict(columns), query)
