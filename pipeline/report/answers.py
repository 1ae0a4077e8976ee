"""Answers to SQL, as a table, CSV, JSON or Parquet, streamed: the size of an answer is no limit."""

from __future__ import annotations

import math
import os
import re
import struct
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.report.published import QueryError, answer_pipe, check_reads, damage_of
from pipeline.report.tables import Column, text_table

if TYPE_CHECKING:
    import duckdb

FORMATS = ("table", "csv", "json", "parquet")

_FETCHED_ROWS = 2048
"""Rows fetched at a time: DuckDB's own vector size."""

_COPY_OPTIONS = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet, COMPRESSION zstd"}

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*")


def split_statements(text: str) -> tuple[list[str], str]:
    r"""Return the statements that a ';' ends, without comments around them, and the rest.

    DuckDB's own tokenizer decides what is a ';' inside a string or a comment.

    >>> split_statements("select ';' -- ;\n ; select 2")
    (["select ';'"], 'select 2')
    """
    import duckdb

    raw = text.encode()  # the tokenizer counts bytes
    tokens = [(at, kind == duckdb.token_type.comment) for at, kind in duckdb.tokenize(text)]
    ends = [*(at for at, _ in tokens), len(raw)][1:]
    statements: list[str] = []
    start, end = None, 0
    for (at, is_comment), token_end in zip(tokens, ends, strict=True):
        if is_comment:
            continue
        if raw[at : at + 1] == b";":
            if start is not None:
                statements.append(raw[start:end].decode().strip())
            start = None
        else:
            start, end = (at if start is None else start), token_end
    return statements, "" if start is None else raw[start:end].decode().strip()


def write_answer(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    answer_format: str,
    stream: BinaryIO,
    width: int | None = None,
    max_rows: int = 0,
) -> tuple[int, bool]:
    """Run one statement and write its answer; return the rows written and whether there are more.

    Args:
        connection: where to ask.
        statement: one SQL statement without a ';'.
        answer_format: one of FORMATS.
        stream: takes UTF-8 or, for parquet, bytes.
        width: cells of the terminal; None is none: nothing is squeezed.
        max_rows: rows of a table at the most; 0 is all.

    Raises:
        QueryError: DuckDB refuses the statement, or it does more than read.
        WarehouseError: a file of the warehouse is damaged.
    """
    import duckdb

    check_reads(connection, statement)
    try:
        if answer_format in _COPY_OPTIONS:
            return _copy(connection, statement, _COPY_OPTIONS[answer_format], stream), False
        if answer_format == "json":
            return _write_json(connection, statement, stream), False
        return _write_table(connection, statement, stream, width, max_rows)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise damage_of(connection, error) or QueryError(error) from error


