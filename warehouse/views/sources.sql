-- One row a source: what came from it and what became of it.
--   n_articles: Articles of the source.
--   n_kept: Those that stand in `articles`.
--   n_duplicates: Those that another article of their story stands for.
--   n_chars: Characters of their clean texts and of their dropped paragraphs.
--   n_dropped_chars: Those of dropped paragraphs and of articles that another one stands for.
--   dropped_articles_ratio: n_duplicates / n_articles; NULL without articles.
--   dropped_chars_ratio: n_dropped_chars / n_chars; NULL without characters.
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
    sum(n_kept_chars + n_out_chars)::BIGINT AS n_chars,
    sum(CASE WHEN is_kept THEN n_out_chars ELSE n_kept_chars + n_out_chars END)::BIGINT
        AS n_dropped_chars,
    (n_duplicates / nullif(n_articles, 0))::FLOAT AS dropped_articles_ratio,
    (n_dropped_chars / nullif(n_chars, 0))::FLOAT AS dropped_chars_ratio,
    min(seen_at) AS first_seen_at,
    max(seen_at) AS last_seen_at,
    arg_max(run_id, (seen_at, run_id)) AS last_run_id
FROM (
    SELECT
        articles.source_id,
        true AS is_article,
        coalesce(members.canonical_id = articles.article_id, false) AS is_kept,
        articles.n_chars AS n_kept_chars,
        coalesce(dropped.n_chars, 0) AS n_out_chars,
        articles.first_seen_at AS seen_at,
        articles.run_id
    FROM _articles AS articles
    LEFT JOIN _story_members AS members ON members.article_id = articles.article_id
    LEFT JOIN (
        SELECT article_id, sum(n_chars) AS n_chars
        FROM _paragraphs
        WHERE status = 'dropped'
        GROUP BY article_id
    ) AS dropped ON dropped.article_id = articles.article_id
    WHERE articles.is_current
    UNION ALL
    SELECT source_id, false, false, 0, 0, quarantined_at, run_id
    FROM _quarantine
)
GROUP BY source_id
