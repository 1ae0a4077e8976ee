"""Reading what is published: `public/news.duckdb`, opened as any analyst opens it."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pipeline.errors import WarehouseError

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


@contextmanager
def open_published(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published snapshot of the warehouse at `root`, read-only.

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


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: list[Any] | None = None
) -> list[dict[str, Any]]:
    """Run a query and return its rows as mappings of column to value, ids as text."""
    answer = connection.execute(query, values)
    names = [column[0] for column in answer.description or ()]
    return [
        {n: str(v) if isinstance(v, UUID) else v for n, v in zip(names, row, strict=True)}
        for row in answer.fetchall()
    ]


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
