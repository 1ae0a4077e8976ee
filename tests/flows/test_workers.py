"""Large batches in worker processes: the same warehouse, and what happens when a process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from flows import ahead as ahead_module
from flows import ingest as ingest_module
from flows import parts as parts_module
from flows.ahead import ReadAhead
from flows.ingest import Request, run_ingest
from flows.parts import divided, joined
from flows.rules import Rules
from flows.texts import inspect_documents
from flows.workers import Workers
from pipeline.interim import READ
from pipeline.settings import Settings
from pipeline.sources.files import Progress, ReadOptions, read_batches
from pipeline.store import spool
from pipeline.store.doctor import doctor
from pipeline.store.spool import Held
from tests.bench.corpus import write_corpus
from tests.flows.pictures import picture

N_ARTICLES = 400


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated articles, every tenth printed a second time in another spelling of its record."""
    path = tmp_path_factory.mktemp("corpus") / "articles.jsonl"
    write_corpus(path, N_ARTICLES)
    lines = path.read_text("utf-8").splitlines()
    again = [line.replace('{"id"', '{ "id"') for line in lines[::10]]
    path.write_text("\n".join([*lines, *again, "no record"]) + "\n", "utf-8")
    return path


@pytest.fixture
def small_batches_repay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "LEAST_BYTES", 1)
    monkeypatch.setattr(ingest_module, "LEAST_PAIRS", 1)


def ingest(root: Path, path: Path, **values: Any) -> Any:
    settings = Settings(warehouse=root, batch_documents=150, **values)
    return run_ingest([Request(specs=(str(path),))], settings, str(uuid4()))


@pytest.mark.usefixtures("small_batches_repay")
def test_workers_give_the_same_warehouse(tmp_path: Path, corpus: Path) -> None:
    alone = ingest(tmp_path / "alone", corpus, workers=1)
    crew = ingest(tmp_path / "crew", corpus, workers=2)
    assert picture(tmp_path / "alone") == picture(tmp_path / "crew")
    assert alone.counts() == crew.counts()
    assert crew.n_articles == N_ARTICLES
    assert crew.quarantined == {"broken_json": 1}
    assert not doctor(tmp_path / "crew")
    assert not list((tmp_path / "crew" / "staging").iterdir())


def test_what_no_worker_has_begun_is_done_here_and_not_written(tmp_path: Path) -> None:
    workers = Workers(1, tmp_path / "parts")
    table = pa.table({"number": range(7)})
    try:
        given = workers.keep(table)
        futures = [workers.submit(len, given), *(workers.submit(len, Held(table)) for _ in "ab")]
        found = workers.results(futures)
        assert [spool.load(each) for each in found] == [7, 7, 7]
        assert [isinstance(each, Held) for each in found] == [False, True, True]
        # A worker is given what is in no file as a file.
        (told,) = workers.results([workers.submit(len, Held(table))])
        assert spool.load(told) == 7
    finally:
        workers.close()


@pytest.mark.parametrize(("n_bytes", "n_starts"), [(400, 0), (600, 1)])
def test_workers_start_while_the_first_batch_that_wants_them_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_bytes: int, n_starts: int
) -> None:
    monkeypatch.setattr(ahead_module, "LEAST_BYTES", 1000)
    workers, starts = Workers(2, tmp_path / "parts"), []
    monkeypatch.setattr(workers, "begin", lambda: starts.append(len(starts)))
    n_before = []

    def batches(tell: Any) -> Any:
        for batch in "ab":
            for container in "xy":
                tell(Progress(batch + container, n_bytes, n_bytes, 1))
            n_before.append(len(starts))
            yield READ.schema.empty_table()

    told: list[Progress] = []
    arrived = list(ReadAhead(Rules(), workers).arriving(batches, told.append))
    assert len(arrived) == 2
    assert [each.container for each in told] == ["ax", "ay", "bx", "by"]
    assert n_before == [n_starts, 2 * n_starts]


def test_workers_that_were_begun_end_and_begin_no_more(tmp_path: Path) -> None:
    workers = Workers(2, tmp_path / "parts")
    workers.begin()
    pool = workers._pool
    assert pool is not None
    workers.begin()
    assert workers._pool is pool
    (given,) = workers.results([workers.submit(len, workers.keep("abc"))])
    assert spool.load(given) == 3
    workers.close()
    never = Workers(2, tmp_path / "parts")
    never.close()
    never.begin()
    assert never._pool is None


