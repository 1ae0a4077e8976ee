"""Folders of pages: read in all cores, the same whatever the number of processes."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest

from flows import ahead as ahead_module
from flows import parts as parts_module
from flows.ingest import Request, run_ingest
from pipeline.settings import Settings
from pipeline.sources.files import ReadOptions, read_batches
from pipeline.store.doctor import doctor
from tests.bench.pages import write_pages
from tests.flows.pictures import picture

N_PAGES = 24


def test_pages_are_read_in_workers_and_give_the_same_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pages(tmp_path / "pages", N_PAGES)
    (tmp_path / "pages" / "empty.html").write_text("<html></html>")
    monkeypatch.setattr(parts_module, "LEAST_BYTES", 1 << 20)
    begun = []
    whole = ahead_module.inspection_of_documents

    def counted(read: pa.Table, *rest: object) -> object:
        begun.append(read.num_rows)
        return whole(read, *rest)

    monkeypatch.setattr(ahead_module, "inspection_of_documents", counted)
    for name, n_workers in (("alone", 1), ("crew", 2)):
        settings = Settings(warehouse=tmp_path / name, workers=n_workers)
        request = Request(specs=(str(tmp_path / "pages"),))
        summary = run_ingest([request], settings, str(uuid4()))
        assert summary.n_articles == N_PAGES
        assert summary.quarantined == {"missing_text": 1}
    assert begun == [N_PAGES + 1]
    assert picture(tmp_path / "alone") == picture(tmp_path / "crew")
    assert not doctor(tmp_path / "crew")


def test_the_pages_of_the_bench_hold_their_articles(tmp_path: Path) -> None:
    from pipeline.sources.parse import parse
    from tests.bench.corpus import articles

    write_pages(tmp_path, N_PAGES)
    parsed, unread = parse(
        pa.concat_tables(read_batches(sorted(tmp_path.iterdir()), ReadOptions()))
    )
    assert not len(unread)
    wanted = {a["url"]: (a["title"], a["text"]) for a in articles(N_PAGES)}
    names = ("url", "title", "original_text")
    rows = zip(*(parsed[name].to_pylist() for name in names), strict=True)
    assert {url: (title, text) for url, title, text in rows} == wanted
