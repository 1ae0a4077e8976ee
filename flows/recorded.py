"""The recorded form of the flow: one Prefect task a stage and batch, artifacts, how it ended.

What a stage takes and returns never passes through Prefect: a task here has no parameters and no
result. So no table is hashed, pickled, searched for futures or kept alive by the run's history.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
from prefect import Flow, Task, get_run_logger
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import TERMINAL_STATES, State
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.runtime import flow_run as this_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Completed, Failed

from flows.ingest import run_ingest
from flows.intake import Request
from flows.progress import ProgressArtifact
from flows.server import answers, run_page
from pipeline.errors import UnechoError, WarehouseError
from pipeline.report.artifacts import (
    REPORT_KEY,
    STORIES_KEY,
    largest_stories_rows,
    report_markdown,
)
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.sources.files import Progress

FLOW_NAME = "ingest"
STAGE_NAMES = {"search": "find-candidates", "learn": "learn-furniture"}
"""What a stage does, where its function's name does not say it without its module."""
_FIRST_STAGE = "land"
_LAST_STAGE = "publish"
# The server writes task runs to its database some seconds after they ended (5 s between flushes).
_RECORDED_SECONDS = 20.0


_recorded: dict[str, int] = {}
"""Flow runs of this process and how many tasks each made."""


@dataclass
class Outcome:
    """What the body of a flow run leaves for its caller."""

    flow_run_id: str = ""
    summary: RunSummary | None = None
    error: Exception | None = None
    patience: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """Settings of Prefect that hold until the run is over."""


