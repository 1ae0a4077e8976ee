"""The Prefect server of a warehouse: its settings as they take effect, its start and its end."""

from __future__ import annotations

import contextlib
import fcntl
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect_api import Api

from flows.server import (
    WAREHOUSE_HEADER,
    announced,
    api_url,
    client_environment,
    find_server,
    is_temporary,
    local_server,
    prefect_home,
    server_environment,
    warehouse_mark,
)
from pipeline.errors import SettingsError, WarehouseError
from pipeline.settings import Settings, load_settings

EFFECTIVE_IN_CLIENT = {
    "server.ephemeral.enabled": False,
    "server.analytics_enabled": False,
    "telemetry.enable_resource_metrics": False,
    "client.server_version_check_enabled": False,
    "client.max_retries": 3,
    "flows.heartbeat_frequency": 30,
    "tasks.default_no_cache": True,
    "tasks.runner.thread_pool_max_workers": 4,
    "results.persist_by_default": False,
    "runner.poll_frequency": 5,
    "runner.process_limit": 1,
    "internal.logging_level": "CRITICAL",
}
EFFECTIVE_IN_SERVER = EFFECTIVE_IN_CLIENT | {
    "server.api.host": "127.0.0.1",
    "server.ui.v2_enabled": False,
    "server.ui.show_promotional_content": False,
    "server.services.task_run_recorder.batch_size": 100,
    "server.services.task_run_recorder.read_batch_size": 100,
    "server.services.task_run_recorder.flush_interval": 1.0,
    "server.services.db_vacuum.retention_period": "P30D",
    "server.services.late_runs.enabled": False,
    "server.services.scheduler.enabled": False,  # a server for one run; that of serve has it
}
HOSTILE_TOML = """\
[server]
analytics_enabled = true
[server.ephemeral]
enabled = true
[tasks]
default_no_cache = false
[results]
persist_by_default = true
[flows]
heartbeat_frequency = 999
"""
READ_BACK = """\
import json, logging, os, sys
from pathlib import Path
from flows.server import use_server
assert "prefect" not in sys.modules
use_server(Path(sys.argv[1]), "http://127.0.0.1:1/api")
from prefect.logging.configuration import setup_logging
from prefect.settings import get_current_settings
setup_logging()
values = get_current_settings().model_dump(mode="json")
console = [h.level for h in logging.getLogger().handlers]
print(json.dumps([values, console, logging.getLogger("prefect.task_runs").level,
                  os.environ["DO_NOT_TRACK"]]))
"""


def value_at(values: dict[str, Any], path: str) -> Any:
    for part in path.split("."):
        values = values[part]
    return values


def settings_of(root: Path) -> Settings:
    return load_settings(warehouse=root, lock_wait_seconds=0.0)


