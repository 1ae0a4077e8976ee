"""`unecho explain`: finding the article, the evidence, and both columns in 80 cells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipeline import cli
from pipeline.errors import WarehouseError
from pipeline.report import explain_view
from pipeline.report.explain import Explained, differences, explain_article, find_article
from pipeline.report.explain_pairs import reason
from pipeline.report.explain_revisions import revision_lines
from pipeline.report.published import open_published, rows
from pipeline.report.terminal import width_of

REPEATING_URL = "https://hanbat.example/article/hb-0309-12"
"""The seed that prints paragraphs 2 and 4 to 9 of 9 again after its end, then a rights line."""


@pytest.fixture(scope="module")
def connection(seed_warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_published(seed_warehouse) as opened:
        yield opened


@pytest.fixture(scope="module")
def repeating(connection: duckdb.DuckDBPyConnection) -> Explained:
    return explain_article(connection, REPEATING_URL)


@pytest.fixture(scope="module")
def near(connection: duckdb.DuckDBPyConnection) -> Explained:
    """A near copy of a wire story."""
    return explain_article(connection, "https://nuri-econ.example/2026/03/04/11432")


# Finding


def test_every_name_of_an_article_finds_it(connection: duckdb.DuckDBPyConnection) -> None:
    [row] = rows(
        connection,
        "SELECT article_id, native_id, story_id FROM articles_all WHERE url = ?",
        [REPEATING_URL],
    )
    article_id = row["article_id"]
    for name in (
        article_id,
        f" {article_id.upper()} ",
        article_id.replace("-", ""),
        article_id[:8],
        row["story_id"],
        row["native_id"],
        REPEATING_URL,
        REPEATING_URL.replace("https://", "http://www.") + "/",
    ):
        assert find_article(connection, name) == article_id, name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("00000000-0000-0000-0000-00000000000a", "no article has the id or URL"),
        ("https://hanbat.example/", "no article has the id or URL"),
        ("", "no article has the id or URL"),
        ("%", "no article has the id or URL"),
    ],
)
def test_an_unknown_name_says_how_to_look_one_up(
    connection: duckdb.DuckDBPyConnection, name: str, said: str
) -> None:
    with pytest.raises(WarehouseError, match=said) as caught:
        find_article(connection, name)
    assert "unecho sql" in caught.value.next_step


def test_a_quarantined_document_is_sent_to_the_quarantine(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    [row, *_] = rows(connection, "SELECT document_id FROM quarantine ORDER BY 1")
    with pytest.raises(WarehouseError, match="unecho quarantine show"):
        find_article(connection, row["document_id"])


def test_a_name_of_several_articles_lists_them(tmp_path: Path) -> None:
    other = duckdb.connect()
    other.execute(
        "CREATE TABLE articles_all AS SELECT uuid() AS article_id, source_id, 'x' AS title,"
        " '17' AS native_id, NULL AS url, uuid() AS story_id, uuid() AS canonical_id"
        " FROM (VALUES ('one'), ('two')) AS v(source_id)"
    )
    with pytest.raises(WarehouseError, match=r"17 names several articles: .*\((one|two)\), "):
        find_article(other, "17")


# Evidence


def test_each_dropped_paragraph_stands_beside_what_it_repeats(repeating: Explained) -> None:
    dropped = {p["seq"]: p for p in repeating.paragraphs if p["status"] == "dropped"}
    assert {seq: p["match"]["seq"] for seq, p in dropped.items() if p["match"]} == {
        9: 1, 10: 3, 11: 4, 12: 5, 13: 6, 14: 7, 15: 8
    }  # fmt: skip
    assert all(p["match"]["text"] == p["text"] for p in dropped.values() if p["match"])
    assert all(p["decisions"][0]["jaccard"] == 1 for p in dropped.values() if p["match"])
    assert dropped[16]["reason"] == "furniture_rights"
    assert dropped[16]["decisions"][0]["evidence"]


def test_a_copy_stands_beside_its_match_word_by_word(near: Explained) -> None:
    assert near.article["role"] == "duplicate"
    assert near.match is not None
    told_again = [p["counterpart"] for p in near.paragraphs if p["status"] == "kept"]
    assert all(told_again), "every paragraph of the copy has its counterpart"
    assert {c["jaccard"] for c in told_again if c} >= {1.0}
    assert any(c["jaccard"] < 1 for c in told_again if c)


def test_the_story_has_all_members_and_every_pair_its_numbers(near: Explained) -> None:
    assert near.story is not None
    assert len(near.members) == near.story["n_members"] >= 4
    assert near.members[0]["role"] == "canonical"
    assert {p["other_id"] for p in near.pairs} <= {m["article_id"] for m in near.members}
    for pair in near.pairs:
        assert pair["is_duplicate"]
        assert 0 < pair["jaccard"] <= pair["containment"] <= 1


def test_containment_is_seen_from_the_article(connection: duckdb.DuckDBPyConnection) -> None:
    """The same pair asked from its other end shows the two containments the other way round."""
    [edge, *_] = rows(
        connection,
        "SELECT left_id, right_id, left_containment, right_containment FROM edges"
        " WHERE left_containment <> right_containment ORDER BY 1, 2",
    )
    for own, other, names in (
        ("left_id", "right_id", ("containment", "other_containment")),
        ("right_id", "left_id", ("other_containment", "containment")),
    ):
        pairs = explain_article(connection, edge[own]).pairs
        [pair] = [p for p in pairs if p["other_id"] == edge[other]]
        assert [pair[n] for n in names] == [edge["left_containment"], edge["right_containment"]]


def test_the_verdict_is_a_sentence_for_every_role(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    roles = rows(connection, "SELECT role, min(article_id) AS id FROM articles_all GROUP BY role")
    said = {r["role"]: explain_view.verdict(explain_article(connection, r["id"])) for r in roles}
    assert said["single"].startswith("Kept: ")
    assert said["canonical"].startswith("Kept: ")
    assert said["duplicate"].startswith("Dropped: ")
    assert "Jaccard" in said["duplicate"]


def test_differences_are_words_and_single_han_characters() -> None:
    left, right = "요금을 300원 올린다", "요금을 400원 올린다"
    spans = differences(left, right)
    assert [left[a:b] for a, b in spans[0]] == ["300원"]
    assert [right[a:b] for a, b in spans[1]] == ["400원"]
    spans = differences("東京都は今日", "東京都は明日")
    assert spans == ([(4, 5)], [(4, 5)])
    assert differences("same", "same") == ([], [])


# On a terminal and in a pipe


def explained(root: Path, name: str, capfd: pytest.CaptureFixture[str], *options: str) -> str:
    assert cli.main(["--warehouse", str(root), "explain", name, *options]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    return captured.out


def test_piped_it_has_marks_and_no_colour(
    seed_warehouse: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = explained(seed_warehouse, REPEATING_URL, capfd)
    assert "\x1b" not in shown
    assert "-10  \u2039지난 7일 오후 2시" in shown
    assert "repeat_block, repeats 2: J 1.00" in shown
    assert "8 of 17 paragraphs dropped: 1 furniture_rights, 7 repeat_block." in shown
    assert all(line == line.rstrip() for line in shown.splitlines())
    assert all(width_of(line) <= 80 for line in shown.splitlines() if "restore" not in line)


@pytest.fixture(scope="module")
def one_of_each_language_and_role(connection: duckdb.DuckDBPyConnection) -> list[Explained]:
    found = rows(
        connection,
        "SELECT arg_max(article_id, (n_dropped_paragraphs, article_id)) AS id FROM articles_all"
        " GROUP BY language, role",
    )
    return [explain_article(connection, row["id"]) for row in found]


@pytest.mark.parametrize("width", [60, 80, 132])
def test_both_columns_fit_the_terminal(
    width: int,
    one_of_each_language_and_role: list[Explained],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(explain_view, "terminal_width", lambda: width)
    assert len(one_of_each_language_and_role) > 8
    for explained in one_of_each_language_and_role:
        explain_view.print_explained(explained, "unecho")
    for line in capsys.readouterr().out.splitlines():
        assert width_of(line) <= width or line.startswith("original bytes"), line


def test_in_colour_the_dropped_passage_is_struck_through(
    repeating: Explained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    explain_view.print_explained(repeating, "unecho")
    shown = capsys.readouterr().out
    assert "\x1b[9;31m지난 7일 오후 2시" in shown
    assert "\u2039" not in shown


def test_json_is_one_object_with_everything(
    seed_warehouse: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = json.loads(explained(seed_warehouse, REPEATING_URL, capfd, "--json"))
    assert set(answer) == {
        "article", "paragraphs", "story", "members", "pairs", "decisions", "match", "revisions"
    }  # fmt: skip
    assert answer["article"]["url"] == REPEATING_URL
    assert len(answer["paragraphs"]) == 17
    assert answer["story"]["n_members"] == 1


# Pairs


def test_each_pair_says_by_which_rule_and_what_only_one_has(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    [edge, *_] = rows(
        connection,
        "SELECT left_id, right_id, evidence::JSON->>'rule' AS rule,"
        " evidence::JSON->'numbers_only_left' AS own FROM edges"
        " WHERE evidence LIKE '%numbers_only_left%' ORDER BY 1, 2",
    )
    numbers = json.loads(edge["own"])
    for end, other, name in (
        ("left_id", "right_id", "numbers_only"),
        ("right_id", "left_id", "other_numbers_only"),
    ):
        pairs = explain_article(connection, edge[end]).pairs
        [pair] = [p for p in pairs if p["other_id"] == edge[other]]
        assert pair[name] == numbers
        assert edge["rule"].replace("_", " ") in reason(pair).replace("_", " ")
        where = "here" if name == "numbers_only" else "there"
        assert f"only {where} {numbers[0]}" in reason(pair)


def test_a_rule_without_words_and_evidence_that_is_none_are_shown_as_they_are() -> None:
    pair = {"numbers_only": [], "other_numbers_only": [], "n_passages": 2, "n_passage_chars": 1234}
    unknown = pair | {"evidence": '{"rule": "some_new_rule", "n_changed_slots": 2}'}
    said = "some new rule; 2 of 2 numbers at equal places differ; 2 passages in common,"
    assert reason(unknown) == f"{said} 1,234 characters"
    for evidence in (None, "", "no json"):
        assert reason(pair | {"evidence": evidence, "n_passages": None}) == "no evidence is stored"


# Revisions

FARE = (
    "The council of Port Ellery raises the fare of the harbour ferry by 30 cents from May. "
    "It is the first rise in four years, the clerk said.\n\n"
    "Commuters had asked for a later start because the season ends in June.\n\n"
    "The ferry carries nine hundred people a day between the two piers."
)
STATES = (
    ("[Breaking] Ferry fare rises", "Port Ellery raises its ferry fare."),
    ("Ferry fare rises by 30 cents", FARE),
    ("Ferry fare rises by 30 cents", FARE.replace("30 cents", "40 cents")),
    (
        "Ferry fare rises by 40 cents",
        FARE.replace("30 cents", "40 cents").replace("The ferry carries", "It carries")
        + "\n\nA hearing on the night boats follows next week.",
    ),
)


@pytest.fixture(scope="module")
def revised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with one article in four states."""
    folder = tmp_path_factory.mktemp("revised")
    path = folder / "a.jsonl"
    lines = [
        {
            "id": "ferry",
            "title": title,
            "text": text,
            "published_at": "2026-03-03T01:00:00Z",
            "updated_at": f"2026-03-03T0{hour}:30:00Z",
        }
        for hour, (title, text) in enumerate(STATES, start=1)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in reversed(lines)))
    root = folder / "warehouse"
    assert cli.main(["--warehouse", str(root), "ingest", str(path), "--direct"]) == 0
    return root


