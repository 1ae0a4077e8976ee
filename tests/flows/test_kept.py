"""Large components that a run keeps in mind: the same warehouse as with what is read each time."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from flows import components as components_module
from flows import kept as kept_module
from flows.ingest import Request, run_ingest
from flows.kept import Kept
from pipeline.settings import Settings
from pipeline.store.doctor import doctor
from tests.bench.corpus import articles
from tests.flows.pictures import picture

N_ARTICLES = 360


def corpus(path: Path) -> Path:
    """Articles of a template among others, then texts that change and titles that are respelt."""
    chance = random.Random(4)
    first = list(articles(N_ARTICLES, n_template=200))
    chance.shuffle(first)
    revised = [row | {"text": row["text"].replace("0", "7")} for row in first[::11]]
    respelt = [row | {"title": row["title"] + " "} for row in first[5::17]]
    records = [*first, *revised, *respelt, *articles(60, seed=2, n_template=40, first=N_ARTICLES)]
    path.write_text("".join(json.dumps(row) + "\n" for row in records), "utf-8")
    return path


def ingest(root: Path, path: Path) -> Any:
    settings = Settings(warehouse=root, batch_documents=40, workers=1)
    return run_ingest([Request(specs=(str(path),))], settings, str(uuid4()))


@pytest.mark.parametrize("least", [2, 20])
def test_what_is_kept_gives_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    path = corpus(tmp_path / "articles.jsonl")
    monkeypatch.setattr(kept_module, "LEAST_MEMBERS", 1_000_000)
    ingest(tmp_path / "read", path)
    used: list[tuple[int, int]] = []
    divided = kept_module.divided

    def counted(kept: tuple[Kept, ...], ids: pa.Array) -> Any:
        touched, untouched, others = divided(kept, ids)
        used.append((len(touched), len(untouched)))
        return touched, untouched, others

    monkeypatch.setattr(kept_module, "LEAST_MEMBERS", least)
    monkeypatch.setattr(components_module, "divided", counted)
    ingest(tmp_path / "kept", path)
    assert picture(tmp_path / "kept") == picture(tmp_path / "read")
    assert not doctor(tmp_path / "kept")
    assert sum(touched for touched, _ in used) >= 5


def test_nothing_is_kept_over_a_snapshot_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch whose publishing is not followed by a keep() leaves nothing to go by."""
    path = corpus(tmp_path / "articles.jsonl")
    ingest(tmp_path / "read", path)
    monkeypatch.setattr(kept_module, "LEAST_MEMBERS", 2)
    keep, calls = components_module.keep, []

    def forgetful(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) % 3:
            keep(*arguments)

    monkeypatch.setattr("flows.ingest.keep", forgetful)
    ingest(tmp_path / "kept", path)
    assert picture(tmp_path / "kept") == picture(tmp_path / "read")
