"""Every table that is stored or published: one Arrow schema a table, each field documented.

The data dictionary in `warehouse/README.md` is generated from here. `conform` is called at the
end of each stage and before each write.

Identifiers are 16 raw bytes in Arrow (`fixed_size_binary[16]`, metadata `logical=uuid`) and a
real `UUID` in Parquet and DuckDB. Times are naive `timestamp[us]` in UTC: a zone-aware column
needs pytz in DuckDB's Python client and changes `date_trunc` with the session's time zone.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import ContractError

ID = pa.binary(16)
TIME = pa.timestamp("us")

PARAGRAPH_REASONS = (
    "repeat_block",
    "repeat_single",
    "repeat_near",
    "repeat_blob",
    "furniture_rights",
    "furniture_byline",
    "furniture_source",
    "furniture_caption",
    "shared",
)
"""Why a paragraph is dropped; `status` is `dropped` exactly when a reason is set."""

RELATIONS = ("exact", "near", "update", "contained", "series", "related")
"""What a verified pair is, in the order in which edges are considered."""

DUPLICATE_RELATIONS = ("exact", "near", "update")
"""The relations that put two articles into one story."""

ROLES = ("canonical", "duplicate", "update", "contained", "single")

ACTIONS = ("drop_paragraph", "keep_paragraph", "drop_span", "drop_article", "keep_article")

QUARANTINE_REASONS = (
    "unreadable",
    "empty_file",
    "binary",
    "broken_encoding",
    "broken_json",
    "broken_csv",
    "broken_parquet",
    "broken_archive",
    "not_a_record",
    "missing_text",
    "control_characters",
    "lone_surrogate",
    "too_large",
    "fault",
)
"""Why a document could not be taken. `fault` is an error of ours, kept with its message."""


@dataclass(frozen=True)
class Contract:
    """A table's name, its schema, the columns that identify a row and those that may be null."""

    name: str
    description: str
    schema: pa.Schema
    key: tuple[str, ...]
    nullable: frozenset[str]


def _field(name: str, dtype: pa.DataType, doc: str, *, null: bool = False, unit: str = "") -> pa.Field:
    metadata = {"doc": doc, "null": "yes" if null else "no"}
    if unit:
        metadata["unit"] = unit
    if dtype == ID:
        metadata["logical"] = "uuid"
    return pa.field(name, dtype, nullable=null, metadata=metadata)


def _contract(name: str, description: str, key: tuple[str, ...], *fields: pa.Field) -> Contract:
    nullable = frozenset(f.name for f in fields if f.nullable)
    return Contract(name, description, pa.schema(list(fields)), key, nullable)


_ARTICLE_ID = _field("article_id", ID, "The article: hash of its identity, never of its content where an id or URL exists.")
_REVISION_ID = _field("revision_id", ID, "This content of the article: hash of article_id and content_hash.")
_RUN_ID = _field("run_id", pa.string(), "The run that wrote the row.")
_STORY_ID = _field("story_id", ID, "The story; stable, a merge keeps the older one.")

DOCUMENTS = _contract(
    "documents",
    "The raw archive: every document as it came, immutable.",
    ("document_id",),
    _field("document_id", ID, "Hash of the bytes, the header and the way they are to be read."),
    _field("source_id", pa.string(), "Where it came from: `--source`, a name of unecho.toml, else `local`."),
    _field("container", pa.string(), "File (or `-` for standard input) that held the document."),
    _field("position", pa.int64(), "1-based line, element or row within the container; 0 for a whole file."),
    _field("media", pa.string(), "How it is read: text, jsonl, json, csv, parquet, or unknown for what could not be split."),
    _field("encoding", pa.string(), "Character encoding of the bytes, as labelled or detected."),
    _field("parse_options", pa.string(), "JSON: column map, default source, delimiter, time zone; what parsing needs beside the bytes."),
    _field("header", pa.binary(), "CSV header bytes that belong to the row; empty otherwise."),
    _field("content", pa.large_binary(), "The document's bytes, unchanged, after outer compression.", unit="bytes"),
    _field("n_bytes", pa.int64(), "Length of content.", unit="bytes"),
    _field("problem", pa.string(), "Quarantine reason found while reading, before any parse; NULL when it could be read.", null=True),
    _field("problem_message", pa.string(), "What was wrong, in one line.", null=True),
    _field("landed_at", TIME, "When the bytes were made safe.", unit="UTC"),
    _RUN_ID,
)

