-- One row a URL and reason, and none for a URL that is admitted, unless its own visit says so: what robots.txt forbids was
-- found where the URL was found.
INSERT OR FAIL INTO skipped (crawl_id, url_key, url, reason, detail, found_on, skipped_at)
SELECT s.column1, s.column2, s.column3, s.column4, s.column5,
       CASE WHEN s.column4 IN ('robots', 'content-signal', 'noindex') THEN urls.found_on ELSE s.column6 END, s.column7
FROM (VALUES /*rows*/) AS s
LEFT JOIN urls ON urls.url_key = s.column2 AND urls.crawl_id = s.column1
WHERE s.column4 IN ('robots', 'content-signal', 'noindex') OR urls.id IS NULL
ON CONFLICT (url_key, crawl_id, reason) DO NOTHING
