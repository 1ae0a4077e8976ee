-- Verified pairs of current articles with their relation and evidence; left_id < right_id.
SELECT
    left_id,
    right_id,
    relation,
    is_duplicate,
    jaccard,
    left_containment,
    right_containment,
    is_numbers_equal,
    evidence,
    rule_version,
    run_id
FROM _edges
