"""The other libraries, each installed into an environment of its own under tests/bench/.envs.

What a library needs is pinned in tests/bench/peers/<library>.txt; nothing of it enters ours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".envs"
PINS = HERE / "peers"
NEWER_PYTHONS = ("python3.12", "python3.13", "python3.14")
LEAST_PYTHON = {"text-dedup": (3, 12)}


def pins(library: str) -> list[str]:
    """Return the requirements of a library, its own first."""
    return (PINS / f"{library}.txt").read_text(encoding="utf-8").split()


def installed(library: str) -> tuple[Path | None, str]:
    """Return the interpreter of a library's environment, made where missing, or why there is none.

    The environment carries a copy of its pins: other pins make it anew.
    """
    folder = ENVIRONMENTS / library
    python, mark = folder / "bin" / "python", folder / "pins.txt"
    wanted = "\n".join(pins(library))
    if python.exists() and mark.exists() and mark.read_text(encoding="utf-8") == wanted:
        return python, ""
    base = interpreter(LEAST_PYTHON.get(library, (3, 11)))
    if base is None:
        least = ".".join(map(str, LEAST_PYTHON[library]))
        return None, f"needs Python {least} or newer, none found"
    shutil.rmtree(folder, ignore_errors=True)
    make = [base, "-m", "venv", str(folder)]
    install = [str(python), "-m", "pip", "install", "--quiet", *pins(library)]
    for command in (make, install):
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            return None, said[-1] if said else f"{command[2]} failed"
    mark.write_text(wanted, encoding="utf-8")
    return python, ""


def interpreter(least: tuple[int, int]) -> str | None:
    """Return a Python of at least this version: this one, or one on the path."""
    if sys.version_info[:2] >= least:
        return sys.executable
    kept = sorted(map(str, Path.home().glob(".pyenv/versions/3.*/bin/python")))
    for name in [*map(shutil.which, NEWER_PYTHONS), *kept]:
        if name and version(name) >= least:
            return name
    return None


def version(python: str) -> tuple[int, ...]:
    """Return the version of an interpreter; () for a shim without a version behind it."""
    ask = "import sys; print(*sys.version_info[:2])"
    said = subprocess.run([python, "-c", ask], capture_output=True, text=True)
    return tuple(map(int, said.stdout.split())) if said.returncode == 0 else ()
