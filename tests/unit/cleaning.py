"""Articles from bare texts, taken through the stages that look inside an article."""

import hashlib
from dataclasses import dataclass

import pyarrow as pa

from pipeline.dedup.decide import clean_text
from pipeline.dedup.furniture import find_furniture
from pipeline.dedup.repeats import find_repeats
from pipeline.interim import PARSED
from pipeline.text.paragraphs import split_paragraphs


def parsed_table(*bodies, **fields):
    """Return PARSED of these bodies; article n has the id of its number."""
    rows = []
    for number, body in enumerate(bodies):
        identifier = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
        row = {f.name: identifier for f in PARSED.schema if f.type == pa.binary(16)}
        rows.append(row | {"source_id": "narae", "original_text": body} | fields)
    return pa.Table.from_pylist(rows, schema=PARSED.schema)


def split(*bodies):
    return split_paragraphs(parsed_table(*bodies))


def repeats_of(*paragraphs, rules=None):
    """Return {paragraph: (action, reason, matched paragraph)} of one article."""
    rows = find_repeats(split("\n\n".join(paragraphs)), rules).to_pylist()
    return {
        r["paragraph_seq"]: (r["action"], r["reason"], r["matched_paragraph_seq"]) for r in rows
    }


@dataclass
class Cleaned:
    row: dict
    paragraphs: list
    removals: list

    @property
    def text(self):
        return self.row["text"]

    @property
    def dropped(self):
        return {p["seq"]: p["reason"] for p in self.paragraphs if p["status"] == "dropped"}


def clean(*paragraphs, sep="\n\n", **fields):
    """Return what the stages leave of one article."""
    parsed = parsed_table(sep.join(paragraphs), **fields)
    spans = split_paragraphs(parsed)
    furniture, lifted = find_furniture(spans)
    clean_table, table, removals = clean_text(parsed, spans, find_repeats(spans), furniture, lifted)
    return Cleaned(clean_table.to_pylist()[0], table.to_pylist(), removals.to_pylist())
