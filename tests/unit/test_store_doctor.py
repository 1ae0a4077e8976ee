"""The doctor: silent on a sound warehouse, and each thing that can be wrong is found."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.contracts import CONTRACTS
from pipeline.store.doctor import doctor, examine
from pipeline.store.invariants import INVARIANTS
from pipeline.store.model import Change, Run
from pipeline.store.warehouse import Warehouse, open_warehouse
from tests.crash import workload
from tests.crash.state import copy_to, undisturbed_state
from tests.crash.workload import NOW, Piece, digest, ids
from tests.crash.writer import CHILDREN, hold

Break = Callable[[Warehouse], Change]

PAIR = (Piece(0, 2, 0).article_id, Piece(0, 3, 0).article_id)
SINGLE = Piece(1, 1, 0).article_id


def checks(root: Path, *, deep: bool = False) -> set[str]:
    return {finding.check for finding in doctor(root, deep=deep)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "warehouse"
    undisturbed_state(root, 2)
    return root


@pytest.fixture
def root(tmp_path: Path, built: Path) -> Path:
    return copy_to(built, tmp_path / "warehouse")


def test_sound_warehouse_has_no_findings(root: Path, tmp_path: Path) -> None:
    assert doctor(root, deep=True) == []
    with open_warehouse(tmp_path / "new"):
        pass
    assert doctor(tmp_path / "new", deep=True) == []


def test_no_warehouse(tmp_path: Path) -> None:
    (finding,) = doctor(tmp_path / "nowhere")
    assert "there is no catalogue" in finding.message
    assert "unecho ingest" in finding.next_step
    assert not (tmp_path / "nowhere").exists()


def replaced(table: str, ids_of: bytes, **columns: object) -> Break:
    """Replace columns of the rows with this first key."""

    def change(warehouse: Warehouse) -> Change:
        contract = CONTRACTS[table]
        rows = warehouse.rows(table, contract.key[0], ids([ids_of]))
        changed = [{**row, **columns} for row in rows.to_pylist()]
        assert changed, "nothing to break"
        return Change(
            added={table: pa.Table.from_pylist(changed, schema=contract.schema)},
            removed={table: ids([ids_of])},
        )

    return change


def doubled(table: str, ids_of: bytes) -> Break:
    def change(warehouse: Warehouse) -> Change:
        return Change(added={table: warehouse.rows(table, CONTRACTS[table].key[0], ids([ids_of]))})

    return change


def removed(table: str, ids_of: bytes) -> Break:
    return lambda warehouse: Change(removed={table: ids([ids_of])})


def without_decisions(action: str) -> Break:
    def change(warehouse: Warehouse) -> Change:
        gone = warehouse.select(f"SELECT decision_id FROM decisions WHERE action = '{action}'")
        return Change(removed={"decisions": gone["decision_id"]})

    return change


def redirected(to: bytes) -> Break:
    row = {"story_id": digest("gone"), "merged_into_id": to, "run_id": "run"}
    schema = CONTRACTS["story_redirects"].schema
    return lambda warehouse: Change(
        added={"story_redirects": pa.Table.from_pylist([row], schema=schema)}
    )


def refused(document_id: bytes) -> Break:
    row = {
        "document_id": document_id,
        **{"source_id": "s", "container": "c", "position": 1, "reason": "fault", "message": "m"},
        **{"n_bytes": 1, "quarantined_at": NOW, "run_id": "run"},
    }
    schema = CONTRACTS["quarantine"].schema
    return lambda warehouse: Change(
        added={"quarantine": pa.Table.from_pylist([row], schema=schema)}
    )


def added(table: str, **columns: Any) -> Break:
    """Add a row with these columns; in the others stands what says nothing."""
    schema = CONTRACTS[table].schema
    row = {f.name: columns.get(f.name, plain(f.type)) for f in schema}
    return lambda warehouse: Change(added={table: pa.Table.from_pylist([row], schema=schema)})


def plain(dtype: pa.DataType) -> Any:
    if pa.types.is_fixed_size_binary(dtype):
        return digest("nobody")[: dtype.byte_width]
    if pa.types.is_timestamp(dtype):
        return NOW
    return "x" if dtype in (pa.string(), pa.large_string()) else 0


BREAKS: dict[str, Break] = {
    "articles_key": doubled("articles", SINGLE),
    "paragraphs_key": doubled("paragraphs", SINGLE),
    "signatures_key": doubled("signatures", SINGLE),
    "edges_key": doubled("edges", min(PAIR)),
    "story_members_key": doubled("story_members", SINGLE),
    "stories_key": doubled("stories", PAIR[0]),
    "one_current_revision": replaced("articles", PAIR[0], is_current=False),
    "article_has_document": replaced("articles", PAIR[0], document_id=b"\0" * 16),
    "quarantine_has_document": refused(b"\0" * 16),
    "article_has_member": removed("story_members", PAIR[1]),
    "member_has_article": removed("articles", PAIR[1]),
    "story_has_members": removed("stories", PAIR[0]),
    "one_canonical": replaced("stories", PAIR[0], canonical_id=PAIR[1]),
    "role_fits": replaced("story_members", PAIR[1], role="canonical"),
    "n_members_right": replaced("stories", PAIR[0], n_members=3),
    "redirect_ends": redirected(b"\0" * 16),
    "drop_has_decision": without_decisions("drop_paragraph"),
    "duplicate_has_decision": without_decisions("drop_article"),
    "status_fits_reason": replaced("paragraphs", SINGLE, status="kept"),
    "paragraph_is_span": replaced("articles", PAIR[0], original_text="rewritten"),
    "paragraphs_counted": replaced("articles", PAIR[0], n_paragraphs=7),
    "article_is_signed": removed("signatures", PAIR[0]),
    "one_recipe": replaced("signatures", PAIR[0], params_id="another"),
    "edge_has_articles": replaced("edges", min(PAIR), right_id=b"\xff" * 16),
    "duplicate_edge_relation": replaced("edges", min(PAIR), is_duplicate=False),
    "furniture_has_source": added("furniture", source_id="source-9", example_article_id=SINGLE),
    "stale_is_article": added("stale_articles", article_id=b"\0" * 16),
    "shared_is_paragraph": added("shared_paragraphs", article_id=SINGLE, first_article_id=PAIR[0]),
    "cut_is_shared": added("shared_cuts", article_id=SINGLE),
    "cut_is_shortened": added("shortened_texts", article_id=SINGLE),
    "shared_span_has_edge": added("shared_spans", left_id=min(PAIR), right_id=b"\xff" * 16),
    "change_has_revisions": added("revision_changes", article_id=SINGLE),
}

# Ids that only one batch ever adds: their keys cannot be doubled through publish() and land().
UNBREAKABLE = {"documents_key"}


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_broken_invariant_is_found(root: Path, name: str) -> None:
    with open_warehouse(root) as warehouse:
        warehouse.publish(BREAKS[name](warehouse), "run", NOW)
    found = doctor(root)
    assert name in {finding.check for finding in found}
    assert all(finding.next_step for finding in found)


def test_every_invariant_is_broken_once() -> None:
    names = {invariant.name for invariant in INVARIANTS}
    keys_like_others = {
        *("decisions_key", "story_redirects_key", "quarantine_key", "furniture_key"),
        *("stale_articles_key", "shared_paragraphs_key", "shared_spans_key"),
        *("revision_changes_key", "shared_cuts_key", "shortened_texts_key"),
    }
    assert set(BREAKS) == names - UNBREAKABLE - keys_like_others


def some_file(root: Path, table: str = "articles") -> Path:
    return sorted((root / "data" / table).rglob("*.parquet"))[-1]


def live_file(root: Path, table: str = "paragraphs") -> Path:
    connection = sqlite3.connect(root / "catalog.sqlite")
    query = "SELECT path FROM files WHERE table_name = ? AND removed_snapshot IS NULL"
    path = connection.execute(query, (table,)).fetchone()[0]
    connection.close()
    return root / path


def test_missing_short_and_changed_files_are_found(root: Path) -> None:
    path = live_file(root)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    (finding,) = doctor(root)
    assert (finding.check, "bytes, not" in finding.message) == ("file", True)
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    assert "file" in checks(root, deep=True)
    path.unlink()
    (finding,) = doctor(root)
    assert "is missing" in finding.message
    path.write_bytes(content)
    assert doctor(root, deep=True) == []


def test_what_a_killed_run_leaves_is_found_and_put_right(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        warehouse.begin_run(Run("killed", "ingest", (), NOW))
    (root / "data" / "articles" / "2026-11" / f"l0-{'0a' * 16}.parquet").write_bytes(b"PAR1")
    (root / "staging" / "batch-left0001").mkdir()
    assert checks(root) == {"run", "orphan", "staging"}
    with open_warehouse(root):
        pass
    assert doctor(root) == []


def test_landing_never_published_is_found(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        warehouse.land(workload.read_table(workload.pieces(2, 6)), "run", NOW)
    (finding,) = doctor(root)
    assert finding.check == "landing"
    assert "7 documents" in finding.message
    with open_warehouse(root) as warehouse:
        workload.take_pending(warehouse, "run")
    assert doctor(root) == []


def test_checks_beside_a_writer(root: Path) -> None:
    """With another writer at work its snapshot is checked, not what it is doing."""
    here, there = CHILDREN.Pipe(duplex=False)
    child = CHILDREN.Process(target=hold, args=(root, there))
    child.start()
    try:
        assert here.poll(60)
        (root / "staging" / "batch-at_work1").mkdir()
        assert doctor(root, deep=True) == []
        live_file(root).unlink()
        assert checks(root) == {"file"}
    finally:
        child.kill()
        child.join()


def test_damaged_catalogue_is_found(root: Path) -> None:
    with sqlite3.connect(root / "catalog.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray((root / "catalog.sqlite").read_bytes())
    content[4096:12288] = b"\xff" * 8192
    (root / "catalog.sqlite").write_bytes(content)
    assert checks(root) == {"catalog"}


def test_doctor_changes_nothing(root: Path) -> None:
    def picture() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in root.rglob("*")
            if path.is_file()
            and path.name not in ("writer.lock",)
            and not path.name.startswith("catalog.sqlite-")
        }

    before = picture()
    doctor(root, deep=True)
    assert picture() == before


def flip(path: Path) -> None:
    """Change bytes of a column's content: size and footer stay what they were."""
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(byte ^ 0xFF for byte in content[4:200])
    path.write_bytes(content)


