"""`unecho rebuild` as a recorded flow run, read back from the server that recorded it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from prefect_api import Api

from flows.server import announced, local_server
from pipeline.settings import load_settings
from pipeline.store.layout import Layout
from pipeline.store.lock import writer_lock
from pipeline.store.snapshot import connect_published


def rebuild(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "--warehouse", str(root), "rebuild", *arguments],
        env=os.environ | {"UNECHO_LOCK_WAIT_SECONDS": "0.2"},
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_a_rebuild_is_recorded_and_so_is_one_that_fails(
    new_root: Callable[[str], Path], seed_warehouse: Path
) -> None:
    root = new_root("w")
    shutil.copytree(seed_warehouse, root, dirs_exist_ok=True)
    settings = load_settings(warehouse=root)
    with local_server(settings) as url, announced(root, int(url.split(":")[2].split("/")[0])):
        api = Api(url)
        answer = rebuild(root, "--set", "near_jaccard=0.95", "--json")
        assert answer.returncode == 0, answer.stderr
        summary = json.loads(answer.stdout)
        run_id = summary["recorded_url"].rsplit("/", 1)[1]
        run = api.get(f"/flow_runs/{run_id}")
        assert (run["state_type"], run["state"]["message"]) == ("COMPLETED", summary["headline"])
        assert api.get(f"/flows/{run['flow_id']}")["name"] == "rebuild"
        [artifact] = api.of_run("artifacts", run_id)
        assert artifact["key"] == "rebuild-report"
        assert summary["headline"][:60] in artifact["data"].replace("\n", " ")

        with writer_lock(Layout.at(root).lock, 0):
            refused = rebuild(root)
        assert refused.returncode == 1
        assert refused.stderr.startswith("unecho: another writer (pid ")
        newest = api.runs()[0]
        assert newest["state_type"] == "FAILED"
        assert newest["state"]["message"].startswith("another writer (pid ")

        n_runs = len(api.runs())
        assert rebuild(root, "--dry-run").returncode == 0
        assert rebuild(root, "--direct").returncode == 0
        assert len(api.runs()) == n_runs
    connection = connect_published(root)
    ledger = connection.sql("SELECT run_id FROM runs WHERE flow = 'rebuild'").fetchall()
    connection.close()
    assert (run_id,) in ledger
