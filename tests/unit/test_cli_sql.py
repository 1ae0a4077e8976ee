"""`unecho sql`: formats, statements, limits and interrupts."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline import cli
from pipeline.errors import WarehouseError
from pipeline.report.answers import (
    execute,
    split_statements,
    write_answer,
)
from pipeline.report.published import QueryError, RefusedStatement, answer_pipe, open_published

UNECHO = (sys.executable, "-m", "pipeline.cli")

AWKWARD = """
    SELECT 1 AS a, true AS b, NULL AS c, '' AS d, 'x,y' AS e, 'q"r' AS f, 'l1' || chr(10) || 'l2'
    AS g, ' sp ' AS h, '제목' AS i, 0.85::FLOAT AS j, [1, 2] AS k, {'a': 'b'} AS l,
    TIMESTAMP '2026-03-09 01:02:03.5' AS m, DATE '2026-03-09' AS n, 1.50::DECIMAL(5, 2) AS o,
    '00000000-0000-0000-0000-00000000000a'::UUID AS p, 'ab'::BLOB AS q, 'nan'::DOUBLE AS r,
    12345678901234567890123::HUGEINT AS s, 2 AS a, 'NULL' AS t
"""


@pytest.fixture
def connection(empty_warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_published(empty_warehouse) as opened:
        yield opened


def answer(connection: duckdb.DuckDBPyConnection, statement: str, answer_format: str) -> bytes:
    stream = io.BytesIO()
    write_answer(connection, statement, answer_format, stream)
    return stream.getvalue()


def unecho(
    root: Path, *arguments: str, env: dict[str, str] | None = None, **named: Any
) -> subprocess.CompletedProcess[bytes]:
    named.setdefault("stdin", subprocess.DEVNULL) if "input" not in named else None
    return subprocess.run(
        [*UNECHO, "--warehouse", str(root), *arguments],
        capture_output=True,
        env=os.environ | (env or {}),
        timeout=60,
        check=False,
        **named,
    )


# Formats


def test_csv_is_what_duckdb_copies(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    copied = tmp_path / "copied.csv"
    # Not through `connection`: that one may write nothing.
    duckdb.connect().execute(f"COPY ({AWKWARD}) TO '{copied}' (FORMAT csv, HEADER)")
    written = answer(connection, AWKWARD, "csv")
    assert written == copied.read_bytes()
    assert written.startswith(b"a,b,c,d,e,f,g,h,i,")
    assert b'\n1,true,,"","x,y","q""r","l1\nl2", sp ,\xec\xa0\x9c\xeb\xaa\xa9,0.85,' in written
    assert b"\r" not in written


def test_json_is_one_array_of_objects(connection: duckdb.DuckDBPyConnection) -> None:
    [row] = json.loads(answer(connection, AWKWARD, "json"))
    assert row["p"] == "00000000-0000-0000-0000-00000000000a"
    assert row["m"] == "2026-03-09T01:02:03.500000"
    assert (row["a"], row["a_1"]) == (1, 2)
    assert (row["b"], row["c"], row["d"], row["i"]) == (True, None, "", "제목")
    assert row["j"] == 0.85, "a 32-bit float in its shortest form"
    assert (row["k"], row["l"], row["n"], row["o"]) == ([1, 2], {"a": "b"}, "2026-03-09", 1.5)
    assert (row["q"], row["r"], row["s"]) == ("6162", None, 12345678901234567890123)


def test_json_of_no_rows_is_an_empty_array(connection: duckdb.DuckDBPyConnection) -> None:
    assert json.loads(answer(connection, "SELECT 1 AS a WHERE false", "json")) == []


def test_parquet_keeps_types(connection: duckdb.DuckDBPyConnection) -> None:
    written = answer(connection, "SELECT uuid() AS id, now()::TIMESTAMP AS at", "parquet")
    table = pq.read_table(io.BytesIO(written))
    assert [str(f.type) for f in table.schema] == ["extension<arrow.uuid>", "timestamp[us]"]


@pytest.mark.parametrize("answer_format", ["table", "csv", "json"])
@pytest.mark.parametrize(
    "statement", ["EXPLAIN SELECT 1", "PRAGMA version", "SHOW TABLES", "SUMMARIZE SELECT 1 AS a"]
)
def test_statements_that_are_no_select_answer_too(
    connection: duckdb.DuckDBPyConnection, statement: str, answer_format: str
) -> None:
    assert len(answer(connection, statement, answer_format)) > 10


@pytest.mark.parametrize("answer_format", ["table", "csv", "json"])
def test_every_row_of_a_large_answer_is_written_once(
    connection: duckdb.DuckDBPyConnection, answer_format: str
) -> None:
    written = answer(connection, "SELECT range AS n FROM range(20000)", answer_format).decode()
    assert [int(n) for n in re.findall(r"\d+", written)] == list(range(20000))


def test_a_table_is_cut_at_max_rows_and_says_so(connection: duckdb.DuckDBPyConnection) -> None:
    stream = io.BytesIO()
    written = write_answer(connection, "FROM range(10)", "table", stream, 80, max_rows=3)
    assert written == (3, True)
    assert stream.getvalue().decode().splitlines()[2:] == ["    0", "    1", "    2"]
    assert write_answer(connection, "FROM range(3)", "table", stream, 80, 3) == (3, False)


# Statements


@pytest.mark.parametrize(
    ("text", "statements", "rest"),
    [
        ("select 1", [], "select 1"),
        ("select 1;", ["select 1"], ""),
        ("select ';' ; select 2 -- ;", ["select ';'"], "select 2"),
        ("-- nothing", [], ""),
        (";; ;", [], ""),
        ("select $$ ; $$;", ["select $$ ; $$"], ""),
        ('select "한;글" /* ; */;', ['select "한;글"'], ""),
        ("select 'open;", [], "select 'open;"),
    ],
)
def test_statements_end_where_duckdb_ends_them(text: str, statements: list[str], rest: str) -> None:
    assert split_statements(text) == (statements, rest)


def test_the_published_snapshot_cannot_be_written(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError, match="only reads"):
        execute(connection, "CREATE TABLE x AS SELECT 1")


def test_a_variable_of_this_program_is_no_table(connection: duckdb.DuckDBPyConnection) -> None:
    secret = connection.sql("SELECT 42 AS answer")
    with pytest.raises(QueryError, match="secret does not exist"):
        answer(connection, "SELECT * FROM secret", "table")
    assert secret.fetchall() == [(42,)]


def test_a_moved_warehouse_answers(seed_warehouse: Path, tmp_path: Path) -> None:
    moved = tmp_path / "it's moved"
    moved.symlink_to(seed_warehouse)
    with open_published(moved) as connection:
        [(n,)] = connection.execute("SELECT count(*) FROM articles_all").fetchall()
    assert n > 60


REFUSED = [
    "COPY (SELECT 1) TO '{0}/new.csv'",
    "COPY (PIVOT range(3) ON range) TO '{0}/new.csv'",
    "COPY articles TO '{0}/new.csv'",
    "ATTACH '{0}/new.duckdb' AS other",
    "EXPORT DATABASE '{0}/new'",
    "PRAGMA export_database('{0}/new')",
    "IMPORT DATABASE '{0}/new'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{0}/new.csv'",
    "explain (analyze, format json) COPY (SELECT 1) TO '{0}/new.csv'",
    "WITH p AS (PIVOT range(3) ON range) INSERT INTO stories SELECT 1",
    "CREATE TABLE memory.main.new AS PIVOT range(3) ON range",
    "CREATE TABLE memory.main.new AS SELECT 1",
    "PREPARE new AS COPY (SELECT 1) TO '{0}/new.csv'",
    "USE memory",
    "DETACH news",
    "INSERT INTO stories SELECT 1",
    "DELETE FROM stories",
    "SET enable_external_access = true",
    "PRAGMA threads=1",
    "RESET threads",
    "INSTALL httpfs",
    "CALL pragma_version()",
    "BEGIN",
    "VACUUM",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_does_more_than_read_is_refused(
    connection: duckdb.DuckDBPyConnection, empty_warehouse: Path, statement: str
) -> None:
    before = sorted(empty_warehouse.rglob("*"))
    for refuse in (execute, lambda c, s: answer(c, s, "csv")):
        with pytest.raises(RefusedStatement, match=r"^sql only reads: \w+ is not allowed;"):
            refuse(connection, statement.format(empty_warehouse))
    assert sorted(empty_warehouse.rglob("*")) == before


@pytest.mark.parametrize(
    "statement",
    [
        "FROM range(2)",
        "WITH a AS (SELECT 1) FROM a",
        "VALUES (1)",
        "(SELECT 1)",
        "DESCRIBE articles",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN (FORMAT json) SELECT 1",
        "EXPLAIN PIVOT range(3) ON range",
        "PIVOT (SELECT 1 AS a, 2 AS b) ON a USING sum(b)",
        "FROM (PIVOT (SELECT 1 AS a, 2 AS b) ON a USING sum(b)) -- why",
        "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
        "PRAGMA table_info('articles')",
    ],
)
def test_what_reads_is_answered(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    assert len(answer(connection, statement, "json")) > 4


def test_a_comment_does_not_hide_what_is_explained(
    connection: duckdb.DuckDBPyConnection, empty_warehouse: Path
) -> None:
    with pytest.raises(QueryError):
        execute(connection, f"EXPLAIN /**/ ANALYZE COPY (SELECT 1) TO '{empty_warehouse}/new.csv'")
    assert not (empty_warehouse / "new.csv").exists()


def test_temporary_tables_and_variables_are_of_the_session(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    execute(connection, "CREATE OR REPLACE TEMP TABLE few AS FROM range(3)")
    execute(connection, "SET VARIABLE least = 1")
    assert answer(connection, "FROM few WHERE range > getvariable('least')", "csv") == b"range\n2\n"


def test_files_outside_the_warehouse_are_out_of_reach(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with pytest.raises(QueryError, match="nothing but the warehouse"):
        answer(connection, f"FROM read_text('{secret}')", "table")
    # The second lock, should a statement pass the first.
    for statement in (f"COPY (SELECT 1) TO '{secret}'", f"ATTACH '{secret}' AS other"):
        with pytest.raises(duckdb.PermissionException):
            connection.execute(statement)
    with pytest.raises(duckdb.InvalidInputException, match="locked"):
        connection.execute("SET enable_external_access = true")
    assert secret.read_text() == "secret"


@pytest.mark.parametrize("answer_format", ["table", "csv", "json", "parquet"])
def test_a_damaged_file_sends_to_the_doctor(
    seed_warehouse: Path, tmp_path: Path, answer_format: str
) -> None:
    root = tmp_path / "damaged"
    shutil.copytree(seed_warehouse, root)
    for damaged in (root / "data" / "articles").rglob("*.parquet"):
        damaged.chmod(0o644)
        damaged.write_bytes(damaged.read_bytes()[:100])
    with open_published(root) as connection:
        with pytest.raises(WarehouseError, match=r"is damaged: .*\.parquet.*; run: unecho doctor"):
            answer(connection, "SELECT title FROM articles_all", answer_format)
        with pytest.raises(QueryError):  # what only mentions a file is a query's own fault
            answer(connection, "SELECT error('x.parquet')", answer_format)


def test_no_pipe_is_left_behind(connection: duckdb.DuckDBPyConnection) -> None:
    answer(connection, "SELECT 1", "csv")
    with pytest.raises(QueryError):
        answer(connection, "SELECT nothing", "csv")
    assert not answer_pipe(connection).exists()


# The command


def test_stdout_carries_the_answer_alone(empty_warehouse: Path) -> None:
    done = unecho(empty_warehouse, "sql", "SELECT 1 AS a; SELECT 2 AS b", "--format", "csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"b\n2\n", b"")


@pytest.mark.parametrize("dash", [["-"], []])
def test_a_query_is_read_from_a_pipe(empty_warehouse: Path, dash: list[str]) -> None:
    query = "-- a comment\nSELECT '서울' AS city;\n".encode()
    done = unecho(empty_warehouse, "sql", *dash, "-f", "csv", input=query)
    assert (done.returncode, done.stdout.decode()) == (0, "city\n서울\n")


@pytest.mark.parametrize("answer_format", ["table", "csv", "json"])
def test_korean_comes_out_whatever_the_locale_says(
    empty_warehouse: Path, answer_format: str
) -> None:
    env = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    query = "SELECT '서울 ' || chr(128240) AS 제목".encode()
    done = unecho(empty_warehouse, "sql", "-f", answer_format, env=env, input=query)
    assert done.returncode == 0, done.stderr
    assert "서울 📰" in done.stdout.decode()
    assert "제목" in done.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["sql", "SELECT * FROM nowhere"], 1, "Table with name nowhere does not exist"),
        (["sql", "SELEC 1"], 1, "line 1: SELEC 1"),
        (["sql", "DROP VIEW stories"], 1, "sql only reads: DROP is not allowed; open the"),
        (["sql", "SELECT 1; SELECT 2; USE memory"], 1, "only reads: USE is not allowed"),
        (["sql", "USE memory; SELECT 1"], 1, "only reads: USE is not allowed"),
        (["sql", "-- nothing"], 2, "no query given"),
        (["sql", "SELECT 1", "--format", "xml"], 2, "--format"),
        (["sql", "SELECT 1", "--no-such-option"], 2, "see: unecho sql --help"),
        (["sql", "SELECT 1", "too many"], 2, "see: unecho sql --help"),
    ],
)
def test_errors_are_one_line(
    empty_warehouse: Path,
    arguments: Sequence[str],
    code: int,
    said: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    found = cli.main(["--warehouse", str(empty_warehouse), *arguments])
    written = capfd.readouterr()
    lines = written.err.splitlines()
    assert (found, written.out, len(lines)) == (code, "", 1), lines
    assert lines[0].startswith("unecho: ")
    assert said in lines[0]
    assert "; " in lines[0], "a next step follows"


def test_without_a_warehouse_the_next_step_is_named(tmp_path: Path) -> None:
    done = unecho(tmp_path / "nowhere", "sql", "SELECT 1")
    assert done.returncode == 1
    assert b"unecho ingest" in done.stderr
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("answer_format", ["table", "csv", "json", "parquet"])
def test_a_reader_that_goes_away_is_no_error(empty_warehouse: Path, answer_format: str) -> None:
    command = [*UNECHO, "--warehouse", str(empty_warehouse), "sql", "FROM range(2000000)"]
    with subprocess.Popen(
        [*command, "-f", answer_format], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def test_csv_is_appended_to_a_file(empty_warehouse: Path, tmp_path: Path) -> None:
    """COPY … TO '/dev/stdout' would open the file anew and lose its first lines."""
    path = tmp_path / "all.csv"
    path.write_bytes(b"kept\n")
    with path.open("ab") as appended:
        subprocess.run(
            [*UNECHO, "--warehouse", str(empty_warehouse), "sql", "SELECT 1 AS a", "-f", "csv"],
            stdout=appended,
            check=True,
        )
    assert path.read_bytes() == b"kept\na\n1\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("answer_format", ["table", "csv", "json"])
def test_a_full_disk_is_an_error(empty_warehouse: Path, answer_format: str) -> None:
    command = [*UNECHO, "--warehouse", str(empty_warehouse), "sql", "SELECT 1", "-f"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*command, answer_format], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"unecho: ")
    assert len(done.stderr.splitlines()) == 1


def wait_for_cpu(pid: int, seconds: float) -> None:
    """Wait until a process has used so much CPU: a loaded machine takes long to start a query."""
    used, deadline = 0.0, time.monotonic() + 60
    while used < seconds and time.monotonic() < deadline:
        time.sleep(0.2)
        command = ["ps", "-o", "time=", "-p", str(pid)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        parts = answer.stdout.strip().split(":")
        used = sum(float(part) * 60**n for n, part in enumerate(reversed(parts)))


@pytest.mark.parametrize("answer_format", ["table", "csv"])
def test_ctrl_c_cancels_the_query(empty_warehouse: Path, answer_format: str) -> None:
    endless = "SELECT a FROM range(100000000000) t(a), range(100) u(b) WHERE a * b % 7 = 99"
    command = [*UNECHO, "--warehouse", str(empty_warehouse), "sql", endless, "-f", answer_format]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for_cpu(process.pid, 2)
        assert process.poll() is None, "it was to be endless"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=10)
    assert process.returncode == 1
    assert stderr.startswith(b"unecho: interrupted")
    assert len(stderr.splitlines()) == 1
