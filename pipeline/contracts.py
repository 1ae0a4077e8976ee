"""Every table that is stored or published: one Arrow schema a table, each field documented.

The data dictionary in `warehouse/README.md` is generated from here. `conform` is called at the
end of each stage and before each write.

Identifiers are 16 raw bytes in Arrow (`fixed_size_binary[16]`, metadata `logical=uuid`) and a
real `UUID` in Parquet and DuckDB. Times are naive `timestamp[us]` in UTC: a zone-aware column
needs pytz in DuckDB's Python client and changes `date_trunc` with the session's time zone.
"""

from __future__ import annotations

import pyarrow as pa

from pipeline.contract import (
    HASH,
    ID,
    INT,
    LONG,
    LONG_TEXT,
    RATIO,
    TEXT,
    TIME,
    Contract,
    conform,
    contract,
    empty,
    field,
)
from pipeline.vocabulary import (
    ACTIONS,
    DUPLICATE_RELATIONS,
    PARAGRAPH_REASONS,
    QUARANTINE_REASONS,
    RELATIONS,
    REVISION_CLASSES,
    ROLES,
)

__all__ = [
    "ACTIONS",
    "CONTRACTS",
    "DUPLICATE_RELATIONS",
    "ID",
    "PARAGRAPH_REASONS",
    "QUARANTINE_REASONS",
    "RELATIONS",
    "REVISION_CLASSES",
    "ROLES",
    "TIME",
    "Contract",
    "conform",
    "contract",
    "empty",
    "field",
]

_ARTICLE_ID = field(
    "article_id",
    ID,
    "Hash of the article's identity, never of its content where an id or URL exists.",
)
_REVISION_ID = field(
    "revision_id", ID, "This content of the article: hash of article_id and content_hash."
)
_RUN_ID = field("run_id", TEXT, "The run that wrote the row.")
_STORY_ID = field("story_id", ID, "The story; stable, a merge keeps the older one.")

DOCUMENTS = contract(
    "documents",
    "The raw archive: every document as it came, immutable.",
    ("document_id",),
    field("document_id", ID, "Hash of the bytes, the header and the way they are to be read."),
    field("source_id", TEXT, "`--source`, a name of unecho.toml, else `local`."),
    field("container", TEXT, "File (or `-` for standard input) that held the document."),
    field("position", LONG, "1-based line, element or row; 0 for a whole file."),
    field(
        "media",
        TEXT,
        "text, html, jsonl, json, csv, parquet, or unknown for what could not be split.",
    ),
    field("encoding", TEXT, "Character encoding of the bytes, as labelled or detected."),
    field("parse_options", TEXT, "JSON: column map, default source, delimiter, time zone."),
    field("header", pa.binary(), "CSV header bytes that belong to the row; empty otherwise."),
    field(
        "content",
        pa.large_binary(),
        "The document's bytes, unchanged, after outer compression.",
        unit="bytes",
    ),
    field("n_bytes", LONG, "Length of content.", unit="bytes"),
    field(
        "problem",
        TEXT,
        "Quarantine reason found while reading; NULL when it could be read.",
        null=True,
    ),
    field("problem_message", TEXT, "What was wrong, in one line.", null=True),
    field("landed_at", TIME, "When the bytes were made safe.", unit="UTC"),
    _RUN_ID,
)