def test_revisions_stand_newest_first_with_class_and_diff(
    revised: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    revisions = json.loads(explained(revised, "ferry", capfd, "--json"))["revisions"]
    assert [r["revision_class"] for r in revisions] == ["update", "correction", "update", None]
    assert [r["is_current"] for r in revisions] == [True, False, False, False]
    assert [d["op"] for d in revisions[0]["diff"]] == ["changed", "added"]
    assert revisions[1]["evidence"]["rule"] == "number_exchanged"
    assert revisions[3]["diff"] is None


def test_exchanged_words_stand_in_one_line(
    revised: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = explained(revised, "ferry", capfd)
    assert "4 revisions, the newest first; ▸ is the current one" in shown
    assert "▸ 4 2026-03-03 04:30  update: sentences were added" in shown
    assert " 3 2026-03-03 03:30  correction: a number was exchanged" in shown
    assert " 1 2026-03-03 01:30  the first" in shown
    assert "by [-30-]{+40+} cents" in shown
    assert "+4 A hearing on the night boats" in shown
    assert "title Ferry fare rises by [-30-]{+40+} cents" in shown
    assert all(width_of(line) <= 80 for line in shown.splitlines() if "restore" not in line)


@pytest.mark.parametrize("width", [40, 60, 132])
def test_revisions_fit_the_terminal_and_have_its_colour(
    width: int, revised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with open_published(revised) as connection:
        ferry = explain_article(connection, "ferry")
    shown = list(revision_lines(ferry, width, has_colour=True))
    assert any("\x1b[9;31m30" in line for line in shown)
    assert any("\x1b[32m40" in line for line in shown)
    assert not any("[-" in line for line in shown)
    plain = list(revision_lines(ferry, width, has_colour=False))
    bare = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in plain]
    assert all(width_of(line) <= width for line in bare[1:])


def test_an_article_of_one_revision_says_nothing_of_revisions(repeating: Explained) -> None:
    assert len(repeating.revisions) == 1
    assert list(revision_lines(repeating, 80, has_colour=False)) == []


def test_a_long_list_of_changes_is_cut_and_says_so(repeating: Explained) -> None:
    diff = [{"op": "moved", "seq": n, "previous_seq": n + 1, "text": "x" * 400} for n in range(30)]
    own = repeating.revisions[0] | {"revision_class": "update", "diff": diff, "evidence": {}}
    own |= {"n_added": 0, "n_removed": 0, "n_changed": 0}
    many = replace(repeating, revisions=[own] * 12)
    shown = list(revision_lines(many, 80, has_colour=False))
    assert "     … and 22 more paragraphs" in shown
    assert "  … and 2 earlier ones" in shown
