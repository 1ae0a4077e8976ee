"""A signal ends an ingest wherever it meets it: while it starts, loads, or waits for its input."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

IN_THE_RUN = "colorsys"
"""Loaded by the test when the run stands in the ledger, as a reader would be."""

PROGRAM = '''
import os, signal, sys
# Whoever runs the tests in the background has them ignored, and we would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
number, moment = int(sys.argv.pop(1)), sys.argv.pop(1)
place, _, module = moment.partition(" ")

def send():
    sys.setprofile(None)
    os.kill(os.getpid(), number)

class Finder:
    """Meets the look for a module: as it begins to load, or in a callback of the import."""

    def find_spec(self, name, path=None, target=None):
        if name == module:
            sys.meta_path.remove(self)
            if place == "loading":
                send()
            else:
                sys.setprofile(in_callback)

def in_callback(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_name == "cb" and "importlib._bootstrap" in code.co_filename:
        send()

def load_in_the_run():
    from pipeline.store.warehouse import Warehouse
    begin_run = Warehouse.begin_run
    def begin_and_load(*arguments):
        begin_run(*arguments)
        import colorsys
    Warehouse.begin_run = begin_and_load

sys.meta_path.insert(0, Finder())
if module == "colorsys":
    load_in_the_run()
from pipeline.cli import main
sys.exit(main())
'''

MOMENTS = [
    f"{place} {module}"
    for place in ("loading", "callback")
    for module in (
        "pipeline.settings",
        "flows.intake",
        "numpy",
        "pyarrow.compute",
        "duckdb",
        "flows.ingest",
        IN_THE_RUN,
    )
]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_one_line(tmp_path: Path, number: int, moment: str) -> None:
    command = [sys.executable, "-c", PROGRAM, str(int(number)), moment]
    command += ["--warehouse", str(tmp_path / "w"), "ingest", "-", "--direct"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:  # its standard input stays open: a run that lost the signal waits for more
        try:
            code = process.wait(30)
        finally:
            process.kill()
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read().decode()
    assert (code, out) == (1, b"")
    line = err.splitlines()[-1]
    assert line.startswith("unecho: interrupted; ")
    assert "Traceback" not in err
