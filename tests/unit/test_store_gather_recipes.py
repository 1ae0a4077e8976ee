"""Which recipes made the signatures of a file: asked of its footer where that tells."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.store import gather


@pytest.mark.parametrize(
    ("rows", "written", "n_reads"),
    [
        (["one", "one", "one"], {}, 0),
        (["one", "two", "one"], {}, 1),
        (["one", "one", "two"], {}, 1),
        (["one", "one", "one"], {"write_statistics": False}, 1),
        ([], {}, 1),
    ],
)
def test_recipes_are_read_only_where_the_footer_does_not_name_the_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], written: dict, n_reads: int
) -> None:
    path, reads = tmp_path / "signatures.parquet", []
    table = pa.table({"signature": [[1, 2]] * len(rows), "params_id": pa.array(rows, pa.string())})
    pq.write_table(table, path, row_group_size=2, **written)
    read = pq.ParquetFile.read
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *a, **k: reads.append(1) or read(*a, **k))
    found = gather._recipes_in(path)
    assert sorted(found["params_id"].to_pylist()) == sorted(set(rows))
    assert len(reads) == n_reads
