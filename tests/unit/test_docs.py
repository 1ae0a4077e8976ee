"""Documentation is complete: what can be called, set or raised is written down, and true."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from pipeline import errors
from pipeline.cli import app, hoisted
from pipeline.commands.dictionary import data_dictionary
from pipeline.report.tour import SHOWN, examples
from pipeline.settings import Settings, SourceSettings
from pipeline.sources.columns import COLUMN_TABLE

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
DOCUMENTS = sorted(
    path
    for path in REPOSITORY.glob("**/*.md")
    if ".venv" not in path.parts and "data" not in path.parts
)


def commands(
    group: Any = None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, by the words that call it."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())


def test_the_data_dictionary_is_fresh() -> None:
    written = (REPOSITORY / "warehouse" / "README.md").read_text("utf-8")
    assert written == data_dictionary(), (
        "stale: run python -m pipeline.commands.dictionary > warehouse/README.md"
    )


def test_the_data_dictionary_explains_every_column() -> None:
    rows = [line for line in data_dictionary().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert not [row for row in rows if row.endswith("|  |")]


def test_every_command_is_in_the_readme() -> None:
    text = README.read_text("utf-8")
    missing = [
        " ".join(words)
        for words in COMMANDS
        if not re.search(r"[^\n`]* ".join(["unecho", *words]) + r"\b", text)
    ]
    assert not missing


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_has_help(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    assert command.help
    short = command.help.splitlines()[0]
    assert len(short) <= 60, "it is cut in the list of commands"
    for parameter in command.params:
        is_id = parameter.name in ("document", "documents")
        assert is_id or getattr(parameter, "help", None), f"{words}: {parameter.name}"


def test_every_field_and_its_columns_are_in_the_readme() -> None:
    text = README.read_text("utf-8")
    missing = [
        field
        for field, columns in COLUMN_TABLE.items()
        if not re.search(rf"`{field}` *\| *{', '.join(f'`{c}`' for c in columns)} *\|", text)
    ]
    assert not missing


@pytest.mark.parametrize("settings", [Settings, SourceSettings])
def test_every_setting_is_in_the_readme(settings: type[BaseModel]) -> None:
    """As `key` in the text, or as `key = …` or `[[key]]` in an example of unecho.toml."""
    text = README.read_text("utf-8")
    missing = [
        key
        for key in settings.model_fields
        if not re.search(rf"`{key}`|^{key} = |^\[\[{key}\]\]", text, re.MULTILINE)
    ]
    assert not missing
    assert all(field.description for field in settings.model_fields.values())


def test_every_error_stands_in_the_tree_and_says_what_to_do() -> None:
    tree = errors.__doc__ or ""
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.UnechoError):
            assert name in tree, name
            assert kind.__doc__


def shell_lines(document: Path) -> Iterator[str]:
    """Every call of unecho in a shell block."""
    text = document.read_text("utf-8")
    for block in re.findall(r"```(?:sh|shell|bash|console)\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r" \| |&& |; ", re.sub(r"\s+#.*", "", line)):
                if called := re.fullmatch(r"(?:\$ )?(?:\.venv/bin/)?(unecho .*)", part.strip()):
                    yield re.sub(r" >>? .*| < .*", "", called[1])


CALLS = [(d, line) for d in DOCUMENTS for line in shell_lines(d)]


@pytest.mark.parametrize(
    ("document", "line"), CALLS, ids=[f"{d.parent.name}/{d.name}: {line}" for d, line in CALLS]
)
def test_every_call_in_the_documents_parses(document: Path, line: str) -> None:
    words = hoisted(shlex.split(line)[1:])
    command = typer.main.get_command(app)
    with command.make_context("unecho", list(words), resilient_parsing=False) as context:
        name, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        while hasattr(found, "commands"):
            context = found.make_context(name, rest, parent=context)
            name, found, rest = found.resolve_command(
                context, [*context._protected_args, *context.args]
            )
        found.make_context(name, rest, parent=context)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: f"{d.parent.name}/{d.name}")
def test_every_link_leads_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not re.match(r"[a-z]+:", target):
            assert (document.parent / target).exists(), target


def test_every_example_query_asks_a_question() -> None:
    found = examples()
    assert len(found) >= 8
    assert all(example.question.endswith("?") for example in found)
    assert set(SHOWN) <= {example.name for example in found}