ARTICLES = _contract(
    "articles",
    "Every revision of every article; `is_current` marks the newest.",
    ("article_id", "revision_id"),
    _ARTICLE_ID,
    _REVISION_ID,
    _field("is_current", pa.bool_(), "True for the newest revision (updated_at, else published_at, then content_hash)."),
    _field("document_id", ID, "The raw document it was parsed from."),
    _field("native_id", pa.string(), "The source's own id.", null=True),
    _field("url", pa.string(), "Address as given.", null=True),
    _field("source_id", pa.string(), "The source (outlet)."),
    _field("publisher", pa.string(), "Publisher as given by the record.", null=True),
    _field("title", pa.string(), "Headline, untouched.", null=True),
    _field("byline", pa.string(), "Author as given, else taken from a byline paragraph.", null=True),
    _field("rights", pa.string(), "Copyright lines taken out of the text, joined by a line break.", null=True),
    _field("dateline", pa.string(), "Place and agency line that opened the text.", null=True),
    _field("source_agency", pa.string(), "Wire agency named by the article.", null=True),
    _field("published_at", TIME, "Publication time.", null=True, unit="UTC"),
    _field("updated_at", TIME, "Time of the last change as given by the record.", null=True, unit="UTC"),
    _field("published_precision", pa.string(), "second, minute, day, or unparsed (a date was given that is no date).", null=True),
    _field("language", pa.string(), "Language as given by the record.", null=True),
    _field("section", pa.string(), "Section as given by the record.", null=True),
    _field("text", pa.large_string(), "Clean text: kept paragraphs joined by a blank line."),
    _field("original_text", pa.large_string(), "The parsed body before anything was taken out; spans are offsets into it."),
    _field("extra", pa.string(), "JSON object of the columns that no field takes.", null=True),
    _field("content_hash", ID, "Hash of all published fields of the revision."),
    _field("key_hash", ID, "Hash of the key of the clean text (what `exact` compares)."),
    _field("n_chars", pa.int32(), "Length of text.", unit="code points"),
    _field("n_paragraphs", pa.int32(), "Kept paragraphs."),
    _field("n_dropped_paragraphs", pa.int32(), "Dropped paragraphs."),
    _field("first_seen_at", TIME, "When this revision was first taken.", unit="UTC"),
    _RUN_ID,
)

PARAGRAPHS = _contract(
    "paragraphs",
    "Paragraphs of the current revision of every article, kept or dropped.",
    ("article_id", "seq"),
    _ARTICLE_ID,
    _field("seq", pa.int32(), "0-based position in the article."),
    _field("start_char", pa.int32(), "Start in original_text.", unit="code points"),
    _field("end_char", pa.int32(), "End in original_text, exclusive.", unit="code points"),
    _field("text", pa.large_string(), "The paragraph, untouched."),
    _field("n_chars", pa.int32(), "end_char - start_char.", unit="code points"),
    _field("key_hash", ID, "Hash of the paragraph's key; equal keys are equal paragraphs."),
    _field("status", pa.string(), "kept or dropped."),
    _field("reason", pa.string(), "Why it is dropped: " + ", ".join(PARAGRAPH_REASONS) + "; NULL when kept.", null=True),
)

DECISIONS = _contract(
    "decisions",
    "Each removal and each return: what, why, by which evidence. Appended to, never edited.",
    ("decision_id",),
    _field("decision_id", ID, "Hash of the row's content."),
    _ARTICLE_ID,
    _field("revision_id", ID, "The content it speaks of."),
    _field("action", pa.string(), ", ".join(ACTIONS) + "."),
    _field("reason", pa.string(), "A paragraph reason, or the relation for which an article was dropped."),
    _field("paragraph_seq", pa.int32(), "The paragraph; NULL for a whole article.", null=True),
    _field("start_char", pa.int32(), "Start of the removed span in original_text.", null=True, unit="code points"),
    _field("end_char", pa.int32(), "End of the removed span, exclusive.", null=True, unit="code points"),
    _field("matched_article_id", ID, "The article it repeats.", null=True),
    _field("matched_paragraph_seq", pa.int32(), "The paragraph it repeats.", null=True),
    _field("jaccard", pa.float32(), "Exact Jaccard of the shingle sets.", null=True),
    _field("containment", pa.float32(), "Share of the removed text's shingles that the match holds.", null=True),
    _field("matched_containment", pa.float32(), "Share of the match's shingles that the removed text holds.", null=True),
    _field("is_numbers_equal", pa.bool_(), "Whether the numbers of both are compatible.", null=True),
    _field("evidence", pa.string(), "The rule's own words: pattern name, what was compared.", null=True),
    _field("rule_version", pa.string(), "Version of the rules that decided."),
    _field("decided_at", TIME, "When.", unit="UTC"),
    _RUN_ID,
)

SIGNATURES = _contract(
    "signatures",
    "The index: one MinHash signature per current article.",
    ("article_id",),
    _ARTICLE_ID,
    _field("params_id", pa.string(), "The recipe that made it; signatures of two recipes never mix."),
    _field("n_shingles", pa.int32(), "Size of the shingle set."),
    _field("signature", pa.binary(512), "128 little-endian uint32 min-hashes; NULL for texts too short to sign.", null=True, unit="bytes"),
)

