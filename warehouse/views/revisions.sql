-- Every revision of every article; exactly one of each article is current. What it changes of the
-- one before it stands beside it; those columns are NULL for the first.
--   jaccard: Exact Jaccard of its shingle set with that of the revision before it.
--   evidence: JSON: what decided the class (the rule, edits, fields that changed).
SELECT
    articles.article_id,
    articles.revision_id,
    articles.is_current,
    articles.source_id,
    articles.native_id,
    articles.url,
    articles.title,
    articles.published_at,
    articles.updated_at,
    articles.first_seen_at,
    articles.text,
    articles.n_chars,
    articles.document_id,
    articles.content_hash,
    articles.run_id,
    changes.revision_class,
    changes.previous_revision_id,
    changes.n_added,
    changes.n_removed,
    changes.n_changed,
    changes.jaccard,
    changes.diff,
    changes.evidence
FROM _articles AS articles
LEFT JOIN _revision_changes AS changes ON changes.revision_id = articles.revision_id
