"""What is asked for, and the documents that answer: the reading end of the flow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flows.ahead import Arriving, ReadAhead
from pipeline.errors import SettingsError, SourceError
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings, SourceSettings
from pipeline.sources.files import Container, Progress, ReadOptions, expand, read_batches
from pipeline.store.model import TakenFile
from pipeline.store.warehouse import Warehouse


@dataclass(frozen=True)
class Request:
    """What one source is asked for: places to read and how to read them."""

    specs: tuple[str, ...]
    source_id: str | None = None
    column_map: dict[str, str] = field(default_factory=dict)
    timezone: str | None = None
    encoding: str | None = None
    is_drop_folder: bool = False
    """True for sources of unecho.toml: files already taken are not read again."""


def request_of(source: SourceSettings) -> Request:
    """Return the request for everything new of one `[[source]]`."""
    return Request(
        specs=(source.path,),
        source_id=source.id,
        column_map=dict(source.map),
        timezone=source.timezone,
        encoding=source.encoding,
        is_drop_folder=True,
    )


def requests_of(settings: Settings, names: tuple[str, ...] = ()) -> list[Request]:
    """Return the requests for the named sources of unecho.toml, or for every enabled one.

    Raises:
        SettingsError: a name that unecho.toml does not have, or no source at all.
    """
    by_id = {s.id: s for s in settings.source}
    unknown = [n for n in names if n not in by_id]
    if unknown:
        raise SettingsError(
            "source",
            f"unecho.toml has no source {', '.join(unknown)}",
            next_step=f"it has: {', '.join(sorted(by_id)) or 'none'}",
        )
    chosen = [by_id[n] for n in names] if names else [s for s in settings.source if s.enabled]
    if not chosen:
        raise SettingsError(
            "source",
            "no source is set",
            next_step="name a file or folder, or write a [[source]] into unecho.toml",
        )
    return [request_of(s) for s in chosen]


def options_of(
    settings: Settings,
    *,
    source_id: str | None = None,
    column_map: Mapping[str, str] | None = None,
    timezone: str | None = None,
    encoding: str | None = None,
) -> ReadOptions:
    """Return how files are read: what is given here, and the limits of the settings."""
    return ReadOptions(
        source_id=source_id,
        column_map=column_map or {},
        timezone=timezone or settings.timezone,
        encoding=encoding,
        batch_documents=settings.batch_documents,
        batch_bytes=settings.batch_bytes,
        max_document_bytes=settings.max_document_bytes,
    )


def documents_of(
    request: Request,
    settings: Settings,
    warehouse: Warehouse,
    summary: RunSummary,
    on_progress: Callable[[Progress], None] | None,
    ahead: ReadAhead,
) -> Iterator[Arriving]:
    """Yield READ batches of what the request names; a place that cannot be read is reported.

    For a drop folder only files are read that were not taken before as they are now (TakenFile),
    and that have not changed for `settle_seconds`: a file that is still being written is left for
    the next run. A file counts as taken once its last batch is in.
    """
    options = options_of(
        settings,
        source_id=request.source_id,
        column_map=request.column_map,
        timezone=request.timezone,
        encoding=request.encoding,
    )
    containers = _containers_of(request, summary)
    if not request.is_drop_folder:
        batches = partial(read_batches, containers, options)
        yield from ahead.arriving(batches, on_progress, is_piped="-" in containers)
        return
    waiting = _new_files(containers, settings, warehouse)
    paths: list[Container] = [Path(f.path) for f in waiting]
    yield from ahead.arriving(partial(read_batches, paths, options), on_progress)
    warehouse.mark_taken(waiting)


def _containers_of(request: Request, summary: RunSummary) -> list[Container]:
    """Return what the specs name, each file once; small files share batches whoever named them."""
    found: dict[str, Container] = {}
    for spec in request.specs:
        try:
            containers = expand(
                [spec], source_id=request.source_id, may_be_empty=request.is_drop_folder
            )
        except SourceError as error:
            summary.source_errors.append(str(error))
            continue
        found |= {str(Path(c).absolute()) if c != "-" else "-": c for c in containers}
    return list(found.values())


def _new_files(
    containers: Sequence[Container], settings: Settings, warehouse: Warehouse
) -> list[TakenFile]:
    """Return the settled files that were not taken as they stand."""
    taken = warehouse.taken_files()
    standing = [file for c in containers if (file := _standing(c)) and file not in taken]
    now = time.time_ns()
    ages = [_age_ns(file, now) for file in standing]
    ahead = {f for f, age in zip(standing, ages, strict=True) if age is None}
    if ahead:
        # Stamped later than now by both clocks (a network drive whose server is ahead): no stamp
        # tells its age, so it is looked at twice.
        time.sleep(settings.settle_seconds)
        ahead = {file for file in ahead if _standing(Path(file.path)) == file}
    settle_ns = settings.settle_seconds * 1e9
    return [
        file
        for file, age in zip(standing, ages, strict=True)
        if (file in ahead if age is None else age >= settle_ns)
    ]


def _standing(container: Container) -> TakenFile | None:
    """Return a file as it stands; None when it is gone again since it was listed."""
    try:
        status = Path(container).stat()
    except OSError:
        return None
    return TakenFile(
        path=str(container),
        n_bytes=status.st_size,
        changed_ns=status.st_mtime_ns,
        # SQLite holds 63 bits; some network drives number their files with 64.
        inode=status.st_ino & (2**63 - 1),
        status_ns=status.st_ctime_ns,
    )


def _age_ns(file: TakenFile, now: int) -> int | None:
    """Return for how long a file has not changed; None when both of its stamps are in the future.

    The time of change can be set to anything (an archive unpacked, a camera's clock): where it is
    in the future, the time that the kernel keeps speaks.
    """
    past = [stamp for stamp in (file.changed_ns, file.status_ns) if stamp <= now]
    return now - past[0] if past else None