class Recorder:
    """Makes a Prefect task of every stage of one flow run, and logs each batch."""

    def __init__(self) -> None:
        self.n_tasks = 0
        self._log = get_run_logger()
        self._tasks: dict[str, Task[[], State[None] | None]] = {}
        self._call: _Call | None = None
        self._previous: State[Any] | None = None
        self._batch = 0
        self._seen: set[str] = set()
        self._n_documents = 0
        self._began = time.monotonic()

    def stage(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as a stage that runs as a task, in this thread."""
        name = STAGE_NAMES.get(function.__name__, function.__name__).replace("_", "-")

        @functools.wraps(function)
        def staged(*arguments: Any, **named: Any) -> Any:
            self._enter(name, arguments)
            self._call = call = _Call(functools.partial(function, *arguments, **named))
            # A chain of arrows a batch: the graph is one staircase beside the other, and stays
            # readable with many batches (without arrows, or with one chain for all, it is not).
            after = [self._previous] if self._previous is not None else None
            state = self._task(name)(return_state=True, wait_for=after)
            self.n_tasks += 1
            self._call = None
            if call.error is not None:
                self._previous = None  # nothing may wait for a task that failed
                raise call.error
            self._previous = state
            self._leave(name)
            return call.result

        return staged

    def _task(self, name: str) -> Task[[], State[None] | None]:
        if name not in self._tasks:

            def run_stage() -> State[None] | None:
                assert self._call is not None
                return self._call.run()

            run_stage.__qualname__ = name
            self._tasks[name] = Task(
                run_stage,
                name=name,
                task_run_name=lambda: f"{name} batch {self._batch}",
                cache_policy=NO_CACHE,
                persist_result=False,
                retries=0,
            )
        return self._tasks[name]

    def _enter(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Begin a new batch where the stages begin again."""
        if name == _FIRST_STAGE or name in self._seen or not self._seen:
            self._batch += 1
            self._seen = set()
            self._previous = None
            self._began = time.monotonic()
            tables = [a for a in arguments if isinstance(a, pa.Table)]
            self._n_documents = tables[0].num_rows if tables else 0
        self._seen.add(name)

    def _leave(self, name: str) -> None:
        """Log the batch when it is published."""
        if name != _LAST_STAGE:
            return
        elapsed = time.monotonic() - self._began
        self._log.info(
            "batch %d published: %s documents in %.1f s",
            self._batch,
            f"{self._n_documents:,}",
            elapsed,
        )
        self._seen = set()


@dataclass
class _Call:
    """One call of a stage; its result and error go around Prefect."""

    work: Callable[[], Any]
    result: Any = None
    error: Exception | None = None

    def run(self) -> State[None] | None:
        """Do the work; an expected error is a Failed state with one line, a fault a traceback."""
        try:
            self.result = self.work()
        except UnechoError as error:
            self.error = error
            return Failed(message=str(error))
        except Exception as error:
            self.error = error
            raise
        return None


def run_recorded(
    requests: Sequence[Request],
    settings: Settings,
    page_api: str,
    on_progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Run the requests as a flow run and return its outcome.

    Raises:
        UnechoError: the run failed, or the server did not take it and nothing was ingested.
    """
    outcome = Outcome()
    sources = [s for r in requests for s in ([r.source_id] if r.is_drop_folder else r.specs) if s]

    def ingest(sources: list[str]) -> State[None]:
        """Ingest what the command line named."""
        return record_body(outcome, requests, settings, page_api, on_progress)

    flow = _PlainFlow(
        ingest,
        name=FLOW_NAME,
        flow_run_name=run_name(sources, datetime.now(UTC)),
        persist_result=False,
        validate_parameters=False,
    )
    try:
        with outcome.patience:
            flow(sources, return_state=True)
    except Exception as error:
        _forget_unsent()
        # The warehouse is the truth, the record is not: what was published counts.
        if outcome.summary is None and outcome.error is None:
            raise WarehouseError(
                f"the Prefect server did not record the run: {error}",
                next_step="run again with --direct, or look at the server",
            ) from error
    if outcome.error is not None:
        raise outcome.error
    return outcome


class _PlainFlow(Flow[[list[str]], State[None]]):
    """A flow whose parameters are of JSON's own types: Prefect loads FastAPI, 0.1 s, to see it."""

    def serialize_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters as they are recorded."""
        return parameters


def record_body(
    outcome: Outcome,
    requests: Sequence[Request],
    settings: Settings,
    page_api: str,
    on_progress: Callable[[Progress], None] | None = None,
) -> State[None]:
    """Ingest within a flow run, write its artifacts and return the state it ends in."""
    outcome.flow_run_id = flow_run_id = str(this_run.id)
    recorder = Recorder()
    with ProgressArtifact(_write_progress, get_run_logger().warning) as progress:

        def tell(now: Progress) -> None:
            progress.update(now)
            if on_progress is not None:
                on_progress(now)

        try:
            summary = run_ingest(
                requests,
                settings,
                flow_run_id,
                stage=recorder.stage,
                recorded_url=run_page(page_api, flow_run_id),
                on_progress=tell,
            )
        except UnechoError as error:
            outcome.error = error
            return Failed(message=str(error))
        except Exception as error:
            outcome.error = error
            raise
        finally:
            _recorded[flow_run_id] = recorder.n_tasks
    outcome.summary = summary
    if answers(os.environ["PREFECT_API_URL"]) is None:
        summary.alarms.append("the Prefect server stopped during the run: its record is incomplete")
        # Prefect would try for 19 s to tell it how the run ended, twice (measured).
        outcome.patience.enter_context(temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}))
    else:
        _write_artifacts(summary, settings.warehouse.resolve() / "public" / "news.duckdb")
    return _final_state(summary)


def run_name(sources: Sequence[str], at: datetime) -> str:
    """Return the name of a flow run: what it takes, and when it began (UTC)."""
    return f"{shown([Path(s).name or s for s in sources])} {at:%Y-%m-%d %H:%M}"


def shown(names: Sequence[str]) -> str:
    """Return the first names and how many more there are."""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more or "nothing"


def wait_until_recorded() -> None:
    """Wait until the server has written every task run of this process that has ended.

    A server that is stopped earlier forgets them: they wait in its memory.
    """
    if answers(os.environ["PREFECT_API_URL"]) is None:
        return
    EventsWorker.drain_all(timeout=_RECORDED_SECONDS)
    APILogWorker.drain_all(timeout=_RECORDED_SECONDS)
    ended = TaskRunFilter(
        state=TaskRunFilterState(type=TaskRunFilterStateType(any_=list(TERMINAL_STATES)))
    )
    deadline = time.monotonic() + _RECORDED_SECONDS
    with get_client(sync_client=True) as client:
        for flow_run_id, n_tasks in _recorded.items():
            chosen = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(flow_run_id)]))
            while n_tasks and time.monotonic() < deadline:
                # The answer is a page of 200: with this offset it has one row, the last.
                if client.read_task_runs(
                    flow_run_filter=chosen, task_run_filter=ended, offset=n_tasks - 1
                ):
                    break
                time.sleep(0.1)


def _forget_unsent() -> None:
    """Empty the queues to a server that is gone.

    Prefect otherwise tries each event for 7 s when the process ends: 8 minutes for 11 stages and
    two batches.
    """
    workers: tuple[Any, ...] = (EventsWorker, APILogWorker)
    for worker in workers:
        for instance in list(worker._instances.values()):
            with contextlib.suppress(queue.Empty):
                while True:
                    instance._queue.get_nowait()


def _final_state(summary: RunSummary) -> State[None]:
    if summary.is_all_quarantined:
        return Failed(message=f"Every document went to quarantine. {summary.headline()}")
    if summary.source_errors:
        errors = "; ".join(summary.source_errors)
        return Completed(name="CompletedWithGaps", message=f"{summary.headline()} {errors}")
    return Completed(message=summary.headline())


def _write_artifacts(summary: RunSummary, database: Path) -> None:
    """Write the report and the table; the data is published already, so a failure only warns."""
    log = get_run_logger()
    log.info(summary.headline())
    for alarm in summary.alarms:
        log.warning("alarm: %s", alarm)
    with _only_warned(log):
        create_markdown_artifact(
            report_markdown(summary, database),
            key=REPORT_KEY,
            description=f"Ingest of {shown(summary.sources)}.",
        )
    if summary.largest_stories:
        with _only_warned(log):
            create_table_artifact(
                largest_stories_rows(summary),
                key=STORIES_KEY,
                description="The stories of the warehouse that most articles tell.",
            )


def _write_progress(artifact: UUID | None, percent: float, description: str) -> UUID:
    if artifact is None:
        written = create_progress_artifact(percent, key="ingest-progress", description=description)
    else:
        written = update_progress_artifact(artifact, percent, description=description)
    assert isinstance(written, UUID)  # a coroutine only where an event loop runs
    return written


@contextlib.contextmanager
def _only_warned(log: Any) -> Any:
    try:
        yield
    except Exception as error:
        log.warning("an artifact was not written: %s", error)
