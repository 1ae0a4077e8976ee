"""What goes through the spool comes back as it was, and a column that tables share goes once."""

import pyarrow as pa

from pipeline.store import spool

TEXTS = ["가나다" * 400, None, ""] * 50


def test_objects_come_back_as_they_were(tmp_path):
    table = pa.table({"text": pa.array(TEXTS, pa.large_string()), "number": range(150)})
    chunked = pa.concat_tables([table.slice(3, 40), table.slice(0, 0), table])
    named = table.rename_columns(["other", "n"]).replace_schema_metadata({"kept": "too"})
    blank = pa.table({"text": pa.array(["", ""]), "null": pa.nulls(2, pa.string())})
    given = {
        "parts": [table, table.slice(7, 20), chunked],
        "named": named,
        "none": table[:0],
        "blank": blank,
    }
    found = spool.load(spool.keep(given, tmp_path))
    assert found == given
    assert found["named"].schema.equals(named.schema, check_metadata=True)
    for part in found["parts"]:
        part.validate(full=True)


def test_a_column_of_several_tables_is_written_once(tmp_path):
    texts = pa.chunked_array([pa.array(TEXTS, pa.large_string())])
    one = pa.table({"text": texts, "row": range(150)})
    other = pa.table({"row": range(1, 151), "original": texts})
    alone, both = (spool.keep(value, tmp_path) for value in (one, [one, other]))
    assert both.n_bytes < alone.n_bytes + 8_000
    assert spool.load(both) == [one, other]


def test_slices_of_one_column_are_not_confused(tmp_path):
    column = pa.table({"text": pa.array(TEXTS, pa.large_string())})
    parts = [column.slice(0, 50), column.slice(50, 50), column.slice(0, 51)]
    assert spool.load(spool.keep(parts, tmp_path)) == parts


def test_what_a_process_made_itself_is_written_only_for_another(tmp_path):
    table = pa.table({"text": pa.array(TEXTS, pa.large_string())})
    held = spool.Held([table])
    assert spool.load(held) == [table]
    assert not list(tmp_path.iterdir())
    handle = spool.handle_of(held, tmp_path)
    assert spool.handle_of(held, tmp_path) is handle
    assert spool.load(handle) == [table]
    spool.drop(held)
    assert not list(tmp_path.iterdir())
    spool.drop(spool.Held(table))
