"""Publishing: what analysts open, how long it lasts, and what a failure leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.contracts import CONTRACTS
from pipeline.errors import ContractError, WarehouseError
from pipeline.store.doctor import doctor
from pipeline.store.model import Change, Run
from pipeline.store.snapshot import connect_published, read_snapshot
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import copy_to, published_state, torn, undisturbed_state
from tests.crash.workload import NOW, Piece, ids


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "warehouse"
    undisturbed_state(root, 1)
    return root


@pytest.fixture
def root(tmp_path: Path, built: Path) -> Path:
    return copy_to(built, tmp_path / "warehouse")


def count(connection: duckdb.DuckDBPyConnection, view: str = "articles_all") -> int:
    return int(connection.sql(f"SELECT count(*) FROM {view}").fetchall()[0][0])


# Snapshots


def test_publish_returns_the_snapshot(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        assert (warehouse.snapshot_id, warehouse.next_snapshot) == (1, 2)
        snapshot = warehouse.publish(workload.change_of_batch(warehouse, 1), "run", NOW)
        assert (snapshot.id, snapshot.published_at) == (2, NOW)
        assert warehouse.head == snapshot
    published = read_snapshot(root)
    assert (published.id, published.published_at) == (2, NOW)


def test_nothing_to_publish_makes_no_snapshot(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        for change in (Change(), Change(added={"edges": CONTRACTS["edges"].schema.empty_table()})):
            assert warehouse.publish(change, "run", NOW) == warehouse.head
        assert warehouse.snapshot_id == 1


def test_broken_contract_writes_nothing(root: Path) -> None:
    before = published_state(root)
    with open_warehouse(root) as warehouse:
        change = workload.change_of_batch(warehouse, 1)
        stories = change.added["stories"]
        broken = {
            "missing column": stories.drop_columns(["n_members"]),
            "stand twice": stories.slice(0, 1),
        }
        broken["stand twice"] = type(stories).from_batches([*stories.to_batches()] * 2)
        for problem, table in broken.items():
            wrong = Change({**change.added, "stories": table}, landings=change.landings)
            with pytest.raises(ContractError, match=problem):
                warehouse.publish(wrong, "run", NOW)
        with pytest.raises(ContractError, match="no table that a change may touch"):
            warehouse.publish(Change(added={"documents": stories}), "run", NOW)
        assert warehouse.snapshot_id == 1
        assert published_state(root) == before
        warehouse.publish(change, "run", NOW)
    assert doctor(root) == []


def test_snapshots_can_be_opened_later(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, 1)
    kept = root / "public" / "snapshots" / "news-1.duckdb"
    with duckdb.connect(str(kept), read_only=True) as connection:
        assert count(connection) == 6
        assert torn(connection) == []
    newest = root / "public" / "snapshots" / "news-2.duckdb"
    assert newest.samefile(root / "public" / "news.duckdb")


def test_superseded_files_go_after_their_days(root: Path) -> None:
    old = set(read_snapshot(root).tables["stories"])
    with open_warehouse(root, retention_days=7) as warehouse:
        workload.ingest(warehouse, 1, now=NOW)
        assert all((root / path).is_file() for path in old)
        workload.ingest(warehouse, 2, now=NOW + timedelta(days=6.9))
        assert all((root / path).is_file() for path in old)
        assert (root / "public/snapshots/news-1.duckdb").is_file()
        workload.ingest(warehouse, 3, now=NOW + timedelta(days=7.1))
        assert not any((root / path).exists() for path in old)
        assert not (root / "public/snapshots/news-1.duckdb").exists()
        kept = {path.name for path in (root / "public" / "snapshots").iterdir()}
        assert kept == {"news-2.duckdb", "news-3.duckdb", "news-4.duckdb"}
    assert doctor(root) == []


def test_retention_is_a_setting(root: Path) -> None:
    old = set(read_snapshot(root).tables["stories"])
    with open_warehouse(root, retention_days=1) as warehouse:
        workload.ingest(warehouse, 1, now=NOW)
        workload.ingest(warehouse, 2, now=NOW + timedelta(days=1.1))
        assert not any((root / path).exists() for path in old)


# Readers


def test_session_is_pinned_while_snapshots_go_on(root: Path) -> None:
    pinned = connect_published(root)
    for batch in (1, 2, 3):
        with open_warehouse(root) as warehouse:
            workload.ingest(warehouse, batch)
        assert count(pinned) == 6
        assert torn(pinned) == []
        newest = connect_published(root)
        assert count(newest) == 6 * (batch + 1)
        newest.close()
    pinned.close()


def test_published_database_is_read_only(root: Path) -> None:
    connection = connect_published(root)
    with pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("CREATE TABLE mine (n INTEGER)")
    with pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("DELETE FROM news._snapshot")
    connection.execute("CREATE TEMP TABLE mine AS SELECT * FROM stories")
    assert connection.sql("SELECT count(*) FROM mine").fetchall()[0][0] == count(
        connection, "stories"
    )
    connection.close()
    assert (root / "public" / "news.duckdb").stat().st_mode & 0o777 == 0o444
    assert (root / "public").stat().st_mode & 0o777 == 0o755


def test_opens_while_the_writer_works(root: Path) -> None:
    """A reader of another process never meets a lock."""
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True);"
        "print(c.sql('SELECT count(*) FROM articles_all').fetchall()[0][0])"
    )
    with open_warehouse(root) as warehouse:
        command = [sys.executable, "-c", program, str(root / "public" / "news.duckdb")]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        workload.ingest(warehouse, 1)
    assert found.stdout == "6\n"


def test_moved_warehouse_answers_with_a_variable(root: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere [1] it's * a=b 뉴스"
    root.rename(moved)
    with duckdb.connect(str(moved / "public" / "news.duckdb"), read_only=True) as connection:
        with pytest.raises(duckdb.IOException, match="No files found"):
            count(connection)
        connection.execute("SET VARIABLE news_root = ?", [str(moved)])
        assert count(connection) == 6
        assert torn(connection) == []
    published = connect_published(moved)
    assert count(published) == 6
    published.close()


def test_moved_warehouse_publishes_its_new_place(root: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere [1] it's * a=b 뉴스"
    root.rename(moved)
    assert [finding.check for finding in doctor(moved)] == ["published"]
    with open_warehouse(moved) as warehouse:
        workload.ingest(warehouse, 1)
    with duckdb.connect(str(moved / "public" / "news.duckdb"), read_only=True) as connection:
        assert count(connection) == 12
    with duckdb.connect() as connection:
        connection.execute((moved / "public" / "news.sql").read_text(encoding="utf-8"))
        assert count(connection) == 12
    assert doctor(moved) == []


def test_question_mark_in_the_path_is_refused(tmp_path: Path) -> None:
    """DuckDB takes what follows it for a query and writes its log elsewhere."""
    with (
        pytest.raises(WarehouseError, match=r"a question mark.*choose a folder"),
        open_warehouse(tmp_path / "what?"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_pyarrow_reads_the_listing(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, 1)
    listing = json.loads((root / "public" / "current.json").read_text(encoding="utf-8"))
    assert listing["root"] == str(root)
    assert set(listing["tables"]) == set(CONTRACTS)
    connection = connect_published(root)
    for table, paths in listing["tables"].items():
        n_rows = sum(pq.read_table(Path(listing["root"]) / path).num_rows for path in paths)
        assert n_rows == count(connection, f"_{table}")
    connection.close()


def test_second_session_of_a_process_sees_the_newest(root: Path) -> None:
    first = connect_published(root)
    with open_warehouse(root) as warehouse:
        workload.ingest(warehouse, 1)
    second = connect_published(root)
    assert (count(first), count(second)) == (6, 12)
    first.close()
    second.close()


def test_nothing_published_is_said(tmp_path: Path) -> None:
    for read in (read_snapshot, connect_published):
        with pytest.raises(WarehouseError, match=r"no warehouse at .*run `unecho ingest` first"):
            read(tmp_path)


# What is put right at the next opening


def leave_a_log(root: Path) -> None:
    """Leave the log of a session that opened the published file for writing and was killed."""
    program = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
        "c.execute('PRAGMA disable_checkpoint_on_shutdown');"
        "c.execute('CREATE TABLE foreign_table AS SELECT 1 AS n'); os._exit(9)"
    )
    database = root / "public" / "news.duckdb"
    database.chmod(0o644)
    subprocess.run([sys.executable, "-c", program, str(database)], check=False)
    assert database.with_name("news.duckdb.wal").stat().st_size > 0


def test_foreign_log_never_reaches_a_later_snapshot(root: Path) -> None:
    leave_a_log(root)
    assert "published" in [finding.check for finding in doctor(root)]
    with open_warehouse(root) as warehouse:
        leave_a_log(root)
        workload.ingest(warehouse, 1)
    assert not (root / "public" / "news.duckdb.wal").exists()
    connection = connect_published(root)
    assert count(connection) == 12
    assert "foreign_table" not in [row[0] for row in connection.sql("SHOW TABLES").fetchall()]
    connection.close()
    assert doctor(root) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda public: (public / "news.duckdb").unlink(),
        lambda public: (public / "current.json").unlink(),
        lambda public: (public / "news.sql").unlink(),
        lambda public: (public / "current.json").write_text("{", encoding="utf-8"),
        lambda public: (public / "news.duckdb").write_bytes(b"torn"),
        lambda public: (public / "snapshots" / "news-1.duckdb").unlink(),
    ],
)
def test_damaged_publication_is_made_again(root: Path, damage: Callable[[Path], object]) -> None:
    before = published_state(root)
    for path in (root / "public").iterdir():
        if path.is_file():
            path.chmod(0o644)
    damage(root / "public")
    assert "published" in [finding.check for finding in doctor(root)]
    with open_warehouse(root):
        pass
    assert published_state(root) == before
    assert doctor(root) == []


def test_failure_before_the_commit_leaves_nothing(root: Path) -> None:
    before = published_state(root)
    with open_warehouse(root) as warehouse:
        change = workload.change_of_batch(warehouse, 1)
        for name in ("commit:staged", "commit:moved", "commit:placed", "commit:recording"):
            warehouse._step = failing_at(name)
            with pytest.raises(WarehouseError, match=r"publishing a batch failed.*a retry is safe"):
                warehouse.publish(change, "run", NOW)
            assert published_state(root) == before
            assert list((root / "staging").iterdir()) == []
        warehouse._step = lambda name: None
        warehouse.publish(change, "run", NOW)
    assert doctor(root) == []


def test_failure_after_the_commit_ends_the_session(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        change = workload.change_of_batch(warehouse, 1)
        warehouse._step = failing_at("publish:built")
        with pytest.raises(WarehouseError, match="publishing a batch failed"):
            warehouse.publish(change, "run", NOW)
        # Trying again here would add the batch a second time.
        with pytest.raises(WarehouseError, match=r"session broke off.*open the warehouse again"):
            warehouse.publish(change, "run", NOW)
        assert read_snapshot(root).id == 1
    with open_warehouse(root) as warehouse:
        assert warehouse.snapshot_id == 2
    connection = connect_published(root)
    assert count(connection) == 12
    connection.close()
    assert doctor(root) == []


def failing_at(name: str) -> Callable[[str], None]:
    def step(passing: str) -> None:
        if passing == name:
            raise OSError(5, "Input/output error")

    return step


INTERRUPTS = [
    *("commit:committed", "publish:built", "publish:replaced", "publish:listed", "publish:done"),
    "cache:written",
]


@pytest.mark.parametrize("name", INTERRUPTS)
def test_interrupt_after_the_commit_takes_effect_once_published(root: Path, name: str) -> None:
    """Ctrl-C between the commit and its return must not leave the batch half published."""
    left = [name]

    def step(passing: str) -> None:
        if passing in left:
            left.remove(passing)
            raise KeyboardInterrupt

    with open_warehouse(root) as warehouse:
        warehouse.begin_run(Run("stopped", "ingest", (), NOW))
        change = workload.change_of_batch(warehouse, 1)
        warehouse._step = step
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish(change, "stopped", NOW)
        assert read_snapshot(root).id == warehouse.snapshot_id == 2
        left += ["publish:replaced"]
        with pytest.raises(KeyboardInterrupt):
            warehouse.end_run("stopped", "failed", {})
    connection = connect_published(root)
    assert count(connection) == 12
    statuses = connection.sql("SELECT status FROM runs WHERE run_id = 'stopped'").fetchall()
    connection.close()
    assert statuses == [("failed",)]
    assert doctor(root, deep=True) == []
    assert list((root / "staging").iterdir()) == []


def test_second_interrupt_after_the_commit_deletes_nothing(root: Path) -> None:
    def step(passing: str) -> None:
        if passing in ("commit:committed", "publish:built"):
            raise KeyboardInterrupt

    with open_warehouse(root) as warehouse:
        change = workload.change_of_batch(warehouse, 1)
        warehouse._step = step
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish(change, "run", NOW)
        with pytest.raises(WarehouseError, match="session broke off"):
            warehouse.components(ids([Piece(0, 0, 0).article_id]))
    with open_warehouse(root):
        pass
    assert doctor(root, deep=True) == []
    assert list((root / "staging").iterdir()) == []
