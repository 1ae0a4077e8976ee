-- What could not be taken, and why?
SELECT
    reason,
    count(*) AS n_documents,
    sum(n_bytes)::BIGINT AS n_bytes,
    parse_filename(any_value(container)) AS for_example_in,
    min(position) AS at_position,
    any_value(message) AS message
FROM quarantine
GROUP BY reason
ORDER BY n_documents DESC, reason