SINGLE_KEY = "every table holds each key once"


def test_only_checks_that_ran_are_listed(root: Path, tmp_path: Path) -> None:
    assert examine(tmp_path / "nowhere").checked == []
    sound = examine(root).checked
    assert len(sound) == len({*sound}) > 10
    assert SINGLE_KEY in sound
    assert "--deep" in sound[1]
    assert "--deep" not in examine(root, deep=True).checked[1]
    live_file(root).unlink()
    assert SINGLE_KEY not in examine(root).checked
    assert len(examine(root).checked) == 3
    (root / "catalog.sqlite").write_bytes(b"torn" * 1024)
    assert examine(root).checked == sound[:1]


def test_damage_behind_a_sound_footer_names_the_file(root: Path) -> None:
    path = live_file(root)
    flip(path)
    found = examine(root)
    assert [f.message.partition(" ")[0] for f in found.findings] == [
        path.relative_to(root).as_posix()
    ]
    assert SINGLE_KEY not in found.checked


def test_missing_folders_do_not_stop_the_doctor(root: Path) -> None:
    shutil.rmtree(root / "staging")
    shutil.rmtree(root / "cache")
    assert doctor(root) == []
    shutil.rmtree(root / "public")
    assert checks(root) == {"published"}
    with open_warehouse(root):
        pass
    assert doctor(root) == []


def test_moved_warehouse_is_said_to_be_moved(root: Path, tmp_path: Path) -> None:
    moved = root.rename(tmp_path / "moved")
    (finding,) = doctor(moved)
    assert finding.check == "published"
    assert f"was moved or copied: it was published at {root}" in finding.message
    assert "publishes it anew" in finding.next_step
