"""The parts of `make bench` that no measurement shows to be right."""

import json

import pytest

from tests.bench import growth, ingests, results, sections
from tests.bench.ingests import Ingested
from tests.bench.peer_rounds import COLUMNS, Runs, row_of
from tests.bench.watched import Cost

SECTION = {"title": "T", "columns": ["a", "b"], "rows": [["x", 1]], "notes": ["n"]}


def test_the_report_has_its_sections_in_order_with_command_and_minutes(tmp_path):
    for name in ("startup", "peers-20000", "end_to_end", "peers-3000"):
        results.store(name, {**SECTION, "title": name}, f"measure {name}", 1.25, tmp_path)
    results.assemble(sections.ORDER, tmp_path)
    lines = results.report(tmp_path).read_text(encoding="utf-8").splitlines()
    titles = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert titles == ["end_to_end", "peers-3000", "peers-20000", "startup"]
    commands = [line for line in lines if line.startswith("`measure startup`")]
    assert len(commands) == 1
    assert "1.2 minutes" in commands[0]


def test_a_large_corpus_is_made_of_parts_with_ids_and_seeds_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(ingests, "_ARTICLES_A_PART", 4)
    folders = [ingests.large_corpus(tmp_path, *part) for part in ((0, 8), (8, 2))]
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
    articles = [json.loads(line) for line in lines]
    assert len(paths) == 3
    assert [article["id"] for article in articles] == [f"bench-{i:09d}" for i in range(10)]
    assert len({article["text"] for article in articles}) == 10


def test_ingests_one_after_the_other_cost_what_they_cost_in_all():
    told = {"n_documents": 3, "wall": 1.0, "cpu": 2.0, "cpu_workers": 0.5}
    one = Ingested(told, wall_seconds=1.5, peak_bytes=100)
    other = Ingested({**told, "n_documents": 4}, wall_seconds=2.5, peak_bytes=90)
    both = ingests.together([one, other])
    assert both.told == {"n_documents": 7, "wall": 2.0, "cpu": 4.0, "cpu_workers": 1.0}
    assert (both.wall_seconds, both.peak_bytes) == (4.0, 100)


def test_one_scratch_folder_serves_all_who_ask_within_it(monkeypatch):
    monkeypatch.delenv("BENCH_SCRATCH", raising=False)
    with ingests.scratch() as outer:
        with ingests.scratch() as inner:
            assert inner == outer
        assert outer.exists()
    assert not outer.exists()


def test_the_exponent_is_that_of_a_power():
    sizes = [10, 100, 1000]
    assert growth._exponent(sizes, [3 * size**1.25 for size in sizes]) == pytest.approx(1.25)


def test_a_peer_that_failed_says_why_in_its_row(tmp_path):
    ours = Runs(tmp_path, None, "", [Cost(1.0, 2.0, 1 << 20)], [0.5], {0.7: 1.0, 0.8: 1.0})
    failed = Runs(tmp_path, None, "ended: held more than 12.0 GB")
    row = row_of("peer", failed, 100, ours)
    assert row[:2] == ["peer", "ended: held more than 12.0 GB"]
    assert len(row) == len(row_of("unecho", ours, 100, ours)) == len(COLUMNS)
