"""The running part of `unecho serve`: deployments, the self-check, polling, an orderly end."""

from __future__ import annotations

import asyncio
import importlib.metadata
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect._internal.versioning import VersionType
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import PrefectException
from prefect.runner import Runner
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from flows import housekeeping
from flows.recorded import FLOW_NAME
from flows.scheduled import ingest_flow
from flows.serve import TAG, Plan, Say
from flows.server import is_listening
from pipeline.errors import WarehouseError

# One at a time: there is one writer, and a second process would only wait for it, with 200 MB.
_RUNS_AT_ONCE = 1
_POLL_SECONDS = 5.0
# Prefect 3.8.8 with SQLAlchemy 2.1 serves everything but never schedules, and does not say so.
_SCHEDULED_SECONDS = 15.0
_SCHEDULED_AHEAD = timedelta(days=90)  # Prefect schedules no further than 100 days ahead
_STOP_SECONDS = 6.0


def run_schedules(plans: Sequence[Plan], api: str, say: Say) -> None:
    """Run the plans until a signal asks to stop.

    Raises:
        WarehouseError: Prefect does not create scheduled runs, or its server or runner ends.
    """
    try:
        left = housekeeping.end_left_over("This run was left over: unecho serve was killed.")
        if left:
            say(f"{left} runs left over from before are marked as crashed")
        asyncio.run(_run(plans, api, say))
    except (httpx.HTTPError, PrefectException) as error:
        raise WarehouseError(
            f"the Prefect server does not answer any more ({error})",
            next_step=f"start unecho serve again; {Path.cwd() / 'server.log'} may say why",
        ) from error


async def _run(plans: Sequence[Plan], api: str, say: Say) -> None:
    stopping = asyncio.Event()
    runner = _Runner(
        name=TAG, limit=_RUNS_AT_ONCE, pause_on_shutdown=False, query_seconds=_POLL_SECONDS
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    missed = await asyncio.to_thread(housekeeping.drop_missed)
    ids = [await runner.aadd_deployment(await deployment_of(plan)) for plan in plans]
    await asyncio.to_thread(housekeeping.forget_other_deployments, ids, FLOW_NAME)
    await asyncio.to_thread(housekeeping.run_once, [i for i in ids if i in missed])
    polling = asyncio.create_task(runner.start())
    stop = asyncio.create_task(stopping.wait())
    lost = asyncio.create_task(_server_lost(api))
    try:
        await _announce(plans, ids, api, say, stop)
        await asyncio.wait({polling, stop, lost}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            what = "server" if lost.done() else "runner"
            raise WarehouseError(
                f"Prefect's {what} ended by itself",
                next_step=f"start unecho serve again; {Path.cwd() / 'server.log'} may say why",
            ) from (polling.exception() if polling.done() else None)
        say("stopping ...")
    finally:
        stop.cancel()
        lost.cancel()
        await _end(runner, polling)
        if is_listening(api):
            await asyncio.to_thread(
                housekeeping.end_left_over, "unecho serve was stopped while this run was going on."
            )


async def deployment_of(plan: Plan) -> RunnerDeployment:
    """Return the deployment that runs a plan.

    A slot that comes while a run of the source is going on is cancelled: the run takes
    everything, and a queue would run out of order (measured).
    """
    return await ingest_flow.ato_deployment(
        plan.source_id,
        schedule=_schedule_of(plan),
        parameters=plan.parameters,
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        tags=[TAG],
        version=importlib.metadata.version("unecho"),
        # Else Prefect asks git about the caller's directory and stores the remote's address.
        version_type=VersionType.SIMPLE,
        description=f"Takes everything new of the source {plan.source_id}.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _schedule_of(plan: Plan) -> Schedule:
    if plan.interval is None:
        assert plan.cron is not None
        return Cron(plan.cron, timezone=plan.timezone)
    return Interval(plan.interval, anchor_date=plan.anchor, timezone=plan.timezone)


async def _announce(
    plans: Sequence[Plan], ids: Sequence[UUID], api: str, say: Say, stop: asyncio.Task[bool]
) -> None:
    """Wait until every plan has scheduled runs and tell when it runs next.

    Raises:
        WarehouseError: a plan has none after 15 s.
    """
    now = datetime.now(UTC)
    expected = [
        i for p, i in zip(plans, ids, strict=True) if p.next_start(now) < now + _SCHEDULED_AHEAD
    ]
    deadline = time.monotonic() + _SCHEDULED_SECONDS
    found: set[UUID] = set()
    while len(found) < len(expected) and not stop.done():
        found = await asyncio.to_thread(housekeeping.scheduled_among, expected)
        if time.monotonic() > deadline:
            raise WarehouseError(
                f"Prefect did not schedule a run within {_SCHEDULED_SECONDS:.0f} s",
                next_step="check the versions in requirements.lock: SQLAlchemy 2.1 does this",
            )
        await asyncio.sleep(0.2)
    if stop.done():
        return
    say(f"UI at {api.removesuffix('/api')}")
    if not plans:
        say("no schedule runs yet: write a [[source]] with id, path and schedule into unecho.toml")
    for plan in plans:
        start = plan.next_start(datetime.now(UTC))
        say(f"{plan.source_id}: next run {start:%Y-%m-%d %H:%M:%S} ({plan.timezone})")
    say("Ctrl-C stops it")


async def _server_lost(api: str) -> None:
    """Return when nobody listens at the server's address any more.

    Prefect's own loops notice after 80 s and print a traceback for each.
    """
    while await asyncio.to_thread(is_listening, api):
        await asyncio.sleep(1.0)


class _Runner(Runner):
    """Prefect's runner without its own answer to SIGTERM, which forgets to await (3.8.8)."""

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to the handler of the event loop, which is told of the same signal."""


async def _end(runner: Runner, polling: asyncio.Task[None]) -> None:
    """End the runs that are going on and the runner."""
    try:
        if runner.started:
            await asyncio.wait_for(runner.astop(), _STOP_SECONDS)
    except TimeoutError:
        pass
    polling.cancel()
    await asyncio.wait({polling}, timeout=_STOP_SECONDS)
