"""Rows as the tables of the warehouse want them: contract, stamps, what differs from before."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import CONTRACTS, DECISIONS, ID
from pipeline.dedup.story_decisions import UNSTAMPED

RULE_VERSION = "2"
"""Raised whenever a rule that drops or keeps anything changes; stands in every decision."""


def as_contract(name: str, tables: list[pa.Table]) -> pa.Table:
    """Return the tables as one, with the contract's columns; missing nullable ones are NULL."""
    schema = CONTRACTS[name].schema
    return pa.concat_tables([filled(t, schema) for t in tables])


def filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the columns of a schema; those that the table lacks are NULL."""
    columns = [
        table[f.name].cast(f.type)
        if f.name in table.column_names
        else pa.nulls(table.num_rows, f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)


def stamped(table: pa.Table, **constants: Any) -> pa.Table:
    """Return the table with columns of constants, times and texts."""
    for name, value in constants.items():
        kind = pa.timestamp("us") if isinstance(value, datetime) else None
        column = pa.array([value] * table.num_rows, kind or pa.string())
        table = table.append_column(name, column)
    return table


def difference(derived: pa.Table, standing: pa.Table, key: str) -> tuple[pa.Table, pa.Array]:
    """Return the derived rows that are new or changed, and the keys of standing rows that go."""
    if not standing.num_rows:
        return derived, pa.array([], ID)
    names = derived.schema.names
    before = {r[key]: tuple(r[n] for n in names) for r in standing.to_pylist()}
    # Rows that did not stand before are new whatever they say: most of a batch.
    places = pc.is_in(derived[key], pa.array(list(before), derived[key].type)).combine_chunks()
    known = np.flatnonzero(places.to_numpy(zero_copy_only=False))
    rows = derived.take(pa.array(known)).to_pylist()
    is_kept = [before[r[key]] == tuple(r[n] for n in names) for r in rows]
    kept = {r[key] for r, stays in zip(rows, is_kept, strict=True) if stays}
    stale = pa.array(sorted(k for k in before if k not in kept), ID)
    changed = np.ones(derived.num_rows, np.bool_)
    changed[known] = ~np.array(is_kept, np.bool_)
    return derived.filter(pa.array(changed)), stale


def decision_rows(unstamped: pa.Table, run_id: str, now: datetime) -> pa.Table:
    """Return DECISIONS rows; the id is a hash of what was decided, when, and in which run."""
    rows = filled(unstamped, UNSTAMPED)
    stamp = run_id, now.isoformat()
    columns = (rows[name].to_pylist() for name in rows.column_names)
    ids = [
        blake2b(repr(stamp + values).encode(), digest_size=16).digest()
        for values in zip(*columns, strict=True)
    ]
    decided = stamped(rows, rule_version=RULE_VERSION, decided_at=now, run_id=run_id)
    return decided.append_column("decision_id", pa.array(ids, ID)).select(DECISIONS.schema.names)
