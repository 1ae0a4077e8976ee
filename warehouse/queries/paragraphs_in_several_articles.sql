-- Which paragraphs stand in several articles that were kept?
SELECT
    count(DISTINCT paragraphs.article_id) AS n_articles,
    count(DISTINCT articles.source_id) AS n_sources,
    min(paragraphs.n_chars) AS n_chars,
    left(min(paragraphs.text), 60) AS begins
FROM paragraphs
JOIN articles USING (article_id)
WHERE paragraphs.status = 'kept' AND paragraphs.n_chars >= 40
GROUP BY paragraphs.key_hash
HAVING count(DISTINCT paragraphs.article_id) > 1
ORDER BY n_articles DESC, begins
LIMIT 20
