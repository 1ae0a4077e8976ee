-- Article and story: one row an article, with the relation that put it there.
SELECT
    article_id,
    story_id,
    role,
    canonical_id,
    relation,
    matched_id,
    jaccard,
    containment
FROM _story_members
