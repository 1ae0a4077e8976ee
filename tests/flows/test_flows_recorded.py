"""The parts of a recorded run and of the schedules that need no server."""

from __future__ import annotations

import asyncio
import importlib.metadata
import queue
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pytest

from flows import ingest as ingest_module
from flows import parts as parts_module
from flows import texts as texts_module
from flows.serve import Plan
from flows.server import client_environment
from pipeline.errors import WarehouseError
from pipeline.report.progress import DOING
from pipeline.report.summary import RunSummary

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def prefect_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let Prefect find settings of ours and nobody's server when the tests import it."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("prefect")
        for name, value in client_environment(root, "http://127.0.0.1:1/api").items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def recorded() -> ModuleType:
    import flows.recorded

    return flows.recorded


@pytest.fixture
def housekeeping() -> ModuleType:
    import flows.housekeeping

    return flows.housekeeping


def summary(**values: Any) -> RunSummary:
    return RunSummary("r", NOON.replace(tzinfo=None), **values)


class Log:
    """Keeps what a run logs."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str, *values: object) -> None:
        self.lines.append(line % values if values else line)

    warning = info


class Stages:
    """A recorder whose tasks run without Prefect, and the names that its task runs get."""

    def __init__(self, recorded: ModuleType, patch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.waited: list[bool] = []
        self.log = Log()

        def task(work: Callable[[], Any], **options: Any) -> Callable[..., object]:
            def run(return_state: bool, wait_for: list[object] | None) -> object:
                self.names.append(options["task_run_name"]())
                self.waited.append(wait_for is not None)
                try:
                    work()
                except ZeroDivisionError:
                    return "crashed"  # Prefect returns the state where the work raises
                return "done"

            return run

        patch.setattr(recorded, "Task", task)
        patch.setattr(recorded, "get_run_logger", lambda: self.log)
        self.recorder = recorded.Recorder()


def land(documents: pa.Table) -> pa.Table:
    return documents


def search(documents: pa.Table, *, fails: type[Exception] | None = None) -> int:
    if fails:
        raise fails("planted")
    return int(documents.num_rows)


def publish(documents: pa.Table) -> None:
    assert documents.num_rows


def test_stages_are_named_by_what_they_do_and_counted_by_batch(
    recorded: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = Stages(recorded, monkeypatch)
    stage = stages.recorder.stage
    for n_rows in (3, 2):
        documents = stage(land)(pa.table({"a": range(n_rows)}))
        assert stage(search)(documents) == n_rows
        stage(publish)(documents)
    names = ("land", "find-candidates", "publish")
    assert stages.names == [f"{name} batch {n}" for n in (1, 2) for name in names]
    assert stages.waited == [False, True, True] * 2  # one chain of arrows a batch
    assert stages.recorder.n_tasks == 6
    said = [line.partition(" in ")[0] for line in stages.log.lines]
    assert said == ["batch 1 published: 3 documents", "batch 2 published: 2 documents"]


@pytest.mark.parametrize("kind", [ZeroDivisionError, WarehouseError])
def test_the_error_of_a_stage_reaches_the_flow_and_nothing_waits_for_it(
    recorded: ModuleType, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    stages = Stages(recorded, monkeypatch)
    documents = pa.table({"a": [1]})
    stages.recorder.stage(land)(documents)
    with pytest.raises(kind, match="planted"):
        stages.recorder.stage(search)(documents, fails=kind)
    stages.recorder.stage(land)(documents)
    assert stages.waited == [False, True, False]
    assert stages.names[-1] == "land batch 2"


def test_every_stage_of_an_ingest_has_words_for_the_bar() -> None:
    modules = (ingest_module, texts_module, parts_module)
    source = "".join(Path(str(m.__file__)).read_text("utf-8") for m in modules)
    called = {part.partition(")")[0].rpartition(".")[2] for part in source.split("stage(")[1:]}
    stages = {name for name in called if name.isidentifier()} - {"function"}
    assert {"land", "parse", "inspect_parts", "clean_parts", "search", "publish"} <= stages
    assert stages <= set(DOING)


def test_a_run_is_named_by_what_it_takes(recorded: ModuleType) -> None:
    assert recorded.run_name(["/drop/a.jsonl", "wire"], NOON) == "a.jsonl, wire 2026-03-01 12:00"
    assert recorded.run_name([], NOON) == "nothing 2026-03-01 12:00"
    assert recorded.shown(["a", "b", "c", "d"]) == "a, b and 2 more"


def test_how_a_run_ends(recorded: ModuleType) -> None:
    done = recorded._final_state(summary(n_documents=3, n_articles=3, alarms=["something"]))
    assert (done.type.value, done.name) == ("COMPLETED", "Completed")
    gaps = recorded._final_state(summary(n_documents=3, n_articles=3, source_errors=["no wire"]))
    assert (gaps.type.value, gaps.name) == ("COMPLETED", "CompletedWithGaps")
    assert gaps.message.endswith("no wire")
    refused = summary(n_documents=1)
    refused.quarantined["broken_json"] += 1
    failed = recorded._final_state(refused)
    assert failed.type.value == "FAILED"
    assert failed.message.startswith("Every document went to quarantine.")


def test_alarms_stand_in_the_log_and_in_the_report(
    recorded: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    written: list[str] = []
    monkeypatch.setattr(recorded, "get_run_logger", lambda: log)
    monkeypatch.setattr(
        recorded, "create_markdown_artifact", lambda text, **_: written.append(text)
    )
    recorded._write_artifacts(summary(n_documents=1, alarms=["press loses"]), Path("/w"))
    assert log.lines == [summary(n_documents=1).headline(), "alarm: press loses"]
    assert "> ⚠ press loses" in written[0]


def test_an_artifact_that_cannot_be_written_only_warns(
    recorded: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(recorded, "get_run_logger", lambda: log)
    monkeypatch.setattr(recorded, "create_markdown_artifact", refuse)
    recorded._write_artifacts(summary(), Path("/w"))
    assert log.lines[-1] == "an artifact was not written: gone"


def test_what_a_dead_server_will_not_take_is_forgotten(
    recorded: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: queue.Queue[int] = queue.Queue()
    for n in range(5):
        waiting.put(n)
    workers = SimpleNamespace(_instances={"one": SimpleNamespace(_queue=waiting)})
    monkeypatch.setattr(recorded, "EventsWorker", workers)
    monkeypatch.setattr(recorded, "APILogWorker", SimpleNamespace(_instances={}))
    recorded._forget_unsent()
    assert waiting.empty()


class Client:
    """Stands for Prefect's client: keeps what it is told, gives pages of runs."""

    def __init__(self, pages: list[list[Any]]) -> None:
        self.pages, self.states = pages, dict[UUID, tuple[str, bool]]()
        self.limits = [SimpleNamespace(name=n, active_slots=n == "a") for n in "ab"]
        self.freed: list[str] = []
        self.deleted: list[Any] = []
        self.deployments = [SimpleNamespace(id=uuid4()) for _ in range(3)]

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read_flow_runs(self, **_: object) -> list[Any]:
        return self.pages.pop(0)

    def set_flow_run_state(self, run: UUID, state: Any, *, force: bool) -> None:
        self.states[run] = (state.type.value, force)

    def read_global_concurrency_limits(self, limit: int) -> list[Any]:
        return self.limits

    def update_global_concurrency_limit(self, name: str, change: Any) -> None:
        assert change.active_slots == 0
        self.freed.append(name)

    def read_deployments(self, **_: object) -> list[Any]:
        return self.deployments

    def delete_deployment(self, deployment: UUID) -> None:
        self.deleted.append(deployment)

    def request(self, method: str, path: str, json: Any) -> Any:
        assert (method, path) == ("POST", "/flow_runs/bulk_delete")
        self.deleted.append(json["flow_runs"]["state"]["type"]["any_"])
        return SimpleNamespace(json=lambda: {"deleted": [1] * (3 - len(self.deleted))})


