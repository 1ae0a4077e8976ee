"""From what stands on the command line of `unecho ingest` to requests, checked before anything."""

from __future__ import annotations

import glob
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.options import UsageError
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from flows.intake import Request
    from pipeline.settings import Settings

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Overrides:
    """How to read, where the command line says it; it wins over what unecho.toml says."""

    source_id: str | None = None
    column_map: dict[str, str] = field(default_factory=dict)
    timezone: str | None = None
    encoding: str | None = None


def requests_for(places: Sequence[str], settings: Settings, overrides: Overrides) -> list[Request]:
    """Return what to ingest: files and folders as one request, each named source as its own.

    Places that are missing stay in the request, which reports them, as long as one is there.

    Raises:
        UsageError: a URL, or none of the places is there.
        SettingsError: an override is wrong, or nothing was named and no source is set.
    """
    from flows.intake import Request, requests_of

    _check(overrides)
    names, paths = _sorted_out(places, settings)
    if not places:
        return [_overridden(r, overrides) for r in _every_source(settings)]
    requests = [_overridden(r, overrides) for r in requests_of(settings, names)] if names else []
    if paths:
        requests.append(
            Request(
                specs=paths,
                source_id=overrides.source_id,
                column_map=overrides.column_map,
                timezone=overrides.timezone,
                encoding=overrides.encoding,
            )
        )
    return requests


def _check(overrides: Overrides) -> None:
    """Let the reading end check what it will be given, before a server or the lock is taken."""
    from pipeline.sources.options import ReadOptions

    ReadOptions(
        source_id=overrides.source_id,
        column_map=overrides.column_map,
        timezone=overrides.timezone or "UTC",
        encoding=overrides.encoding,
    )


def _sorted_out(
    places: Sequence[str], settings: Settings
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of sources and the paths among the places."""
    url = next((place for place in places if _URL.match(place)), None)
    if url is not None:
        raise UsageError(
            f"{url}: not yet: pages and feeds come with a later version", "save it to a file"
        )
    known = {source.id for source in settings.source}
    names = tuple(place for place in places if place in known)
    paths = tuple(place for place in places if place not in known)
    missing = [place for place in paths if not is_there(place)]
    if missing and len(missing) == len(paths) and not names:
        sources = f" (sources of unecho.toml: {', '.join(sorted(known))})" if known else ""
        raise UsageError(f"no such file or folder: {', '.join(missing)}{sources}", "check the path")
    return names, paths


def is_there(place: str) -> bool:
    """Return whether a place on the command line exists: a path, a glob with a match, or `-`."""
    if place == STANDARD_INPUT:
        return True
    path = Path(place)
    if path.exists() or path.is_symlink():
        return True
    return glob.has_magic(place) and bool(glob.glob(place, recursive=True))  # noqa: PTH207 Path.glob takes no absolute pattern


def _every_source(settings: Settings) -> list[Request]:
    from flows.intake import requests_of

    try:
        return requests_of(settings)
    except SettingsError as error:
        if sys.stdin is None or sys.stdin.isatty():
            raise
        raise UsageError(
            "nothing is named to ingest and no source is set",
            "to read JSONL from standard input: unecho ingest -",
        ) from error


def _overridden(request: Request, overrides: Overrides) -> Request:
    return replace(
        request,
        source_id=overrides.source_id or request.source_id,
        column_map={**request.column_map, **overrides.column_map},
        timezone=overrides.timezone or request.timezone,
        encoding=overrides.encoding or request.encoding,
    )


def bytes_of(requests: Sequence[Request]) -> int | None:
    """Return how many bytes there are to read; None where standard input or a schedule decides."""
    from pipeline.errors import SourceError
    from pipeline.sources.paths import expand

    total = 0
    for request in requests:
        if request.is_drop_folder:
            return None
        for spec in request.specs:
            try:
                containers = expand([spec])
                if STANDARD_INPUT in containers:
                    return None
                total += sum(Path(container).stat().st_size for container in containers)
            except (SourceError, OSError):
                continue  # the run reports it
    return total or None
