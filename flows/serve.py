"""`unecho serve`: Prefect's server and UI, and an ingest on schedule for each source.

The list of schedules (`plans_of`) is the one place from which both this command and `prefect.yaml`
come.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from flows.children import parent_environment
from flows.recording import prepare
from flows.server import announced, local_server, prefect_home
from pipeline.errors import SettingsError, UnechoError
from pipeline.settings import DEFAULT_CONFIG, Settings, SourceSettings, parse_interval

ENTRYPOINT = "flows.scheduled.ingest_flow"
TAG = "unecho"
# Refused by Prefect in the name of a deployment.
_REFUSED_SIGNS = "/%&<>"

# Prefect plans 100 days ahead: of a longer interval nothing would ever be seen in the UI.
_LONGEST_INTERVAL = timedelta(days=366)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """One source and when it is taken; runs of it never overlap."""

    source_id: str
    cron: str | None
    interval: timedelta | None
    timezone: str
    parameters: dict[str, Any]

    def next_start(self, after: datetime) -> datetime:
        """Return the first slot after a moment (with time zone)."""
        local = after.astimezone(ZoneInfo(self.timezone))
        if self.interval is None:
            slot: datetime = croniter(self.cron, local).get_next(datetime)
            return slot
        return self.anchor + ((local - self.anchor) // self.interval + 1) * self.interval

    @property
    def anchor(self) -> datetime:
        """The moment from which an interval counts: fixed, so that a restart does not shift it."""
        return datetime(2020, 1, 1, tzinfo=ZoneInfo(self.timezone))


def plans_of(settings: Settings, config: Path | None) -> list[Plan]:
    """Return the plan of every enabled source; `config` is the settings file that names them.

    Raises:
        SettingsError: the name or schedule of a source is one that Prefect refuses.
    """
    return [_plan_of(source, settings, config) for source in settings.source if source.enabled]


def _plan_of(source: SourceSettings, settings: Settings, config: Path | None) -> Plan:
    if any(sign in source.id for sign in _REFUSED_SIGNS):
        raise SettingsError(
            "source.id",
            f"{source.id!r} cannot be the name of a schedule",
            next_step=f"leave out the signs {' '.join(_REFUSED_SIGNS)}",
        )
    interval = parse_interval(source.schedule)
    if interval is not None and interval > _LONGEST_INTERVAL:
        raise SettingsError(
            "source.schedule",
            f"{source.id}: {source.schedule!r} is longer than {_LONGEST_INTERVAL.days} days",
            next_step="write a shorter one, or enabled = false to keep the source off",
        )
    cron = None if interval is not None else source.schedule
    if cron is not None:
        _check_cron(source.id, cron)
    parameters = {
        "source": source.id,
        "warehouse": str(settings.warehouse.resolve()),
        "config": str(config.resolve()) if config is not None else None,
    }
    return Plan(source.id, cron, interval, source.timezone, parameters)


def _check_cron(source_id: str, cron: str) -> None:
    """Refuse cron lines that are valid and never fire, or not in Prefect."""
    problem = ""
    if any(word.lower().startswith("r") for word in cron.split()):
        problem = "has a random part, which Prefect does not know"
    else:
        try:
            croniter(cron, datetime.now(UTC)).get_next(datetime)
        except CroniterBadDateError:
            problem = "is a day that never comes"
    if problem:
        raise SettingsError(
            "source.schedule",
            f"{source_id}: {cron!r} {problem}",
            next_step="write it as in 5 * * * * (every hour at five past)",
        )


def settings_file() -> Path | None:
    """Return the settings file of this process: UNECHO_CONFIG, else ./unecho.toml if any."""
    named = os.environ.get("UNECHO_CONFIG")
    if named:
        return Path(named)
    return DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None


def serve(settings: Settings, *, say: Say | None = None) -> int:
    """Serve the UI and the schedules until Ctrl-C or SIGTERM; return the exit code.

    Raises:
        UnechoError: there is nothing to serve, the port or the warehouse's server is in use, or
            Prefect does not start or does not schedule.
    """
    tell = say or _say
    plans = plans_of(settings, settings_file())
    with contextlib.ExitStack() as stack:
        stack.enter_context(_stopped_by_signals())
        try:
            tell("Prefect is starting ...")
            api = stack.enter_context(
                local_server(
                    settings,
                    settings.server_port,
                    while_starting=lambda api: prepare(settings, api),
                )
            )
            stack.enter_context(announced(settings.warehouse, settings.server_port))
            _prepare_for_children(settings)
            stack.enter_context(contextlib.chdir(prefect_home(settings.warehouse)))
            from flows.runner import run_schedules

            run_schedules(plans, api, tell)
        except _Stopped:
            pass
    tell("stopped")
    return 0


def _prepare_for_children(settings: Settings) -> None:
    """Set up what the processes of the flow runs, which Prefect starts, inherit from us.

    They end with us. They start in a folder of ours (the caller changes to it next): Prefect
    looks for the flow in the current directory first, where there may be another `flows`.
    """
    os.environ.update(parent_environment())
    if settings_file() is None:  # the sources come from the environment; their paths as well
        sources = [
            s.model_copy(update={"path": str(Path(s.path).absolute())}) for s in settings.source
        ]
        os.environ["UNECHO_SOURCE"] = json.dumps([s.model_dump(mode="json") for s in sources])


class _Stopped(BaseException):
    """A signal asked us to end before the runner was there to be asked."""


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into an orderly end for the time of the block."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(n, signal.signal(n, stop)) for n in numbers]
    try:
        yield
    finally:
        for number, action in before:
            signal.signal(number, action)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def prefect_yaml(plans: Sequence[Plan]) -> str:
    """Return the `prefect.yaml` that deploys the same plans to a work pool of one's own."""
    import yaml  # type: ignore[import-untyped]  # comes with Prefect, without types

    deployments = [_deployment_entry(plan) for plan in plans]
    body = yaml.safe_dump(
        {"name": "unecho", "pull": None, "deployments": deployments},
        sort_keys=False,
        allow_unicode=True,
    )
    return f"{_YAML_HEADER}{body}"


_YAML_HEADER = """\
# For a Prefect server and work pool of your own. `unecho serve` needs none of this.
# Generated from the sources of an unecho.toml (here: seeds/sources.toml) by
#   UNECHO_CONFIG=seeds/sources.toml python -m flows.serve > prefect.yaml
# Set UNECHO_WAREHOUSE and UNECHO_CONFIG to absolute paths that the workers know, make a process
# work pool named unecho, then: prefect deploy --all
"""


def _deployment_entry(plan: Plan) -> dict[str, Any]:
    schedule: dict[str, Any] = {"timezone": plan.timezone}
    if plan.interval is not None:
        schedule["interval"] = int(plan.interval.total_seconds())
        schedule["anchor_date"] = plan.anchor.isoformat()
    else:
        schedule["cron"] = plan.cron
    return {
        "name": plan.source_id,
        "entrypoint": ENTRYPOINT,
        "tags": [TAG],
        "parameters": {
            "source": plan.source_id,
            "warehouse": "{{ $UNECHO_WAREHOUSE }}",
            "config": "{{ $UNECHO_CONFIG }}",
        },
        "schedules": [schedule],
        "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
        "work_pool": {"name": "unecho"},
    }


if __name__ == "__main__":
    from pipeline.settings import load_settings

    try:
        sys.stdout.write(prefect_yaml(plans_of(load_settings(), settings_file())))
    except UnechoError as error:
        sys.exit(str(error))