ARTICLES = contract(
    "articles",
    "Every revision of every article; `is_current` marks the newest.",
    ("article_id", "revision_id"),
    _ARTICLE_ID,
    _REVISION_ID,
    field(
        "is_current",
        pa.bool_(),
        "True for the newest: by updated_at, else published_at, then content_hash.",
    ),
    field("document_id", ID, "The raw document it was parsed from."),
    field("native_id", TEXT, "The source's own id.", null=True),
    field("url", TEXT, "Address as given.", null=True),
    field("source_id", TEXT, "The source (outlet)."),
    field("publisher", TEXT, "Publisher as given by the record.", null=True),
    field("title", TEXT, "Headline, untouched.", null=True),
    field("byline", TEXT, "Author as given, else taken from a byline paragraph.", null=True),
    field(
        "rights", TEXT, "Copyright lines taken out of the text, joined by a line break.", null=True
    ),
    field("dateline", TEXT, "Place and agency line that opened the text.", null=True),
    field("source_agency", TEXT, "Wire agency named by the article.", null=True),
    field("published_at", TIME, "Publication time.", null=True, unit="UTC"),
    field(
        "updated_at", TIME, "Time of the last change as given by the record.", null=True, unit="UTC"
    ),
    field(
        "published_precision",
        TEXT,
        "second, minute, day, or unparsed (a date was given that is no date).",
        null=True,
    ),
    field("language", TEXT, "Language as given by the record.", null=True),
    field("section", TEXT, "Section as given by the record.", null=True),
    field("text", LONG_TEXT, "Clean text: kept paragraphs joined by a blank line."),
    field("original_text", LONG_TEXT, "The parsed body, untouched; spans are offsets into it."),
    field("extra", TEXT, "JSON object of the columns that no field takes.", null=True),
    field("content_hash", ID, "Hash of all published fields of the revision."),
    field("key_hash", ID, "Hash of the key of the clean text (what `exact` compares)."),
    field("n_chars", INT, "Length of text.", unit="code points"),
    field("n_paragraphs", INT, "Kept paragraphs."),
    field("n_dropped_paragraphs", INT, "Dropped paragraphs."),
    field("first_seen_at", TIME, "When this revision was first taken.", unit="UTC"),
    _RUN_ID,
)

PARAGRAPHS = contract(
    "paragraphs",
    "Paragraphs of the current revision of every article, kept or dropped.",
    ("article_id", "seq"),
    _ARTICLE_ID,
    field("seq", INT, "0-based position in the article."),
    field("start_char", INT, "Start in original_text.", unit="code points"),
    field("end_char", INT, "End in original_text, exclusive.", unit="code points"),
    field("text", LONG_TEXT, "The paragraph, untouched."),
    field("n_chars", INT, "end_char - start_char.", unit="code points"),
    field("key_hash", ID, "Hash of the paragraph's key; equal keys are equal paragraphs."),
    field("status", TEXT, "kept or dropped."),
    field(
        "reason",
        TEXT,
        "Why it is dropped: " + ", ".join(PARAGRAPH_REASONS) + "; NULL when kept.",
        null=True,
    ),
)

DECISIONS = contract(
    "decisions",
    "Each removal and each return: what, why, by which evidence. Appended to, never edited.",
    ("decision_id",),
    field("decision_id", ID, "Hash of the row's content."),
    _ARTICLE_ID,
    field("revision_id", ID, "The content it speaks of."),
    field("action", TEXT, ", ".join(ACTIONS) + "."),
    field(
        "reason",
        TEXT,
        "A paragraph reason, or the relation for which an article was dropped; `story_changed` or"
        " `rebuilt` where something comes back.",
    ),
    field("paragraph_seq", INT, "The paragraph; NULL for a whole article.", null=True),
    field(
        "start_char",
        INT,
        "Start of the removed span in original_text.",
        null=True,
        unit="code points",
    ),
    field("end_char", INT, "End of the removed span, exclusive.", null=True, unit="code points"),
    field("matched_article_id", ID, "The article it repeats.", null=True),
    field("matched_paragraph_seq", INT, "The paragraph it repeats.", null=True),
    field("jaccard", RATIO, "Exact Jaccard of the shingle sets.", null=True),
    field(
        "containment",
        RATIO,
        "Share of the removed text's shingles that the match holds.",
        null=True,
    ),
    field(
        "matched_containment",
        RATIO,
        "Share of the match's shingles that the removed text holds.",
        null=True,
    ),
    field("is_numbers_equal", pa.bool_(), "Whether the numbers of both are compatible.", null=True),
    field("evidence", TEXT, "The rule's own words: pattern name, what was compared.", null=True),
    field("rule_version", TEXT, "Version of the rules that decided."),
    field("decided_at", TIME, "When.", unit="UTC"),
    _RUN_ID,
)

SIGNATURES = contract(
    "signatures",
    "The index: one MinHash signature per current article.",
    ("article_id",),
    _ARTICLE_ID,
    field("params_id", TEXT, "The recipe that made it; signatures of two recipes never mix."),
    field("n_shingles", INT, "Size of the shingle set."),
    field(
        "signature",
        pa.binary(512),
        "128 little-endian uint32 min-hashes; NULL for texts too short to sign.",
        null=True,
        unit="bytes",
    ),
)

