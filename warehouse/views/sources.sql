-- One row a source: what came from it and what became of it.
--   n_articles: Articles of the source.
--   n_kept: Those that stand in `articles`.
--   n_duplicates: Those that another article of their story stands for.
--   n_quarantined: Documents that could not be taken.
--   first_seen_at: When the first of its current revisions or refused documents was taken.
--   last_seen_at: When the last of them was taken.
--   last_run_id: The run that took the last one.
SELECT
    source_id,
    count(*) FILTER (WHERE is_article) AS n_articles,
    count(*) FILTER (WHERE is_article AND is_kept) AS n_kept,
    count(*) FILTER (WHERE is_article AND NOT is_kept) AS n_duplicates,
    count(*) FILTER (WHERE NOT is_article) AS n_quarantined,
    min(seen_at) AS first_seen_at,
    max(seen_at) AS last_seen_at,
    arg_max(run_id, seen_at) AS last_run_id
FROM (
    SELECT
        articles.source_id,
        true AS is_article,
        coalesce(members.canonical_id = articles.article_id, false) AS is_kept,
        articles.first_seen_at AS seen_at,
        articles.run_id
    FROM _articles AS articles
    LEFT JOIN _story_members AS members ON members.article_id = articles.article_id
    WHERE articles.is_current
    UNION ALL
    SELECT source_id, false, false, quarantined_at, run_id
    FROM _quarantine
)
GROUP BY source_id
