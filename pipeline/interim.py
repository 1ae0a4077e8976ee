"""Tables that pass from stage to stage and are never published as they are.

The same rules as in `contracts.py`: one Arrow schema a table, `conform` at the end of a stage.
"""

from __future__ import annotations

import pyarrow as pa

from pipeline.contract import HASH, contract
from pipeline.contract import field as column
from pipeline.contracts import (
    ARTICLES,
    DECISIONS,
    DOCUMENTS,
    EDGES,
    FURNITURE,
    ID,
    QUARANTINE,
    REVISION_CHANGES,
    SHARED_PARAGRAPHS,
    SHARED_SPANS,
    TIME,
)

HASHES = pa.list_(HASH)
"""Some uint64 hashes an article, in one flat buffer a column."""

READ = contract(
    "read",
    "Documents as a source connector hands them over, before they are landed.",
    ("document_id",),
    *[f for f in DOCUMENTS.schema if f.name not in ("landed_at", "run_id")],
)

UNREAD = contract(
    "unread",
    "Documents that parsing refuses: rows of quarantine before the run is known.",
    ("document_id",),
    *[f for f in QUARANTINE.schema if f.name not in ("quarantined_at", "run_id")],
)

_DERIVED = [
    "is_current",
    "rights",
    "dateline",
    "source_agency",
    "text",
    "key_hash",
    "n_chars",
    "n_paragraphs",
    "n_dropped_paragraphs",
    "first_seen_at",
    "run_id",
]

PARSED = contract(
    "parsed",
    "Articles as parsed: identity, fields as given, untouched body in original_text.",
    ("article_id", "revision_id"),
    *[f for f in ARTICLES.schema if f.name not in _DERIVED],
)

SPANS = contract(
    "spans",
    "Paragraphs of parsed articles with their spans and keys, in the order of PARSED.",
    ("article_id", "revision_id", "seq"),
    column("article_id", ID, "The article."),
    column("revision_id", ID, "The revision whose original_text the span points into."),
    column("seq", pa.int32(), "0-based position in the article."),
    column("start_char", pa.int32(), "Start in original_text.", unit="code points"),
    column("end_char", pa.int32(), "End in original_text, exclusive.", unit="code points"),
    column(
        "text", pa.large_string(), "The paragraph, untouched: original_text[start_char:end_char]."
    ),
    column("key", pa.large_string(), "The normalised key that is compared."),
)

REMOVALS = contract(
    "removals",
    "What a stage wants taken out of (or, with action keep_paragraph, explicitly left in) a text.",
    ("revision_id", "paragraph_seq", "start_char", "reason"),
    *[
        DECISIONS.schema.field(n)
        for n in [
            "article_id",
            "revision_id",
            "action",
            "reason",
            "paragraph_seq",
            "start_char",
            "end_char",
            "matched_article_id",
            "matched_paragraph_seq",
            "jaccard",
            "containment",
            "matched_containment",
            "is_numbers_equal",
            "evidence",
        ]
    ],
)

LIFTED = contract(
    "lifted",
    "Fields that furniture removal lifts out of the text, one row a revision that has any.",
    ("revision_id",),
    column("revision_id", ID, "The revision."),
    *[ARTICLES.schema.field(n) for n in ("byline", "rights", "dateline", "source_agency")],
)

CLEAN = contract(
    "clean",
    "Articles with clean text and lifted fields, before it is known which revision is current.",
    ("article_id", "revision_id"),
    *[f for f in ARTICLES.schema if f.name not in ("is_current", "first_seen_at", "run_id")],
)

