"""Reviewed cases: `repeats/*.in` is an article's body, `.out` what becomes of each paragraph.

To add one, write the `.in`, read what the failing test prints, and save it when it is right.
"""

import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.dedup.captions import find_captions
from pipeline.dedup.decide import clean_text
from pipeline.dedup.furniture import find_furniture
from pipeline.dedup.repeats import find_repeats
from pipeline.interim import PARSED
from pipeline.text.paragraphs import split_paragraphs

CASES = sorted(Path(__file__).with_name("repeats").glob("*.in"))


def parsed(body):
    row = {
        field.name: hashlib.blake2b(body.encode(), digest_size=16).digest()
        for field in PARSED.schema
        if field.type == pa.binary(16)
    }
    row |= {"source_id": "narae", "original_text": body}
    return pa.Table.from_pylist([row], schema=PARSED.schema)


def outcome(body):
    """Return one line a paragraph: its number, what becomes of it, what it repeats, its text."""
    table = parsed(body)
    spans = split_paragraphs(table)
    furniture, lifted = find_furniture(spans)
    _, paragraphs, removals = clean_text(
        table, spans, find_repeats(spans), furniture, lifted, captions=find_captions(spans)
    )
    matched, cut, captions = {}, {}, set()
    for row in removals.to_pylist():
        if row["action"] == "drop_span":
            cut.setdefault(row["paragraph_seq"], []).append(
                body[row["start_char"] : row["end_char"]]
            )
        elif row["reason"] == "furniture_caption":
            captions.add(row["paragraph_seq"])
        elif row["matched_paragraph_seq"] is not None:
            matched[row["paragraph_seq"]] = row["matched_paragraph_seq"] + 1
    lines = []
    for row in paragraphs.to_pylist():
        seq = row["seq"]
        what = row["reason"] or ("kept as caption" if seq in captions else "kept")
        if seq in matched:
            what += f" = {matched[seq]}"
        what += "".join(f" - {piece.strip()!r}" for piece in cut.get(seq, ()))
        lines.append(f"{seq + 1:>2} {what} | {row['text'][:40]}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_paragraphs_become_what_was_reviewed(case):
    assert outcome(case.read_text("utf-8")) == case.with_suffix(".out").read_text("utf-8")


def test_there_are_cases_in_four_scripts_and_five_languages():
    assert {case.stem.partition("-")[0] for case in CASES} == {"ko", "en", "ja", "zh", "ar"}
