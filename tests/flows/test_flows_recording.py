"""`unecho ingest` as a recorded flow run, read back from the server that recorded it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest
from prefect_api import Api

from flows.server import announced, local_server, prefect_home
from pipeline.settings import load_settings
from pipeline.store.layout import Layout
from pipeline.store.lock import writer_lock

UNECHO = (sys.executable, "-m", "pipeline.cli")
STAGES = [
    "land",
    "parse",
    "split-paragraphs",
    "find-lines",
    "learn-furniture",
    "find-repeats",
    "find-captions",
    "find-furniture",
    "clean-text",
    "find-passages",
    "sign",
    "find-candidates",
    "verify",
    "derive-stories",
    "find-spans",
    "find-sightings",
    "find-shared",
    "compare-revisions",
    "publish",
]
ARTICLES = [
    {
        "id": str(n),
        "source": source,
        "title": f"{source} {n}",
        "text": f"The ferry of {place} leaves at {n} in the morning.\n\n"
        f"The harbour master of {place} counted the passengers twice and wrote it down."
        f"\n\n© {place} Post. All rights reserved.",
        "published_at": "2026-03-01T08:00:00Z",
    }
    for source in ("항구신문", "harbour|post_1")
    for n, place in enumerate(["Sorvik", "Altmar", "Penrose"], start=1)
]


def unecho(
    root: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UNECHO, "--warehouse", str(root), *arguments],
        env=os.environ | {"NO_COLOR": "1"} | (environment or {}),
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl"
    path.write_text("\n".join(json.dumps(a, ensure_ascii=False) for a in ARTICLES) + "\n{broken\n")
    return path


@pytest.fixture(scope="module")
def served(started_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the root of a warehouse whose server runs as that of `unecho serve` does."""
    root = tmp_path_factory.mktemp("served") / "w"
    shutil.copytree(started_once, prefect_home(root))
    settings = load_settings(warehouse=root)
    with local_server(settings) as url, announced(root, int(url.split(":")[2].split("/")[0])):
        yield root


def api_of(root: Path) -> Api:
    state = json.loads((prefect_home(root) / "server.json").read_text())
    return Api(f"http://127.0.0.1:{state['port']}/api")


