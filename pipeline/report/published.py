"""Reading what is published: `public/news.duckdb`, opened as any analyst opens it."""

from __future__ import annotations

import re
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from pipeline.errors import UnechoError, WarehouseError

if TYPE_CHECKING:
    import duckdb

# As pipeline.store.snapshot.connect_published, without pyarrow: importing it takes 0.2 s, a third
# of what `unecho sql` may take. No extension may be fetched behind the user's back.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # A table that does not exist is an error, not a look at the variables of this program.
    "python_enable_replacements": False,
}

DATABASE = Path("public") / "news.duckdb"

_PIPE = "unecho-answer-"
"""How the name of the pipe begins through which DuckDB may write an answer."""


@contextmanager
def open_published(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published snapshot of the warehouse at `root`, read-only.

    Statements reach no file outside the warehouse but the pipe of `answer_pipe`, no network and
    no setting. Below `root` DuckDB would still write: check_reads refuses what does.

    Raises:
        WarehouseError: nothing was published there yet, or the file cannot be opened.
    """
    import duckdb

    root = root.expanduser().absolute()
    database = root / DATABASE
    if not database.is_file():
        raise WarehouseError(
            f"there is no warehouse at {root} yet",
            next_step="make one with: unecho ingest FILE, or name yours with --warehouse DIR",
        )
    # Attached to a memory of its own: a second connect(path) in one process would return the
    # snapshot that the first one opened.
    connection = duckdb.connect(config=_CONFIG)
    try:
        # `news_root`: the views name their files below it, so that a warehouse that was moved or
        # mounted elsewhere answers all the same. UTC: what the columns are in.
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET VARIABLE news_root = ?", [str(root)])
        quoted = str(database).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS news (READ_ONLY)")
        connection.execute("USE news")
        # The order matters: without external access no path can be allowed any more.
        connection.execute("SET allowed_directories = [?]", [str(root)])
        connection.execute("SET allowed_paths = [?]", [_new_pipe()])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        connection.close()
        raise WarehouseError(
            f"{database} cannot be opened: {str(error).splitlines()[0]}",
            next_step="run: unecho doctor",
        ) from error
    try:
        yield connection
    finally:
        connection.close()


def _new_pipe() -> str:
    """Return the path of a pipe that nobody has made; DuckDB resolves links before it compares."""
    return str(Path(tempfile.gettempdir()).resolve() / f"{_PIPE}{uuid4().hex}")


def answer_pipe(connection: duckdb.DuckDBPyConnection) -> Path:
    """Return the one path outside the warehouse that the connection may open."""
    found = connection.execute("SELECT unnest(current_setting('allowed_paths'))").fetchall()
    return next((Path(p) for (p,) in found if Path(p).name.startswith(_PIPE)), Path(_new_pipe()))


def damage_of(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> WarehouseError | None:
    """Return the error to raise when DuckDB's speaks of a broken Parquet file of the warehouse."""
    import duckdb

    headline = str(error).partition("\n")[0]
    is_unreadable = isinstance(error, duckdb.InvalidInputException | duckdb.IOException)
    if is_unreadable and ".parquet" in headline:
        [(root,)] = connection.execute("SELECT getvariable('news_root')").fetchall()
        is_damaged = root is not None and str(root) in headline
    else:
        # What DuckDB 2.0 says, without a class or a file, when a Parquet footer has a wrong byte.
        is_damaged = type(error) is duckdb.Error and "don't know what type" in headline
    if not is_damaged:
        return None
    return WarehouseError(f"the warehouse is damaged: {headline}", next_step="run: unecho doctor")


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: list[Any] | None = None
) -> list[dict[str, Any]]:
    """Run a query and return its rows as mappings of column to value, ids as text.

    Raises:
        WarehouseError: a file of the warehouse is damaged.
    """
    import duckdb

    try:
        answer = connection.execute(query, values)
        names = [column[0] for column in answer.description or ()]
        found = answer.fetchall()
    except duckdb.Error as error:
        raise damage_of(connection, error) or error from error
    return [
        {n: str(v) if isinstance(v, UUID) else v for n, v in zip(names, row, strict=True)}
        for row in found
    ]