KEYS = contract(
    "keys",
    "What deduplication compares, one row a current article; also the mapped cache of the history.",
    ("article_id",),
    column("article_id", ID, "The article."),
    column("source_id", pa.string(), "Its source."),
    column("published_at", TIME, "Publication time.", null=True, unit="UTC"),
    column("title_key", pa.string(), "Key of the title; empty without one."),
    column(
        "title_version",
        pa.int16(),
        "What the marks of the headline claim: 0 nothing, below a flash, above a later version.",
    ),
    column("key", pa.large_string(), "Key of the clean text."),
    column("key_hash", ID, "Hash of key."),
    column(
        "numbers",
        pa.list_(pa.string()),
        "Normalised numbers of the clean text, sorted, repeated as often as they occur.",
    ),
    column("numbers_hash", HASH, "Hash of numbers: articles with equal ones have equal hashes."),
    column("n_shingles", pa.int32(), "Size of the shingle set of key."),
    column(
        "signature",
        pa.binary(512),
        "128 little-endian uint32; NULL when too short to sign.",
        null=True,
    ),
    column(
        "bands",
        pa.binary(256),
        "32 little-endian uint64 bucket keys; NULL when too short to sign.",
        null=True,
    ),
    column(
        "lines",
        HASHES,
        "Hashes of source and template of every short paragraph, before any removal, each once;"
        " lowest bit set where it stands at the edge of the article every time.",
    ),
    column(
        "passages",
        HASHES,
        "Hashes of the kept paragraphs of 40 key characters and more (lowest bit 0), and sampled"
        " winnowing fingerprints of the key (lowest bit 1).",
    ),
)

ARTICLE_HASHES = contract(
    "article_hashes",
    "What is looked up of an article's paragraphs, one row an article.",
    ("article_id",),
    *[KEYS.schema.field(n) for n in ("article_id", "lines", "passages")],
)

PAIRS = contract(
    "pairs",
    "Candidate pairs, unverified; left_id < right_id.",
    ("left_id", "right_id"),
    column("left_id", ID, "The smaller article_id."),
    column("right_id", ID, "The larger article_id."),
    column(
        "found_by",
        pa.string(),
        "key, title, short, passage or band: the cheapest reason to compare the pair.",
    ),
)

VERIFIED = contract(
    "verified",
    "Verified pairs with their relation, before the run is known.",
    ("left_id", "right_id"),
    *[f for f in EDGES.schema if f.name != "run_id"],
)

MEMBERS = contract(
    "members",
    "What the canonical policy looks at, one row an article of the touched components.",
    ("article_id",),
    column("article_id", ID, "The article."),
    column("source_id", pa.string(), "Its source."),
    column("published_at", TIME, "Publication time.", null=True, unit="UTC"),
    column(
        "title", pa.string(), "Headline; its marks tell versions of one minute apart.", null=True
    ),
    column("n_chars", pa.int32(), "Length of the clean text.", unit="code points"),
    column("content_hash", ID, "Tie breaker of equal times."),
    column("story_id", ID, "The story it is in now; NULL for a new article.", null=True),
    column(
        "founded_snapshot",
        pa.int64(),
        "When that story was founded; NULL for a new article.",
        null=True,
    ),
)

LEARNED = contract(
    "learned",
    "Furniture lines of some sources as the articles prove them, texts not yet looked up.",
    ("source_id", "line_hash"),
    *[f for f in FURNITURE.schema if f.name not in ("template", "example", "run_id")],
)

LINES = contract(
    "lines",
    "Paragraphs of parsed articles that may be furniture: SPANS rows without their texts.",
    ("article_id", "revision_id", "seq"),
    *[SPANS.schema.field(n) for n in ("article_id", "revision_id", "seq")],
    column(
        "line_hash",
        HASH,
        "Hash of source and template, lowest bit set at the edge of the article; 0: no line.",
    ),
)

SHARED = contract(
    "shared",
    "Shared paragraphs before the run is known.",
    ("article_id", "seq"),
    *[f for f in SHARED_PARAGRAPHS.schema if f.name != "run_id"],
)

COMMON_SPANS = contract(
    "common_spans",
    "Shared spans of verified pairs before the run is known.",
    ("left_id", "right_id", "seq"),
    *[f for f in SHARED_SPANS.schema if f.name != "run_id"],
)

COMPARED = contract(
    "compared",
    "What each revision changes of the one before it, before the run is known.",
    ("revision_id",),
    *[f for f in REVISION_CHANGES.schema if f.name != "run_id"],
)
