-- Each removal and each return: what, why, what it repeats, by which evidence and rule.
SELECT
    decision_id,
    article_id,
    revision_id,
    action,
    reason,
    paragraph_seq,
    start_char,
    end_char,
    matched_article_id,
    matched_paragraph_seq,
    jaccard,
    containment,
    matched_containment,
    is_numbers_equal,
    evidence,
    rule_version,
    decided_at,
    run_id
FROM _decisions
