-- What was taken out of each source's articles, and why?
SELECT
    articles_all.source_id,
    paragraphs.reason,
    count(*) AS n_paragraphs,
    count(DISTINCT paragraphs.article_id) AS n_articles,
    sum(paragraphs.n_chars)::BIGINT AS n_chars
FROM paragraphs
JOIN articles_all USING (article_id)
WHERE paragraphs.status = 'dropped'
GROUP BY articles_all.source_id, paragraphs.reason
ORDER BY n_paragraphs DESC, articles_all.source_id, paragraphs.reason
