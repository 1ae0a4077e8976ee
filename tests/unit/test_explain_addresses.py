"""`unecho explain` by an address: found as ingest knows it, or not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline import cli


def explained(root: Path, name: str, capfd: pytest.CaptureFixture[str], *options: str) -> str:
    assert cli.main(["--warehouse", str(root), "explain", name, *options]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.fixture(scope="module")
def addressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with two articles of one site, one address with a tracking parameter."""
    folder = tmp_path_factory.mktemp("addressed")
    path = folder / "a.jsonl"
    urls = ("https://a.b/x?id=1&utm_source=q", "https://a.b/x?id=2", "https://한밭.example/y?id=1")
    lines = [{"id": f"n{i}", "url": u, "text": f"{i} boats. " * 9} for i, u in enumerate(urls)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    root = folder / "warehouse"
    assert cli.main(["--warehouse", str(root), "ingest", str(path), "--direct"]) == 0
    return root


@pytest.mark.parametrize(
    ("url", "native_id"),
    [
        ("https://a.b/x?id=1", "n0"),
        ("http://www.A.b:80/x?fbclid=z&id=1#top", "n0"),
        ("a.b/x?id=1", "n0"),
        ("https://a.b/x?id=2&utm_medium=m", "n1"),
        ("https://xn--zh3bn47b.example/y?id=1&gclid=1", "n2"),
        ("https://한밭.example/y?id=1&gclid=1", "n2"),
    ],
)
def test_an_address_finds_its_article_as_ingest_knows_it(
    addressed: Path, url: str, native_id: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(explained(addressed, url, capfd, "--json"))["article"]["native_id"] == (
        native_id
    )


@pytest.mark.parametrize("url", ["https://a.b/x?id=3", "https://a.b/x", "https://b/x?id=1"])
def test_another_address_of_the_site_finds_nothing(
    addressed: Path, url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--warehouse", str(addressed), "explain", url]) == 1
    assert "no article has the id or URL" in capfd.readouterr().err


def test_a_damaged_file_of_the_warehouse_is_not_our_fault(
    addressed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "damaged"
    shutil.copytree(addressed, root)
    for damaged in (root / "data" / "articles").rglob("*.parquet"):
        damaged.chmod(0o644)
        damaged.write_bytes(damaged.read_bytes()[:100])
    assert cli.main(["--warehouse", str(root), "explain", "n0"]) == 1
    [line] = capfd.readouterr().err.splitlines()
    assert "is damaged" in line
    assert ".parquet" in line
    assert line.endswith("; run: unecho doctor")
