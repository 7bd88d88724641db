-- URLs that are parked, with what opens them: one row a URL and rule, and none for a URL that is admitted.
INSERT OR FAIL INTO skipped (crawl_id, url_key, url, reason, detail, found_on, skipped_at, parked, host, depth, hops, max_depth,
                     priority)
SELECT s.column1, s.column2, s.column3, s.column4, s.column5, s.column6, s.column7, s.column8, s.column9, s.column10,
       s.column11, s.column12, s.column13
FROM (VALUES /*rows*/) AS s
LEFT JOIN urls ON urls.url_key = s.column2 AND urls.crawl_id = s.column1
WHERE urls.id IS NULL
ON CONFLICT (url_key, crawl_id, reason) DO NOTHING
