"""The SQL prompt: lines until a ';', a history, completion of names, a few dot commands."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.report.answers import split_statements, write_answer
from pipeline.report.published import QueryError, cancellable, rows
from pipeline.report.terminal import terminal_width

if TYPE_CHECKING:
    import duckdb

FIRST, NEXT = "unecho> ", "   ...> "

HELP = """\
A statement ends with ';'. Times are UTC. The snapshot stays the one that was opened.
.tables          the views
.columns VIEW    the columns of a view
.help            this text
.quit            leave (also Ctrl-D); Ctrl-C cancels a query or the line
"""

HISTORY_LINES = 1000

_TABLES = """
    SELECT view_name AS view, comment AS "a row is" FROM duckdb_views()
    WHERE NOT internal AND view_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY view_name
"""


def history_file() -> Path:
    """Return where the prompt's history is kept: the XDG state folder, never the warehouse.

    A warehouse may be shared, and read-only for the analyst.
    """
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "unecho" / "sql_history"


def run_prompt(connection: duckdb.DuckDBPyConnection, answer_format: str, max_rows: int) -> None:
    """Read and answer statements until `.quit` or the end of input."""
    if answer_format == "parquet":
        answer_format = "table"  # bytes are no text for a terminal
    history = history_file()
    _remember(history, _names(connection))
    _say("Read-only SQL on the published snapshot; .help for help, Ctrl-D to leave.")
    pending = ""
    while True:
        try:
            line = input(NEXT if pending else FIRST)
        except EOFError:
            _say("")
            break
        except KeyboardInterrupt:
            _say("")
            pending = ""
            continue
        if not pending and line.strip().startswith("."):
            if not _dot_command(connection, line.split(), max_rows):
                break
            continue
        statements, pending = split_statements(f"{pending}\n{line}" if pending else line)
        for statement in statements:
            _answer(connection, statement, answer_format, max_rows)
    _save(history)


def _answer(
    connection: duckdb.DuckDBPyConnection, statement: str, answer_format: str, max_rows: int
) -> None:
    try:
        with cancellable(connection):
            n_rows, has_more = write_answer(
                connection,
                statement,
                answer_format,
                sys.stdout.buffer,
                terminal_width(),
                max_rows,
            )
        sys.stdout.buffer.flush()
    except QueryError as error:
        _say(error.detail)
    except KeyboardInterrupt:
        _say("cancelled")
    else:
        _say(f"({n_rows:,} rows shown, there are more)" if has_more else f"({counted(n_rows)})")


def counted(n_rows: int) -> str:
    """Return `1 row`, `2 rows`.

    >>> counted(1)
    '1 row'
    """
    return f"{n_rows:,} row{'' if n_rows == 1 else 's'}"


def _dot_command(connection: duckdb.DuckDBPyConnection, words: list[str], max_rows: int) -> bool:
    """Run a dot command; return False to leave the prompt."""
    name = words[0]
    if name in (".quit", ".exit", ".q"):
        return False
    if name == ".tables":
        _answer(connection, _TABLES, "table", max_rows)
    elif name in (".columns", ".schema") and len(words) > 1:
        view = words[1].replace('"', '""')
        columns = f'SELECT column_name, column_type FROM (DESCRIBE "{view}")'
        _answer(connection, columns, "table", max_rows)
    else:
        _say(HELP.rstrip())
    return True


def _names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return view and column names for completion."""
    found = rows(
        connection,
        "SELECT DISTINCT view_name AS name FROM duckdb_views() WHERE NOT internal UNION "
        "SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal ORDER BY name",
    )
    return [str(row["name"]) for row in found]


def _remember(history: Path, names: list[str]) -> None:
    """Give input() its history and completion, where Python has readline."""
    try:
        import readline
    except ImportError:  # Windows, and Pythons built without it
        return
    with suppress(OSError):  # none yet, or not ours to read: the prompt works without
        readline.read_history_file(history)
    readline.set_history_length(HISTORY_LINES)

    def complete(start: str, number: int) -> str | None:
        fitting = [name for name in names if name.startswith(start.lower())]
        return fitting[number] if number < len(fitting) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n,.()=<>'\";")
    readline.parse_and_bind("tab: complete")


def _save(history: Path) -> None:
    # A history that cannot be kept is no reason to fail.
    with suppress(ImportError, OSError):
        import readline

        history.parent.mkdir(parents=True, exist_ok=True)
        readline.write_history_file(history)


def _say(text: str) -> None:
    """Write a line that is no answer to stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
