-- Which source prints the text of which other?
SELECT
    copy.source_id AS copying_source,
    original.source_id AS kept_source,
    copy.relation,
    count(*) AS n_articles,
    round(avg(copy.jaccard), 2) AS mean_jaccard
FROM articles_all AS copy
JOIN articles_all AS original ON original.article_id = copy.canonical_id
WHERE copy.role = 'duplicate' AND copy.source_id <> original.source_id
GROUP BY ALL
ORDER BY n_articles DESC, copying_source, kept_source, copy.relation
