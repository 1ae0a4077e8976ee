"""Which file holds an article, published beside the views: a row an article and live file.

Plain meaning: an article is looked for in every file of articles. DuckDB opens each of them and
each of their row groups for that, 40 ms of CPU at a million articles. The published macro
`article(id)` asks here first, in some ten small files, and then opens the one that is left.

The files lie in `public/places`, immutable, sorted by id. A publish writes one of the files of
articles that came since; eight of a size become one. All that is derived: what is missing is read
from the files of articles again, and rows of a file that lives no more lead nowhere.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.contracts import ID
from pipeline.store.durable import make_folder, sync_all, unlink_durably
from pipeline.store.ids import halves
from pipeline.store.layout import Layout
from pipeline.store.parquet import ROWS_PER_GROUP, with_uuids

MERGED = 8
"""So many files of one size become one of the next, as with the index of ids."""

_READ_ONLY = 0o444
_FALSE_POSITIVES = 0.001
_FILE = pa.dictionary(pa.int32(), pa.string())
_SCHEMA = pa.schema([pa.field("article_id", ID), pa.field("file", _FILE)])


@dataclass(frozen=True)
class PlaceFile:
    """A file of places: where it lies and what its footer says of it.

    Attributes:
        path: where it lies.
        snapshot: the snapshot that it was written for.
        n_files: how many files of articles it was written of, dead ones too.
        covered: the files of articles, below the root, of which it names every article.
        replaced: names of the files that were merged into it.
    """

    path: Path
    snapshot: int
    n_files: int
    covered: frozenset[str]
    replaced: frozenset[str]


@dataclass(frozen=True)
class Cover:
    """Files of places that together name every article of some files.

    Attributes:
        paths: where they lie or will lie, below the root, the smallest first.
        staged: those that were written for it; put_in_place() moves them.
    """

    paths: list[str]
    staged: list[Path]


def cover(layout: Layout, live: Iterable[str], snapshot: int, staging: Path) -> Cover:
    """Return files of places that name every article of the live files; write what is missing.

    Args:
        layout: of the warehouse.
        live: the live files of articles, below the root.
        snapshot: the snapshot that is being published.
        staging: a folder for new files.
    """
    paths = set(live)
    held = [place for place in _unreplaced(layout) if paths & place.covered]
    missing = sorted(paths.difference(path for place in held for path in place.covered))
    written = []
    if missing:
        rows = pa.concat_tables([_rows(layout.root, path) for path in missing])
        said = PlaceFile(_new(staging), snapshot, len(missing), frozenset(missing), frozenset())
        written.append(_write(rows, said))
        held += written
    while (alike := _first_alike(held)) is not None:
        rows = pa.concat_tables([_read(layout.root, place, paths) for place in alike])
        said = PlaceFile(
            path=_new(staging),
            snapshot=snapshot,
            n_files=sum(place.n_files for place in alike),
            covered=frozenset(path for p in alike for path in p.covered if path in paths),
            replaced=frozenset(place.path.name for place in alike),
        )
        written.append(_write(rows, said))
        held = [*(place for place in held if place not in alike), said]
    in_order = sorted(held, key=lambda place: (place.n_files, place.path.name))
    names = [layout.places / place.path.name for place in in_order]
    return Cover(
        paths=[path.relative_to(layout.root).as_posix() for path in names],
        staged=[place.path for place in written],
    )


def put_in_place(layout: Layout, staged: Sequence[Path]) -> list[Path]:
    """Bring staged files to where readers look for them; return folders that are yet to be synced.

    A file is synced before it has its name: a torn one must not look whole.
    """
    if not staged:
        return []
    sync_all(staged)
    make_folder(layout.places)
    for path in staged:
        path.replace(layout.places / path.name)
    return [layout.places]


def is_covered(layout: Layout, live: Iterable[str]) -> bool:
    """Return whether files of places name every article of these files."""
    return set(live) <= {path for place in _unreplaced(layout) for path in place.covered}


def drop_unneeded(layout: Layout) -> None:
    """Delete files of places that no kept snapshot looks at."""
    present = list(_present(layout))
    kept = [int(path.stem.rpartition("-")[2]) for path in layout.snapshots.glob("news-*.duckdb")]
    oldest = min(kept, default=0)
    replaced = {name for p in present if p.snapshot <= oldest for name in p.replaced}
    unneeded = [
        place.path
        for place in sorted(present, key=lambda place: place.snapshot)
        if place.path.name in replaced
        or not any((layout.root / path).exists() for path in place.covered)
    ]
    if unneeded:
        unlink_durably(unneeded)


def _present(layout: Layout) -> Iterator[PlaceFile]:
    for path in sorted(layout.places.glob("*.parquet")):
        place = _described(path)
        if place is not None:
            yield place


def _unreplaced(layout: Layout) -> list[PlaceFile]:
    present = list(_present(layout))
    replaced = {name for place in present for name in place.replaced}
    return [place for place in present if place.path.name not in replaced]


@lru_cache(maxsize=4_096)
def _described(path: Path) -> PlaceFile | None:
    """Return what the footer of a file of places says; None for one that cannot be read."""
    try:
        said = json.loads(pq.read_metadata(path).metadata[b"unecho_places"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return PlaceFile(
        path=path,
        snapshot=said["snapshot"],
        n_files=said["n_files"],
        covered=frozenset(said["covered"]),
        replaced=frozenset(said["replaced"]),
    )


def _first_alike(places: Sequence[PlaceFile]) -> list[PlaceFile] | None:
    """Return the files of the smallest size of which there are enough to be merged."""
    sizes: dict[int, list[PlaceFile]] = {}
    for place in places:
        sizes.setdefault((place.n_files.bit_length() - 1) // 3, []).append(place)
    return next((alike for _, alike in sorted(sizes.items()) if len(alike) >= MERGED), None)


def _rows(root: Path, path: str) -> pa.Table:
    """Return a row for each article of a file of articles, once where it has several revisions."""
    with pq.ParquetFile(root / path) as parquet:
        ids = parquet.read(columns=["article_id"])["article_id"].cast(ID).unique()
    numbers = pa.array(np.zeros(len(ids), np.int32))
    return pa.table([ids, pa.DictionaryArray.from_arrays(numbers, [path])], schema=_SCHEMA)


def _read(root: Path, place: PlaceFile, live: set[str]) -> pa.Table:
    """Return the rows of a file of places that name live files, one at least."""
    try:
        with pq.ParquetFile(place.path, read_dictionary=["file"]) as parquet:
            rows = parquet.read()
    except (OSError, pa.ArrowInvalid):  # damaged; the files of articles say the same
        return pa.concat_tables([_rows(root, path) for path in sorted(live & place.covered)])
    rows = pa.table([rows["article_id"].cast(ID), rows["file"].cast(_FILE)], schema=_SCHEMA)
    if place.covered <= live:
        return rows
    return rows.filter(pc.is_in(rows["file"].cast(pa.string()), pa.array(sorted(live))))


def _new(staging: Path) -> Path:
    return staging / f"{uuid.uuid4().hex}.parquet"


def _write(rows: pa.Table, place: PlaceFile) -> PlaceFile:
    """Write rows, in any order, as the file that `place` describes; it is not synced yet."""
    said = {
        "snapshot": place.snapshot,
        "n_files": place.n_files,
        "covered": sorted(place.covered),
        "replaced": sorted(place.replaced),
    }
    rows = rows.unify_dictionaries().combine_chunks()
    # The first halves of ids are enough: minima and maxima exclude nearly every row group.
    order = np.argsort(halves(rows["article_id"])[0], kind="stable")
    table = with_uuids(rows.take(pa.array(order)))
    n_rows = max(1, min(len(rows), ROWS_PER_GROUP))
    pq.write_table(
        table.replace_schema_metadata({"unecho_places": json.dumps(said)}),
        place.path,
        row_group_size=ROWS_PER_GROUP,
        compression="zstd",
        use_dictionary=["file"],
        write_statistics=["article_id"],
        bloom_filter_options={"article_id": {"ndv": n_rows, "fpp": _FALSE_POSITIVES}},
    )
    place.path.chmod(_READ_ONLY)
    return place
