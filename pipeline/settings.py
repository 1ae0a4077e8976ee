"""The one settings class of the shell: arguments > environment (`UNECHO_…`) > `unecho.toml`.

Loaded inside a flow or command, never at import. The core never sees it: `rules()` hands the
frozen dataclasses of the stages over. The environment and the file are read by
`settings_sources`, where either says anything.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.errors import SettingsError

DEFAULT_CONFIG = Path("unecho.toml")
ENV_PREFIX = "UNECHO_"
_INTERVAL = re.compile(r"^\s*(\d+)\s*(s|m|h|d)\s*$")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_interval(schedule: str) -> timedelta | None:
    """Return the interval that `30s`, `10m`, `2h` or `1d` means; None for anything else.

    Raises:
        ValueError: longer than any time span.

    >>> parse_interval("10m")
    datetime.timedelta(seconds=600)
    """
    match = _INTERVAL.match(schedule)
    if match is None or int(match[1]) == 0:
        return None
    try:
        return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2]])
    except OverflowError as error:
        raise ValueError(f"{schedule!r} is longer than a schedule can be") from error


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone, write it as in Asia/Seoul") from error
    return name


class SourceSettings(BaseModel):
    """One `[[source]]` of `unecho.toml`: a drop folder (or file, or glob) and its schedule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(
        min_length=1, pattern=r"^[^\s/:]+$", description="source_id of records without one"
    )
    path: str = Field(min_length=1, description="folder, file or glob; relative to unecho.toml")
    schedule: str = Field(default="10m", description="cron line or interval such as 10m")
    timezone: str = Field(
        default="UTC", description="time zone of the schedule and of dates without one"
    )
    enabled: bool = Field(
        default=True, description="whether ingest without arguments and serve take it"
    )
    encoding: str | None = Field(
        default=None, description="character encoding where the files do not say"
    )
    map: dict[str, str] = Field(default_factory=dict, description="field = column, as --map")

    _timezone = field_validator("timezone")(_known_timezone)

    @field_validator("schedule")
    @classmethod
    def _schedule_is_cron_or_interval(cls, schedule: str) -> str:
        from croniter import croniter  # costs 30 ms that settings without schedules do not need

        if parse_interval(schedule) is None and not croniter.is_valid(schedule):
            raise ValueError(f"{schedule!r} is neither a cron line nor an interval such as 10m")
        return schedule


class Settings(BaseModel):
    """Every knob of unecho, with its unit in its name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warehouse: Path = Field(default=Path("warehouse/data"), description="root of the warehouse")
    timezone: str = Field(default="UTC", description="time zone of dates without one")
    batch_documents: int = Field(
        default=8_000, ge=1, description="documents a batch, one commit each"
    )
    batch_bytes: int = Field(default=64 << 20, ge=1024, description="bytes a batch at the most")
    workers: int | None = Field(
        default=None,
        ge=1,
        description="processes that read and clean large batches; by default one a core",
    )
    engine: Literal["auto", "numpy", "compiled"] = Field(
        default="auto", description="what runs the kernels; auto compiles large batches"
    )
    max_document_bytes: int = Field(
        default=16 << 20, ge=1024, description="larger documents are quarantined"
    )
    lock_wait_seconds: float = Field(
        default=60.0, ge=0, description="how long a second writer waits"
    )
    settle_seconds: float = Field(
        default=5.0, ge=0, description="age a file in a drop folder must have"
    )
    retention_days: float = Field(
        default=7.0, ge=0, description="how long superseded files stay for readers"
    )
    near_jaccard: float | None = Field(
        default=None, gt=0, le=1, description="Jaccard of near for long texts"
    )
    near_jaccard_short: float | None = Field(
        default=None, gt=0, le=1, description="the same for short texts"
    )
    update_jaccard: float | None = Field(
        default=None, gt=0, le=1, description="Jaccard of update under one unmarked headline"
    )
    related_jaccard: float | None = Field(
        default=None, gt=0, le=1, description="Jaccard from which a pair is kept as an edge"
    )
    contained_containment: float | None = Field(
        default=None, gt=0, le=1, description="share of the smaller text that contained needs"
    )
    duplicate_relations: frozenset[Literal["exact", "near", "update", "contained", "series"]] = (
        Field(
            default=frozenset(("exact", "near", "update")),
            description="relations that put two articles into one story",
        )
    )
    furniture_min_documents: int | None = Field(
        default=None, ge=2, description="articles that must print a line before it is furniture"
    )
    furniture_min_share: float | None = Field(
        default=None, ge=0, le=1, description="the same as a share of the source's articles"
    )
    shared_policy: Literal["annotate", "collapse", "drop"] = Field(
        default="annotate", description="what becomes of paragraphs that several sources print"
    )
    source_priority: tuple[str, ...] = Field(
        default=(), description="sources preferred as canonical, best first"
    )
    server_port: int = Field(
        default=4200, ge=1, le=65535, description="port of `unecho serve` on loopback"
    )
    source: tuple[SourceSettings, ...] = Field(default=(), description="the sources")

    _timezone = field_validator("timezone")(_known_timezone)

    @field_validator("source")
    @classmethod
    def _source_ids_are_unique(
        cls, source: tuple[SourceSettings, ...]
    ) -> tuple[SourceSettings, ...]:
        ids = [s.id for s in source]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"source id given twice: {', '.join(twice)}")
        return source


def config_path() -> Path | None:
    """Return the settings file to read: UNECHO_CONFIG, else ./unecho.toml where it exists."""
    named = os.environ.get("UNECHO_CONFIG")
    if named:
        return Path(named)
    return DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None


def load_settings(**arguments: Any) -> Settings:
    """Load the settings; arguments that are None count as not given.

    Raises:
        SettingsError: names the first wrong key, what was wrong and where it was read.
    """
    config = config_path()
    if config is not None and not config.is_file():
        raise SettingsError(
            "UNECHO_CONFIG", f"{config} is no file", next_step="name an unecho.toml"
        )
    given = {k: v for k, v in arguments.items() if v is not None}
    try:
        settings = _read(given, config)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        place = str(config) if config else "the environment or arguments"
        problem = first["msg"].removeprefix("Value error, ")
        raise SettingsError(key, problem, next_step=f"correct it in {place}") from error
    except ValueError as error:  # tomllib.TOMLDecodeError and environment values that are no JSON
        raise SettingsError(
            str(config or "environment"), str(error), next_step="correct it"
        ) from error
    return settings.model_copy(
        update={"source": tuple(_anchored(s, config) for s in settings.source)}
    )


def _read(given: dict[str, Any], config: Path | None) -> Settings:
    """Return the settings: `given` > the environment > the file."""
    names = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
    if config is None and not any(name.upper() in names for name in os.environ):
        return Settings(**given)
    from pipeline.settings_sources import read_settings  # 0.1 s, pydantic-settings loads asyncio

    return read_settings(given)


def _anchored(source: SourceSettings, config: Path | None) -> SourceSettings:
    """Return the source with its path taken relative to the settings file, not to the caller."""
    if config is None or Path(source.path).is_absolute():
        return source
    return source.model_copy(update={"path": str(config.resolve().parent / source.path)})
