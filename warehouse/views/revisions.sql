-- Every revision of every article; exactly one of each article is current.
SELECT
    article_id,
    revision_id,
    is_current,
    source_id,
    native_id,
    url,
    title,
    published_at,
    updated_at,
    first_seen_at,
    text,
    n_chars,
    document_id,
    content_hash,
    run_id
FROM _articles
