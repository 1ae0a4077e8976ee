"""The command `unecho`: global options, commands, and how every error ends."""

from __future__ import annotations

import atexit
import gc
import os
import re
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.compact import compact
from pipeline.commands.doctor import doctor
from pipeline.commands.evaluate import evaluate
from pipeline.commands.explain import explain
from pipeline.commands.ingest import ingest
from pipeline.commands.interrupts import INTERRUPTED
from pipeline.commands.options import Options, UsageError
from pipeline.commands.quarantine import quarantine
from pipeline.commands.rebuild import rebuild
from pipeline.commands.restore import restore
from pipeline.commands.serve import serve
from pipeline.commands.sources import sources
from pipeline.commands.sql import sql
from pipeline.errors import SettingsError, UnechoError

OK, FAILED, USAGE = 0, 1, 2

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Python's 700 make it look through all that is being loaded again and again: 0.1 s an ingest."""

_MEMORY_KEPT_MILLISECONDS = "1000"
"""How long Arrow keeps freed memory. At its own 10 ms what one stage frees the next one faults in
again, zeroed: 17 page faults an article instead of 10, see DECISIONS.md, 47."""

_COMMENT = re.compile(r"--([^a-z-]|[a-z-]+\s)")
"""What begins a comment in SQL and is no long option: those are letters up to a = or the end."""

EPILOG = (
    "--warehouse, --config and --debug may stand before or after the command. "
    "Exit codes: 0 done, 1 failed, 2 wrong usage."
)

# Plain help: rich's costs 0.15 s more on each --help and draws boxes into pipes.
app = typer.Typer(
    name="unecho",
    help="News, once: takes raw articles in, takes out what repeats, answers SQL.",
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
app.command(epilog=EPILOG)(ingest)
app.command(epilog=EPILOG)(sql)
app.command(epilog=EPILOG)(explain)
app.command(epilog=EPILOG)(restore)
app.command(epilog=EPILOG)(sources)
app.command(epilog=EPILOG)(compact)
app.command(epilog=EPILOG)(doctor)
app.command(epilog=EPILOG)(evaluate)
app.command(epilog=EPILOG)(rebuild)
app.command(epilog=EPILOG)(serve)
app.add_typer(quarantine, name="quarantine")


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version as installed_version

        typer.echo(f"unecho {installed_version('unecho')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    warehouse: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Root of the warehouse; default UNECHO_WAREHOUSE, else warehouse/data.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings file; default UNECHO_CONFIG, else ./unecho.toml.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """News, once: takes raw articles in, takes out what repeats, answers SQL."""
    if config is not None:
        os.environ["UNECHO_CONFIG"] = str(config)  # child processes must read the same file
    context.obj = Options(warehouse, config, debug)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 or 2.

    Errors are one line on stderr, `unecho: what, where; next step`; --debug adds the traceback.
    Without `arguments` it is the program itself, takes sys.argv and may end the process.
    """
    from pipeline.report.terminal import force_utf8

    start_light()
    force_utf8()
    words = hoisted(sys.argv[1:] if arguments is None else arguments)
    try:
        code = run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _end_quietly()
    except Exception as error:
        if "--debug" in words:
            raise
        code = _report(error)
    if arguments is None:
        _leave(code)
    return code


def _leave(code: int) -> None:
    """End the process as Python does, but for taking apart all that was loaded.

    That is 0.1 s of a direct ingest and 0.4 s of a recorded one, and nobody is left to see it.
    """
    with suppress(KeyboardInterrupt):
        # Threads come first: what is still to be recorded is sent by them.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def start_light() -> None:
    """Leave out of what we load what only costs: in this process, and in those that it starts."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    # No kernel multiplies matrices: the threads of BLAS would start, and spin, for nothing.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # pydantic looks through every installed package for plugins of its own.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    # Arrow's allocator reads it when it is loaded.
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", _MEMORY_KEPT_MILLISECONDS)


def run(words: Sequence[str]) -> int:
    """Run the app; exits and interrupts become exit codes, errors are raised.

    Not by calling the app: that ends every broken pipe with exit 1.
    """
    command = typer.main.get_command(app)
    try:
        with command.make_context("unecho", list(words)) as context:
            command.invoke(context)
    except typer.Exit as exit_:
        return int(exit_.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _say(INTERRUPTED)
        return FAILED
    return OK


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the global options moved before the command.

    SQL that begins with a comment is moved behind a `--`, so that it is not taken for an option.

    >>> hoisted(["sql", "select 1", "--warehouse", "w", "--debug"])
    ['--warehouse', 'w', '--debug', 'sql', 'select 1']
    >>> hoisted(["sql", "-- why?", "--json"])
    ['sql', '--json', '--', '-- why?']
    """
    front: list[str] = []
    rest: list[str] = []
    comments: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*front, *rest, word, *comments, *words]
        name, is_assigned, _ = word.partition("=")
        if word == "--debug" or (is_assigned and name in ("--warehouse", "--config")):
            front.append(word)
        elif name in ("--warehouse", "--config"):
            front += [word, *[value for value in [next(words, None)] if value is not None]]
        elif _COMMENT.match(word):
            comments.append(word)
        else:
            rest.append(word)
    return [*front, *rest, *(["--", *comments] if comments else [])]


def _report(error: Exception) -> int:
    """Print one line for an error and return its exit code."""
    if hasattr(error, "format_message"):  # click's own: a wrong option, a missing argument
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "unecho"
        message = error.format_message()
        if message.startswith("Usage:"):  # called without a command: its help is the answer
            sys.stderr.write(message + "\n")
            return USAGE
        _say(f"{message.rstrip('.')}; see: {path} --help")
        return USAGE
    if isinstance(error, UnechoError):
        _say(str(error))
        return USAGE if isinstance(error, SettingsError | UsageError) else FAILED
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        _say(f"{place}{error.strerror or error}; correct it and run the command again")
        return FAILED
    if isinstance(error, MemoryError):
        _say("out of memory; try a smaller --batch-documents")
        return FAILED
    _say(f"{type(error).__name__}: {error}; this is a fault in unecho, --debug shows where")
    return FAILED


def _say(line: str) -> None:
    text = " ".join(line.split())
    sys.stderr.write(f"unecho: {text}\n")


def _end_quietly() -> int:
    """Let the reader of our output go away (`| head`) without a word, also at shutdown."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return OK


if __name__ == "__main__":
    sys.exit(main())