EDGES = contract(
    "edges",
    "Verified pairs of current articles.",
    ("left_id", "right_id"),
    field("left_id", ID, "The smaller article_id."),
    field("right_id", ID, "The larger article_id."),
    field("relation", TEXT, ", ".join(RELATIONS) + "."),
    field("is_duplicate", pa.bool_(), "Whether the relation puts both into one story."),
    field("jaccard", RATIO, "Exact Jaccard of the shingle sets."),
    field("left_containment", RATIO, "Share of left's shingles that right holds."),
    field("right_containment", RATIO, "Share of right's shingles that left holds."),
    field("is_numbers_equal", pa.bool_(), "Whether the numbers of both are compatible."),
    field(
        "evidence",
        TEXT,
        "JSON: what decided (shared and conflicting numbers, the rule).",
        null=True,
    ),
    field("rule_version", TEXT, "Version of the rules that decided."),
    _RUN_ID,
)

STORY_MEMBERS = contract(
    "story_members",
    "Article and story, one row an article.",
    ("article_id",),
    _ARTICLE_ID,
    _STORY_ID,
    field("component_id", ID, "Internal: smallest article_id of the connected component."),
    field("role", TEXT, ", ".join(ROLES) + "."),
    field("canonical_id", ID, "The article that stands for the story."),
    field(
        "relation",
        TEXT,
        "Relation to matched_id; NULL for the canonical and for singles.",
        null=True,
    ),
    field(
        "matched_id",
        ID,
        "The canonical where that pair was verified, else its strongest edge.",
        null=True,
    ),
    field("jaccard", RATIO, "Jaccard with matched_id.", null=True),
    field("containment", RATIO, "Share of its shingles that matched_id holds.", null=True),
)

STORIES = contract(
    "stories",
    "A story: its canonical and what is known of its members.",
    ("story_id",),
    _STORY_ID,
    field("canonical_id", ID, "The article that stands for it."),
    field("n_members", INT, "Articles in it."),
    field("n_sources", INT, "Distinct sources among them."),
    field("first_published_at", TIME, "Earliest published_at of a member.", null=True, unit="UTC"),
    field("last_published_at", TIME, "Latest published_at of a member.", null=True, unit="UTC"),
    field(
        "spread_seconds", LONG, "last_published_at - first_published_at.", null=True, unit="seconds"
    ),
    field("founded_snapshot", LONG, "Snapshot that founded it; the older id survives a merge."),
)

STORY_REDIRECTS = contract(
    "story_redirects",
    "Story ids that were merged away, and where they went.",
    ("story_id",),
    field("story_id", ID, "The id that no longer stands."),
    field("merged_into_id", ID, "The story that took its members."),
    _RUN_ID,
)

QUARANTINE = contract(
    "quarantine",
    "Documents that could not be taken, whole, with the reason.",
    ("document_id",),
    field("document_id", ID, "The document; its bytes are in documents."),
    field("source_id", TEXT, "Where it came from."),
    field("container", TEXT, "File that held it."),
    field("position", LONG, "1-based line, element or row; 0 for a whole file."),
    field("reason", TEXT, ", ".join(QUARANTINE_REASONS) + "."),
    field("message", TEXT, "What was wrong and the next step, in one line."),
    field("n_bytes", LONG, "Size of the document.", unit="bytes"),
    field("quarantined_at", TIME, "When.", unit="UTC"),
    _RUN_ID,
)

