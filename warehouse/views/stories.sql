-- A story: the article that stands for it, and what is known of its members.
SELECT
    story_id,
    canonical_id,
    n_members,
    n_sources,
    first_published_at,
    last_published_at,
    spread_seconds,
    founded_snapshot
FROM _stories
