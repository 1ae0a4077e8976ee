-- What could not be taken, and why?
SELECT
    reason,
    count(*) AS n_documents,
    sum(n_bytes)::BIGINT AS n_bytes,
    arg_min(parse_filename(container) || ' line ' || position, (container, position)) AS first_place
FROM quarantine
GROUP BY reason
ORDER BY n_documents DESC, reason
