"""What is left of an article: removals take effect, the clean text is put together.

Furniture goes before photo credits, these before repeats, and exact repeats before near ones. An
article is never emptied: where nothing would be left, nothing goes.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contracts import PARAGRAPHS, Contract, conform, contract
from pipeline.dedup.taking_out import KEPT, PRECEDENCE, Left, what_is_left
from pipeline.interim import CLEAN, REMOVALS, SPANS
from pipeline.text.joined_keys import join_key_pieces, key_hashes
from pipeline.text.normalise import key_array
from pipeline.text.pieces import Pieces, join_pieces

CLEANED_PARAGRAPHS: Contract = contract(
    "cleaned_paragraphs",
    "Paragraphs of parsed revisions, kept or dropped.",
    ("article_id", "revision_id", "seq"),
    *PARAGRAPHS.schema,
    SPANS.schema.field("revision_id"),
)

_KEY = SPANS.schema.field("key")
KEYED_CLEAN = contract(
    "keyed_clean", "CLEAN, and the key of the text.", CLEAN.key, *CLEAN.schema, _KEY
)
KEYED_PARAGRAPHS = contract(
    "keyed_paragraphs",
    "CLEANED_PARAGRAPHS, and the key of the text.",
    CLEANED_PARAGRAPHS.key,
    *CLEANED_PARAGRAPHS.schema,
    _KEY,
)
"""Keys are folded once, where paragraphs are split: what signs them takes them from here."""

_GIVEN_UP = "kept: nothing else would be left of the article"
_BLANK_LINE = "\n\n"


def clean_text(
    parsed: pa.Table,
    spans: pa.Table,
    repeats: pa.Table,
    furniture: pa.Table,
    lifted: pa.Table,
    captions: pa.Table | None = None,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return KEYED_CLEAN, KEYED_PARAGRAPHS and the REMOVALS that took effect.

    PARSED and SPANS are of the same revisions; REMOVALS of repeats, of furniture and of captions
    and LIFTED were made from these SPANS. Kept paragraphs are joined by a blank line, in order; a
    paragraph that loses a span stays, without the span.
    """
    captions = REMOVALS.schema.empty_table() if captions is None else captions
    removals = pa.concat_tables([furniture, captions, repeats])
    left = what_is_left(spans, removals)
    return (
        _clean(parsed, spans, left, lifted),
        _paragraphs(spans, left.reasons),
        _in_effect(removals, left),
    )


def _clean(parsed: pa.Table, spans: pa.Table, left: Left, lifted: pa.Table) -> pa.Table:
    """Return KEYED_CLEAN: PARSED with the clean text and the fields lifted out of it."""
    ids = parsed.column("revision_id")
    own = spans.column("revision_id").combine_chunks().take(pa.array(left.firsts[:-1]))
    columns = {name: parsed.column(name) for name in parsed.column_names}
    made, is_given_up = _texts(spans, left), pa.array(np.append(left.is_given_up, False))
    if ids.combine_chunks().equals(own):
        made = {name: column.slice(0, len(own)) for name, column in made.items()}
        is_given_up = is_given_up.slice(0, len(own))
    else:
        # An article without a paragraph takes the last place: nothing.
        places = pc.fill_null(pc.index_in(ids, own), len(own)).combine_chunks()
        made = {name: column.take(places) for name, column in made.items()}
        is_given_up = is_given_up.take(places)
    columns |= made
    taken = pc.index_in(ids, lifted.column("revision_id").combine_chunks())
    taken = pc.if_else(is_given_up, pa.scalar(None, pa.int32()), taken)
    for name in ("byline", "rights", "dateline", "source_agency"):
        columns[name] = lifted.column(name).take(taken)
    columns["byline"] = pc.coalesce(parsed.column("byline"), columns["byline"])
    return conform(
        pa.table({name: columns[name] for name in KEYED_CLEAN.schema.names}), KEYED_CLEAN
    )


def _texts(spans: pa.Table, left: Left) -> dict[str, pa.Array]:
    """Return columns of KEYED_CLEAN as the kept paragraphs give them, then a row of nothing."""
    texts, keys, rows = _kept(spans, left)
    ends = np.append(left.firsts, left.firsts[-1])
    bounds = np.searchsorted(rows, ends)
    gaps = np.full(rows.size, len(_BLANK_LINE))
    gaps[bounds[1:][bounds[1:] > bounds[:-1]] - 1] = 0
    joined = join_pieces(texts, gaps, _BLANK_LINE[0], bounds)
    joined_keys = join_key_pieces(keys, bounds)
    n_dropped = np.diff(np.append(0, np.cumsum(left.reasons != KEPT))[ends])
    return {
        "text": joined,
        "key": joined_keys,
        "key_hash": key_hashes(joined_keys),
        "n_chars": pc.cast(pc.utf8_length(joined), pa.int32()),
        "n_paragraphs": pa.array(np.diff(bounds), pa.int32()),
        "n_dropped_paragraphs": pa.array(n_dropped, pa.int32()),
    }


def _kept(spans: pa.Table, left: Left) -> tuple[Pieces, Pieces, NDArray[np.int64]]:
    """Return texts and keys of the paragraphs that stay, cut where they are, and their rows."""
    rows = np.flatnonzero(left.reasons == KEPT)
    cut_rows = np.array(list(left.cut_texts), np.int64)
    cut = pa.array(list(left.cut_texts.values()), pa.large_string())
    # A paragraph's key no longer holds where a span was cut.
    texts, keys = (
        Pieces.of(spans.column(name).combine_chunks()).replaced(cut_rows, new).take(rows)
        for name, new in (("text", cut), ("key", key_array(cut)))
    )
    return texts, keys, rows


def _paragraphs(spans: pa.Table, reasons: NDArray[np.int8]) -> pa.Table:
    """Return KEYED_PARAGRAPHS: SPANS with what became of each paragraph."""
    columns = {name: spans.column(name) for name in ("article_id", "revision_id", "seq", "text")}
    columns |= {name: spans.column(name) for name in ("start_char", "end_char")}
    columns["n_chars"] = pc.subtract(spans.column("end_char"), spans.column("start_char"))
    columns["key"] = spans.column("key").combine_chunks()
    columns["key_hash"] = key_hashes(columns["key"])
    is_kept = reasons == KEPT
    columns["reason"] = pa.array(PRECEDENCE, pa.string()).take(pa.array(reasons, mask=is_kept))
    columns["status"] = pc.if_else(pa.array(is_kept), "kept", "dropped")
    return conform(pa.table(columns), KEYED_PARAGRAPHS)


def _in_effect(removals: pa.Table, left: Left) -> pa.Table:
    """Return the removals that took effect, and those given up as `keep_paragraph`."""
    kept = removals.filter(pa.array(left.given_up))
    evidence = pc.binary_join_element_wise(kept.column("evidence"), _GIVEN_UP, "; ")
    kept = kept.set_column(
        kept.schema.get_field_index("action"),
        REMOVALS.schema.field("action"),
        pa.array(["keep_paragraph"] * kept.num_rows, pa.string()),
    ).set_column(
        kept.schema.get_field_index("evidence"), REMOVALS.schema.field("evidence"), evidence
    )
    return conform(pa.concat_tables([removals.filter(pa.array(left.in_effect)), kept]), REMOVALS)
