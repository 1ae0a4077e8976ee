"""A compaction changes files and nothing else: every view, the history and what comes after."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.ingest import run_ingest
from flows.intake import Request
from pipeline import cli
from pipeline.contracts import ARTICLES, CONTRACTS, conform
from pipeline.settings import load_settings
from pipeline.store import compact as module
from pipeline.store.compact import LEVEL, Compaction, compact
from pipeline.store.doctor import doctor
from pipeline.store.duck import open_memory, quoted
from pipeline.store.model import Change
from pipeline.store.parquet import read_file
from pipeline.store.snapshot import read_snapshot
from pipeline.store.sort import Task, order_of, sorted_rows
from pipeline.store.views import load_views
from pipeline.store.warehouse import open_warehouse
from tests.conftest import SEEDS
from tests.crash import workload
from tests.crash.state import copy_to, published_state, undisturbed_state

N_BATCHES = 9
STAMPS = (
    *("run_id", "first_seen_at", "last_seen_at", "decided_at", "quarantined_at"),
    *("founded_snapshot", "decision_id"),
)
"""Columns that tell one way to the same rows from another; `runs` is about nothing else."""


def ingest(root: Path, *specs: Path, run_id: str = "run") -> None:
    settings = load_settings(warehouse=root, batch_documents=12, workers=1)
    run_ingest([Request(specs=tuple(str(spec) for spec in specs))], settings, run_id)


@pytest.fixture(scope="module")
def seeds_in_batches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of the seeds, in many commits."""
    root = tmp_path_factory.mktemp("seeds") / "warehouse"
    ingest(root, *sorted((SEEDS / "articles").iterdir())[::2])
    return root


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some batches of the made-up world, with revisions and a story that grows."""
    root = tmp_path_factory.mktemp("made-up") / "warehouse"
    undisturbed_state(root, N_BATCHES)
    return root


@pytest.fixture
def in_small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS_PER_FILE", {})
    monkeypatch.setattr(module, "_NARROW_ROWS_PER_FILE", 10)


@contextmanager
def both(one: Path, other: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session with the published views of two warehouses, in the schemas `one` and `other`."""
    connection = open_memory()
    for name, root in (("one", one), ("other", other)):
        database = quoted(str(root / "public" / "news.duckdb"))
        connection.execute(f"ATTACH {database} AS {name} (READ_ONLY)")
    yield connection
    connection.close()


def differing(one: Path, other: Path, left_out: tuple[str, ...] = ()) -> list[str]:
    """The views whose rows are not the same in both warehouses, as multisets."""
    found = []
    with both(one, other) as connection:
        for view in load_views():
            if left_out and view.name == "runs":
                continue
            columns = [
                row[0]
                for row in connection.execute(f"DESCRIBE one.{view.name}").fetchall()
                if row[0] not in left_out
            ]
            a, b = (f"SELECT {', '.join(columns)} FROM {w}.{view.name}" for w in ("one", "other"))
            gone = f"(({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}))"
            if connection.execute(f"SELECT count(*) FROM {gone}").fetchone() != (0,):
                found.append(view.name)
    return found


def levels(root: Path) -> dict[str, list[str]]:
    tables = read_snapshot(root).tables
    return {name: [Path(path).name[:2] for path in paths] for name, paths in tables.items()}


@pytest.mark.parametrize("world", ["seeds_in_batches", "made_up"])
@pytest.mark.parametrize("size", ["whole", "small"])
def test_every_view_keeps_its_rows(
    world: str, size: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if size == "small":
        request.getfixturevalue("in_small_files")
    before = request.getfixturevalue(world)
    root = copy_to(before, tmp_path / "warehouse")
    done = compact(root)
    assert {"articles", "paragraphs", "edges"} <= {each.table for each in done.tables}
    assert differing(before, root) == []
    assert doctor(root, deep=True) == []
    assert done.snapshot_id == read_snapshot(root).id == read_snapshot(before).id + 1
    for each in done.tables:
        assert levels(root)[each.table] == [LEVEL] * each.n_files_after
        assert (each.n_files_after > 1) == (size == "small" and each.n_rows > 10)


def test_a_second_run_has_nothing_to_do(made_up: Path, tmp_path: Path) -> None:
    root = copy_to(made_up, tmp_path / "warehouse")
    assert compact(root).tables
    listed = read_snapshot(root)
    assert compact(root) == Compaction(listed.id, [], pytest.approx(0, abs=60))
    assert read_snapshot(root).tables == listed.tables


@pytest.mark.usefixtures("in_small_files")
def test_files_are_sorted_and_hold_neighbours(made_up: Path, tmp_path: Path) -> None:
    root = copy_to(made_up, tmp_path / "warehouse")
    for each in compact(root).tables:
        paths = read_snapshot(root).tables[each.table]
        files = [pq.ParquetFile(root / path).read() for path in paths]
        order = [(column, "ascending") for column in order_of(each.table)]
        plain = [
            table.cast(CONTRACTS[each.table].schema).select([name for name, _ in order])
            for table in files
        ]
        assert all(table.equals(table.sort_by(order)) for table in plain)
        runs = sorted(
            (table.slice(0, 1).to_pylist()[0][order[0][0]], n) for n, table in enumerate(plain)
        )
        joined = pa.concat_tables(plain[n] for _, n in runs)
        assert joined[order[0][0]].equals(joined.sort_by(order)[order[0][0]])


def test_later_ingests_do_as_without(seeds_in_batches: Path, tmp_path: Path) -> None:
    """New, known and revised articles after a compaction."""
    plain = copy_to(seeds_in_batches, tmp_path / "plain")
    compacted = copy_to(seeds_in_batches, tmp_path / "compacted")
    assert compact(compacted).tables
    revised = tmp_path / "revised.jsonl"
    with both(plain, plain) as connection:
        rows = connection.execute(
            "SELECT native_id, source_id, title, url, original_text FROM one.articles_all"
            " WHERE native_id IS NOT NULL ORDER BY article_id LIMIT 5"
        ).fetchall()
    names = ("id", "source", "title", "url", "text")
    records = [dict(zip(names, row, strict=True)) for row in rows]
    for record in records:
        record |= {
            "text": record["text"] + "\n\nA sentence came later.",
            "updated_at": "2026-11-01",
        }
    revised.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    for root in (plain, compacted):
        ingest(root, SEEDS / "articles", run_id="second")
        ingest(root, revised, run_id="third")
    assert differing(plain, compacted, STAMPS) == []
    assert doctor(compacted, deep=True) == []
    with both(plain, compacted) as connection:
        counts = [
            connection.execute(f"SELECT * FROM {name}.runs ORDER BY started_at").fetchall()
            for name in ("one", "other")
        ]
        n_revised = connection.execute(
            "SELECT count(*) FROM other.revisions WHERE run_id = 'third'"
        ).fetchone()
    assert n_revised == (5,)
    assert [row[7:-2] for row in counts[0]] == [row[7:-2] for row in counts[1]]
    assert compact(compacted).tables
    assert differing(plain, compacted, STAMPS) == []


def test_what_came_since_goes_into_files_of_its_own(
    made_up: Path, tmp_path: Path, in_small_files: None
) -> None:
    root = copy_to(made_up, tmp_path / "warehouse")
    compact(root)
    kept = set(read_snapshot(root).tables["paragraphs"])
    with open_warehouse(root) as warehouse:
        for batch in range(N_BATCHES, N_BATCHES + 2):
            workload.ingest(warehouse, batch)
    n_full = len(kept & set(read_snapshot(root).tables["paragraphs"]))
    compact(root)
    assert len(kept & set(read_snapshot(root).tables["paragraphs"])) >= n_full - 1 > 1
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, N_BATCHES + 2)
    compact(root, is_whole=True)
    assert not kept & set(read_snapshot(root).tables["paragraphs"])
    assert published_state(root) == undisturbed_state(tmp_path / "other", N_BATCHES + 3)


