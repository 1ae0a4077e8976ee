"""A first look at a warehouse: three example queries with their answers, and where to go next."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.report.answers import write_answer
from pipeline.report.published import open_published, rows
from pipeline.report.terminal import force_utf8, terminal_width

QUERIES_FOLDER = Path(__file__).resolve().parents[2] / "warehouse" / "queries"

SHOWN = ("stories_with_most_mastheads", "dropped_by_source", "alike_but_not_merged")
SHOWN_ROWS = 8


@dataclass(frozen=True)
class Example:
    """An example query: its file's name, the question that it answers, its SQL."""

    name: str
    question: str
    query: str


def examples(folder: Path = QUERIES_FOLDER) -> tuple[Example, ...]:
    """Return the example queries of a folder by name; a file's first line is its question."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        question = text.splitlines()[0].removeprefix("-- ")
        found.append(Example(path.stem, question, text.strip()))
    return tuple(found)


def print_tour(root: Path, call: str = "unecho") -> None:
    """Print three example queries with their answers, and what to try next.

    Raises:
        WarehouseError: nothing is published at `root`.
    """
    by_name = {example.name: example for example in examples()}
    with open_published(root) as connection:
        for name in SHOWN:
            example = by_name[name]
            _write(f"\n{example.question}\n  (warehouse/queries/{name}.sql)\n\n")
            sys.stdout.flush()
            shown = "\n".join(
                line for line in example.query.splitlines() if not line.startswith("--")
            )
            _, has_more = write_answer(
                connection, shown, "table", sys.stdout.buffer, terminal_width(), SHOWN_ROWS
            )
            if has_more:
                sys.stdout.buffer.write("…\n".encode())
        most = rows(
            connection,
            "SELECT article_id FROM articles_all"
            " ORDER BY n_dropped_paragraphs DESC, article_id LIMIT 1",
        )
    sys.stdout.buffer.flush()
    for line in _next_steps(root, call, most[0]["article_id"] if most else None):
        _write(line + "\n")


def _next_steps(root: Path, call: str, article_id: str | None) -> Iterator[str]:
    yield ""
    yield "Where to look next:"
    if article_id:
        yield f"  {call} explain {article_id}"
        yield "      why an article stands as it does, its repeats side by side"
    yield f"  {call} sql"
    yield "      a prompt; more questions are in warehouse/queries/"
    yield f"  duckdb -readonly {root / 'public' / 'news.duckdb'}"
    yield "      any DuckDB client from 1.1 on; warehouse/README.md explains every column"


def _write(text: str) -> None:
    sys.stdout.write(text)


if __name__ == "__main__":
    force_utf8()
    print_tour(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("warehouse/data"), *sys.argv[2:3])
