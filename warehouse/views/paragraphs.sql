-- One row a paragraph of a current revision, kept or dropped, with its span in original_text.
SELECT
    paragraphs.article_id,
    paragraphs.seq,
    paragraphs.start_char,
    paragraphs.end_char,
    paragraphs.text,
    paragraphs.n_chars,
    paragraphs.key_hash,
    CASE WHEN cuts.seq IS NULL THEN paragraphs.status ELSE 'dropped' END AS status,
    CASE WHEN cuts.seq IS NULL THEN paragraphs.reason ELSE 'shared' END AS reason
FROM _paragraphs AS paragraphs
LEFT JOIN _shared_cuts AS cuts
    ON cuts.article_id = paragraphs.article_id AND cuts.seq = paragraphs.seq
