-- Where two articles print the same: spans of the original texts, for pairs of which one holds the
-- other or a good part of it.
SELECT
    left_id,
    right_id,
    seq,
    left_start_char,
    left_end_char,
    right_start_char,
    right_end_char,
    kind,
    run_id
FROM _shared_spans