def test_runs_left_over_crash_and_their_places_are_free(
    housekeeping: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [SimpleNamespace(id=uuid4()) for _ in range(3)]
    client = Client([runs[:2], runs[2:], []])
    monkeypatch.setattr(housekeeping, "get_client", lambda **_: client)
    assert housekeeping.end_left_over("killed") == 3
    assert client.states == {r.id: ("CRASHED", True) for r in runs}
    assert client.freed == ["a"]


def test_sources_that_were_taken_out_lose_their_schedules(
    housekeeping: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client([])
    monkeypatch.setattr(housekeeping, "get_client", lambda **_: client)
    one, two, three = (d.id for d in client.deployments)
    housekeeping.forget_other_deployments([two], "ingest")
    assert client.deleted == [one, three]
    housekeeping.forget_other_deployments([], "ingest")  # no source at all: none is left
    assert client.deleted[2:] == [one, two, three]


def test_missed_runs_are_deleted_page_by_page(
    housekeeping: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client([])
    monkeypatch.setattr(housekeeping, "get_client", lambda **_: client)
    assert housekeeping.drop_missed() == {d.id for d in client.deployments}
    assert client.deleted == [["SCHEDULED"]] * 3  # until a page is empty


def test_a_run_from_the_command_line_overtakes_nothing(
    housekeeping: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "get_client", lambda **_: pytest.fail("asked the server"))
    housekeeping.drop_overtaken()


@pytest.mark.parametrize(("cron", "interval"), [("5 4 * * *", None), (None, timedelta(minutes=10))])
def test_a_deployment_is_its_plan(cron: str | None, interval: timedelta | None) -> None:
    from flows.runner import deployment_of

    parameters = {"source": "press", "warehouse": "/w", "config": None}
    plan = Plan("press", cron, interval, "Asia/Seoul", parameters)
    made = asyncio.run(deployment_of(plan))
    assert (made.name, made.flow_name, made.parameters) == ("press", "ingest", parameters)
    (schedule,) = made.schedules
    assert schedule.schedule.timezone == "Asia/Seoul"
    assert getattr(schedule.schedule, "cron", None) == cron
    assert getattr(schedule.schedule, "interval", None) == interval
    assert made.concurrency_limit == 1
    assert made.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert made.entrypoint == "flows.scheduled.ingest_flow"
    assert made.version == importlib.metadata.version("unecho")