def test_settings_take_effect_whatever_lies_in_the_callers_directory(tmp_path: Path) -> None:
    (tmp_path / "prefect.toml").write_text(HOSTILE_TOML)
    (tmp_path / ".env").write_text("PREFECT_SERVER_ANALYTICS_ENABLED=true\n")
    home = tmp_path / "home" / ".prefect"
    home.mkdir(parents=True)
    (home / "profiles.toml").write_text(
        'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "https://api.prefect.cloud/api"\n'
    )
    read = subprocess.run(
        [sys.executable, "-c", READ_BACK, str(tmp_path / "w")],
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    values, console, task_level, do_not_track = json.loads(read.stdout)
    for path, expected in EFFECTIVE_IN_CLIENT.items():
        assert value_at(values, path) == expected, path
    assert values["home"] == str(prefect_home(tmp_path / "w"))
    assert values["api"]["url"] == "http://127.0.0.1:1/api"
    assert console == [50]  # only what is critical: the terminal has our own report
    assert task_level == 30
    assert do_not_track == "1"


def test_every_variable_names_a_setting_of_prefect(tmp_path: Path) -> None:
    """Prefect ignores a name that it does not know, and says nothing."""
    named = subprocess.run(
        [
            sys.executable,
            "-c",
            "from prefect.settings.models.root import Settings, _get_settings_accessors as a;"
            "print('\\n'.join(a(Settings)))",
        ],
        env=os.environ | client_environment(tmp_path, "http://127.0.0.1:1/api"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ours = set(server_environment(tmp_path, 1)) - {"DO_NOT_TRACK"}
    # These two override keys of Prefect's logging.yml; their effect is tested above.
    logging = {k for k in ours if k.startswith(("PREFECT_LOGGING_HANDLERS", "PREFECT_LOGGING_LOG"))}
    assert len(logging) == 2
    assert ours - logging <= set(named)


def test_a_server_runs_for_the_time_of_the_block(new_root: Callable[[str], Path]) -> None:
    root = new_root("w")
    settings = settings_of(root)
    with local_server(settings) as url:
        api = Api(url)
        values = api.get("/admin/settings")
        for path, expected in EFFECTIVE_IN_SERVER.items():
            assert value_at(values, path) == expected, path
        enabled = value_at(values, "server.services.db_vacuum.enabled")
        assert sorted(enabled) == ["events", "flow_runs"]
        assert values["home"] == str(prefect_home(root))
        assert (prefect_home(root) / "prefect.db-wal").exists()  # its database is open there
        assert find_server(settings) is None  # nobody told of it: it is for one run
        assert is_temporary(root, url)
        with announced(root, api_port(url)):
            assert find_server(settings) == url
            assert find_server(settings_of(root.parent / "other")) is None
            assert not is_temporary(root, url)
        assert find_server(settings) is None

        _, headers, _ = api.ask("GET", "/health", headers={"origin": "http://evil.example"})
        assert headers.get("access-control-allow-origin") is None
        assert headers[WAREHOUSE_HEADER] == warehouse_mark(root)
        _, headers, page = Api(url.removesuffix("/api")).ask(
            "GET", "/dashboard", headers={"accept": "text/html"}
        )
        assert b"<html" in page
        assert "connect-src 'self'" in headers["content-security-policy"]
        # Prefect fetches this list from the internet; refused, it takes its own copy.
        began = time.monotonic()
        assert "prefect" in api.get("/collections/views/aggregate-worker-metadata")
        assert time.monotonic() - began < 5

        with pytest.raises(WarehouseError, match="another unecho runs"), local_server(settings):
            pass
    with pytest.raises(ConnectionRefusedError):
        api.ask("GET", "/health")


def api_port(url: str) -> int:
    return int(url.split(":")[2].split("/")[0])


PARENT = """\
import sys, time
from pathlib import Path
from flows.server import local_server
from pipeline.settings import load_settings
root = Path(sys.argv[1])
lock = open(root / "held.lock", "w")
import fcntl
fcntl.flock(lock, fcntl.LOCK_EX)
with local_server(load_settings(warehouse=root)) as url:
    print(url, flush=True)
    time.sleep(600)
"""


def test_a_server_ends_with_a_parent_that_is_killed(new_root: Callable[[str], Path]) -> None:
    root = new_root("w")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(root)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        api = Api(parent.stdout.readline().strip())
    assert api.get("/health") is True
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            api.ask("GET", "/health")
        except OSError:
            break
        time.sleep(0.1)
    with pytest.raises(OSError, match="refused"):
        api.ask("GET", "/health")
    with (root / "held.lock").open("w") as lock:  # the server did not inherit it
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(SettingsError, match=f"port {port} .*cannot be used.*server_port"),
            local_server(settings_of(tmp_path), port),
        ):
            pass


def test_a_server_that_does_not_start_names_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken database is found out at once, not after the time limit."""
    home = prefect_home(tmp_path)
    home.mkdir()
    (home / "prefect.db").write_bytes(b"this is no database" * 100)
    with (
        pytest.raises(WarehouseError, match=r"ended while it started.*server\.log"),
        local_server(settings_of(tmp_path)),
    ):
        pass
    assert "database" in (home / "server.log").read_text()


@contextlib.contextmanager
def stranger(body: bytes, header: str | None) -> Iterator[int]:
    """Answer like a healthy Prefect server on a free port, which is yielded."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if header:
                self.send_header(WAREHOUSE_HEADER, header)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_stranger_on_the_port_is_not_our_server(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    prefect_home(tmp_path).mkdir()
    with stranger(b"true", None) as port, announced(tmp_path, port):
        assert find_server(settings) is None
    with stranger(b"true", warehouse_mark(tmp_path)) as port, announced(tmp_path, port):
        assert find_server(settings) == api_url(port)


def test_the_state_of_a_dead_server_is_not_believed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    prefect_home(tmp_path).mkdir()
    state = prefect_home(tmp_path) / "server.json"
    with stranger(b"true", warehouse_mark(tmp_path)) as port:
        state.write_text(json.dumps({"pid": dead.pid, "port": port, "started_at": "now"}))
        assert find_server(settings_of(tmp_path)) is None
    state.write_text("{")
    assert find_server(settings_of(tmp_path)) is None


def test_the_server_that_the_environment_names_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger(b"true", None) as port:
        monkeypatch.setenv("PREFECT_API_URL", api_url(port))
        assert find_server(settings_of(tmp_path)) == api_url(port)
    assert find_server(settings_of(tmp_path)) is None
    with stranger(b"busy", None) as port:
        monkeypatch.setenv("PREFECT_API_URL", api_url(port))
        assert find_server(settings_of(tmp_path)) is None


CHILD = """\
import os, subprocess, sys, threading
from flows.children import end_with_parent, parent_environment
if sys.argv[1:] == ["child"]:
    end_with_parent()
    print(os.getpid(), flush=True)
    threading.Event().wait()
def start():
    subprocess.Popen([sys.executable, __file__, "child"], env=os.environ | parent_environment())
if sys.argv[1] == "thread":
    thread = threading.Thread(target=start); thread.start(); thread.join()
else:
    start()
threading.Event().wait()
"""


@pytest.mark.parametrize("started_in", ["main", "thread"])
def test_a_child_ends_with_its_parent_but_not_with_the_thread_that_started_it(
    tmp_path: Path, started_in: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(CHILD)
    parent = subprocess.Popen(
        [sys.executable, str(program), started_in], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
        time.sleep(1.0)
        os.kill(child, 0)  # it lives, though its thread may have ended
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and Path(f"/proc/{child}").exists():
            time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
