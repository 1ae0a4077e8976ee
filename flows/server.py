"""The Prefect server of a warehouse: its settings, where it runs, and one for the time of a run.

Nothing here imports Prefect (1-2 s): a direct ingest never needs it. Every setting travels as an
environment variable, so neither a `prefect.toml` in the caller's directory nor a profile in the
caller's home changes what a run does.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from flows import children
from pipeline.errors import SettingsError, WarehouseError
from pipeline.settings import Settings

HOST = "127.0.0.1"
WAREHOUSE_HEADER = "x-unecho-warehouse"
"""Every answer of our server names its warehouse, so that a stranger on the port is known."""

_START_SECONDS = 90.0
"""A first start writes the database: 9-16 s measured, on a loaded machine more."""
_ANSWER_SECONDS = 3.0
_STOP_SECONDS = 6.0
_RUN_HISTORY_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class ServerState:
    """What `server.json` says of the server that runs for a warehouse."""

    pid: int
    port: int
    started_at: str


def prefect_home(root: Path) -> Path:
    """Return where everything of Prefect lies for the warehouse `root`."""
    return root.resolve() / "prefect"


def api_url(port: int) -> str:
    """Return the address of the API of our server on `port`."""
    return f"http://{HOST}:{port}/api"


def run_page(api: str, flow_run_id: str) -> str:
    """Return the page of a flow run in the UI of the server whose API is `api`."""
    return f"{api.removesuffix('/').removesuffix('/api')}/runs/flow-run/{flow_run_id}"


def client_environment(root: Path, api: str) -> dict[str, str]:
    """Return the settings of a process that records flow runs with the server at `api`."""
    return {
        "PREFECT_HOME": str(prefect_home(root)),
        "PREFECT_API_URL": api,
        # The default profile turns the temporary server on that costs 6-15 s a process.
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        # 2 + 4 + 8 s: a cold server answers 503 for moments, a stopped one must not hold us long
        # (152 s measured with the default of 5).
        "PREFECT_CLIENT_MAX_RETRIES": "3",
        "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
        # Prefect's floor; it is what tells a dead run from a slow one.
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        # What makes an ingest repeatable is the ledger of the warehouse, not a cache of results.
        "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS": "4",
        # A run's log goes to the UI; the terminal has our own report.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        # One line a batch says more than "Finished in state Completed()" for each of its tasks.
        "PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL": "WARNING",
        "PREFECT_RUNNER_POLL_FREQUENCY": "5",
        "PREFECT_RUNNER_PROCESS_LIMIT": "1",
    }


def server_environment(root: Path, port: int, *, has_schedules: bool = True) -> dict[str, str]:
    """Return the settings of the server of the warehouse `root` on `port`, and of its clients.

    Without schedules it does not plan runs that nobody would run.
    """
    return client_environment(root, api_url(port)) | {
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": (
            f"sqlite+aiosqlite:///{prefect_home(root) / 'prefect.db'}"
        ),
        # The default lets any page that is open in the operator's browser call the API.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port},http://localhost:{port}",
        "PREFECT_SERVER_UI_API_URL": api_url(port),
        # The first UI shows artifacts and log lines legibly and calls nobody.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Default 1: the UI then lags 30 s behind 1,000 task runs, with 100 it is 5-6 s.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "true" if has_schedules else "false",
        # Marking each overdue run late is a transaction that reads and then writes. Under other
        # writers it fails with "database is locked", and what such a failure leaves on its
        # connection then froze the server for 60 s (the time SQLite waits for a lock): 4 of 30
        # runs after downtime. A waiting run loses only the word Late.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
        # About 20 KB of SQLite a task run: runs are kept for 30 days.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(_RUN_HISTORY_SECONDS),
    }


def use_server(root: Path, api: str) -> None:
    """Set this process up to record with the server at `api`; before Prefect is imported."""
    os.environ.update(client_environment(root, api))


def find_server(settings: Settings) -> str | None:
    """Return the API address of a server to record with; None where there is none.

    First the one that PREFECT_API_URL names, when it answers; else `unecho serve` of this
    warehouse.
    """
    named = os.environ.get("PREFECT_API_URL")
    if named and answers(named) is not None:
        return named
    state = read_state(settings.warehouse)
    if state is None or not _is_alive(state.pid):
        return None
    headers = answers(api_url(state.port))
    is_ours = headers is not None and headers.get(WAREHOUSE_HEADER) == warehouse_mark(
        settings.warehouse
    )
    return api_url(state.port) if is_ours else None


def is_listening(api: str) -> bool:
    """Return whether anybody listens at the address; a server too busy to answer still does."""
    parts = urlsplit(api)
    try:
        with socket.create_connection((parts.hostname or HOST, parts.port), _ANSWER_SECONDS):
            return True
    except ConnectionRefusedError:
        return False
    except OSError:
        return True


def is_temporary(root: Path, api: str) -> bool:
    """Return whether `api` is a server of this warehouse that no `unecho serve` keeps running."""
    state = read_state(root)
    if state is not None and api_url(state.port) == api:
        return False
    headers = answers(api)
    return headers is not None and headers.get(WAREHOUSE_HEADER) == warehouse_mark(root)


def warehouse_mark(root: str | Path) -> str:
    """Return the mark by which a server and its clients know that they mean one warehouse."""
    return hashlib.blake2b(str(Path(root).resolve()).encode(), digest_size=8).hexdigest()


@contextlib.contextmanager
def local_server(
    settings: Settings,
    port: int | None = None,
    *,
    while_starting: Callable[[str], None] | None = None,
) -> Iterator[str]:
    """Run the Prefect server of the warehouse on loopback for the time of the block.

    Yields the address of its API. Without `port` a free one is taken, and schedules rest. The
    server ends with the block, and with this process even by `kill -9`. `while_starting` is
    called with the address meanwhile (4-5 s, 13 s the first time).

    Raises:
        SettingsError: `port` is in use.
        WarehouseError: another unecho runs the server of this warehouse, or it does not start.
    """
    home = prefect_home(settings.warehouse)
    home.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_only_server(home, settings.lock_wait_seconds if port is None else 0))
        listening = stack.enter_context(_bound(port))
        number = int(listening.getsockname()[1])
        log = home / "server.log"
        server = children.spawn(
            "flows.server_child",
            [str(listening.fileno()), str(settings.warehouse.resolve())],
            _without_prefect(os.environ)
            | server_environment(settings.warehouse, number, has_schedules=port is not None),
            cwd=home,
            log=log,
            keep=[listening.fileno()],
        )
        stack.callback(children.stop, server, _STOP_SECONDS)
        listening.close()  # the child has its own: a dead server must not leave the port answering
        if while_starting is not None:
            while_starting(api_url(number))
        _wait_until_healthy(server, number, log)
        yield api_url(number)


def read_state(root: Path) -> ServerState | None:
    """Return what is written of the server of the warehouse; None without a readable file."""
    try:
        fields = json.loads((prefect_home(root) / "server.json").read_text())
        return ServerState(int(fields["pid"]), int(fields["port"]), str(fields["started_at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def announced(root: Path, port: int) -> Iterator[None]:
    """Let other processes find the server on `port` for the time of the block."""
    path = prefect_home(root) / "server.json"
    state = ServerState(os.getpid(), port, datetime.now(UTC).isoformat(timespec="seconds"))
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(asdict(state)) + "\n")
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _only_server(home: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock that keeps a second server off the same database."""
    deadline = time.monotonic() + wait_seconds
    with (home / "server.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise WarehouseError(
                        f"another unecho runs the Prefect server of {home.parent}",
                        next_step="stop it first, or wait until its run is over",
                    ) from None
                time.sleep(0.2)
        yield


