"""`unecho serve` as an operator runs it: files arrive, runs fire, it is stopped or killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prefect_api import Api

from flows.server import prefect_home
from pipeline.store.layout import Layout
from pipeline.store.lock import writer_lock

UNECHO = str(Path(sys.executable).with_name("unecho"))
PRESS = {"any_": ["press"]}
UNFINISHED = {"RUNNING", "PENDING", "CANCELLING"}


class House:
    """A warehouse with drop folders, and `unecho serve` on it."""

    def __init__(self, root: Path, schedule: str) -> None:
        self.root = root
        self.folder = root.parent
        self.port = free_port()
        self.config = self.folder / "unecho.toml"
        (self.folder / "press").mkdir()
        (self.folder / "wire").mkdir()
        self.config.write_text(
            f'warehouse = "{root}"\nserver_port = {self.port}\nsettle_seconds = 0\n'
            f'[[source]]\nid = "press"\npath = "press"\nschedule = "{schedule}"\n'
            'timezone = "Asia/Seoul"\n'
            '[[source]]\nid = "wire"\npath = "wire"\nschedule = "0 4 * * *"\n'
        )
        # A package of the same name in the directory of the caller must not be taken for ours.
        (self.folder / "elsewhere" / "flows").mkdir(parents=True)
        (self.folder / "elsewhere" / "flows" / "__init__.py").write_text("raise SystemExit(77)")
        self.api = Api(f"http://127.0.0.1:{self.port}/api")

    def drop(self, name: str, *texts: str) -> None:
        """Put a file into the press folder."""
        lines = [json.dumps({"id": f"{name} {n}", "text": t}) for n, t in enumerate(texts)]
        (self.folder / "press" / name).write_text("\n".join(lines) + "\n")

    @contextlib.contextmanager
    def serving(self) -> Iterator[subprocess.Popen[str]]:
        """Start it, wait until it has told of its schedules, and see that nothing stays."""
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(
                [UNECHO, "serve"],
                cwd=self.folder / "elsewhere",
                env=os.environ | {"UNECHO_CONFIG": str(self.config)},
                stdout=subprocess.DEVNULL,
                stderr=said,
                text=True,
            )
        try:
            until(lambda: "Ctrl-C stops it" in self.said() or process.poll() is not None, 60)
            assert process.poll() is None, self.said()
            yield process
        finally:
            process.kill()
            process.wait()
            until(lambda: not self.processes(), 5)

    def said(self) -> str:
        """Return what it printed."""
        return (self.folder / "said").read_text()

    def processes(self) -> list[int]:
        """Return the processes of this house: server and flow runs know its root."""
        mine = str(self.root).encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    command = (entry / "cmdline").read_bytes()
                    environment = (entry / "environ").read_bytes()
                    is_child = b"server_child" in command or b"prefect.engine" in command
                    if is_child and (mine in command or mine in environment):
                        found.append(int(entry.name))
        return found

    def runs(self, source: str = "press") -> list[dict[str, Any]]:
        """Return the runs of a source that began or were refused, newest first."""
        return [r for r in self.api.runs() if r["parameters"].get("source") == source]

    def run_that_waits(self, since: datetime) -> str:
        """Return the id of the run that waits for the lock, which is ours since `since`.

        One that began earlier may have written already and be about to end, or be the one that
        waits, so that none begins behind it: it waits if it still runs after ten seconds.
        """
        found: list[str] = []
        first_seen: dict[str, float] = {}

        def one_waits() -> bool:
            now = time.monotonic()
            running = [run for run in self.runs() if run["state_type"] == "RUNNING"]
            found[:] = [
                str(run["id"])
                for run in running
                if datetime.fromisoformat(run["start_time"]) > since
                or now - first_seen.setdefault(run["id"], now) > 10
            ]
            return len(found) == 1

        until(one_waits, 40)
        return found[0]

    def ids(self) -> set[str]:
        """Return the native ids of the articles that analysts see."""
        database = self.root / "public" / "news.duckdb"
        if not database.exists():
            return set()
        with duckdb.connect(str(database), read_only=True) as connection:
            rows = connection.execute("SELECT native_id FROM articles_all").fetchall()
        return {row[0] for row in rows}

    def states_after(self) -> dict[str, str]:
        """Return the state of every run that began, from the database once all is stopped."""
        with contextlib.closing(sqlite3.connect(prefect_home(self.root) / "prefect.db")) as base:
            rows = base.execute("SELECT id, state_type FROM flow_run WHERE start_time IS NOT NULL")
            return dict(rows.fetchall())


def stopped_by(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send the signal and hold that it ends well within ten seconds."""
    process.send_signal(number)
    assert process.wait(10) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], object], seconds: float) -> None:
    """Wait until it holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.2)


def test_serve_through_a_kill_and_ctrl_c(new_root: Callable[[str], Path]) -> None:
    """One warehouse, served twice (each start costs 5 s, so that the parts share them)."""
    house = House(new_root("w"), "5s")
    house.drop("one.jsonl", "The lighthouse keeper of Sorvik counted forty ships in one night.")
    lock = Layout.at(house.root).lock
    began = datetime.now(UTC)
    with house.serving() as process, writer_lock(lock, 0):  # runs wait for it: slow runs
        killed = runs_never_overlap(house, began)
        a_kill_ends_server_and_flow_run_too(house, process, killed)
    with house.serving() as process:  # slots passed while nothing ran
        what_the_kill_left_is_in_order(house, killed)
        files_that_arrive_are_taken(house)
        somebody_elses_ingest_is_recorded_here(house)
        with writer_lock(lock, 30):
            ctrl_c_ends_a_run_that_is_going_on(house, process, datetime.now(UTC))


def runs_never_overlap(house: House, since: datetime) -> str:
    going_on = house.run_that_waits(since)
    time.sleep(6)  # the next slot comes meanwhile
    begun = [r["id"] for r in house.runs() if r["state_type"] != "CANCELLED"]
    assert begun == [going_on]
    (press,) = house.api.post("/deployments/filter", {"deployments": {"name": PRESS}})
    assert press["global_concurrency_limit"]["limit"] == 1
    assert press["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    return going_on


def a_kill_ends_server_and_flow_run_too(
    house: House, process: subprocess.Popen[str], killed: str
) -> None:
    process.kill()
    process.wait()
    until(lambda: not house.processes(), 3)
    assert house.states_after()[killed] == "RUNNING"  # nobody was left to say otherwise


def ctrl_c_ends_a_run_that_is_going_on(
    house: House, process: subprocess.Popen[str], since: datetime
) -> None:
    interrupted = house.run_that_waits(since)
    stopped_by(process, signal.SIGINT)
    until(lambda: not house.processes(), 1)
    states = house.states_after()
    assert states[interrupted] in ("CANCELLED", "CRASHED")
    assert not UNFINISHED & set(states.values())
    assert house.said().rstrip().endswith("stopped")
    assert "Traceback" not in house.said()
    assert not (prefect_home(house.root) / "server.json").exists()


def what_the_kill_left_is_in_order(house: House, killed: str) -> None:
    assert f"UI at http://127.0.0.1:{house.port}" in house.said()
    assert "press: next run" in house.said()
    assert "04:00:00 (UTC)" in house.said()
    assert "1 runs left over" in house.said()
    left = house.api.get(f"/flow_runs/{killed}")
    assert left["state_type"] == "CRASHED"
    assert "left over" in left["state"]["message"]


def files_that_arrive_are_taken(house: House) -> None:
    until(lambda: house.ids() == {"one.jsonl 0"}, 40)  # the place of the dead run is free
    # What was missed was not made up for one by one: one run, perhaps the next slot's too.
    done = [r for r in house.runs() if r["state_type"] in ("RUNNING", "COMPLETED")]
    assert len(done) <= 2
    house.drop("two.jsonl", "A bakery in Altmar sells bread for a song, and means it.")
    until(lambda: house.ids() == {"one.jsonl 0", "two.jsonl 0"}, 40)
    assert [r for r in house.runs() if r["state_type"] == "FAILED"] == []
    assert house.runs("wire") == []  # not its time


def somebody_elses_ingest_is_recorded_here(house: House) -> None:
    answer = subprocess.run(
        [UNECHO, "ingest", "press", "--json"],
        cwd=house.folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    assert summary["recorded_url"].startswith(f"http://127.0.0.1:{house.port}/runs/flow-run/")
    assert summary["n_documents"] == 0  # its files are taken


def test_without_a_source_the_ui_is_served_and_sigterm_ends_it(
    new_root: Callable[[str], Path],
) -> None:
    house = House(new_root("w"), "5s")
    house.config.write_text(f'warehouse = "{house.root}"\nserver_port = {house.port}\n')
    with house.serving() as process:
        assert f"UI at http://127.0.0.1:{house.port}\n" in house.said()
        assert "no schedule runs yet: write a [[source]]" in house.said()
        page = Api(f"http://127.0.0.1:{house.port}").ask(
            "GET", "/dashboard", headers={"accept": "text/html"}
        )
        assert b"<html" in page[2]
        stopped_by(process, signal.SIGTERM)
        until(lambda: not house.processes(), 1)
    assert house.said().rstrip().endswith("stopped")
    assert "Traceback" not in house.said()
    assert not (prefect_home(house.root) / "server.json").exists()


@pytest.mark.parametrize(
    ("schedule", "said"), [("soon", "neither a cron line nor"), ("9999d", "longer than 366 days")]
)
def test_settings_that_cannot_be_served_are_one_line(
    tmp_path: Path, schedule: str, said: str
) -> None:
    source = f'[[source]]\nid = "a"\npath = "a"\nschedule = "{schedule}"\n'
    (tmp_path / "unecho.toml").write_text(f'warehouse = "{tmp_path / "w"}"\n{source}')
    answer = subprocess.run([UNECHO, "serve"], cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_a_port_in_use_is_one_line_with_the_next_step(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "unecho.toml").write_text(
            f'warehouse = "{tmp_path / "w"}"\nserver_port = {taken.getsockname()[1]}\n'
            '[[source]]\nid = "a"\npath = "a"\n'
        )
        answer = subprocess.run([UNECHO, "serve"], cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 2
    assert "cannot be used" in answer.stderr
    assert "server_port" in answer.stderr
    assert "Traceback" not in answer.stderr