class QueryError(UnechoError):
    """DuckDB refused a query; `detail` is its message with the place marked, over several lines."""

    def __init__(self, error: Exception) -> None:
        """Shorten DuckDB's message to one line."""
        self.detail = str(error)
        headline, _, place = self.detail.partition("\n\nLINE ")
        if "has been locked" in headline or "disabled by configuration" in headline:
            next_step = "unecho sql reads nothing but the warehouse, with its own settings"
        elif "does not exist" in headline:
            next_step = 'see what is there: unecho sql "SHOW TABLES" and "DESCRIBE articles"'
        else:
            next_step = "line " + place.splitlines()[0] if place else "correct the query"
        super().__init__(headline, next_step=next_step)


class RefusedStatement(QueryError):
    """A statement that does more than read."""

    def __init__(self, kind: str) -> None:
        """Name the kind of statement, as COPY."""
        UnechoError.__init__(
            self,
            f"sql only reads: {kind} is not allowed",
            next_step="open the file with your own DuckDB, read-only, for more",
        )
        self.detail = str(self)


# ANALYZE runs what it explains; options that are not known here stay and fail to parse.
_EXPLAIN = re.compile(r"EXPLAIN\b\s*(ANALYZE\b|\(\s*(ANALYZE|FORMAT)\b[^()]*\))?", re.IGNORECASE)
# What is temporary stays in the memory of this session, and so do variables.
_HARMLESS = re.compile(
    r"SET\s+VARIABLE\s|CREATE\s+(OR\s+REPLACE\s+)?TEMP(ORARY)?\s+(TABLE|VIEW|MACRO)\s|"
    r"PRAGMA\s+(version|platform|table_info|storage_info|show_tables|show_tables_expanded|"
    r"show_databases|database_list|database_size)\b",
    re.IGNORECASE,
)


def check_reads(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Let statements pass that read or stay in the session's memory.

    Raises:
        RefusedStatement: the statement does something else.
        QueryError: DuckDB cannot parse it.
    """
    import duckdb

    kind = duckdb.StatementType
    explained = _EXPLAIN.sub("", statement, count=1) if _EXPLAIN.match(statement) else statement
    try:
        found = connection.extract_statements(explained)
        for extracted in found:
            if extracted.type == kind.SELECT or _HARMLESS.match(explained):
                continue
            # A PIVOT is several statements, and so is a COPY or CREATE of one: only a query can
            # stand in parentheses.
            if extracted.type != kind.MULTI or not _is_query(connection, explained):
                raise RefusedStatement(_first_word(explained))
    except duckdb.Error as error:
        raise QueryError(error) from error
    if not found:
        raise RefusedStatement(_first_word(statement))


def _is_query(connection: duckdb.DuckDBPyConnection, statement: str) -> bool:
    import duckdb

    try:
        connection.extract_statements(f"FROM (\n{statement}\n)")
    except duckdb.ParserException:
        return False
    return True


def _first_word(statement: str) -> str:
    word = re.search(r"\w+", statement)
    return word[0].upper() if word else "this statement"


@contextmanager
def cancellable(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let Ctrl-C cancel the query that runs inside the block; raises KeyboardInterrupt then.

    DuckDB's client holds the main thread inside C until the query ends, where Python's own signal
    handler never runs. The wake-up descriptor is written by the signal itself.
    """
    import duckdb

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    was_pressed = threading.Event()
    receiving, sending = socket.socketpair()
    sending.setblocking(False)

    def watch() -> None:
        # Python writes the signal's number; closing the other end gives b"".
        while received := receiving.recv(1):
            if received[0] == signal.SIGINT:
                was_pressed.set()
                connection.interrupt()

    def note(number: int, frame: FrameType | None) -> None:
        was_pressed.set()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    earlier_handler = signal.signal(signal.SIGINT, note)
    earlier_descriptor = signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
    is_interrupted = False
    try:
        yield
    except duckdb.InterruptException:
        is_interrupted = True
    finally:
        signal.set_wakeup_fd(earlier_descriptor)
        signal.signal(signal.SIGINT, earlier_handler or signal.SIG_DFL)
        sending.close()
        watcher.join()
        receiving.close()
    if is_interrupted or was_pressed.is_set():
        raise KeyboardInterrupt