EDGES = _contract(
    "edges",
    "Verified pairs of current articles.",
    ("left_id", "right_id"),
    _field("left_id", ID, "The smaller article_id."),
    _field("right_id", ID, "The larger article_id."),
    _field("relation", pa.string(), ", ".join(RELATIONS) + "."),
    _field("is_duplicate", pa.bool_(), "Whether the relation puts both into one story."),
    _field("jaccard", pa.float32(), "Exact Jaccard of the shingle sets."),
    _field("left_containment", pa.float32(), "Share of left's shingles that right holds."),
    _field("right_containment", pa.float32(), "Share of right's shingles that left holds."),
    _field("is_numbers_equal", pa.bool_(), "Whether the numbers of both are compatible."),
    _field("evidence", pa.string(), "JSON: what decided (shared and conflicting numbers, the rule).", null=True),
    _field("hot_rings", pa.int64(), "Internal: 0, or the largest bucket size for which the pair is still compared.", null=False),
    _field("rule_version", pa.string(), "Version of the rules that decided."),
    _RUN_ID,
)

STORY_MEMBERS = _contract(
    "story_members",
    "Article and story, one row an article.",
    ("article_id",),
    _ARTICLE_ID,
    _STORY_ID,
    _field("component_id", ID, "Internal: smallest article_id of the connected component."),
    _field("role", pa.string(), ", ".join(ROLES) + "."),
    _field("canonical_id", ID, "The article that stands for the story."),
    _field("relation", pa.string(), "Relation to matched_id; NULL for the canonical and for singles.", null=True),
    _field("matched_id", ID, "The member it was verified against: the canonical where that pair exists, else its strongest edge.", null=True),
    _field("jaccard", pa.float32(), "Jaccard with matched_id.", null=True),
    _field("containment", pa.float32(), "Share of its shingles that matched_id holds.", null=True),
)

STORIES = _contract(
    "stories",
    "A story: its canonical and what is known of its members.",
    ("story_id",),
    _STORY_ID,
    _field("canonical_id", ID, "The article that stands for it."),
    _field("n_members", pa.int32(), "Articles in it."),
    _field("n_sources", pa.int32(), "Distinct sources among them."),
    _field("first_published_at", TIME, "Earliest published_at of a member.", null=True, unit="UTC"),
    _field("last_published_at", TIME, "Latest published_at of a member.", null=True, unit="UTC"),
    _field("spread_seconds", pa.int64(), "last_published_at - first_published_at.", null=True, unit="seconds"),
    _field("founded_snapshot", pa.int64(), "Snapshot in which the story_id first stood; the older id survives a merge."),
)

STORY_REDIRECTS = _contract(
    "story_redirects",
    "Story ids that were merged away, and where they went.",
    ("story_id",),
    _field("story_id", ID, "The id that no longer stands."),
    _field("merged_into_id", ID, "The story that took its members."),
    _RUN_ID,
)

QUARANTINE = _contract(
    "quarantine",
    "Documents that could not be taken, whole, with the reason.",
    ("document_id",),
    _field("document_id", ID, "The document; its bytes are in documents."),
    _field("source_id", pa.string(), "Where it came from."),
    _field("container", pa.string(), "File that held it."),
    _field("position", pa.int64(), "1-based line, element or row; 0 for a whole file."),
    _field("reason", pa.string(), ", ".join(QUARANTINE_REASONS) + "."),
    _field("message", pa.string(), "What was wrong and the next step, in one line."),
    _field("n_bytes", pa.int64(), "Size of the document.", unit="bytes"),
    _field("quarantined_at", TIME, "When.", unit="UTC"),
    _RUN_ID,
)

CONTRACTS: dict[str, Contract] = {
    c.name: c
    for c in (
        DOCUMENTS,
        ARTICLES,
        PARAGRAPHS,
        DECISIONS,
        SIGNATURES,
        EDGES,
        STORY_MEMBERS,
        STORIES,
        STORY_REDIRECTS,
        QUARANTINE,
    )
}


def empty(contract: Contract) -> pa.Table:
    """Return a table of no rows with the contract's schema."""
    return contract.schema.empty_table()


def conform(table: pa.Table, contract: Contract) -> pa.Table:
    """Return `table` with exactly the contract's columns, types and key order.

    Raises:
        ContractError: lists every missing or extra column, failed cast and unexpected null.
    """
    problems = [f"missing column {n}" for n in contract.schema.names if n not in table.column_names]
    problems += [f"extra column {n}" for n in table.column_names if n not in contract.schema.names]
    columns: list[pa.ChunkedArray] = []
    for field in contract.schema:
        if field.name not in table.column_names:
            continue
        column = table.column(field.name)
        try:
            column = column.cast(field.type) if column.type != field.type else column
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            problems.append(f"column {field.name}: {error}")
            continue
        # pyarrow accepts nulls in non-nullable fields, even in validate(full=True).
        if column.null_count and field.name not in contract.nullable:
            problems.append(f"column {field.name}: {column.null_count} nulls")
        columns.append(column)
    if problems:
        raise ContractError(contract.name, problems)
    conformed = pa.Table.from_arrays(columns, schema=contract.schema)
    order = pc.sort_indices(conformed, sort_keys=[(k, "ascending") for k in contract.key])
    return conformed.take(order)
