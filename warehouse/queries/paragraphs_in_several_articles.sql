-- Which paragraphs do different stories of several sources share, and who printed them first?
SELECT
    count(DISTINCT articles.article_id) AS n_articles,
    count(DISTINCT articles.story_id) AS n_stories,
    count(DISTINCT articles.source_id) AS n_sources,
    any_value(earliest.source_id) AS first_source,
    any_value(earliest.published_at) AS first_published_at,
    left(any_value(paragraphs.text), 60) AS begins
FROM shared_paragraphs AS shared
JOIN articles_all AS articles ON articles.article_id = shared.article_id
JOIN articles_all AS earliest ON earliest.article_id = shared.first_article_id
JOIN paragraphs
    ON paragraphs.article_id = shared.first_article_id AND paragraphs.seq = shared.first_seq
GROUP BY shared.key_hash
HAVING count(DISTINCT articles.story_id) > 1
ORDER BY n_articles DESC, first_published_at, begins
LIMIT 20
