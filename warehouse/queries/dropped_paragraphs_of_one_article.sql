-- Which paragraphs of one article were dropped, and what do they repeat?
-- Put an article_id in place of the subquery; this one takes the article that lost the most.
SELECT
    paragraphs.seq,
    paragraphs.reason,
    decisions.matched_paragraph_seq AS repeats_seq,
    round(decisions.jaccard, 2) AS jaccard,
    left(paragraphs.text, 60) AS begins
FROM paragraphs
LEFT JOIN decisions
    ON decisions.article_id = paragraphs.article_id
    AND decisions.paragraph_seq = paragraphs.seq
    AND decisions.action = 'drop_paragraph'
WHERE paragraphs.status = 'dropped'
    AND paragraphs.article_id = (
        SELECT article_id FROM articles_all ORDER BY n_dropped_paragraphs DESC, article_id LIMIT 1
    )
ORDER BY paragraphs.seq