@pytest.mark.usefixtures("small_batches_repay")
def test_what_is_known_is_not_handed_to_workers_again(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(tmp_path / "w", corpus, workers=2)
    begun = []
    whole = ahead_module.inspection_of_documents

    def counted(documents: pa.Table, *rest: Any) -> Any:
        begun.append(documents.num_rows)
        return whole(documents, *rest)

    monkeypatch.setattr(ahead_module, "inspection_of_documents", counted)
    again = ingest(tmp_path / "w", corpus, workers=2)
    assert again.n_articles == again.n_revisions == 0
    # Two batches may have been begun before the first proved to be known.
    assert len(begun) <= 1 + ahead_module.BATCHES_AHEAD


@pytest.mark.usefixtures("small_batches_repay")
def test_a_worker_that_dies_costs_nothing_but_time(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, n_submitted = Workers.submit, 0

    def killing(self: Workers, function: Any, *arguments: Any) -> Any:
        nonlocal n_submitted
        n_submitted += 1
        return submit(self, _die if n_submitted == 6 else function, *arguments)

    monkeypatch.setattr(Workers, "submit", killing)
    ingest(tmp_path / "crew", corpus, workers=2)
    monkeypatch.undo()
    assert n_submitted >= 6
    ingest(tmp_path / "alone", corpus, workers=1)
    assert picture(tmp_path / "alone") == picture(tmp_path / "crew")
    assert not doctor(tmp_path / "crew")


def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_end_with_a_killed_parent(tmp_path: Path, corpus: Path) -> None:
    """`kill -9` of the run: no worker stays, and the next opening empties the spool."""
    code = (
        "import sys, time\n"
        "from flows import parts\n"
        "from flows.ingest import Request, run_ingest\n"
        "from pipeline.settings import Settings\n"
        "if __name__ == '__main__':\n"
        "    parts.LEAST_BYTES = 1\n"
        "    whole = parts.Inspection.texts\n"
        "    def waiting(self):\n"
        "        found = whole(self)\n"
        "        pool = self._workers._pool\n"
        "        print(*pool._processes, flush=True)\n"
        "        time.sleep(60)\n"
        "        return found\n"
        "    parts.Inspection.texts = waiting\n"
        "    run_ingest([Request(specs=(sys.argv[1],))],"
        " Settings(warehouse=sys.argv[2], workers=2), 'run')\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code, "utf-8")
    root = tmp_path / "w"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, str(script), str(corpus), str(root)],
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout is not None
        workers = [int(word) for word in process.stdout.readline().split()]
        assert len(workers) == 2
        process.kill()
    deadline = time.monotonic() + 20
    while any(_lives(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_lives(worker) for worker in workers)
    ingest(root, corpus, workers=1)
    assert not doctor(root)
    assert not list((root / "staging").iterdir())


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_no_worker_has_begun_is_done_here(tmp_path: Path) -> None:
    workers = Workers(1, tmp_path)
    try:
        begun = workers.submit(os.getpid)
        waiting = [workers.submit(os.getpid), workers.submit(os.getpid, is_urgent=True)]
        own, *others = [spool.load(handle) for handle in workers.results([begun, *waiting])]
        assert own != os.getpid()
        assert others == [os.getpid()] * 2, "the worker is still starting"
        with pytest.raises(ZeroDivisionError):
            workers.results([workers.submit(time.sleep, 0.5), workers.submit(divmod, 1, 0)])
    finally:
        workers.close()


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no niceness on this system")
def test_the_flow_goes_before_its_workers(tmp_path: Path) -> None:
    workers = Workers(1, tmp_path)
    try:
        niceness = spool.load(workers.submit(os.nice, 0).result())
    finally:
        workers.close()
    assert niceness > os.nice(0) or os.nice(0) == 19


def test_any_division_inspects_the_same(corpus: Path) -> None:
    read = pa.concat_tables(read_batches([corpus], ReadOptions(source_id="s")))
    whole = inspect_documents(read, Rules())
    for n_parts in (1, 2, 3, 7):
        parts = joined([inspect_documents(part, Rules()) for part in divided(read, n_parts)])
        for name in ("parsed", "unread", "spans", "lines", "captions", "repeats", "lined"):
            one, other = (_in_order(getattr(table, name)) for table in (whole, parts))
            assert one.equals(other), (n_parts, name)


def _in_order(table: pa.Table) -> pa.Table:
    keys = ("revision_id", "document_id", "paragraph_seq", "seq", "start_char")
    by = [(name, "ascending") for name in keys if name in table.column_names]
    return table.sort_by(by).combine_chunks()


def test_documents_are_divided_by_their_bytes() -> None:
    sizes = [1, 1, 1, 1, 400, 1, 1, 398]
    rows = READ.schema.empty_table().select([]).append_column("n_bytes", pa.array([], pa.int64()))
    table = pa.table({"n_bytes": pa.array(sizes, pa.int64())})
    parts = divided(table, 2)
    assert [part["n_bytes"].to_pylist() for part in parts] == [sizes[:4], sizes[4:]]
    assert pa.concat_tables(divided(table, 5)).equals(table)
    assert sum(part.num_rows for part in divided(rows, 4)) == 0


def test_the_spool_gives_back_what_it_took(tmp_path: Path) -> None:
    table = pa.table({"text": ["가나다", None, ""] * 100, "n": pa.array(range(300), pa.int64())})
    value = {"rows": table.slice(7, 11), "all": table, "none": table.slice(0, 0), "number": 3}
    handle = spool.keep(value, tmp_path)
    given = spool.load(handle)
    assert given == value
    # A slice takes its own rows along, not the whole it was cut from.
    assert spool.keep(table.slice(0, 1), tmp_path).n_bytes < handle.n_bytes / 5
    spool.drop(handle)
    assert given["all"].equals(table), "who has mapped it keeps it"
    spool.drop(handle)
