-- Which articles look alike and were still kept apart?
SELECT
    edges.relation,
    round(edges.jaccard, 2) AS jaccard,
    edges.is_numbers_equal AS same_numbers,
    one.title,
    other.title AS other_title
FROM edges
JOIN articles_all AS one ON one.article_id = edges.left_id
JOIN articles_all AS other ON other.article_id = edges.right_id
WHERE NOT edges.is_duplicate
ORDER BY edges.jaccard DESC, one.title, other.title
LIMIT 20
