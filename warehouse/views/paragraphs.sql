-- One row a paragraph of a current revision, kept or dropped, with its span in original_text.
SELECT
    article_id,
    seq,
    start_char,
    end_char,
    text,
    n_chars,
    key_hash,
    status,
    reason
FROM _paragraphs
