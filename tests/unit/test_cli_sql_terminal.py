"""`unecho sql` on a terminal: the prompt, widths, what is not written there."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

UNECHO = (sys.executable, "-m", "pipeline.cli")


class Terminal:
    """A pseudo-terminal of 80 columns with a command behind it."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self.pid, self.descriptor = pty.fork()
        if not self.pid:
            env = os.environ | {"XDG_STATE_HOME": str(home), "TERM": "xterm", "COLUMNS": "80"}
            os.execve(command[0], list(command), env)
        self.seen = ""

    def until(self, text: str, seconds: float = 20) -> str:
        """Read until `text` was shown since the last call; return what was shown."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} was not shown, but {self.seen!r}"
            if select.select([self.descriptor], [], [], left)[0]:
                self.seen += os.read(self.descriptor, 4096).decode(errors="replace")
        shown, self.seen = self.seen, ""
        return shown

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def exit_code(self) -> int:
        try:
            while os.read(self.descriptor, 4096):
                pass
        except OSError:
            pass  # Linux says EIO when the other end is closed
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_the_prompt_answers_cancels_and_remembers(empty_warehouse: Path, tmp_path: Path) -> None:
    terminal = Terminal([*UNECHO, "--warehouse", str(empty_warehouse), "sql"], tmp_path)
    terminal.until("unecho> ")
    terminal.type("select 40 +\n")
    terminal.until("...> ")
    terminal.type("2 as answer;\n")
    assert "(1 row)" in terminal.until("unecho> ")
    terminal.type(".tables\n")
    assert "story_members" in terminal.until("unecho> ")
    terminal.type("selec;\n")
    assert "Parser Error" in terminal.until("unecho> ")
    terminal.type("select count(*) from range(100000000000) t(a), range(100) u(b);\n")
    time.sleep(1)
    terminal.type("\x03")
    assert "cancelled" in terminal.until("unecho> ")
    terminal.type(".quit\n")
    assert terminal.exit_code() == 0
    history = (tmp_path / "unecho" / "sql_history").read_text()
    assert "2 as answer;" in history


def test_parquet_is_not_written_to_a_terminal(empty_warehouse: Path, tmp_path: Path) -> None:
    command = [*UNECHO, "--warehouse", str(empty_warehouse), "sql", "SELECT 1", "-f", "parquet"]
    terminal = Terminal(command, tmp_path)
    terminal.until("send it to a file")
    assert terminal.exit_code() == 2


def test_a_table_fits_the_terminal_and_tells_of_more_rows(
    empty_warehouse: Path, tmp_path: Path
) -> None:
    query = "SELECT range AS n, repeat('긴 제목 ', 40) AS title FROM range(300)"
    command = [*UNECHO, "--warehouse", str(empty_warehouse), "sql", query]
    terminal = Terminal(command, tmp_path)
    shown = terminal.until("200 rows shown, there are more")
    assert terminal.exit_code() == 0
    assert "\x1b" not in shown
    assert "긴 제목 긴 제목" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "…" in shown
