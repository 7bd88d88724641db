-- The evidence of what was given up, with the page that links there.
INSERT OR FAIL INTO dead_letters (crawl_id, url_key, url, host, visit, reason, detail, status, attempts, found_on, died_at)
SELECT d.column1, d.column2, d.column3, d.column4, d.column5, d.column6, d.column7, d.column8, d.column9,
       urls.found_on, d.column10
FROM (VALUES /*rows*/) AS d
LEFT JOIN urls ON urls.url_key = d.column2 AND urls.crawl_id = d.column1
WHERE true
ON CONFLICT (url_key, crawl_id, visit) DO NOTHING