def _bound(port: int | None) -> socket.socket:
    """Return a socket on loopback that the server will listen on; our child inherits it."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port or 0))
    except OSError as error:
        listening.close()
        raise SettingsError(
            "server_port",
            f"port {port} of {HOST} cannot be used ({error.strerror})",
            next_step="stop what runs there, or set another server_port",
        ) from error
    return listening


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the server answers."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise WarehouseError(
                f"the Prefect server ended while it started (exit {server.returncode})",
                next_step=f"read {log}",
            )
        if answers(api_url(port)) is not None:
            return
        time.sleep(0.1)
    raise WarehouseError(
        f"the Prefect server did not answer within {_START_SECONDS:.0f} s", next_step=f"read {log}"
    )


def answers(api: str) -> http.client.HTTPMessage | None:
    """Return the headers of the server's health answer; None when it is not healthy.

    `http.client` because it knows no proxy: an address on loopback must not leave the machine.
    """
    parts = urlsplit(api)
    is_tls = parts.scheme == "https"
    kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or HOST, parts.port, timeout=_ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", f"{parts.path.rstrip('/')}/health")
            answer = connection.getresponse()
            is_healthy = answer.status == http.HTTPStatus.OK and answer.read().strip() == b"true"
            return answer.headers if is_healthy else None
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _without_prefect(environment: os._Environ[str]) -> dict[str, str]:
    """Return the environment without the caller's own Prefect settings."""
    return {k: v for k, v in environment.items() if not k.startswith("PREFECT_")}
