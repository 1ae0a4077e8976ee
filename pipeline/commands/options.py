"""What stands before (or after) every command: where the warehouse is, which settings file."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from pipeline.errors import UnechoError

if TYPE_CHECKING:
    from pipeline.settings import Settings

DEFAULT_WAREHOUSE = Path("warehouse/data")
"""The default of Settings.warehouse, known here without importing it (a test holds them equal):
pydantic costs 0.25 s, half of what `unecho sql` may take."""


SOURCE_OPTION = typer.Option(
    "--source",
    metavar="ID",
    help="source_id of records that name none; default local.",
    show_default=False,
)
MAP_OPTION = typer.Option(
    "--map",
    metavar="FIELD=COLUMN",
    help="Which column fills a field, as text=본문,title=제목; may be repeated.",
    show_default=False,
)
ENCODING_OPTION = typer.Option(
    "--encoding",
    metavar="NAME",
    help="Character encoding of the files, as cp949; default: as labelled or detected.",
    show_default=False,
)

_NEXT_FIELD = re.compile(r",(?=\s*\w+\s*=)")


class UsageError(UnechoError):
    """The command was called in a way that cannot work: exit 2."""

    def __init__(self, message: str, next_step: str) -> None:
        """Name what is wrong and what to write instead."""
        super().__init__(message, next_step=next_step)


@dataclass(frozen=True)
class Options:
    """The global options as given; None is not given."""

    warehouse: Path | None = None
    config: Path | None = None
    is_debug: bool = False


def options_of(context: typer.Context) -> Options:
    """Return the global options of this call."""
    return cast(Options, context.obj)


def settings_of(context: typer.Context, **arguments: Any) -> Settings:
    """Load the settings: arguments of the command > environment > unecho.toml.

    Raises:
        SettingsError: names the wrong key and where it was read.
    """
    from pipeline.settings import load_settings

    return load_settings(warehouse=options_of(context).warehouse, **arguments)


def warehouse_of(context: typer.Context) -> Path:
    """Return the root of the warehouse, without reading other settings where that is possible.

    Raises:
        SettingsError: a settings file is in play and wrong.
    """
    given = options_of(context).warehouse or os.environ.get("UNECHO_WAREHOUSE")
    if given:
        return Path(given)
    if os.environ.get("UNECHO_CONFIG") or Path("unecho.toml").is_file():
        return settings_of(context).warehouse
    return DEFAULT_WAREHOUSE


def column_map(given: list[str] | None) -> dict[str, str]:
    """Return the field to column mapping of `--map`; a comma parts two fields.

    >>> column_map(["text=본문,title=제목, 부제", "url=link"])
    {'text': '본문', 'title': '제목, 부제', 'url': 'link'}

    Raises:
        UsageError: a part is not FIELD=COLUMN.
    """
    mapped: dict[str, str] = {}
    for part in (p for text in given or [] for p in _NEXT_FIELD.split(text)):
        name, is_given, column = (piece.strip() for piece in part.partition("="))
        if not (name and is_given and column):
            raise UsageError(
                f"--map {part}: no FIELD=COLUMN", "write it as --map text=본문,title=제목"
            )
        mapped[name] = column
    return mapped


def call_of(context: typer.Context) -> str:
    """Return how to call unecho again for the same warehouse, to paste into the same shell."""
    import shlex

    options = options_of(context)
    words = [_program()]
    if options.warehouse not in (None, DEFAULT_WAREHOUSE):
        words += ["--warehouse", shlex.quote(str(options.warehouse))]
    elif options.config is not None:
        words += ["--config", shlex.quote(str(options.config))]
    return " ".join(words)


def tell_alarms(alarms: Sequence[str]) -> None:
    """Write the alarms of a run to stderr; they do not make it a failure."""
    from pipeline.report.terminal import printable

    for alarm in alarms:
        typer.echo(f"unecho: alarm: {printable(alarm)}", err=True)


def _program() -> str:
    """Return `unecho` where the shell finds this one under that name, else its path as called."""
    import shutil

    called = Path(sys.argv[0])
    found = shutil.which("unecho")
    is_found = found is not None and called.exists() and Path(found).samefile(called)
    return "unecho" if is_found or called.name != "unecho" else str(called)
