"""What must hold in every snapshot, each as SQL that counts what breaks it.

The tables are those of the contracts, and `archive`: the ids of all raw documents, published or
only landed.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.contracts import CONTRACTS


@dataclass(frozen=True)
class Invariant:
    """A sentence that must be true, and a query of one number: how many rows break it."""

    name: str
    sentence: str
    query: str


def _unique_key(table: str, key: tuple[str, ...]) -> Invariant:
    columns = ", ".join(key)
    return Invariant(
        f"{table}_key",
        f"{table} holds each ({columns}) once",
        f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {table}"
        f" GROUP BY {columns} HAVING n > 1)",
    )


_CURRENT = "(SELECT * FROM articles WHERE is_current)"

INVARIANTS: tuple[Invariant, ...] = (
    *(_unique_key(c.name, c.key) for c in CONTRACTS.values()),
    Invariant(
        "one_current_revision",
        "every article has exactly one current revision",
        "SELECT count(*) FROM (SELECT count(*) FILTER (WHERE is_current) AS n FROM articles"
        " GROUP BY article_id HAVING n <> 1)",
    ),
    Invariant(
        "article_has_document",
        "every article's raw document is in the archive",
        "SELECT count(*) FROM articles ANTI JOIN archive USING (document_id)",
    ),
    Invariant(
        "quarantine_has_document",
        "every refused document is in the archive",
        "SELECT count(*) FROM quarantine ANTI JOIN archive USING (document_id)",
    ),
    Invariant(
        "article_has_member",
        "every article is a member of a story",
        f"SELECT count(*) FROM {_CURRENT} ANTI JOIN story_members USING (article_id)",
    ),
    Invariant(
        "member_has_article",
        "every member of a story is an article",
        f"SELECT count(*) FROM story_members ANTI JOIN {_CURRENT} AS a USING (article_id)",
    ),
    Invariant(
        "story_has_members",
        "every story has members, every member a story",
        "SELECT count(*) FROM stories s FULL JOIN"
        " (SELECT DISTINCT story_id FROM story_members) m USING (story_id)"
        " WHERE s.canonical_id IS NULL OR m.story_id IS NULL",
    ),
    Invariant(
        "one_canonical",
        "every story has exactly one canonical, named by the story and all its members",
        "SELECT count(*) FROM (SELECT story_id FROM story_members JOIN stories USING (story_id)"
        " GROUP BY story_id HAVING count(*) FILTER"
        " (WHERE article_id = story_members.canonical_id"
        " AND article_id = stories.canonical_id) <> 1"
        " OR count(DISTINCT story_members.canonical_id) <> 1)",
    ),
    Invariant(
        "role_fits",
        "canonical and single stand for their story, duplicate and update do not",
        "SELECT count(*) FROM story_members JOIN stories USING (story_id) WHERE CASE role"
        " WHEN 'canonical' THEN article_id <> story_members.canonical_id OR n_members = 1"
        " WHEN 'single' THEN article_id <> story_members.canonical_id OR n_members > 1"
        " WHEN 'contained' THEN article_id <> story_members.canonical_id OR n_members > 1"
        " ELSE article_id = story_members.canonical_id END",
    ),
    Invariant(
        "n_members_right",
        "every story counts its members right",
        "SELECT count(*) FROM (SELECT story_id FROM story_members JOIN stories USING (story_id)"
        " GROUP BY story_id, n_members HAVING count(*) <> n_members)",
    ),
    Invariant(
        "redirect_ends",
        "no story that was merged away still stands, and none leads to nothing",
        "SELECT count(*) FROM story_redirects r LEFT JOIN stories old ON old.story_id = r.story_id"
        " LEFT JOIN stories new ON new.story_id = r.merged_into_id"
        " WHERE old.story_id IS NOT NULL OR new.story_id IS NULL",
    ),
    Invariant(
        "drop_has_decision",
        "every dropped paragraph has a decision",
        "SELECT count(*) FROM (SELECT article_id, seq FROM paragraphs WHERE status = 'dropped'"
        " UNION ALL SELECT article_id, seq FROM shared_cuts) p"
        f" JOIN {_CURRENT} AS a USING (article_id)"
        " ANTI JOIN (SELECT * FROM decisions WHERE action = 'drop_paragraph') d"
        " ON d.revision_id = a.revision_id AND d.paragraph_seq = p.seq",
    ),
    Invariant(
        "duplicate_has_decision",
        "every duplicate article has a decision",
        "SELECT count(*) FROM story_members m"
        " ANTI JOIN (SELECT * FROM decisions WHERE action = 'drop_article') d"
        " ON d.article_id = m.article_id WHERE m.role IN ('duplicate', 'update')",
    ),
    Invariant(
        "status_fits_reason",
        "a paragraph is dropped exactly when it has a reason",
        "SELECT count(*) FROM paragraphs WHERE (status = 'dropped') <> (reason IS NOT NULL)",
    ),
    Invariant(
        "paragraph_is_span",
        "every paragraph is the span of original_text that it names",
        f"SELECT count(*) FROM paragraphs p LEFT JOIN {_CURRENT} AS a USING (article_id)"
        " WHERE a.article_id IS NULL OR p.n_chars <> p.end_char - p.start_char"
        " OR p.text <> substring(a.original_text, p.start_char + 1, p.end_char - p.start_char)",
    ),
    Invariant(
        "paragraphs_counted",
        "every article counts its kept and dropped paragraphs right",
        "SELECT count(*) FROM (SELECT a.article_id FROM"
        f" {_CURRENT} AS a LEFT JOIN paragraphs p USING (article_id)"
        " GROUP BY a.article_id, a.n_paragraphs, a.n_dropped_paragraphs"
        " HAVING count(*) FILTER (WHERE p.status = 'kept') <> a.n_paragraphs"
        " OR count(*) FILTER (WHERE p.status = 'dropped') <> a.n_dropped_paragraphs)",
    ),
    Invariant(
        "article_is_signed",
        "every article has a signature, every signature an article",
        f"SELECT count(*) FROM (SELECT article_id, revision_id FROM {_CURRENT} AS c) AS a"
        " FULL JOIN (SELECT article_id, params_id FROM signatures) AS s USING (article_id)"
        " WHERE a.revision_id IS NULL OR s.params_id IS NULL",
    ),
    Invariant(
        "one_recipe",
        "all signatures were made by one recipe",
        "SELECT greatest(count(DISTINCT params_id) - 1, 0) FROM signatures",
    ),
    Invariant(
        "edge_has_articles",
        "both ends of every edge are articles, the smaller id left",
        "SELECT count(*) FROM edges e"
        f" LEFT JOIN {_CURRENT} AS l ON l.article_id = e.left_id"
        f" LEFT JOIN {_CURRENT} AS r ON r.article_id = e.right_id"
        " WHERE l.article_id IS NULL OR r.article_id IS NULL OR e.left_id >= e.right_id",
    ),
    Invariant(
        "duplicate_edge_relation",
        "all edges of one relation make duplicates, or none does",
        "SELECT count(*) FROM (SELECT relation FROM edges GROUP BY relation"
        " HAVING bool_or(is_duplicate) <> bool_and(is_duplicate))",
    ),
    Invariant(
        "furniture_has_source",
        "every line of furniture is of a source that has articles, and one of them prints it",
        f"SELECT count(*) FROM furniture f LEFT JOIN {_CURRENT} AS a"
        " ON a.article_id = f.example_article_id AND a.source_id = f.source_id"
        " WHERE a.article_id IS NULL",
    ),
    Invariant(
        "stale_is_article",
        "everything that waits to be derived again is an article",
        f"SELECT count(*) FROM stale_articles ANTI JOIN {_CURRENT} AS a USING (article_id)",
    ),
    Invariant(
        "shared_is_paragraph",
        "every shared paragraph is one of its article, and of the one that printed it first",
        "SELECT count(*) FROM shared_paragraphs s"
        " LEFT JOIN paragraphs p ON p.article_id = s.article_id AND p.seq = s.seq"
        " LEFT JOIN paragraphs f ON f.article_id = s.first_article_id AND f.seq = s.first_seq"
        " WHERE coalesce(p.key_hash <> s.key_hash OR f.key_hash <> s.key_hash"
        " OR p.reason IS NOT NULL, true)",
    ),
    Invariant(
        "cut_is_shared",
        "every paragraph that is cut as shared is a shared one, as is the one that it repeats",
        "SELECT count(*) FROM shared_cuts c"
        " LEFT JOIN shared_paragraphs s ON s.article_id = c.article_id AND s.seq = c.seq"
        " LEFT JOIN shared_paragraphs m ON m.article_id = c.matched_article_id"
        " AND m.seq = c.matched_paragraph_seq"
        " WHERE coalesce(s.key_hash <> m.key_hash, true)",
    ),
    Invariant(
        "cut_is_shortened",
        "the articles with cuts are those with a shortened text",
        "SELECT count(*) FROM (SELECT DISTINCT article_id FROM shared_cuts) c"
        " FULL JOIN shortened_texts t ON t.article_id = c.article_id"
        " WHERE c.article_id IS NULL OR t.article_id IS NULL",
    ),
    Invariant(
        "shared_span_has_edge",
        "every shared span is of a verified pair",
        "SELECT count(*) FROM shared_spans ANTI JOIN edges USING (left_id, right_id)",
    ),
    Invariant(
        "change_has_revisions",
        "every change of an article is between two of its revisions",
        "SELECT count(*) FROM revision_changes c"
        " LEFT JOIN articles n ON n.article_id = c.article_id AND n.revision_id = c.revision_id"
        " LEFT JOIN articles o ON o.article_id = c.article_id"
        " AND o.revision_id = c.previous_revision_id"
        " WHERE n.revision_id IS NULL OR o.revision_id IS NULL OR n.revision_id = o.revision_id",
    ),
)
