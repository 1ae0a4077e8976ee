"""What a command loads before it answers: counted in modules, which no busy machine changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("prefect", "datasketch", "scipy", "numpy", "pyarrow", "pydantic_settings", "rich.console")

PROBE = """
import json, os, sys
from pipeline.cli import main
code = main({arguments!r})
sys.stdout.flush()
os.write(3, json.dumps((code, sorted(sys.modules))).encode())
os._exit(0)
"""


def loaded_by(*arguments: str) -> set[str]:
    """Return the modules that are loaded when the command has answered."""
    program = PROBE.format(arguments=list(arguments))
    command = 'exec 3>&1 >/dev/null; exec "$0" -c "$1"'
    found = subprocess.run(
        ["sh", "-c", command, sys.executable, program], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(found.stdout)
    assert code == 0, found.stderr
    return set(modules)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["ingest", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    modules = loaded_by(*arguments)
    assert not modules.intersection({*HEAVY, "duckdb"})
    # Measured: 211, and 278 where typer loads pydantic for the arguments of a command.
    assert len(modules) < 330


@pytest.mark.parametrize("answer_format", ["table", "csv", "json"])
def test_sql_loads_duckdb_and_little_else(answer_format: str, empty_warehouse: Path) -> None:
    modules = loaded_by(
        "--warehouse", str(empty_warehouse), "sql", "select 1", "--format", answer_format
    )
    assert "duckdb" in modules
    assert not modules.intersection(HEAVY)
    # Measured: 309 to 316.
    assert len(modules) < 370


def test_restore_and_explain_do_not_load_what_only_an_ingest_needs(empty_warehouse: Path) -> None:
    modules = loaded_by("--warehouse", str(empty_warehouse), "quarantine", "list")
    assert not modules & {"prefect", "datasketch", "scipy"}


RARE = ("croniter", "pathspec", "charset_normalizer", "zstandard", "dateutil.parser", "w3lib")
"""What one file in a hundred needs: 20 to 40 ms each, loaded where it is used."""

OF_PAGES = ("lxml", "trafilatura", "htmldate", "courlan")
"""What only pages need: 200 ms, loaded with the first one."""


def test_a_direct_ingest_loads_no_recorder_and_no_compiler(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    # Long enough to be signed: that is where datasketch was loaded, and scipy with it.
    text = " ".join(f"{n}번째 문장은 이렇게 끝난다." for n in range(40))
    record = {"id": "1", "url": "https://a.example/1?no=1", "text": text, "date": "2026-03-02"}
    file.write_text(json.dumps(record))
    modules = loaded_by("--warehouse", str(tmp_path / "w"), "ingest", "--direct", str(file))
    never = (
        "prefect",
        "numba",
        "datasketch",
        "scipy",
        "pydantic_settings",
        "asyncio",
        *RARE,
        *OF_PAGES,
    )
    assert not modules.intersection(never)
    # Measured: 712 modules.
    assert len(modules) < 850


def test_parsing_in_a_worker_loads_no_store_and_no_flow() -> None:
    program = "import sys, pipeline.sources.parse; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    modules = set(done.stdout.split())
    assert "pipeline.sources.parse" in modules
    assert not modules.intersection(
        ("duckdb", "pydantic", "typer", "prefect", "flows", *RARE, *OF_PAGES)
    )