def test_superseded_files_stay_for_the_retention(made_up: Path, tmp_path: Path) -> None:
    root = copy_to(made_up, tmp_path / "warehouse")
    old = [root / path for path in read_snapshot(root).tables["articles"]]
    shutil.rmtree(root / "cache")
    compact(root)
    assert all(path.is_file() for path in old)
    packs = list((root / "cache" / "ids").iterdir())
    assert len(packs) == 1, "ids of superseded files are not kept"
    with open_warehouse(root, retention_days=0) as warehouse:
        assert not any(path.exists() for path in old)
        known = warehouse.select("SELECT article_id FROM articles")["article_id"]
        assert len(warehouse.current_revisions(known)) == len(set(known.to_pylist()))


def articles_at(times: list[int | None]) -> pa.Table:
    """Articles of these hours; several may have one, or none."""
    columns = []
    for field in ARTICLES.schema:
        if field.name == "published_at":
            micros = [None if hour is None else hour * 3_600_000_000 for hour in times]
            columns.append(pa.array(micros, field.type))
        elif field.type == pa.binary(16):
            columns.append(workload.ids(workload.digest(field.name, n) for n in range(len(times))))
        elif field.type in (pa.string(), pa.large_string()):
            columns.append(pa.array([f"{field.name} {n}" for n in range(len(times))], field.type))
        elif field.type == pa.bool_():
            columns.append(pa.array([True] * len(times)))
        else:
            columns.append(pa.array(list(range(len(times))), pa.int64()).cast(field.type))
    return conform(pa.Table.from_arrays(columns, schema=ARTICLES.schema), ARTICLES)


def test_pieces_are_the_sorted_whole(tmp_path: Path) -> None:
    """Articles before 1970, at one time and without a time, in files of any order."""
    times = [None, 5, -3, 5, 5, None, 9, -70_000, None, 5, 2, 1, 5, None, None, None, 7, 5, 5]
    rows = articles_at(times)
    with open_warehouse(tmp_path / "warehouse") as warehouse:
        for start in range(0, rows.num_rows, 4):
            change = Change(added={"articles": rows.slice(start, 4)})
            warehouse.publish(change, "run", workload.NOW)
        files = tuple(warehouse.gatherer.files("articles"))
    task = Task("articles", files, rows_per_file=3)
    pieces = list(sorted_rows(tmp_path / "warehouse", task, tmp_path))
    assert [piece.num_rows for piece in pieces] == [3] * 6 + [1]
    columns = [(name, "ascending") for name in order_of("articles")]
    whole = pa.concat_tables(read_file(tmp_path / "warehouse", stored) for stored in files)
    assert pa.concat_tables(pieces).equals(whole.sort_by(columns))
    assert [path.name for path in tmp_path.iterdir()] == ["warehouse"]


def test_the_command_says_what_it_did(
    made_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_to(made_up, tmp_path / "warehouse")
    assert cli.main(["--warehouse", str(root), "compact"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("articles: ")
    assert " files, 9 before" in lines[0]
    assert lines[-1].startswith("Compacted in ")
    assert cli.main(["--warehouse", str(root), "compact"]) == 0
    assert capsys.readouterr().out.startswith("Nothing to do: ")
    assert cli.main(["--warehouse", str(root), "compact", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["is_changed"], answer["tables"]) == (False, [])
    assert cli.main(["--warehouse", str(tmp_path / "none"), "compact"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "none").exists()
