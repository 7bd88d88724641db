-- One row a URL and reason, and none for a URL that is admitted, unless its own visit says so.
INSERT INTO skipped (crawl_id, url_key, url, reason, detail, found_on, skipped_at)
SELECT s.column1, s.column2, s.column3, s.column4, s.column5, s.column6, s.column7
FROM (VALUES /*rows*/) AS s
WHERE s.column4 = 'robots'
   OR NOT EXISTS (SELECT 1 FROM urls WHERE urls.url_key = s.column2 AND urls.crawl_id = s.column1)
ON CONFLICT (url_key, crawl_id, reason) DO NOTHING
RETURNING id
