"""Compile once, when unecho is set up, what commands would wait for: `python -m flows.warm`.

Our modules, also where the environment forbids Python to keep what it compiles: a command then
loads them in half the time. Long regular expressions. And the kernels: what numba made of each is
kept beside the sources; a small ingest of generated texts then runs what an ingest uses. Without
this the first large batch waits for the compiler.
"""

from __future__ import annotations

import compileall
import gc
import json
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import flows
import pipeline
from flows.ingest import run_ingest
from flows.intake import Request
from pipeline.settings import Settings
from pipeline.text.kept_patterns import LONG_CHARS, compiled
from pipeline.text.kernels import load_all
from pipeline.text.lazy_pattern import LazyPattern

_WORDS = ["harbour", "council", "vote", "channel", "dredge", "north"]
_WORDS += ["crew", "season", "gull", "tide", "ferry", "rope"]


def warm() -> None:
    """Run every compiled kernel on two batches of a few articles."""
    with tempfile.TemporaryDirectory(prefix="unecho-warm-") as folder:
        for batch in range(2):
            path = Path(folder) / f"{batch}.jsonl"
            path.write_text("".join(_records(batch)), "utf-8")
            settings = Settings(warehouse=Path(folder) / "warehouse", engine="compiled", workers=1)
            run_ingest([Request(specs=(str(path),))], settings, f"warm-{batch}")


def compile_modules() -> None:
    """Keep our modules compiled; where their folder cannot be written they stay as they are."""
    for package in (pipeline, flows):
        for folder in package.__path__:
            compileall.compile_dir(folder, quiet=2)


def compile_patterns() -> None:
    """Keep the code of long patterns: those of the modules that an ingest loads."""
    for found in gc.get_objects():
        if isinstance(found, LazyPattern) and len(found.pattern) >= LONG_CHARS:
            compiled(found.pattern, found.flags)


def _records(batch: int) -> list[str]:
    """Return articles of which some repeat a paragraph and some are near copies of others."""
    records = []
    for number in range(12):
        shift = number // 2
        words = [
            f"{_WORDS[(place * (shift + 3) + shift) % 12]}{place % 5} 가나{place}"
            for place in range(160)
        ]
        if number % 2:
            words[7] = f"word{batch}"
        paragraphs = [" ".join(words[at : at + 40]) + "." for at in range(0, 160, 40)]
        text = "\n".join([*paragraphs, paragraphs[number % 4]])
        record = {"id": f"{batch}-{number}", "title": f"{words[0]} {number}", "text": text}
        records.append(json.dumps(record | {"source": f"s{number % 3}"}) + "\n")
    return records


def main() -> None:
    """Compile, and say how long it took."""
    compile_modules()
    compile_patterns()
    if find_spec("numba") is None:
        sys.stdout.write("numba is not installed: nothing to compile\n")
        return
    began = time.monotonic()
    n_kernels = load_all()
    warm()
    sys.stdout.write(f"{n_kernels} kernels are compiled ({time.monotonic() - began:.0f} s)\n")


if __name__ == "__main__":
    main()
