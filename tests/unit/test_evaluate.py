"""`unecho evaluate`: labelled pairs in, precision and recall by kind and by threshold out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from flows.evaluate import CURVE_SETTINGS, THRESHOLDS, evaluate
from pipeline import cli
from pipeline.dedup.relations import RelationRules
from pipeline.report.evaluate import Evaluation, Score, by_setting, scores, wrong_pairs
from pipeline.report.evaluate_pairs import (
    KnownPair,
    KnownPairs,
    LabelledPair,
    Name,
    PairsError,
    left_out_line,
    look_up,
    read_pairs,
)
from pipeline.report.evaluate_view import evaluation_lines
from pipeline.report.published import open_published, rows

SEEDS = Path(__file__).parents[2] / "seeds"
FERRY = "HB20260304-0117"
FERRY_COPY = "garam-88231"
LABELLED = [json.loads(line) for line in (SEEDS / "pairs.jsonl").read_text("utf-8").splitlines()]

DEFAULTS = {name: getattr(RelationRules(), name) for name in CURVE_SETTINGS}


def known(is_same: bool, is_one_story: bool, kind: str = "wire", line: int = 1) -> KnownPair:
    pair = LabelledPair(line, Name("a"), Name("b"), kind, is_same)
    return KnownPair(pair, "a", "b", is_one_story)


def lines_of(*pairs: Any) -> list[str]:
    return [json.dumps(pair) for pair in pairs]


def pair(left: Any, right: Any, **more: Any) -> dict[str, Any]:
    return {"left": left, "right": right, "label": "same"} | more


class Shell:
    """Runs `unecho evaluate` in this process; what it printed is (stdout, stderr)."""

    def __init__(self, capture: pytest.CaptureFixture[str], root: Path, folder: Path) -> None:
        self.capture = capture
        self.root = root
        self.folder = folder

    def __call__(self, pairs: Iterable[Any] | Path, *more: str, code: int = 0) -> tuple[str, str]:
        path = pairs if isinstance(pairs, Path) else self.folder / "pairs.jsonl"
        if not isinstance(pairs, Path):
            path.write_text("\n".join(lines_of(*pairs)) + "\n", "utf-8")
        found = cli.main(["--warehouse", str(self.root), "evaluate", str(path), *more])
        written = self.capture.readouterr()
        assert found == code, written.err
        return written.out, written.err


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], seed_warehouse: Path, tmp_path: Path) -> Shell:
    return Shell(capsys, seed_warehouse, tmp_path)


def test_counts_and_ratios() -> None:
    pairs = [known(True, True)] * 6 + [known(True, False)] * 2 + [known(False, True)] * 3
    pairs += [known(False, False, "caption")] * 5
    caption, wire, total = scores(pairs, lambda p: p.is_one_story)
    assert (wire.n_pairs, wire.n_same, wire.n_found, wire.n_missed) == (11, 8, 6, 2)
    assert (wire.precision, wire.recall, wire.f1) == (0.6667, 0.75, 0.7059)
    assert (caption.precision, caption.recall, caption.f1) == (None, None, None)
    assert total == Score("all", 16, 8, 6, 3)


@pytest.mark.parametrize(
    ("row", "kind", "is_same"),
    [
        (pair("a", "b", kind="wire", label="same"), "wire", True),
        (pair("a", "b", kind="wire", label="different"), "wire", False),
        (pair("a", "b", label="DUP"), "DUP", True),
        (pair("a", "b", label="EVENT"), "EVENT", False),
        (pair("a", "b", label="contained"), "contained", False),
        (pair("a", "b", label="update"), "update", True),
        (pair("a", "b", label=True), "true", True),
        (pair("a", "b", label=0), "0", False),
        ({"id_a": "a", "id_b": "b", "kind": "template"}, "template", False),
        ({"id_a": "a", "id_b": "b", "kind": "same_title"}, "same_title", None),
        ({"left_id": 17, "right_id": "b"}, "none", None),
    ],
)
def test_forms_of_a_labelled_pair(row: Any, kind: str, is_same: bool | None) -> None:
    [found] = read_pairs(["", *lines_of(row), " "], "pairs")
    assert (found.kind, found.is_same, found.line) == (kind, is_same, 2)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "no JSON"),
        ('["a", "b"]', "no JSON object"),
        ('{"left": "a"}', "no left and right"),
        ('{"left": "a", "right": ""}', "no id"),
        ('{"left": "a", "right": {"source_id": "s"}}', "no native_id"),
        ('{"left": "a", "right": "b", "label": "maybe"}', "no label"),
    ],
)
def test_a_line_that_is_no_pair_is_named(line: str, problem: str) -> None:
    with pytest.raises(PairsError, match=f"pairs:1: .*{problem}.*; "):
        read_pairs([line], "pairs")


def test_articles_are_found_by_their_own_id_ours_and_their_address(seed_warehouse: Path) -> None:
    with open_published(seed_warehouse) as connection:
        [ferry] = rows(
            connection,
            "SELECT article_id, source_id, url FROM articles_all WHERE native_id = ?",
            [FERRY],
        )
        names: list[Any] = [
            FERRY,
            ferry["article_id"],
            ferry["article_id"].replace("-", ""),
            ferry["url"],
            ferry["url"].replace("https://", "http://www.") + "/",
            {"source_id": ferry["source_id"], "native_id": FERRY},
        ]
        labelled = [read_pairs(lines_of(pair(FERRY_COPY, name)), "pairs")[0] for name in names]
        for one in labelled:
            [found] = look_up(connection, [one]).known
            assert ferry["article_id"] in found.ends
            assert found.is_one_story
            assert found.left_id < found.right_id


def test_what_cannot_be_counted_is_counted(seed_warehouse: Path) -> None:
    labelled = read_pairs(
        lines_of(
            pair(FERRY, FERRY_COPY, kind="wire"),
            pair(FERRY_COPY, FERRY, kind="wire"),
            pair(FERRY, FERRY_COPY, kind="other"),
            pair(FERRY, "gone"),
            pair({"source_id": "elsewhere", "native_id": FERRY}, FERRY_COPY),
            pair(FERRY, FERRY),
            {"left": FERRY, "right": FERRY_COPY, "kind": "same_title"},
        ),
        "pairs",
    )
    with open_published(seed_warehouse) as connection:
        found = look_up(connection, labelled)
    assert [p.pair.line for p in found.known] == [1, 3]
    assert {r: [p.line for p in pairs] for r, pairs in found.left_out.items()} == {
        "no_label": [7],
        "unknown_id": [4, 5],
        "one_article": [6],
        "repeated": [2],
    }
    assert found.unknown == [f"elsewhere/{FERRY}", "gone"]
    assert left_out_line(found) == (
        "5 of 7 pairs are left out: 1 no_label, 2 unknown_id, 1 one_article, 1 repeated; "
        f"not there: elsewhere/{FERRY}, gone"
    )


def test_an_id_of_two_sources_needs_its_source(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = "The ferry council of Port Ellery agreed on Tuesday to buy two electric boats. " * 3
    articles = [
        {"id": "1", "source": source, "title": "Two boats", "text": text}
        for source in ("east", "west")
    ]
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "a.jsonl").write_text("\n".join(lines_of(*articles)), "utf-8")
    sides = [{"source_id": s, "native_id": "1"} for s in ("east", "west")]
    shell = Shell(capsys, tmp_path / "none", tmp_path)
    out, err = shell([pair(*sides), pair("1", sides[0])], str(folder), "--json")
    found = json.loads(out)
    assert found["left_out"] == {"ambiguous_id": 1}
    assert found["stories"]["all"]["n_found"] == 1
    assert "1 of 2 pairs are left out: 1 ambiguous_id" in err
    assert not (tmp_path / "none").exists()


def test_the_seed_pairs_by_kind(shell: Shell) -> None:
    out, err = shell(SEEDS / "pairs.jsonl", "--json")
    found = json.loads(out)
    assert err == ""
    assert found["n_pairs"] == len(LABELLED)
    assert set(found["stories"]) == {row["kind"] for row in LABELLED} | {"all"}
    total = found["stories"]["all"]
    assert total["n_same"] == sum(row["label"] == "duplicate" for row in LABELLED)
    assert total["n_found"] + total["n_missed"] == total["n_same"]
    assert total["precision"] == total["recall"] == total["f1"] == 1
    assert found["wrong"] == []


def test_a_wrong_label_is_shown_with_the_evidence(shell: Shell) -> None:
    pairs = [
        pair(FERRY, FERRY_COPY, kind="flipped", label="different"),
        pair("tw-90866", "peg-2026-0319-02", kind="flipped", label="same"),
    ]
    out, _ = shell(pairs, "--json")
    merged, missed = json.loads(out)["wrong"]
    assert (merged["label"], merged["left"]) == ("different", FERRY)
    assert (merged["relation"], merged["is_compared"]) == ("near", True)
    assert 0.5 < merged["jaccard"] < 1
    assert (missed["label"], missed["relation"], missed["is_compared"]) == ("same", None, False)
    shown, _ = shell(pairs)
    assert "Wrong: 1 false merges, 1 missed" in shown
    assert "too little shared (not compared)" in shown


def test_what_the_stories_make_of_a_verdict_is_told() -> None:
    pairs = [
        KnownPair(LabelledPair(n, Name("a"), Name("b"), "wire", is_same), f"{n}", "b", is_one)
        for n, (is_same, is_one) in enumerate([(False, True), (True, False), (False, False)])
    ]
    near = {"relation": "near", "is_duplicate": True, "jaccard": 0.6, "rule": "near_long"}
    part = {"relation": "related", "is_duplicate": False, "jaccard": 0.4, "rule": "below_near_long"}
    judged = {("0", "b"): part | {"is_compared": True}, ("1", "b"): near | {"is_compared": True}}
    evaluation = Evaluation(
        pairs=KnownPairs(pairs, {}, []),
        stories=scores(pairs, lambda p: p.is_one_story),
        curve=[],
        wrong=wrong_pairs(pairs, judged),
        rule_version="relations",
    )
    text = "\n".join(evaluation_lines(evaluation, "here", None))
    assert "related: below_near_long (joined through others)" in text
    assert "near: near_long (its story is another)" in text
    assert "Wrong: 1 false merges, 1 missed" in text


def test_the_curve_asks_the_rules_as_they_are(seed_warehouse: Path) -> None:
    labelled = read_pairs((SEEDS / "pairs.jsonl").read_text("utf-8").splitlines(), "pairs")
    found = evaluate(labelled, seed_warehouse)
    for setting, points in by_setting(found.curve).items():
        assert [p.threshold for p in points] == sorted({*THRESHOLDS, points_set(points)})
        assert points_set(points) == getattr(RelationRules(), setting)
    near, short, _ = (by_setting(found.curve)[s] for s in CURVE_SETTINGS)
    n_found = [p.total.n_found for p in near]
    assert n_found == sorted(n_found, reverse=True)
    assert n_found[0] > n_found[-1]
    assert short[0].total.n_false_merges > 0
    assert near[-1].total.n_false_merges == 0


def points_set(points: Any) -> float:
    [point] = [p for p in points if p.is_set]
    return float(point.threshold)


def test_settings_hold_for_articles_that_are_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNECHO_NEAR_JACCARD", "0.92")
    published, _ = shell(SEEDS / "pairs.jsonl", "--json")
    strict, _ = shell(SEEDS / "pairs.jsonl", str(SEEDS), "--json")
    before, after = (json.loads(o)["stories"]["wire"]["n_found"] for o in (published, strict))
    assert before > after
    assert marked(published) == DEFAULTS
    assert marked(strict) == DEFAULTS | {"near_jaccard": 0.92}


def marked(out: str) -> dict[str, float]:
    """The thresholds that the answer marks as those in effect."""
    return {p["setting"]: p["threshold"] for p in json.loads(out)["curve"] if p["is_set"]}


def test_the_table_of_the_curve(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    out, err = shell(SEEDS / "pairs.jsonl", "--curve-table", str(path), "--json")
    assert str(path) in err
    table = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    curve = json.loads(out)["curve"]
    assert len(table) == len(curve) > 14 * 8
    for written, row in zip(table, curve, strict=True):
        assert set(written) == set(row)
        assert written["n_found"] == str(row["n_found"])
        assert written["precision"] == ("" if row["precision"] is None else str(row["precision"]))


def test_the_picture_of_the_curve(shell: Shell, tmp_path: Path) -> None:
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    for path in (one, other):
        shell(SEEDS / "pairs.jsonl", "--curve", str(path))
    picture = one.read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) > 20_000
    assert picture == other.read_bytes()


def test_eighty_columns_hold_the_result(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.report.terminal.terminal_width", lambda stream=None: 80)
    out, _ = shell(LABELLED)
    assert "same_event" in out
    assert "▸ 0.50" in out
    assert max(map(len, out.splitlines())) <= 80


def test_nothing_that_can_be_counted_is_exit_1(shell: Shell) -> None:
    _, err = shell([pair("gone", "lost")], code=1)
    first, second = err.splitlines()
    assert first == ("unecho: 1 of 1 pairs are left out: 1 unknown_id; not there: gone, lost")
    assert "no pair can be counted" in second
    _, err = shell([], code=1)
    assert "no pair can be counted" in err


def test_usage_is_exit_2(shell: Shell, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"left": "a"}\n', "utf-8")
    assert "broken.jsonl:1: no left and right" in shell(broken, code=2)[1]
    assert "no such file" in shell(tmp_path / "missing.jsonl", code=2)[1]
    broken.write_bytes("가".encode("cp949"))
    assert "no UTF-8" in shell(broken, code=2)[1]
    here = SEEDS / "pairs.jsonl"
    assert "no such folder" in shell(here, "--curve-table", "no/where/c.csv", code=2)[1]
    assert "no such file or folder" in shell(here, "no/articles", code=2)[1]


def test_articles_of_which_none_can_be_taken_are_exit_1(shell: Shell, tmp_path: Path) -> None:
    broken = tmp_path / "articles.jsonl"
    broken.write_text('{"title": "no text"}\n', "utf-8")
    _, err = shell(SEEDS / "pairs.jsonl", str(broken), code=1)
    assert "every document went to quarantine" in err
