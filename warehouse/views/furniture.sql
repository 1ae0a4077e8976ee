-- Lines that a source repeats as furniture, learned from the articles that stand; they are dropped
-- wherever the source prints them. A line may be unlearned when the source grows.
SELECT
    source_id,
    line_hash,
    reason,
    template,
    example,
    example_article_id,
    n_documents,
    n_source_documents,
    n_days,
    edge_ratio,
    first_day,
    last_day,
    rule_version,
    run_id
FROM _furniture
