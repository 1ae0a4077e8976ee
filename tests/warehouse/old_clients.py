"""Open a published warehouse with older DuckDB clients: every view has to answer in each.

Not part of the test command, as it installs the clients with pip (one folder each, kept):

    python -m tests.warehouse.old_clients [--folder DIR] [VERSION ...]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.store.views import load_views
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload

VERSIONS = ("1.1.3", "1.2.2", "1.3.2", "1.4.4", "1.5.6")

# Run by the old client: prints {way of opening: {view: rows}} or the error instead of the rows.
PROBE = """
import duckdb, json, sys
root, moved, views = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
database = "/public/news.duckdb"
quoted = (root + database).replace("'", "''")

def counts(connection, prefix=""):
    found = {}
    for view in views:
        try:
            rows = connection.execute(f"SELECT * FROM {prefix}{view}").fetchall()
            found[view] = len(rows)
        except duckdb.Error as error:
            found[view] = str(error).splitlines()[0]
    if prefix:  # names in a macro are looked up in the current database
        return found
    try:
        ids = connection.execute("SELECT article_id FROM articles_all").fetchall()
        asked = (f"SELECT * FROM article('{i}')" for (i,) in ids)
        found["article()"] = sum(len(connection.execute(sql).fetchall()) for sql in asked)
    except duckdb.Error as error:
        found["article()"] = str(error).splitlines()[0]
    return found

answers = {"version": duckdb.__version__}
connection = duckdb.connect(root + database, read_only=True)
answers["opened"] = counts(connection)
comments = "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'articles' AND comment <> ''"
answers["comments"] = connection.execute(comments).fetchall()[0][0]
connection.close()
connection = duckdb.connect()
connection.execute(f"ATTACH '{quoted}' AS news (READ_ONLY)")
connection.execute("USE news")
answers["attached"] = counts(connection)
connection.close()
connection = duckdb.connect()
connection.execute(f"ATTACH '{quoted}' AS other (READ_ONLY)")
answers["attached under another name, without USE"] = counts(connection, "other.")
connection.close()
connection = duckdb.connect(moved + database, read_only=True)
connection.execute(f"SET VARIABLE news_root = '{moved}'")
answers["moved"] = counts(connection)
connection.close()
print(json.dumps(answers))
"""

# Views name the base views beside them: before 1.2 these are looked up in the current database.
NEEDS_USE = ("1.1",)


def install(version: str, folder: Path) -> Path:
    """Install one client into a folder of its own, unless it is there."""
    target = folder / f"duckdb-{version}"
    if not target.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--target", str(target), f"duckdb=={version}"]
        subprocess.run(command, check=True)
    return target


def make_warehouse(folder: Path) -> tuple[Path, Path]:
    """Make a warehouse, and one that was moved away from the place that its files name."""
    root, gone, moved = folder / "it's news", folder / "gone", folder / "moved"
    with open_warehouse(root) as warehouse:
        for batch in range(2):
            workload.ingest(warehouse, batch)
    shutil.copytree(root, gone)
    with open_warehouse(gone):
        pass
    gone.rename(moved)
    return root, moved


def ask(target: Path, root: Path, moved: Path) -> dict[str, object]:
    """Return what the client installed at `target` sees."""
    views = ",".join(view.name for view in load_views())
    command = [sys.executable, "-c", PROBE, str(root), str(moved), views]
    environment = {**os.environ, "PYTHONPATH": str(target)}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if found.returncode:
        return {"error": found.stderr.strip().splitlines()[-1]}
    answers: dict[str, object] = json.loads(found.stdout)
    return answers


def problems_of(version: str, answers: dict[str, object], expected: dict[str, object]) -> list[str]:
    """Return where a client's answers differ from those of the present one."""
    if "error" in answers:
        return [str(answers["error"])]
    ways = [way for way in expected if way != "version"]
    if version.startswith(NEEDS_USE):
        ways = [way for way in ways if "without USE" not in way]
    return [f"{way}: {answers[way]}" for way in ways if answers[way] != expected[way]]


def main() -> int:
    """Ask every version; the exit code says whether all agree with the installed one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "duckdb-old")
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    arguments = parser.parse_args()
    is_sound = True
    with tempfile.TemporaryDirectory() as scratch:
        root, moved = make_warehouse(Path(scratch))
        expected = ask(Path(scratch), root, moved)
        if "error" in expected:
            sys.exit(f"the installed client cannot read it: {expected['error']}")
        for version in arguments.versions:
            answers = ask(install(version, arguments.folder), root, moved)
            problems = problems_of(version, answers, expected)
            is_sound = is_sound and not problems
            print(version, "ok" if not problems else "; ".join(problems))  # noqa: T201
    print("expected", json.dumps(expected))  # noqa: T201
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
