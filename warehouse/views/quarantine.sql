-- Documents that could not be taken, whole, with the reason; their bytes are in the raw archive.
SELECT
    document_id,
    source_id,
    container,
    position,
    reason,
    message,
    n_bytes,
    quarantined_at,
    run_id
FROM _quarantine
