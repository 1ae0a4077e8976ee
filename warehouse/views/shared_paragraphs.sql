-- Every sighting of a paragraph that articles of several sources print, the first one too, with
-- the article that printed it first by published_at. Kept paragraphs of 40 key characters and more.
--   is_first: Whether this is the first sighting.
SELECT
    article_id,
    seq,
    key_hash,
    first_article_id,
    first_seq,
    article_id = first_article_id AND seq = first_seq AS is_first,
    run_id
FROM _shared_paragraphs
