"""Rows as the tables of the warehouse want them: contract, stamps, what differs from before."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contracts import CONTRACTS, DECISIONS, ID
from pipeline.dedup.mapped import ids_of, words_of
from pipeline.dedup.story_decisions import UNSTAMPED
from pipeline.text.mixing import mix64

RULE_VERSION = "2"
"""Raised whenever a rule that drops or keeps anything changes; stands in every decision."""

_DECIDED = (
    *("article_id", "revision_id", "action", "reason", "paragraph_seq", "start_char", "end_char"),
    *("matched_article_id", "matched_paragraph_seq"),
)
"""What tells two decisions of one moment apart; the rest of a row follows from it."""


def as_contract(name: str, tables: list[pa.Table]) -> pa.Table:
    """Return the tables as one, with the contract's columns; missing nullable ones are NULL."""
    schema = CONTRACTS[name].schema
    return pa.concat_tables([filled(t, schema) for t in tables])


def filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the columns of a schema; those that the table lacks are NULL."""
    names = frozenset(table.column_names)
    columns = [
        _as_type(table[f.name], f.type) if f.name in names else pa.nulls(table.num_rows, f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)


def _as_type(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return column if column.type == kind else column.cast(kind)


def stamped(table: pa.Table, **constants: Any) -> pa.Table:
    """Return the table with columns of constants, times and texts."""
    for name, value in constants.items():
        kind = pa.timestamp("us") if isinstance(value, datetime) else None
        column = pa.repeat(pa.scalar(value, kind or pa.string()), table.num_rows)
        table = table.append_column(name, column)
    return table


def difference(derived: pa.Table, standing: pa.Table, key: str) -> tuple[pa.Table, pa.Array]:
    """Return the derived rows that are new or changed, and the keys of standing rows that go."""
    if not standing.num_rows:
        return derived, pa.array([], ID)
    # Rows that did not stand before are new whatever they say: most of a batch.
    places = pc.index_in(derived[key], standing[key].combine_chunks()).combine_chunks()
    known = np.flatnonzero(np.asarray(places.is_valid()))
    places = places.drop_null()
    rows, before = derived.take(pa.array(known)), standing.take(places)
    is_same = np.ones(known.size, np.bool_)
    for name in derived.schema.names:
        is_same &= _are_equal(rows[name], before[name])
    is_kept = np.zeros(standing.num_rows, np.bool_)
    is_kept[places.to_numpy()[is_same]] = True
    stale = standing[key].filter(pa.array(~is_kept)).cast(ID).combine_chunks().sort()
    changed = np.ones(derived.num_rows, np.bool_)
    changed[known] = ~is_same
    return derived.filter(pa.array(changed)), stale


def _are_equal(column: pa.ChunkedArray, other: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return which values of two columns are equal, or NULL in both."""
    if pa.types.is_nested(column.type):
        pairs = zip(column.to_pylist(), other.to_pylist(), strict=True)
        return np.array([one == two for one, two in pairs], np.bool_)
    is_equal = pc.fill_null(pc.equal(column, other.cast(column.type)), False)
    is_null = pc.and_(column.is_null(), other.is_null())
    return np.asarray(pc.or_(is_equal, is_null))


def decision_rows(unstamped: pa.Table, run_id: str, now: datetime) -> pa.Table:
    """Return DECISIONS rows; the id is a hash of what was decided, when, and in which run."""
    rows = filled(unstamped, UNSTAMPED)
    ids = _row_hashes(rows.select(_DECIDED), f"{run_id} {now.isoformat()}")
    decided = stamped(rows, rule_version=RULE_VERSION, decided_at=now, run_id=run_id)
    return decided.append_column("decision_id", ids).select(DECISIONS.schema.names)


def _row_hashes(rows: pa.Table, salt: str) -> pa.Array:
    """Return a hash of 16 bytes of each row of ids, texts and integers.

    The words of a row are mixed into two chains of 64 bits that the salt starts: as hard to hit by
    chance as 128 bits are, and no defence against who would make two rows of one hash.
    """
    start = np.frombuffer(blake2b(salt.encode(), digest_size=16).digest(), np.uint64)
    chains = [np.full(rows.num_rows, word) for word in start]
    for column in rows.columns:
        for word in _row_words(column):
            chains = [mix64(chain ^ word) for chain in chains]
    return ids_of(np.stack(chains, axis=1))


def _row_words(column: pa.ChunkedArray) -> list[NDArray[np.uint64]]:
    """Return words that tell the values of a column, uint64 [n] each; NULL is a value."""
    if pa.types.is_string(column.type):
        # A few distinct ones: actions and reasons.
        codes = column.combine_chunks().dictionary_encode()
        digests = (
            blake2b(t.encode(), digest_size=8).digest() for t in codes.dictionary.to_pylist()
        )
        words = np.frombuffer(b"".join(digests), np.uint64)
        return [words[codes.indices.to_numpy()]]
    has_value = np.asarray(column.is_valid())
    if column.type == ID:
        return list(np.where(has_value[:, None], words_of(column), np.uint64(0)).T)
    return [np.asarray(pc.fill_null(column, -1)).astype(np.int64).view(np.uint64)]
