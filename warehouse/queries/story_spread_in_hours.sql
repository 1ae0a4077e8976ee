-- How long did a story travel from its first article to its last?
SELECT
    round(stories.spread_seconds / 3600, 1) AS spread_hours,
    stories.n_members,
    stories.n_sources,
    articles.title,
    stories.first_published_at,
    stories.last_published_at
FROM stories
JOIN articles ON articles.article_id = stories.canonical_id
WHERE stories.n_members > 1
ORDER BY stories.spread_seconds DESC, articles.title
LIMIT 10