def execute(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Run one statement and forget its answer.

    Raises:
        QueryError: DuckDB refuses the statement, or it does more than read.
        WarehouseError: a file of the warehouse is damaged.
    """
    import duckdb

    check_reads(connection, statement)
    try:
        connection.execute(statement).fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise damage_of(connection, error) or QueryError(error) from error


def _is_select(connection: duckdb.DuckDBPyConnection, statement: str) -> bool:
    """Return whether the statement can stand inside another (EXPLAIN, PRAGMA and SET cannot)."""
    import duckdb

    return all(
        s.type in (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI)
        for s in connection.extract_statements(statement)
    )


def _write_table(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    stream: BinaryIO,
    width: int | None,
    max_rows: int,
) -> tuple[int, bool]:
    relation = connection.sql(statement)
    if relation is None or not relation.columns:
        return 0, False
    columns = [
        Column(name, _NUMBER.fullmatch(str(dtype)) is not None)
        for name, dtype in zip(relation.columns, relation.types, strict=True)
    ]
    if _is_select(connection, statement):
        # DuckDB's own spelling of values: 0.85 and not 0.8500000238418579, [a, b] for lists.
        fields = ", ".join(f"#{i}::VARCHAR" for i in range(1, len(columns) + 1))
        answer = connection.execute(f"SELECT {fields} FROM (\n{statement}\n)")
        rows = _fetched(answer)
    elif relation.columns == ["explain_key", "explain_value"]:
        plan = "\n".join(str(row[1]) for row in relation.fetchall())
        stream.write(plan.encode())
        return 1, False
    else:
        rows = iter(relation.fetchall())
    counted = _Counted(rows, max_rows)
    for line in text_table(columns, counted, width):
        stream.write(f"{line}\n".encode())
    return counted.n_rows, counted.has_more


class _Counted:
    """Iterates over the first `max_rows` rows (0: all), counts them and knows if there are more."""

    def __init__(self, rows: Iterator[Sequence[object]], max_rows: int) -> None:
        self._rows = rows
        self._max_rows = max_rows
        self.n_rows = 0
        self.has_more = False

    def __iter__(self) -> Iterator[Sequence[object]]:
        for row in islice(self._rows, self._max_rows or None):
            self.n_rows += 1
            yield row
        self.has_more = bool(self._max_rows) and next(self._rows, None) is not None


def _fetched(answer: duckdb.DuckDBPyConnection) -> Iterator[Sequence[object]]:
    while batch := answer.fetchmany(_FETCHED_ROWS):
        yield from batch


def _copy(
    connection: duckdb.DuckDBPyConnection, statement: str, options: str, stream: BinaryIO
) -> int:
    """Let DuckDB write the answer itself, through a pipe to `stream`.

    A named pipe: DuckDB opens no descriptor (/dev/fd/…) without access to all files. Not COPY …
    TO '/dev/stdout': that opens the file anew and truncates it, so that `>>` and
    `{ …; unecho sql …; } > file` would lose what was written before.
    """
    if not _is_select(connection, statement):
        values = _as_values(connection, statement)
        connection.execute(f"CREATE TEMP TABLE unecho_answer AS {values}")
        try:
            return _copy(connection, "FROM unecho_answer", options, stream)
        finally:
            connection.execute("DROP TABLE unecho_answer")
    path = answer_pipe(connection)
    os.mkfifo(path, 0o600)
    try:
        # A pipe with no writer yet is opened at once only when it does not block.
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writing = os.open(path, os.O_WRONLY)
        os.set_blocking(reading, True)
        return _through(
            connection,
            f"COPY (\n{statement}\n) TO {_quoted(str(path))} ({options})",
            reading,
            writing,
            stream,
        )
    finally:
        path.unlink()


def _through(
    connection: duckdb.DuckDBPyConnection,
    copying: str,
    reading: int,
    writing: int,
    stream: BinaryIO,
) -> int:
    """Run the COPY while what comes out of the pipe goes to `stream`; return the rows."""
    failures: list[OSError] = []
    pump = threading.Thread(target=_pump, args=(reading, stream, failures))
    pump.start()
    try:
        counted = connection.execute(copying).fetchone()
    except Exception:
        os.close(writing)
        pump.join()
        if failures:  # the reader went away: that, and not DuckDB's complaint, is the cause
            raise failures[0] from None
        raise
    os.close(writing)
    pump.join()
    if failures:
        raise failures[0]
    return int(counted[0]) if counted else 0


def _pump(reading: int, stream: BinaryIO, failures: list[OSError]) -> None:
    with open(reading, "rb", buffering=0) as source:
        try:
            while piece := source.read(1 << 16):
                stream.write(piece)
        except OSError as failure:
            failures.append(failure)  # closing our end makes DuckDB's next write fail


def _as_values(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    """Return the answer of a statement that cannot stand inside another as a SELECT of text."""
    relation = connection.sql(statement)
    names = relation.columns if relation is not None else []
    if not names:
        return "SELECT NULL AS answer WHERE false"
    quoted_names = ['"' + name.replace('"', '""') + '"' for name in names]
    rows = [
        "(" + ", ".join("NULL" if v is None else _quoted(str(v)) for v in row) + ")"
        for row in relation.fetchall()
    ]
    if not rows:
        return "SELECT " + ", ".join(f"NULL AS {n}" for n in quoted_names) + " WHERE false"
    return f"FROM (VALUES {', '.join(rows)}) AS answer({', '.join(quoted_names)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _write_json(connection: duckdb.DuckDBPyConnection, statement: str, stream: BinaryIO) -> int:
    answer = connection.execute(statement)
    described = answer.description or []
    names = _distinct([column[0] for column in described])
    singles = [i for i, column in enumerate(described) if str(column[1]) == "FLOAT"]
    n_rows = 0
    for row in _fetched(answer):
        values: list[Any] = list(row)
        for i in singles:
            values[i] = _single(values[i])
        stream.write(b",\n " if n_rows else b"[\n ")
        stream.write(as_json(dict(zip(names, values, strict=True))))
        n_rows += 1
    stream.write(b"\n]\n" if n_rows else b"[]\n")
    return n_rows


def _distinct(names: list[str]) -> list[str]:
    """Return the names, made distinct as DuckDB's COPY does it: a, a_1.

    >>> _distinct(["a", "b", "a"])
    ['a', 'b', 'a_1']
    """
    distinct: list[str] = []
    for name in names:
        candidate, n = name, 0
        while candidate in distinct:
            n += 1
            candidate = f"{name}_{n}"
        distinct.append(candidate)
    return distinct


def _single(value: float | None) -> float | None:
    """Return the shortest double that is this 32-bit float: 0.85, not 0.8500000238418579."""
    if value is None:
        return None
    for digits in range(6, 10):  # 9 significant digits always tell two 32-bit floats apart
        shortest = float(f"{value:.{digits}g}")
        if struct.pack("f", shortest) == struct.pack("f", value):
            return shortest
    return value


def as_json(value: object) -> bytes:
    """Return a value as JSON: ids as text, times in ISO 8601, bytes in hex, NaN as null."""
    import orjson

    encode = partial(orjson.dumps, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    try:
        return encode(value)
    except TypeError:  # an integer of more than 64 bits, which orjson refuses
        import json

        return json.dumps(_finite(value), default=_plain, ensure_ascii=False).encode()


def _finite(value: Any) -> object:
    """Return the value with None for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, timedelta):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)
