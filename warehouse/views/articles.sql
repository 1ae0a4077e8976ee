-- The clean records: one row per story (its canonical), current revision, repeats and furniture
-- taken out. A contained or single article is a story of its own and stands here too.
--   n_members: Articles in its story.
--   n_sources: Distinct sources among them.
--   first_seen_at: When this revision was first taken.
SELECT
    articles.article_id,
    articles.native_id,
    articles.url,
    articles.source_id,
    articles.publisher,
    articles.title,
    articles.byline,
    articles.rights,
    articles.dateline,
    articles.source_agency,
    articles.published_at,
    articles.published_precision,
    articles.language,
    articles.section,
    coalesce(shortened.text, articles.text) AS text,
    coalesce(shortened.n_chars, articles.n_chars) AS n_chars,
    coalesce(shortened.n_paragraphs, articles.n_paragraphs) AS n_paragraphs,
    coalesce(shortened.n_dropped_paragraphs, articles.n_dropped_paragraphs) AS n_dropped_paragraphs,
    stories.story_id,
    stories.n_members,
    stories.n_sources,
    articles.first_seen_at
FROM _articles AS articles
JOIN _stories AS stories ON stories.canonical_id = articles.article_id
LEFT JOIN _shortened_texts AS shortened ON shortened.article_id = articles.article_id
WHERE articles.is_current
