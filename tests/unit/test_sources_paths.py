"""What the user names becomes the files that are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import SourceGone
from pipeline.sources.files import expand


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of many files, which is the working directory too."""
    for name in (
        "b.jsonl",
        "a.txt",
        "c.CSV",
        "notes.md",
        "picture.png",
        ".hidden.jsonl",
        ".git/x.jsonl",
        "day/1.json",
        "day/2.json.gz",
        "day/3.parquet.zst",
        "day/deep/4.ndjson",
        "day/deep/5.tsv.ZST",
        "day/deep/6.gz",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*specs: str, **options: bool) -> list[str]:
    return [str(c) for c in expand(specs, **options)]


def test_a_folder_is_read_to_the_bottom_in_order(tree: Path) -> None:
    assert names(".") == [
        "a.txt",
        "b.jsonl",
        "c.CSV",
        "day/1.json",
        "day/2.json.gz",
        "day/3.parquet.zst",
        "day/deep/4.ndjson",
        "day/deep/5.tsv.ZST",
    ]
    assert names(str(tree))[0] == str(tree / "a.txt")


def test_a_named_file_is_read_whatever_its_name(tree: Path) -> None:
    files = ["notes.md", ".hidden.jsonl", "day/deep/6.gz"]
    assert names(*files) == files


def test_standard_input_stands_beside_files(tree: Path) -> None:
    assert expand(["-", "a.txt", "-"]) == ["-", Path("a.txt")]


def test_a_file_named_twice_is_read_once(tree: Path) -> None:
    assert names("day/1.json", "day", str(tree / "day" / "1.json"))[0] == "day/1.json"
    assert len(names("day/1.json", "day", str(tree / "day" / "1.json"))) == 5


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("*.jsonl", ["b.jsonl"]),
        ("*.md", ["notes.md"]),
        ("d*/*", ["day/1.json", "day/2.json.gz", "day/3.parquet.zst", "day/deep/4.ndjson"]),
        ("day/*.json", ["day/1.json"]),
        ("**/*.json*", ["b.jsonl", "day/1.json", "day/2.json.gz"]),
        ("day/**", ["day/1.json", "day/2.json.gz", "day/3.parquet.zst", "day/deep/4.ndjson"]),
        ("day/[12]*", ["day/1.json", "day/2.json.gz"]),
        ("*", ["a.txt", "b.jsonl", "c.CSV", "day/1.json"]),
        ("**/*.gz", ["day/2.json.gz", "day/deep/6.gz"]),
    ],
)
def test_globs(tree: Path, spec: str, found: list[str]) -> None:
    assert names(spec)[: len(found)] == found
    assert names(str(tree / spec))[0] == str(tree / found[0])


def test_a_file_whose_name_looks_like_a_pattern(tree: Path) -> None:
    Path("a[1].txt").write_text("x")
    Path("a1.txt").write_text("x")
    assert names("a[1].txt") == ["a[1].txt"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("gone.jsonl", "no such file or folder; check the path"),
        ("gone/", "no such file or folder; check the path"),
        ("*.docx", "no file matches this pattern; check the pattern"),
        (".git", "nothing to read"),
        ("x" * 300, "no such file or folder"),
        ("nul\0nul", "no such file or folder"),
        ("", "no such file or folder"),
    ],
)
def test_a_spec_that_matches_nothing(tree: Path, spec: str, words: str) -> None:
    (tree / ".git" / "x.jsonl").unlink()
    with pytest.raises(SourceGone) as caught:
        expand([spec], source_id="s")
    message = str(caught.value)
    assert words in message
    assert message.startswith("s: ")
    assert "\n" not in message


def test_an_empty_drop_folder_is_no_error(tree: Path) -> None:
    Path("drop").mkdir()
    assert names("drop", "drop/*.jsonl", may_be_empty=True) == []
    with pytest.raises(SourceGone):
        expand(["drop"])
    with pytest.raises(SourceGone):
        expand(["gone"], may_be_empty=True)


class TestIgnoreFiles:
    def test_gitignore_syntax(self, tree: Path) -> None:
        Path(".unechoignore").write_text("# mine\n*.txt\n/day/*\n!/day/deep\n5.*\n", "utf-8-sig")
        assert names(".") == ["b.jsonl", "c.CSV", "day/deep/4.ndjson"]
        assert names("*.txt", may_be_empty=True) == []
        assert names("**/*.ndjson") == ["day/deep/4.ndjson"]

    def test_a_named_file_is_read_all_the_same(self, tree: Path) -> None:
        Path(".unechoignore").write_text("*\n")
        assert names("a.txt") == ["a.txt"]
        assert names(".", may_be_empty=True) == []

    def test_the_inner_file_wins(self, tree: Path) -> None:
        Path(".unechoignore").write_text("*.json\n*.tsv.ZST\n")
        Path("day/.unechoignore").write_text("!1.json\ndeep/*.ndjson\n")
        assert names(".")[3:] == ["day/1.json", "day/2.json.gz", "day/3.parquet.zst"]
        assert names("**/*.json") == ["day/1.json"]
        assert names("*/deep/*", may_be_empty=True) == []

    def test_an_ignored_folder_is_not_entered(self, tree: Path) -> None:
        Path(".unechoignore").write_text("day/\n")
        assert names(".") == ["a.txt", "b.jsonl", "c.CSV"]
        assert names("**/*.json", may_be_empty=True) == []
        assert names("d*", may_be_empty=True) == []


class TestOddThings:
    def test_links(self, tree: Path) -> None:
        Path("day/again").symlink_to(tree)
        Path("day/0.txt").symlink_to(tree / "a.txt")
        Path("day/lost.txt").symlink_to(tree / "nowhere")
        assert names("day")[:2] == ["day/0.txt", "day/1.json"]
        assert "day/lost.txt" in names("day")
        assert not any("again" in name for name in names("day"))
        assert names("day/again")[0] == "day/again/a.txt"

    def test_a_folder_that_may_not_be_listed_is_a_container(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """(The permission itself does not stop root, who runs the tests in a container.)"""
        listed = Path.iterdir

        def refuse(self: Path) -> object:
            if self.name == "deep":
                raise PermissionError(13, os.strerror(13), str(self))
            return listed(self)

        monkeypatch.setattr(Path, "iterdir", refuse)
        assert names("day") == ["day/1.json", "day/2.json.gz", "day/3.parquet.zst", "day/deep"]

    def test_pipes_in_folders_are_left_alone(self, tree: Path) -> None:
        os.mkfifo("day/0.jsonl")
        assert names("day")[0] == "day/1.json"
