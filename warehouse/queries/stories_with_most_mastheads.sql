-- Which stories did the most mastheads print?
SELECT
    n_sources,
    n_members AS n_articles,
    source_id AS kept_from,
    title
FROM articles
WHERE n_members > 1
ORDER BY n_sources DESC, n_members DESC, published_at, title
LIMIT 10
