"""Golden cases: NAME.in.EXT is read with the options of NAME.out.json and gives what stands there.

The outputs are reviewed as data. After an intended change this file, run as a program, writes
them anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.sources.files import ReadOptions, read_batches
from pipeline.sources.parse import parse

CASES = Path(__file__).parents[1] / "golden" / "sources"
INPUTS = sorted(CASES.glob("*.in.*"))
HASHES = ("article_id", "revision_id", "document_id", "content_hash")


def out_path(case: Path) -> Path:
    return case.with_name(case.name.partition(".in.")[0] + ".out.json")


def read_case(case: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return what a case gives, readable: no hashes, no nulls, times as text, in file order."""
    documents = pa.concat_tables(read_batches([case], ReadOptions(**options)))
    rows = {row["document_id"]: row for row in documents.to_pylist()}
    parsed, unread = parse(documents)

    def place(row: dict[str, Any]) -> dict[str, Any]:
        document = rows[row["document_id"]]
        content = document["content"]
        return {
            "position": document["position"],
            "document": f"{document['media']}, {document['encoding']}, {len(content)} bytes",
        }

    articles = [
        place(row) | {k: str(v) for k, v in row.items() if v is not None and k not in HASHES}
        for row in parsed.to_pylist()
    ]
    refused = [
        place(row)
        | {"reason": row["reason"], "message": row["message"].replace(str(case.parent) + "/", "")}
        for row in unread.to_pylist()
    ]
    return {
        "options": options,
        "articles": sorted(articles, key=lambda row: row["position"]),
        "quarantine": sorted(refused, key=lambda row: row["position"]),
    }


@pytest.mark.parametrize("case", INPUTS, ids=[case.name for case in INPUTS])
def test_golden(case: Path) -> None:
    expected = json.loads(out_path(case).read_text("utf-8"))
    assert read_case(case, expected["options"]) == expected


def test_every_output_has_its_input() -> None:
    assert len(INPUTS) >= 8
    assert sorted(map(out_path, INPUTS)) == sorted(CASES.glob("*.out.json"))


if __name__ == "__main__":
    for case in INPUTS:
        options = json.loads(out_path(case).read_text("utf-8"))["options"]
        text = json.dumps(read_case(case, options), ensure_ascii=False, indent=2)
        out_path(case).write_text(text + "\n", "utf-8")
