-- A URL that is admitted is no longer skipped.
DELETE FROM skipped
WHERE (url_key, crawl_id) IN (VALUES /*rows*/) AND reason NOT IN ('robots', 'content-signal', 'noindex')
