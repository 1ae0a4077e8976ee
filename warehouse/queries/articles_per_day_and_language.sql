-- How many articles came in a day and language, and how many stories were left?
SELECT
    published_at::DATE AS published_on,
    coalesce(language, 'not said') AS language,
    count(*) AS n_articles,
    count(*) FILTER (WHERE article_id = canonical_id) AS n_kept,
    sum(n_dropped_paragraphs)::BIGINT AS n_dropped_paragraphs
FROM articles_all
GROUP BY published_on, language
ORDER BY published_on NULLS LAST, language
