-- What changed between two dates: which articles appeared, and what became of them?
SELECT
    coalesce(updated_at, published_at) AS changed_at,
    role,
    source_id,
    title
FROM articles_all
WHERE coalesce(updated_at, published_at) >= TIMESTAMP '2026-03-09'
    AND coalesce(updated_at, published_at) < TIMESTAMP '2026-03-11'
ORDER BY changed_at, source_id, title
