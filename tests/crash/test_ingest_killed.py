"""`kill -9` in the middle of a real ingest, then again: nothing lost, nothing double."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pipeline.store.doctor import doctor

WORDS = [
    "harbour",
    "council",
    "vote",
    "channel",
    "winter",
    "storm",
    "ship",
    "crew",
    "herring",
    "season",
    "contractor",
    "licence",
    "agency",
    "beach",
    "width",
    "sand",
    "report",
    "minister",
    "budget",
    "school",
    "bridge",
    "river",
    "train",
    "strike",
    "court",
    "judge",
    "witness",
    "factory",
    "engine",
    "market",
    "price",
    "wheat",
    "rain",
    "forecast",
    "hospital",
    "nurse",
    "vaccine",
]


def write_articles(path: Path, count: int) -> list[str]:
    chance = random.Random(7)
    ids = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            text = "\n\n".join(" ".join(chance.choices(WORDS, k=40)) + "." for _ in range(5))
            ids.append(f"n{number}")
            file.write(
                json.dumps({"id": ids[-1], "source": "S", "title": "T", "text": text}) + "\n"
            )
    return ids


def start(root: Path, path: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline.cli", "--warehouse", str(root), "ingest", str(path)]
    command += ["--direct", "--batch-documents", "50"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("moment", [0.15, 0.4, 0.7])
def test_killed_and_repeated(tmp_path: Path, moment: float) -> None:
    root, path = tmp_path / "w", tmp_path / "in.jsonl"
    ids = write_articles(path, 1000)
    run = start(root, path)
    snapshots = root / "public" / "snapshots"
    deadline = time.monotonic() + 60
    # 20 batches: wait for a share of them, so that the kill falls in the middle of the work.
    while len(list(snapshots.glob("*.duckdb"))) < 20 * moment and time.monotonic() < deadline:
        assert run.poll() is None, "the run ended before it could be killed"
        time.sleep(0.002)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert start(root, path).wait() == 0
    with duckdb.connect(str(root / "public" / "news.duckdb"), read_only=True) as con:
        found = [r[0] for r in con.sql("SELECT native_id FROM articles_all").fetchall()]
        statuses = [r[0] for r in con.sql("SELECT status FROM runs ORDER BY started_at").fetchall()]
    assert sorted(found) == sorted(ids)
    assert statuses == ["crashed", "completed"]
    assert doctor(root) == []
