"""What was measured, kept section by section, and RESULTS.md made of it.

A section is `{"title", "columns", "rows", "notes"}`, or `{"title", "tables", "notes"}` with several
tables `{"caption", "columns", "rows"}`. It is stored with the command, the machine and the versions
that made it: sections may be run one by one.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERSIONS = ("numpy", "pyarrow", "numba", "duckdb", "datasketch", "prefect")

Section = Mapping[str, Any]

HEAD = """# Measurements

Written by `make bench` from `tests/bench/results/*.json`; do not edit. Corpora are generated, the
same for the same size (`tests/bench/corpus.py`, `tests/bench/peer_corpus.py`).
"""


def report(folder: Path) -> Path:
    """Return the file that is assembled."""
    return folder / "RESULTS.md"


def store(name: str, section: Section, command: str, minutes: float, folder: Path) -> None:
    """Keep a section under a name, with how it was made and how long that took."""
    stored = folder / "results"
    stored.mkdir(parents=True, exist_ok=True)
    made = {**section, "command": command, "minutes": round(minutes, 1)}
    made |= {"machine": machine(), "versions": versions()}
    text = json.dumps(made, ensure_ascii=False, indent=1)
    (stored / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def assemble(order: tuple[str, ...], folder: Path) -> None:
    """Write RESULTS.md from what is stored, sections in this order."""
    stored = {file.stem: file for file in (folder / "results").glob("*.json")}
    named = sorted(stored, key=lambda name: (order.index(name.split("-")[0]), size_of(name)))
    parts = [markdown(json.loads(stored[name].read_text(encoding="utf-8"))) for name in named]
    report(folder).write_text("\n".join([HEAD, *parts]), encoding="utf-8")


def size_of(name: str) -> int:
    """Return the number at the end of a section's name, 0 where there is none."""
    return int(name.partition("-")[2] or 0)


def markdown(section: Section) -> str:
    """Return a section as Markdown.

    >>> print(markdown({"title": "T", "columns": ["a", "b"], "rows": [["x", 1]], "notes": []}))
    ## T
    <BLANKLINE>
    | a | b |
    |---|--:|
    | x | 1 |
    <BLANKLINE>
    """
    return "\n".join(lines_of(section))


def lines_of(section: Section) -> Iterator[str]:
    """Yield the lines of a section."""
    yield f"## {section['title']}"
    for table in section.get("tables", [section]):
        yield ""
        if "caption" in table:
            yield from (f"**{table['caption']}**", "")
        yield row(table["columns"])
        yield "|---|" + "--:|" * (len(table["columns"]) - 1)
        yield from map(row, table["rows"])
    yield ""
    if section.get("notes"):
        yield from (f"- {note}" for note in section["notes"])
        yield ""
    if "command" in section:
        used = ", ".join(f"{name} {number}" for name, number in section["versions"].items())
        minutes = f" · {section['minutes']:.1f} minutes" if "minutes" in section else ""
        yield f"`{section['command']}`{minutes} · {section['machine']} · {used}"
        yield ""


def row(cells: list[object]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def machine() -> str:
    """Return the class of the machine: processor, cores, memory, system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor()}, {cores} cores, {gigabytes:.0f} GB, {platform.system()}"


def processor() -> str:
    """Return the model of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that carry the load."""
    found = {"Python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found