def settled_task_runs(api: Api, run_id: str, n_expected: int) -> list[dict[str, Any]]:
    """Return the task runs once the server has written them (about a second after they ended)."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = api.of_run("task_runs", run_id)
        if len(found) >= n_expected and all(t["state_type"] == "COMPLETED" for t in found):
            break
        time.sleep(0.2)
    return found


def test_a_run_is_recorded_with_its_tasks_and_artifacts(served: Path, articles: Path) -> None:
    answer = unecho(served, "ingest", str(articles), "--batch-documents", "4", "--json")
    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    api = api_of(served)
    page = summary["recorded_url"]
    run_id = page.rsplit("/", 1)[1]
    assert page == f"{api.url.removesuffix('/api')}/runs/flow-run/{run_id}"

    run = api.get(f"/flow_runs/{run_id}")
    assert run["state_type"] == "COMPLETED"
    assert run["state"]["message"] == summary["headline"]
    assert re.fullmatch(r"articles\.jsonl \d{4}-\d\d-\d\d \d\d:\d\d", run["name"])
    assert api.get(f"/flows/{run['flow_id']}")["name"] == "ingest"

    tasks = settled_task_runs(api, run_id, 2 * len(STAGES))
    assert sorted(t["name"] for t in tasks) == sorted(
        f"{stage} batch {batch}" for stage in STAGES for batch in (1, 2)
    )
    assert {t["state_type"] for t in tasks} == {"COMPLETED"}
    # Nothing of a stage goes through Prefect: no parameters, no cached or stored results.
    assert {k for t in tasks for k in t["task_inputs"]} <= {"wait_for"}
    assert {t["cache_key"] for t in tasks} == {None}
    assert not (prefect_home(served) / "storage").exists()

    log = api.log_of(run_id)
    assert "batch 1 published: 4 documents in" in log
    assert "batch 2 published: 3 documents in" in log
    assert summary["headline"] in log

    artifacts = {a["key"]: a for a in api.of_run("artifacts", run_id)}
    assert set(artifacts) == {"ingest-report", "largest-stories"}
    assert artifacts["ingest-report"]["type"] == "markdown"
    stories = json.loads(artifacts["largest-stories"]["data"])
    assert [s["articles"] for s in stories] == [2, 2, 2]
    report(artifacts["ingest-report"]["data"], served, run_id, summary)

    with duckdb.connect(str(served / "public" / "news.duckdb"), read_only=True) as connection:
        ledger = connection.execute("SELECT run_id, status FROM runs").fetchall()
    assert ledger == [(run_id, "completed")]


def report(markdown: str, root: Path, run_id: str, summary: dict[str, Any]) -> None:
    """Hold that the report says what happened, in Markdown that both UIs show."""
    assert markdown.startswith(f"**{summary['headline']}**")
    assert "| 항구신문 | 3 |" in markdown
    assert "harbour\\|post\\_1" in markdown
    assert "`broken_json`" in markdown
    assert "1 documents; `unecho quarantine list`" in markdown
    svg = base64.b64decode(markdown.split("data:image/svg+xml;base64,")[1].split(")")[0])
    assert "항구신문" in "".join(ElementTree.fromstring(svg).itertext())
    assert f"`{root.resolve()}/public/news.duckdb`" in markdown
    queries = markdown.split("```sql\n")[1].split("```")[0]
    assert run_id in queries
    with duckdb.connect(str(root / "public" / "news.duckdb"), read_only=True) as connection:
        for query in filter(str.strip, queries.split(";")):
            assert connection.execute(query).fetchall(), query


def test_a_run_that_fails_says_why_in_one_line(served: Path, articles: Path) -> None:
    api = api_of(served)
    before = {r["id"] for r in api.runs()}
    with writer_lock(Layout.at(served).lock, 0):
        answer = unecho(
            served, "ingest", str(articles), environment={"UNECHO_LOCK_WAIT_SECONDS": "0.2"}
        )
    assert answer.returncode == 1
    line = answer.stderr.strip().splitlines()[-1]
    assert "another writer" in line
    assert "Traceback" not in answer.stderr
    (run,) = [r for r in api.runs() if r["id"] not in before]
    assert run["state_type"] == "FAILED"
    assert "another writer" in run["state"]["message"]
    assert "\n" not in run["state"]["message"]


def test_nothing_leaves_the_machine(
    new_root: Callable[[str], Path], articles: Path, tmp_path: Path
) -> None:
    """Server, flow and command line of one recorded run, every connection of theirs watched."""
    noted = tmp_path / "noted"
    watched = {
        "PYTHONPATH": str(Path(__file__).parent / "loopback_only"),
        "NOTED_CONNECTIONS": str(noted),
    }
    control = subprocess.run(
        [sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 80))"],
        env=os.environ | watched,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert control.returncode == 1
    assert "192.0.2.1" in noted.read_text()  # the watch works
    noted.unlink()

    root = new_root("w")
    answer = unecho(root, "ingest", str(articles), "--prefect", "--json", environment=watched)
    assert answer.returncode == 0, answer.stderr
    assert not noted.exists(), noted.read_text()

    # The run is there for the server that is started next, complete.
    page = json.loads(answer.stdout)["recorded_url"]
    assert page.startswith("http://127.0.0.1:4200/runs/flow-run/")
    run_id = page.rsplit("/", 1)[1]
    with contextlib.closing(sqlite3.connect(prefect_home(root) / "prefect.db")) as base:

        def column(query: str) -> list[str]:
            return [str(row[0]) for row in base.execute(query, [run_id])]

        assert column("SELECT state_type FROM flow_run WHERE id = ?") == ["COMPLETED"]
        names = column("SELECT name FROM task_run WHERE flow_run_id = ?")
        assert sorted(names) == sorted(f"{s} batch 1" for s in STAGES)
        states = column("SELECT state_type FROM task_run WHERE flow_run_id = ?")
        assert set(states) == {"COMPLETED"}
        keys = column("SELECT key FROM artifact WHERE flow_run_id = ?")
        assert set(keys) == {"ingest-report", "largest-stories"}
        logged = column("SELECT message FROM log WHERE flow_run_id = ?")
        assert any("batch 1 published" in line for line in logged)


def test_a_server_that_stops_costs_the_record_not_the_articles(
    new_root: Callable[[str], Path], articles: Path
) -> None:
    """The server is killed as soon as the run is there; what came in is published all the same."""
    root = new_root("w")
    program = (
        "import os, signal, sys, threading, flows.ingest as ingest\n"
        "from flows.server import read_state\n"
        "whole = ingest.run_ingest\n"
        "def killing(*arguments, **named):\n"
        "    os.kill(int(os.environ['SERVER']), signal.SIGKILL)\n"
        "    return whole(*arguments, **named)\n"
        "ingest.run_ingest = killing\n"
        "from pipeline.cli import main\n"
        "main()\n"
    )
    with local_server(load_settings(warehouse=root)) as url:
        port = int(url.split(":")[2].split("/")[0])
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        mine = str(root).encode()
        server = next(c for c in children if mine in Path(f"/proc/{c}/cmdline").read_bytes())
        with announced(root, port):
            answer = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    program,
                    "--warehouse",
                    str(root),
                    "ingest",
                    str(articles),
                    "--json",
                ],
                env=os.environ | {"SERVER": server},
                capture_output=True,
                text=True,
                timeout=150,
            )
    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    assert summary["n_articles"] == len(ARTICLES)
    assert summary["alarms"] == [
        "the Prefect server stopped during the run: its record is incomplete"
    ]
