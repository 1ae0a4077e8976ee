-- The run ledger: one row a run of a flow on this warehouse.
--   run_id: The run; rows of other views name it.
--   flow: ingest, rebuild, maintain, …
--   sources: The sources it was asked to read.
--   status: running (its batches so far are published), completed, failed or crashed.
--   started_at: When it began.
--   ended_at: When it ended; for a crashed run, when that was found.
--   duration_seconds: ended_at - started_at.
--   n_read: Documents read from the sources.
--   n_known: Those that the raw archive held already.
--   n_documents: Those that were landed.
--   n_recovered: Those that an interrupted run had landed and this one worked off.
--   n_quarantined: Those that could not be taken.
--   n_articles: New articles.
--   n_revisions: New revisions of known articles.
--   n_duplicates: Articles that were found to be copies of another one.
--   n_stories: Stories in the warehouse after it.
--   n_paragraphs: Paragraphs of what was taken.
--   n_dropped_paragraphs: Those that were dropped.
--   n_edges: Verified pairs stored.
--   counts: All counts as JSON, those without a column too.
--   recorded_url: The run's page in Prefect's UI, where it was recorded.
SELECT
    run_id,
    flow,
    sources,
    status,
    started_at,
    ended_at,
    epoch(ended_at - started_at) AS duration_seconds,
    n_read,
    n_known,
    n_documents,
    n_recovered,
    n_quarantined,
    n_articles,
    n_revisions,
    n_duplicates,
    n_stories,
    n_paragraphs,
    n_dropped_paragraphs,
    n_edges,
    counts,
    recorded_url
FROM _runs
