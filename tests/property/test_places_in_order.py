"""Where rows stand in order is what sorting by all columns at once says, ties included."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract import ID, in_order, places_in_order

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), max_size=30)


@given(rows, st.booleans())
def test_places_are_those_of_sorting_by_all_columns(rows, is_sorted):
    rows = sorted(rows) if is_sorted else rows
    ids = pa.array([bytes(8 * [one] + 8 * [two]) for one, two, _ in rows], ID)
    table = pa.table({"id": ids, "seq": pa.array([seq for *_, seq in rows], pa.int32())})
    table = table.append_column("row", pa.array(np.arange(len(rows))))
    order = [("id", "ascending"), ("seq", "ascending")]
    expected = sorted(range(len(rows)), key=lambda row: rows[row])
    places = places_in_order(table.select(["id", "seq"]), order)
    assert (list(range(len(rows))) if places is None else places.to_pylist()) == expected
    assert in_order(table, order)["row"].to_pylist() == expected