FURNITURE = contract(
    "furniture",
    "Lines that a source repeats as furniture, learned from the articles that stand.",
    ("source_id", "line_hash"),
    field("source_id", TEXT, "The source that prints the line."),
    field("line_hash", HASH, "Hash of the source and of the line's template."),
    field("reason", TEXT, "The paragraph reason with which it is dropped."),
    field(
        "template", TEXT, "The line's key with dates, times, reporters' names and addresses masked."
    ),
    field("example", TEXT, "The line as example_article_id prints it."),
    field("example_article_id", ID, "The smallest article_id among the sightings."),
    field("n_documents", INT, "Articles that print it, in the window of days that proves most."),
    field("n_source_documents", INT, "Articles of the source in that window."),
    field("n_days", INT, "Days of publication among the sightings; 0 without dates."),
    field("edge_ratio", RATIO, "Share of sightings among the first 2 or last 4 paragraphs."),
    field("first_day", TIME, "First sighting in the window.", null=True, unit="UTC"),
    field("last_day", TIME, "Last sighting in the window.", null=True, unit="UTC"),
    field("rule_version", TEXT, "Version of the rules that decided."),
    _RUN_ID,
)

STALE_ARTICLES = contract(
    "stale_articles",
    "Articles to derive again: what is furniture has changed since they were derived.",
    ("article_id",),
    _ARTICLE_ID,
    _RUN_ID,
)

SHARED_PARAGRAPHS = contract(
    "shared_paragraphs",
    "Kept paragraphs that articles of several sources print, with their first sighting.",
    ("article_id", "seq"),
    _ARTICLE_ID,
    field("seq", INT, "0-based position in the article."),
    field("key_hash", ID, "Hash of the paragraph's key; equal keys are equal paragraphs."),
    field("first_article_id", ID, "The article that printed it first, by published_at."),
    field("first_seq", INT, "Its position there."),
    _RUN_ID,
)

SHARED_CUTS = contract(
    "shared_cuts",
    "Shared paragraphs that the policy collapse or drop takes out of a clean record.",
    ("article_id", "seq"),
    _ARTICLE_ID,
    field("seq", INT, "0-based position in the article."),
    field("matched_article_id", ID, "The clean record that keeps it, the first that printed it."),
    field("matched_paragraph_seq", INT, "Its position there."),
    _RUN_ID,
)

SHORTENED_TEXTS = contract(
    "shortened_texts",
    "What is shown of articles that the policy collapse or drop shortens; keys ignore it.",
    ("article_id",),
    _ARTICLE_ID,
    field("text", LONG_TEXT, "Clean text without the cuts; collapse leaves […] for each run."),
    field("n_chars", INT, "Length of text.", unit="code points"),
    field("n_paragraphs", INT, "Paragraphs left."),
    field("n_dropped_paragraphs", INT, "Dropped paragraphs, the cuts among them."),
    _RUN_ID,
)

SHARED_SPANS = contract(
    "shared_spans",
    "Where two articles print the same: spans of the text that one holds of the other.",
    ("left_id", "right_id", "seq"),
    field("left_id", ID, "The smaller article_id."),
    field("right_id", ID, "The larger article_id."),
    field("seq", INT, "0-based, in the order of the left text."),
    field("left_start_char", INT, "Start in left's original_text.", unit="code points"),
    field("left_end_char", INT, "End in left's original_text, exclusive.", unit="code points"),
    field("right_start_char", INT, "Start in right's original_text.", unit="code points"),
    field("right_end_char", INT, "End in right's original_text, exclusive.", unit="code points"),
    field("kind", TEXT, "paragraph (equal keys) or edited."),
    _RUN_ID,
)

REVISION_CHANGES = contract(
    "revision_changes",
    "What each revision changes of the one before it.",
    ("revision_id",),
    _ARTICLE_ID,
    field("revision_id", ID, "The newer content."),
    field("previous_revision_id", ID, "The content before it."),
    field("revision_class", TEXT, ", ".join(REVISION_CLASSES) + "."),
    field("n_added", INT, "Paragraphs added."),
    field("n_removed", INT, "Paragraphs removed."),
    field("n_changed", INT, "Paragraphs changed."),
    field("jaccard", RATIO, "Exact Jaccard of the shingle sets of both texts."),
    field("diff", LONG_TEXT, "JSON list of the paragraphs added, removed, changed or moved."),
    field("evidence", TEXT, "JSON: what decided the class."),
    field("rule_version", TEXT, "Version of the rules that decided."),
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
        FURNITURE,
        STALE_ARTICLES,
        SHARED_PARAGRAPHS,
        SHARED_CUTS,
        SHORTENED_TEXTS,
        SHARED_SPANS,
        REVISION_CHANGES,
    )
}
