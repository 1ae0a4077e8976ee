"""The index of ids: says what reading all files would, and is never needed to be there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import ID
from pipeline.store.ids import IdIndex, keys_in
from pipeline.store.model import StoredFile
from pipeline.store.warehouse import Warehouse, open_warehouse
from tests.crash import workload
from tests.crash.workload import Piece, ids

N_BATCHES = 20
UNKNOWN = b"\xee" * 16

# Few halves, so that ids share one: only both together are an id.
HALF = st.sampled_from([b"\x00" * 8, b"\x01" * 8, b"\x7f" * 8, b"\x80" * 8, b"\xff" * 8])
SOME_IDS = st.lists(st.tuples(HALF, HALF).map(b"".join), max_size=12)


def stored(path: str) -> StoredFile:
    return StoredFile(path, "articles", "l0", "2026-01", 0, 0, "", ("article_id",))


@settings(deadline=None)
@given(
    files=st.lists(SOME_IDS, min_size=1, max_size=20),
    asked=SOME_IDS,
    is_live=st.lists(st.booleans(), min_size=20, max_size=20),
    saved=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_index_says_what_the_files_hold(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[list[bytes]],
    asked: list[bytes],
    is_live: list[bool],
    saved: list[bool],
) -> None:
    folder = tmp_path_factory.mktemp("ids")
    index = IdIndex(folder, folder / "cache")
    paths = [f"data/{number}.parquet" for number in range(len(files))]
    for number, held in enumerate(files):
        rows = pa.table({"article_id": pa.array(held, ID)})
        index.add({paths[number]: keys_in(rows, "articles")})
        if saved[number]:
            index.save(paths)
    live = {
        path: set(held) for path, held, is_in in zip(paths, files, is_live, strict=False) if is_in
    }
    index.save(paths)
    for opened in (index, IdIndex(folder, folder / "cache")):
        wanted, listed = pa.array(asked, ID), [stored(path) for path in live]
        holding = opened.holding("articles", "article_id", wanted, listed)
        assert [f.path for f in holding] == [p for p, held in live.items() if held & set(asked)]
        known = opened.known("articles", "article_id", wanted, listed).to_pylist()
        assert len(known) == len(set(known))
        assert set(known) == set(asked) & set().union(*live.values())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "warehouse"
    for batch in range(N_BATCHES):
        with open_warehouse(root) as warehouse:
            workload.ingest(warehouse, batch)
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    """A copy of the built warehouse, which a test may damage."""
    return Path(shutil.copytree(built, tmp_path / "warehouse"))


def asked_of(warehouse: Warehouse) -> list[pa.Table | pa.Array]:
    wanted = ids([Piece(0, 1, 1).article_id, Piece(9, 2, 0).article_id, UNKNOWN])
    return [
        warehouse.known_revisions(wanted),
        warehouse.components(wanted),
        warehouse.members(wanted),
        warehouse.rows("edges", "left_id", wanted),
        warehouse.rows("paragraphs", "article_id", wanted),
    ]


def packs(root: Path) -> list[Path]:
    return sorted((root / "cache" / "ids").iterdir())


def test_packs_are_merged_and_hold_live_files_alone(root: Path) -> None:
    with open_warehouse(root) as warehouse:
        opened = warehouse.gatherer.ids._opened()
        files = [path for pack in opened for path in pack.files]
        assert len(opened) == len(packs(root)) <= 2 + N_BATCHES % 8
        assert sorted(files) == sorted(set(files))
        assert set(warehouse.gatherer.paths()) <= set(files)


def test_unknown_ids_open_no_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **named: object) -> None:
        raise AssertionError("a Parquet file was opened")

    with open_warehouse(root) as warehouse:
        monkeypatch.setattr("pipeline.store.ids.pq.ParquetFile", never)
        monkeypatch.setattr("pipeline.store.gather.fetch", never)
        wanted = ids([UNKNOWN])
        assert warehouse.known_revisions(wanted).num_rows == 0
        assert len(warehouse.components(wanted)) == 0
        assert warehouse.members(wanted).num_rows == 0
        assert warehouse.edges(wanted).num_rows == 0
        assert warehouse.rows("paragraphs", "article_id", wanted).num_rows == 0
        documents = warehouse._document_files()
        assert len(warehouse.gatherer.known_documents(wanted, documents)) == 0


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_columns(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'["edges", "left_id"', b'["edges", "left_ie"'))


@pytest.mark.parametrize(
    "damage", [Path.unlink, halve, change_columns, lambda path: path.write_bytes(b"")]
)
def test_index_is_made_again(root: Path, damage: Callable[[Path], object]) -> None:
    with open_warehouse(root) as warehouse:
        whole = asked_of(warehouse)
    for path in packs(root):
        damage(path)
    with open_warehouse(root) as warehouse:
        assert asked_of(warehouse) == whole
        warehouse.gatherer.ids.save(warehouse.gatherer.paths())
    with open_warehouse(root) as warehouse:
        assert asked_of(warehouse) == whole
    assert all(path.suffix == ".ids" for path in packs(root))


def test_known_documents_are_those_of_landed_files_too(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
        files = warehouse._document_files()
        held = pq.read_table(tmp_path / files[0].path, columns=["document_id"])["document_id"]
        asked = pa.chunked_array([held.cast(ID).combine_chunks(), ids([UNKNOWN])])
        known = warehouse.gatherer.known_documents(asked, files)
        assert set(known.to_pylist()) == set(held.cast(ID).to_pylist())
